"""The folders of an Exchange mailbox: those every mailbox has, and all the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from exchangelib.errors import ErrorAccessDenied, ErrorFolderNotFound, ErrorItemNotFound

from desktop_crm.sync.exchange import calls
from desktop_crm.sync.exchange.xml import Element, M, T, node, text_at
from desktop_crm.sync.port import Folder, FolderRole
from desktop_crm.sync.writes import MakeFolder, Ref, Written

_log = logging.getLogger(__name__)

INBOX: Final = Folder("Inbox", "Inbox", FolderRole.INBOX)
SENT: Final = Folder("Sent Items", "Sent Items", FolderRole.SENT)
CALENDAR: Final = Folder("Calendar", "Calendar", FolderRole.CALENDAR)
DRAFTS: Final = Folder("Drafts", "Drafts", FolderRole.DRAFTS)
TASKS: Final = Folder("Tasks", "Tasks", FolderRole.TASKS)
CONTACTS: Final = Folder("Contacts", "Contacts", FolderRole.CONTACTS)
READ: Final = (INBOX, SENT, CALENDAR)
"""Folders that are read unless a person says otherwise."""

_DISTINGUISHED: Final = {
    "inbox": INBOX,
    "sentitems": SENT,
    "calendar": CALENDAR,
    "drafts": DRAFTS,
    "tasks": TASKS,
    "contacts": CONTACTS,
    "deleteditems": Folder("Deleted Items", "Deleted Items", FolderRole.DELETED),
    "junkemail": Folder("Junk", "Junk", FolderRole.JUNK),
}
_CLASSES: Final = (
    ("IPF.Note", FolderRole.OTHER),
    ("IPF.Appointment", FolderRole.CALENDAR),
    ("IPF.Task", FolderRole.TASKS),
    ("IPF.Contact", FolderRole.CONTACTS),
)
# Address lists, conversations and caches that the server keeps among a person's folders.
_INTERNAL: Final = (
    "IPF.Contact.MOC", "IPF.Contact.RecipientCache", "IPF.Contact.GalContacts",
    "IPF.Contact.PeopleConnect", "IPF.Contact.Company", "IPF.Contact.OrganizationalContacts",
    "IPF.Note.OutlookHomepage", "IPF.Note.SocialConnector",
)  # fmt: skip
_MADE: Final = {
    FolderRole.CONTACTS: ("contacts", "t:ContactsFolder"),
    FolderRole.CALENDAR: ("calendar", "t:CalendarFolder"),
    FolderRole.TASKS: ("tasks", "t:TasksFolder"),
}
"""Below which folder one is made, and its element; its class follows from it."""

PAGE: Final = 500
"""Folders in one answer."""


@dataclass(slots=True)
class Folders:
    """Ids of folders by their keys, looked up once."""

    account: calls.Account
    _ids: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def standard(self) -> tuple[Folder, ...]:
        """Those of the usual folders that the mailbox has; one request."""
        names = list(_DISTINGUISHED)
        mailbox = self.account.primary_smtp_address
        payload = node(
            "m:GetFolder",
            node(
                "m:FolderShape",
                node("t:BaseShape", "IdOnly"),
                node("t:AdditionalProperties", node("t:FieldURI", FieldURI="folder:TotalCount")),
            ),
            node("m:FolderIds", *(_distinguished(name, mailbox) for name in names)),
        )
        absent = (ErrorFolderNotFound, ErrorItemNotFound, ErrorAccessDenied)
        answers = calls.ask_each(self.account, payload, absent)
        refused = next((a for a in answers if isinstance(a, ErrorAccessDenied)), None)
        found = []
        for name, answer in zip(names, answers, strict=False):
            folder = _DISTINGUISHED[name]
            element = None if isinstance(answer, Exception) else answer.find(f"{M}Folders/*")
            if element is None:
                _log.info("the mailbox has no %s: %s", folder.name, answer)
                continue
            found.append(folder)
            self._ids[folder.key] = element.find(f"{T}FolderId").get("Id")
            self._counts[folder.key] = int(text_at(element, "TotalCount") or 0)
        if refused is not None and not found:
            raise refused
        return tuple(found)

    def count(self, folder: Folder) -> int | None:
        """How many items a usual folder held when it was looked up; None when there is none."""
        return self._counts.get(folder.key)

    def id_node(self, key: str) -> Element:
        """What names a folder in a request.

        Raises:
            KeyError: the mailbox has no such folder.
        """
        usual = {folder.key for folder in _DISTINGUISHED.values()}
        if key not in self._ids:
            if key in usual:
                self.standard()
            else:
                # Every other key is the server's own id, which stays when a folder is renamed.
                self._ids[key] = key
        return node("t:FolderId", Id=self._ids[key])

    def forget(self) -> None:
        """Look everything up again next time."""
        self._ids.clear()
        self._counts.clear()

    def all(self) -> tuple[Folder, ...]:
        """Every folder with mail, meetings, tasks or contacts, the usual ones first."""
        usual = self.standard()
        keys = {self._ids[folder.key]: folder.name for folder in usual}
        walked = {element.find(f"{T}FolderId").get("Id"): element for element in self._walk()}

        def path(key: str) -> str:
            if key in keys:
                return keys[key]
            name = text_at(walked[key], "DisplayName")
            parent = walked[key].find(f"{T}ParentFolderId")
            above = parent.get("Id", "") if parent is not None else ""
            return f"{path(above)}/{name}" if above in walked and above != key else name

        others = []
        for key, element in walked.items():
            role = _role(text_at(element, "FolderClass"))
            if key not in keys and role is not None:
                others.append(Folder(key, path(key), role))
        return (*usual, *sorted(others, key=lambda folder: folder.name.casefold()))

    def chosen(self, keys: Iterable[str]) -> tuple[Folder, ...]:
        """Folders of these keys that the mailbox has, in the order of their names."""
        wanted = frozenset(keys)
        return tuple(folder for folder in self.all() if folder.key in wanted) if wanted else ()

    def make(self, deed: MakeFolder) -> Written:
        """Make a folder below the usual one of its role; one that is there already is found."""
        found = self.like(deed)
        if found is not None:
            return found
        name, tag = _MADE[deed.role]
        payload = node(
            "m:CreateFolder",
            node("m:ParentFolderId", _distinguished(name, self.account.primary_smtp_address)),
            node("m:Folders", node(tag, node("t:DisplayName", deed.name))),
        )
        made = calls.ask(self.account, payload).find(f"{M}Folders/*/{T}FolderId")
        return Written(Ref(made.get("Id"), ""))

    def like(self, deed: MakeFolder) -> Written | None:
        """The folder of a name and role, if the mailbox has one."""
        alike = (f for f in self.all() if f.role is deed.role)
        keys = (f.key for f in alike if f.name.rpartition("/")[2] == deed.name)
        return next((Written(Ref(key, "")) for key in keys), None)

    def _walk(self) -> Sequence[Element]:
        found: list[Element] = []
        root = _distinguished("msgfolderroot", self.account.primary_smtp_address)
        uris = ("DisplayName", "FolderClass", "ParentFolderId")
        while True:
            payload = node(
                "m:FindFolder",
                node(
                    "m:FolderShape",
                    node("t:BaseShape", "IdOnly"),
                    node(
                        "t:AdditionalProperties",
                        *(node("t:FieldURI", FieldURI=f"folder:{uri}") for uri in uris),
                    ),
                ),
                node(
                    "m:IndexedPageFolderView",
                    MaxEntriesReturned=str(PAGE),
                    Offset=str(len(found)),
                    BasePoint="Beginning",
                ),
                node("m:ParentFolderIds", root),
                Traversal="Deep",
            )
            answer = calls.ask(self.account, payload).find(f"{M}RootFolder")
            page = list(answer.find(f"{T}Folders"))
            found += page
            if answer.get("IncludesLastItemInRange", "true") == "true" or not page:
                return found


def _distinguished(name: str, mailbox: str) -> Element:
    owner = node("t:Mailbox", node("t:EmailAddress", mailbox))
    return node("t:DistinguishedFolderId", owner, Id=name)


def _role(folder_class: str) -> FolderRole | None:
    if folder_class.startswith(_INTERNAL):
        return None
    if not folder_class:
        return FolderRole.OTHER
    return next((role for name, role in _CLASSES if folder_class.startswith(name)), None)
