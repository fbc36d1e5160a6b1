"""Where things stand in a workbook that the product wrote, for writer and reader alike."""

from __future__ import annotations

import hashlib
from typing import Final

FORMAT_VERSION: Final = "1"
NAMES_ROW: Final = 0
"""Hidden row of field names. It stands above the visible header so that sorting leaves it alone."""
HEADER_ROW: Final = 1
FIRST_DATA_ROW: Final = 2

UID_COLUMN: Final = "_uid"
VERSION_COLUMN: Final = "_version"
BASE_COLUMN: Final = "_base"
HIDDEN_COLUMNS: Final = (UID_COLUMN, VERSION_COLUMN, BASE_COLUMN)
"""They lie beside the data, so that sorting in the spreadsheet keeps them with their row."""

META_SHEET: Final = "_meta"
META_FORMAT: Final = "format"
META_SHEET_NAME: Final = "sheet"
META_ENTITY: Final = "entity"
META_PRODUCT: Final = "product_version"
META_EXPORTED_AT: Final = "exported_at"
META_EXPORTED_BY: Final = "exported_by"
META_FILTER: Final = "filter"
META_ROWS: Final = "rows"
META_ZONE: Final = "zone"
META_LANGUAGE: Final = "language"

LISTS_SHEET: Final = "_lists"
CLEAR: Final = "<clear>"
"""Typed into a cell it empties the field; an empty cell changes nothing (R56)."""

LONGEST_BASE: Final = 80


def base_text(text: str, longest: int = LONGEST_BASE) -> str:
    """What of an exported cell is kept to compare with later: a long text as its hash."""
    return text if len(text) <= longest else _hashed(text)


def matches_base(text: str, base: str) -> bool:
    """Say whether a cell still holds what was exported."""
    return text == base or _hashed(text) == base


def _hashed(text: str) -> str:
    return f"hash:{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"
