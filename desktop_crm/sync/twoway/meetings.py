"""Fields of a meeting: table of both directions (R33 to R39)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desktop_crm.core.i18n import LANGUAGES, N_, translate
from desktop_crm.models.activity import (
    ActivityReason,
    ActivityState,
)
from desktop_crm.sync.port import MeetingItem, ShowAs
from desktop_crm.sync.port import Sensitivity as Private
from desktop_crm.sync.twoway import people
from desktop_crm.sync.twoway.fields import (
    CATEGORIES,
    PRIVACY,
    Field,
    Frame,
    Record,
    Value,
    block,
    instant,
    is_private,
    line,
    merged_list,
    moment_of,
    stamp,
)

NO_SUBJECT: Final = N_("(no subject)")
BUSY: Final = N_("Busy")
CANCELLED: Final = "cancelled"

_SHOWN: Final = frozenset(one.value for one in ShowAs)


def masked(item: MeetingItem) -> MeetingItem:
    """A meeting of which only the time may be known (R39); others come back unchanged."""
    if not is_private(item):
        return item
    return MeetingItem(
        uid=item.uid,
        start=item.start,
        end=item.end,
        recurrence_id=item.recurrence_id,
        zone=item.zone,
        rrule=item.rrule,
        exdates=item.exdates,
        cancelled=item.cancelled,
        show_as=item.show_as,
        sensitivity=Private.PRIVATE,
        masked=True,
    )


# --- subject ----------------------------------------------------------------------------------


def subject_of(record: Record, _frame: Frame) -> Value:
    """Subject of a record; the words that stand for none, in any language, are none."""
    subject = line(record.get("subject"), 400)
    return "" if subject in {translate(code, NO_SUBJECT) for code in LANGUAGES} else subject


def subject_to(value: Value, _record: Record, frame: Frame) -> dict[str, Any]:
    """What a record stores for a subject, which it cannot be without."""
    return {"subject": value or translate(frame.language, NO_SUBJECT)}


# --- when -------------------------------------------------------------------------------------


def _when_of_item(item: MeetingItem) -> Value:
    end = max(item.start, item.end) if type(item.start) is type(item.end) else item.start
    return {
        "start": stamp(item.start),
        "end": stamp(end),
        "zone": line(item.zone, 80),
        "rule": line(item.rrule, 1_000).removeprefix("RRULE:"),
    }


def _when_of_record(record: Record, _frame: Frame) -> Value:
    start = record.get("start_at")
    if start is None:
        return None
    end = record.get("end_at") or start
    days = bool(record.get("is_all_day"))
    return {
        "start": _written(start, days=days),
        "end": _written(max(start, end), days=days),
        "zone": line(record.get("time_zone"), 80),
        "rule": line(record.get("recurrence_rule"), 1_000).removeprefix("RRULE:"),
    }


def _written(value: datetime, *, days: bool) -> str:
    moment = value.astimezone(UTC)
    return moment.date().isoformat() if days else moment.isoformat()


def _when_to_item(item: MeetingItem, value: Value) -> MeetingItem:
    return replace(
        item,
        start=moment_of(value["start"]),
        end=moment_of(value["end"]),
        zone=value["zone"],
        rrule=value["rule"],
    )


def _when_to_record(value: Value, _record: Record, _frame: Frame) -> dict[str, Any]:
    start, end = moment_of(value["start"]), moment_of(value["end"])
    return {
        "start_at": instant(start),
        "end_at": max(instant(start), instant(end)),
        "is_all_day": not isinstance(start, datetime),
        "time_zone": value["zone"] or None,
        "recurrence_rule": value["rule"] or None,
    }


def _when_key(value: Value) -> object:
    """Instants and, of a series, its rule and how its clock changes; zone names differ (R34)."""
    if value is None:
        return None
    clock = _clock_of(value["zone"], value["start"]) if value["rule"] else ()
    return value["start"], value["end"], rule_key(value["rule"]), clock


def rule_key(rule: str) -> object:
    """What of a rule counts when rules are compared: its parts, without what is understood."""
    parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    if parts.get("WKST") == "MO":
        del parts["WKST"]
    return frozenset(
        (name, frozenset(text.split(",")) if name.startswith("BY") else text)
        for name, text in parts.items()
    )


def _clock_of(zone: str, start: str) -> object:
    if "T" not in start:
        return ()
    year = datetime.fromisoformat(start).year
    try:
        clock = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return (zone,)
    noons = (datetime(year, month, 1, 12, tzinfo=clock) for month in (1, 4, 7, 10))
    return tuple(noon.utcoffset() for noon in noons)


# --- left-out dates ---------------------------------------------------------------------------


def _left_out_of_item(item: MeetingItem) -> Value:
    """Original starts in the series' own terms: days of an all-day series, else instants."""
    start = None if item.all_day else instant(item.start)
    zone = zone_of({"time_zone": item.zone}, Frame())
    texts = (stamp(value) for value in item.exdates)
    return sorted({_left_out(text, start, zone, days=item.all_day) for text in texts})


def _left_out_of_record(record: Record, frame: Frame) -> Value:
    days = bool(record.get("is_all_day"))
    zone = zone_of(record, frame)
    start = record.get("start_at")
    found = {
        text
        for one in record.get("recurrence_exceptions") or ()
        if (text := _left_out(str(one), start, zone, days=days))
    }
    return sorted(found)


def _left_out(text: str, start: datetime | None, zone: ZoneInfo, *, days: bool) -> str:
    """An original start as instant, or as day in an all-day series; empty when unreadable."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if days:
        return moment.date().isoformat()
    if "T" not in text and " " not in text:
        wall = start.astimezone(zone).time() if start else time()
        moment = datetime.combine(moment.date(), wall)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).isoformat()


def zone_of(record: Record, frame: Frame) -> ZoneInfo:
    """Zone of a record's wall clock; the user's where it names none that is known."""
    try:
        return ZoneInfo(record.get("time_zone") or frame.zone.key)
    except (ZoneInfoNotFoundError, ValueError):
        return frame.zone


# --- status -----------------------------------------------------------------------------------


def _status_of_item(item: MeetingItem) -> Value:
    return CANCELLED if item.cancelled else item.show_as.value


def _status_of_record(record: Record, _frame: Frame) -> Value:
    """How the time is shown; a meeting that was held or called off here says nothing of it."""
    if record.get("state") == ActivityState.CANCELED.value:
        return CANCELLED
    if record.get("state") == ActivityState.COMPLETED.value:
        return None
    reason = record.get("status_reason")
    return reason if reason in _SHOWN else ShowAs.BUSY.value


def _status_to_item(item: MeetingItem, value: Value) -> MeetingItem:
    if value == CANCELLED:
        return replace(item, cancelled=True)
    return replace(item, cancelled=False, show_as=ShowAs(value))


def _status_to_record(value: Value, _record: Record, _frame: Frame) -> dict[str, Any]:
    if value == CANCELLED:
        return {
            "state": ActivityState.CANCELED.value,
            "status_reason": ActivityReason.CANCELED.value,
        }
    return {"state": ActivityState.OPEN.value, "status_reason": value}


# --- reminder ---------------------------------------------------------------------------------


def _reminder(minutes: int | None) -> Value:
    """Minutes before the start as text; empty for no reminder."""
    return "" if minutes is None else str(minutes)


def _minutes(value: Value) -> int | None:
    return int(value) if value else None


# --- the table --------------------------------------------------------------------------------

_TIMES: Final = (
    Field(
        "when",
        N_("Time"),
        _when_of_item,
        _when_of_record,
        _when_to_item,
        _when_to_record,
        key=_when_key,
        organizer=True,
        told=True,
    ),
    Field(
        "left_out",
        N_("Left out dates"),
        _left_out_of_item,
        _left_out_of_record,
        lambda item, value: replace(item, exdates=tuple(moment_of(text) for text in value)),
        lambda value, _record, _frame: {"recurrence_exceptions": list(value) or None},
        organizer=True,
        told=True,
        together=merged_list,
    ),
    Field(
        "status",
        N_("Shown as"),
        _status_of_item,
        _status_of_record,
        _status_to_item,
        _status_to_record,
    ),
    PRIVACY,
)
"""What is known of a private meeting, too."""

_CONTENT: Final = (
    Field(
        "subject",
        N_("Subject"),
        lambda item: line(item.subject, 400),
        subject_of,
        lambda item, value: replace(item, subject=value),
        subject_to,
        told=True,
    ),
    Field(
        "location",
        N_("Location"),
        lambda item: line(item.location, 400),
        lambda record, _frame: line(record.get("location"), 400),
        lambda item, value: replace(item, location=value),
        lambda value, _record, _frame: {"location": value or None},
        organizer=True,
        told=True,
    ),
    Field(
        "text",
        N_("Description"),
        lambda item: block(item.text),
        lambda record, _frame: block(record.get("description")),
        lambda item, value: replace(item, text=value),
        lambda value, _record, _frame: {"description": value or None},
        told=True,
    ),
    Field(
        "people",
        N_("Participants"),
        people.people_of_item,
        people.people_of_record,
        people.people_to_item,
        people.people_to_record,
        key=people.people_key,
        organizer=True,
        told=True,
        together=people.people_together,
    ),
    Field(
        "answers",
        N_("Answers"),
        people.answers_of_item,
        people.answers_of_record,
        people.answers_to_item,
        people.answers_to_record,
        organizer=True,
        together=people.answers_together,
    ),
)

_OWN: Final = (
    CATEGORIES,
    Field(
        "reminder",
        N_("Reminder (minutes before)"),
        lambda item: _reminder(item.reminder_minutes),
        lambda record, _frame: _reminder(record.get("reminder_minutes")),
        lambda item, value: replace(item, reminder_minutes=_minutes(value)),
        lambda value, _record, _frame: {"reminder_minutes": _minutes(value)},
    ),
)
"""What everybody decides about a meeting for themselves."""

OWN_FIELDS: Final = frozenset(field.name for field in _OWN)

FIELDS: Final = (*_TIMES, *_CONTENT, *_OWN)
PRIVATE_FIELDS: Final = frozenset(field.name for field in _TIMES)


def organized_by(item: MeetingItem, ours: Iterable[str]) -> bool:
    """Whether one of our own addresses organizes it; nobody's meeting is ours."""
    return item.organizer is None or item.organizer.address.address in set(ours)
