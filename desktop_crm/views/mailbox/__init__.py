"""Mailboxes in the window: adding one, its password, its state, its passes."""
