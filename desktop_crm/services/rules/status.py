"""State and status in step: few states drive behaviour, each with its own reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from desktop_crm.services.drafts import Draft

S = TypeVar("S", bound=StrEnum)


def in_step(draft: Draft, reasons: Mapping[S, Sequence[StrEnum]]) -> S:
    """Let state and status of a record agree before it is written.

    A status decides over the state. A state that was changed, or that a new record begins with
    while its status is the usual one, takes its own first status instead.

    Args:
        draft: A record with the fields ``state`` and ``status_reason``.
        reasons: The statuses of each state, the usual one first; a new record begins with the
            first of the first state.

    Returns:
        The state it will have.
    """
    usual = next(iter(reasons))
    state = next((s for s in reasons if s == draft.get("state")), usual)
    reason = draft.get("status_reason") or reasons[usual][0]
    if reason in reasons[state]:
        return state
    said = draft.changes("status_reason") and (not draft.is_new or reason != reasons[usual][0])
    if said and (draft.is_new or not draft.changes("state")):
        state = next((s for s, own in reasons.items() if reason in own), state)
        draft.set("state", state.value)
    if reason not in reasons[state]:
        draft.set("status_reason", reasons[state][0].value)
    return state
