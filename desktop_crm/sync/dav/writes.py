"""Deeds on calendars, task lists and address books.

A new item lies under the key of its deed, so that making it twice is impossible (`If-None-Match`);
a change names the version it was made from (`If-Match`). Servers that send invitations by
themselves are kept from it: what they would tell people of is either written so that they do not,
or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.dav.changes import etag_of, get
from desktop_crm.sync.dav.client import DavClient, Denied, Missing, Newer, path_of
from desktop_crm.sync.dav.imip import Method, mail_about
from desktop_crm.sync.dav.items import path_and_occurrence, read_resource, suffix_of
from desktop_crm.sync.dav.places import Place
from desktop_crm.sync.dav.store import DavStore, denied
from desktop_crm.sync.formats import ical_write, vcard
from desktop_crm.sync.port import (
    ContactItem,
    FolderRole,
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
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    Send,
    Stale,
    Vanished,
    Written,
)

_TYPES: Final = {
    FolderRole.CONTACTS: ("text/vcard; charset=utf-8", ".vcf"),
    FolderRole.CALENDAR: ("text/calendar; charset=utf-8", ".ics"),
    FolderRole.TASKS: ("text/calendar; charset=utf-8", ".ics"),
}


class DavWriter:
    """What can be done to a person's calendars and address books.

    Args:
        store: the collections.
        address: the person's own address, from which people are told.
        tell: sends a mail once, however often it is asked to.
    """

    def __init__(self, store: DavStore, address: str, tell: Callable[[Send], object]) -> None:
        self._store = store
        self._address = address
        self._tell = tell

    # --- looking ----------------------------------------------------------------------------

    def image(self, ref: Ref) -> Image:
        """An item as it stands.

        Raises:
            Vanished: it is not there.
            UserError: it cannot be read.
        """
        place = self._place(ref.folder)
        path, suffix = path_and_occurrence(ref.item_id)
        data, etag = self._get(place, path)
        resource = read_resource(place.role, path, data, etag, self._store.zone, self._store.own)
        item = resource.items.get(suffix)
        if item is None:
            if suffix or not resource.quarantined:
                raise Vanished(ref.item_id)
            problem = resource.quarantined[0]
            raise UserError(problem.reason, None, **dict(problem.params))
        categories = () if isinstance(item, MailItem) else item.categories
        return Image(replace(ref, change_key=etag), item, data, categories=categories)

    def find(self, deed: Save | PutBack) -> Written | None:
        """What carries the deed's key, and of which everybody was told who was to be."""
        folder = deed.folder if isinstance(deed, Save) else deed.image.ref.folder
        place = self._store.place(folder)
        if place is None:
            return None
        new = isinstance(deed, PutBack) or deed.ref is None
        path = self._new_path(place, deed.own_key)
        if not new and isinstance(deed, Save) and deed.ref is not None:
            path, _ = path_and_occurrence(deed.ref.item_id)
        try:
            data, etag = get(place.client, path)
        except Missing:
            return None
        # What is new lies where its key says, and needs no other mark of it: many programs drop
        # what they do not know when they change an item.
        if not new and deed.own_key not in _keys(place, data):
            return None
        if isinstance(deed, Save) and deed.notify is not Notify.NOBODY:
            return None  # doing it again writes nothing twice, and tells who was not told
        suffix = ""
        if isinstance(deed, Save) and isinstance(deed.item, MeetingItem):
            suffix = suffix_of(deed.item.recurrence_id)
        return Written(Ref(folder, path + suffix, etag))

    # --- doing ------------------------------------------------------------------------------

    def save(self, deed: Save) -> Written:
        """Make or change an item; tell the participants when the deed says so."""
        place = self._place(deed.folder if deed.ref is None else deed.ref.folder)
        item = deed.item if deed.item.uid else replace(deed.item, uid=deed.own_key)
        path, _ = path_and_occurrence(deed.ref.item_id) if deed.ref else ("", "")
        if deed.ref is None:
            return self._make(place, deed, item)
        before, etag = self._get(place, path)
        own = deed.own_key in _keys(place, before)
        if not own and _stale(deed.ref, etag):
            raise Stale(deed.ref.item_id)
        by_server = self._by_server(place, before, deed.notify)
        if not own:
            after = _written(item, deed.own_key, before)
            etag = self._put(place, path, after, etag, quiet=not by_server)
        if not by_server:
            self._invite(deed, item, place, path, _left_out(before, item))
        suffix = suffix_of(getattr(item, "recurrence_id", None))
        return Written(Ref(place.folder.key, path + suffix, etag), item)

    def _make(
        self, place: Place, deed: Save, item: MeetingItem | TaskItem | ContactItem
    ) -> Written:
        path = self._new_path(place, deed.own_key)
        try:
            etag = self._put(place, path, _written(item, deed.own_key, None), None, quiet=True)
        except Stale:
            _, etag = self._get(place, path)  # made by an earlier try
        self._invite(deed, item, place, path, ())
        return Written(Ref(place.folder.key, path, etag), item)

    def delete(self, deed: Delete) -> Written:
        """Delete an item, a changed occurrence's series for that occurrence, or one occurrence."""
        place = self._place(deed.ref.folder)
        path, suffix = path_and_occurrence(deed.ref.item_id)
        data, etag = self._get(place, path)
        if _stale(deed.ref, etag):
            raise Stale(deed.ref.item_id)
        occurrence = deed.occurrence
        if suffix and occurrence is None:
            occurrence = datetime.fromisoformat(suffix[1:])
        by_server = self._by_server(place, data, deed.notify)
        if occurrence is not None:
            after = ical_write.without_occurrence(data, occurrence, deed.own_key)
            etag = self._put(place, path, after, etag, quiet=not by_server)
            return Written(Ref(deed.ref.folder, path, etag))
        if not by_server:
            self._cancel(deed, place, data)
        # An attendee's copy goes without a word to the organizer (RFC 6638, 8.1).
        quiet = {} if by_server else {"Schedule-Reply": "F"}
        self._send(place, "DELETE", path, None, {"If-Match": etag, **quiet})
        return Written(None)

    def move(self, deed: Move) -> Written:
        """Move an item to another collection of its kind."""
        source, target = self._place(deed.ref.folder), self._place(deed.folder)
        path, _ = path_and_occurrence(deed.ref.item_id)
        if source.role is not target.role or source.client is not target.client:
            raise UserError(
                N_('"{folder}" takes no items of this kind. Nothing was moved.'),
                folder=target.name,
            )
        name = path.removeprefix(source.path)
        destination = target.client.at(target.path + name)
        headers = {"Destination": destination, "Overwrite": "F"}
        self._send(source, "MOVE", path, None, headers)
        _, etag = self._get(target, target.path + name)
        return Written(Ref(deed.folder, target.path + name, etag))

    def mark(self, deed: Mark) -> Written:
        """Set the categories of an item; it has no other marks."""
        if deed.categories is None:
            return Written(deed.ref)
        image = self.image(deed.ref)
        item = replace(image.item, categories=deed.categories)
        assert not isinstance(item, MailItem)  # noqa: S101  mail lies elsewhere
        return self.save(Save(deed.own_key, deed.ref.folder, item, image.ref))

    def answer(self, deed: Answer) -> Written:
        """Answer an invitation; the organizer is told only when the deed says so."""
        place = self._place(deed.ref.folder)
        path, _ = path_and_occurrence(deed.ref.item_id)
        data, etag = self._get(place, path)
        if deed.own_key not in _keys(place, data):
            if _stale(deed.ref, etag):
                raise Stale(deed.ref.item_id)
            me = self._me(data)
            by_server = deed.notify is not Notify.NOBODY and self._schedules(place)
            data = ical_write.answered(data, me, deed.response, deed.own_key)
            etag = self._put(place, path, data, etag, quiet=not by_server)
            if by_server:
                return Written(replace(deed.ref, change_key=etag))
        item = self.image(replace(deed.ref, change_key=etag)).item
        if deed.notify is not Notify.NOBODY and isinstance(item, MeetingItem) and item.organizer:
            reply = ical_write.message_of(data, Method.REPLY, self._me(data))
            to = (item.organizer.address.address,)
            self._mail(deed.own_key, item, reply, Method.REPLY, to, deed.response)
        return Written(replace(deed.ref, change_key=etag), item)

    def put_back(self, deed: PutBack) -> Written:
        """Make an item anew from its image, telling nobody."""
        image = deed.image
        place = self._place(image.ref.folder)
        raw = image.raw
        if place.role is FolderRole.CONTACTS and isinstance(image.item, ContactItem):
            raw = vcard.write_contact(image.item, deed.own_key, raw or None)
        elif not raw:
            assert isinstance(image.item, MeetingItem | TaskItem)  # noqa: S101  no other kinds
            raw = _written(image.item, deed.own_key, None)
        else:
            raw = ical_write.keyed(raw, deed.own_key)
        path = self._new_path(place, deed.own_key)
        try:
            etag = self._put(place, path, raw, None, quiet=True)
        except Stale:
            _, etag = self._get(place, path)  # put there by an earlier try
        return Written(Ref(image.ref.folder, path, etag))

    # --- telling people ---------------------------------------------------------------------

    def _schedules(self, place: Place) -> bool:
        return place.role is FolderRole.CALENDAR and self._store.at(place.client).schedules

    def _by_server(self, place: Place, data: bytes, notify: Notify) -> bool:
        """Whether the server itself tells people of a change, because it did so before.

        Raises:
            UserError: it would, and nobody is to be told.
        """
        if not self._schedules(place) or not ical_write.server_tells(data):
            return False
        organizer = ical_write.organizer_of(data)
        if organizer and organizer not in self._store.own:
            return False  # what an attendee changes in their own copy is told to nobody
        if notify is Notify.NOBODY:
            raise UserError(
                N_(
                    "The server {server} itself tells the participants of every change to this "
                    "meeting. Nothing was changed; allow telling them, or change it in its own "
                    "calendar."
                ),
                server=place.client.host,
            )
        return True

    def _invite(
        self,
        deed: Save,
        item: Item,
        place: Place,
        path: str,
        left_out: Sequence[str],
    ) -> None:
        if deed.notify is Notify.NOBODY or not isinstance(item, MeetingItem):
            return
        data, _ = self._get(place, path)
        people = self._others(ical_write.attendees_of(data))
        if people:
            request = ical_write.message_of(data, Method.REQUEST)
            self._mail(deed.own_key, item, request, Method.REQUEST, people)
        gone = [one for one in self._others(left_out) if one not in people]
        if gone:
            cancel = ical_write.message_of(data, Method.CANCEL)
            self._mail(deed.own_key, item, cancel, Method.CANCEL, gone)

    def _cancel(self, deed: Delete, place: Place, data: bytes) -> None:
        if deed.notify is Notify.NOBODY or place.role is not FolderRole.CALENDAR:
            return
        people = self._others(ical_write.attendees_of(data))
        item = self.image(deed.ref).item
        if people and isinstance(item, MeetingItem):
            cancel = ical_write.message_of(data, Method.CANCEL)
            self._mail(deed.own_key, item, cancel, Method.CANCEL, people)

    def _others(self, people: Sequence[str]) -> list[str]:
        return [one for one in people if one not in self._store.own]

    def _mail(
        self,
        own_key: str,
        item: MeetingItem,
        calendar: bytes,
        method: Method,
        to: Sequence[str],
        response: Response = Response.NONE,
    ) -> None:
        mail = mail_about(
            own_key,
            item,
            calendar,
            method,
            sender=self._address,
            recipients=to,
            response=response,
        )
        self._tell(mail)

    def _me(self, data: bytes) -> str:
        own = self._store.own
        return next((a for a in ical_write.attendees_of(data) if a in own), self._address)

    # --- requests ---------------------------------------------------------------------------

    def _place(self, folder: str) -> Place:
        place = self._store.place(folder)
        if place is None:
            raise Vanished(folder)
        return place

    def _new_path(self, place: Place, own_key: str) -> str:
        return place.path + path_of(own_key) + _TYPES[place.role][1]

    def _get(self, place: Place, path: str) -> tuple[bytes, str]:
        try:
            return get(place.client, path)
        except Missing as error:
            raise Vanished(path) from error
        except Denied as error:
            raise denied(place.client, error) from error

    def _put(self, place: Place, path: str, data: bytes, etag: str | None, *, quiet: bool) -> str:
        """Store a resource; the entity tag it has then."""
        if quiet and place.role is FolderRole.CALENDAR:
            data = ical_write.quietened(data, self._store.own)
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        headers = {"Content-Type": _TYPES[place.role][0], **condition}
        tag = self._send(place, "PUT", path, data, headers)
        # A server that keeps something else than it was given names no tag.
        return tag or self._get(place, path)[1]

    def _send(
        self,
        place: Place,
        method: str,
        path: str,
        data: bytes | None,
        headers: Mapping[str, str],
    ) -> str:
        client: DavClient = place.client
        try:
            response = client.send(method, client.at(path), data, headers)
        except Newer as error:
            raise Stale(path) from error
        except Missing as error:
            raise Vanished(path) from error
        except Denied as error:
            raise UserError(
                N_("The server {server} refuses it ({problem}). Nothing was changed there."),
                server=client.host,
                problem=str(error)[:200],
            ) from error
        return etag_of(response.headers.get("ETag", ""))


def _written(item: Item, own_key: str, before: bytes | None) -> bytes:
    if isinstance(item, MeetingItem):
        return ical_write.write_meeting(item, own_key, before)
    if isinstance(item, TaskItem):
        return ical_write.write_task(item, own_key, before)
    assert isinstance(item, ContactItem)  # noqa: S101  mail lies elsewhere
    return vcard.write_contact(item, own_key, before)


def _keys(place: Place, data: bytes) -> str:
    if place.role is FolderRole.CONTACTS:
        return vcard.own_key_of(data)
    try:
        return ical_write.own_key_of(data)
    except UserError:
        return ""


def _left_out(before: bytes, item: Item) -> tuple[str, ...]:
    """Who was invited before and is no longer."""
    if not isinstance(item, MeetingItem):
        return ()
    now = {a.address.address.casefold() for a in item.attendees}
    return tuple(one for one in ical_write.attendees_of(before) if one not in now)


def _stale(ref: Ref, etag: str) -> bool:
    return bool(ref.change_key) and ref.change_key != etag
