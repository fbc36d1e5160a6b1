"""Identity that leaves the database: UUID version 7, ordered by time (RFC 9562, 5.7)."""

from __future__ import annotations

import uuid6


def new_uid() -> str:
    """Return a new unique id as 36 characters of text."""
    return str(uuid6.uuid7())
