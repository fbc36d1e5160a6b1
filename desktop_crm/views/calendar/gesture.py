"""What a drag or a key does to an event: pure functions over plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar.layout import DAY_MINUTES, instant, wall

SNAP = 15
"""Minutes a mouse drag snaps to."""

SLOT = 30
"""Minutes of the slot that the keyboard's cursor stands on."""

ALL_DAY = -SLOT
"""Position of the cursor in the strip above the hours."""


class Edge(StrEnum):
    """Which end of an event is pulled."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Slots:
    """The cursor: a day index, where it began and where it is, in minutes from midnight."""

    day: int = 0
    anchor: int = 9 * 60
    head: int = 9 * 60

    @property
    def all_day(self) -> bool:
        """Whether the cursor stands above the hours."""
        return self.anchor == ALL_DAY

    @property
    def start(self) -> int:
        """First minute covered."""
        return min(self.anchor, self.head)

    @property
    def end(self) -> int:
        """First minute after what is covered."""
        return max(self.anchor, self.head) + SLOT

    def step(self, days: int, slots: int, *, columns: int) -> Slots:
        """The cursor moved by arrow keys, kept on the page."""
        minute = min(max(self.head + slots * SLOT, ALL_DAY), DAY_MINUTES - SLOT)
        return Slots(min(max(self.day + days, 0), columns - 1), minute, minute)

    def stretch(self, slots: int) -> Slots:
        """The cursor with its end moved by Shift and an arrow key."""
        if self.all_day:
            return self
        head = min(max(self.head + slots * SLOT, 0), DAY_MINUTES - SLOT)
        return Slots(self.day, self.anchor, head)


def snap(minute: float) -> int:
    """The nearest quarter of an hour."""
    return round(minute / SNAP) * SNAP


def moved(
    event: AgendaEvent, zone: ZoneInfo, *, days: int = 0, minutes: int = 0
) -> tuple[datetime, datetime]:
    """Start and end after moving by days and minutes on the wall clock; the length is kept."""
    if event.all_day:
        return event.start + timedelta(days=days), event.end + timedelta(days=days)
    start = instant(wall(event.start, zone) + timedelta(days=days, minutes=minutes), zone)
    return start, start + (event.end - event.start)


def resized(
    event: AgendaEvent, zone: ZoneInfo, edge: Edge, local: datetime
) -> tuple[datetime, datetime]:
    """Start and end after pulling one end to a local time; never shorter than one snap."""
    shortest = timedelta(minutes=SNAP)
    at = instant(local, zone)
    if edge is Edge.START:
        return min(at, event.end - shortest), event.end
    return event.start, max(at, event.start + shortest)


def until_day(event: AgendaEvent, zone: ZoneInfo, days: int) -> tuple[datetime, datetime]:
    """Start and end after the last day moved by days; the hour of the end is kept.

    The first day is the earliest the last one can be.
    """
    if event.all_day:
        shortest = event.start + timedelta(days=1)
        return event.start, max(event.end + timedelta(days=days), shortest)
    end = wall(event.end, zone) + timedelta(days=days)
    while instant(end, zone) <= event.start:
        end += timedelta(days=1)
    return event.start, instant(end, zone)


def nudged(
    event: AgendaEvent, zone: ZoneInfo, step: tuple[int, int], *, resize: bool
) -> tuple[datetime, datetime]:
    """Start and end after an arrow key: a day or a quarter of an hour, moved or longer.

    Args:
        event: what is changed.
        zone: of the person.
        step: days and quarters of an hour.
        resize: the end alone.
    """
    days, quarters = step
    if not resize:
        return moved(event, zone, days=days, minutes=SNAP * quarters)
    if event.all_day:
        return until_day(event, zone, days)
    local = wall(event.end, zone) + timedelta(days=days, minutes=SNAP * quarters)
    return resized(event, zone, Edge.END, local)


def whole_day(day: date, last: date | None = None) -> tuple[datetime, datetime]:
    """Start and end of an all-day event over the days given, both included."""
    first = datetime.combine(day, time(), UTC)
    return first, datetime.combine((last or day) + timedelta(days=1), time(), UTC)


def span(day: date, begin: int, end: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Instants of two positions of a day.

    Where the clock skips the first of them it moves forward; the second lies after it nevertheless.
    """
    start = instant(at(day, begin), zone)
    return start, max(
        instant(at(day, end), zone), start + timedelta(minutes=min(SLOT, end - begin))
    )


def at(day: date, minute: int) -> datetime:
    """The naive local time that a position on the page stands for."""
    return datetime.combine(day, time()) + timedelta(minutes=minute)
