"""What one page of changes becomes: items are fetched, unusable ones set aside one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exchangelib.errors import (
    ErrorItemNotFound,
    ErrorMimeContentConversionFailed,
    ErrorTimeoutExpired,
    ResponseMessageError,
)

from desktop_crm.core.i18n import N_
from desktop_crm.sync.answer_limit import ANSWER_LIMIT, ITEM_TOO_LARGE, MEGABYTE, TooLarge
from desktop_crm.sync.exchange import calls, contacts, items, tasks
from desktop_crm.sync.exchange.xml import (
    Element,
    M,
    T,
    change_key_of,
    flag_at,
    id_of,
    node,
    tag_of,
    text_at,
)
from desktop_crm.sync.port import (
    Change,
    ChangeKind,
    Flag,
    Folder,
    FolderRole,
    Item,
    MailItem,
    Quarantined,
)

_log = logging.getLogger(__name__)

_KINDS: Final = {"Create": ChangeKind.CREATE, "Update": ChangeKind.UPDATE}
_UNKNOWN: Final = N_('The item is of the class "{kind}", which does not belong in this folder.')
_REFUSED: Final = N_("The server could not hand the item over ({problem}).")
_DAMAGED: Final = N_("The item cannot be understood ({problem}).")


@dataclass(frozen=True, slots=True)
class Kind:
    """What lies in a folder: names of its elements, fields to ask for, how one is read.

    Attributes:
        whole: fields to ask for where the message's own text cannot be had.
    """

    tags: Collection[str]
    fields: Sequence[str]
    read: Callable[[Element, items.Resolve], Item]
    whole: Sequence[str] = ()

    @property
    def is_mail(self) -> bool:
        """Whether its content is asked for as MIME."""
        return bool(self.whole)


_MAIL: Final = Kind(
    items.MAIL_TAGS, items.MAIL_FIELDS, items.mail_item, (*items.MAIL_FIELDS, *items.BODY_FIELDS)
)
_KINDS_OF: Final = {
    FolderRole.CALENDAR: Kind({"CalendarItem"}, items.MEETING_FIELDS, items.meeting_item),
    FolderRole.TASKS: Kind({"Task"}, tasks.FIELDS, tasks.task_item),
    FolderRole.CONTACTS: Kind({"Contact"}, contacts.FIELDS, contacts.contact_item),
}


def kind_of(folder: Folder) -> Kind:
    """What lies in a folder."""
    return _KINDS_OF.get(folder.role, _MAIL)


def newest(account: calls.Account, folder: Element, limit: int) -> tuple[dict[str, str], bool]:
    """Ids and versions of the newest messages, and whether the folder holds more."""
    payload = node(
        "m:FindItem",
        node("m:ItemShape", node("t:BaseShape", "IdOnly")),
        node(
            "m:IndexedPageItemView",
            MaxEntriesReturned=str(limit),
            Offset="0",
            BasePoint="Beginning",
        ),
        node(
            "m:SortOrder",
            node(
                "t:FieldOrder",
                node("t:FieldURI", FieldURI="item:DateTimeReceived"),
                Order="Descending",
            ),
        ),
        node("m:ParentFolderIds", folder),
        Traversal="Shallow",
    )
    root = calls.ask(account, payload).find(f"{M}RootFolder")
    found = root.find(f"{T}Items")
    more = root.get("IncludesLastItemInRange", "true") != "true"
    return {id_of(element): change_key_of(element) for element in found if id_of(element)}, more


class Page:
    """One page: elements are taken, then what they name is fetched.

    Args:
        account: whose mailbox it is.
        folder: where the page comes from.
        resolve: finds addresses of legacy directory names.
        ahead: ids and versions of items that were handed over before the first page.
    """

    def __init__(
        self,
        account: calls.Account,
        folder: Folder,
        resolve: items.Resolve,
        ahead: Mapping[str, str] | None = None,
    ) -> None:
        self._account = account
        self._kind = kind_of(folder)
        self._resolve = resolve
        self._ahead = ahead or {}
        self._wanted: dict[str, ChangeKind] = {}
        self.seen: set[str] = set()
        self.changes: list[Change] = []
        self.quarantined: list[Quarantined] = []

    def take(self, element: Element) -> None:
        """One change element of the page."""
        name = tag_of(element)
        if name in _KINDS and len(element):
            self._changed(element[0], _KINDS[name])
            return
        item_id = id_of(element)
        if name == "Delete" and item_id:
            self._wanted.pop(item_id, None)
            self.changes.append(Change(ChangeKind.DELETE, item_id))
        elif name == "ReadFlagChange" and item_id:
            self.changes.append(
                Change(
                    ChangeKind.MARKS,
                    item_id,
                    change_key=change_key_of(element),
                    is_read=flag_at(element, "IsRead"),
                )
            )
        else:
            params = (("problem", name),)
            self.quarantined.append(Quarantined(item_id or name, name, _DAMAGED, params))

    def want(self, ids: Collection[str]) -> None:
        """Fetch these items as new ones."""
        self._wanted.update(dict.fromkeys(ids, ChangeKind.CREATE))

    def _changed(self, element: Element, kind: ChangeKind) -> None:
        name, item_id = tag_of(element), id_of(element)
        if item_id in self._ahead:
            self.seen.add(item_id)
            if self._ahead[item_id] == change_key_of(element):
                return
        if item_id and name in self._kind.tags:
            self._wanted[item_id] = kind
        else:
            self._set_aside(item_id or name, name, _UNKNOWN, kind=name)

    def fetch(self) -> None:
        """Get what the page named; ten items a request."""
        occurrences: list[str] = []
        for ids in calls.chunks(list(self._wanted)):
            for item_id, answer in zip(ids, self._answers(ids), strict=True):
                self._keep(item_id, answer, self._wanted[item_id])
                if not self._kind.is_mail and not isinstance(answer, Exception):
                    occurrences += items.changed_occurrences(answer)
        for ids in calls.chunks(occurrences):
            for item_id, answer in zip(ids, self._answers(ids), strict=True):
                self._keep(item_id, answer, ChangeKind.UPDATE)

    def _answers(self, ids: Sequence[str]) -> list[Element]:
        """What the server says to each id; messages it has no text of once more by fields."""
        answers = self._asked(ids, self._kind.fields, mime=self._kind.is_mail)
        if not self._kind.is_mail:
            return answers
        bare = [key for key, answer in zip(ids, answers, strict=True) if _has_no_text(answer)]
        if not bare:
            return answers
        whole = dict(zip(bare, self._asked(bare, self._kind.whole, mime=False), strict=True))
        return [whole.get(key, answer) for key, answer in zip(ids, answers, strict=True)]

    def _asked(self, ids: Sequence[str], fields: Sequence[str], *, mime: bool) -> list[Element]:
        service = calls.FetchItems(account=self._account)
        try:
            return service.fetch(ids, fields, mime=mime)
        except (ResponseMessageError, calls.ShortAnswer, TooLarge) as error:
            if calls.is_busy(error) or isinstance(error, ErrorTimeoutExpired):
                raise
            if len(ids) == 1:
                return [error]
            # One item spoils the request: ask for each, so that only that one is lost.
            return [answer for key in ids for answer in self._asked([key], fields, mime=mime)]

    def _keep(self, item_id: str, answer: Element, kind: ChangeKind) -> None:
        if isinstance(answer, ErrorItemNotFound):
            _log.info("an item went before it could be read")
            return
        if isinstance(answer, TooLarge):
            limit = ANSWER_LIMIT // MEGABYTE
            self._set_aside(item_id, item_id[-12:], ITEM_TOO_LARGE, limit=limit)
            return
        if isinstance(answer, Exception) or answer is True:
            self._set_aside(item_id, item_id[-12:], _REFUSED, problem=str(answer)[:200])
            return
        name = tag_of(answer)
        if name not in self._kind.tags:
            self._set_aside(item_id, name, _UNKNOWN, kind=name)
            return
        try:
            item = self._kind.read(answer, self._resolve)
        except (items.Unreadable, ValueError, TypeError, AttributeError) as error:
            _log.warning("item %s: %s", item_id[-12:], error, exc_info=True)
            title = (text_at(answer, "Subject") or item_id[-12:])[:200]
            self._set_aside(item_id, title, _DAMAGED, problem=str(error)[:200])
            return
        self.changes.append(change_of(item, item_id, kind, change_key_of(answer)))

    def _set_aside(self, item_id: str, name: str, reason: str, **params: object) -> None:
        self.quarantined.append(Quarantined(item_id, name, reason, tuple(params.items())))


def change_of(item: Item, item_id: str, kind: ChangeKind, change_key: str) -> Change:
    """A change that brings an item, with what it is marked with."""
    is_read: bool | None = None
    flag: Flag | None = None
    if isinstance(item, MailItem):
        is_read, flag = item.is_read, item.flag
    return Change(kind, item_id, item, change_key, is_read, flag, item.categories)


def _has_no_text(answer: Element) -> bool:
    if isinstance(answer, Exception):
        return isinstance(answer, ErrorMimeContentConversionFailed)
    return answer is not True and not answer.findtext(f"{T}MimeContent")
