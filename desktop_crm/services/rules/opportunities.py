"""Rules of opportunities: stage, probability and what closing means (R18, R21, R22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_
from desktop_crm.models import Currency, OwnCompany, Stage, StageHistory
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause


@dataclass(frozen=True, slots=True)
class _Stage:
    state: OpportunityState
    probability: Decimal
    forecast_category: str


def stage_rules(work: Work, drafts: Sequence[Draft]) -> None:
    """Let the stage decide over state, probability, forecast category and closing day."""
    stages = _stages(work)
    first_open = next((k for k, s in stages.items() if s.state is OpportunityState.OPEN), None)
    own_currency = _own_currency(work) if any(d.is_new for d in drafts) else None
    today = clock.today(work.actor.zone)
    for draft in drafts:
        if draft.is_new:
            if draft.get("stage") is None and first_open is not None:
                draft.set("stage", first_open)
            if draft.get("currency") is None:
                draft.set("currency", own_currency)
            if draft.get("opened_on") is None:
                draft.set("opened_on", today)
        _take_sum(draft)
        stage = stages.get(draft.get("stage") or 0)
        if stage is None:
            continue
        _take_probability(draft, stage)
        if draft.changes("stage"):
            _take_stage(draft, stage, stages, today)


def _take_stage(
    draft: Draft,
    stage: _Stage,
    stages: Mapping[int, _Stage],
    today: Any,  # noqa: ANN401  a day
) -> None:
    draft.set("state", stage.state.value)
    if not draft.changes("forecast_category"):
        draft.set("forecast_category", stage.forecast_category)
    if stage.state is OpportunityState.OPEN:
        draft.set("last_open_stage", draft.get("stage"))
        if not draft.is_new:
            draft.set("closed_on", None)
            draft.set("actual_revenue", None)
        return
    if draft.get("closed_on") is None:
        draft.set("closed_on", today)
    if stage.state is OpportunityState.WON and draft.get("actual_revenue") is None:
        draft.set("actual_revenue", draft.get("amount"))


def _take_probability(draft: Draft, stage: _Stage) -> None:
    forced = {OpportunityState.WON: Decimal(100), OpportunityState.LOST: Decimal(0)}
    if stage.state in forced:
        draft.set("probability", forced[stage.state])
        draft.set("is_probability_overridden", False)
        return
    if draft.changes("probability") and draft.get("probability") is not None:
        value = draft.get("probability")
        if not 0 <= value <= 100:
            draft.fail("probability", N_("A probability lies between 0 and 100 %."))
        draft.set("is_probability_overridden", value != stage.probability)
    elif draft.changes("stage") and not draft.get("is_probability_overridden"):
        draft.set("probability", stage.probability)
    elif draft.get("probability") is None:
        draft.set("probability", stage.probability)
        draft.set("is_probability_overridden", False)


def _take_sum(draft: Draft) -> None:
    """Sum the product lines where the amount is theirs (R22)."""
    if not draft.get("is_system_calculated") or "lines" not in draft.lines:
        return
    total = Decimal(0)
    for line in draft.lines["lines"]:
        price, quantity = line.get("unit_price"), line.get("quantity")
        if price not in (None, ""):
            total += Decimal(str(price)) * Decimal(str(1 if quantity in (None, "") else quantity))
    draft.set("amount", total.quantize(Decimal("0.01")))


def _stages(work: Work) -> dict[int, _Stage]:
    rows = work.connection.execute(
        select(Stage.id, Stage.state, Stage.probability, Stage.forecast_category)
        .where(Stage.deleted_at.is_(None))
        .order_by(Stage.position, Stage.id)
    )
    return {row[0]: _Stage(OpportunityState(row[1]), row[2], row[3]) for row in rows}


def _own_currency(work: Work) -> int | None:
    own = work.connection.execute(
        select(OwnCompany.currency_id).where(OwnCompany.deleted_at.is_(None)).limit(1)
    ).scalar()
    if own is not None:
        return int(own)
    first = work.connection.execute(
        select(func.min(Currency.id)).where(Currency.deleted_at.is_(None))
    ).scalar()
    return int(first) if first is not None else None


def stage_history(work: Work, drafts: Sequence[Draft]) -> None:
    """Write one row for each move between stages; two statements."""
    moved = [d for d in drafts if d.changes("stage") and d.get("stage") is not None]
    if not moved:
        return
    now = clock.now()
    entered = _entered(work, [d.id for d in moved if d.old and d.id is not None])
    work.connection.execute(
        insert(StageHistory),
        [
            {
                "opportunity_id": d.id,
                "from_stage_id": d.old.get("stage"),
                "to_stage_id": d.get("stage"),
                "amount": d.get("amount"),
                "probability": d.get("probability"),
                "close_on": d.get("close_on"),
                "forecast_category": d.get("forecast_category"),
                "at": now,
                "by_id": work.actor.user_id,
                "seconds_in_stage": (
                    int((now - entered[d.id]).total_seconds()) if d.id in entered else None
                ),
            }
            for d in moved
        ],
    )


def _entered(work: Work, ids: Sequence[int]) -> dict[int | None, datetime]:
    if not ids:
        return {}
    rows = work.connection.execute(
        select(StageHistory.opportunity_id, func.max(StageHistory.at))
        .where(key_clause(work.connection, StageHistory.__table__.c.opportunity_id, ids))
        .group_by(StageHistory.opportunity_id)
    )
    return {row[0]: row[1] for row in rows}
