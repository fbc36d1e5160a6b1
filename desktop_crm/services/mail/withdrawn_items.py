"""Items of mailboxes that were withdrawn: nothing is left of them but that they are not wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.models import MailboxItem
from desktop_crm.models.mail import ItemState, MailFlag
from desktop_crm.services.mail.policy import digest
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import update_rows

UNTOLD: Final[Mapping[str, Any]] = {
    "change_key": None,
    "content_hash": None,
    "activity_id": None,
    "contact_id": None,
    "is_read": True,
    "flag": MailFlag.NONE.value,
    "categories": None,
    "sent_at": None,
    "base": None,
    "seen": None,
    "commands_done": None,
    "record_version": None,
    "order_id": None,
}
"""Columns of an item of which nothing may be known."""


def withdraw_items(connection: Connection, ids: Sequence[int], reason: str) -> None:
    """Let nothing be known of items but digests, by which they are never stored again.

    Args:
        connection: an open writing transaction.
        ids: keys of mailbox items.
        reason: what stands beside them, in the user's language.
    """
    item = MailboxItem.__table__.c
    rows = connection.execute(
        select(item.id, item.identity, item.item_key).where(key_clause(connection, item.id, ids))
    )
    changes = [
        (
            row.id,
            {
                **UNTOLD,
                "state": ItemState.WITHDRAWN.value,
                "reason": reason,
                "identity": veiled(row.identity),
                "item_key": veiled(row.item_key),
            },
        )
        for row in rows
    ]
    update_rows(connection, MailboxItem, changes, None)


def veiled(text: str | None) -> str | None:
    """A digest of a text, unless it is one already."""
    return text if text is None or text.startswith("sha256:") else digest(text)
