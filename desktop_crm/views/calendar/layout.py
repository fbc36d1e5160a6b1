"""Where events lie on a page of days: pure reckoning in wall-clock time, without Qt.

Inside the calendar a moment is a naive local time: a day column has 24 hours even when the clock
changes on it, as on paper. :func:`instant` and :func:`wall` are the only doors to UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from desktop_crm.core import turns
from desktop_crm.services.calendar.agenda_event import CHRONOLOGICAL, AgendaEvent

_Span: TypeAlias = tuple[int, int, AgendaEvent]
"""First and last day of an event, as ordinals."""

DAY_MINUTES = 24 * 60
WORK_MINUTES = 8 * 60
"""Minutes that a whole day counts for."""

_HOUR = timedelta(hours=1)
_EVENING = 20 * _HOUR
"""What ends by the clock before it, counted in whole hours, ends on the same day.

The rest of its last hour, and an hour or two that a clock may lose meanwhile, end before midnight.
"""

SHORTEST_BLOCK = 20
"""Minutes a block is drawn long at least, so that its text can be read and hit."""


@dataclass(frozen=True, slots=True)
class Block:
    """An event's part in one day column: minutes from midnight, and its share of the width."""

    event: AgendaEvent
    top: int
    bottom: int
    column: int
    columns: int


class Strip(NamedTuple):
    """A bar over whole days: indices of the first and last day shown, and its row."""

    event: AgendaEvent
    row: int
    first: int
    last: int
    begins: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A column where several people or calendars stand side by side.

    Attributes:
        name: what stands above it.
        person: whose events; None for those of a calendar.
        calendar: key of the calendar.
    """

    name: str
    person: int | None = None
    calendar: str = ""

    def holds(self, event: AgendaEvent) -> bool:
        """Whether an event stands in this column."""
        if self.person is None:
            return self.calendar in event.calendars
        return self.person in event.people


def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """The naive local time of an instant."""
    return moment.astimezone(zone).replace(tzinfo=None)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive local time; a time the clock skips moves forward."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def monday(day: date) -> date:
    """The first day of the week that holds a day."""
    return day - timedelta(days=day.weekday())


def month_days(day: date) -> list[date]:
    """The 42 days of the six weeks that show a month."""
    first = monday(day.replace(day=1))
    return [first + timedelta(days=n) for n in range(42)]


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last day when the month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    following = date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))


def covers_days(event: AgendaEvent) -> bool:
    """Whether an event is shown above the hours: all day, or a day long and more."""
    return event.all_day or event.end - event.start >= timedelta(days=1)


def day_span(event: AgendaEvent, zone: ZoneInfo) -> tuple[date, date]:
    """First and last day of an event, both included; all-day dates have no zone."""
    clock = UTC if event.all_day else zone
    begin = event.start.astimezone(clock)
    first = begin.date()
    length = event.end - event.start
    if length < _EVENING and begin.hour * _HOUR + length < _EVENING:
        return first, first  # nearly every meeting: its end need not be looked up in the zone
    last = (event.end - timedelta(microseconds=1)).astimezone(clock).date()
    return first, max(first, last)


def blocks(events: Iterable[AgendaEvent], day: date, zone: ZoneInfo) -> list[Block]:
    """Blocks of one day, overlapping ones side by side.

    Events that overlap directly or through a third share the width in as few columns as they
    need, which is what a person expects from a paper diary.
    """
    midnight = datetime.combine(day, time())
    # An hour more on either side: where the clock changes, its hours lie where the clock says.
    since = instant(midnight, zone) - timedelta(hours=1)
    until = instant(midnight + timedelta(days=1), zone) + timedelta(hours=1)
    pieces: list[tuple[int, int, AgendaEvent]] = []
    for event in events:
        if event.start > until or event.end < since or covers_days(event):
            continue
        top, bottom = _minute(event.start, day, zone), _minute(event.end, day, zone)
        if top < DAY_MINUTES and (bottom > 0 or (bottom == top == 0)):
            top = max(0, top)
            bottom = min(DAY_MINUTES, max(bottom, top + SHORTEST_BLOCK))
            pieces.append((top, bottom, event))
    pieces.sort(key=lambda piece: (piece[0], -piece[1], piece[2].id))
    placed: list[Block] = []
    cluster: list[tuple[int, int, AgendaEvent]] = []
    reach = -1
    for piece in pieces:
        if cluster and piece[0] >= reach:
            placed.extend(_side_by_side(cluster))
            cluster = []
        cluster.append(piece)
        reach = max(reach, piece[1])
    return placed + _side_by_side(cluster)


def _minute(moment: datetime, day: date, zone: ZoneInfo) -> int:
    """Minutes from the midnight that begins a day, by the clock."""
    local = moment.astimezone(zone)
    return (local.toordinal() - day.toordinal()) * DAY_MINUTES + local.hour * 60 + local.minute


def _side_by_side(cluster: Sequence[tuple[int, int, AgendaEvent]]) -> list[Block]:
    ends: list[int] = []
    columns: list[int] = []
    for top, bottom, _ in cluster:
        free = next((n for n, end in enumerate(ends) if end <= top), len(ends))
        if free == len(ends):
            ends.append(bottom)
        else:
            ends[free] = bottom
        columns.append(free)
    return [
        Block(event, top, bottom, column, len(ends))
        for (top, bottom, event), column in zip(cluster, columns, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Events that a column has no room for: when they are, and which."""

    top: int
    bottom: int
    events: tuple[AgendaEvent, ...]


def fitted(placed: Sequence[Block], most: int) -> tuple[list[Block], list[Crowd]]:
    """Blocks with at most so many side by side, and those left out, where they overlap together.

    The last column is then for saying how many are left out.
    """
    shown: list[Block] = []
    left_out: list[Block] = []
    for block in placed:
        if block.columns <= most:
            shown.append(block)
        elif block.column < most - 1:
            shown.append(replace(block, columns=most))
        else:
            left_out.append(block)
    crowds: list[Crowd] = []
    for block in sorted(left_out, key=lambda one: one.top):
        if crowds and block.top < crowds[-1].bottom:
            last = crowds.pop()
            bottom = max(last.bottom, block.bottom)
            crowds.append(Crowd(last.top, bottom, (*last.events, block.event)))
        else:
            crowds.append(Crowd(block.top, block.bottom, (block.event,)))
    return shown, crowds


def strips(
    events: Iterable[AgendaEvent],
    days: Sequence[date],
    zone: ZoneInfo,
    *,
    every_event: bool = False,
) -> list[Strip]:
    """Bars over consecutive days, longest first, in as few rows as they need.

    Args:
        events: what to place.
        days: consecutive days shown.
        zone: zone of the person.
        every_event: place short events too, as a month does; else only whole-day ones.
    """
    wanted = (event for event in events if every_event or covers_days(event))
    return _placed((_span(event, zone) for event in wanted), days)


def weeks(events: Iterable[AgendaEvent], days: Sequence[date], zone: ZoneInfo) -> list[list[Strip]]:
    """Bars of every event, week by week."""
    found: list[list[_Span]] = [[] for _ in range(0, len(days), 7)]
    origin, most = days[0].toordinal(), len(found) - 1
    for event in events:
        span = first, last, _ = _span(event, zone)
        for week in range(max(0, (first - origin) // 7), min(most, (last - origin) // 7) + 1):
            found[week].append(span)
    return [_placed(spans, days[7 * n : 7 * n + 7]) for n, spans in enumerate(found)]


def _span(event: AgendaEvent, zone: ZoneInfo) -> _Span:
    first, last = day_span(event, zone)
    return first.toordinal(), last.toordinal(), event


def _placed(spans: Iterable[_Span], days: Sequence[date]) -> list[Strip]:
    """Bars in their rows; a month has thousands, so that each is looked at once."""
    first_day, last_day = days[0].toordinal(), days[-1].toordinal()
    bars = []
    for first, last, event in spans:
        if first <= last_day and last >= first_day:
            shown = max(first, first_day)
            # As they shall lie: whole days above hours, the longest first, then as they begin.
            order = (shown, not covers_days(event), shown - last, event.start, event.id)
            bars.append((order, first, last, event))
    bars.sort()
    rows: list[int] = []  # for each the days that are taken, as bits
    free = [0] * len(days)  # for each day the first row that may be free there
    placed = []
    for order, first, last, event in bars:
        begin, end = order[0] - first_day, min(last, last_day) - first_day
        wanted = (2 << end) - (1 << begin)
        row = max(free[begin : end + 1])
        while row < len(rows) and rows[row] & wanted:
            row += 1
        if row == len(rows):
            rows.append(0)
        rows[row] |= wanted
        if begin == end:
            free[begin] = row + 1
        placed.append(Strip(event, row, begin, end, first >= first_day, last <= last_day))
    return placed


@dataclass(frozen=True, slots=True)
class Fullness:
    """How full days are: minutes that are busy, and how many events touch them."""

    minutes: Mapping[date, int]
    counts: Mapping[date, int]


def fullness(events: Iterable[AgendaEvent], zone: ZoneInfo) -> Fullness:
    """How full the days of some events are; whole days count as eight hours, free time as none.

    Some microseconds for each event: those of a year are counted off the UI thread.
    """
    minutes: dict[date, int] = {}
    counts: dict[date, int] = {}
    for event in events:
        turns.give_way()
        first, last = day_span(event, zone)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            counts[day] = counts.get(day, 0) + 1
            if event.show_as != "free":
                minutes[day] = minutes.get(day, 0) + _minutes_on(event, day, first == last, zone)
    return Fullness(minutes, counts)


def _minutes_on(event: AgendaEvent, day: date, alone: bool, zone: ZoneInfo) -> int:
    """Busy minutes of an event on one of its days, which may be its only one."""
    if event.all_day:
        return WORK_MINUTES
    if alone:
        return (event.end - event.start) // timedelta(minutes=1)
    midnight = datetime.combine(day, time())
    top = max(midnight, wall(event.start, zone))
    bottom = min(midnight + timedelta(days=1), wall(event.end, zone))
    return max(0, (bottom - top) // timedelta(minutes=1))


def chronological(events: Iterable[AgendaEvent]) -> list[AgendaEvent]:
    """Events in reading order."""
    return sorted(events, key=CHRONOLOGICAL)
