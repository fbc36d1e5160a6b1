"""Reading workbooks (.xlsx): which sheet, which row names the columns, what the cells mean."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.excel import layout
from desktop_crm.services.excel.package import MOST_CELLS, UNREADABLE, Package
from desktop_crm.services.excel.table import (
    Cell,
    CellError,
    Source,
    Table,
    TableRow,
    clean_text,
    header_index,
    unique_names,
)

_PROTECTED: Final = N_(
    "{file} is protected by a password. Nothing was imported; "
    "save it without a password and import that."
)
_DAMAGED: Final = N_(
    "{file} is a damaged workbook. Nothing was imported; "
    "open it in a spreadsheet program, save it again and import that."
)
_TOO_WIDE: Final = N_(
    "Sheet “{sheet}” of {file} reaches too far to be read: a cell stands far away from the others. "
    "Nothing was imported; delete the empty rows and columns and save it again."
)
_HEAD: Final = 60
_DAY: Final = 86_400
_WHOLE: Final = 1e15
"""Beyond this a workbook's number has lost its last digits."""


def read(data: bytes, name: str, *, sheet: str = "") -> Table:
    """Read one sheet of a workbook as a table of values; formulas count with their last result.

    Args:
        data: The workbook's bytes.
        name: Its file name, for messages.
        sheet: Sheet to read; by default the first visible one that holds rows, else the first
            that holds a header.

    Raises:
        UserError: The workbook is damaged, protected, empty or lacks the named sheet.
    """
    try:
        source = _Book(data, name)
        return _read(source, sheet)
    except (CalamineError, *UNREADABLE) as error:
        if isinstance(error, PasswordError):
            raise UserError(_PROTECTED, file=name) from None
        raise _damaged(name) from error
    except BaseException as error:
        # The reader is written in Rust; where its code gives up, this is what arrives.
        if type(error).__name__ == "PanicException":
            raise _damaged(name) from error
        raise


class _Book:
    """One workbook: the fast reader, and the package for what it does not tell."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.package = Package(data)
        self.fast = CalamineWorkbook.from_filelike(io.BytesIO(data))
        self.visible = tuple(
            meta.name
            for meta in self.fast.sheets_metadata
            if meta.visible is SheetVisibleEnum.Visible and meta.typ is SheetTypeEnum.WorkSheet
        )

    def sheet(self, name: str) -> CalamineSheet:
        """Lay one sheet out, if it is of a size that can be."""
        if self.package.cells(name) > MOST_CELLS:
            raise UserError(_TOO_WIDE, file=self.name, sheet=name)
        return self.fast.get_sheet_by_name(name)


def _read(book: _Book, sheet: str) -> Table:
    meta = _product_meta(book)
    chosen, raw = _choose(book, sheet or meta.get(layout.META_SHEET_NAME, ""))
    grid = _grid(raw, book.package.odd_cells(chosen))
    source = Source(book.name, "xlsx", sheet=chosen, sheets=book.visible)
    return _own_table(grid, source, meta) if meta else _foreign_table(grid, raw, source)


def _damaged(name: str) -> UserError:
    return UserError(_DAMAGED, file=name)


def _choose(book: _Book, wanted: str) -> tuple[str, CalamineSheet]:
    if wanted:
        found = {n.casefold(): n for n in book.fast.sheet_names}.get(wanted.casefold())
        if found is None:
            raise UserError(
                N_("{file} has no sheet “{sheet}”; it has {sheets}. Nothing was imported."),
                file=book.name,
                sheet=wanted,
                sheets=", ".join(book.visible),
            )
        return found, book.sheet(found)
    fallback: tuple[str, CalamineSheet] | None = None
    for candidate in book.visible:
        sheet = book.sheet(candidate)
        if sheet.start is None:
            continue
        if sheet.height > 1:
            return candidate, sheet
        fallback = fallback or (candidate, sheet)
    if fallback is None:
        raise UserError(N_("{file} holds no table. Nothing was imported."), file=book.name)
    return fallback


def _product_meta(book: _Book) -> Mapping[str, str]:
    if layout.META_SHEET not in book.fast.sheet_names:
        return {}
    rows = book.sheet(layout.META_SHEET).to_python()
    pairs = {str(row[0]): str(row[1]) for row in rows if len(row) > 1 and row[0]}
    return pairs if pairs.get(layout.META_FORMAT) == layout.FORMAT_VERSION else {}


def _grid(sheet: CalamineSheet, odd: Mapping[tuple[int, int], CellError]) -> list[tuple[Cell, ...]]:
    if sheet.start is None:
        return []
    grid = [tuple(_cell(value) for value in row) for row in sheet.to_python(skip_empty_area=False)]
    for (row, column), error in odd.items():
        if 0 <= row < len(grid) and 0 <= column < len(grid[row]):
            cells = list(grid[row])
            cells[column] = error
            grid[row] = tuple(cells)
    return grid


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, timedelta):
        return Decimal(str(value.total_seconds())) / _DAY
    if isinstance(value, datetime):
        # A moment is a fraction of a day; half a microsecond of it is lost on the way.
        return (value + timedelta(milliseconds=500)).replace(microsecond=0)
    if isinstance(value, int | date | time):
        return value
    return None


def _number(value: float) -> int | Decimal:
    if value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    # A spreadsheet shows fifteen digits; the rest is the binary form of the number it shows.
    return Decimal(format(value, ".15g"))


def _own_table(grid: list[tuple[Cell, ...]], source: Source, meta: Mapping[str, str]) -> Table:
    names = grid[layout.NAMES_ROW] if len(grid) > layout.NAMES_ROW else ()
    header = tuple("" if name is None else str(name) for name in names)
    rows = _rows(grid, layout.FIRST_DATA_ROW, len(header))
    placed = Source(
        source.name,
        source.kind,
        sheet=source.sheet,
        sheets=source.sheets,
        header_row=layout.NAMES_ROW + 1,
    )
    return Table(header=header, rows=rows, source=placed, meta=dict(meta))


def _foreign_table(grid: list[tuple[Cell, ...]], sheet: CalamineSheet, source: Source) -> Table:
    index = header_index(grid[:_HEAD])
    if index < 0:
        raise UserError(N_("{file} holds no table. Nothing was imported."), file=source.name)
    header, last = _header(grid, index, sheet)
    width = max((i + 1 for i, name in enumerate(header) if name), default=0)
    placed = Source(
        source.name,
        source.kind,
        sheet=source.sheet,
        sheets=source.sheets,
        header_row=last + 1,
    )
    notices: list[str] = []
    if len(source.sheets) > 1:
        others = ", ".join(s for s in source.sheets if s != source.sheet)
        notices.append(
            tr("Sheet “{sheet}” was read; not read: {others}.", sheet=source.sheet, others=others)
        )
    return Table(
        header=unique_names(header[:width]),
        rows=_rows(grid, last + 1, width),
        source=placed,
        notices=tuple(notices),
    )


def _header(
    grid: list[tuple[Cell, ...]], index: int, sheet: CalamineSheet
) -> tuple[list[str], int]:
    """Read the column names, also when they stand in two rows joined by merged cells.

    Returns:
        The names and the index of the last header row.
    """
    merged = [
        (top, left, bottom, right)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        if top <= index <= bottom or top == index
    ]
    names = ["" if cell is None else _name(cell) for cell in grid[index]]
    groups = [(left, right) for top, left, bottom, right in merged if right > left]
    if not groups or index + 1 >= len(grid) or not _all_text(grid[index + 1]):
        return names, index
    for left, right in groups:
        for column in range(left + 1, min(right + 1, len(names))):
            names[column] = names[column] or names[left]
    below = grid[index + 1]
    for column, cell in enumerate(below):
        if cell is not None:
            grouped = any(left <= column <= right for left, right in groups)
            names[column] = f"{names[column]} {_name(cell)}".strip() if grouped else _name(cell)
    return names, index + 1


def _all_text(row: Sequence[Cell]) -> bool:
    values = [cell for cell in row if cell is not None]
    return bool(values) and all(isinstance(cell, str) for cell in values)


def _name(cell: Cell) -> str:
    return " ".join(str(cell).split()) if not isinstance(cell, CellError) else ""


def _rows(grid: list[tuple[Cell, ...]], first: int, width: int) -> list[TableRow]:
    rows = []
    for number, cells in enumerate(grid[first:], start=first + 1):
        values = cells[:width]
        if any(cell is not None for cell in values):
            rows.append(TableRow(number, (*values, *([None] * (width - len(values))))))
    return rows
