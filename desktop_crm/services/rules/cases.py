"""Rules of cases: their number, and state, status and closing in step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_
from desktop_crm.models.case import Case, CaseReason, CaseState
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.rules import numbering
from desktop_crm.services.rules.circles import no_circle
from desktop_crm.services.rules.status import in_step

_REASONS: Final[Mapping[CaseState, tuple[CaseReason, ...]]] = {
    CaseState.OPEN: (
        CaseReason.NEW,
        CaseReason.IN_PROGRESS,
        CaseReason.RESEARCHING,
        CaseReason.WAITING,
        CaseReason.ON_HOLD,
    ),
    CaseState.RESOLVED: (CaseReason.PROBLEM_SOLVED, CaseReason.INFORMATION_PROVIDED),
    CaseState.CANCELED: (CaseReason.CANCELED, CaseReason.MERGED),
}

own_parent = no_circle(
    N_("A case cannot be its own parent."),
    N_(
        "The parent chosen belongs to this case itself, over one or more others. Choose a case "
        "outside its own hierarchy."
    ),
)


def state_and_status(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep state and status in step, and say when a case was resolved."""
    for draft in drafts:
        state = in_step(draft, _REASONS)
        if state is not CaseState.RESOLVED:
            draft.set("resolved_at", None)
        elif draft.get("resolved_at") is None:
            draft.set("resolved_at", clock.now())


def minutes(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse time to be billed that is less than none."""
    for draft in drafts:
        if (draft.get("billable_minutes") or 0) < 0:
            draft.fail("billable_minutes", N_("Billable minutes cannot be negative."))


def numbers(work: Work, drafts: Sequence[Draft]) -> None:
    """Give new cases their number; refuse one that another case has already."""
    given = {d.get("number") for d in drafts if d.get("number") and d.changes("number")}
    taken: dict[str, int | None] = {}
    if given:
        numbering.keep(work.connection, "case")
        rows = work.connection.execute(
            select(Case.number, Case.id).where(Case.number.in_(sorted(given)))
        )
        taken = {row.number: row.id for row in rows}
    for draft in drafts:
        number = draft.get("number")
        if number and draft.changes("number"):
            if taken.get(number, draft.id) != draft.id or (draft.is_new and number in taken):
                draft.fail("number", N_("There is a case {number} already."), number=number)
            taken[number] = draft.id
    today = clock.today(work.actor.zone)

    def is_taken(number: str) -> bool:
        found = select(Case.id).where(Case.number == number).limit(1)
        return number in taken or work.connection.execute(found).first() is not None

    for draft in drafts:
        if not draft.get("number") and not draft.errors:
            draft.set("number", numbering.draw(work.connection, "case", today, is_taken))
