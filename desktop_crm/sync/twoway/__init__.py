"""Meetings, tasks and contacts kept equal in a mailbox and here, field by field."""
