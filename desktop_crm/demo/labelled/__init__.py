"""Messages of which it is known where they belong, to measure the linking of mail by."""
