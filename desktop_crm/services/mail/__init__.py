"""Mail as its user reads, files, shares and sends it."""
