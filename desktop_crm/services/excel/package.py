"""What a workbook's package says that the fast reader does not, or must not be asked for.

The reader lays every sheet out as a rectangle: one stray cell in the last corner would take
hundreds of gigabytes and end the program. So the extent of a sheet is looked at before it is read.
Error cells and formulas without a result are found here too; the reader gives them as blanks.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from lxml import etree

from desktop_crm.services.excel.table import CellError

NOT_CALCULATED: Final = "formula"
"""Code of a formula that was saved without its result."""

MOST_CELLS: Final = 20_000_000
"""Largest rectangle that is read: a million rows of twenty columns, 500 MB in the reader."""

UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    KeyError,
)
"""What a damaged package raises, depending on where the damage lies."""

_LARGEST_PART: Final = 2_000_000_000
_LAST_ROW: Final = 1_048_576
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT: Final = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_RELATION_IDS: Final = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)
_REFERENCE: Final = re.compile(r"([A-Z]+)(\d+)")
_COLUMN: Final = re.compile(rb"""\br=["']([A-Z]+)\d""")
_HIGH_ROW: Final = re.compile(rb"""\br=["'][A-Z]*(\d{5,})""")
_COUNT: Final = re.compile(rb"""[cC]ount=["'](\d{4,})["']""")
_ROW: Final = re.compile(rb"<(?:\w+:)?row\b")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ >/]")
_ERROR_MARK: Final = (b't="e"', b"t='e'")
_FEW_ROWS: Final = 9_999


class Package:
    """The parts of one workbook."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._held: tuple[str, bytes] = ("", b"")
        for part in ("xl/sharedStrings.xml", "xl/styles.xml"):
            if part in self._archive.namelist():
                _check_counts(self._content(part))

    def cells(self, sheet: str) -> int:
        """Cells of the rectangle that holds everything on a sheet.

        A sheet whose part cannot be told is judged by the largest one.

        Raises:
            BadZipFile: The part cannot be unpacked.
        """
        part = self._part_of(sheet)
        parts = [part] if part else self._sheets()
        return max((_rectangle(self._content(one)) for one in parts), default=0)

    def odd_cells(self, sheet: str) -> dict[tuple[int, int], CellError]:
        """Find the cells of a sheet that hold an error or a formula without a result.

        Returns:
            (row, column), both from 0, to the error. A sheet without any costs one search of its
            text and no parsing.
        """
        part = self._part_of(sheet)
        if not part:
            return {}
        content = self._content(part)
        if not _FORMULA.search(content) and not any(mark in content for mark in _ERROR_MARK):
            return {}
        try:
            return dict(_odd_cells(content))
        except etree.XMLSyntaxError:
            return {}

    def _content(self, part: str) -> bytes:
        if self._held[0] != part:
            if self._archive.getinfo(part).file_size > _LARGEST_PART:
                raise zipfile.BadZipFile(f"{part} is too large")
            self._held = (part, self._archive.read(part))
        return self._held[1]

    def _sheets(self) -> list[str]:
        return [
            name
            for name in self._archive.namelist()
            if name.startswith("xl/worksheets/") and name.endswith(".xml")
        ]

    def _part_of(self, sheet: str) -> str:
        """Path of a sheet's part inside the package; empty when the package names none."""
        try:
            book = etree.fromstring(self._archive.read("xl/workbook.xml"), _parser())
            links = etree.fromstring(self._archive.read("xl/_rels/workbook.xml.rels"), _parser())
        except (KeyError, etree.XMLSyntaxError):
            return ""
        for element in book.iter(f"{_MAIN}sheet", f"{_STRICT}sheet"):
            if element.get("name") == sheet:
                wanted = next((i for key in _RELATION_IDS if (i := element.get(key))), "")
                break
        else:
            return ""
        for link in links:
            if link.get("Id") == wanted:
                target = (link.get("Target") or "").lstrip("/")
                part = target if target.startswith("xl/") else posixpath.join("xl", target)
                return part if part in self._archive.namelist() else ""
        return ""


def _check_counts(content: bytes) -> None:
    """Refuse a part that announces more items than it has bytes: the reader makes room first."""
    for announced in set(_COUNT.findall(content)):
        if int(announced) > len(content):
            raise ValueError("a part announces more items than it can hold")


def _rectangle(content: bytes) -> int:
    columns = max((_column_number(c.decode()) for c in set(_COLUMN.findall(content))), default=1)
    rows = max((int(row) for row in set(_HIGH_ROW.findall(content))), default=0)
    if rows > _LAST_ROW:
        return MOST_CELLS + 1
    return columns * max(rows, min(_FEW_ROWS, len(_ROW.findall(content))), 1)


def _odd_cells(content: bytes) -> Iterator[tuple[tuple[int, int], CellError]]:
    stream = io.BytesIO(content)
    tags = (f"{_MAIN}c", f"{_STRICT}c")
    for _, cell in etree.iterparse(
        stream, tag=tags, resolve_entities=False, no_network=True, huge_tree=True
    ):
        namespace = _MAIN if cell.tag.startswith(_MAIN) else _STRICT
        value = cell.findtext(f"{namespace}v")
        if cell.get("t") == "e":
            yield _position(cell.get("r") or ""), CellError(value or "#ERROR!")
        elif cell.find(f"{namespace}f") is not None and not value and cell.get("t") != "str":
            yield _position(cell.get("r") or ""), CellError(NOT_CALCULATED)
        cell.clear()


def _position(reference: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return (-1, -1)
    return int(match[2]) - 1, _column_number(match[1]) - 1


def _column_number(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True)
