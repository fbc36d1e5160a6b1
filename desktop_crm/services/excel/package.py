"""Facts of a workbook that the fast reader does not tell: error cells, formulas without result."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Final

from lxml import etree

from desktop_crm.services.excel.table import CellError

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT: Final = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_RELATION_IDS: Final = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)
_REFERENCE: Final = re.compile(r"([A-Z]+)(\d+)")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ >/]")
_ERROR_MARK: Final = (b't="e"', b"t='e'")
NOT_CALCULATED: Final = "formula"
"""Code of a formula that was saved without its result."""


def odd_cells(data: bytes, sheet: str) -> dict[tuple[int, int], CellError]:
    """Find the cells of a sheet that hold an error or a formula without a result.

    Args:
        data: The workbook's bytes.
        sheet: Name of the sheet.

    Returns:
        (row, column), both from 0, to the error. A sheet without any costs one search of its
        text and no parsing.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = _part_of(archive, sheet)
        if not part:
            return {}
        content = archive.read(part)
    if not _FORMULA.search(content) and not any(mark in content for mark in _ERROR_MARK):
        return {}
    return dict(_odd_cells(content))


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Path of a sheet's part inside the package; empty when the package names none."""
    try:
        book = etree.fromstring(archive.read("xl/workbook.xml"), _parser())
        links = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), _parser())
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
            return part if part in archive.namelist() else ""
    return ""


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
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True)
