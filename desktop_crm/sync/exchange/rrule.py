"""The recurrence Exchange describes and RFC 5545 rules, both ways.

Source: the schema of RecurrenceType in the EWS reference; a day that a month lacks means the
month's last day there, which RFC 5545 says with BYSETPOS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.recurrence import LONGEST_MONTHS
from desktop_crm.sync.exchange.xml import Element, node

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


def rule_of(element: Element, namespace: str) -> str:
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


_KNOWN: Final = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
)
_DAY_NAMES: Final = {short: name.capitalize() for name, short in _DAYS.items()}
_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_INDEX_NAMES: Final = {number: name.capitalize() for name, number in _INDEX.items()}
_GROUP_NAMES: Final = {
    frozenset(codes.split(",")): name
    for name, codes in (
        ("Day", _GROUPS["day"]),
        ("Weekday", _GROUPS["weekday"]),
        ("WeekendDay", _GROUPS["weekendday"]),
    )
}
_ENTRY: Final = re.compile(r"([+-]?\d+)?([A-Z]{2})")
SHORTEST: Final = 28
"""Days every month has; later ones Exchange moves to the end of a shorter month."""


class _Impossible(Exception):
    """Exchange has no pattern for the rule."""


def recurrence_of(rule: str, first: date, zone: str) -> Element:
    """Recurrence element of a rule.

    Args:
        rule: RFC 5545 rule without its name.
        first: first occurrence by the wall clock; a naive datetime where it has a time.
        zone: IANA zone of the wall clock; empty for UTC.

    Raises:
        UserError: Exchange has no pattern for it.
    """
    parts = dict(p.split("=", 1) for p in rule.strip().upper().split(";") if "=" in p)
    try:
        if not parts.keys() <= _KNOWN:
            raise _Impossible
        pattern = _WRITERS[parts["FREQ"]](parts, first)
        return node("t:Recurrence", pattern, _range(parts, first, zone))
    except (_Impossible, KeyError, ValueError) as error:
        raise UserError(
            N_(
                'Exchange cannot hold the repetition "{rule}". Nothing was changed in the mailbox; '
                "choose a daily, weekly, monthly or yearly one on fixed days."
            ),
            field="rrule",
            rule=rule,
        ) from error


def _range(parts: dict[str, str], first: date, zone: str) -> Element:
    start = node("t:StartDate", first.strftime("%Y-%m-%d"))
    if "COUNT" in parts:
        count = node("t:NumberOfOccurrences", str(int(parts["COUNT"])))
        return node("t:NumberedRecurrence", start, count)
    if "UNTIL" in parts:
        last = _last_day(parts["UNTIL"], first, zone)
        return node("t:EndDateRecurrence", start, node("t:EndDate", last.strftime("%Y-%m-%d")))
    return node("t:NoEndRecurrence", start)


def _last_day(until: str, first: date, zone: str) -> date:
    if "T" not in until:
        return datetime.strptime(until, "%Y%m%d").replace(tzinfo=UTC).date()
    end = datetime.strptime(until.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    if until.endswith("Z") and zone:
        end = end.astimezone(ZoneInfo(zone))
    before = isinstance(first, datetime) and end.time() < first.time()
    return end.date() - timedelta(days=1) if before else end.date()


def _step(parts: dict[str, str], times: int = 1) -> Element:
    return node("t:Interval", str(int(parts.get("INTERVAL", "1")) * times))


def _only(parts: dict[str, str], *names: str) -> None:
    if any(name.startswith("BY") and name not in names for name in parts):
        raise _Impossible


def _write_daily(parts: dict[str, str], first: date) -> Element:
    if parts.get("INTERVAL", "1") == "1" and "BYDAY" in parts:
        return _write_weekly(parts, first)
    _only(parts)
    return node("t:DailyRecurrence", _step(parts))


def _write_weekly(parts: dict[str, str], first: date) -> Element:
    _only(parts, "BYDAY")
    codes = parts["BYDAY"].split(",") if "BYDAY" in parts else [_CODES[first.weekday()]]
    return node(
        "t:WeeklyRecurrence",
        _step(parts),
        node("t:DaysOfWeek", " ".join(_DAY_NAMES[code] for code in codes)),
        node("t:FirstDayOfWeek", _DAY_NAMES[parts.get("WKST", "MO")]),
    )


def _write_monthly(parts: dict[str, str], first: date, times: int = 1) -> Element:
    if "BYDAY" in parts:
        _only(parts, "BYDAY", "BYSETPOS")
        return node("t:RelativeMonthlyRecurrence", _step(parts, times), *_nth(parts))
    _only(parts, "BYMONTHDAY", "BYSETPOS")
    day = node("t:DayOfMonth", str(_day_of_month(parts, first, SHORTEST)))
    return node("t:AbsoluteMonthlyRecurrence", _step(parts, times), day)


def _write_yearly(parts: dict[str, str], first: date) -> Element:
    month = int(parts.get("BYMONTH", first.month))
    if parts.get("INTERVAL", "1") != "1":
        if month != first.month:
            raise _Impossible
        monthly = {name: value for name, value in parts.items() if name != "BYMONTH"}
        return _write_monthly(monthly, first, times=12)
    name = node("t:Month", _MONTHS[month - 1].capitalize())
    if "BYDAY" in parts:
        _only(parts, "BYDAY", "BYSETPOS", "BYMONTH")
        if "BYMONTH" not in parts:
            raise _Impossible
        return node("t:RelativeYearlyRecurrence", *_nth(parts), name)
    _only(parts, "BYMONTHDAY", "BYSETPOS", "BYMONTH")
    longest = SHORTEST if month == 2 else LONGEST_MONTHS[month - 1]
    day = node("t:DayOfMonth", str(_day_of_month(parts, first, longest)))
    return node("t:AbsoluteYearlyRecurrence", day, name)


def _day_of_month(parts: dict[str, str], first: date, longest: int) -> int:
    """Day of the month; one that a month may lack only where the rule means its last day."""
    days = [int(day) for day in parts.get("BYMONTHDAY", str(first.day)).split(",")]
    if parts.get("BYSETPOS") == "-1" and days == list(range(SHORTEST, days[-1] + 1)):
        return days[-1]
    if days == [-1] and "BYSETPOS" not in parts:
        return 31
    if len(days) != 1 or "BYSETPOS" in parts or not 1 <= days[0] <= longest:
        raise _Impossible
    return days[0]


def _nth(parts: dict[str, str]) -> tuple[Element, Element]:
    entries = [_ENTRY.fullmatch(entry) for entry in parts["BYDAY"].split(",")]
    found = [(entry[1], entry[2]) for entry in entries if entry]
    codes = [code for _, code in found]
    position = parts.get("BYSETPOS") or (found[0][0] if len(found) == 1 else None)
    if position is None or len(found) != len(entries) or ("BYSETPOS" in parts and found[0][0]):
        raise _Impossible
    index = _INDEX_NAMES[int(position)]
    name = _DAY_NAMES[codes[0]] if len(codes) == 1 else _GROUP_NAMES[frozenset(codes)]
    return node("t:DaysOfWeek", name), node("t:DayOfWeekIndex", index)


_WRITERS: Final[dict[str, Callable[[dict[str, str], date], Element]]] = {
    "DAILY": _write_daily,
    "WEEKLY": _write_weekly,
    "MONTHLY": _write_monthly,
    "YEARLY": _write_yearly,
}
