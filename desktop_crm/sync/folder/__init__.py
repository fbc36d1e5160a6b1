"""A folder of files as a mailbox."""
