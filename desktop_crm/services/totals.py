"""Totals of a list and of its groups: exact, over everything the filter leaves, rights included."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, overload

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.types import ExactNumber
from desktop_crm.services import grouping, privacy
from desktop_crm.services.columns import Paths, currency_path
from desktop_crm.services.context import Actor
from desktop_crm.services.list_layout import Summary, summaries
from desktop_crm.services.list_plan import Plan
from desktop_crm.services.list_words import Words
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import prepared
from desktop_crm.services.record_query import RecordQuery

MOST_GROUPS: Final = 200_000
"""More groups than anybody can use; each costs memory beside its records."""
_LIMB: Final = 10**9
"""SQLite adds 64-bit integers; in two limbs no sum of a table overflows."""
_CENT: Final = Decimal("0.01")

Amounts = tuple[tuple[str, Any], ...]


class TooManyGroups(UserError):
    """A list was to be grouped by what is nearly different in each record."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the totals row says.

    Attributes:
        count: Number of records.
        of: By path: currency and value. Money has one pair for each currency that occurs and is
            never added across them; everything else has one pair without a currency. A field that
            is empty everywhere has none.
    """

    count: int
    of: Mapping[str, Amounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupTotals:
    """One group of a list.

    Attributes:
        value: Stored value the records share: a code, a key, ``2026-11``; None where it is empty.
        label: Title of the linked record; None for fields that do not link.
        totals: Its records.
    """

    value: Any
    label: Any
    totals: Totals


class Groups(Sequence[GroupTotals]):
    """Groups in the order of a list.

    There may be a hundred thousand, of which a screen shows thirty: they stay the rows that the
    database gave, and a group is added up each time it is asked for.

    Args:
        rows: Each begins with a group's value and label; the rows of a group stand together.
        parts: Where the totals stand in a row.
        count_at: Where the number of records stands.

    Attributes:
        counts: Number of records of each group.
    """

    __slots__ = ("_count_at", "_parts", "_rows", "_starts", "counts")

    def __init__(
        self,
        rows: Sequence[tuple[Any, ...]],
        parts: Sequence[_Part] = (),
        count_at: int = 2,
    ) -> None:
        self._rows, self._parts, self._count_at = rows, parts, count_at
        self._starts, self.counts = array("q"), array("q")
        before: tuple[Any, ...] = ()
        for place, row in enumerate(rows):
            # A group's several currencies, and links out of reach, are rows of their own.
            if not before or row[0] != before[0]:
                self._starts.append(place)
                self.counts.append(0)
            self.counts[-1] += row[count_at]
            before = row
        self._starts.append(len(rows))

    def value(self, group: int) -> Any:  # noqa: ANN401  a driver's value
        """Stored value that the records of a group share."""
        return self._rows[self._starts[group]][0]

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, group: int) -> GroupTotals: ...

    @overload
    def __getitem__(self, group: slice) -> list[GroupTotals]: ...

    def __getitem__(self, group: int | slice) -> GroupTotals | list[GroupTotals]:
        if isinstance(group, slice):
            return [self[one] for one in range(*group.indices(len(self)))]
        group = range(len(self))[group]
        rows = self._rows[self._starts[group] : self._starts[group + 1]]
        value, label = rows[-1][:2]
        return GroupTotals(value, label, _added(rows, self._parts, self._count_at))


@dataclass(frozen=True, slots=True)
class Grouped:
    """Groups in the order of the list, and the totals of all of them."""

    groups: Groups
    totals: Totals


def totals(
    actor: Actor, query: RecordQuery, wanted: Mapping[str, Summary], cancel: Cancel | None = None
) -> Totals:
    """Totals of all records of a list; one statement that reads every match once.

    Args:
        actor: Who looks.
        query: Filter and words of the list; columns, order and grouping do not matter.
        wanted: What is asked, by field path.
        cancel: Stops the reading.

    Raises:
        UserError: A path is unknown, or its field has no such total.
    """
    return _read(actor, _bare(query, group=""), wanted, cancel).totals


def groups(
    actor: Actor, query: RecordQuery, wanted: Mapping[str, Summary], cancel: Cancel | None = None
) -> Grouped:
    """Groups of a list in its order, each with its totals, and those of all; one statement.

    The key snapshot of the same query has the records in the order of these groups.

    Raises:
        UserError: As :func:`totals`; the field has too many different values to group by.
    """
    return _read(actor, _bare(query, group=query.group), wanted, cancel)


def _bare(query: RecordQuery, *, group: str) -> RecordQuery:
    order = tuple(o for o in query.order if group and o.field == grouping.parts(group)[0])
    return RecordQuery(
        query.entity, (), query.filter, order, query.search, query.deleted, group, query.starts
    )


def _read(
    actor: Actor, query: RecordQuery, wanted: Mapping[str, Summary], cancel: Cancel | None
) -> Grouped:
    asked = tuple(sorted(wanted.items()))
    statement = prepared(
        actor, query, f"totals {asked}", lambda plan: _statement(plan, asked), whole=True
    )
    rows = statement.tuples(actor.db, cancel, **Words.of(actor, query).late(query))
    if len(rows) > MOST_GROUPS:
        raise TooManyGroups(
            N_(
                "There are more than {number} groups. The list is not grouped; choose a field "
                "with fewer different values."
            ),
            number=actor.formats.number(MOST_GROUPS, 0),
        )
    parts = _parts(actor, query, asked)
    currencies = {part.currency_at for part in parts if part.currency_at >= 0}
    count_at = (2 if query.group else 0) + len(currencies)
    groups = Groups(rows if query.group else (), parts, count_at)
    return Grouped(groups, _added(rows, parts, count_at))


# --- the statement ------------------------------------------------------------------------------


def _statement(plan: Plan, asked: tuple[tuple[str, Summary], ...]) -> Select[Any]:
    """One row for each group and each combination of the currencies in it."""
    paths = plan.paths
    group = plan.query.group
    value = grouping.value(paths, group) if group else literal(None)
    currencies = _currencies(plan, asked)
    shared = [value.label("g")] if group else []
    shared += [paths.column(path).label(f"m{n}") for n, path in enumerate(currencies)]
    pieces = [piece for path, summary in asked for piece in _pieces(paths, path, summary)]
    inner: Select[Any] = select(
        *shared, func.count().label("n"), *(p.label(f"p{n}") for n, p in enumerate(pieces))
    )
    inner = plan.filtered(inner.select_from(paths.source))
    inner = inner.group_by(*(literal_column(column.name) for column in shared))
    return _named(plan, inner.limit(MOST_GROUPS + 1).subquery("q"), currencies)


def _named(plan: Plan, sub: FromClause, currencies: list[str]) -> Select[Any]:
    """The groups with the titles of what they link to, in the order of the list.

    Few rows are left here, so that titles cost nothing beside the adding up.
    """
    source: FromClause = sub
    shown: list[ColumnElement[Any]] = []
    ways: list[ColumnElement[Any]] = []
    if plan.query.group:
        path, _ = grouping.parts(plan.query.group)
        bound, _ = plan.paths.field(path)
        if bound.kind is kinds.LINK:
            target, linked, source = _linked(plan, source, path, sub.c.g, "t")
            shown = [linked.c.id, _title(plan.actor, target, linked)]
            ways = grouping.order_of_target(plan.actor, target, linked)
        else:
            shown = [sub.c.g, literal(None)]
            ways = grouping.order_of_value(bound, sub.c.g)
        ways = plan.directed(ways)
    for n, path in enumerate(currencies):
        code: ColumnElement[Any] = sub.c[f"m{n}"]
        if plan.paths.field(path)[0].kind is kinds.LINK:
            target, linked, source = _linked(plan, source, path, code, f"t{n}")
            code = _title(plan.actor, target, linked)
        shown.append(code)
    rest = [column for column in sub.c if column.name == "n" or column.name.startswith("p")]
    return select(*shown, *rest).select_from(source).order_by(*ways)


def _linked(
    plan: Plan, source: FromClause, path: str, key: ColumnElement[Any], name: str
) -> tuple[Entity, FromClause, FromClause]:
    """What a link path leads to, joined by its key as far as the actor may see."""
    target, _table = plan.paths.link_target(path)
    linked = target.table.alias(name)
    condition = linked.c.id == key
    rights = row_clause(plan.actor, target, linked, "read")
    joined = source.outerjoin(linked, condition if rights is None else and_(condition, rights))
    return target, linked, joined


def _title(actor: Actor, target: Entity, linked: FromClause) -> ColumnElement[Any]:
    if target.fields[target.title].column is None:
        return linked.c.id
    return privacy.title(actor, target, linked)


def _currencies(plan: Plan, asked: tuple[tuple[str, Summary], ...]) -> list[str]:
    """Paths of the currencies that amounts must not be added across."""
    found = (currency_path(plan.entity, p) for p, s in asked if s is not Summary.COUNT)
    return [path for path in dict.fromkeys(found) if path]


def _pieces(paths: Paths, path: str, summary: Summary) -> list[ColumnElement[Any]]:
    bound, _ = paths.field(path)
    if summary not in summaries(bound):
        raise UserError(
            N_("This field cannot be totalled in this way. Choose another total."), field=path
        )
    if bound.kind is kinds.LINK:
        # A record out of reach is not counted, as it is not shown.
        return [func.count(paths.link_target(path)[1].c.id)]
    column = paths.column(path)
    if summary is Summary.COUNT:
        return [func.count(column)]
    if summary is Summary.SUM:
        return _sums(paths, column)
    if summary is Summary.AVERAGE:
        return [func.count(column), *_sums(paths, column)]
    return [func.min(column) if summary is Summary.LEAST else func.max(column)]


def _sums(paths: Paths, column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    if paths.actor.db.dialect != "sqlite" or not isinstance(column.type, ExactNumber):
        return [func.sum(column)]
    whole: ColumnElement[int] = type_coerce(column, BigInteger)
    return [func.sum(whole // _LIMB), func.sum(whole % _LIMB)]


# --- its rows -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """One total: where it begins in a row, its currency's place, the scale of a split sum."""

    path: str
    summary: Summary
    at: int
    currency_at: int
    scale: int

    def read(self, row: tuple[Any, ...]) -> Any:  # noqa: ANN401  a driver's value
        """Value of one row; for an average the number of values and their sum."""
        if self.summary is Summary.AVERAGE:
            return row[self.at], self._sum(row, self.at + 1)
        return self._sum(row, self.at) if self.summary is Summary.SUM else row[self.at]

    def _sum(self, row: tuple[Any, ...], at: int) -> Any:  # noqa: ANN401  a driver's value
        if self.scale < 0 or row[at] is None:
            return row[at]
        return Decimal(row[at] * _LIMB + row[at + 1]).scaleb(-self.scale)


def _parts(actor: Actor, query: RecordQuery, asked: tuple[tuple[str, Summary], ...]) -> list[_Part]:
    """Where each total stands in a row of the statement."""
    plan = Plan(actor, query, Words.of(actor, query))
    currencies = _currencies(plan, asked)
    first = 2 if query.group else 0
    place = first + len(currencies) + 1
    found: list[_Part] = []
    for path, summary in asked:
        type_ = plan.paths.column(path).type
        currency = currency_path(plan.entity, path) if summary is not Summary.COUNT else ""
        size = len(_pieces(plan.paths, path, summary))
        split = isinstance(type_, ExactNumber) and size > (2 if summary is Summary.AVERAGE else 1)
        scale = type_.scale if split and isinstance(type_, ExactNumber) else -1
        at = first + currencies.index(currency) if currency in currencies else -1
        found.append(_Part(path, summary, place, at, scale))
        place += size
    return found


def _added(rows: Iterable[tuple[Any, ...]], parts: Sequence[_Part], count_at: int) -> Totals:
    """Totals of some rows of the statement."""
    count = 0
    sums: dict[tuple[str, str], Any] = {}
    for row in rows:
        count += row[count_at]
        for part in parts:
            value = part.read(row)
            if value is None or (part.summary is Summary.AVERAGE and not value[0]):
                continue
            currency = str(row[part.currency_at] or "") if part.currency_at >= 0 else ""
            key = (part.path, currency)
            sums[key] = _both(part.summary, sums[key], value) if key in sums else value
    averages = {part.path for part in parts if part.summary is Summary.AVERAGE}
    found: dict[str, Amounts] = {}
    for (path, currency), value in sorted(sums.items(), key=lambda item: item[0]):
        shown = _mean(*value) if path in averages else value
        found[path] = (*found.get(path, ()), (currency, shown))
    return Totals(count, found)


def _both(summary: Summary, first: Any, second: Any) -> Any:  # noqa: ANN401  values of a column
    """Join the same total of two disjoint sets of records."""
    if summary is Summary.AVERAGE:
        return first[0] + second[0], first[1] + second[1]
    if summary is Summary.LEAST:
        return min(first, second)
    return max(first, second) if summary is Summary.GREATEST else first + second


def _mean(count: int, total: Decimal | int) -> Decimal:
    """Average, rounded half up to hundredths."""
    return (Decimal(total) / count).quantize(_CENT, ROUND_HALF_UP)
