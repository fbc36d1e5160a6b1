"""What a mailbox of Microsoft 365 is asked to change: each deed once.

Everything that is made carries the key of its deed, so that a deed whose answer was lost is found
again: messages, meetings and contacts in a property of their own, tasks, which have none, as
something they are linked to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.graph import forms, items
from desktop_crm.sync.graph.calendar import CALENDAR, is_calendar
from desktop_crm.sync.graph.calls import Graph, chunks, segment, with_query
from desktop_crm.sync.graph.events import Events
from desktop_crm.sync.graph.messages import Messages
from desktop_crm.sync.graph.problems import GraphError
from desktop_crm.sync.port import ContactItem, Item, MailItem, MeetingItem, ShowAs, TaskItem
from desktop_crm.sync.writes import (
    Answer,
    BusyTime,
    Delete,
    Image,
    ItemDeed,
    Mark,
    Move,
    PutBack,
    Ref,
    Save,
    SaveDraft,
    Send,
    Stale,
    Vanished,
    Written,
)

TASK_LISTS: Final = "todo/"
"""What the key of a task list begins with."""
CONTACTS: Final = "contacts/"
"""What the key of an address book begins with."""

SCHEDULES: Final = 20
"""People whose busy times are asked for in one request."""


class Deeds:
    """Does deeds on one mailbox.

    Args:
        graph: the connection.
        address: of the mailbox.
    """

    def __init__(self, graph: Graph, address: str) -> None:
        self._graph = graph
        self._address = address
        self.messages = Messages(graph)

    def do(self, deed: ItemDeed) -> Written:
        """Do it once.

        Raises:
            Stale: the item is newer than the deed knew.
            Vanished: it is not there.
            UserError: Microsoft 365 refuses it for good.
            GraphError: everything else that can go wrong.
        """
        try:
            return self._do(deed)
        except GraphError as error:
            if error.status == 412 or error.code == "ErrorIrresolvableConflict":
                raise Stale(error.code) from error
            if error.is_gone:
                raise Vanished(error.code) from error
            if error.code in ("ErrorSendAsDenied", "ErrorInvalidRecipients", "ErrorItemSave"):
                raise _refused(error) from error
            raise

    def _do(self, deed: ItemDeed) -> Written:
        match deed:
            case Send():
                return self.messages.send(deed)
            case SaveDraft():
                return self.messages.draft(deed)
            case Save():
                return self._save(deed)
            case Mark():
                return self._mark(deed)
            case Move():
                if not _is_mail(deed.ref.folder):
                    raise UserError(
                        N_("Microsoft 365 moves messages only. Nothing was changed there.")
                    )
                return self.messages.move(deed)
            case Delete():
                return self._delete(deed)
            case Answer():
                return self._events().answer(self._event_key(deed.ref), deed)
            case PutBack():
                return self._put_back(deed)

    def find(self, deed: ItemDeed) -> Written | None:
        """What an earlier try left behind; see the port."""
        match deed:
            case Send():
                return self.messages.sent(deed)
            case SaveDraft():
                return self.messages.drafted(deed)
            case Save():
                return self._saved(deed)
            case Move():
                return self.messages.lies_in(deed.ref.item_id, deed.folder)
            case Delete():
                return self._deleted(deed)
            case Answer():
                return self._answered(deed)
            case PutBack():
                return self._back(deed)
            case Mark():
                return None

    def image(self, ref: Ref) -> Image:
        """The item as it stands, with what restores it.

        Raises:
            Vanished: it is not there.
        """
        if _is_mail(ref.folder):
            return self.messages.image(ref)
        if is_calendar(ref.folder):
            return self._events(ref.folder).image(ref)
        entry = self._entry(ref)
        item = self._read(ref, entry)
        here = replace(ref, change_key=items.change_key(entry))
        return Image(here, item, json.dumps(entry).encode(), categories=item.categories)

    # --- meetings, tasks, contacts -------------------------------------------------------------

    def _entry(self, ref: Ref) -> items.Json:
        if is_calendar(ref.folder):
            return self._events(ref.folder).entry(ref.item_id)
        path = _path(ref)
        query = {} if ref.folder.startswith(TASK_LISTS) else {"$expand": items.OWN_KEY_EXPAND}
        try:
            return self._graph.get(path, query)
        except GraphError as error:
            if error.is_gone:
                raise Vanished(ref.item_id[-12:]) from error
            raise

    def _read(self, ref: Ref, entry: items.Json) -> MeetingItem | TaskItem | ContactItem:
        if is_calendar(ref.folder):
            return self._events(ref.folder).item(entry)
        return (
            items.task_item(entry)
            if ref.folder.startswith(TASK_LISTS)
            else items.contact_item(entry)
        )

    def _current(self, ref: Ref) -> items.Json:
        entry = self._entry(ref)
        if ref.change_key and items.change_key(entry) != ref.change_key:
            raise Stale(items.change_key(entry))
        return entry

    def _save(self, deed: Save) -> Written:
        item = deed.item
        if isinstance(item, MeetingItem):
            return self._events(deed.folder).save(deed, item)
        if deed.ref is None:
            return self._create(deed.folder, item, deed.own_key)
        entry = self._current(deed.ref)
        form = forms.changed(_form(self._read(deed.ref, entry)), _form(item))
        if form and isinstance(item, ContactItem):
            form |= forms.own(deed.own_key)
        if not form:
            return Written(replace(deed.ref, change_key=items.change_key(entry)), item)
        made = self._graph.call(
            "PATCH", _path(deed.ref), body=form, if_match=items.change_key(entry)
        ).json
        return Written(replace(deed.ref, change_key=items.change_key(made)), item)

    def _create(self, folder: str, item: Item, own_key: str) -> Written:
        mark = forms.own(own_key) if isinstance(item, ContactItem) else forms.task_mark(own_key)
        form = {name: value for name, value in _form(item).items() if value is not None}
        made = self._graph.call("POST", _home(folder), body=form | mark).json
        return Written(Ref(folder, items.text(made, "id"), items.change_key(made)), item)

    def _saved(self, deed: Save) -> Written | None:
        item = deed.item
        if isinstance(item, MeetingItem):
            return self._events(deed.folder).saved(deed, item)
        if deed.ref is None:
            return self._carrying(deed.folder, deed.own_key)
        try:
            entry = self._entry(deed.ref)
        except Vanished:
            return None
        done = (
            items.extended(entry, items.OWN_KEY) == deed.own_key
            if isinstance(item, ContactItem)
            # A task has no place for a key: it was changed when it says what it shall say.
            else not forms.changed(_form(self._read(deed.ref, entry)), _form(item))
        )
        return Written(replace(deed.ref, change_key=items.change_key(entry))) if done else None

    def _carrying(self, folder: str, own_key: str) -> Written | None:
        """The task or contact of a folder that carries a key."""
        home = _home(folder)
        if folder.startswith(TASK_LISTS):
            path = with_query(home, expand="linkedResources", top="100")
        else:
            path = with_query(home, filter=items.own_filter(own_key), select="id,changeKey")
        while path:
            answer = self._graph.get(path)
            for one in answer.get("value") or ():
                if not folder.startswith(TASK_LISTS) or _is_linked(one, own_key):
                    return Written(Ref(folder, items.text(one, "id"), items.change_key(one)))
            path = items.text(answer, "@odata.nextLink")
        return None

    def _mark(self, deed: Mark) -> Written:
        if _is_mail(deed.ref.folder):
            return self.messages.mark(deed)
        if deed.is_read is not None or deed.flag is not None or deed.categories is None:
            raise UserError(
                N_("Only messages are read or flagged in Microsoft 365. Nothing was changed there.")
            )
        if is_calendar(deed.ref.folder):
            return self._events(deed.ref.folder).mark(deed.ref, deed.categories, deed.own_key)
        body = {"categories": list(deed.categories)}
        made = self._graph.call("PATCH", _path(deed.ref), body=body).json
        return Written(replace(deed.ref, change_key=items.change_key(made)))

    def _delete(self, deed: Delete) -> Written:
        if _is_mail(deed.ref.folder):
            return self.messages.delete(deed.ref)
        if is_calendar(deed.ref.folder):
            return self._events(deed.ref.folder).delete(deed)
        entry = self._current(deed.ref)
        self._graph.call("DELETE", _path(deed.ref), if_match=items.change_key(entry))
        return Written(None)

    def _deleted(self, deed: Delete) -> Written | None:
        if is_calendar(deed.ref.folder):
            return self._events(deed.ref.folder).deleted(deed)
        try:
            if _is_mail(deed.ref.folder):
                self.messages.at(deed.ref)
            else:
                self._entry(deed.ref)
        except Vanished:
            return Written(None)
        return None

    def _events(self, calendar: str = CALENDAR) -> Events:
        return Events(self._graph, self._address, calendar)

    def _event_key(self, ref: Ref) -> str:
        return ref.item_id if is_calendar(ref.folder) else self.messages.event_of(ref)

    def _answered(self, deed: Answer) -> Written | None:
        try:
            key = self._event_key(deed.ref)
        except Vanished:
            # The service throws a request away once it is answered.
            return Written(None)
        return self._events().answered(key, deed)

    def _put_back(self, deed: PutBack) -> Written:
        item = deed.image.item
        if isinstance(item, MailItem):
            return self.messages.put_back(deed, item)
        if isinstance(item, MeetingItem):
            return self._events(deed.image.ref.folder).put_back(deed, item)
        return self._create(deed.image.ref.folder, item, deed.own_key)

    def _back(self, deed: PutBack) -> Written | None:
        image = deed.image
        if isinstance(image.item, MailItem):
            return self.messages.lies_in(image.ref.item_id, image.ref.folder)
        folder = image.ref.folder
        if is_calendar(folder):
            return self._events(folder).found(deed.own_key, folder)
        return self._carrying(image.ref.folder, deed.own_key)

    # --- other people --------------------------------------------------------------------------

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """Busy times of people; None for those nobody here knows of."""
        found: dict[str, tuple[BusyTime, ...] | None] = dict.fromkeys(addresses)
        for part in chunks(addresses, SCHEDULES):
            body = forms.schedule_form(part, start, end)
            answer = self._graph.call("POST", "/me/calendar/getSchedule", body=body).json
            for one in answer.get("value") or ():
                if isinstance(one, dict) and not one.get("error"):
                    found[items.text(one, "scheduleId")] = tuple(_busy(one))
        return found


def _is_mail(folder: str) -> bool:
    return not is_calendar(folder) and not folder.startswith((TASK_LISTS, CONTACTS))


def _home(folder: str) -> str:
    """Where the items of a task list or address book are made."""
    if folder.startswith(TASK_LISTS):
        return f"/me/todo/lists/{segment(folder.removeprefix(TASK_LISTS))}/tasks"
    return f"/me/contactFolders/{segment(folder.removeprefix(CONTACTS))}/contacts"


def _path(ref: Ref) -> str:
    if ref.folder.startswith(TASK_LISTS):
        return f"{_home(ref.folder)}/{segment(ref.item_id)}"
    return f"/me/contacts/{segment(ref.item_id)}"


def _form(item: Item) -> dict[str, Any]:
    if isinstance(item, ContactItem):
        return forms.contact_form(item)
    if isinstance(item, TaskItem):
        return forms.task_form(item)
    raise TypeError(type(item).__name__)


def _is_linked(entry: items.Json, own_key: str) -> bool:
    linked = entry.get("linkedResources")
    return isinstance(linked, list) and any(
        isinstance(one, dict) and items.text(one, "externalId") == own_key for one in linked
    )


def _busy(schedule: items.Json) -> list[BusyTime]:
    found = []
    for one in schedule.get("scheduleItems") or ():
        start, end = items.zoned(one, "start"), items.zoned(one, "end")
        shown = items.SHOWN.get(items.text(one, "status").lower(), ShowAs.BUSY)
        if start and end and shown is not ShowAs.FREE:
            found.append(BusyTime(start, end, shown))
    return found


def _refused(error: GraphError) -> UserError:
    return UserError(
        N_("Microsoft 365 refuses it ({problem}). Nothing was changed there."),
        problem=f"{error.code}: {error.message}"[:200] if error.message else error.code,
    )
