"""From the recurrence Exchange describes to an RFC 5545 rule.

Source: the schema of RecurrenceType in the EWS reference; a day that a month lacks means the
month's last day there, which RFC 5545 says with BYSETPOS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

_DAYS: Final = {
    "sunday": "SU",
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
}
_GROUPS: Final = {
    "day": "SU,MO,TU,WE,TH,FR,SA",
    "weekday": "MO,TU,WE,TH,FR",
    "weekendday": "SA,SU",
}
_INDEX: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def rule_of(element: Any, namespace: str) -> str:  # noqa: ANN401  an lxml element
    """Rule of a Recurrence element.

    Raises:
        ValueError: the pattern is of a kind that is not known.
    """
    pattern = range_ = ""
    for child in element:
        name = str(child.tag).removeprefix(namespace)
        fields = {str(c.tag).removeprefix(namespace): (c.text or "").strip() for c in child}
        if name in _PATTERNS:
            pattern = _PATTERNS[name](fields)
        elif name == "NumberedRecurrence":
            range_ = f";COUNT={int(fields['NumberOfOccurrences'])}"
        elif name == "EndDateRecurrence":
            range_ = f";UNTIL={_day(fields['EndDate'])}"
    if not pattern:
        raise ValueError("unknown recurrence pattern")
    return pattern + range_


def _day(text: str) -> str:
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)", text)
    if not match:
        raise ValueError(f"unreadable date {text!r}")
    return "".join(match.groups())


def _interval(fields: dict[str, str]) -> str:
    count = int(fields.get("Interval") or 1)
    return f";INTERVAL={count}" if count > 1 else ""


def _daily(fields: dict[str, str]) -> str:
    return "FREQ=DAILY" + _interval(fields)


def _weekly(fields: dict[str, str]) -> str:
    days = ",".join(_weekdays(fields["DaysOfWeek"]))
    first = _DAYS.get(fields.get("FirstDayOfWeek", "").lower(), "MO")
    return f"FREQ=WEEKLY{_interval(fields)};BYDAY={days};WKST={first}"


def _weekdays(text: str) -> list[str]:
    found: list[str] = []
    for word in text.lower().split():
        found += _GROUPS[word].split(",") if word in _GROUPS else [_DAYS[word]]
    return list(dict.fromkeys(found))


def _month_day(fields: dict[str, str]) -> str:
    day = int(fields["DayOfMonth"])
    if day <= 28:
        return f";BYMONTHDAY={day}"
    return f";BYMONTHDAY={','.join(str(n) for n in range(28, day + 1))};BYSETPOS=-1"


def _nth_day(fields: dict[str, str]) -> str:
    position = _INDEX[fields["DayOfWeekIndex"].lower()]
    days = _weekdays(fields["DaysOfWeek"])
    if len(days) == 1:
        return f";BYDAY={position}{days[0]}"
    return f";BYDAY={','.join(days)};BYSETPOS={position}"


def _month(fields: dict[str, str]) -> str:
    return f";BYMONTH={_MONTHS.index(fields['Month'].lower()) + 1}"


_PATTERNS: Final[dict[str, Callable[[dict[str, str]], str]]] = {
    "DailyRecurrence": _daily,
    "WeeklyRecurrence": _weekly,
    "AbsoluteMonthlyRecurrence": lambda f: f"FREQ=MONTHLY{_interval(f)}{_month_day(f)}",
    "RelativeMonthlyRecurrence": lambda f: f"FREQ=MONTHLY{_interval(f)}{_nth_day(f)}",
    "AbsoluteYearlyRecurrence": lambda f: f"FREQ=YEARLY{_month(f)}{_month_day(f)}",
    "RelativeYearlyRecurrence": lambda f: f"FREQ=YEARLY{_month(f)}{_nth_day(f)}",
}
