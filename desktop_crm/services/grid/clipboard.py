"""Cells on the clipboard: as text with tabs, as an HTML table, and back."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

Cells = tuple[tuple[str, ...], ...]

MOST: Final = 200_000
"""Cells of one paste; more are no longer looked through one by one."""
_FORMULA: Final = re.compile(r"^'*[=+\-@]")
_KEPT: Final = re.compile(r"^'+[=+\-@]")
_NUMBER: Final = re.compile(r"^[+-]?[\d\s.,()/\u00a0\u2009\u202f-]*%?$")
_TEXT_FORMAT: Final = "mso-number-format:'\\@'"


@dataclass(frozen=True, slots=True)
class Copied:
    """One range in the two forms that spreadsheets take."""

    text: str
    html: str


def copied(cells: Sequence[Sequence[str]], is_number: Sequence[bool]) -> Copied:
    """Put shown texts into both forms.

    Text stays text in a spreadsheet: codes keep their leading zeros, phones their plus sign, and
    nothing that looks like a formula is run there (R54).

    Args:
        cells: Rows of shown texts.
        is_number: Whether a column holds numbers.
    """
    text = "\n".join("\t".join(_tsv(cell) for cell in row) for row in cells)
    rows = (
        "<tr>"
        + "".join(_html(cell, plain) for cell, plain in zip(row, is_number, strict=True))
        + "</tr>"
        for row in cells
    )
    return Copied(text, f"<table>{''.join(rows)}</table>")


def _tsv(cell: str) -> str:
    safe = f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.match(cell) else cell
    if any(mark in safe for mark in '\t\n\r"'):
        return '"' + safe.replace('"', '""') + '"'
    return safe


def _html(cell: str, is_number: bool) -> str:
    shown = html.escape(cell).replace("\n", "<br>")
    return f"<td>{shown}</td>" if is_number else f'<td style="{_TEXT_FORMAT}">{shown}</td>'


def parse(text: str) -> Cells:
    """Read what a spreadsheet put on the clipboard; every row has as many cells as the first.

    Raises:
        UserError: There is nothing, the rows differ in length, or there are too many cells.
    """
    if not text.strip("\r\n"):
        raise UserError(N_("There is nothing to paste. Copy some cells first."))
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        rows = list(csv.reader(StringIO(plain.rstrip("\n")), delimiter="\t", strict=True))
    except csv.Error:
        # A lone quotation mark is a character like any other.
        rows = [line.split("\t") for line in plain.rstrip("\n").split("\n")]
    cells = tuple(tuple(_bare(cell) for cell in row) or ("",) for row in rows)
    width = len(cells[0])
    for number, row in enumerate(cells, 1):
        if len(row) != width:
            raise UserError(
                N_(
                    "The copied rows differ in length: cells in the first row: {first}, in row "
                    "{row}: {count}. Nothing was pasted; copy a whole rectangle."
                ),
                row=number,
                count=len(row),
                first=width,
            )
    if len(cells) * width > MOST:
        raise UserError(
            N_("These are {count} cells; at most {most} are pasted at once. Use an import."),
            count=len(cells) * width,
            most=MOST,
        )
    return cells


def _bare(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from running a text."""
    return cell[1:] if _KEPT.match(cell) else cell


def spread(cells: Cells, rows: int, columns: int) -> Cells:
    """Repeat copied cells over a larger selection that is a multiple of them, as spreadsheets do.

    Args:
        cells: What was copied.
        rows: Rows of the selection.
        columns: Columns of the selection.
    """
    high, wide = len(cells), len(cells[0])
    down = rows if rows > high and rows % high == 0 else high
    across = columns if columns > wide and columns % wide == 0 else wide
    return tuple(tuple(cells[r % high][c % wide] for c in range(across)) for r in range(down))
