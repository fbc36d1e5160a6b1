"""What requests to Microsoft Graph say of meetings, tasks and contacts, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.formats import zones
from desktop_crm.sync.graph.items import OWN_KEY
from desktop_crm.sync.graph.rrule import Untellable, recurrence_of
from desktop_crm.sync.port import (
    Attendee,
    ContactItem,
    Flag,
    MeetingItem,
    PostalAddress,
    Role,
    ShowAs,
    TaskItem,
)

Form = dict[str, Any]

APPLICATION: Final = "Desktop CRM"
"""Name under which a task says where it comes from."""

PERSONAL: Final = frozenset(
    {"isReminderOn", "reminderMinutesBeforeStart", "showAs", "sensitivity", "categories"}
)
"""What everybody decides about a meeting for themselves."""

FLAGS: Final = {
    Flag.NONE: "notFlagged",
    Flag.FLAGGED: "flagged",
    Flag.COMPLETE: "complete",
}
_SHOWN: Final = {
    ShowAs.FREE: "free",
    ShowAs.TENTATIVE: "tentative",
    ShowAs.BUSY: "busy",
    ShowAs.OUT_OF_OFFICE: "oof",
}
_ROLES: Final = {
    Role.ORGANIZER: "required",
    Role.REQUIRED: "required",
    Role.OPTIONAL: "optional",
    Role.RESOURCE: "resource",
}
_STATES: Final = {
    "not_started": "notStarted",
    "in_progress": "inProgress",
    "completed": "completed",
    "waiting": "waitingOnOthers",
    "deferred": "deferred",
}


def own(key: str) -> Form:
    """The key of a deed, as a property of what it makes."""
    return {"singleValueExtendedProperties": [{"id": OWN_KEY, "value": key}]}


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Form:
    """What of the new form differs from the old one."""
    return {name: value for name, value in new.items() if old.get(name) != value}


def _text(text: str) -> Form:
    return {"contentType": "text", "content": text}


def _wall(value: datetime | date, zone: str) -> Form:
    """A dateTimeTimeZone of a time in its zone, or of the midnight a day begins with."""
    if not isinstance(value, datetime):
        return {"dateTime": f"{value.isoformat()}T00:00:00", "timeZone": "UTC"}
    wall = value.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)
    return {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": zones.windows_name(zone)}


def event_form(item: MeetingItem, address: str) -> Form:
    """What a request says of a meeting.

    Args:
        item: the meeting, series or occurrence.
        address: of the mailbox, which is no guest of its own.

    Raises:
        UserError: its rule is one Microsoft 365 has no pattern for.
    """
    reminder = item.reminder_minutes
    form: Form = {
        "subject": item.subject,
        "body": _text(item.text),
        "start": _wall(item.start, item.zone),
        "end": _wall(item.end, item.zone),
        "isAllDay": item.all_day,
        "location": {"displayName": item.location},
        "attendees": [_guest(one) for one in guests(item, address)],
        "showAs": _SHOWN[item.show_as],
        "sensitivity": item.sensitivity.value,
        "categories": list(item.categories),
        "isReminderOn": reminder is not None,
        "recurrence": _recurrence(item.rrule, item.start, item.zone) if item.rrule else None,
    }
    if reminder is not None:
        form["reminderMinutesBeforeStart"] = reminder
    return form


def guests(item: MeetingItem, address: str) -> tuple[Attendee, ...]:
    """Everybody a meeting invites but its organizer and the mailbox's owner."""
    host = item.organizer.address.address if item.organizer else address
    return tuple(one for one in item.attendees if one.address.address not in (host, address))


def _guest(one: Attendee) -> Form:
    box = {"address": one.address.address, "name": one.address.name or one.address.address}
    return {"emailAddress": box, "type": _ROLES[one.role]}


def _recurrence(rule: str, start: datetime | date, zone: str) -> Form:
    wall = (
        start.astimezone(ZoneInfo(zone) if zone else UTC) if isinstance(start, datetime) else start
    )
    try:
        return recurrence_of(rule, wall, zones.windows_name(zone))
    except (Untellable, ValueError, KeyError) as error:
        raise UserError(
            N_(
                'Microsoft 365 has no pattern for the recurrence "{rule}" ({problem}). Nothing '
                "was changed there; choose a simpler one."
            ),
            rule=rule,
            problem=error,
        ) from error


def _day(value: date | None) -> Form | None:
    return None if value is None else _wall(value, "")


def task_form(item: TaskItem) -> Form:
    """What a request says of a task; a percentage and privacy have no place in it.

    Raises:
        UserError: its rule is one Microsoft 365 has no pattern for.
    """
    due = item.due or item.start
    return {
        "title": item.subject,
        "body": _text(item.text),
        "importance": item.importance,
        "status": _STATES.get(item.status, "notStarted"),
        "startDateTime": _day(item.start),
        "dueDateTime": _day(item.due),
        "completedDateTime": None if item.completed_at is None else _wall(item.completed_at, ""),
        "isReminderOn": item.remind_at is not None,
        "reminderDateTime": None if item.remind_at is None else _wall(item.remind_at, ""),
        "categories": list(item.categories),
        "recurrence": _recurrence(item.rrule, due, "") if item.rrule and due else None,
    }


def task_mark(key: str) -> Form:
    """The key of a deed as a task carries it, which has no properties of its own."""
    mark = {"applicationName": APPLICATION, "displayName": APPLICATION, "externalId": key}
    return {"linkedResources": [mark]}


def contact_form(item: ContactItem) -> Form:
    """What a request says of a contact: one mobile number, others by kind as far as they fit."""
    by_kind: dict[str, list[str]] = {}
    for kind, number in item.phones:
        by_kind.setdefault(kind, []).append(number)
    form: Form = {
        "displayName": item.full_name,
        "givenName": item.first_name,
        "surname": item.last_name,
        "middleName": item.middle_name,
        "title": item.prefix,
        "generation": item.suffix,
        "companyName": item.company,
        "jobTitle": item.job_title,
        "department": item.department,
        "emailAddresses": [
            {"address": one.address, "name": one.name or one.address} for one in item.emails[:3]
        ],
        "mobilePhone": next(iter(by_kind.get("mobile", ())), None),
        "businessPhones": by_kind.get("work", [])[:2],
        "homePhones": by_kind.get("home", [])[:2],
        "businessHomePage": item.website or None,
        "personalNotes": item.text,
        "categories": list(item.categories),
        # Noon keeps the day in every zone; midnight is the day before west of Greenwich.
        "birthday": f"{item.birthday.isoformat()}T11:59:00Z" if item.birthday else None,
    }
    for kind, name in (
        ("work", "businessAddress"),
        ("home", "homeAddress"),
        ("other", "otherAddress"),
    ):
        form[name] = _postal(next((one for one in item.addresses if one.kind == kind), None))
    return form


def _postal(one: PostalAddress | None) -> Form:
    if one is None:
        return {}
    return {
        "street": one.street,
        "postalCode": one.postal_code,
        "city": one.city,
        "state": one.region,
        "countryOrRegion": one.country,
    }


def schedule_form(addresses: Sequence[str], start: datetime, end: datetime) -> Form:
    """A question for the busy times of people."""
    return {
        "schedules": list(addresses),
        "startTime": _wall(start, ""),
        "endTime": _wall(end, ""),
        "availabilityViewInterval": 30,
    }
