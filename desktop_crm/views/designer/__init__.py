"""Where administrators change what entities consist of, by point and click and by keyboard."""
