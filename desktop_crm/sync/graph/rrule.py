"""Between the recurrence Microsoft Graph describes and an RFC 5545 rule, both ways.

Source: patternedRecurrence in the Graph reference; a day that a month lacks means the month's
last day there, which RFC 5545 says with BYSETPOS.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from desktop_crm.sync.formats import zones

_DAYS: Final = {
    "sunday": "SU",
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
}
_NAMES: Final = {short: name for name, short in _DAYS.items()}
_INDEX: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_POSITIONS: Final = {number: name for name, number in _INDEX.items()}
_NTH: Final = re.compile(r"^([+-]?\d)?(MO|TU|WE|TH|FR|SA|SU)$")

Pattern = Mapping[str, Any]


class Untellable(Exception):
    """A rule that the service has no pattern for; the text is the part it stumbled over."""


def rule_of(recurrence: Mapping[str, Any]) -> str:
    """Rule of a patternedRecurrence.

    Raises:
        ValueError: the pattern is of a kind that is not known.
        KeyError: a part of it is missing.
    """
    pattern, span = recurrence["pattern"], recurrence.get("range") or {}
    kind = str(pattern.get("type"))
    if kind not in _PATTERNS:
        raise ValueError(f"unknown recurrence pattern {kind!r}")
    ends = ""
    if span.get("type") == "numbered":
        ends = f";COUNT={int(span['numberOfOccurrences'])}"
    elif span.get("type") == "endDate":
        ends = f";UNTIL={date.fromisoformat(str(span['endDate'])[:10]):%Y%m%d}"
    return _PATTERNS[kind](pattern) + ends


def _interval(pattern: Pattern) -> str:
    count = int(pattern.get("interval") or 1)
    return f";INTERVAL={count}" if count > 1 else ""


def _weekdays(pattern: Pattern) -> list[str]:
    return list(dict.fromkeys(_DAYS[str(day).lower()] for day in pattern["daysOfWeek"]))


def _weekly(pattern: Pattern) -> str:
    first = _DAYS.get(str(pattern.get("firstDayOfWeek")).lower(), "MO")
    days = ",".join(_weekdays(pattern))
    return f"FREQ=WEEKLY{_interval(pattern)};BYDAY={days};WKST={first}"


def _month_day(pattern: Pattern, sure: int = 28) -> str:
    """Day of the month; `sure` is the last one that every month concerned has."""
    day = int(pattern["dayOfMonth"])
    if day <= sure:
        return f";BYMONTHDAY={day}"
    return f";BYMONTHDAY={','.join(str(n) for n in range(28, day + 1))};BYSETPOS=-1"


def _nth_day(pattern: Pattern) -> str:
    position = _INDEX[str(pattern.get("index") or "first").lower()]
    days = _weekdays(pattern)
    if len(days) == 1:
        return f";BYDAY={position}{days[0]}"
    return f";BYDAY={','.join(days)};BYSETPOS={position}"


def _month(pattern: Pattern) -> str:
    return f";BYMONTH={int(pattern['month'])}"


def _year_day(pattern: Pattern) -> str:
    return _month(pattern) + _month_day(pattern, _shortest(int(pattern["month"])))


def _shortest(month: int) -> int:
    """Days the month has in every year."""
    return monthrange(2001, month)[1]


_PATTERNS: Final[dict[str, Callable[[Pattern], str]]] = {
    "daily": lambda p: "FREQ=DAILY" + _interval(p),
    "weekly": _weekly,
    "absoluteMonthly": lambda p: f"FREQ=MONTHLY{_interval(p)}{_month_day(p)}",
    "relativeMonthly": lambda p: f"FREQ=MONTHLY{_interval(p)}{_nth_day(p)}",
    "absoluteYearly": lambda p: f"FREQ=YEARLY{_interval(p)}{_year_day(p)}",
    "relativeYearly": lambda p: f"FREQ=YEARLY{_interval(p)}{_month(p)}{_nth_day(p)}",
}


def recurrence_of(rule: str, start: datetime | date, zone: str) -> dict[str, Any]:
    """The patternedRecurrence of a rule.

    Args:
        rule: RFC 5545 rule without its name.
        start: wall-clock start of the first occurrence, or its day.
        zone: zone of the wall clock as the service names it.

    Raises:
        Untellable: the service has no pattern for it.
    """
    parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    first = start.date() if isinstance(start, datetime) else start
    span: dict[str, Any] = {
        "type": "noEnd",
        "startDate": first.isoformat(),
        "recurrenceTimeZone": zone,
    }
    if count := parts.pop("COUNT", ""):
        span |= {"type": "numbered", "numberOfOccurrences": int(count)}
    elif until := parts.pop("UNTIL", ""):
        span |= {"type": "endDate", "endDate": _last_day(until, zone).isoformat()}
    pattern: dict[str, Any] = {"interval": int(parts.pop("INTERVAL", "1"))}
    week = parts.pop("WKST", "MO")
    freq = parts.pop("FREQ", "")
    if freq not in _WRITERS:
        raise Untellable(f"FREQ={freq}")
    pattern |= _WRITERS[freq](parts, first)
    if pattern["type"] == "weekly":
        pattern["firstDayOfWeek"] = _NAMES[week]
    if parts:
        raise Untellable(";".join(f"{name}={value}" for name, value in parts.items()))
    return {"pattern": pattern, "range": span}


def _last_day(until: str, zone: str) -> date:
    """Day of the wall clock a rule ends on."""
    if not until.endswith("Z"):
        return datetime.strptime(until[:8], "%Y%m%d").replace(tzinfo=UTC).date()
    at = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return at.astimezone(zones.zone_by_name(zone) or UTC).date()


def _write_daily(parts: dict[str, str], first: date) -> dict[str, Any]:
    return {"type": "daily"}


def _write_weekly(parts: dict[str, str], first: date) -> dict[str, Any]:
    days = parts.pop("BYDAY", "") or list(_NAMES)[(first.weekday() + 1) % 7]
    return {"type": "weekly", "daysOfWeek": _plain_days(days)}


def _plain_days(text: str) -> list[str]:
    found = [_NTH.match(day) for day in text.split(",")]
    if any(match is None or match[1] for match in found):
        raise Untellable(f"BYDAY={text}")
    return [_NAMES[match[2]] for match in found if match]


def _write_monthly(parts: dict[str, str], first: date) -> dict[str, Any]:
    if "BYDAY" in parts:
        return {"type": "relativeMonthly", **_relative(parts)}
    return {"type": "absoluteMonthly", "dayOfMonth": _day(parts, first)}


def _write_yearly(parts: dict[str, str], first: date) -> dict[str, Any]:
    month = parts.pop("BYMONTH", str(first.month))
    if not month.isdigit():
        raise Untellable(f"BYMONTH={month}")
    if "BYDAY" in parts:
        return {"type": "relativeYearly", "month": int(month), **_relative(parts)}
    day = _day(parts, first, _shortest(int(month)))
    return {"type": "absoluteYearly", "month": int(month), "dayOfMonth": day}


def _relative(parts: dict[str, str]) -> dict[str, Any]:
    text = parts.pop("BYDAY")
    match = _NTH.match(text)
    if match and match[1]:
        position, days = int(match[1]), [_NAMES[match[2]]]
    else:
        position, days = int(parts.pop("BYSETPOS", "0") or 0), _plain_days(text)
    if position not in _POSITIONS:
        raise Untellable(f"BYDAY={text}")
    return {"index": _POSITIONS[position], "daysOfWeek": days}


def _day(parts: dict[str, str], first: date, sure: int = 28) -> int:
    """Day of the month; a row of days whose last counts is the last of them."""
    text = parts.pop("BYMONTHDAY", str(first.day))
    days = text.split(",")
    if len(days) == 1 and days[0].isdigit():
        # In a month without it the service takes the last day, RFC 5545 takes none.
        if int(days[0]) > sure:
            raise Untellable(f"BYMONTHDAY={text}")
        return int(days[0])
    row = [str(n) for n in range(28, 28 + len(days))]
    if text == "-1":
        return 31
    if days == row and parts.pop("BYSETPOS", "") == "-1":
        return int(days[-1])
    raise Untellable(f"BYMONTHDAY={text}")


_WRITERS: Final[dict[str, Callable[[dict[str, str], date], dict[str, Any]]]] = {
    "DAILY": _write_daily,
    "WEEKLY": _write_weekly,
    "MONTHLY": _write_monthly,
    "YEARLY": _write_yearly,
}
