"""Rules of activities: state and status in step, when it happened, links of the regarding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core import clock, recurrence
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.models import AuditEntry, Link
from desktop_crm.models.activity import (
    REGARDING,
    ActivityKind,
    ActivityReason,
    ActivityState,
    LinkRule,
    LinkState,
)
from desktop_crm.services import records_kept
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.query import key_clause

_NO_RULE: Final = N_(
    "“{rule}” is no recurrence that can be followed; write for instance FREQ=WEEKLY;BYDAY=MO."
)
_DEFAULT_REASON: Final = {
    (ActivityKind.TASK, ActivityState.OPEN): ActivityReason.NOT_STARTED,
    (ActivityKind.PHONE_CALL, ActivityState.OPEN): ActivityReason.PLANNED,
    (ActivityKind.PHONE_CALL, ActivityState.COMPLETED): ActivityReason.HELD,
    (ActivityKind.APPOINTMENT, ActivityState.OPEN): ActivityReason.BUSY,
    (ActivityKind.EMAIL, ActivityState.OPEN): ActivityReason.DRAFT,
    (ActivityKind.EMAIL, ActivityState.COMPLETED): ActivityReason.RECEIVED,
}
_STATE_OF: Final = {
    ActivityReason.COMPLETED: ActivityState.COMPLETED,
    ActivityReason.CANCELED: ActivityState.CANCELED,
    ActivityReason.HELD: ActivityState.COMPLETED,
    ActivityReason.NOT_HELD: ActivityState.CANCELED,
    ActivityReason.SENT: ActivityState.COMPLETED,
    ActivityReason.RECEIVED: ActivityState.COMPLETED,
}


def state_and_time(work: Work, drafts: Sequence[Draft]) -> None:
    """Complete an activity before it is written."""
    for draft in drafts:
        _state(draft)
        start, end = draft.get("start_at"), draft.get("end_at")
        if start and end and end < start:
            draft.fail("end_at", N_("The end lies before the start."))
        if draft.changes("recurrence_rule"):
            _rule(draft)
        if start and end and (draft.changes("start_at") or draft.changes("end_at")):
            draft.set("duration_minutes", int((end - start) / timedelta(minutes=1)))
        if draft.is_new or any(draft.changes(n) for n in ("start_at", "due_at", "completed_at")):
            _when(draft)


def _rule(draft: Draft) -> None:
    """Refuse a rule of a series that nobody can follow."""
    rule = draft.get("recurrence_rule")
    if not rule:
        return
    first = draft.get("start_at") or clock.now()
    try:
        recurrence.check(rule, first)
    except UserError:
        draft.fail("recurrence_rule", _NO_RULE, rule=rule)


def _state(draft: Draft) -> None:
    kind = ActivityKind(draft.get("kind"))
    if draft.is_new and kind is ActivityKind.NOTE and not draft.changes("status_reason"):
        draft.set("state", ActivityState.COMPLETED.value)
    reason = draft.get("status_reason")
    if reason and draft.changes("status_reason") and (draft.is_new or not draft.changes("state")):
        draft.set("state", _STATE_OF.get(ActivityReason(reason), ActivityState.OPEN).value)
    state = ActivityState(draft.get("state") or ActivityState.OPEN)
    if not reason or (draft.changes("state") and not draft.changes("status_reason")):
        fallback = (
            ActivityReason(state.value)
            if state is not ActivityState.OPEN
            else ActivityReason.NOT_STARTED
        )
        draft.set("status_reason", _DEFAULT_REASON.get((kind, state), fallback).value)
    if draft.changes("state") or draft.is_new:
        done = state is ActivityState.COMPLETED
        if done and draft.get("completed_at") is None:
            draft.set("completed_at", clock.now())
        elif not done:
            draft.set("completed_at", None)


def _when(draft: Draft) -> None:
    wanted = draft.new.get("occurred_at")
    if draft.is_new and wanted is not None:
        return
    moment = draft.get("start_at") or draft.get("due_at") or draft.get("completed_at")
    draft.set("occurred_at", moment or draft.old.get("created_at") or clock.now())


LINKS: Final = "links"
"""Among what stands beside a draft: its links, with their evidence, are its writer's own."""


def links_of_regarding(work: Work, drafts: Sequence[Draft]) -> None:
    """Give each record an activity is about its link row, and take back those no longer meant.

    Links a rule or a person made to other records stay; two to four statements.
    """
    touched = [
        d
        for d in drafts
        if d.id is not None
        and LINKS not in d.beside
        and any(d.changes(n) for n in (*REGARDING, "occurred_at"))
    ]
    if not touched:
        return
    table = Link.__table__
    known: dict[tuple[int, str, int], Any] = {
        (row.activity_id, row.record_type, row.record_id): row
        for row in work.connection.execute(
            select(
                table.c.id,
                table.c.activity_id,
                table.c.record_type,
                table.c.record_id,
                table.c.state,
                table.c.rule,
            ).where(
                key_clause(work.connection, table.c.activity_id, [d.id for d in touched if d.id])
            )
        )
    }
    missing: list[dict[str, Any]] = []
    revived: list[int] = []
    dropped: list[int] = []
    for draft in touched:
        for name in REGARDING:
            value = draft.get(name)
            row = known.get((draft.id or 0, name, value)) if value else None
            if value and row is None:
                missing.append(_link_row(work, draft, name, value))
            elif row is not None and row.state != LinkState.LINKED and draft.changes(name):
                revived.append(row.id)
            before = draft.old.get(name)
            if before and before != value:
                old = known.get((draft.id or 0, name, before))
                if old is not None and old.state == LinkState.LINKED:
                    dropped.append(old.id)
    if missing:
        records_kept.insert_rows(work.connection, Link, missing, work.actor.user_id)
    _set_state(work, revived, LinkState.LINKED)
    _set_state(work, dropped, LinkState.REJECTED)


def links_put_back(work: Work, drafts: Sequence[Draft]) -> None:
    """The same when an activity is put back; links its operation wrote itself are put back alone.

    One statement more than :func:`links_of_regarding`.
    """
    link, entry = Link.__table__, AuditEntry.__table__
    written = select(entry.c.record_id).where(
        entry.c.operation == work.undoes, entry.c.entity == "link"
    )
    ids = [draft.id for draft in drafts if draft.id is not None]
    own = set(
        work.connection.execute(
            select(link.c.activity_id).where(
                key_clause(work.connection, link.c.activity_id, ids), link.c.id.in_(written)
            )
        ).scalars()
    )
    links_of_regarding(work, [draft for draft in drafts if draft.id not in own])


def _set_state(work: Work, ids: Sequence[int], state: LinkState) -> None:
    values = {"state": state.value, "linked_by_id": work.actor.user_id}
    changes = [(key, values) for key in ids]
    records_kept.update_rows(work.connection, Link, changes, work.actor.user_id)


def _link_row(work: Work, draft: Draft, name: str, value: int) -> dict[str, Any]:
    return {
        "activity_id": draft.id,
        "record_type": name,
        "record_id": value,
        "rule": (LinkRule.RECORD if draft.is_new else LinkRule.MANUAL).value,
        "evidence": None,
        "confidence": Decimal(100),
        "state": LinkState.LINKED.value,
        "is_regarding": True,
        "linked_by_id": work.actor.user_id,
        "occurred_at": draft.get("occurred_at"),
    }
