"""Rows of a table read into drafts of records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import canonical_email, canonical_phone, fold
from desktop_crm.meta.bound import Entity
from desktop_crm.services.excel import layout
from desktop_crm.services.excel.formulas import restore
from desktop_crm.services.excel.table import Cell, ChildRows, Table, TableRow
from desktop_crm.services.imports.draft import CellProblem, Draft, LinkText, Unset
from desktop_crm.services.imports.matching import (
    ENDED,
    WHOLE_NAME,
    ColumnMatch,
    Matches,
    editable,
    targets,
)
from desktop_crm.services.imports.names import split_name
from desktop_crm.services.imports.profile import Profile
from desktop_crm.services.imports.values import (
    Reading,
    UnknownChoice,
    as_text,
    choice_code,
    convert,
)

_VALUE_OF: Final = {"phones": "number", "emails": "address"}
_MAIN_OF: Final = {"phones": "phone", "emails": "email"}


@dataclass(frozen=True, slots=True)
class Drafts:
    """All rows of a file as drafts.

    Attributes:
        rows: In the order of the file.
        unknown: Texts that no choice has, with their row counts, by field.
        emptied: Cells of our own workbook that were emptied, which changes nothing.
    """

    rows: list[Draft]
    unknown: Mapping[str, Counter[str]]
    emptied: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    match: ColumnMatch
    reading: Reading
    cache: dict[Cell, object]


def draft(
    table: Table,
    matches: Matches,
    entity: Entity,
    columns: Sequence[Profile],
    formats: Formats,
    meant: Mapping[tuple[str, str], str],
) -> Drafts:
    """Read every row; what cannot be read is kept as the row's problem.

    Args:
        table: The file.
        matches: Which column is which field.
        entity: What the rows are.
        columns: How each column is read.
        formats: Language and zone of the person, or of the workbook.
        meant: (field, folded text) to what a person says is meant.
    """
    known = targets(entity)
    lines = {name: f for name, f in entity.fields.items() if f.kind.name == "lines"}
    used = [
        _Column(
            match,
            Reading(known.get(match.field) or lines[match.field], columns[match.index], formats),
            {},
        )
        for match in matches.columns
        if match.field
    ]
    unknown: dict[str, Counter[str]] = {}
    says_end = any(c.match.field == ENDED and c.reading.field.read_only for c in used)
    read = partial(_read_row, used=used, meant=meant, unknown=unknown, says_end=says_end)
    own = _own_columns(table)
    rows = []
    emptied = 0
    for position, row in enumerate(table.rows):
        item = Draft(row.number, position)
        if row.problem is not None:
            item.problems.append(CellProblem("", "", row.problem))
        elif own is not None:
            emptied += _keep_touched(item, row, table, own, read)
        else:
            read(item, row)
        rows.append(item)
    return Drafts(rows, unknown, emptied)


def _read_row(
    item: Draft,
    row: TableRow,
    *,
    used: Sequence[_Column],
    meant: Mapping[tuple[str, str], str],
    unknown: dict[str, Counter[str]],
    says_end: bool,
) -> None:
    for column in used:
        cell = row.cells[column.match.index]
        if cell is None:
            continue
        name = column.reading.field.name
        try:
            value = _value(cell, column, meant)
        except UserError as error:
            item.problems.append(CellProblem(name, column.match.header, str(error)))
            continue
        if isinstance(value, UnknownChoice):
            unknown.setdefault(name, Counter())[value.text] += 1
        elif value is not None:
            _put(item, column.match, value)
    _take_name_apart(item)
    if says_end:
        _take_end(item)
    _join_main_with_children(item)


def _value(cell: Cell, column: _Column, meant: Mapping[tuple[str, str], str]) -> object:
    if isinstance(cell, ChildRows):
        return cell
    key: Cell = cell if isinstance(cell, str) else None
    if key is not None and key in column.cache:
        return column.cache[key]
    value = _fresh_value(cell, column, meant)
    if key is not None:
        column.cache[key] = value
    return value


def _fresh_value(cell: Cell, column: _Column, meant: Mapping[tuple[str, str], str]) -> object:
    field = column.reading.field
    text = as_text(cell)
    if text.casefold() == layout.CLEAR:
        return Unset.CLEAR
    if (said := meant.get((field.name, fold(text)))) is not None:
        cell, text = said, said
    if column.match.child:
        # A further number or address; its kind is the child row's, checked as text here.
        return _child(field.name, text, column.match.child)
    if field.target:
        return LinkText(" ".join(text.split())) if text.strip() else None
    value = convert(cell, column.reading)
    if isinstance(value, UnknownChoice):
        code = choice_code(field, text)
        return code if code is not None else value
    return value


def _child(lines: str, text: str, kind: str) -> ChildRows | None:
    value: str | None = " ".join(text.split())
    if not value:
        return None
    if lines == "emails":
        value = canonical_email(text)
        if value is None:
            raise UserError(
                N_("“{text}” is not an e-mail address. Write it like name@company.com."), text=text
            )
    return ChildRows(({_VALUE_OF[lines]: value[:254], "type": kind, "is_primary": False},))


def _put(item: Draft, match: ColumnMatch, value: object) -> None:
    before = item.values.get(match.field)
    if isinstance(value, ChildRows) and isinstance(before, ChildRows):
        value = ChildRows((*before.rows, *value.rows))
    item.values[match.field] = value


def _take_name_apart(item: Draft) -> None:
    whole = item.values.pop(WHOLE_NAME, None)
    if not isinstance(whole, str) or isinstance(whole, Unset):
        return
    first, last = split_name(whole)
    if "last_name" not in item.values and "first_name" not in item.values:
        item.values["last_name"] = last
        if first:
            item.values["first_name"] = first


def _take_end(item: Draft) -> None:
    """Let a column of its own that says won or lost decide over the stage."""
    ended = item.values.pop(ENDED, None)
    if ended in {"won", "lost"}:
        item.values["stage"] = LinkText(str(ended))


def _join_main_with_children(item: Draft) -> None:
    """Put the main phone or e-mail first among the child rows of the same kind."""
    for lines, main in _MAIN_OF.items():
        children, value = item.values.get(lines), item.values.get(main)
        if not isinstance(children, ChildRows) or not children.rows:
            continue
        rows = [dict(row) for row in children.rows]
        if isinstance(value, str) and not isinstance(value, Unset):
            del item.values[main]
            rows.insert(0, {_VALUE_OF[lines]: value, "type": "work"})
        for index, row in enumerate(rows):
            row["is_primary"] = index == 0
        item.values[lines] = ChildRows(tuple(_distinct(rows, lines)))


def _distinct(rows: list[dict[str, object]], lines: str) -> list[dict[str, object]]:
    seen: set[object] = set()
    kept = []
    for row in rows:
        key = child_key(lines, row)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def child_key(lines: str, row: Mapping[str, object]) -> object:
    """What makes two child rows the same: the canonical number or address."""
    if lines == "phones":
        number = str(row.get("number") or "")
        return canonical_phone(number) or fold(number)
    if lines == "emails":
        address = str(row.get("address") or "")
        return canonical_email(address) or fold(address)
    parts = ("street", "city", "postal_code", "region", "country")
    return tuple(fold(str(row.get(part) or "")) for part in parts)


@dataclass(frozen=True, slots=True)
class _Own:
    uid: int
    version: int
    base: int
    exported: tuple[tuple[int, str], ...]


def _own_columns(table: Table) -> _Own | None:
    """Where our own workbook keeps identity, version and exported values; None for others."""
    names = {name: i for i, name in enumerate(table.header)}
    if not table.meta or layout.UID_COLUMN not in names:
        return None
    visible = tuple(
        (i, name)
        for i, name in enumerate(table.header)
        if name and name not in layout.HIDDEN_COLUMNS
    )
    return _Own(
        names[layout.UID_COLUMN],
        names.get(layout.VERSION_COLUMN, -1),
        names.get(layout.BASE_COLUMN, -1),
        visible,
    )


def _keep_touched(item: Draft, row: TableRow, table: Table, own: _Own, read: partial[None]) -> int:
    """Read only the cells that differ from what was exported; count the emptied ones."""
    cells = tuple(restore(c) if isinstance(c, str) else c for c in row.cells)
    item.uid = as_text(cells[own.uid])
    if not item.uid:
        read(item, replace(row, cells=cells))
        return 0
    version = cells[own.version] if own.version >= 0 else 0
    item.version = version if isinstance(version, int) else 0
    exported = _base_texts(cells[own.base] if own.base >= 0 else None)
    kept: list[Cell] = [None] * len(cells)
    emptied = 0
    for (index, name), base in zip(
        own.exported, exported or [""] * len(own.exported), strict=False
    ):
        cell = cells[index]
        if exported and layout.matches_base(as_text(cell), base):
            continue
        if cell is None:
            emptied += 1
            continue
        kept[index] = cell
        if exported:
            item.base[name] = base
    read(item, replace(row, cells=tuple(kept)))
    return emptied if exported else 0


def _base_texts(cell: Cell) -> list[str]:
    if not isinstance(cell, str):
        return []
    try:
        texts = json.loads(cell)
    except ValueError:
        return []
    return [str(text) for text in texts] if isinstance(texts, list) else []


def read_only_touched(item: Draft, entity: Entity) -> tuple[CellProblem, ...]:
    """Sentences for cells of our own workbook that were changed but no file may change."""
    if not item.base:
        return ()
    known = editable(entity)
    return tuple(
        CellProblem(
            name,
            tr(entity.fields[name].label) if name in entity.fields else name,
            tr("This column cannot be changed here; its change was left out."),
        )
        for name in item.base
        if name not in known
    )
