"""Rows written straight into a workbook's package.

The library that makes workbooks spends ten times as long on a cell as its text takes. It therefore
makes the shell alone (styles, lists, validation, hidden sheets) with one sample row of formats;
the rows themselves are streamed into the sheet in place of that row.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Final

from xlsxwriter.utility import xl_col_to_name

from desktop_crm.services.excel.table import Cell

_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001  the format's day zero has no zone
_FIRST_DAY: Final = _EPOCH.date()
_DAY_SECONDS: Final = 86_400
_FLUSH_ROWS: Final = 500
_LITERAL_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

Row = Sequence[Cell]


def fill(
    shell: Path, target: Path, part: str, sample_row: int, rows: Iterable[Row], *, expected: int
) -> int:
    """Copy a workbook with rows in place of the sample row of one of its sheets.

    Args:
        shell: The workbook made by the library.
        target: File to write.
        part: Path of the sheet inside the package.
        sample_row: Row with the formats, from 1; every cell of it has a style.
        rows: Cells in the order of the columns; as many as the sample row has.
        expected: Number of rows to come, for the extent that the sheet declares.

    Returns:
        Rows written.

    Raises:
        OSError: The target cannot be written.
    """
    with (
        zipfile.ZipFile(shell) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as made,
    ):
        count = 0
        for member in source.infolist():
            if member.filename != part:
                made.writestr(member, source.read(member), zipfile.ZIP_DEFLATED)
                continue
            with made.open(zipfile.ZipInfo(part, member.date_time), "w", force_zip64=True) as out:
                count = _splice(source.read(member), out, sample_row, rows, expected)
        return count


def _splice(
    content: bytes, out: IO[bytes], sample_row: int, rows: Iterable[Row], expected: int
) -> int:
    found = re.search(rb'<row r="%d"[^>]*>(.*?)</row>' % sample_row, content, re.DOTALL)
    if found is None:
        raise LookupError(f"row {sample_row} is missing from the shell")
    styles = [int(style) for style in re.findall(rb'<c r="[A-Z]+\d+" s="(\d+)"', found[1])]
    starts = [
        (f'<c r="{xl_col_to_name(index)}', f'" s="{style}"') for index, style in enumerate(styles)
    ]
    out.write(_with_extent(content[: found.start()], len(styles), sample_row + expected - 1))
    number = sample_row
    pending: list[str] = []
    for row in rows:
        pending.append(_row_xml(number, row, starts))
        number += 1
        if len(pending) >= _FLUSH_ROWS:
            out.write("".join(pending).encode())
            pending.clear()
    out.write("".join(pending).encode())
    out.write(content[found.end() :])
    return number - sample_row


def _with_extent(head: bytes, columns: int, last_row: int) -> bytes:
    """Declare how far the sheet reaches; readers that stream believe it."""
    extent = f'<dimension ref="A1:{xl_col_to_name(columns - 1)}{last_row}"/>'
    return re.sub(rb'<dimension ref="[^"]*"/>', extent.encode(), head, count=1)


def _row_xml(number: int, row: Row, starts: Sequence[tuple[str, str]]) -> str:
    parts = [f'<row r="{number}">']
    for value, (before, after) in zip(row, starts, strict=True):
        if value is None:
            continue
        if type(value) is str:
            parts.append(
                f'{before}{number}{after} t="inlineStr"><is><t>{_escaped(value)}</t></is></c>'
            )
        else:
            shown = _NUMBERS[type(value)](value)
            parts.append(f"{before}{number}{after}><v>{shown}</v></c>")
    parts.append("</row>")
    return "".join(parts)


def _escaped(text: str) -> str:
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text or ">" in text:
        text = text.replace("<", "&lt;").replace(">", "&gt;")
    if "_x" in text:
        text = _LITERAL_ESCAPE.sub("_x005F_", text)
    return text


def _days(value: date) -> str:
    return str((value - _FIRST_DAY).days)


def _moment(value: datetime) -> str:
    since = value - _EPOCH
    return repr(since.days + since.seconds / _DAY_SECONDS)


_NUMBERS: Final[dict[type, Callable[..., str]]] = {
    int: str,
    Decimal: "{:f}".format,
    date: _days,
    datetime: _moment,
}
