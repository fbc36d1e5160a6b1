"""What every reader of files hands on: a header and rows of typed cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell that holds no value: a spreadsheet error, or a formula that was never calculated."""

    code: str


@dataclass(frozen=True, slots=True)
class ChildRows:
    """Several values of one record in one cell: the addresses of a contact card."""

    rows: tuple[Mapping[str, object], ...]


Cell: TypeAlias = str | int | Decimal | date | datetime | time | bool | CellError | ChildRows | None
"""One value of a table; None is an empty cell. A datetime is naive: files carry no zone."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One record of a file.

    Attributes:
        number: Where a person finds it: the line, sheet row or card, counted from 1.
        cells: As many as the header has names.
        problem: A sentence when the row itself cannot be read; its cells are then not used.
    """

    number: int
    cells: tuple[Cell, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table came from and how it was read.

    Attributes:
        name: File name without its folder.
        kind: ``csv``, ``xlsx`` or ``vcf``.
        encoding: Name of the text encoding; empty for workbooks.
        delimiter: Character between the values of a CSV file; empty elsewhere.
        sheet: Name of the sheet read; empty elsewhere.
        sheets: All visible sheets of the workbook.
        header_row: Row that holds the names, counted from 1; 0 when the format has none.
    """

    name: str
    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """The records of one file or sheet.

    Attributes:
        header: Column names as they stand in the file; empty names stay empty.
        rows: Rows that hold at least one value, in the order of the file.
        source: Where it came from.
        notices: Sentences about the file as a whole.
        meta: What the product itself wrote into its hidden sheet; empty for foreign files.
    """

    header: tuple[str, ...]
    rows: Sequence[TableRow]
    source: Source
    notices: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)


_DROPPED: Final = dict.fromkeys(
    [
        *range(0x00, 0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        0x00AD,
        0x200B,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        0x2060,
        0xFEFF,
    ]
)
_AS_SPACE: Final = dict.fromkeys([0x00A0, 0x2007, 0x2009, 0x202F, 0x3000], " ")
_CLEANING: Final = {**_DROPPED, **_AS_SPACE, 0x0B: "\n", 0x0C: "\n"}
_PLAIN: Final = re.compile(r"[\t\n\x20-\x7e]*")
_EDGE: Final = " \t\n\u200c\u200d"
_BREAK: Final = re.compile(r"\r\n?|\u2028|\u2029")


def clean_text(text: str) -> str:
    r"""Make a cell's text comparable: no invisible characters, plain spaces, ``\n`` line ends.

    Inner line breaks and spacing stay, since notes and addresses use them.
    """
    if _PLAIN.fullmatch(text):
        return text.strip()
    text = _BREAK.sub("\n", text)
    return unicodedata.normalize("NFC", text.translate(_CLEANING)).strip(_EDGE)


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Number the repetitions of a name: ``Phone``, ``Phone (2)``; empty names stay empty."""
    seen: dict[str, int] = {}
    result: list[str] = []
    for name in names:
        key = name.casefold()
        seen[key] = seen.get(key, 0) + 1
        result.append(f"{name} ({seen[key]})" if name and seen[key] > 1 else name)
    return tuple(result)


def header_index(rows: Sequence[Sequence[Cell]]) -> int:
    """Find the row that names the columns, among the first rows of a table.

    Titles, dates of printing and blank rows above it are passed over: the header is the first
    row that is nearly as wide as the widest one.

    Returns:
        Its index, or -1 when no row holds a value.
    """
    filled = [sum(cell is not None for cell in row) for row in rows]
    widest = max(filled, default=0)
    if not widest:
        return -1
    return next(index for index, count in enumerate(filled) if count >= max(1, 0.6 * widest))
