"""Windows for changing many records at once."""
