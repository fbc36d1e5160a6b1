"""Rules of saved views."""

from __future__ import annotations

from collections.abc import Sequence

from desktop_crm.core.i18n import N_
from desktop_crm.services.drafts import Draft, Work


def first_for_all(work: Work, drafts: Sequence[Draft]) -> None:
    """Only an administrator says what opens first for everybody; no statement."""
    if work.actor.is_admin:
        return
    for draft in drafts:
        if draft.changes("is_default") and draft.get("is_default"):
            draft.fail(
                "is_default",
                N_("Only an administrator chooses what opens first for everybody."),
            )
