"""What a scripted mailbox does when it is written to: items made, changed, moved, deleted, found.

Strict where Exchange is strict: the order of a new item's children follows the schema, a stale
change key is a conflict, and a request that could tell somebody says so or is refused.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from lxml import etree

from desktop_crm.core import recurrence
from desktop_crm.sync.exchange.rrule import rule_of
from desktop_crm.sync.exchange.xml import M, T, id_of, moment, node, stamp, tag_of, text_at
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.formats.zones import zone_by_name
from tests.ews_server import soap

if TYPE_CHECKING:
    from tests.ews_server.server import EwsServer

ITEM = (
    "MimeContent", "ItemId", "ParentFolderId", "ItemClass", "Subject", "Sensitivity", "Body",
    "Attachments", "DateTimeReceived", "Size", "Categories", "Importance", "InReplyTo",
    "IsDraft", "InternetMessageHeaders", "DateTimeSent", "ReminderDueBy", "ReminderIsSet",
    "ReminderMinutesBeforeStart", "ExtendedProperty", "LastModifiedTime", "ConversationId", "Flag",
)  # fmt: skip
ORDER = {
    "Message": (
        *ITEM, "Sender", "ToRecipients", "CcRecipients", "BccRecipients", "From",
        "InternetMessageId", "IsRead", "References", "ReplyTo",
    ),
    "CalendarItem": (
        *ITEM, "UID", "RecurrenceId", "Start", "End", "OriginalStart", "IsAllDayEvent",
        "LegacyFreeBusyStatus", "Location", "IsCancelled", "CalendarItemType", "MyResponseType",
        "Organizer", "RequiredAttendees", "OptionalAttendees", "Resources", "Recurrence",
        "ModifiedOccurrences", "DeletedOccurrences", "StartTimeZone", "EndTimeZone",
    ),
    "Task": (
        *ITEM, "CompleteDate", "DueDate", "PercentComplete", "Recurrence", "StartDate", "Status",
    ),
    "Contact": (
        *ITEM, "FileAs", "DisplayName", "GivenName", "MiddleName", "CompanyName",
        "EmailAddresses", "PhysicalAddresses", "PhoneNumbers", "Birthday", "BusinessHomePage",
        "Department", "Generation", "JobTitle", "Surname",
    ),
}  # fmt: skip
ENTRY = ("Street", "City", "State", "CountryOrRegion", "PostalCode")
ANSWERS = {
    "AcceptItem": "Accept",
    "TentativelyAcceptItem": "Tentative",
    "DeclineItem": "Decline",
}
HOUR = dt.timedelta(hours=1)


class Refused(Exception):
    """The server's error: its code and text."""

    def __init__(self, code: str, text: str = "scripted") -> None:
        super().__init__(text)
        self.code = code


class Store:
    """The items of a scripted mailbox, as the operations that write see them."""

    def __init__(self, ews: EwsServer) -> None:
        self.ews = ews
        self.delivered: list[tuple[frozenset[str], bytes]] = []
        self.told: list[str] = []
        self.busy: dict[str, list[tuple[str, str, str]]] = {}
        self._count = 0

    # --- operations ----------------------------------------------------------------------------

    def create(self, call: Any) -> str:
        """CreateItem."""
        (element,) = call.find(f"{M}Items")
        disposition = call.get("MessageDisposition")
        name = tag_of(element)
        if name in ANSWERS:
            return self._answer(element, name, disposition)
        if (name == "CalendarItem") != (call.get("SendMeetingInvitations") is not None):
            raise Refused("ErrorSendMeetingInvitationsRequired")
        if (name == "Message") != (disposition is not None):
            raise Refused("ErrorMessageDispositionRequired")
        self._check_order(element)
        box = self._box(call.find(f"{M}SavedItemFolderId/{T}FolderId"))
        made = self._completed(element)
        if call.get("SendMeetingInvitations", "SendToNone") != "SendToNone":
            self._tell(made, "invitation")
        item_id = self._fresh_id()
        self._store(box, item_id, made)
        return soap.success(f"<m:Items>{self._reference(item_id)}</m:Items>")

    def send(self, call: Any) -> str:
        """SendItem."""
        told = call.find(f"{M}ItemIds/{T}ItemId")
        element = self.element(told.get("Id"))
        if told.get("ChangeKey") != element.find(f"{T}ItemId").get("ChangeKey"):
            raise Refused("ErrorChangeKeyRequired")
        self._deliver(element)
        element.find(f"{T}IsDraft").text = "false"
        box = self._box(call.find(f"{M}SavedItemFolderId/{T}FolderId"))
        self._store(box, self._fresh_id(), element)
        self.ews.delete(self._where(told.get("Id")), told.get("Id"))
        return soap.success("")

    def update(self, call: Any) -> str:
        """UpdateItem."""
        change = call.find(f"{M}ItemChanges/{T}ItemChange")
        reference = change.find(f"{T}ItemId")
        if call.get("SuppressReadReceipts") != "true":
            raise Refused("ErrorInvalidOperation", "a read receipt might be sent")
        item_id = reference.get("Id")
        element = self.element(item_id)
        if call.get("ConflictResolution") == "NeverOverwrite":
            if not reference.get("ChangeKey"):
                raise Refused("ErrorChangeKeyRequired")
            if reference.get("ChangeKey") != element.find(f"{T}ItemId").get("ChangeKey"):
                raise Refused("ErrorIrresolvableConflict")
        notify = call.get("SendMeetingInvitationsOrCancellations", "")
        if tag_of(element) == "CalendarItem" and not notify:
            raise Refused("ErrorSendMeetingInvitationsOrCancellationsRequired")
        for one in change.find(f"{T}Updates"):
            self._apply(element, one)
        if tag_of(element) == "CalendarItem" and notify != "SendToNone":
            self._tell(element, "update")
        self._keep(item_id, element)
        return soap.success(f"<m:Items>{self._reference(item_id)}</m:Items>")

    def move(self, call: Any) -> str:
        """MoveItem."""
        item_id = call.find(f"{M}ItemIds/{T}ItemId").get("Id")
        target = self._box(call.find(f"{M}ToFolderId/{T}FolderId"))
        element = self.element(item_id)
        source = self._where(item_id)
        fresh = self._fresh_id()
        self._store(target, fresh, element)
        self.ews.delete(source, item_id)
        return soap.success(f"<m:Items>{self._reference(fresh)}</m:Items>")

    def delete(self, call: Any) -> str:
        """DeleteItem."""
        item_id = call.find(f"{M}ItemIds/{T}ItemId").get("Id")
        element = self.element(item_id)
        if call.get("DeleteType") != "HardDelete":
            raise Refused("ErrorInvalidOperation", "not for good")
        notify = call.get("SendMeetingCancellations")
        if tag_of(element) == "CalendarItem" and not notify:
            raise Refused("ErrorSendMeetingCancellationsRequired")
        if tag_of(element) == "CalendarItem" and notify != "SendToNone":
            self._tell(element, "cancellation")
        master, _, original = item_id.removeprefix("occ|").rpartition("|")
        if item_id.startswith("occ|"):
            self._take_out(master, original)
        else:
            self.ews.delete(self._where(item_id), item_id)
        return soap.success("")

    def find(self, call: Any) -> str:
        """FindItem: by a property, sorted by arrival, or as a calendar shows it."""
        box = self._box(call.find(f"{M}ParentFolderIds/{T}FolderId"))
        view = call.find(f"{M}CalendarView")
        if view is not None:
            found = self._view(box, view)
            return soap.found(found, more=False)
        every = [(key, self.element(key)) for key in self.ews.boxes[box].items]
        wanted = call.find(f"{M}Restriction")
        if wanted is not None:
            every = [(key, e) for key, e in every if _matches(wanted[0], e)]
        if call.find(f"{M}SortOrder") is not None:
            every.sort(key=lambda pair: text_at(pair[1], "DateTimeReceived"), reverse=True)
        paging = call.find(f"{M}IndexedPageItemView")
        limit, offset = int(paging.get("MaxEntriesReturned")), int(paging.get("Offset"))
        shown = every[offset : offset + limit]
        return soap.found(
            [self._reference(key) for key, _ in shown], more=offset + limit < len(every)
        )

    def availability(self, call: Any) -> str:
        """GetUserAvailability."""
        parts = []
        for box in call.findall(f"{M}MailboxDataArray/{T}MailboxData"):
            address = box.findtext(f"{T}Email/{T}Address")
            parts.append(soap.free_busy(self.busy.get(address or "")))
        return (
            "<m:GetUserAvailabilityResponse><m:FreeBusyResponseArray>"
            f"{''.join(parts)}</m:FreeBusyResponseArray></m:GetUserAvailabilityResponse>"
        )

    # --- what is stored ------------------------------------------------------------------------

    def element(self, item_id: str) -> Any:
        """An item or an occurrence by its id."""
        for box in self.ews.boxes.values():
            if item_id in box.items:
                return soap.parse(box.items[item_id])
        master, _, original = item_id.removeprefix("occ|").rpartition("|")
        if item_id.startswith("occ|") and master:
            return self._occurrence(master, original)
        raise Refused("ErrorItemNotFound", "gone")

    def _where(self, item_id: str) -> str:
        return next(name for name, box in self.ews.boxes.items() if item_id in box.items)

    def _box(self, reference: Any) -> str:
        name = str(reference.get("Id")).removeprefix("id-of-")
        if name not in self.ews.boxes or name in self.ews.missing_folders:
            raise Refused("ErrorFolderNotFound")
        return name

    def _fresh_id(self) -> str:
        self._count += 1
        return f"AAMk{self._count:06d}="

    def _store(self, box: str, item_id: str, element: Any) -> None:
        self._count += 1
        known = element.find(f"{T}ItemId")
        if known is not None:
            element.remove(known)
        place = 1 if element.find(f"{T}MimeContent") is not None else 0
        element.insert(place, node("t:ItemId", Id=item_id, ChangeKey=f"CK{self._count}"))
        self.ews.put(box, item_id, etree.tostring(element).decode())

    def _keep(self, item_id: str, element: Any) -> None:
        if not item_id.startswith("occ|"):
            self._store(self._where(item_id), item_id, element)
            return
        master_id, _, original = item_id.removeprefix("occ|").rpartition("|")
        box = self._where(master_id)
        element.find(f"{T}CalendarItemType").text = "Exception"
        self.ews.boxes.setdefault("exceptions", self.ews.boxes["calendar"].__class__())
        self._store("exceptions", item_id, element)
        master = self.element(master_id)
        listed = _child(master, "ModifiedOccurrences")
        for one in list(listed):
            if id_of(one) == item_id:
                listed.remove(one)
        listed.append(
            node(
                "t:Occurrence",
                node("t:ItemId", Id=item_id, ChangeKey="x"),
                node("t:Start", text_at(element, "Start")),
                node("t:End", text_at(element, "End")),
                node("t:OriginalStart", original),
            )
        )
        self._store(box, master_id, master)

    def _reference(self, item_id: str) -> str:
        element = self.element(item_id)
        key = element.find(f"{T}ItemId").get("ChangeKey")
        name = tag_of(element)
        return f'<t:{name}><t:ItemId Id="{item_id}" ChangeKey="{key}"/></t:{name}>'

    # --- making --------------------------------------------------------------------------------

    def _check_order(self, element: Any) -> None:
        order = ORDER[tag_of(element)]
        places = [order.index(tag_of(child)) for child in element]
        if places != sorted(places):
            raise Refused("ErrorSchemaValidation", "the children are not in the schema's order")

    def _completed(self, element: Any) -> Any:
        if tag_of(element) == "Message":
            return self._message(element, sent=False)
        return self._meeting(element) if tag_of(element) == "CalendarItem" else element

    def _message(self, element: Any, *, sent: bool) -> Any:
        data = base64.b64decode(element.findtext(f"{T}MimeContent"))
        item = read_message(data)
        flags = next(
            (
                int(text_at(one, "Value"))
                for one in element.findall(f"{T}ExtendedProperty")
                if one[0].get("PropertyTag") == "0x0E07"
            ),
            None,
        )
        at = stamp(item.sent_at) if item.sent_at else ""
        for name, value in (
            ("Subject", item.subject),
            ("DateTimeReceived", at),
            ("DateTimeSent", at),
            ("InternetMessageId", f"<{item.message_id}>"),
            ("IsDraft", "false" if sent or flags is not None else "true"),
            ("IsRead", "false" if flags == 0 else "true"),
        ):
            _child(element, name).text = value
        if item.sender:
            box = soap.person(item.sender.address, item.sender.name)
            _child(element, "From").append(soap.parse(box))
        for name, people in (("ToRecipients", item.to), ("CcRecipients", item.cc)):
            for person in people:
                box = soap.person(person.address, person.name)
                _child(element, name).append(soap.parse(box))
        return element

    def _meeting(self, element: Any) -> Any:
        content = element.findtext(f"{T}MimeContent")
        if content:
            kept = soap.parse(base64.b64decode(content).decode())
            for extra in element.findall(f"{T}ExtendedProperty"):
                kept.append(extra)
            return kept
        if not text_at(element, "UID"):
            _child(element, "UID").text = self._fresh_id()
        series = element.find(f"{T}Recurrence") is not None
        _child(element, "CalendarItemType").text = "RecurringMaster" if series else "Single"
        _child(element, "MyResponseType").text = "Organizer"
        _child(element, "Organizer").append(soap.parse(soap.person("ana@firma.example", "Ana")))
        for person in element.iter(f"{T}Attendee"):
            person.append(node("t:ResponseType", "Unknown"))
        return element

    def _deliver(self, element: Any) -> None:
        paths = ("ToRecipients", "CcRecipients", "BccRecipients")
        people = [
            box.findtext(f"{T}EmailAddress")
            for path in paths
            for box in element.findall(f"{T}{path}/{T}Mailbox")
        ]
        if not people:
            raise Refused("ErrorMissingRecipients")
        if any(person.endswith("@refused.example") for person in people):
            raise Refused("ErrorInvalidRecipients", "refused.example")
        data = base64.b64decode(element.findtext(f"{T}MimeContent"))
        self.delivered.append((frozenset(people), data))

    def _tell(self, element: Any, what: str) -> None:
        if element.find(f"{T}RequiredAttendees") is not None:
            self.told.append(what)

    def _answer(self, element: Any, name: str, disposition: str | None) -> str:
        if disposition not in ("SaveOnly", "SendAndSaveCopy"):
            raise Refused("ErrorMessageDispositionRequired")
        item_id = element.find(f"{T}ReferenceItemId").get("Id")
        meeting = self.element(item_id)
        if text_at(meeting, "MyResponseType") == "Organizer":
            raise Refused("ErrorCalendarIsOrganizerForAccept")
        _child(meeting, "MyResponseType").text = ANSWERS[name]
        self._keep(item_id, meeting)
        if disposition == "SendAndSaveCopy":
            self.told.append("answer")
        return soap.success("<m:Items/>")

    def _apply(self, element: Any, change: Any) -> None:
        path = change[0]
        if tag_of(change) == "DeleteItemField":
            _remove(element, path)
            return
        new = change[1][0]
        if tag_of(change[1]) != tag_of(element):
            raise Refused("ErrorIncorrectUpdatePropertyCount")
        if path.get("FieldIndex"):
            holder = _child(element, tag_of(new))
            entry = next((e for e in holder if e.get("Key") == path.get("FieldIndex")), None)
            if entry is None:
                holder.append(new[0])
            elif len(new[0]):
                _replace(entry, new[0][0])
            else:
                holder.replace(entry, new[0])
            return
        if path.get("PropertyName"):
            _remove(element, path)
            element.append(new)
            return
        _replace(element, new)

    # --- series --------------------------------------------------------------------------------

    def _occurrence(self, master_id: str, original: str) -> Any:
        master = self.element(master_id)
        start = moment(original)
        assert start is not None
        regular = {at for at, _ in self._expanded(master)}
        if start not in regular:
            raise Refused("ErrorItemNotFound", "no such occurrence")
        length = _at(master, "End") - _at(master, "Start")
        for name in ("Recurrence", "ModifiedOccurrences", "DeletedOccurrences"):
            for child in master.findall(f"{T}{name}"):
                master.remove(child)
        master.find(f"{T}ItemId").set("Id", f"occ|{master_id}|{original}")
        _child(master, "Start").text = stamp(start)
        _child(master, "End").text = stamp(start + length)
        _child(master, "OriginalStart").text = stamp(start)
        _child(master, "CalendarItemType").text = "Occurrence"
        return master

    def _expanded(self, master: Any) -> list[tuple[dt.datetime, str]]:
        start = _at(master, "Start")
        found = master.find(f"{T}StartTimeZone")
        zone = zone_by_name(found.get("Id")) if found is not None else None
        zone = zone or ZoneInfo("UTC")
        rule = rule_of(master.find(f"{T}Recurrence"), T)
        walls = recurrence.occurrences(
            rule,
            start.astimezone(zone).replace(tzinfo=None),
            zone,
            (),
            window_start=start - HOUR,
            window_end=start + dt.timedelta(days=1500),
        )
        gone = {
            text_at(one, "Start")
            for one in master.findall(f"{T}DeletedOccurrences/{T}DeletedOccurrence")
        }
        master_id = id_of(master)
        return [
            (one.start, f"occ|{master_id}|{stamp(one.start)}")
            for one in walls
            if stamp(one.start) not in gone
        ]

    def _view(self, box: str, view: Any) -> list[str]:
        first, last = moment(view.get("StartDate")), moment(view.get("EndDate"))
        assert first is not None
        assert last is not None
        found = []
        for key in self.ews.boxes[box].items:
            element = self.element(key)
            if element.find(f"{T}Recurrence") is None:
                shown = [(_at(element, "Start"), key)]
            else:
                shown = [
                    (_at(self.element(one), "Start"), one) for _, one in self._expanded(element)
                ]
            found += [
                etree.tostring(self.element(one)).decode()
                for at, one in shown
                if first <= at < last
            ]
        return found

    def _take_out(self, master_id: str, original: str) -> None:
        master = self.element(master_id)
        _child(master, "DeletedOccurrences").append(
            node("t:DeletedOccurrence", node("t:Start", original))
        )
        self._store(self._where(master_id), master_id, master)


def _at(element: Any, name: str) -> dt.datetime:
    found = moment(text_at(element, name))
    assert found is not None, name
    return found


def _child(element: Any, name: str) -> Any:
    found = element.find(f"{T}{name}")
    if found is None:
        found = etree.SubElement(element, f"{T}{name}")
    return found


def _replace(element: Any, new: Any) -> None:
    old = element.find(new.tag)
    if old is None:
        element.append(new)
    else:
        element.replace(old, new)


def _remove(element: Any, path: Any) -> None:
    if path.get("PropertyName") or path.get("PropertyTag"):
        for one in element.findall(f"{T}ExtendedProperty"):
            if dict(one[0].attrib) == dict(path.attrib):
                element.remove(one)
        return
    if path.get("FieldIndex"):
        for entry in element.iter(f"{T}Entry"):
            if entry.get("Key") == path.get("FieldIndex"):
                entry.getparent().remove(entry)
                return
        return
    for child in element.findall(f"{T}{path.get('FieldURI').partition(':')[2]}"):
        element.remove(child)


def _matches(wanted: Any, element: Any) -> bool:
    if tag_of(wanted) == "Or":
        return any(_matches(part, element) for part in wanted)
    assert tag_of(wanted) == "IsEqualTo"
    path, value = wanted[0], wanted[1][0].get("Value")
    if path.get("PropertyName"):
        return any(
            one[0].get("PropertyName") == path.get("PropertyName")
            and text_at(one, "Value") == value
            for one in element.findall(f"{T}ExtendedProperty")
        )
    found = text_at(element, path.get("FieldURI").partition(":")[2])
    return bool(found == value)
