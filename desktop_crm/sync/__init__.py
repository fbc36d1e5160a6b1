"""Mailboxes: read by adapters behind one port, taken over by the engine, linked by rules."""
