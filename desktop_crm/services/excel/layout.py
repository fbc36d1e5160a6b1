"""Where things stand in a workbook that the product wrote, for writer and reader alike."""

from __future__ import annotations

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
META_SCHEMA: Final = "schema"
META_EXPORTED_AT: Final = "exported_at"
META_EXPORTED_BY: Final = "exported_by"
META_FILTER: Final = "filter"
META_ROWS: Final = "rows"
META_BASE_HASH: Final = "base_hash"
META_ZONE: Final = "zone"
META_LANGUAGE: Final = "language"

LISTS_SHEET: Final = "_lists"
CLEAR: Final = "<clear>"
"""Typed into a cell it empties the field; an empty cell changes nothing (R56)."""
