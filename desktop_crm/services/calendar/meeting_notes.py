"""What is left to do when a meeting is over: notes, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from desktop_crm.models.activity import REGARDING, ActivityKind, ActivityState
from desktop_crm.services import records
from desktop_crm.services.calendar import agenda, series_edits
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.services.calendar.series_edits import Reach
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor

RECENT: Final = timedelta(hours=12)
"""How long after its end a meeting is asked about."""


def ended(actor: Actor, now: datetime) -> tuple[AgendaEvent, ...]:
    """The actor's meetings about a record that have just ended and wait for notes, latest first."""
    found = agenda.events(actor, now - RECENT, now)
    waiting = [
        event
        for event in found
        if event.kind != ActivityKind.TASK
        and not (event.all_day or event.closed or event.private)
        and event.editable
        and event.regarding
        and now - RECENT < event.end <= now
    ]
    return tuple(sorted(waiting, key=lambda event: event.end, reverse=True))


def write(actor: Actor, event: AgendaEvent, notes: str) -> ChangeSet:
    """Keep what was said and mark the meeting as done; of a series this occurrence alone."""
    values: dict[str, Any] = {"state": ActivityState.COMPLETED.value}
    if notes.strip():
        values["result"] = notes.strip()
    if event.series and event.original is not None:
        return series_edits.change(actor, event.id, event.original, Reach.THIS, values).changes
    return records.save(actor, "activity", event.id, None, values).changes


def about(actor: Actor, event: AgendaEvent) -> Mapping[str, Any]:
    """The records a meeting is about, as values of the activity that follows it."""
    values = records.get(actor, "activity", event.id).values
    return {name: values[name] for name in REGARDING if values.get(name) is not None}
