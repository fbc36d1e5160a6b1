"""What a folder is for, by its usual names in the languages people's mailboxes are set up in."""

from __future__ import annotations

from typing import Final

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
