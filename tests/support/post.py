"""Mail in a test's database, as a pass over a mailbox would have left it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from desktop_crm.core.identity import new_uid
from desktop_crm.db import search_text
from desktop_crm.meta import registry
from desktop_crm.models import DocumentContent, MailboxItem, MailMessage
from desktop_crm.services import records
from tests.support.company import NOW

if TYPE_CHECKING:
    from tests.support.company import Company

HTML = (
    "<p>Dear all,</p><p>attached is our <b>offer</b>. "
    '<img src="https://tracker.example/pixel.gif"> <a href="https://rossi.example/">rossi</a></p>'
)


def _row(values: dict[str, Any]) -> dict[str, Any]:
    stamp = {"created_at": NOW, "modified_at": NOW, "version": 1}
    return {"uid": new_uid(), **stamp, **values}


def deliver(
    company: Company, name: str, *, folder: str = "Inbox", hours: int = 0, **more: Any
) -> int:
    """Store one message; gives the activity's id."""
    actor = company.actor
    if "box" not in company.ids:
        company.add(
            "mailbox", "box",
            {"name": "Office", "kind": "folder", "address": "mara@firm.example", "path": "mail",
             "user": actor.user_id},
        )  # fmt: skip
    at = NOW - timedelta(hours=hours)
    subject = more.get("subject", name)
    outgoing = folder == "Sent"
    sender = more.get("sender", ("Claire Dubois", "claire@rossi.example"))
    parties = [
        {"participation": "from", "name": sender[0], "address": sender[1],
         "contact": more.get("contact")},
        {"participation": "to", "name": "Mara Ionescu", "address": "mara@firm.example",
         "user": actor.user_id},
    ]  # fmt: skip
    activity = company.add(
        "activity", name,
        {"kind": "email", "subject": subject, "state": "completed", "owner": actor.user_id,
         "direction": "outgoing" if outgoing else "incoming", "occurred_at": at,
         "status_reason": "received", "parties": parties},
    )  # fmt: skip
    text = more.get("text", f"{subject}: first words of the message")
    with actor.db.writing() as connection:
        connection.execute(
            insert(MailMessage),
            [_searched({
                "activity_id": activity, "message_id": f"{name}@rossi.example", "sent_at": at,
                "from_name": sender[0], "from_address": sender[1], "to_line": "Mara Ionescu",
                "subject": subject, "preview": text, "body_text": text,
                "body_html": more.get("html"), "stored": more.get("stored", "full"),
                "is_automatic": False, "has_attachments": bool(more.get("files")),
            })],
        )  # fmt: skip
        connection.execute(
            insert(MailboxItem),
            [_row({
                "mailbox_id": company.ids["box"], "folder": folder, "item_key": f"{name}.eml",
                "activity_id": activity, "state": "stored",
                "is_read": more.get("is_read", True), "sent_at": at,
            })],
        )  # fmt: skip
    for number, (file, content) in enumerate(more.get("files", {}).items()):
        digest = f"{activity:032d}{number:032d}"
        with actor.db.writing() as connection:
            connection.execute(
                insert(DocumentContent),
                [{"sha256": digest, "size_bytes": len(content), "content": content}],
            )
        company.add(
            "document", file,
            {"name": file, "activity": activity, "owner": actor.user_id},
        )  # fmt: skip
        _seal(company, company.ids[file], digest, len(content))
    return activity


def _searched(values: dict[str, Any]) -> dict[str, Any]:
    """A row of a message, with the text that search looks through."""
    entity = registry.get("mail_message")
    return _row({**values, "search_text": search_text.text_of(entity, values, {}, "")})


def _seal(company: Company, document_id: int, digest: str, size: int) -> None:
    from sqlalchemy import update

    from desktop_crm.models import Document

    with company.actor.db.writing() as connection:
        connection.execute(
            update(Document)
            .where(Document.id == document_id)
            .values(sha256=digest, size_bytes=size)
        )


def suggest(
    company: Company, activity: int, entity: str, record: int, *, state: str = "suggested",
    rule: str = "contact", confidence: int = 70,
) -> int:  # fmt: skip
    """Put a link on a message as a rule would."""
    values = {
        "activity": activity, "record_type": entity, "record_id": record, "state": state,
        "rule": rule, "evidence": "claire@rossi.example", "confidence": Decimal(confidence),
    }  # fmt: skip
    return records.save(company.actor, "link", None, None, values).id
