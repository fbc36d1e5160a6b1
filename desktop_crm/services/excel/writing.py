"""Exporting records as a workbook that can be edited and come back (R54)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from desktop_crm import __version__
from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr, translate
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import filters, permissions, query
from desktop_crm.services.context import Actor
from desktop_crm.services.excel import cells, layout, streaming
from desktop_crm.services.excel.files import replacing
from desktop_crm.services.excel.formulas import neutralise
from desktop_crm.services.excel.table import Cell
from desktop_crm.services.query import RecordQuery

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""

_CHUNK: Final = 2000
_MOST_ROWS: Final = 1_048_576 - layout.FIRST_DATA_ROW
_LIST_LIMIT: Final = 400
_SPARE_ROWS: Final = 1000
_PIXELS_PER_CHARACTER: Final = 7
_LONGEST_CELL: Final = 32_000
_SHEET_NAME: Final = 31
_FIRST_SHEET: Final = "xl/worksheets/sheet1.xml"
_OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False}


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was exported: the file and the number of its records."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """One column of the sheet."""

    name: str
    field: BoundField
    editable: bool


@dataclass(slots=True)
class _Sheet:
    """The sheet being written, with its formats by kind of field."""

    book: Any
    sheet: Worksheet
    formats: dict[str, Format]


def export(
    actor: Actor,
    wanted: RecordQuery,
    path: Path,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> ExportResult:
    """Write the records of a query into a workbook.

    Identity, version and the exported values lie hidden beside each row, so that the workbook can
    be imported again and only what was changed in it counts.

    Args:
        actor: Who exports; sees only what their rights allow.
        wanted: Records, columns and order.
        path: File to write, ending in .xlsx.
        progress: Called after every 2,000 rows.
        cancel: Stops between statements; nothing is left behind.

    Raises:
        PermissionDenied: The actor may not read such records.
        UserError: The query or the file name cannot be used.
        EnvironmentProblem: The file cannot be written; what stood there before stays.
        Cancelled: The person stopped it.
    """
    entity = registry.get(wanted.entity)
    columns = _columns(actor, entity, wanted.columns)
    wanted = replace(wanted, columns=tuple(column.name for column in columns))
    keys = query.keys(actor, wanted, cancel)
    if len(keys) > _MOST_ROWS:
        raise UserError(
            N_("{n} records do not fit into one sheet; filter them. Nothing was written."),
            n=len(keys),
        )
    with replacing(path) as draft, _scratch(draft) as shell:
        with xlsxwriter.Workbook(str(shell), _OPTIONS) as book:
            name = _sheet_name(tr(entity.plural))
            sheet = _Sheet(book, book.add_worksheet(name), _formats(book))
            _write_head(sheet, columns)
            _finish(sheet, columns, len(keys))
            _write_lists(sheet, actor, columns, len(keys))
            _write_meta(book, actor, wanted, name, len(keys))
        rows = _rows(actor, wanted, columns, keys, progress=progress, cancel=cancel)
        first = layout.FIRST_DATA_ROW + 1
        written = streaming.fill(shell, draft, _FIRST_SHEET, first, rows, expected=len(keys))
    return ExportResult(path, written)


@contextmanager
def _scratch(draft: Path) -> Iterator[Path]:
    """A second temporary name, for the shell."""
    shell = draft.with_suffix(".shell")
    try:
        yield shell
    finally:
        shell.unlink(missing_ok=True)


def exportable(actor: Actor, entity_key: str) -> tuple[str, ...]:
    """Every field worth a column: what a person may see, child lines and pictures apart."""
    entity = registry.get(entity_key)
    return tuple(
        name
        for name, field in permissions.visible_fields(actor, entity).items()
        if not field.hidden and field.kind.name not in {"lines", "image", "json"}
    )


def _columns(actor: Actor, entity: Entity, names: Sequence[str]) -> list[_Shown]:
    may_edit = actor.can(entity, "edit")
    known = permissions.visible_fields(actor, entity)
    found: list[_Shown] = []
    for name in names or exportable(actor, entity.key):
        field = known.get(name) or _field_at(entity, name)
        if field.kind.name in {"lines", "image", "json"} or name in {"id", "uid", "version"}:
            continue
        found.append(_Shown(name, field, may_edit and name in known and field.importable))
    return found


def _field_at(entity: Entity, path: str) -> BoundField:
    """Field at the end of a path such as ``account.city``."""
    first, _, rest = path.partition(".")
    if first not in entity.fields or not rest:
        raise UserError(N_("{entity} has no field “{field}”."), entity=tr(entity.label), field=path)
    target = registry.get(entity.fields[first].target)
    return target.fields[rest] if rest in target.fields else _field_at(target, rest)


def _sheet_name(text: str) -> str:
    return "".join(c for c in text if c not in "[]:*?/\\'")[:_SHEET_NAME] or "Data"


def _formats(book: Any) -> dict[str, Format]:  # noqa: ANN401  the library carries no types
    top = {"valign": "top"}
    return {
        "head": book.add_format(
            {"bold": True, "bg_color": "#E8EEF7", "bottom": 1, "valign": "vcenter"}
        ),
        "locked_head": book.add_format(
            {"bold": True, "bg_color": "#EDEDED", "font_color": "#666666", "bottom": 1}
        ),
        "identity": book.add_format({"font_color": "#888888"}),
        "text": book.add_format({**top, "num_format": "@"}),
        "multiline": book.add_format({**top, "num_format": "@", "text_wrap": False}),
        "date": book.add_format({**top, "num_format": "yyyy-mm-dd"}),
        "datetime": book.add_format({**top, "num_format": "yyyy-mm-dd hh:mm"}),
        "money": book.add_format({**top, "num_format": "#,##0.00####"}),
        "quantity": book.add_format({**top, "num_format": "#,##0.######"}),
        "percent": book.add_format({**top, "num_format": "0.######"}),
        "integer": book.add_format({**top, "num_format": "0"}),
    }


def _write_head(sheet: _Sheet, columns: Sequence[_Shown]) -> None:
    page = sheet.sheet
    labels = [*("" for _ in layout.HIDDEN_COLUMNS), *(_label(c, columns) for c in columns)]
    for index, name in enumerate([*layout.HIDDEN_COLUMNS, *(c.name for c in columns)]):
        page.write_string(layout.NAMES_ROW, index, name)
    page.set_row(layout.NAMES_ROW, None, None, {"hidden": True})
    for index, text in enumerate(labels):
        editable = index < len(layout.HIDDEN_COLUMNS) or _column_at(columns, index).editable
        style = sheet.formats["head" if editable else "locked_head"]
        page.write_string(layout.HEADER_ROW, index, text, style)
    page.set_row(layout.HEADER_ROW, 22)
    page.set_column(0, len(layout.HIDDEN_COLUMNS) - 1, None, None, {"hidden": True})
    for index, column in enumerate(columns, start=len(layout.HIDDEN_COLUMNS)):
        width = min(60, max(10, column.field.width / _PIXELS_PER_CHARACTER, len(labels[index]) + 4))
        style = _format_of(sheet, column)
        page.set_column(index, index, width, style)
        page.write_blank(layout.FIRST_DATA_ROW, index, None, style)
    for index in range(len(layout.HIDDEN_COLUMNS)):
        page.write_blank(layout.FIRST_DATA_ROW, index, None, sheet.formats["identity"])


def _label(column: _Shown, columns: Sequence[_Shown]) -> str:
    label = tr(column.field.label)
    same = sum(tr(other.field.label) == label for other in columns)
    return f"{label} ({column.name})" if same > 1 else label


def _column_at(columns: Sequence[_Shown], index: int) -> _Shown:
    return columns[index - len(layout.HIDDEN_COLUMNS)]


def _format_of(sheet: _Sheet, column: _Shown) -> Format:
    return sheet.formats.get(column.field.kind.name, sheet.formats["text"])


def _rows(
    actor: Actor,
    wanted: RecordQuery,
    columns: Sequence[_Shown],
    keys: Sequence[int],
    *,
    progress: Progress | None,
    cancel: Cancel | None,
) -> Iterator[list[Cell]]:
    full = replace(wanted, columns=("uid", *wanted.columns))
    show = [cells.shower(column.field, actor.formats) for column in columns]
    for start in range(0, len(keys), _CHUNK):
        for row in query.rows(actor, full, list(keys[start : start + _CHUNK]), cancel):
            if row.deleted:
                continue
            uid, *values = row.values
            shown = [function(value) for function, value in zip(show, values, strict=True)]
            yield [str(uid), row.version, _base(shown), *shown]
        if cancel is not None:
            cancel.check()
        if progress is not None:
            progress(min(start + _CHUNK, len(keys)), len(keys))


def _base(shown: Sequence[Cell]) -> str:
    texts = [cells.read_back(value) for value in shown]
    packed = json.dumps([layout.base_text(text) for text in texts], separators=(",", ":"))
    if len(packed) <= _LONGEST_CELL:
        return packed
    return json.dumps([layout.base_text(text, 20) for text in texts], separators=(",", ":"))


def _finish(sheet: _Sheet, columns: Sequence[_Shown], rows: int) -> None:
    page = sheet.sheet
    hidden = len(layout.HIDDEN_COLUMNS)
    last = hidden + len(columns) - 1
    page.freeze_panes(layout.FIRST_DATA_ROW, hidden + 1)
    page.autofilter(layout.HEADER_ROW, 0, layout.HEADER_ROW + max(1, rows), last)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(layout.HEADER_ROW)
    # Nothing can be typed into the identity columns, yet sorting and inserting rows still work,
    # which sheet protection would forbid.
    page.data_validation(
        layout.FIRST_DATA_ROW,
        0,
        layout.FIRST_DATA_ROW + rows + _SPARE_ROWS,
        hidden - 1,
        {
            "validate": "custom",
            "value": "=FALSE",
            "error_title": tr("Identity of the record")[:32],
            "error_message": tr("This column ties the row to its record and cannot be changed."),
        },
    )


def _write_lists(sheet: _Sheet, actor: Actor, columns: Sequence[_Shown], rows: int) -> None:
    """Offer choices and small lookups as lists, kept on a hidden sheet."""
    lists: list[tuple[int, str, list[str], bool]] = []
    for index, column in enumerate(columns, start=len(layout.HIDDEN_COLUMNS)):
        offered = _offered(actor, column) if column.editable else []
        if offered:
            lists.append((index, column.name, offered, not column.field.target))
    if not lists:
        return
    page = sheet.book.add_worksheet(layout.LISTS_SHEET)
    page.very_hidden()
    for position, (_, name, _, _) in enumerate(lists):
        page.write_string(0, position, name)
    for line in range(max(len(offered) for _, _, offered, _ in lists)):
        for position, (_, _, offered, _) in enumerate(lists):
            if line < len(offered):
                page.write_string(line + 1, position, offered[line])
    for position, (index, _, offered, strict) in enumerate(lists):
        letter = xlsxwriter.utility.xl_col_to_name(position)
        sheet.sheet.data_validation(
            layout.FIRST_DATA_ROW,
            index,
            layout.FIRST_DATA_ROW + rows + _SPARE_ROWS,
            index,
            {
                "validate": "list",
                "source": f"={layout.LISTS_SHEET}!${letter}$2:${letter}${len(offered) + 1}",
                "error_type": "stop" if strict else "warning",
                "error_title": tr("Not in the list")[:32],
                "error_message": tr("Choose a value of the list, or write <clear> to empty it."),
            },
        )


def _offered(actor: Actor, column: _Shown) -> list[str]:
    field = column.field
    if field.choices:
        return [translate(actor.language, label) for _, label in field.offered]
    if field.kind.name == "boolean":
        return [translate(actor.language, N_("Yes")), translate(actor.language, N_("No"))]
    if not field.target or not actor.can(field.target, "read"):
        return []
    target = registry.get(field.target)
    if "title_key" not in target.fields:
        return []
    titles = query.first_page(actor, RecordQuery(target.key, (target.title,)), _LIST_LIMIT + 1)
    if len(titles) > _LIST_LIMIT:
        return []
    return [text for text in _texts(titles) if text]


def _texts(rows: Sequence[query.Row]) -> Iterator[str]:
    for row in rows:
        value = row.values[0]
        if value is not None:
            yield neutralise(str(value))


def _write_meta(book: Any, actor: Actor, wanted: RecordQuery, name: str, rows: int) -> None:  # noqa: ANN401  untyped library
    page = book.add_worksheet(layout.META_SHEET)
    page.very_hidden()
    now: datetime = clock.now()
    facts = {
        layout.META_FORMAT: layout.FORMAT_VERSION,
        layout.META_PRODUCT: __version__,
        layout.META_ENTITY: wanted.entity,
        layout.META_SHEET_NAME: name,
        layout.META_FILTER: filters.to_text(wanted.filter) if wanted.filter else "",
        layout.META_ROWS: str(rows),
        layout.META_EXPORTED_AT: now.isoformat(timespec="seconds"),
        layout.META_EXPORTED_BY: actor.name,
        layout.META_ZONE: str(actor.zone),
        layout.META_LANGUAGE: actor.language,
    }
    for line, (key, value) in enumerate(facts.items()):
        page.write_string(line, 0, key)
        page.write_string(line, 1, value)
