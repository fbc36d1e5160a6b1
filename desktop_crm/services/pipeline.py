"""The pipeline: totals by stage, answered by one index, and the opportunities as cards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    select,
)
from sqlalchemy import type_coerce as coerce

from desktop_crm.core import clock, money
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.types import MONEY_SCALE, QUANTITY_SCALE, ExactNumber
from desktop_crm.models import (
    Account,
    Currency,
    ExchangeRate,
    Opportunity,
    OwnCompany,
    Stage,
    User,
)
from desktop_crm.models.opportunity import ForecastCategory, OpportunityState
from desktop_crm.services import permissions
from desktop_crm.services.context import Actor

_CENT = Decimal("0.01")
AnyRow = Row[*tuple[Any, ...]]
"""A row of a statement whose columns are named beside it."""

AnySelect = Select[*tuple[Any, ...]]
"""A statement that names its columns."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums in the company's currency; what has no exchange rate is kept apart, never guessed.

    Attributes:
        total: sum of what could be converted.
        currency: code of the company's currency; empty when none is set.
        other: code and sum of each currency without a rate.
    """

    total: Decimal = Decimal(0)
    currency: str = ""
    other: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class StageTotal:
    """One stage of the pipeline: how many, how much, how much by probability (R19)."""

    stage_id: int
    name: str
    state: str
    position: int
    probability: Decimal
    count: int
    without_amount: int
    amount: Amounts
    weighted: Amounts


@dataclass(frozen=True, slots=True)
class Deal:
    """One opportunity as a card or a line."""

    id: int
    version: int
    name: str
    account: str
    stage_id: int
    stage: str
    amount: Decimal | None
    currency: str
    probability: Decimal | None
    close_on: date | None
    late: bool
    owner: str
    editable: bool


def pipeline_totals(
    actor: Actor, *, mine: bool = False, cancel: Cancel | None = None
) -> tuple[StageTotal, ...]:
    """Totals of every active stage in order; one grouped statement over a covering index.

    Args:
        actor: who asks; only opportunities they may see are counted.
        mine: count only their own.
        cancel: stops the statement.
    """
    with actor.db.reading(cancel) as connection:
        return stage_totals(actor, connection, Rates(connection), mine=mine)


def stage_totals(
    actor: Actor, connection: Connection, rates: Rates, *, mine: bool = False
) -> tuple[StageTotal, ...]:
    """What :func:`pipeline_totals` gives, within an open transaction; one statement."""
    totals = totals_statement(actor, mine=mine).subquery("totals")
    rows = connection.execute(
        select(
            Stage.id, Stage.name, Stage.state, Stage.position, Stage.probability,
            totals.c.currency_id, totals.c.n, totals.c.valued, totals.c.amount, totals.c.weighted,
        )
        .outerjoin(totals, totals.c.stage_id == Stage.id)
        .where(Stage.deleted_at.is_(None), Stage.is_active)
        .order_by(Stage.position, Stage.id)
    ).all()  # fmt: skip
    by_stage: dict[int, list[AnyRow]] = {}
    for row in rows:
        by_stage.setdefault(row.id, []).append(row)
    return tuple(_stage_total(found[0], found, rates) for found in by_stage.values())


def totals_statement(actor: Actor, *, mine: bool = False) -> AnySelect:
    """The grouped statement behind :func:`pipeline_totals`."""
    return (
        select(
            Opportunity.stage_id,
            Opportunity.currency_id,
            func.count().label("n"),
            func.count(Opportunity.amount).label("valued"),
            func.sum(Opportunity.amount).label("amount"),
            _weighted(actor.db.dialect).label("weighted"),
        )
        .where(visible(actor, mine=mine))
        .group_by(Opportunity.stage_id, Opportunity.state, Opportunity.currency_id)
    )


def _weighted(dialect: str) -> ColumnElement[Decimal | None]:
    """Sum of amount x probability without what is lost or omitted.

    SQLite keeps both as scaled integers: each product is divided before it is summed, so that
    the sum stays within 64 bits.
    """
    if dialect == "sqlite":
        scale = 100 * 10**QUANTITY_SCALE
        product: ColumnElement[int] = coerce(Opportunity.amount, BigInteger) * coerce(
            Opportunity.probability, BigInteger
        )
        part: ColumnElement[Any] = (product + scale // 2) // scale
    else:
        part = Opportunity.amount * Opportunity.probability / 100
    counted = case(
        (
            and_(
                Opportunity.state != OpportunityState.LOST.value,
                func.coalesce(Opportunity.forecast_category, "") != ForecastCategory.OMITTED.value,
            ),
            part,
        )
    )
    return coerce(func.sum(counted), ExactNumber(MONEY_SCALE))


def _stage_total(
    stage: AnyRow,
    rows: Iterable[AnyRow],
    rates: Rates,
) -> StageTotal:
    count = without = 0
    amounts: list[tuple[int | None, Decimal | None]] = []
    weighted: list[tuple[int | None, Decimal | None]] = []
    for row in rows:
        if row.n is None:  # a stage without opportunities
            continue
        count += row.n
        without += row.n - row.valued
        amounts.append((row.currency_id, row.amount))
        weighted.append((row.currency_id, row.weighted))
    return StageTotal(
        stage_id=stage.id,
        name=stage.name,
        state=stage.state,
        position=stage.position,
        probability=stage.probability,
        count=count,
        without_amount=without,
        amount=rates.sum(amounts),
        weighted=rates.sum(weighted),
    )


def _home_currency() -> ScalarSelect[int | None]:
    """Key of the company's currency."""
    return (
        select(OwnCompany.currency_id)
        .where(OwnCompany.deleted_at.is_(None))
        .order_by(OwnCompany.id)
        .limit(1)
        .scalar_subquery()
    )


def _rates_in_force(day: date) -> AnySelect:
    """Every currency with its latest rate of a day and the company's currency beside it."""
    rate = (
        select(ExchangeRate.rate)
        .where(
            ExchangeRate.currency_id == Currency.id,
            ExchangeRate.deleted_at.is_(None),
            ExchangeRate.valid_from <= day,
        )
        .order_by(ExchangeRate.valid_from.desc(), ExchangeRate.id.desc())
        .limit(1)
        .correlate(Currency)
        .scalar_subquery()
    )
    return select(Currency.id, Currency.code, rate.label("rate"), _home_currency().label("home"))


class Rates:
    """Exchange rates in force, read once for a page."""

    def __init__(self, connection: Connection) -> None:
        self.codes: dict[int, str] = {}
        self.home: int | None = None
        self._rates: dict[int, Decimal] = {}
        for row in connection.execute(_rates_in_force(clock.today())):
            self.codes[row.id] = row.code
            self.home = row.home
            if row.rate is not None:
                self._rates[row.id] = row.rate

    def code(self, currency_id: int | None) -> str:
        """Code of a currency; the company's when none is given."""
        return self.codes.get(currency_id or self.home or 0, "")

    def sum(self, parts: Iterable[tuple[int | None, Decimal | None]]) -> Amounts:
        """Sum per currency, then converted (R19)."""
        sums: dict[int | None, Decimal] = {}
        for currency_id, amount in parts:
            if amount is not None:
                key = None if currency_id == self.home else currency_id
                sums[key] = sums.get(key, Decimal(0)) + amount
        home = self.code(None)
        total = _rounded(sums.pop(None, Decimal(0)), home)
        other = []
        for currency_id, amount in sums.items():
            rate = self._rates.get(currency_id or 0)
            if rate is None:
                other.append((self.code(currency_id), amount))
            else:
                total += _rounded(amount * rate, home)
        return Amounts(total, home, tuple(sorted(other)))


def _rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in the smallest unit of its currency; in cents while no currency was chosen."""
    return money.round_amount(amount, currency) if currency else amount.quantize(_CENT)


def visible(actor: Actor, *, mine: bool) -> ColumnElement[bool]:
    """Opportunities that the actor may see, or owns."""
    conditions: list[ColumnElement[bool]] = [Opportunity.deleted_at.is_(None)]
    if mine:
        conditions.append(Opportunity.owner_id == actor.user_id)
    else:
        rights = permissions.row_clause(
            actor, registry.get("opportunity"), Opportunity.__table__, "read"
        )
        if rights is not None:
            conditions.append(rights)
    return and_(*conditions)


def may_edit(actor: Actor, entity: str, owner_id: int | None) -> bool:
    """Whether the actor may change a record with this owner."""
    return permissions.may(actor, registry.get(entity), "edit", {"owner_id": owner_id})


def my_deals(actor: Actor, *, limit: int = 8, cancel: Cancel | None = None) -> tuple[Deal, ...]:
    """The actor's open opportunities, those that close first at the top."""
    mine = and_(visible(actor, mine=True), Opportunity.state == OpportunityState.OPEN.value)
    return _deals(actor, mine, 0, limit, cancel)


def deal(actor: Actor, opportunity_id: int) -> Deal | None:
    """One opportunity as a card; None when it is gone or may not be seen."""
    found = _deals(
        actor,
        and_(visible(actor, mine=False), Opportunity.id == opportunity_id),
        0,
        1,
        None,
    )
    return found[0] if found else None


def _deals(
    actor: Actor,
    condition: ColumnElement[bool],
    offset: int,
    limit: int,
    cancel: Cancel | None,
) -> tuple[Deal, ...]:
    own = Currency.__table__.alias().c
    home = select(own.code).where(own.id == _home_currency()).scalar_subquery()
    statement = (
        select(
            Opportunity.id,
            Opportunity.version,
            Opportunity.name,
            Account.name.label("account"),
            Opportunity.stage_id,
            Stage.name.label("stage"),
            Opportunity.state,
            Opportunity.amount,
            Opportunity.actual_revenue,
            func.coalesce(Currency.code, home).label("currency"),
            Opportunity.probability,
            Opportunity.close_on,
            Opportunity.closed_on,
            Opportunity.owner_id,
            User.name.label("owner"),
        )
        .select_from(Opportunity)
        .join(Stage, Stage.id == Opportunity.stage_id)
        .outerjoin(
            Account,
            permissions.within_sight(
                actor, Account.__table__, Account.id == Opportunity.account_id
            ),
        )
        .outerjoin(Currency, Currency.id == Opportunity.currency_id)
        .outerjoin(User, User.id == Opportunity.owner_id)
        .where(condition)
        .order_by(
            Opportunity.closed_on.desc().nulls_first(),
            Opportunity.close_on.asc().nulls_last(),
            Opportunity.id,
        )
        .offset(offset)
        .limit(limit)
    )
    today = clock.today(actor.zone)
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(statement).all()
    return tuple(_deal(actor, row, today) for row in rows)


def _deal(actor: Actor, row: AnyRow, today: date) -> Deal:
    is_open = row.state == OpportunityState.OPEN.value
    amount = row.amount
    if row.state == OpportunityState.WON.value and row.actual_revenue is not None:
        amount = row.actual_revenue
    due = row.close_on if is_open else row.closed_on or row.close_on
    return Deal(
        id=row.id,
        version=row.version,
        name=row.name,
        account=row.account or "",
        stage_id=row.stage_id,
        stage=row.stage,
        amount=amount,
        currency=row.currency or "",
        probability=row.probability,
        close_on=due,
        late=is_open and due is not None and due < today,
        owner=row.owner or "",
        editable=may_edit(actor, "opportunity", row.owner_id),
    )


def add(parts: Iterable[Amounts]) -> Amounts:
    """Sum of sums."""
    total, currency = Decimal(0), ""
    other: dict[str, Decimal] = {}
    for part in parts:
        total += part.total
        currency = part.currency or currency
        for code, amount in part.other:
            other[code] = other.get(code, Decimal(0)) + amount
    return Amounts(total, currency, tuple(sorted(other.items())))
