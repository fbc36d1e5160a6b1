"""The plain value that stands for one event, or one occurrence of a series, in a calendar."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

CHRONOLOGICAL = attrgetter("start", "end", "id")
"""Sorts events in reading order."""


class AgendaEvent(NamedTuple):
    """One event or one occurrence of a series.

    A named tuple: a month holds thousands, and a frozen dataclass takes ten times as long to make.

    Attributes:
        id: the activity; several occurrences of a series share it.
        version: the activity's version, for saving a change.
        start: aware, UTC; for an all-day event midnight UTC of its first day (dates, no zone).
        end: aware, UTC, exclusive.
        title: subject; for another person's private event the word for "busy".
        place: where.
        kind: activity kind: appointment, phone_call or task.
        all_day: whether start and end are dates.
        show_as: free, tentative, busy or out_of_office.
        private: another person's private event: only its time may be shown.
        series: an occurrence of a recurring series.
        original: start that the series' rule gives this occurrence; None for a single event.
        changed: an occurrence that differs from its series and is a record of its own.
        foreign: somebody else organizes it, who alone may move it.
        closed: completed or cancelled.
        editable: the actor may change it.
        regarding: title of the record it concerns.
        people: users in whose calendars it stands, its owner first.
        calendars: those of the calendars asked for in which it stands.
        whose: name of its owner, where several people's events stand together.
        tone: colour token that stands for its owner there; empty for the usual one.
    """

    id: int
    version: int
    start: datetime
    end: datetime
    title: str
    place: str = ""
    kind: str = "appointment"
    all_day: bool = False
    show_as: str = "busy"
    private: bool = False
    series: bool = False
    original: datetime | None = None
    changed: bool = False
    foreign: bool = False
    closed: bool = False
    editable: bool = True
    regarding: str = ""
    people: tuple[int, ...] = ()
    calendars: tuple[str, ...] = ()
    whose: str = ""
    tone: str = ""

    @property
    def key(self) -> tuple[int, datetime]:
        """What tells this occurrence from every other event."""
        return (self.id, self.start)

    @property
    def movable(self) -> bool:
        """Whether it may be dragged: ours to change, and organized by us."""
        return self.editable and not (self.private or self.foreign)
