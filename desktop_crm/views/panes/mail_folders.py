"""Folders and lists of the mail pane: their keys, names and questions."""

from __future__ import annotations

import re
from typing import Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.mail_view import MailQuery, Special
from desktop_crm.sync.folder_names import IMAP_PREFIX, role_of
from desktop_crm.sync.port import FolderRole

_NAMES: Final = {
    FolderRole.INBOX: N_("Inbox"),
    FolderRole.SENT: N_("Sent items"),
    FolderRole.DRAFTS: N_("Drafts"),
    FolderRole.ARCHIVE: N_("Archive"),
    FolderRole.JUNK: N_("Junk"),
    FolderRole.DELETED: N_("Deleted items"),
}
_WELL_KNOWN: Final = {
    "sentitems": FolderRole.SENT,
    "deleteditems": FolderRole.DELETED,
    "junkemail": FolderRole.JUNK,
}
"""Keys of Microsoft 365 that are no name."""
SPECIAL = (
    (Special.ALL, N_("All messages"), "mail"),
    (Special.REVIEW, N_("To file"), "question_circle"),
    (Special.UNLINKED, N_("Not linked"), "flag"),
)


OUTBOX = "outbox/list"
"""Key of the outbox among the folders."""


def special_key(special: Special) -> str:
    """Key of a list that reaches over all folders."""
    return f"special/{special.value}"


def key_of(query: MailQuery) -> str:
    """Key of the folder or list a query asks for."""
    if query.mailbox_id is None:
        return special_key(query.special)
    return f"{query.mailbox_id}/{query.folder}"


def query_of(key: str, search: str) -> MailQuery:
    """What a folder or list asks for, narrowed by words."""
    box, _slash, name = key.partition("/")
    if box == "special":
        return MailQuery(special=Special(name), search=search)
    return MailQuery(mailbox_id=int(box), folder=name, search=search)


def is_usual(folder: str) -> bool:
    """Whether it is a folder that every mailbox has."""
    return _role(folder) in _NAMES


def folder_name(folder: str) -> str:
    """Name of a folder as a person reads it: translated where every mailbox has one."""
    known = _NAMES.get(_role(folder))
    return tr(known) if known else _parts(folder)[-1]


def _role(folder: str) -> FolderRole:
    parts = _parts(folder)
    if len(parts) > 1 and role_of(parts[0]) is not FolderRole.INBOX:
        return FolderRole.OTHER
    return _WELL_KNOWN.get(folder.lower()) or role_of(parts[-1])


def _parts(folder: str) -> list[str]:
    """The names from the root down; some servers part them by dots and put all below the inbox."""
    path = folder.removeprefix(IMAP_PREFIX)
    below = re.fullmatch(r"INBOX[./](.+)", path)
    parts = re.split(r"[./]" if below else "/", path)
    return [part for part in parts if part] or [folder]
