"""What a filter rule means in SQL, by the kind of its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    not_,
    or_,
    true,
)

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold, storable
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.columns import Paths
from desktop_crm.services.filters import Node, Rule
from desktop_crm.services.values import LARGEST_INTEGER, checked

Clause = ColumnElement[bool]

_DAY: Final = re.compile(r"^(today|yesterday|tomorrow)\s*(?:([+-])\s*(\d+))?$", re.IGNORECASE)
_OFFSETS: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: or_(column != value, column.is_(None)),
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def clause(node: Node, paths: Paths) -> Clause:
    """Translate a filter tree.

    Raises:
        UserError: A value cannot be read as its field's kind, or a field is unknown.
    """
    if isinstance(node, Rule):
        return _rule(node, paths)
    members = [clause(member, paths) for member in node.members]
    if node.mode == "any":
        return or_(false(), *members)
    if node.mode == "not":
        # A condition on an empty value is unknown in SQL; to a person it simply does not hold.
        return and_(true(), *(not_(func.coalesce(member, false())) for member in members))
    return and_(true(), *members)


def _rule(rule: Rule, paths: Paths) -> Clause:
    field, table = paths.field(rule.field)
    if rule.operator not in field.kind.operators:
        raise UserError(
            N_("{field} cannot be compared with “{operator}”. Possible: {operators}."),
            field=tr(field.label),
            operator=rule.operator,
            operators=", ".join(field.kind.operators),
        )
    if field.kind is kinds.LINES:
        return _lines(rule, field, table)
    column = paths.column(rule.field)
    if rule.operator == "empty":
        return _empty(column, field)
    if rule.operator == "not empty":
        return not_(_empty(column, field))
    blank = rule.value in (None, "") and field.kind is not kinds.BOOLEAN
    if blank and rule.operator in {"=", "!="}:
        empty = _empty(column, field)
        return empty if rule.operator == "=" else not_(empty)
    if rule.operator == "in":
        values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        return or_(false(), *(_compare(rule, "=", value, field, paths) for value in values))
    if isinstance(rule.value, tuple):
        raise UserError(N_("{field} takes one value here."), field=tr(field.label))
    return _compare(rule, rule.operator, rule.value, field, paths)


def _empty(column: ColumnElement[Any], field: BoundField) -> Clause:
    if field.kind.operators is kinds.TEXT_OPERATORS and field.kind is not kinds.LINK:
        return or_(column.is_(None), column == "")
    return column.is_(None)


def _lines(rule: Rule, field: BoundField, table: FromClause) -> Clause:
    assert field.lines is not None  # noqa: S101  a field of kind lines has them
    child = registry.get(field.lines.entity).table.alias()
    found = exists().where(child.c[field.lines.via] == table.c.id, child.c.deleted_at.is_(None))
    return not_(found) if rule.operator == "empty" else found


def _compare(
    rule: Rule, operator: str, value: str | int | None, field: BoundField, paths: Paths
) -> Clause:
    column = paths.column(rule.field)
    if field.kind is kinds.LINK:
        return _link(rule, operator, value, paths)
    if field.kind is kinds.DATETIME:
        return _moment(column, operator, str(value), paths.actor.formats)
    if field.kind is kinds.DATE:
        return _ordered(operator, column, _day(str(value), paths.actor.formats))
    if field.kind is kinds.TAGS:
        return _tags(column, operator, storable(str(value)), paths)
    if field.kind.operators is kinds.TEXT_OPERATORS:
        return _text(rule, operator, storable(str(value)), field, paths)
    return _ordered(operator, column, _typed(value, field, paths.actor.formats))


def _typed(value: str | int | None, field: BoundField, formats: Formats) -> object:
    """Read a value to compare with; an empty one compares with nothing."""
    parsed = checked(field, value, formats)
    if parsed is None:
        raise UserError(N_("{field} needs a value to compare with."), field=tr(field.label))
    return parsed


def _ordered(operator: str, column: ColumnElement[Any], value: object) -> Clause:
    found: Clause = _COMPARE[operator](column, value)
    return found


def _text(rule: Rule, operator: str, value: str, field: BoundField, paths: Paths) -> Clause:
    column = paths.column(rule.field)
    key = paths.sort_key(rule.field)
    if key is not column:  # the title: compared folded, as lists sort it
        return _match(operator, key, fold(value)[:200])
    if field.kind is kinds.EMAIL and operator in {"=", "!="}:
        return _ordered(operator, column, value.strip().lower())
    if field.name in {"uid", "external_id"} and operator == "=":
        return _ordered("=", column, value)
    return _match(operator, _lower(column, value, paths), value.lower())


def _tags(column: ColumnElement[Any], operator: str, value: str, paths: Paths) -> Clause:
    wanted = f"|{value.strip()}|" if operator == "has" else value
    return _lower(column, wanted, paths).contains(wanted.lower(), autoescape=True)


def _lower(column: ColumnElement[Any], value: str, paths: Paths) -> ColumnElement[Any]:
    """Lower case in SQL; SQLite's own function knows only the letters A to Z."""
    plain = paths.actor.db.dialect != "sqlite" or value.isascii()
    return func.lower(column) if plain else func.unicode_lower(column)


def _match(operator: str, column: ColumnElement[Any], value: str) -> Clause:
    if operator == "contains":
        return column.contains(value, autoescape=True)
    if operator == "starts":
        return column.startswith(value, autoescape=True)
    return _ordered(operator, column, value)


def _link(rule: Rule, operator: str, value: str | int | None, paths: Paths) -> Clause:
    column = paths.column(rule.field)
    if isinstance(value, int) and operator in _COMPARE:
        if abs(value) > LARGEST_INTEGER:  # no key is that large
            return column.is_not(None) if operator == "!=" else false()
        return _ordered(operator, column, value)
    entity, target = paths.link_target(rule.field)
    typed = storable(str(value))
    if entity.key == "user" and fold(typed) in {"me", "eu"}:
        return _ordered(operator, column, paths.actor.user_id)
    if "title_key" in entity.fields:
        return _match(operator, target.c.title_key, fold(typed)[:200])
    title = paths.title(rule.field)
    return _match(operator, _lower(cast(title, String), typed, paths), typed.lower())


def _day(text: str, formats: Formats) -> date:
    match = _DAY.match(text.strip())
    if match is None:
        return formats.parse_date(text)
    offset = int(match[3] or 0) * (-1 if match[2] == "-" else 1)
    try:
        return clock.today(formats.zone) + timedelta(days=_OFFSETS[match[1].lower()] + offset)
    except OverflowError:
        raise _out_of_calendar(text) from None


def _out_of_calendar(text: str) -> UserError:
    return UserError(N_("“{text}” lies outside the calendar."), text=text)


def _moment(column: ColumnElement[Any], operator: str, text: str, formats: Formats) -> Clause:
    """Compare a moment with a moment, or with a whole day of the person's zone."""
    if ":" in text:
        return _ordered(operator, column, formats.parse_datetime(text))
    day = _day(text, formats)
    try:
        start = _midnight(day, formats)
        end = _midnight(day + timedelta(days=1), formats)
    except OverflowError:
        raise _out_of_calendar(text) from None
    inside = and_(column >= start, column < end)
    whole_days: dict[str, Clause] = {
        "=": inside,
        "!=": or_(not_(inside), column.is_(None)),
        "<": column < start,
        "<=": column < end,
        ">": column >= end,
        ">=": column >= start,
    }
    return whole_days[operator]


def _midnight(day: date, formats: Formats) -> datetime:
    return datetime.combine(day, time(0), formats.zone).astimezone(UTC)
