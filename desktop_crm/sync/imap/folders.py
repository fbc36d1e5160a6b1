"""The folders of an IMAP mailbox and what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from desktop_crm.sync.folder_names import IMAP_PREFIX, role_of
from desktop_crm.sync.imap.session import Session
from desktop_crm.sync.port import Folder, FolderRole

PREFIX: Final = IMAP_PREFIX

_SPECIAL: Final = {
    b"\\sent": FolderRole.SENT,
    b"\\drafts": FolderRole.DRAFTS,
    b"\\junk": FolderRole.JUNK,
    b"\\trash": FolderRole.DELETED,
    b"\\archive": FolderRole.ARCHIVE,
    # Views over everything: what lies in them lies in another folder, too.
    b"\\all": FolderRole.OTHER,
    b"\\flagged": FolderRole.OTHER,
    b"\\important": FolderRole.OTHER,
}
_CLOSED: Final = (b"\\noselect", b"\\nonexistent")
_ONE_OF_A_KIND: Final = (
    FolderRole.SENT, FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.DELETED, FolderRole.ARCHIVE,
)  # fmt: skip
_ORDER: Final = {FolderRole.INBOX: 0, FolderRole.SENT: 1, FolderRole.OTHER: 3}


@dataclass(frozen=True, slots=True)
class _Listed:
    """One folder as the server lists it; `special` is the role the server itself names."""

    name: str
    path: str
    special: FolderRole | None


def mail_folders(session: Session) -> list[Folder]:
    """Every folder that can be opened: the inbox, then the sent mail, then the others by name.

    A role belongs to one folder: to the one the server names for it, else to the one with a usual
    name that lies nearest to the root.
    """
    with session.translated():
        listed = [_listed(*entry) for entry in session.client.list_folders() if _opens(entry[0])]
    named = {one.special for one in listed if one.special}
    roles: dict[str, FolderRole] = {}
    for one in sorted(listed, key=lambda one: (one.path.count("/"), one.path)):
        role = FolderRole.INBOX if one.path == "INBOX" else one.special or role_of(one.path)
        taken = role in named or role in roles.values()
        if one.special is None and role in _ONE_OF_A_KIND and taken and not _below(one, role):
            role = FolderRole.OTHER
        roles[one.name] = role
    found = [Folder(PREFIX + one.name, one.path, roles[one.name]) for one in listed]
    return sorted(found, key=lambda f: (_ORDER.get(f.role, 2), f.name.casefold()))


def name_of(folder_key: str) -> str:
    """The server's name of a folder."""
    return folder_key.removeprefix(PREFIX)


def _opens(flags: Sequence[bytes]) -> bool:
    return not any(flag.lower() in _CLOSED for flag in flags)


def _listed(flags: Sequence[bytes], delimiter: bytes | None, name: str) -> _Listed:
    special = next((_SPECIAL[f.lower()] for f in flags if f.lower() in _SPECIAL), None)
    text = str(name)
    if delimiter:
        text = text.replace(delimiter.decode("ascii", "replace"), "/")
    first, _, rest = text.partition("/")
    if first.upper() == "INBOX":
        # Many servers keep every folder below the inbox; that says nothing about what it is.
        text = rest or "INBOX"
    return _Listed(str(name), text, special)


def _below(one: _Listed, role: FolderRole) -> bool:
    """Whether it is unwanted because of the folder it lies in."""
    return "/" in one.path and role in (FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.DELETED)
