"""A mailbox of Microsoft 365 over Microsoft Graph: mail, calendar, tasks and contacts.

One call of :meth:`GraphMailbox.changes` is one page of a delta query and the requests for what
it names, so that the caller can store page and token together. The token is the link the service
gave; it is followed only when it leads back to the service.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import requests

from desktop_crm.core.errors import CrmError, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import canonical_email
from desktop_crm.sync.answer_limit import ANSWER_LIMIT, ITEM_TOO_LARGE, MEGABYTE
from desktop_crm.sync.formats.mime import Unusable
from desktop_crm.sync.graph import items
from desktop_crm.sync.graph.calendar import (
    CALENDARS,
    DAMAGED,
    REFUSED,
    Calendar,
    kind_of,
    next_link,
)
from desktop_crm.sync.graph.calls import (
    BATCH_SIZE,
    SERVICE,
    TOO_LARGE,
    Answer,
    Graph,
    Tokens,
    error_of,
    segment,
    with_query,
)
from desktop_crm.sync.graph.deeds import CONTACTS, TASK_LISTS, Deeds
from desktop_crm.sync.graph.problems import GraphError, problem_of
from desktop_crm.sync.port import (
    BATCH_LIMIT,
    Batch,
    Change,
    ChangeKind,
    Folder,
    FolderRole,
    Item,
    Quarantined,
    Step,
    TokenInvalid,
)
from desktop_crm.sync.writes import Ability, BusyTime, Deed, Image, MakeFolder, Ref, Written

_log = logging.getLogger(__name__)

INBOX: Final = Folder("inbox", "Inbox", FolderRole.INBOX)
SENT: Final = Folder("sentitems", "Sent Items", FolderRole.SENT)
CALENDAR: Final = Folder("calendar", "Calendar", FolderRole.CALENDAR)
_KNOWN: Final = {
    "inbox": FolderRole.INBOX,
    "sentitems": FolderRole.SENT,
    "drafts": FolderRole.DRAFTS,
    "deleteditems": FolderRole.DELETED,
    "junkemail": FolderRole.JUNK,
    "archive": FolderRole.ARCHIVE,
}
_MADE: Final = {
    FolderRole.CALENDAR: ("/me/calendars", CALENDARS, "name"),
    FolderRole.CONTACTS: ("/me/contactFolders", CONTACTS, "displayName"),
    FolderRole.TASKS: ("/me/todo/lists", TASK_LISTS, "displayName"),
}
"""Where a folder is made, what its key begins with, and what its name is called."""
_TOGETHER: Final = 4 * 1024 * 1024
"""Bytes of messages fetched in one batch; larger ones come alone."""
_FOLDER_FIELDS: Final = {"$select": "id,displayName,childFolderCount", "$top": "100"}
_CALENDAR_FIELDS: Final = {"$select": "id,name,isDefaultCalendar,canEdit", "$top": "100"}
_MAIL: Final = {
    "$select": items.MAIL_FIELDS,
    "$expand": items.MAIL_EXPAND,
    "$orderby": "receivedDateTime desc",
}


class GraphMailbox:
    """One person's mailbox in Microsoft 365.

    Args:
        address: SMTP address of the mailbox.
        tokens: where access tokens come from.
        service: address of the service; another one for tests only.
        ca_file: certificates of the authority to trust; empty trusts the usual ones, or those
            of REQUESTS_CA_BUNDLE.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self,
        address: str,
        *,
        tokens: Tokens,
        service: str = "",
        ca_file: str = "",
        timeout_s: float = 60.0,
    ) -> None:
        self._address = address
        self._graph = Graph(
            tokens, address, service=service or SERVICE, ca_file=ca_file, timeout_s=timeout_s
        )
        self._calendars: dict[str, Calendar] = {}
        self._deeds = Deeds(self._graph, canonical_email(address) or address)

    def folders(self) -> Sequence[Folder]:
        """Inbox, Sent Items and Calendar, which every mailbox has; no request."""
        return (INBOX, SENT, CALENDAR)

    def all_folders(self) -> Sequence[Folder]:
        """Every mail folder, the calendars, the task lists and the address books."""
        with self._translated():
            known = self._deeds.messages.names()
            found = list(self._mail_folders("/me/mailFolders", known))
            found.append(CALENDAR)
            for one in self._listed("/me/calendars", _CALENDAR_FIELDS):
                # One that cannot be changed is somebody else's.
                if one.get("isDefaultCalendar") is not True and one.get("canEdit") is not False:
                    name = items.text(one, "name") or "-"
                    key = CALENDARS + items.text(one, "id")
                    found.append(Folder(key, name, FolderRole.CALENDAR))
            for one in self._listed("/me/todo/lists", {}):
                name = items.text(one, "displayName") or "-"
                found.append(Folder(TASK_LISTS + items.text(one, "id"), name, FolderRole.TASKS))
            book = self._graph.get("/me/contactFolders/contacts", {"$select": "id,displayName"})
            books = [book, *self._listed("/me/contactFolders", {"$select": "id,displayName"})]
            keys = dict.fromkeys(items.text(one, "id") for one in books)
            names = {items.text(one, "id"): items.text(one, "displayName") for one in books}
            found += [Folder(CONTACTS + k, names[k] or "-", FolderRole.CONTACTS) for k in keys if k]
        order = list(_KNOWN)
        return tuple(
            sorted(found, key=lambda f: order.index(f.key) if f.key in order else len(order))
        )

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """One page of changes with their items; the first enumeration brings the newest first.

        Raises:
            TokenInvalid: the service forgot the position, or the token is none.
            UserError: the person has to sign in again.
            EnvironmentProblem: the service cannot be reached or refuses; its parameter
                `retry_after` holds the seconds the service asked for, or None.
        """
        with self._translated():
            if folder.role is FolderRole.CALENDAR:
                return self._calendar(folder.key).page(token, limit)
            path, query = _delta(folder)
            if token is None:
                answer = self._graph.get(path, query, page=limit)
            elif self._graph.owns(token):
                answer = self._graph.get(token, page=limit)
            else:
                raise TokenInvalid("a position of another service")
            page = _Page(self._graph, folder, self._deeds.messages.names)
            page.take(answer.get("value") or ())
            link = next_link(answer, self._graph)
            more = "@odata.nextLink" in answer
        return Batch(tuple(page.changes), link, more, tuple(page.quarantined))

    def test(self) -> Sequence[Step]:
        """Sign in, see whose mailbox it is, look at each folder."""
        steps: list[Step] = []
        try:
            with self._translated():
                me = self._graph.get("/me", {"$select": "mail,userPrincipalName,proxyAddresses"})
                shown = items.text(me, "mail") or items.text(me, "userPrincipalName")
                if canonical_email(self._address) not in _addresses(me):
                    raise _foreign(shown, self._address)
                steps.append(Step(tr("Sign-in"), ok=True, message=shown))
                for folder in (INBOX, SENT):
                    found = self._graph.get(
                        f"/me/mailFolders/{folder.key}", {"$select": "totalItemCount"}
                    )
                    count = str(found.get("totalItemCount", ""))
                    steps.append(Step(tr(folder.name), ok=True, message=count))
                self._graph.get("/me/calendar", {"$select": "id"})
                steps.append(Step(tr(CALENDAR.name), ok=True))
        except CrmError as problem:
            steps.append(Step(tr("Sign-in") if not steps else tr("Mailbox"), False, str(problem)))
        return tuple(steps)

    def close(self) -> None:
        """Close the connection."""
        self._graph.close()

    # --- writing ---------------------------------------------------------------------------

    @property
    def abilities(self) -> frozenset[Ability]:
        """Everything, but meetings with guests never in silence: that is refused one by one."""
        return frozenset(Ability) - {Ability.QUIET}

    def find(self, deed: Deed) -> Written | None:
        """What an earlier try of this deed left behind, found by its own key."""
        with self._translated():
            return self._like(deed) if isinstance(deed, MakeFolder) else self._deeds.find(deed)

    def image(self, ref: Ref) -> Image:
        """The item as it stands now.

        Raises:
            Vanished: it is not there.
        """
        with self._translated():
            return self._deeds.image(ref)

    def do(self, deed: Deed) -> Written:
        """Do it once.

        Raises:
            Stale: the item is newer than the deed knew; nothing was changed.
            Vanished: it is not there; nothing was changed.
            UserError: Microsoft 365 refuses it for good, or would tell people of it.
            EnvironmentProblem: as everywhere.
        """
        with self._translated():
            return self._make(deed) if isinstance(deed, MakeFolder) else self._deeds.do(deed)

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """Busy times of people; None for those nobody here knows of."""
        with self._translated():
            return self._deeds.free_busy(addresses, start, end)

    def _like(self, deed: MakeFolder) -> Written | None:
        alike = (f for f in self.all_folders() if f.role is deed.role and f.name == deed.name)
        return next((Written(Ref(folder.key, "")) for folder in alike), None)

    def _make(self, deed: MakeFolder) -> Written:
        """Make a calendar, an address book or a list of tasks."""
        path, prefix, name = _MADE.get(deed.role, ("", "", ""))
        if not path:
            raise UserError(
                N_(
                    "Only calendars, address books and lists of tasks are made in Microsoft 365. "
                    "Nothing was."
                )
            )
        found = self._like(deed)
        if found is not None:
            return found
        made = self._graph.call("POST", path, body={name: deed.name}).json
        return Written(Ref(prefix + items.text(made, "id"), ""))

    def _calendar(self, key: str) -> Calendar:
        return self._calendars.setdefault(key, Calendar(self._graph, key))

    def _mail_folders(self, path: str, known: dict[str, str]) -> Iterator[Folder]:
        for one in self._listed(path, _FOLDER_FIELDS):
            key = items.text(one, "id")
            name = known.get(key, "")
            role = _KNOWN.get(name, FolderRole.OTHER)
            yield Folder(name or key, items.text(one, "displayName") or "-", role)
            if one.get("childFolderCount"):
                inner = f"/me/mailFolders/{segment(key)}/childFolders"
                yield from self._mail_folders(inner, known)

    def _listed(self, path: str, query: dict[str, str]) -> Iterator[items.Json]:
        answer = self._graph.get(path, query)
        while True:
            yield from (one for one in answer.get("value") or () if isinstance(one, dict))
            link = answer.get("@odata.nextLink")
            if not isinstance(link, str):
                return
            answer = self._graph.get(link)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn errors into sentences, once, here."""
        try:
            yield
        except (GraphError, requests.RequestException) as error:
            raise problem_of(error, self._graph.host, self._address) from error


def _addresses(me: items.Json) -> set[str | None]:
    """Every address of the person who is signed in."""
    found = [items.text(me, "mail"), items.text(me, "userPrincipalName")]
    proxies = me.get("proxyAddresses")
    if isinstance(proxies, list):
        found += [str(one).partition(":")[2] for one in proxies]
    return {canonical_email(one) for one in found if one}


def _foreign(shown: str, address: str) -> UserError:
    return UserError(
        N_(
            "You signed in as {account}, which is not the mailbox {address}. Nothing was "
            "changed; sign in with the account of that mailbox."
        ),
        field="address",
        account=shown or "-",
        address=address,
    )


def _delta(folder: Folder) -> tuple[str, dict[str, str]]:
    """Where the changes of a folder begin."""
    if folder.key.startswith(TASK_LISTS):
        return f"/me/todo/lists/{segment(folder.key.removeprefix(TASK_LISTS))}/tasks/delta", {}
    if folder.key.startswith(CONTACTS):
        book = segment(folder.key.removeprefix(CONTACTS))
        return f"/me/contactFolders/{book}/contacts/delta", {}
    return f"/me/mailFolders/{segment(folder.key)}/messages/delta", _MAIL


class _Page:
    """What one page of changes becomes: unusable items are set aside one by one."""

    def __init__(
        self, graph: Graph, folder: Folder, names: Callable[[], Mapping[str, str]]
    ) -> None:
        self._graph = graph
        self._key = folder.key
        self._role = folder.role
        self._names = names
        self.changes: list[Change] = []
        self.quarantined: list[Quarantined] = []

    def take(self, entries: Sequence[Any]) -> None:
        """The entries of the page, the last word on each item."""
        wanted: dict[str, items.Json] = {}
        left: dict[str, None] = {}
        for entry in entries:
            key = items.text(entry, "id") if isinstance(entry, dict) else ""
            if not key:
                self._set_aside("?", "?", DAMAGED, problem="no id")
            elif "@removed" in entry:
                wanted.pop(key, None)
                left[key] = None
            elif self._role in (FolderRole.TASKS, FolderRole.CONTACTS):
                self._keep_whole(entry, key)
            elif "receivedDateTime" in entry or "internetMessageId" in entry:
                wanted[key] = entry
            elif key in wanted:
                wanted[key] = {**wanted[key], **entry}
            else:
                self.changes.append(_marks(entry, key))
        self._tell_left([*left], wanted)
        for group in _groups(wanted):
            answers = self._answers([_text_of(key) for key in group])
            for key, answer in zip(group, answers, strict=True):
                self._keep_mail(wanted[key], key, answer)

    def _tell_left(self, keys: list[str], wanted: dict[str, items.Json]) -> None:
        for key, there in zip(keys, self._still_there(keys), strict=True):
            if there is None:
                self.changes.append(Change(ChangeKind.DELETE, key))
            else:
                wanted.setdefault(key, there)

    def _still_there(self, keys: list[str]) -> list[items.Json | None]:
        """The messages that lie in the folder although they were told to have left it.

        Of one that was moved out and back since the last round the service may tell the first
        alone, since its id stayed. Twenty are asked for in one request.
        """
        if not keys or self._role in (FolderRole.TASKS, FolderRole.CONTACTS):
            return [None] * len(keys)
        fields = {"select": items.MAIL_FIELDS + ",parentFolderId", "expand": items.MAIL_EXPAND}
        paths = [with_query(f"/me/messages/{segment(key)}", **fields) for key in keys]
        found = [a.body if a.status < 300 else None for a in self._answers(paths)]
        return [one if isinstance(one, dict) and self._is_here(one) else None for one in found]

    def _is_here(self, entry: items.Json) -> bool:
        folder = items.text(entry, "parentFolderId")
        return self._key in (folder, self._names().get(folder))

    def _answers(self, paths: list[str]) -> list[Answer]:
        """Answers to GETs; one that spoils the batch, or is too large for it, comes alone."""
        if len(paths) == 1:
            return [self._alone(paths[0])]
        try:
            answers = self._graph.batch(paths)
        except GraphError as error:
            if error.code not in ("ShortBatch", TOO_LARGE):
                raise
            return [self._alone(path) for path in paths]
        return [
            answer if answer.status < 300 or answer.status == 404 else self._alone(path)
            for path, answer in zip(paths, answers, strict=True)
        ]

    def _alone(self, path: str) -> Answer:
        try:
            return self._graph.call("GET", path)
        except GraphError as error:
            if error.code == TOO_LARGE:
                return Answer(413, {"error": {"code": TOO_LARGE, "message": error.message}})
            if error.is_busy or error.status in (0, 401):
                raise
            body = {"error": {"code": error.code, "message": error.message}}
            return Answer(error.status, body)

    def _keep_mail(self, entry: items.Json, key: str, answer: Answer) -> None:
        name = items.text(entry, "subject")[:200] or key[-12:]
        if answer.status == 404:
            _log.info("a message went before it could be read")
            return
        if error_of(answer).code == TOO_LARGE:
            self._set_aside(key, name, ITEM_TOO_LARGE, limit=ANSWER_LIMIT // MEGABYTE)
            return
        if answer.status >= 300:
            self._set_aside(key, name, REFUSED, problem=str(error_of(answer))[:200])
            return
        try:
            item: Item = items.mail_item(entry, answer.raw)
        except Unusable as error:
            # An answer that broke off looks like a message that is none: it is asked for again.
            again = self._alone(_text_of(key))
            if again.raw != answer.raw:
                self._keep_mail(entry, key, again)
            else:
                self._set_aside(key, name, error.reason)
            return
        except (ValueError, TypeError, AttributeError) as error:
            self._damaged(key, name, error)
            return
        self.changes.append(Change(ChangeKind.CREATE, key, item, items.change_key(entry)))

    def _keep_whole(self, entry: items.Json, key: str) -> None:
        tasks = self._role is FolderRole.TASKS
        try:
            item: Item = items.task_item(entry) if tasks else items.contact_item(entry)
        except (ValueError, TypeError, AttributeError) as error:
            self._damaged(key, key[-12:], error)
            return
        self.changes.append(Change(kind_of(entry), key, item, items.change_key(entry)))

    def _damaged(self, key: str, name: str, error: Exception) -> None:
        _log.warning("item %s: %s", key[-12:], error, exc_info=True)
        self._set_aside(key, name, DAMAGED, problem=str(error)[:200])

    def _set_aside(self, key: str, name: str, reason: str, **params: object) -> None:
        self.quarantined.append(Quarantined(key, name, reason, tuple(params.items())))


def _marks(entry: items.Json, key: str) -> Change:
    """A change that tells marks only: what is not in it stayed as it was."""
    read = entry.get("isRead")
    return Change(
        ChangeKind.MARKS,
        key,
        change_key=items.change_key(entry),
        is_read=read if isinstance(read, bool) else None,
        flag=items.flag_of(entry) if "flag" in entry else None,
        categories=items.categories(entry) if "categories" in entry else None,
    )


def _text_of(key: str) -> str:
    return f"/me/messages/{segment(key)}/$value"


def _groups(wanted: dict[str, items.Json]) -> Iterator[list[str]]:
    """Messages that fit into one batch together; large ones alone."""
    group: list[str] = []
    size = 0
    for key, entry in wanted.items():
        bytes_ = items.size_of(entry)
        if group and (len(group) == BATCH_SIZE or size + bytes_ > _TOGETHER):
            yield group
            group, size = [], 0
        group.append(key)
        size += bytes_
    if group:
        yield group
