"""What a folder is for, by its usual names in the languages people's mailboxes are set up in.

And what it is called where people read it.
"""

from __future__ import annotations

import re
from typing import Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold
from desktop_crm.sync.port import FolderRole

IMAP_PREFIX: Final = "imap:"
"""What the keys of IMAP folders begin with; calendars and address books have another one."""

_NAMES: Final = {
    FolderRole.INBOX: ("inbox",),
    FolderRole.SENT: (
        "sent", "sent items", "sent mail", "sent messages", "outbox sent",
        "trimise", "elemente trimise", "mesaje trimise",
        "gesendet", "gesendete elemente", "gesendete objekte", "gesendete nachrichten",
        "envoyes", "elements envoyes", "messages envoyes",
        "enviados", "elementos enviados", "itens enviados", "posta inviata", "inviata", "inviati",
        "verzonden", "verzonden items", "wyslane", "elementy wyslane", "elkuldott elemek",
        "elkuldott uzenetek",
    ),
    FolderRole.DRAFTS: (
        "draft", "drafts", "outbox", "ciorne", "schite", "entwurfe", "entwurf", "brouillons",
        "borradores", "rascunhos", "bozze", "concepten", "kopie robocze", "wersje robocze",
        "piszkozatok",
    ),
    FolderRole.JUNK: (
        "junk", "junk e-mail", "junk email", "junk mail", "bulk mail", "spam", "spamverdacht",
        "e-mail nedorit", "mesaje nedorite", "posta nedorita", "unerwunscht", "junk-e-mail",
        "courrier indesirable", "pourriel", "correo no deseado", "posta indesiderata",
        "ongewenste e-mail", "wiadomosci-smieci", "levelszemet",
    ),
    FolderRole.DELETED: (
        "trash", "bin", "deleted", "deleted items", "deleted messages", "elemente sterse",
        "mesaje sterse", "cos de gunoi", "papierkorb", "geloschte elemente", "geloschte objekte",
        "corbeille", "elements supprimes", "papelera", "elementos eliminados", "lixo", "cestino",
        "posta eliminata", "prullenbak", "verwijderde items", "kosz", "elementy usuniete",
        "torolt elemek", "kuka",
    ),
    FolderRole.ARCHIVE: (
        "archive", "archives", "arhiva", "archiv", "archivo", "archivio", "archief", "archiwum",
        "archivum",
    ),
}  # fmt: skip
_ROLES: Final = {name: role for role, names in _NAMES.items() for name in names}
_UNWANTED: Final = (FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.DELETED)


def role_of(path: str) -> FolderRole:
    """What a folder is for; `path` holds the names from the root down, joined by slashes."""
    parts = [_ROLES.get(fold(part), FolderRole.OTHER) for part in path.split("/")]
    # What lies anywhere below drafts, junk or deleted items is no mail of the customer's either.
    return next((part for part in parts if part in _UNWANTED), parts[-1])


# --- for people ------------------------------------------------------------------------------

_SHOWN: Final = {
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


def is_usual(folder: str, name: str = "") -> bool:
    """Whether it is a folder that every mailbox has, by its key or by its name."""
    return _role(folder) in _SHOWN or bool(name and _role(name) in _SHOWN)


def folder_name(folder: str, name: str = "") -> str:
    """Name of a folder as a person reads it: translated where every mailbox has one.

    Args:
        folder: its key, which in some mailboxes is its path and in others says nothing.
        name: what the mailbox calls it, as far as that is known.
    """
    known = _SHOWN.get(_role(folder)) or (_SHOWN.get(_role(name)) if name else None)
    return tr(known) if known else _parts(name or folder)[-1]


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
