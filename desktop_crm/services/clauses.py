"""What a filter means in SQL, by the kind of its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold, storable
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models import OwnCompany
from desktop_crm.services import privacy, related
from desktop_crm.services.aliases import alias
from desktop_crm.services.columns import Paths, day_of_year
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.references import may_merge
from desktop_crm.services.filters import Node, Related, Rule, by_keys, normal, periods, refuse_huge
from desktop_crm.services.filters.fields import cannot_compare
from desktop_crm.services.filters.periods import Span
from desktop_crm.services.values import LARGEST_INTEGER, checked

Clause = ColumnElement[bool]

_ME: Final = {"me", "eu"}
_MY_TEAM: Final = {"my team", "echipa mea"}
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: or_(column != value, column.is_(None)),
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}
_SAME: Final = {"=", "!="}
_OPPOSITES: Final = {"not in": "in", "not contains": "contains", "not has": "has"}
_LEAP_YEAR: Final = 366
_HUNDRED: Final = 100


def clause(node: Node, paths: Paths) -> Clause:
    """Translate a filter tree; a tree without any condition holds for all.

    Raises:
        UserError: A value cannot be read as its field's kind, or a field or relation is unknown.
    """
    plain = normal(node)
    if not paths.depth:
        refuse_huge(plain)
    return true() if plain is None else _clause(plain, paths)


def _clause(node: Node, paths: Paths) -> Clause:
    if isinstance(node, Rule):
        return _rule(node, paths)
    if isinstance(node, Related):
        return related.clause(node, paths, clause)
    members = [_clause(member, paths) for member in node.members]
    if node.mode == "any":
        return _either(members)
    if node.mode == "not":
        return _both([_never(member) for member in members])
    return _both(members)


def _either(members: Sequence[Clause]) -> Clause:
    return or_(false(), *_parted(or_, members))


def _both(members: Sequence[Clause]) -> Clause:
    return and_(true(), *_parted(and_, members))


def _parted(join: Callable[..., Clause], members: Sequence[Clause]) -> Sequence[Clause]:
    """Members in brackets by the hundred: SQLite nests every further one a level deeper."""
    if len(members) <= _HUNDRED:
        return members
    parts = (members[start : start + _HUNDRED] for start in range(0, len(members), _HUNDRED))
    # Without a type of their own the brackets would be left out.
    return [type_coerce(join(*part).self_group(), Boolean) for part in parts]


def _never(condition: Clause) -> Clause:
    # A condition on an empty value is unknown in SQL; to a person it simply does not hold.
    return not_(func.coalesce(condition, false()))


def _rule(rule: Rule, paths: Paths) -> Clause:
    known = paths.known(rule.field)
    if known is None:
        return _asked(rule, paths)
    # What others keep private is empty. Asked beside the condition, indexes serve the condition.
    with paths.bare():
        found = _asked(rule, paths)
    blank = rule.value in (None, "")
    holds = {"empty"} | _OPPOSITES.keys() | ({"="} if blank else {"!="})
    return or_(_never(known), found) if rule.operator in holds else and_(known, found)


def _asked(rule: Rule, paths: Paths) -> Clause:
    field, table = paths.field(rule.field)
    if rule.operator not in field.kind.operators:
        raise cannot_compare(field, rule.operator)
    if field.kind is kinds.LINES:
        return _lines(rule, field, table)
    column = paths.column(rule.field)
    if rule.operator == "empty":
        return _empty(column, field)
    if rule.operator == "not empty":
        return not_(_empty(column, field))
    if rule.operator in _OPPOSITES:
        return _never(_asked(Rule(rule.field, _OPPOSITES[rule.operator], rule.value), paths))
    if rule.operator == "in":
        return _in(rule, field, paths)
    if rule.operator == "between":
        return _between(rule, field, paths)
    blank = rule.value in (None, "") and field.kind is not kinds.BOOLEAN
    if blank and rule.operator in {"=", "!="}:
        empty = _empty(column, field)
        return empty if rule.operator == "=" else not_(empty)
    if isinstance(rule.value, tuple):
        raise UserError(N_("{field} takes one value here."), field=tr(field.label))
    return _compare(rule, rule.operator, rule.value, field, paths)


def _in(rule: Rule, field: BoundField, paths: Paths) -> Clause:
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    if by_keys(values) and (field.kind is kinds.LINK or field.name == "id"):
        return _among(
            paths.column(rule.field), values, _pointed_at(field, rule.field, paths), paths
        )
    return _either([_compare(rule, "=", value, field, paths) for value in values])


def _among(column: ColumnElement[Any], keys: Sequence[Any], entity: Entity, paths: Paths) -> Clause:
    """Whether a key is one of some, however many: they are one value of the statement."""
    fitting = [key for key in keys if abs(key) <= LARGEST_INTEGER]
    merges = may_merge(entity)
    target = alias(entity.table, "kept")
    if paths.actor.db.dialect != "sqlite":
        given: ColumnElement[Any] = literal(fitting, ARRAY(Integer))
        if not merges:
            return column == func.any(given)
        kept = select(func.coalesce(target.c.merged_into, target.c.id))
        return column == func.any(
            func.array(kept.where(target.c.id == func.any(given)).scalar_subquery())
        )
    listed = func.json_each(literal(str(fitting), String)).table_valued("value")
    if not merges:
        return column.in_(select(listed.c.value))
    both = listed.join(target, target.c.id == listed.c.value)
    return column.in_(select(func.coalesce(target.c.merged_into, target.c.id)).select_from(both))


def _pointed_at(field: BoundField, path: str, paths: Paths) -> Entity:
    """Entity whose keys a field holds."""
    return registry.get(field.target) if field.target else paths.entity_of(path)


def kept_key(entity: Entity, key: ColumnElement[int]) -> ColumnElement[int]:
    """The key of the record that another became by a merge, else the key itself (R52).

    The database looks it up once, before the first row.
    """
    if not may_merge(entity):
        return key
    target = alias(entity.table, "kept")
    became = select(target.c.merged_into).where(target.c.id == key)
    return func.coalesce(became.scalar_subquery(), key)


def _between(rule: Rule, field: BoundField, paths: Paths) -> Clause:
    if not isinstance(rule.value, tuple) or len(rule.value) != 2:
        raise UserError(N_("{field} takes two values here."), field=tr(field.label))
    least, most = rule.value
    return and_(_compare(rule, ">=", least, field, paths), _compare(rule, "<=", most, field, paths))


def _empty(column: ColumnElement[Any], field: BoundField) -> Clause:
    if field.kind.operators is kinds.TEXT_OPERATORS and field.kind is not kinds.LINK:
        return or_(column.is_(None), column == "")
    return column.is_(None)


def _lines(rule: Rule, field: BoundField, table: FromClause) -> Clause:
    assert field.lines is not None  # noqa: S101  a field of kind lines has them
    child = alias(registry.get(field.lines.entity).table)
    found = exists().where(child.c[field.lines.via] == table.c.id, child.c.deleted_at.is_(None))
    return not_(found) if rule.operator == "empty" else found


def _compare(
    rule: Rule, operator: str, value: str | int | None, field: BoundField, paths: Paths
) -> Clause:
    column = paths.column(rule.field)
    if field.kind is kinds.LINK:
        return _link(rule, operator, value, paths)
    if field.kind is kinds.DATETIME:
        return _moment(column, operator, str(value), paths.actor)
    if field.kind is kinds.DATE:
        span = days(str(value), paths.actor)
        if operator == "recurs":
            return _recurs(column, span, paths)
        return _within(column, operator, span.first, span.after)
    if field.kind is kinds.TAGS:
        return _tags(column, operator, storable(str(value)), paths)
    if field.kind.operators is kinds.TEXT_OPERATORS:
        return _text(rule, operator, storable(str(value)), field, paths)
    typed = _typed(value, field, paths.actor.formats)
    if field.name == "id" and operator in _SAME:
        typed = kept_key(paths.entity_of(rule.field), literal(typed, Integer))
    return _ordered(operator, column, typed)


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
    if operator == "ends":
        return column.endswith(value, autoescape=True)
    return _ordered(operator, column, value)


def _link(rule: Rule, operator: str, value: str | int | None, paths: Paths) -> Clause:
    column = paths.column(rule.field)
    if isinstance(value, int) and operator in _COMPARE:
        if abs(value) > LARGEST_INTEGER:  # no key is that large
            return column.is_not(None) if operator == "!=" else false()
        if operator in _SAME:
            pointed_at = _pointed_at(paths.field(rule.field)[0], rule.field, paths)
            return _ordered(operator, column, kept_key(pointed_at, literal(value, Integer)))
        return _ordered(operator, column, value)
    entity, target = paths.link_target(rule.field)
    typed = storable(str(value))
    if entity.key == "user" and operator in {"=", "!="}:
        if fold(typed) in _ME:
            return _ordered(operator, column, paths.actor.user_id)
        if fold(typed) in _MY_TEAM:
            mates = column.in_(sorted(paths.actor.team_ids))
            return mates if operator == "=" else _never(mates)
    if "title_key" in entity.fields:
        key = privacy.masked(paths.actor, entity, target, "title_key")
        return _match(operator, key, fold(typed)[:200])
    title = paths.title(rule.field)
    return _match(operator, _lower(cast(title, String), typed, paths), typed.lower())


def days(text: str, actor: Actor) -> Span:
    """Read a day, or a time said relative to today such as ``this quarter``.

    One statement where the fiscal year counts, else none.

    Raises:
        UserError: It is neither, or lies outside the calendar.
    """
    formats = actor.formats
    span = periods.read(text, clock.today(formats.zone), lambda: _fiscal_start(actor))
    if span is not None:
        return span
    day = formats.parse_date(text)
    try:
        return periods.one_day(day)
    except OverflowError:
        raise periods.out_of_calendar(text) from None


def _fiscal_start(actor: Actor) -> int:
    """First month of the fiscal year of the own company; January while there is none."""
    table = OwnCompany.__table__
    wanted = select(table.c.fiscal_year_start).where(table.c.deleted_at.is_(None))
    with actor.db.reading() as connection:
        month = connection.execute(wanted.order_by(table.c.id).limit(1)).scalar()
    return month if month is not None and 1 <= month <= 12 else 1


def _moment(column: ColumnElement[Any], operator: str, text: str, actor: Actor) -> Clause:
    """Compare a moment with a moment, or with whole days of the person's zone."""
    formats = actor.formats
    if ":" in text:
        return _ordered(operator, column, formats.parse_datetime(text))
    span = days(text, actor)
    try:
        start = None if span.first is None else _midnight(span.first, formats)
        end = None if span.after is None else _midnight(span.after, formats)
    except OverflowError:
        raise periods.out_of_calendar(text) from None
    return _within(column, operator, start, end)


def _within(
    column: ColumnElement[Any], operator: str, start: object | None, end: object | None
) -> Clause:
    """Compare with everything from a start up to, but without, an end; None is open."""
    before = false() if start is None else column < start
    behind = false() if end is None else column >= end
    if operator == "<":
        return before
    if operator == ">":
        return behind
    if operator == "<=":
        return column.is_not(None) if end is None else column < end
    if operator == ">=":
        return column.is_not(None) if start is None else column >= start
    if operator == "!=":
        return or_(before, behind, column.is_(None))
    inside = [column >= start] if start is not None else []
    return and_(*inside, *([column < end] if end is not None else []))


def _recurs(column: ColumnElement[Any], span: Span, paths: Paths) -> Clause:
    """Whether the day of a year lies in a span, also across the end of the year."""
    first, after = span.first, span.after
    if first is None or after is None or (after - first).days > _LEAP_YEAR:
        return column.is_not(None)
    day = day_of_year(column, paths.actor.db.dialect)
    start, end = (f"{d:%m-%d}" for d in (first, after - timedelta(1)))
    if start <= end:
        return and_(day >= start, day <= end)
    return or_(day >= start, day <= end)


def _midnight(day: date, formats: Formats) -> datetime:
    return datetime.combine(day, time(0), formats.zone).astimezone(UTC)
