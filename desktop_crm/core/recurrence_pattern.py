"""A recurrence rule taken apart: what an editor shows, and how it follows a series that is moved.

A rule says more than an editor can show (RFC 5545): what is not understood is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

UNREADABLE: Final = N_('The recurrence rule "{rule}" cannot be read; nothing was changed.')
OTHER_MONTH: Final = N_(
    "This series falls into one month of the calendar at a time, so it cannot be moved into "
    "another month by one of its dates. Change its recurrence instead; nothing was moved."
)
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORK_DAYS: Final = frozenset(range(5))
_SHOWN: Final = frozenset({
    "FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "COUNT", "UNTIL", "WKST",
})  # fmt: skip
_COUNTED: Final = {
    "INTERVAL": re.compile(r"0*[1-9]\d{0,3}"),
    "COUNT": re.compile(r"0*[1-9]\d{0,8}"),
}
_LAST: Final = -1


class Frequency(StrEnum):
    """How often a series repeats."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


_FREQUENCIES: Final = frozenset(one.value for one in Frequency)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rule as people think of it.

    Attributes:
        frequency: day, week, month or year.
        interval: every how many of them.
        weekdays: Monday is 0; of a week, or those the position counts.
        position: which of those weekdays of the month (1 to 5, -1 the last); 0 for each.
        month_day: day of the month (-1 the last); 0 when the start says it.
        month: month of a yearly rule; 0 when the start says it.
        count: so many occurrences; 0 for no such end.
        until: last day, in the series' own zone; None for no such end.
        other: parts that no editor shows, by name.
    """

    frequency: Frequency = Frequency.WEEKLY
    interval: int = 1
    weekdays: frozenset[int] = frozenset()
    position: int = 0
    month_day: int = 0
    month: int = 0
    count: int = 0
    until: date | None = None
    other: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_plain(self) -> bool:
        """Whether everything it says can be shown and edited."""
        return not self.other


def parts_of(rule: str) -> dict[str, str]:
    """Parts of a rule by name, in capitals; the prefix is accepted.

    Raises:
        UserError: it names no frequency of days, weeks, months or years, or a number nobody can
            count by: a rule that repeats every 0 days would never come to its second date.
    """
    text = rule.strip().upper().removeprefix("RRULE:")
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    counted = all(form.fullmatch(parts.get(name, "1")) for name, form in _COUNTED.items())
    if parts.get("FREQ") not in _FREQUENCIES or not counted:
        raise UserError(UNREADABLE, rule=rule)
    return parts


def parse(rule: str, start: datetime, zone: ZoneInfo | None = None) -> Pattern:
    """Take a rule apart.

    Args:
        rule: the text after `RRULE:`.
        start: first occurrence, on its own wall clock, naive.
        zone: zone of that clock, in which the end is a day; None for a series of whole days.

    Raises:
        UserError: the rule cannot be read.
    """
    parts = parts_of(rule)
    frequency = Frequency(parts["FREQ"])
    try:
        interval = int(parts.get("INTERVAL", "1"))
        count = int(parts.get("COUNT", "0"))
        until = _day(parts["UNTIL"], zone) if "UNTIL" in parts else None
        pattern = Pattern(frequency, interval, count=count, until=until)
    except ValueError as error:
        raise UserError(UNREADABLE, rule=rule) from error
    other = {name: value for name, value in parts.items() if name not in _SHOWN}
    if parts.get("WKST", "MO") != "MO" and frequency is Frequency.WEEKLY and interval > 1:
        other["WKST"] = parts["WKST"]
    named = ("BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS")
    given = {name: parts[name] for name in named if name in parts}
    shown = _read_days(pattern, dict(given), start)
    if other or shown is None:
        return replace(pattern, other={**other, **given})
    return shown


def _day(text: str, zone: ZoneInfo | None) -> date:
    if zone is not None and text.endswith("Z"):
        return at_end(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), zone).date()
    return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007  a day has no zone


def at_end(moment: datetime, zone: ZoneInfo) -> datetime:
    """The end of a rule on a zone's clock; calendars write the last second of the year 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def _read_days(pattern: Pattern, given: dict[str, str], start: datetime) -> Pattern | None:
    """The days a rule names; None when no editor shows them."""
    frequency = pattern.frequency
    if frequency is Frequency.DAILY:
        if not given:
            return pattern
        if set(given) == {"BYDAY"} and pattern.interval == 1:
            days = _weekdays(given["BYDAY"])
            weekly = replace(pattern, frequency=Frequency.WEEKLY)
            return replace(weekly, weekdays=days) if days else None
        return None
    if frequency is Frequency.WEEKLY:
        if set(given) - {"BYDAY"}:
            return None
        days = _weekdays(given["BYDAY"]) if given else frozenset({start.weekday()})
        return replace(pattern, weekdays=days) if days else None
    if frequency is Frequency.YEARLY:
        month = given.pop("BYMONTH", str(start.month))
        if not month.isdigit() or not 1 <= int(month) <= 12:
            return None
        if given.get("BYDAY") and "BYSETPOS" not in given and not _numbered(given["BYDAY"]):
            return None
        pattern = replace(pattern, month=int(month))
    elif "BYMONTH" in given:
        return None
    return _read_month(pattern, given, start)


def _read_month(pattern: Pattern, given: dict[str, str], start: datetime) -> Pattern | None:
    if not given:
        return replace(pattern, month_day=start.day)
    if set(given) == {"BYMONTHDAY"}:
        text = given["BYMONTHDAY"]
        if not text.lstrip("-").isdigit() or not (1 <= int(text) <= 31 or int(text) == _LAST):
            return None
        return replace(pattern, month_day=int(text))
    if set(given) == {"BYDAY"} and (found := _numbered(given["BYDAY"])):
        return replace(pattern, position=found[0], weekdays=frozenset({found[1]}))
    if set(given) == {"BYDAY", "BYSETPOS"}:
        days, place = _weekdays(given["BYDAY"]), given["BYSETPOS"]
        if days and place.lstrip("-").isdigit() and int(place) in {1, 2, 3, 4, 5, _LAST}:
            return replace(pattern, position=int(place), weekdays=days)
    return None


def _weekdays(text: str) -> frozenset[int] | None:
    names = text.split(",")
    return frozenset(DAYS.index(name) for name in names) if set(names) <= set(DAYS) else None


def _numbered(text: str) -> tuple[int, int] | None:
    """Position and weekday of `2TU` or `-1FR`."""
    number, name = text[:-2], text[-2:]
    if name not in DAYS or not number.lstrip("+-").isdigit():
        return None
    position = int(number)
    return (position, DAYS.index(name)) if position in {1, 2, 3, 4, 5, _LAST} else None


def build(pattern: Pattern, *, all_day: bool, until: datetime | None = None) -> str:
    """The rule of a pattern.

    Args:
        pattern: what it says.
        all_day: whether the series is one of whole days, whose end is a day.
        until: instant in UTC of the last moment of the pattern's `until`; needed with it, unless
            `all_day`.
    """
    parts = {"FREQ": pattern.frequency.value}
    if pattern.interval != 1:
        parts["INTERVAL"] = str(pattern.interval)
    if not pattern.other:
        parts.update(_written_days(pattern))
    parts.update(pattern.other)
    if pattern.count:
        parts["COUNT"] = str(pattern.count)
    elif pattern.until is not None:
        if all_day or until is None:
            parts["UNTIL"] = f"{pattern.until:%Y%m%d}"
        else:
            parts["UNTIL"] = f"{until:%Y%m%dT%H%M%SZ}"
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _written_days(pattern: Pattern) -> dict[str, str]:
    days = ",".join(DAYS[day] for day in sorted(pattern.weekdays))
    found: dict[str, str] = {}
    if pattern.frequency is Frequency.WEEKLY:
        return {"BYDAY": days} if days else {}
    if pattern.frequency is Frequency.DAILY:
        return {}
    if pattern.frequency is Frequency.YEARLY and pattern.month:
        found["BYMONTH"] = str(pattern.month)
    if pattern.position:
        if len(pattern.weekdays) == 1:
            found["BYDAY"] = f"{pattern.position}{days}"
        else:
            found.update({"BYDAY": days, "BYSETPOS": str(pattern.position)})
    elif pattern.month_day:
        found["BYMONTHDAY"] = str(pattern.month_day)
    return found


def usual(frequency: Frequency, start: datetime) -> Pattern:
    """What a person most likely means by a frequency, given the first occurrence."""
    pattern = Pattern(frequency)
    if frequency is Frequency.WEEKLY:
        return replace(pattern, weekdays=frozenset({start.weekday()}))
    if frequency is Frequency.MONTHLY:
        return replace(pattern, month_day=start.day)
    if frequency is Frequency.YEARLY:
        return replace(pattern, month=start.month, month_day=start.day)
    return pattern


@dataclass(frozen=True, slots=True)
class Shift:
    """How a series follows one of its occurrences that was moved.

    Attributes:
        rule: the new rule, without its end.
        first: where the series begins then, on the wall clock: its first date or a day before.
        days: days that other dates of the series (left out, changed, last) move by; the old
            weekday of a weekly series alone moves when `weekday` names it.
        weekday: the weekday that alone moves, None for all.
        clock: the new time of day.
    """

    rule: str
    first: datetime
    days: int
    clock: time
    weekday: int | None = None

    def follow(self, wall: datetime) -> datetime:
        """Where another date of the series lies afterwards."""
        moves = self.weekday is None or wall.weekday() == self.weekday
        day = wall.date() + timedelta(days=self.days if moves else 0)
        return datetime.combine(day, self.clock)


def shifted(rule: str, first: datetime, old: datetime, new: datetime) -> Shift:
    """Move a whole series so that its occurrence at `old` starts at `new`; naive wall clocks.

    Of a weekly series over several weekdays the one weekday moves, as long as it stays in its
    week; else every date moves by as many days. Monthly and yearly ones keep counting as they
    did: the 15th becomes the 17th, the second Tuesday the third Thursday.

    Raises:
        UserError: the series cannot follow, see :data:`OTHER_MONTH`.
    """
    days = (new.date() - old.date()).days
    parts = parts_of(rule)
    if days == 0:
        return Shift(rule, datetime.combine(first.date(), new.time()), 0, new.time())
    frequency = Frequency(parts["FREQ"])
    weekday: int | None = None
    if frequency in {Frequency.MONTHLY, Frequency.YEARLY}:
        _shift_month(parts, old, new)
    elif "BYDAY" in parts:
        names = parts["BYDAY"].split(",")
        if not set(names) <= set(DAYS):
            raise UserError(UNREADABLE, rule=rule)
        week_start = DAYS.index(parts.get("WKST", "MO"))
        week = old.date() - timedelta(days=(old.weekday() - week_start) % 7)
        alone = len(names) > 1 and 0 <= (new.date() - week).days < 7
        if alone and DAYS[new.weekday()] not in names:
            weekday = old.weekday()
            moved = {DAYS[old.weekday()]: DAYS[new.weekday()]}
        else:
            moved = {day: DAYS[(number + days) % 7] for number, day in enumerate(DAYS)}
            if len(names) > 1 and days % 7 and int(parts.get("INTERVAL", "1")) > 1:
                # What was one week stays together when only every second week counts.
                parts["WKST"] = DAYS[(week_start + days) % 7]
        parts["BYDAY"] = ",".join(sorted({moved.get(n, n) for n in names}, key=DAYS.index))
    begin = first.date()
    if weekday is None:
        begin += timedelta(days=days)
    else:
        # The other weekdays of the first week stay, so the series begins no later.
        own = begin + timedelta(days=(weekday - first.weekday()) % 7)
        begin = min(begin, own + timedelta(days=days))
    start = datetime.combine(begin, new.time())
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    return Shift(text, start, days, new.time(), weekday)


def _shift_month(parts: dict[str, str], old: datetime, new: datetime) -> None:
    names = {"BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH"} & parts.keys()
    if not names:
        return
    if (old.year, old.month) != (new.year, new.month) or "," in parts.get("BYMONTHDAY", ""):
        raise UserError(OTHER_MONTH)
    if "BYMONTHDAY" in parts and "BYDAY" not in parts:
        parts["BYMONTHDAY"] = str(new.day)
    elif "BYDAY" in parts and "BYMONTHDAY" not in parts:
        last = (new + timedelta(days=7)).month != new.month
        old_place = parts.pop("BYSETPOS", "") or parts["BYDAY"][:-2]
        place = _LAST if last and old_place == "-1" else (new.day - 1) // 7 + 1
        parts["BYDAY"] = f"{place}{DAYS[new.weekday()]}"
    elif names & {"BYDAY", "BYMONTHDAY"}:
        raise UserError(OTHER_MONTH)


def without_end(rule: str) -> str:
    """A rule without `COUNT` and `UNTIL`."""
    parts = parts_of(rule)
    return ";".join(f"{k}={v}" for k, v in parts.items() if k not in {"COUNT", "UNTIL"})


def with_until(rule: str, last: datetime | date) -> str:
    """A rule that ends at an instant in UTC, or on a day for a series of whole days."""
    text = f"{last:%Y%m%dT%H%M%SZ}" if isinstance(last, datetime) else f"{last:%Y%m%d}"
    return f"{without_end(rule)};UNTIL={text}"


def with_count(rule: str, count: int) -> str:
    """A rule that ends after so many occurrences."""
    return f"{without_end(rule)};COUNT={count}"
