"""By what the rows of a list are grouped: any field, dates by day, month or year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, String, and_, case, func, literal_column, or_

from desktop_crm.core import clock
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import privacy
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor

DAY: Final = "day"
MONTH: Final = "month"
YEAR: Final = "year"
STEPS: Final = (DAY, MONTH, YEAR)
_LENGTHS: Final = {DAY: 10, MONTH: 7, YEAR: 4}
_PATTERNS: Final = {DAY: "'YYYY-MM-DD'", MONTH: "'YYYY-MM'", YEAR: "'YYYY'"}
_DATES: Final = frozenset({kinds.DATE, kinds.DATETIME})
_NEVER: Final = frozenset({kinds.MULTILINE, kinds.TAGS, kinds.LINES, kinds.IMAGE, kinds.JSON})
_FIRST_YEAR: Final = 1970
_YEARS_AHEAD: Final = 25


def parts(group: str) -> tuple[str, str]:
    """Path and step of a grouping such as ``close_on@month``; the step is empty when not said."""
    path, _, step = group.partition("@")
    return path, step if step in STEPS else ""


def is_groupable(field: BoundField) -> bool:
    """Whether rows can be grouped by a field."""
    return field.column is not None and not field.hidden and field.kind not in _NEVER


def steps(field: BoundField) -> tuple[str, ...]:
    """Steps that a field's values can be grouped by; empty where each value is a group."""
    return STEPS if field.kind in _DATES else ()


def value(paths: Paths, group: str) -> ColumnElement[Any]:
    """Stored value that the rows of a group share: a key for links, ``2026-11`` for a month.

    Raises:
        UserError: Unknown field.
    """
    path, step = parts(group)
    field, _ = paths.field(path)
    column = paths.column(path) if field.kind is kinds.LINK else paths.shown(path)
    if field.kind is kinds.DATE:
        return _bucket(column, step or MONTH, paths.actor.db.dialect)
    if field.kind is kinds.DATETIME:
        dialect, zone = paths.actor.db.dialect, paths.actor.formats.zone
        return _bucket(_local(column, dialect, zone), step or MONTH, dialect)
    return column


def order(paths: Paths, group: str) -> list[ColumnElement[Any]]:
    """What puts the rows of a list in the order of their groups.

    Choices stand as they are declared, links by title; the last expression tells groups apart.
    """
    path, _ = parts(group)
    field, _ = paths.field(path)
    if field.kind is kinds.LINK:
        return order_of_target(paths.actor, *paths.link_target(path))
    return order_of_value(field, value(paths, group))


def order_of_value(field: BoundField, column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Order of groups by their value."""
    if field.options:
        places = {code: place for place, (code, _label) in enumerate(field.choices)}
        return [case(places, value=column, else_=len(places)), column]
    return [column]


def order_of_target(actor: Actor, entity: Entity, table: FromClause) -> list[ColumnElement[Any]]:
    """Order of groups by the records their rows link to: by position where they have one."""
    field = entity.fields.get(entity.order)
    if field is not None and field.column is not None and entity.order != entity.title:
        return [table.c[field.column.name], table.c.id]
    if "title_key" not in entity.fields:
        return [table.c.id, table.c.id]
    return [privacy.masked(actor, entity, table, "title_key"), table.c.id]


def _bucket(moment: ColumnElement[Any], step: str, dialect: str) -> ColumnElement[str]:
    """Day, month or year of a local moment as text that sorts."""
    if dialect == "sqlite":
        return func.substr(moment, 1, _LENGTHS[step], type_=String())
    return func.to_char(moment, literal_column(_PATTERNS[step]), type_=String())


def _local(column: ColumnElement[Any], dialect: str, zone: ZoneInfo) -> ColumnElement[Any]:
    """A moment on the person's clock; SQLite knows no zones and is told every offset."""
    if dialect != "sqlite":
        name = zone.key.replace("'", "")
        return func.timezone(literal_column(f"'{name}'"), column)
    spans = _spans(zone, clock.now().year)
    ways: dict[int, list[ColumnElement[bool]]] = {}
    for start, end, offset in spans:
        inside = and_(column >= start, column < end)
        ways.setdefault(offset, []).append(inside)
    shifts = [(or_(*inside), f"{offset:+d} seconds") for offset, inside in ways.items()]
    usual = f"{spans[0][2]:+d} seconds" if spans else "+0 seconds"
    return func.datetime(column, case(*shifts, else_=usual) if shifts else usual)


@lru_cache(maxsize=8)
def _spans(zone: ZoneInfo, this_year: int) -> list[tuple[datetime, datetime, int]]:
    """Spans of one offset each, in seconds; those near this year first, they are asked most."""
    found: list[tuple[datetime, datetime, int]] = []
    begin = here = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    offset = _offset(here, zone)
    while here.year < this_year + _YEARS_AHEAD:
        ahead = here + timedelta(days=7)
        if (other := _offset(ahead, zone)) != offset:
            ahead = _change(here, ahead, zone)
            found.append((begin, ahead, offset))
            begin, offset = ahead, other
        here = ahead
    found.append((begin, datetime(9999, 1, 1, tzinfo=UTC), offset))
    return sorted(found, key=lambda span: abs(span[0].year - this_year))


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Moment between two at which the offset changes, to the second."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    shift = moment.astimezone(zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())
