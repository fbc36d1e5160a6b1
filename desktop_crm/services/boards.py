"""Records as cards in columns: one column for each value of a choice, or of a link with few.

A board shows what its list shows: filter, words and rights are those of the list's question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.types import MONEY_SCALE, ExactNumber
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services import board_fields, permissions, query, shipped_views, totals
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Rule, both
from desktop_crm.services.list_layout import Summary
from desktop_crm.services.permissions import knows
from desktop_crm.services.pipeline import Amounts, Rates
from desktop_crm.services.query import Order, RecordQuery

STEP: Final = 50
"""Cards of a column that are read at once."""
MOST: Final = 40
"""Columns that can be looked through at all."""
_ORDERS: Final[Mapping[str, tuple[Order, ...]]] = {
    # What closes first, or was closed last, at the top.
    "opportunity": (Order("closed_on", descending=True), Order("close_on")),
}

_REALLY: Final[Mapping[str, tuple[str, Rule]]] = {
    # What was won counts with what it was really sold for (R21).
    "opportunity": ("actual_revenue", Rule("state", "=", OpportunityState.WON.value)),
}

NO_AMOUNTS: Final = Amounts()

Key = str | int | None


@dataclass(frozen=True, slots=True)
class Card:
    """One record of a board.

    Attributes:
        id: Its key.
        version: Version read, for saving a move.
        title: What it is called.
        subtitle: What stands under it.
        amount: Amount of its column's sum, None without one.
        currency: Code of the amount's currency.
        due: Day that counts for it, None without one.
        late: Whether that day is past while the record is open.
        owner: Name of its owner.
        editable: Whether the actor may move it.
    """

    id: int
    version: int
    title: str
    subtitle: str = ""
    amount: Decimal | None = None
    currency: str = ""
    due: date | None = None
    late: bool = False
    owner: str = ""
    editable: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """One value with its records.

    Attributes:
        key: Stored value: a code, the key of a linked record, or None where none is set.
        title: The value in words, translated where it is declared.
        tone: Tone of the value.
        state: Code of the state of the linked record, e.g. ``won`` of a stage; else empty.
        count: Records in it.
        amount: Sum of their amounts.
        cards: The first of them.
    """

    key: Key
    title: str
    tone: str = "neutral"
    state: str = ""
    count: int = 0
    amount: Amounts = NO_AMOUNTS
    cards: tuple[Card, ...] = ()


def board(
    actor: Actor,
    asked: RecordQuery,
    name: str,
    limits: Mapping[Key, int] | None = None,
    cancel: Cancel | None = None,
) -> tuple[Column, ...]:
    """Columns of a board in declared order, each with its first cards.

    One statement for the counts and sums, one for each column with cards, one more for the values
    of a link, one for the exchange rates, and one for opportunities that were won.

    Args:
        actor: Who looks.
        asked: Filter, words and order of the list; its columns do not matter.
        name: Field whose values are the columns.
        limits: How many cards of a column, by its key; :data:`STEP` of each other.
        cancel: Stops the statements.

    Raises:
        UserError: There is no such field, or it has too many values.
    """
    entity = registry.get(asked.entity)
    field = entity.fields.get(name)
    if field is None or field not in board_fields.fields(actor, entity):
        raise UserError(
            N_(
                "{entity} has no field “{field}” with few values to make a board of. Choose "
                "another field."
            ),
            entity=tr(entity.label),
            field=name,
        )
    amount = amount_field(entity, actor)
    wanted = {amount.name: Summary.SUM} if amount is not None else {}
    counted = totals.groups(
        actor, replace(asked, columns=(), order=(), group=name), wanted, cancel
    ).groups
    rates = _rates(actor, cancel) if amount is not None else None
    really = _really(actor, asked, name, amount, cancel)
    sums = {
        group.value: (
            group.totals.count,
            _sum(rates, [*group.totals.of.get(amount.name, ()), *really.get(group.value, ())])
            if rates and amount
            else NO_AMOUNTS,
        )
        for group in counted
    }
    values = _values(actor, field, {g.value: str(g.label or "") for g in counted}, cancel)
    if len(values) > MOST:
        raise UserError(
            N_("{field} has {n} values; a board shows up to {most}. Choose another field."),
            field=tr(field.label),
            n=len(values),
            most=MOST,
        )
    if None in sums and (field.nullable or sums[None][0]):
        values.append(Column(None, tr("Not set")))
    cards = _Cards(actor, entity, name, amount)
    full: list[Column] = []
    for column in values:
        number, total = sums.get(column.key, (0, NO_AMOUNTS))
        limit = (limits or {}).get(column.key, STEP)
        shown = cards.read(asked, column.key, limit, cancel) if number else ()
        full.append(replace(column, count=number, amount=total, cards=shown))
    return tuple(full)


def _rates(actor: Actor, cancel: Cancel | None) -> Rates:
    with actor.db.reading(cancel) as connection:
        return Rates(connection)


def _sum(rates: Rates, amounts: Iterable[tuple[str, Decimal]]) -> Amounts:
    by_code = {code: key for key, code in rates.codes.items()}
    added: dict[str, Decimal] = {}
    for code, value in amounts:
        added[code] = added.get(code, Decimal(0)) + value
    return rates.sum((by_code.get(code), value) for code, value in added.items() if value)


def _real(actor: Actor, entity: Entity, amount: BoundField | None) -> tuple[str, Rule] | None:
    """Field that counts in place of the amount, and for which records."""
    really = _REALLY.get(entity.key)
    if really is None or amount is None or not knows(actor, entity.fields[really[0]]):
        return None
    return really


def _really(
    actor: Actor, asked: RecordQuery, name: str, amount: BoundField | None, cancel: Cancel | None
) -> dict[Any, list[tuple[str, Decimal]]]:
    """What the sum of each value differs by from that of the estimated amounts."""
    really = _real(actor, registry.get(asked.entity), amount)
    if really is None or amount is None:
        return {}
    real, when = really
    known = both(when, Rule(real, "not empty"))
    question = replace(asked, columns=(), order=(), group=name, filter=both(asked.filter, known))
    wanted = {amount.name: Summary.SUM, real: Summary.SUM}
    return {
        group.value: [
            *group.totals.of.get(real, ()),
            *((code, -value) for code, value in group.totals.of.get(amount.name, ())),
        ]
        for group in totals.groups(actor, question, wanted, cancel).groups
    }


def _values(
    actor: Actor, field: BoundField, found: Mapping[Any, str], cancel: Cancel | None
) -> list[Column]:
    """Columns without cards: every value there is to choose, then those that only records have."""
    if field.options:
        columns = [Column(o.code, tr(o.label), o.tone.value) for o in field.options]
    else:
        columns = _targets(actor, registry.get(field.target), cancel)
    known = {column.key for column in columns}
    rest = (value for value in found if value is not None and value not in known)
    return [*columns, *(Column(value, found[value] or str(value)) for value in rest)]


def _targets(actor: Actor, target: Entity, cancel: Cancel | None) -> list[Column]:
    """Living, active records that a link may lead to, in their order."""
    active = Rule("is_active", "=", "yes") if "is_active" in target.fields else None
    state = target.fields.get("state")
    names = (target.title, *(("state",) if state is not None else ()))
    rows = query.first_page(actor, RecordQuery(target.key, names, active), MOST + 1, cancel)
    tones = {o.code: o.tone.value for o in state.options} if state is not None else {}
    found = []
    for row in rows:
        code = str(row.values[1]) if state is not None else ""
        found.append(Column(row.id, str(row.values[0] or ""), tones.get(code, "info"), code))
    return found


def amount_field(entity: Entity, actor: Actor) -> BoundField | None:
    """The amount that is summed: the first of the list that has a currency beside it."""
    ordered = (*entity.columns, *entity.fields)
    for name in ordered:
        field = entity.fields[name]
        column = field.column
        if field.kind is not kinds.MONEY or not field.currency or column is None:
            continue
        # A unit price cannot be added up.
        scale = column.type.scale if isinstance(column.type, ExactNumber) else None
        if scale == MONEY_SCALE and not field.hidden and knows(actor, field):
            return field
    return None


class _Cards:
    """Reads the cards of columns; which fields they show is the same for all."""

    def __init__(self, actor: Actor, entity: Entity, name: str, amount: BoundField | None) -> None:
        self._actor = actor
        self._entity = entity
        self._name = name
        self._amount = amount
        really = _real(actor, entity, amount)
        self._real, self._state = ("", "") if really is None else (really[0], really[1].field)
        self._when = None if really is None else really[1].value
        self._late, self._due = shipped_views.overdue(entity)
        self._subtitle = self._below(entity, name)
        self._paths: tuple[str, ...] = tuple(
            path
            for path in (
                entity.title,
                self._subtitle,
                amount.name if amount is not None else "",
                amount.currency if amount is not None else "",
                self._real,
                self._state,
                self._due,
                "owner" if entity.owned else "",
                "owner.id" if entity.owned else "",
                entity.private.field if entity.private is not None else "",
            )
            if path
        )

    @staticmethod
    def _below(entity: Entity, name: str) -> str:
        """What stands under the title: the subtitle, or else the first link of the list."""
        if entity.subtitle and entity.subtitle != name:
            return entity.subtitle
        links = (n for n in entity.columns if entity.fields[n].kind is kinds.LINK)
        return next((n for n in links if n not in {name, "owner", entity.title}), "")

    def read(
        self, asked: RecordQuery, key: Key, limit: int, cancel: Cancel | None
    ) -> tuple[Card, ...]:
        """First cards of one column in order."""
        only = Rule(self._name, "empty") if key is None else Rule(self._name, "=", key)
        order = asked.order or _ORDERS.get(self._entity.key) or self._usual()
        question = replace(
            asked,
            columns=self._paths,
            filter=both(asked.filter, only),
            order=order,
            group="",
            marks=(self._late,) if self._late is not None else (),
        )
        rows = query.first_page(self._actor, question, limit, cancel)
        return tuple(self._card(row) for row in rows)

    def _usual(self) -> tuple[Order, ...]:
        return (Order(self._due),) if self._due else ()

    def _card(self, row: query.Row) -> Card:
        entity, formats = self._entity, self._actor.formats
        values = dict(zip(self._paths, row.values, strict=False))
        owner = values.get("owner.id")
        below = values.get(self._subtitle) if self._subtitle else None
        field = entity.fields.get(self._subtitle)
        if field is not None and field.kind is not kinds.LINK:
            below = field.display(below, formats)
        return Card(
            id=row.id,
            version=row.version,
            title=str(values.get(entity.title) or ""),
            subtitle=str(below or ""),
            amount=self._amount_of(values),
            currency=str(values.get(self._amount.currency) or "") if self._amount else "",
            due=self._day(values.get(self._due)),
            late=self._late is not None and row.values[-1] is not None,
            owner=str(values.get("owner") or ""),
            editable=permissions.may(self._actor, entity, "edit", {**values, "owner_id": owner}),
        )

    def _amount_of(self, values: Mapping[str, Any]) -> Decimal | None:
        found = values.get(self._amount.name) if self._amount is not None else None
        real = values.get(self._real) if self._real else None
        if real is not None and values.get(self._state) == self._when:
            found = real
        return found

    def _day(self, value: object) -> date | None:
        if isinstance(value, datetime):
            return value.astimezone(self._actor.zone).date()
        return value if isinstance(value, date) else None
