"""Closing an opportunity: what is asked, and everything that follows as one step (R21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import FieldError, NotFound, UserError, ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.models import Activity, Currency, Stage
from desktop_crm.models.activity import ActivityKind, ActivityState
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services import records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.permissions import content_clause, may
from desktop_crm.services.records import Change

OTHER = "other"
LOSS_REASONS = (
    ("price", N_("Price")),
    ("competitor", N_("Chose a competitor")),
    ("budget", N_("No budget")),
    ("no_decision", N_("No decision")),
    ("timing", N_("Wrong time")),
    (OTHER, N_("Other")),
)
"""Why a sale was lost: code and English label; the label is what is stored, translated."""


@dataclass(frozen=True, slots=True)
class ClosingFacts:
    """What the question before closing shows."""

    id: int
    version: int
    name: str
    stage_id: int
    stage: str
    won: bool
    amount: Decimal | None
    currency: str
    today: date
    open_activities: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """What a person said.

    Attributes:
        closed_on: day of closing.
        actual_revenue: for a won opportunity.
        reason: why it was lost, as shown; empty for a won one.
        is_other: the reason is "Other", so the description must say more.
        competitors: who got it instead.
        description: goes into the closing note.
        cancel_activities: cancel the open activities instead of keeping them.
    """

    closed_on: date
    actual_revenue: Decimal | None = None
    reason: str = ""
    is_other: bool = False
    competitors: str = ""
    description: str = ""
    cancel_activities: bool = False


def facts(actor: Actor, opportunity_id: int, stage_id: int) -> ClosingFacts:
    """What there is to know before an opportunity moves to a closing stage.

    Raises:
        NotFound: the opportunity or the stage is gone, or may not be seen.
        UserError: the stage does not close an opportunity.
    """
    record = records.get(actor, "opportunity", opportunity_id)
    reach = content_clause(actor, registry.get("activity"), Activity.__table__)
    with actor.db.reading() as connection:
        stage = connection.execute(
            select(Stage.name, Stage.state).where(Stage.id == stage_id, Stage.deleted_at.is_(None))
        ).one_or_none()
        code = connection.execute(
            select(Currency.code).where(Currency.id == record.values.get("currency"))
        ).scalar()
        activities = connection.execute(
            select(Activity.id, Activity.subject)
            .where(
                Activity.opportunity_id == opportunity_id,
                Activity.state == ActivityState.OPEN.value,
                Activity.deleted_at.is_(None),
                *([] if reach is None else [reach]),
            )
            .order_by(Activity.due_at, Activity.id)
        ).all()
    if stage is None:
        raise NotFound(N_("This stage no longer exists. Nothing was changed."))
    if stage.state == OpportunityState.OPEN.value:
        raise UserError(N_("This stage does not close an opportunity. Nothing was changed."))
    return ClosingFacts(
        id=opportunity_id,
        version=record.version,
        name=record.title,
        stage_id=stage_id,
        stage=stage.name,
        won=stage.state == OpportunityState.WON.value,
        amount=record.values.get("amount"),
        currency=code or "",
        today=clock.today(actor.zone),
        open_activities=tuple((row.id, row.subject) for row in activities),
    )


def check(known: ClosingFacts, closing: Closing) -> tuple[FieldError, ...]:
    """What is missing, field by field."""
    problems: list[FieldError] = []
    if known.won and closing.actual_revenue is None:
        problems.append(FieldError("actual_revenue", N_("Enter what was really sold for.")))
    if not known.won and not closing.reason:
        problems.append(FieldError("close_reason", N_("Choose why it was lost.")))
    if not known.won and closing.is_other and not closing.description.strip():
        problems.append(FieldError("description", N_("Describe the other reason in a few words.")))
    if closing.closed_on > known.today:
        problems.append(FieldError("closed_on", N_("The closing day lies in the future.")))
    return tuple(problems)


def close(actor: Actor, known: ClosingFacts, closing: Closing) -> ChangeSet:
    """Close an opportunity, note it as an activity, settle what is open; undone as one step.

    Raises:
        ValidationFailed: something is missing; nothing was changed.
        Conflict: somebody else changed the same fields meanwhile.
        PermissionDenied: the actor may not change it.
    """
    problems = check(known, closing)
    if problems:
        raise ValidationFailed(problems)
    values: dict[str, Any] = {"stage": known.stage_id, "closed_on": closing.closed_on}
    if known.won:
        values["actual_revenue"] = closing.actual_revenue
    else:
        values["close_reason"] = closing.reason
        values["actual_revenue"] = None
        if closing.competitors.strip():
            values["competitors"] = closing.competitors.strip()
    title = N_("Won: {name}") if known.won else N_("Lost: {name}")
    words = [closing.reason, closing.competitors.strip(), closing.description.strip()]
    with operation(actor) as work:
        work.save_many("opportunity", [Change(known.id, known.version, values)])
        work.create(
            "activity",
            {
                "kind": ActivityKind.NOTE.value,
                "state": ActivityState.COMPLETED.value,
                "subject": tr(title, name=known.name)[:400],
                "description": "\n".join(word for word in words if word) or None,
                "opportunity": known.id,
                "owner": actor.user_id,
            },
        )
        if closing.cancel_activities:
            _cancel(actor, work, known)
    return work.report


def _cancel(actor: Actor, work: Operation, known: ClosingFacts) -> None:
    """Cancel those open activities that the actor may change; others keep theirs."""
    rows = work.connection.execute(
        select(Activity.id, Activity.owner_id).where(
            Activity.id.in_([activity_id for activity_id, _subject in known.open_activities])
        )
    ).all()
    entity = registry.get("activity")
    work.save_many(
        "activity",
        [
            Change(row.id, None, {"state": ActivityState.CANCELED.value})
            for row in rows
            if may(actor, entity, "edit", {"owner_id": row.owner_id})
        ],
    )
