"""Occurrences of a recurring series, derived from its rule; nothing is stored for them.

A series is kept as an RFC 5545 rule, the wall-clock start and an IANA zone (rule R34), so that
a meeting at 09:00 stays at 09:00 when the clock changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from desktop_crm.core.clock import EPOCH, NAIVE_EPOCH
from desktop_crm.core.errors import UserError
from desktop_crm.core.recurrence_pattern import DAYS, UNREADABLE, at_end, parts_of, without_end

WINDOW_LIMIT = 2_000
"""The most occurrences of one series in one window: more is a broken rule, not a diary."""


LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The most days each month can have."""


class Occurrence(NamedTuple):
    """One occurrence: `wall` is its naive start in the series' zone, `start` the instant in UTC."""

    wall: datetime
    start: datetime


def occurrences(
    rule: str,
    start_wall: datetime,
    zone: ZoneInfo | None,
    exdates: Collection[datetime],
    *,
    window_start: datetime,
    window_end: datetime,
) -> list[Occurrence]:
    """Occurrences that start in the half-open window, in order.

    Args:
        rule: the text after `RRULE:` (the prefix is accepted).
        start_wall: naive wall-clock start of the first occurrence; midnight for an all-day series.
        zone: zone of the wall clock; None for an all-day series, which is reckoned in UTC.
        exdates: naive wall-clock starts that were cancelled or moved elsewhere.
        window_start: first instant, aware.
        window_end: first instant after the window, aware.

    Raises:
        UserError: the rule cannot be read.
    """
    clock = zone or ZoneInfo("UTC")
    last = (window_end.astimezone(clock) + timedelta(days=1)).replace(tzinfo=None)
    since = (window_start.astimezone(clock) - timedelta(days=1)).replace(tzinfo=None)
    skipped = frozenset(exdates)
    found: list[Occurrence] = []
    for wall in _walls(rule, start_wall, clock, last, since):
        if wall < since:
            continue
        # What `astimezone` gives for a wall time with its zone, in a tenth of the time.
        offset = clock.utcoffset(wall)
        assert offset is not None  # noqa: S101  a zone has one at each time
        start = EPOCH + (wall - NAIVE_EPOCH - offset)
        if start >= window_end or len(found) >= WINDOW_LIMIT:
            break
        if start >= window_start and wall not in skipped:
            found.append(Occurrence(wall, start))
    return found


def check(rule: str, first: datetime) -> None:
    """See whether a rule can be followed from an instant on.

    Raises:
        UserError: it cannot be read.
    """
    # A rule reads alike wherever it begins; beyond these years no day lies around the first one.
    begin = first if MINYEAR + 1 < first.year < MAXYEAR - 1 else datetime(2000, 1, 1, tzinfo=UTC)
    begin = begin.replace(tzinfo=UTC)
    wall, after = begin.replace(tzinfo=None), begin + timedelta(days=1)
    occurrences(rule, wall, None, (), window_start=begin, window_end=after)


def walls(
    rule: str, start_wall: datetime, zone: ZoneInfo | None, before: datetime
) -> list[datetime]:
    """Wall-clock starts by the rule alone that lie before a wall-clock time.

    Raises:
        UserError: the rule cannot be read.
    """
    clock = zone or ZoneInfo("UTC")
    found = islice(_walls(rule, start_wall, clock, before), WINDOW_LIMIT * 10)
    return [wall for wall in found if wall < before]


def last_wall(rule: str, start_wall: datetime, zone: ZoneInfo | None) -> datetime | None:
    """Wall-clock start of the last occurrence; None when the series has no end.

    Raises:
        UserError: the rule cannot be read.
    """
    parts = parts_of(rule)
    if "COUNT" not in parts and "UNTIL" not in parts:
        return None
    clock = zone or ZoneInfo("UTC")
    far = start_wall + timedelta(days=366 * 100)
    last = start_wall
    for wall in islice(_walls(rule, start_wall, clock, far), WINDOW_LIMIT * 10):
        last = wall
    return last


def _walls(
    rule: str, start: datetime, zone: ZoneInfo, last: datetime, since: datetime | None = None
) -> Iterator[datetime]:
    """Wall-clock starts up to `last`, the start itself always among them (RFC 5545, 3.8.5.3).

    With `since` some of those before it may be left out.
    """
    found = _by_rule(rule, start, zone, last, since)
    first = next(found, None)
    if first != start and start <= last:
        yield start
    if first is not None:
        yield first
        yield from found


def first_by_rule(rule: str, wall: datetime, zone: ZoneInfo | None) -> datetime | None:
    """First wall-clock time at or after one that a rule without an end gives; None for none.

    Raises:
        UserError: the rule cannot be read.
    """
    far = wall + timedelta(days=366 * 100)
    return next(_by_rule(without_end(rule), wall, zone or ZoneInfo("UTC"), far), None)


def _by_rule(
    rule: str, start: datetime, zone: ZoneInfo, last: datetime, since: datetime | None = None
) -> Iterator[datetime]:
    """Wall-clock starts up to `last`: always bounded, so that a rule without a match ends too."""
    parts = parts_of(rule)
    count = parts.pop("COUNT", None)
    until = parts.pop("UNTIL", None)
    try:
        limit = min(_until(until, zone), last) if until else last
        if since is not None and limit < since:
            return iter(())
        begin = start if count or since is None else _nearer(parts, start, since)
        rule_alone = _read(";".join(f"{name}={value}" for name, value in parts.items()))
        if _names_no_day(parts):
            return iter(())
        found = _plain(parts, begin, limit)
        if found is None:
            found = iter(rule_alone.replace(dtstart=begin, until=limit))
        return islice(found, int(count) if count else None)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(UNREADABLE, rule=rule) from error


@lru_cache(maxsize=256)
def _read(text: str) -> rrule:
    """A rule read by the library; people use few of them, and reading takes longest."""
    series = rrulestr(text, dtstart=datetime.combine(date(2000, 1, 1), time()))
    if not isinstance(series, rrule):
        raise ValueError(text)
    return series


def _plain(parts: dict[str, str], begin: datetime, limit: datetime) -> Iterator[datetime] | None:
    """Dates of every so many days or weeks, None for other rules.

    Nearly all meetings have such a rule. The library takes ten times as long for each of their
    dates, which is most of what a page of a busy calendar costs; a test holds both together.
    """
    step = int(parts.get("INTERVAL", "1"))
    days = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    odd = parts.keys() - {"FREQ", "INTERVAL", "BYDAY", "WKST"}
    if odd or step < 1 or parts.get("WKST", "MO") != "MO" or not set(days) <= set(DAYS):
        return None
    if parts["FREQ"] == "DAILY" and not days:
        return _every(begin, [timedelta(0)], timedelta(days=step), begin, limit)
    if parts["FREQ"] == "WEEKLY":
        weekdays = sorted({DAYS.index(day) for day in days}) or [begin.weekday()]
        monday = begin - timedelta(days=begin.weekday())
        offsets = [timedelta(days=day) for day in weekdays]
        return _every(monday, offsets, timedelta(weeks=step), begin, limit)
    return None


def _every(
    first: datetime,
    offsets: Sequence[timedelta],
    step: timedelta,
    begin: datetime,
    limit: datetime,
) -> Iterator[datetime]:
    while first <= limit:
        for offset in offsets:
            wall = first + offset
            if begin <= wall <= limit:
                yield wall
        if limit - first < step:
            return
        first += step


def _nearer(parts: dict[str, str], start: datetime, since: datetime) -> datetime:
    """A start shortly before `since` from which the rule goes on as it does from its own.

    Days, weeks and the named days of months repeat alike after a whole number of intervals, so
    that the years of a meeting need not be counted through. Positions in a week are counted from
    the start of the first one; those of a month are the same whenever one begins.
    """
    interval = max(1, int(parts.get("INTERVAL", "1")))
    if parts["FREQ"] == "MONTHLY" and parts.keys() & {"BYDAY", "BYMONTHDAY"}:
        between = 12 * (since.year - start.year) + since.month - start.month
        passed = between // interval * interval
        if passed <= 0:
            return start
        years, month = divmod(start.month - 1 + passed, 12)
        return start.replace(year=start.year + years, month=month + 1, day=1)
    period = {"DAILY": 1, "WEEKLY": 7}.get(parts["FREQ"])
    if period is None or "BYSETPOS" in parts:
        return start
    step = period * interval
    return start + timedelta(days=max(0, (since - start).days // step - 1) * step)


def _names_no_day(parts: dict[str, str]) -> bool:
    """Whether no month the rule names has a day it names, e.g. 30 February.

    Such a rule would be followed day by day to the last year there is.
    """
    if not parts.get("BYMONTHDAY"):
        return False
    named = parts.get("BYMONTH")
    months = {int(month) for month in named.split(",")} if named else set(range(1, 13))
    longest = max((LONGEST_MONTHS[month - 1] for month in months if 1 <= month <= 12), default=0)
    return all(abs(int(day)) not in range(1, longest + 1) for day in parts["BYMONTHDAY"].split(","))


@lru_cache(maxsize=256)
def _until(text: str, zone: ZoneInfo) -> datetime:
    """The end of a rule as wall clock; a bare date counts to its last second.

    Kept, as reading it takes longer than the dates of a month.
    """
    bare_date = len(text) == len("20261231")
    moment = datetime.strptime(
        (text + "T235959" if bare_date else text).removesuffix("Z"), "%Y%m%dT%H%M%S"
    ).replace(tzinfo=UTC)
    return (at_end(moment, zone) if text.endswith("Z") else moment).replace(tzinfo=None)
