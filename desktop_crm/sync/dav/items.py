"""What one resource of a calendar or address book holds, as items of the port."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from desktop_crm.sync.formats import ical, ical_tasks, vcard
from desktop_crm.sync.formats.ical_values import Unreadable
from desktop_crm.sync.port import FolderRole, Item, MeetingItem, Quarantined


@dataclass(slots=True)
class Resource:
    """The items of a resource by what follows its path in their ids.

    That is nothing for the item itself, and `@` with the original start for a changed occurrence.
    """

    etag: str
    items: dict[str, Item] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)


def read_resource(
    role: FolderRole, path: str, data: bytes, etag: str, zone: tzinfo, own: Collection[str]
) -> Resource:
    """Read a resource of a place of that role; items of other kinds in it are passed over."""
    found = Resource(etag)
    if role is FolderRole.CONTACTS:
        try:
            contact = vcard.read_contact(data)
        except Unreadable as error:
            name = path.rpartition("/")[2]
            found.quarantined.append(Quarantined(path, name, error.reason))
        else:
            found.items[""] = contact if contact.uid else replace(contact, uid=path)
    elif role is FolderRole.TASKS:
        tasks, aside = ical_tasks.read_tasks(data, zone)
        if tasks:
            found.items[""] = tasks[0]
        found.quarantined += [replace(one, item_id=path) for one in aside]
    else:
        calendar = ical.read_calendar(data, zone)
        for meeting in calendar.items:
            found.items[suffix_of(meeting.recurrence_id)] = _mine(meeting, own)
        found.quarantined += [
            replace(one, item_id=f"{path}#{number}")
            for number, one in enumerate(calendar.quarantined)
        ]
    return found


def suffix_of(recurrence_id: object) -> str:
    """What follows the path in an item's id."""
    moment = recurrence_id.isoformat() if hasattr(recurrence_id, "isoformat") else ""
    return f"@{moment}" if moment else ""


def path_and_occurrence(item_id: str) -> tuple[str, str]:
    """Path of the resource of an item, and its suffix.

    An address may hold an @ of its own; only what looks like a moment after it is a suffix.
    """
    path, at, rest = item_id.rpartition("@")
    try:
        datetime.fromisoformat(rest)
    except ValueError:
        return item_id, ""
    return (path, f"@{rest}") if at else (item_id, "")


def _mine(meeting: MeetingItem, own: Collection[str]) -> MeetingItem:
    """The meeting with the owner's own answer."""
    answers = [a.response for a in meeting.attendees if a.address.address.casefold() in own]
    return replace(meeting, my_response=answers[0]) if answers else meeting
