"""Windows for possible duplicates: the queue, records side by side, merging and parting."""
