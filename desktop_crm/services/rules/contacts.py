"""Rules of contacts and leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import NAME_LENGTH
from desktop_crm.models.lead import LeadReason, LeadState
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.rules.status import in_step

_PARTS: Final = ("first_name", "middle_name", "last_name", "suffix")
_REASONS: Final = {
    LeadState.OPEN: (LeadReason.NEW, LeadReason.CONTACTED),
    LeadState.QUALIFIED: (LeadReason.QUALIFIED,),
    LeadState.DISQUALIFIED: (
        LeadReason.LOST,
        LeadReason.CANNOT_CONTACT,
        LeadReason.NO_INTEREST,
        LeadReason.CANCELED,
    ),
}


def full_name(work: Work, drafts: Sequence[Draft]) -> None:
    """Make the shown name from its parts; a contact without any falls back to the e-mail."""
    for draft in drafts:
        if not draft.is_new and not any(draft.changes(p) for p in (*_PARTS, "email")):
            continue
        parts = [str(draft.get(part)) for part in _PARTS if draft.get(part)]
        name = " ".join(parts)
        if not name and work.entity.key == "contact":
            name = draft.get("email") or ""
            if not name:
                draft.fail("last_name", N_("A contact needs a name or an e-mail address."))
        draft.set("full_name", name[:NAME_LENGTH] or None)


def lead_state(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep state and status of a lead in step."""
    for draft in drafts:
        in_step(draft, _REASONS)
