"""Folders and lists of the mail pane: their keys, names and questions."""

from __future__ import annotations

from desktop_crm.core.i18n import N_
from desktop_crm.services.mail.listing import MailQuery, Special

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
