"""Times that suit several people: pure reckoning over their busy times and working hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=30)
"""Slots begin at the full and the half hour."""

WORK_FROM, WORK_TO = time(9), time(17)
HORIZON = timedelta(days=60)
"""How far ahead a slot is looked for."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time, aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class PersonTimes:
    """One person's time.

    Attributes:
        zone: zone of their working hours.
        busy: when they are not free, in any order, overlapping or not; None when nobody knows.
        begins: start of their working day.
        ends: its end.
        days: their working days, Monday is 0.
    """

    zone: ZoneInfo
    busy: tuple[Slot, ...] | None = ()
    begins: time = WORK_FROM
    ends: time = WORK_TO
    days: frozenset[int] = frozenset(range(5))

    def works(self, slot: Slot) -> bool:
        """Whether a slot lies inside one working day of theirs."""
        first, last = slot.start.astimezone(self.zone), slot.end.astimezone(self.zone)
        if first.weekday() not in self.days or first.date() != last.date():
            return False
        return self.begins <= first.time() and last.time() <= self.ends


def free_slots(
    people: Sequence[PersonTimes],
    after: datetime,
    length: timedelta,
    count: int,
    *,
    apart: timedelta = timedelta(0),
) -> list[Slot]:
    """The next slots in which everybody works and nobody is known to be busy.

    Args:
        people: everybody who takes part, oneself included.
        after: the first moment that may be offered, aware.
        length: of the meeting.
        count: how many slots at most.
        apart: least time from the start of one slot to the next one, beyond its length.

    Cost: one step for each half hour of :data:`HORIZON` at most.
    """
    taken = merged(slot for person in people for slot in person.busy or ())
    found: list[Slot] = []
    moment = _up(after.astimezone(UTC))
    last = moment + HORIZON
    index = 0
    while moment < last and len(found) < count:
        slot = Slot(moment, moment + length)
        while index < len(taken) and taken[index].end <= slot.start:
            index += 1
        if index < len(taken) and taken[index].start < slot.end:
            moment = _up(taken[index].end)
        elif all(person.works(slot) for person in people):
            found.append(slot)
            moment = _up(max(slot.end, slot.start + apart))
        else:
            moment += STEP
    return found


def merged(slots: Iterable[Slot]) -> list[Slot]:
    """Stretches joined where they touch or overlap, in order; empty ones are left out."""
    found: list[Slot] = []
    for slot in sorted(slots, key=lambda one: one.start):
        if slot.end <= slot.start:
            continue
        if found and slot.start <= found[-1].end:
            found[-1] = Slot(found[-1].start, max(found[-1].end, slot.end))
        else:
            found.append(slot)
    return found


def _up(moment: datetime) -> datetime:
    """The next half hour of UTC, which is one in nearly every zone."""
    over = (moment - datetime.min.replace(tzinfo=UTC)) % STEP
    return moment + (STEP - over) if over else moment
