"""What an Exchange mailbox is asked to change: each deed once, one item a request.

Every item that is made carries the key of its deed in a property of its own, so that a deed whose
answer was lost is found again. Nobody is told of anything unless the deed says so: invitations,
cancellations, responses and read receipts are off in every request that could cause them.
"""

from __future__ import annotations

import base64
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Final

from exchangelib.errors import ErrorItemNotFound, ErrorTimeoutExpired, ResponseMessageError
from lxml import etree

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.compose import hidden_recipients
from desktop_crm.sync.exchange import calls, contacts, fields, items, meetings, requests, tasks
from desktop_crm.sync.exchange.folders import DRAFTS, SENT, Folders
from desktop_crm.sync.exchange.xml import Element, change_key_of, id_of, node, tag_of, text_at
from desktop_crm.sync.port import (
    ContactItem,
    Flag,
    Item,
    MailItem,
    MeetingItem,
    Response,
    TaskItem,
)
from desktop_crm.sync.writes import (
    Answer,
    Delete,
    Image,
    ItemDeed,
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    SaveDraft,
    Send,
    Stale,
    Vanished,
    Written,
)

_log = logging.getLogger(__name__)

_ANSWERS: Final = {
    Response.ACCEPTED: "t:AcceptItem",
    Response.TENTATIVE: "t:TentativelyAcceptItem",
    Response.DECLINED: "t:DeclineItem",
}
_STATED: Final = {
    "accept": Response.ACCEPTED,
    "tentative": Response.TENTATIVE,
    "decline": Response.DECLINED,
}
_FLAGS_TAG: Final = "0x0E07 Integer"
_READ: Final = 1
"""PR_MESSAGE_FLAGS: read; without the bit that says unsent, so that it is no draft."""

_DELIVERED_TAG: Final = "0x0E06 SystemTime"

SavedItem = MeetingItem | TaskItem | ContactItem


class Deeds:
    """Does deeds on one mailbox.

    Args:
        account: whose mailbox it is.
        folders: its folders.
        resolve: finds addresses of legacy directory names.
        zone: where days begin.
    """

    def __init__(
        self, account: calls.Account, folders: Folders, resolve: items.Resolve, zone: tzinfo
    ) -> None:
        self._account = account
        self._folders = folders
        self._resolve = resolve
        self._zone = zone

    def do(self, deed: ItemDeed) -> Written:
        """Do it once.

        Raises:
            Stale: the item is newer than the deed knew.
            Vanished: it is not there.
            UserError: Exchange refuses it for good.
            EWSError: everything else that can go wrong.
        """
        match deed:
            case Send():
                return self._send(deed)
            case SaveDraft():
                return self._draft(deed)
            case Save():
                return self._save(deed)
            case Mark():
                return self._mark(deed)
            case Move():
                return self._move(deed)
            case Delete():
                return self._delete(deed)
            case Answer():
                return self._answer(deed)
            case PutBack():
                return self._put_back(deed)

    def find(self, deed: ItemDeed) -> Written | None:
        """What an earlier try left behind; see the port."""
        match deed:
            case Send():
                return self._found(SENT.key, deed.own_key, deed.message_id)
            case SaveDraft():
                found = self._found(DRAFTS.key, deed.own_key)
                if found is not None and found.ref is not None and deed.ref is not None:
                    self._drop(deed.ref)
                return found
            case Save():
                return self._saved(deed)
            case PutBack():
                return self._found(deed.image.ref.folder, deed.own_key)
            case Move():
                return self._moved(deed)
            case Delete():
                return self._deleted(deed)
            case Answer():
                return self._answered(deed)
            case Mark():
                return None

    def image(self, ref: Ref) -> Image:
        """The item as it stands, with what restores it.

        Raises:
            Vanished: it is not there.
        """
        element = self._element(ref.item_id, mime=True)
        item = self._read(element)
        content = text_at(element, "MimeContent")
        raw = base64.b64decode(content) if content else etree.tostring(element)
        here = replace(ref, change_key=change_key_of(element))
        if isinstance(item, MailItem):
            return Image(here, item, raw, item.is_read, item.flag, item.categories)
        return Image(here, item, raw, categories=item.categories)

    # --- messages ------------------------------------------------------------------------------

    def _send(self, deed: Send) -> Written:
        """Lay the message among the drafts and send it from there.

        A server may do late what it gave no answer to. What is sent is one draft, which an earlier
        try left and this one takes away first: once that is gone it cannot be sent any more.
        """
        drafts, sent = (self._folders.id_node(folder.key) for folder in (DRAFTS, SENT))
        message = node(
            "t:Message",
            _mime(deed.mime),
            fields.own(calls.OWN_KEY, deed.own_key).node,
            _hidden(deed),
        )
        while (left := requests.find_own(self._account, drafts, deed.own_key, "")) is not None:
            try:
                requests.delete(self._account, id_of(left))
            except ErrorItemNotFound as error:
                # It left just now, or somebody took it away; the next try sees which it was.
                raise ErrorTimeoutExpired("a draft went away while it was taken back") from error
        draft = requests.create(self._account, message, drafts)
        try:
            requests.send(self._account, draft, sent)
        except ErrorTimeoutExpired:
            raise  # nobody knows: the next try looks for it
        except ResponseMessageError:
            # The server refuses; why counts, and what stays goes with the next try.
            with contextlib.suppress(Exception):
                self._drop(Ref(DRAFTS.key, id_of(draft)))
            raise
        try:
            found = self._found(SENT.key, deed.own_key, deed.message_id)
        except Exception:  # it was sent; where its copy lies can be asked again
            _log.warning("the copy of a sent message was not looked up", exc_info=True)
            found = None
        return found or Written(None)

    def _draft(self, deed: SaveDraft) -> Written:
        if deed.ref is not None:
            self._current(deed.ref)
        message = node("t:Message", _mime(deed.mime), fields.own(calls.OWN_KEY, deed.own_key).node)
        made = requests.create(self._account, message, self._folders.id_node(DRAFTS.key))
        if deed.ref is not None:
            self._drop(deed.ref)
        return Written(Ref(DRAFTS.key, id_of(made), change_key_of(made)))

    def _drop(self, ref: Ref) -> None:
        try:
            requests.delete(self._account, ref.item_id)
        except ErrorItemNotFound:
            _log.info("an earlier draft was gone already")

    def _mark(self, deed: Mark) -> Written:
        element = self._element(deed.ref.item_id)
        new = [
            *(
                (fields.truth("message:IsRead", "t:IsRead", deed.is_read),)
                if deed.is_read is not None
                else ()
            ),
            *((fields.flag(deed.flag),) if deed.flag is not None else ()),
            *((fields.categories(deed.categories),) if deed.categories is not None else ()),
        ]
        old = [fields.categories(items.categories_of(element))]
        changes = fields.updates(f"t:{tag_of(element)}", old, new)
        here = replace(deed.ref, change_key=change_key_of(element))
        return Written(self._updated(here, changes, resolution="AlwaysOverwrite"))

    def _move(self, deed: Move) -> Written:
        target = self._folders.id_node(deed.folder)
        made = requests.move(self._account, deed.ref.item_id, target)
        return Written(Ref(deed.folder, id_of(made), change_key_of(made)))

    def _moved(self, deed: Move) -> Written | None:
        """A move is known by its item having left; its new id comes with the next sync."""
        try:
            self._element(deed.ref.item_id)
        except (Vanished, ErrorItemNotFound):
            return Written(None)
        return None

    def _put_back(self, deed: PutBack) -> Written:
        image = deed.image
        item = image.item
        folder = self._folders.id_node(image.ref.folder)
        own = fields.own(calls.OWN_KEY, deed.own_key)
        if isinstance(item, MailItem):
            delivered = item.received_at or item.sent_at
            at = delivered.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if delivered else ""
            message = fields.new_item(
                "t:Message",
                [
                    fields.Field("item:MimeContent", _mime(image.raw)),
                    fields.categories(image.categories),
                    own,
                    fields.tagged(_FLAGS_TAG, str(_READ if image.is_read else 0)),
                    fields.tagged(_DELIVERED_TAG, at),
                    *((fields.flag(image.flag),) if image.flag is not Flag.NONE else ()),
                ],
            )
            made = requests.create(self._account, message, folder)
        elif isinstance(item, MeetingItem):
            meeting = node(
                "t:CalendarItem", _mime(image.raw), fields.categories(image.categories).node,
                own.node,
            )  # fmt: skip
            made = requests.create(self._account, meeting, folder, None, notify=Notify.NOBODY)
        else:
            made = self._create(item, image.ref.folder, deed.own_key, Notify.NOBODY)
        return Written(Ref(image.ref.folder, id_of(made), change_key_of(made)), item)

    # --- meetings, tasks, contacts -------------------------------------------------------------

    def _save(self, deed: Save) -> Written:
        item = deed.item
        if deed.ref is None:
            made = self._create(item, deed.folder, deed.own_key, deed.notify)
            ref = Ref(deed.folder, id_of(made), change_key_of(made))
            if isinstance(item, MeetingItem) and item.exdates:
                ref = self._take_out(ref, (), item, deed.notify)
            return Written(ref, item)
        if isinstance(item, MeetingItem) and item.recurrence_id is not None:
            return self._save_occurrence(deed, item, deed.ref)
        element = self._current(deed.ref)
        ref = replace(deed.ref, change_key=change_key_of(element))
        before = self._read(element)
        old, new = self._fields(before), self._fields(item)
        if isinstance(before, MeetingItem) and isinstance(item, MeetingItem):
            requests.must_be_organizer(element, old, new)
        changes = _marked(fields.updates(f"t:{tag_of(element)}", old, new), element, deed.own_key)
        ref = self._updated(ref, changes, deed.notify)
        if isinstance(item, MeetingItem) and isinstance(before, MeetingItem):
            ref = self._take_out(ref, before.exdates, item, deed.notify)
        return Written(ref, item)

    def _saved(self, deed: Save) -> Written | None:
        if deed.ref is None:
            return self._found(deed.folder, deed.own_key)
        try:
            element = self._element(deed.ref.item_id)
            item = deed.item
            if isinstance(item, MeetingItem) and item.recurrence_id is not None:
                found = self._occurrence(element, deed.ref.folder, item.recurrence_id)
                element = self._element(found)
        except (Vanished, ErrorItemNotFound):
            return None
        if items.own_text(element, calls.OWN_KEY) != deed.own_key:
            return None
        return Written(Ref(deed.ref.folder, id_of(element), change_key_of(element)))

    def _create(self, item: Item, folder: str, own_key: str, notify: Notify) -> Element:
        place = self._folders.id_node(folder)
        if isinstance(item, MeetingItem):
            made = meetings.meeting_fields(item, self._zone, own_key)
            made = meetings.with_uid(made, item.uid)
            element = fields.new_item("t:CalendarItem", made)
            return requests.create(self._account, element, place, None, notify=notify)
        if isinstance(item, TaskItem):
            element = fields.new_item("t:Task", tasks.task_fields(item, own_key))
        elif isinstance(item, ContactItem):
            element = fields.new_item("t:Contact", contacts.contact_fields(item, own_key))
        else:
            raise TypeError("messages are sent, drafted or put back")
        return requests.create(self._account, element, place, None)

    def _fields(self, item: Item) -> list[fields.Field]:
        if isinstance(item, MeetingItem):
            return meetings.meeting_fields(item, self._zone)
        if isinstance(item, TaskItem):
            return tasks.task_fields(item)
        if isinstance(item, ContactItem):
            return contacts.contact_fields(item)
        raise TypeError(type(item).__name__)

    def _save_occurrence(self, deed: Save, item: MeetingItem, ref: Ref) -> Written:
        master = self._current(ref)
        series = items.meeting_item(master, self._resolve)
        moved = meetings.moved_occurrences(master, series)
        meetings.check_move(series, moved, item)
        occurrence = self._occurrence(master, ref.folder, item.recurrence_id)
        element = self._element(occurrence)
        before = items.meeting_item(element, self._resolve)
        same = replace(before, recurrence_id=item.recurrence_id, zone=item.zone)
        old = meetings.meeting_fields(same, self._zone)
        new = meetings.meeting_fields(item, self._zone)
        requests.must_be_organizer(element, old, new)
        changes = _marked(fields.updates("t:CalendarItem", old, new), element, deed.own_key)
        here = Ref(ref.folder, occurrence, change_key_of(element))
        return Written(self._updated(here, changes, deed.notify), item)

    def _take_out(
        self, ref: Ref, before: Sequence[Element], item: MeetingItem, notify: Notify
    ) -> Ref:
        """Delete the occurrences that a series shall no longer have."""
        wanted = [day for day in item.exdates if day not in before]
        if not wanted or not item.rrule:
            return ref
        for day in wanted:
            master = self._element(ref.item_id)
            try:
                occurrence = self._occurrence(master, ref.folder, day)
            except Vanished:
                _log.info("an occurrence was not there to be taken out")
                continue
            requests.delete(self._account, occurrence, notify)
        return replace(ref, change_key=change_key_of(self._element(ref.item_id)))

    def _occurrence(self, master: Element, folder: str, original: Element) -> str:
        found = meetings.occurrence_id(
            self._account, self._folders.id_node(folder), master, original, self._zone
        )
        if found is None:
            raise Vanished(f"no occurrence at {original}")
        return found

    def _delete(self, deed: Delete) -> Written:
        element = self._current(deed.ref)
        target = deed.ref.item_id
        if deed.occurrence is not None:
            target = self._occurrence(element, deed.ref.folder, deed.occurrence)
        requests.delete(self._account, target, deed.notify)
        if deed.occurrence is None:
            return Written(None)
        again = self._element(deed.ref.item_id)
        return Written(replace(deed.ref, change_key=change_key_of(again)))

    def _deleted(self, deed: Delete) -> Written | None:
        try:
            element = self._element(deed.ref.item_id)
        except (Vanished, ErrorItemNotFound):
            return Written(None)
        if deed.occurrence is None:
            return None
        try:
            self._occurrence(element, deed.ref.folder, deed.occurrence)
        except Vanished:
            return Written(replace(deed.ref, change_key=change_key_of(element)))
        return None

    def _answer(self, deed: Answer) -> Written:
        tag = _ANSWERS.get(deed.response)
        if tag is None:
            raise UserError(
                N_("An invitation is accepted, declined or left open; nothing was answered.")
            )
        element = self._current(deed.ref)
        reference = node("t:ReferenceItemId", Id=id_of(element), ChangeKey=change_key_of(element))
        told = deed.notify is not Notify.NOBODY
        requests.create(
            self._account, node(tag, reference), None, "SendAndSaveCopy" if told else "SaveOnly"
        )
        return self._answered(deed) or Written(None)

    def _answered(self, deed: Answer) -> Written | None:
        try:
            element = self._element(deed.ref.item_id)
        except (Vanished, ErrorItemNotFound):
            # Exchange throws a request away once it is answered.
            return Written(None)
        stated = _STATED.get(text_at(element, "MyResponseType").lower())
        if stated is not deed.response:
            return None
        return Written(replace(deed.ref, change_key=change_key_of(element)))

    # --- what they share -----------------------------------------------------------------------

    def _found(self, folder: str, own_key: str, message_id: str = "") -> Written | None:
        place = self._folders.id_node(folder)
        element = requests.find_own(self._account, place, own_key, message_id)
        if element is None:
            return None
        return Written(Ref(folder, id_of(element), change_key_of(element)))

    def _updated(
        self,
        ref: Ref,
        changes: Sequence[Element],
        notify: Notify = Notify.NOBODY,
        resolution: str = "NeverOverwrite",
    ) -> Ref:
        if not changes:
            return ref
        made = requests.update(self._account, ref, changes, notify, resolution)
        return Ref(ref.folder, id_of(made) or ref.item_id, change_key_of(made))

    def _current(self, ref: Ref) -> Element:
        """The item, if it is the version the deed knows; not every server compares itself."""
        element = self._element(ref.item_id)
        if ref.change_key and change_key_of(element) != ref.change_key:
            raise Stale(f"version {change_key_of(element)!r}")
        return element

    def _element(self, item_id: str, *, mime: bool = False) -> Element:
        return requests.item(self._account, item_id, mime=mime)

    def _read(self, element: Element) -> Item:
        name = tag_of(element)
        if name == "CalendarItem":
            return items.meeting_item(element, self._resolve)
        if name == "Task":
            return tasks.task_item(element, self._resolve)
        if name == "Contact":
            return contacts.contact_item(element, self._resolve)
        return items.mail_item(element, self._resolve)


def _marked(changes: list[Element], element: Element, own_key: str) -> list[Element]:
    """Changes with the key of the deed that makes them; none where nothing changes."""
    if not changes:
        return []
    key = fields.own(calls.OWN_KEY, own_key)
    return [*changes, *fields.updates(f"t:{tag_of(element)}", (), (key,))]


def _mime(data: bytes) -> Element:
    return node("t:MimeContent", base64.b64encode(data).decode("ascii"), CharacterSet="UTF-8")


def _hidden(deed: Send) -> Element:
    boxes = [node("t:Mailbox", node("t:EmailAddress", one)) for one in hidden_recipients(deed)]
    return node("t:BccRecipients", *boxes) if boxes else None
