"""Read models of the home page: what is due for one person, and the key figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union_all
from sqlalchemy import type_coerce as coerce

from desktop_crm.core import clock
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Account, Activity, Case, Contact, Lead, Opportunity
from desktop_crm.models.activity import ActivityKind, ActivityState, Priority
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import within_sight
from desktop_crm.services.pipeline import (
    Amounts,
    AnyRow,
    AnySelect,
    Rates,
    StageTotal,
    add,
    may_edit,
    stage_totals,
    visible,
)

MONTHS = 6
"""Months whose won revenue is drawn as a course."""


@dataclass(frozen=True, slots=True)
class DayItem:
    """An open activity that is due."""

    id: int
    version: int
    subject: str
    kind: str
    due: datetime
    overdue: bool
    high: bool
    regarding: str
    regarding_entity: str
    regarding_id: int | None
    editable: bool


@dataclass(frozen=True, slots=True)
class MyDay:
    """What is overdue and what is due today; the counts go beyond the rows given."""

    overdue: tuple[DayItem, ...]
    today: tuple[DayItem, ...]
    overdue_count: int
    today_count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The key figures of the home page.

    Attributes:
        open_count: open opportunities.
        pipeline: their amounts.
        weighted: their amounts by probability (R19).
        won: revenue won this month.
        won_before: revenue won in the month before.
        won_course: revenue won in each of the last months, oldest first.
        win_rate: won of all closed in the last 90 days, percent; None without any.
        cycle_days: mean days from opening to winning in the last 90 days; None without any.
        stages: the pipeline's totals by stage.
    """

    open_count: int
    pipeline: Amounts
    weighted: Amounts
    won: Amounts
    won_before: Amounts
    won_course: tuple[Decimal, ...]
    win_rate: Decimal | None
    cycle_days: int | None
    stages: tuple[StageTotal, ...] = ()


# --- my day ------------------------------------------------------------------------------


def day_bounds(actor: Actor, day: date) -> tuple[datetime, datetime]:
    """First instant of a day in the actor's zone and of the day after."""
    start = datetime.combine(day, time(), actor.zone)
    end = datetime.combine(day + timedelta(days=1), time(), actor.zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def my_day(actor: Actor, *, limit: int = 50, cancel: Cancel | None = None) -> MyDay:
    """The actor's open activities that are overdue or due today, the oldest first."""
    start, end = day_bounds(actor, clock.today(actor.zone))
    now = clock.now()
    due = func.coalesce(Activity.due_at, Activity.start_at)
    mine = and_(
        Activity.deleted_at.is_(None),
        Activity.owner_id == actor.user_id,
        Activity.state == ActivityState.OPEN.value,
        Activity.kind.in_(
            (ActivityKind.TASK.value, ActivityKind.PHONE_CALL.value, ActivityKind.APPOINTMENT.value)
        ),
        Activity.recurrence_rule.is_(None),
    )
    overdue = or_(
        due < start,
        and_(Activity.kind != ActivityKind.APPOINTMENT.value, due < now),
    )
    late = and_(mine, overdue, Activity.kind != ActivityKind.APPOINTMENT.value)
    today = and_(
        mine,
        due < end,
        or_(
            and_(Activity.kind == ActivityKind.APPOINTMENT.value, due >= start),
            and_(Activity.kind != ActivityKind.APPOINTMENT.value, due >= now),
        ),
    )
    with actor.db.reading(cancel) as connection:
        parts = [
            select(literal(part).label("part"), _day_rows(actor, due).where(which).limit(limit)
                   .subquery(f"p{part}"))
            for part, which in enumerate((late, today))
        ]  # fmt: skip
        both = union_all(*parts)
        named = both.selected_columns
        rows = connection.execute(both.order_by(named.due, named.id)).all()
    late_rows = [row for row in rows if row.part == 0]
    today_rows = [row for row in rows if row.part == 1]
    return MyDay(
        tuple(_day_item(actor, row, overdue=True) for row in late_rows),
        tuple(_day_item(actor, row, overdue=False) for row in today_rows),
        late_rows[0].whole if late_rows else 0,
        today_rows[0].whole if today_rows else 0,
    )


def _day_rows(actor: Actor, due: ColumnElement[datetime | None]) -> AnySelect:
    return (
        select(
            Activity.id,
            Activity.version,
            Activity.subject,
            Activity.kind,
            Activity.priority,
            Activity.owner_id,
            coerce(due, Activity.due_at.type).label("due"),
            Activity.case_id,
            Case.title.label("case"),
            Activity.opportunity_id,
            Opportunity.name.label("opportunity"),
            Activity.account_id,
            Account.name.label("account"),
            Activity.contact_id,
            Contact.full_name.label("contact"),
            Activity.lead_id,
            Lead.subject.label("lead"),
            func.count().over().label("whole"),
        )
        .select_from(Activity)
        .outerjoin(Case, within_sight(actor, Case.__table__, Case.id == Activity.case_id))
        .outerjoin(
            Opportunity,
            within_sight(actor, Opportunity.__table__, Opportunity.id == Activity.opportunity_id),
        )
        .outerjoin(
            Account, within_sight(actor, Account.__table__, Account.id == Activity.account_id)
        )
        .outerjoin(
            Contact, within_sight(actor, Contact.__table__, Contact.id == Activity.contact_id)
        )
        .outerjoin(Lead, within_sight(actor, Lead.__table__, Lead.id == Activity.lead_id))
        .order_by(due, Activity.id)
    )


def _day_item(actor: Actor, row: AnyRow, *, overdue: bool) -> DayItem:
    entity, record_id, title = regarding(row)
    return DayItem(
        id=row.id,
        version=row.version,
        subject=row.subject,
        kind=row.kind,
        due=row.due,
        overdue=overdue,
        high=row.priority == Priority.HIGH.value,
        regarding=title,
        regarding_entity=entity,
        regarding_id=record_id,
        editable=may_edit(actor, "activity", row.owner_id),
    )


def regarding(row: object) -> tuple[str, int | None, str]:
    """The record in sight that a row concerns most closely: entity, id and title."""
    for entity in ("case", "opportunity", "account", "contact", "lead"):
        record_id, title = getattr(row, f"{entity}_id"), getattr(row, entity)
        if record_id is not None and title is not None:
            return entity, record_id, title
    return "", None, ""


# --- key figures -------------------------------------------------------------------------


def figures(actor: Actor, *, cancel: Cancel | None = None) -> Figures:
    """The key figures over all opportunities the actor may see."""
    today = clock.today(actor.zone)
    months = [_months_before(today.replace(day=1), n) for n in range(MONTHS - 1, -1, -1)]
    quarter = today - timedelta(days=90)
    rights = visible(actor, mine=False)
    with actor.db.reading(cancel) as connection:
        rates = Rates(connection)
        totals = stage_totals(actor, connection, rates)
        closed = connection.execute(
            select(
                Opportunity.state,
                Opportunity.closed_on,
                Opportunity.opened_on,
                Opportunity.currency_id,
                func.coalesce(Opportunity.actual_revenue, Opportunity.amount).label("revenue"),
            ).where(
                rights,
                Opportunity.state != OpportunityState.OPEN.value,
                Opportunity.closed_on >= min(months[0], quarter),
                Opportunity.closed_on <= today,
            )
        ).all()
    stages = [total for total in totals if total.state == OpportunityState.OPEN.value]
    won = [row for row in closed if row.state == OpportunityState.WON.value]
    by_month = [
        rates.sum(
            (row.currency_id, row.revenue) for row in won if row.closed_on.replace(day=1) == month
        )
        for month in months
    ]
    recent = [row for row in closed if row.closed_on >= quarter]
    recent_won = [row for row in won if row.closed_on >= quarter]
    rate = Decimal(100 * len(recent_won)) / len(recent) if recent else None
    cycles = [(row.closed_on - row.opened_on).days for row in recent_won if row.opened_on]
    return Figures(
        open_count=sum(total.count for total in stages),
        pipeline=add(total.amount for total in stages),
        weighted=add(total.weighted for total in stages),
        won=by_month[-1],
        won_before=by_month[-2],
        won_course=tuple(month.total for month in by_month),
        win_rate=rate.quantize(Decimal("0.1")) if rate is not None else None,
        cycle_days=round(sum(cycles) / len(cycles)) if cycles else None,
        stages=totals,
    )


def _months_before(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)
