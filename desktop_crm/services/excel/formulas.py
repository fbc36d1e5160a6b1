"""Text that a spreadsheet would run as a formula, made harmless and read back (R54)."""

from __future__ import annotations

import re
from typing import Final

_LEADS: Final = "=+-@\t\r"
_NUMBER_LIKE: Final = re.compile(r"[+-]?[\d\s().,/-]+")


def neutralise(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet or a CSV reader could run.

    Phone numbers and negative numbers start with such a sign too; they stay as they are, because
    they can do no harm and an apostrophe would be in everybody's way.
    """
    if not text or (text[0] not in _LEADS and not _quoted(text)):
        return text
    if _NUMBER_LIKE.fullmatch(text):
        return text
    return f"'{text}"


def restore(text: str) -> str:
    """Undo :func:`neutralise`."""
    return text[1:] if _quoted(text) else text


def _quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == "'" and (text[1] in _LEADS or text[1] == "'")
