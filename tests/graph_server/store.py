"""What the scripted mailbox holds: collections that remember what happened in them."""

from __future__ import annotations

import base64
import datetime as dt
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from dateutil.rrule import rrulestr

from desktop_crm.sync.formats.zones import zone_by_name
from desktop_crm.sync.graph.rrule import rule_of

Resource = dict[str, Any]

WELL_KNOWN = {
    "inbox": "Inbox",
    "sentitems": "Sent Items",
    "drafts": "Drafts",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "archive": "Archive",
}


@dataclass
class Collection:
    """Resources by id and a journal: (what happened, id, the properties that changed)."""

    items: dict[str, Resource] = field(default_factory=dict)
    journal: list[tuple[str, str, Resource]] = field(default_factory=list)

    def put(self, one: Resource) -> None:
        """Add or replace."""
        self.items[one["id"]] = one
        self.journal.append(("put", one["id"], {}))

    def note(self, key: str, changed: Resource) -> None:
        """Say that only these properties changed."""
        self.journal.append(("marks", key, dict(changed)))

    def drop(self, key: str) -> Resource:
        """Remove."""
        self.journal.append(("gone", key, {}))
        return self.items.pop(key)


@dataclass
class Folder:
    """A mail folder."""

    id: str
    name: str
    parent: str = ""
    mail: Collection = field(default_factory=Collection)


class Store:
    """One mailbox: folders with messages, a calendar, task lists and an address book."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.folders = {
            f"id-{name}": Folder(f"id-{name}", shown) for name, shown in WELL_KNOWN.items()
        }
        self.mime: dict[str, bytes] = {}
        self.events = Collection()
        self.cancelled: dict[str, set[str]] = {}
        self.tasks = {"list-1": Collection()}
        self.contacts = {"book-1": Collection()}
        self.names = {"list-1": "Tasks", "book-1": "Contacts"}
        self.sent: list[tuple[str, bytes, tuple[str, ...]]] = []
        self.invitations: list[tuple[str, str, tuple[str, ...]]] = []
        self.made: dict[str, str] = {}
        self._numbers = count(1)
        self.calendars: dict[str, Collection] = {}

    def new_id(self, kind: str) -> str:
        """An id as the service makes them: letters, digits, - and _, with = at the end."""
        return f"AAkALg_{kind}-{next(self._numbers)}="

    def make(self, places: dict[str, Collection], name: str) -> Resource:
        """Make an address book or a list of tasks."""
        key = self.new_id("place")
        places[key] = Collection()
        self.names[key] = name
        return {"id": key, "displayName": name}

    def in_calendar(self, key: str) -> Store:
        """The same mailbox with another calendar as the one that is asked."""
        seen = copy(self)
        seen.events = self.calendars[key]
        return seen

    def book_of(self, key: str) -> Collection:
        """The address book a contact lies in; the first for one that lies nowhere."""
        books = list(self.contacts.values())
        return next((book for book in books if key in book.items), books[0])

    def stamp(self, one: Resource) -> Resource:
        """Give a resource its next version."""
        one["changeKey"] = f"CQ+{next(self._numbers)}/"
        one["@odata.etag"] = f'W/"{one["changeKey"]}"'
        return one

    def folder(self, key: str) -> Folder | None:
        """Folder of an id or a well-known name."""
        return self.folders.get(key) or self.folders.get(f"id-{key}")

    def home_of(self, key: str) -> Folder | None:
        """Folder a message lies in."""
        return next((f for f in self.folders.values() if key in f.mail.items), None)

    def put_mail(self, folder: str, mime: bytes, key: str = "", **told: Any) -> str:
        """Add a message."""
        place = self.folder(folder)
        assert place is not None
        key = key or self.new_id("mail")
        one = {
            "@odata.type": "#microsoft.graph.message",
            "id": key,
            "subject": "",
            "receivedDateTime": "2026-03-02T08:00:01Z",
            "isRead": False,
            "isDraft": False,
            "flag": {"flagStatus": "notFlagged"},
            "categories": [],
            "importance": "normal",
            "conversationId": "AAQkAD=",
            "parentFolderId": place.id,
            "bccRecipients": [],
            "singleValueExtendedProperties": [{"id": "Integer 0xe08", "value": str(len(mime))}],
        }
        self.mime[key] = mime
        place.mail.put(self.stamp(one | told))
        return key

    def put_event(self, key: str = "", **told: Any) -> str:
        """Add an event, or change the one of that id."""
        key = key or self.new_id("event")
        at = "2026-01-05T10:00:00.0000000Z"
        before = self.events.items.get(key)
        one: Resource = {
            "@odata.type": "#microsoft.graph.event",
            "id": key,
            "iCalUId": f"040000008200E00074C5B7101A82E008{key}",
            "type": "seriesMaster" if told.get("recurrence") else "singleInstance",
            "seriesMasterId": None,
            "subject": "",
            "body": {"contentType": "text", "content": ""},
            "start": zoned("2026-03-02T08:00:00"),
            "end": zoned("2026-03-02T09:00:00"),
            "originalStart": None,
            "originalStartTimeZone": "UTC",
            "isAllDay": False,
            "isCancelled": False,
            "isOrganizer": True,
            "isReminderOn": False,
            "reminderMinutesBeforeStart": 15,
            "location": {"displayName": ""},
            "organizer": person(self.address, "Ana"),
            "attendees": [],
            "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
            "recurrence": None,
            "showAs": "busy",
            "sensitivity": "normal",
            "categories": [],
            "createdDateTime": at,
            "lastModifiedDateTime": at if before is None else "2026-01-06T10:00:00.0000000Z",
        }
        self.events.put(
            self.stamp(
                (before or one) | {"lastModifiedDateTime": one["lastModifiedDateTime"]} | told
            )
        )
        return key

    def delete_occurrence(self, master: str, day: str) -> None:
        """Delete one occurrence of a series by its day."""
        self.cancelled.setdefault(master, set()).add(day)
        self.events.journal.append(("gone", f"{master}.{day}", {}))
        self.events.put(self.stamp(self.events.items[master]))

    def change_occurrence(self, master: str, day: str, **told: Any) -> str:
        """Make one occurrence of a series an exception."""
        base = self.events.items[master]
        key = f"{master}.{day}"
        found = next(one for one in self.occurrences(base) if one["id"] == key)
        one = base | found | {"type": "exception", "iCalUId": f"{base['iCalUId']}-{day}"}
        one |= {"recurrence": None, "seriesMasterId": master}
        self.events.items[key] = self.stamp((self.events.items.get(key) or one) | told)
        self.events.put(self.stamp(base))
        return key

    def occurrences(self, master: Resource) -> list[Resource]:
        """What the service makes of a series: id, type, start and end of each occurrence."""
        rule = rule_of(master["recurrence"])
        start = instant(master["start"])
        length = instant(master["end"]) - start
        # A series keeps its hour on the clock it was made on.
        zone = zone_by_name(master["originalStartTimeZone"]) or dt.UTC
        wall = start.astimezone(zone).replace(tzinfo=None)
        found = []
        for local in rrulestr(rule, dtstart=wall).xafter(wall, 500, inc=True):
            at = local.replace(tzinfo=zone).astimezone(dt.UTC).replace(tzinfo=None)
            key = f"{master['id']}.{at:%Y-%m-%d}"
            if f"{at:%Y-%m-%d}" in self.cancelled.get(master["id"], ()):
                continue
            plain = {
                "id": key,
                "type": "occurrence",
                "seriesMasterId": master["id"],
                "originalStart": f"{at.isoformat()}Z",
                "start": zoned(at.isoformat()),
                "end": zoned((at + length).isoformat()),
            }
            found.append(self.events.items.get(key, plain))
        return found

    def event(self, key: str) -> Resource | None:
        """An event, an exception or an occurrence by its id."""
        found = self.events.items.get(key)
        if found is not None:
            return found
        master = self.events.items.get(key.rpartition(".")[0])
        if master is None:
            return None
        one = next((o for o in self.occurrences(master) if o["id"] == key), None)
        return master | one | {"recurrence": None} if one else None

    def view(self, since: str, until: str) -> list[Resource]:
        """What a calendar view shows: single events, and each series with its occurrences."""
        found: list[Resource] = []
        for one in list(self.events.items.values()):
            if one["type"] == "exception":
                continue
            parts = self.occurrences(one) if one["recurrence"] else [one]
            parts = [p for p in parts if since[:19] <= p["start"]["dateTime"][:19] < until[:19]]
            if parts and one["recurrence"]:
                found.append(one)
            found += parts
        return found


def zoned(at: str, zone: str = "UTC") -> Resource:
    """A dateTimeTimeZone."""
    return {"dateTime": f"{at}.0000000" if "." not in at else at, "timeZone": zone}


def instant(value: Resource) -> dt.datetime:
    """Instant of a dateTimeTimeZone."""
    at = dt.datetime.fromisoformat(value["dateTime"])
    return at.replace(tzinfo=zone_by_name(value["timeZone"]) or dt.UTC).astimezone(dt.UTC)


def person(address: str, name: str = "") -> Resource:
    """A recipient."""
    return {"emailAddress": {"address": address, "name": name}}


def mime_of(content: str) -> bytes:
    """Bytes of a message posted in base64."""
    return base64.b64decode(content)
