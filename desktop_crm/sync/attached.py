"""Files that came with messages: documents, and their bytes once however many carry them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select

from desktop_crm.core.text import clean
from desktop_crm.models import DocumentContent
from desktop_crm.services import writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.drafts import Work
from desktop_crm.services.records import Change, prepare
from desktop_crm.sync import mapping
from desktop_crm.sync.port import Attachment

CONTENT_LIMIT: Final = 10_000_000
"""Bytes of the biggest attachment whose content is stored (R32); of others name and size are."""


@dataclass(frozen=True, slots=True)
class Attached:
    """Files of one message.

    Attributes:
        parts: the files.
        activity: key of the message's activity.
        account: key of the account it belongs to, if any.
        has_html: the message has formatted text, in which its pictures stand already.
    """

    parts: tuple[Attachment, ...]
    activity: int
    account: int | None
    has_html: bool


def store_files(work: Work, files: Sequence[Attached], owner: int | None) -> ChangeSet:
    """Write the files of messages into an open transaction.

    Args:
        work: the transaction and who acts; its entity is the document.
        files: what came with which message.
        owner: key of the user who owns them.
    """
    rows: list[Change] = []
    contents: dict[str, bytes] = {}
    for one in files:
        for part in one.parts:
            if part.cid and one.has_html and part.content_type.startswith("image/"):
                continue  # it is in the body already
            digest = None
            if part.content is not None:
                digest = hashlib.sha256(part.content).hexdigest()
                if len(part.content) <= CONTENT_LIMIT:
                    contents[digest] = part.content
            document = {
                # From the end, which says what kind of file it is.
                "name": mapping.plain(clean(part.name)[-200:], 200) or "attachment",
                "media_type": mapping.plain(part.content_type, 120),
                "size_bytes": part.size,
                "sha256": digest,
                "content_id": mapping.plain(part.cid, 250) or None,
                "activity": one.activity,
                "account": one.account,
                "owner": owner,
            }
            rows.append(Change(None, None, document))
    if not rows or not work.actor.can("document", "create"):
        return NOTHING
    _store_contents(work.connection, contents)
    drafts, _ = prepare(work, rows)
    return writer.write(work, drafts)


def _store_contents(connection: Connection, contents: Mapping[str, bytes]) -> None:
    """Bytes of attachments, each once."""
    if not contents:
        return
    known = set(
        connection.execute(
            select(DocumentContent.sha256).where(DocumentContent.sha256.in_(sorted(contents)))
        ).scalars()
    )
    missing = [
        {"sha256": digest, "size_bytes": len(data), "content": data}
        for digest, data in contents.items()
        if digest not in known
    ]
    if missing:
        connection.execute(insert(DocumentContent), missing)
