"""A mailbox of 200,000 stored messages: a folder, a conversation and a search against raw SQL."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from desktop_crm.bench.data import grown_file
from desktop_crm.bench.data_rows import SEED, SMALL
from desktop_crm.bench.ground import Ground, on_server, opened
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.core.text import fold
from desktop_crm.db import migrate
from desktop_crm.models import Activity, Link, MailboxItem, MailMessage
from desktop_crm.services.context import system_actor
from desktop_crm.services.mail import lines, listing
from desktop_crm.services.mail.listing import MailQuery
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.services.records import save
from desktop_crm.services.records_kept import insert_rows

MESSAGES: Final = 200_000
THREADS: Final = 60_000
GENERATOR: Final = 2
GOAL: Final = 3
"""How many times the statement by hand a list may take, as other lists."""

Run = Callable[[], list[int]]
_CHUNK: Final = 5_000
OWNER: Final = 1
"""User whose mailbox it is, who sees every record."""

_RARE: Final = "kompressorstation"
_WORDS: Final = (
    "offer", "delivery", "drawing", "invoice", "visit", "line", "contract", "spare", "parts",
    "answer", "question", "meeting", "price", "packaging", "label", "service",
)  # fmt: skip
_START: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LINE: Final = """SELECT m.activity_id, m.thread_key, m.from_name, m.from_address, m.to_line,
 m.subject, m.preview, m.sent_at, m.has_attachments, a.direction,
 EXISTS (SELECT 1 FROM mailbox_item u WHERE u.activity_id = m.activity_id
  AND u.state = 'stored' AND NOT u.is_read),
 EXISTS (SELECT 1 FROM mailbox_item u WHERE u.activity_id = m.activity_id
  AND u.state = 'stored' AND u.flag = 'flagged'),
 (SELECT count(*) FROM link l WHERE l.activity_id = m.activity_id AND l.state = 'linked'),
 (SELECT count(*) FROM link l WHERE l.activity_id = m.activity_id AND l.state = 'suggested')"""
_SEEN: Final = "a.deleted_at IS NULL AND (a.sensitivity <> 'private' OR a.owner_id = 1)"
_FOLDER: Final = {
    "sqlite": """@line@ FROM mailbox_item i JOIN mail_message m
 ON m.activity_id = i.activity_id JOIN activity a ON a.id = m.activity_id
 WHERE i.mailbox_id = ? AND i.folder = ? AND i.state = 'stored' AND i.deleted_at IS NULL
 AND a.deleted_at IS NULL ORDER BY i.sent_at DESC, i.activity_id DESC LIMIT 100""",
    # A server counts the links of all before it sorts, unless it sorts the keys alone.
    "postgresql": """@line@ FROM (SELECT i.activity_id, i.sent_at FROM mailbox_item i
 JOIN activity a ON a.id = i.activity_id
 WHERE i.mailbox_id = ? AND i.folder = ? AND i.state = 'stored' AND i.deleted_at IS NULL
 AND a.deleted_at IS NULL ORDER BY i.sent_at DESC, i.activity_id DESC LIMIT 100) k
 JOIN mail_message m ON m.activity_id = k.activity_id JOIN activity a ON a.id = m.activity_id
 ORDER BY k.sent_at DESC, k.activity_id DESC""",
}
_ALL: Final = """@line@ FROM (SELECT a.id, a.occurred_at FROM activity a
 JOIN mail_message m ON m.activity_id = a.id
 WHERE a.kind = 'email' AND @seen@ ORDER BY a.occurred_at DESC, a.id DESC LIMIT 100) k
 JOIN mail_message m ON m.activity_id = k.id JOIN activity a ON a.id = m.activity_id
 ORDER BY k.occurred_at DESC, k.id DESC"""
_THREAD: Final = """@line@ FROM mail_message m JOIN activity a ON a.id = m.activity_id
 WHERE m.thread_key = (SELECT thread_key FROM mail_message WHERE activity_id = ?) AND @seen@
 ORDER BY m.sent_at DESC, m.activity_id DESC"""
_FOUND: Final = """@line@ FROM (SELECT m.activity_id, m.sent_at FROM mail_message m
 JOIN activity a ON a.id = m.activity_id
 WHERE @match@ AND @seen@ ORDER BY m.sent_at DESC, m.activity_id DESC LIMIT 100) k
 JOIN mail_message m ON m.activity_id = k.activity_id JOIN activity a ON a.id = m.activity_id
 ORDER BY k.sent_at DESC, k.activity_id DESC"""
_USUAL: Final = """@line@ FROM (SELECT a.id, a.occurred_at FROM activity a
 CROSS JOIN mail_message m ON m.activity_id = a.id
 WHERE a.kind = 'email' AND (m.id + 0) IN (SELECT rowid FROM mail_message_fts
 WHERE mail_message_fts MATCH ?) AND @seen@
 ORDER BY a.occurred_at DESC, a.id DESC LIMIT 100) k
 JOIN mail_message m ON m.activity_id = k.id JOIN activity a ON a.id = m.activity_id
 ORDER BY k.occurred_at DESC, k.id DESC"""
"""SQLite sorts all matches of a usual word, unless it is led along the order."""

_MATCH: Final = {
    "sqlite": "m.id IN (SELECT rowid FROM mail_message_fts WHERE mail_message_fts MATCH ?)",
    "postgresql": "m.search_text LIKE ?",
}


@contextmanager
def stored() -> Iterator[Ground]:
    """The mailbox on SQLite."""
    with opened(mailbox_file()) as ground:
        yield ground


@contextmanager
def stored_on_server() -> Iterator[Ground]:
    """The same on PostgreSQL; raises ``NoServer`` where there is none."""
    with on_server(mailbox_file()) as ground:
        yield ground


def mailbox_file() -> Path:
    """Return the file, made when it is not there; about a minute."""
    return grown_file("mailbox", GENERATOR, SMALL, lambda path: fill(path, MESSAGES, THREADS))


def fill(path: Path, messages: int, threads: int) -> None:
    """Put a mailbox with so many messages into a data file."""
    db = migrate.open_current(str(path))
    try:
        actor = system_actor(db)
        box = NewMailbox("Bench", "folder", "me@bench.example", path="bench")
        values: dict[str, Any] = {"name": box.name, "kind": box.kind, "address": box.address}
        values["user"] = OWNER
        key = save(actor, "mailbox", None, None, {**values, "path": box.path}).id
        chance = random.Random(SEED)
        for start in range(0, messages, _CHUNK):
            rows = [
                _message(number, threads, chance)
                for number in range(start, min(start + _CHUNK, messages))
            ]
            with db.writing() as connection:
                ids = insert_rows(connection, Activity, [row[0] for row in rows], None)
                pairs = list(zip(rows, ids, strict=True))
                stored_rows = [{**row[1], "activity_id": at} for row, at in pairs]
                insert_rows(connection, MailMessage, stored_rows, None)
                items = [{**row[2], "activity_id": at, "mailbox_id": key} for row, at in pairs]
                insert_rows(connection, MailboxItem, items, None)
                links = [_link(start + n, at) for n, at in enumerate(ids) if (start + n) % 3 == 0]
                insert_rows(connection, Link, links, None)
    finally:
        db.close()


def _message(
    number: int, threads: int, chance: random.Random
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    at = _START + timedelta(minutes=15 * number)
    words = [chance.choice(_WORDS) for _ in range(12)]
    if number % 1_000 == 7:
        words.append(_RARE)
    subject = " ".join(words[:4]).capitalize()
    person = f"person{chance.randrange(4_000)}"
    text = " ".join(words)
    activity = {
        "subject": subject, "kind": "email", "state": "completed", "priority": "normal",
        "direction": "outgoing" if number % 4 == 0 else "incoming", "occurred_at": at,
        "is_all_day": False, "sensitivity": "normal" if number % 3 == 0 else "private",
        "is_organizer": True, "owner_id": OWNER,
        "title_key": fold(subject), "search_text": fold(subject),
    }  # fmt: skip
    message = {
        "message_id": f"{number}@bench.example", "thread_key": f"t{number % threads}@bench.example",
        "sent_at": at, "from_name": person.title(), "from_address": f"{person}@client.example",
        "to_line": "Me <me@bench.example>", "subject": subject, "preview": text[:200],
        "body_text": text, "stored": "full", "is_automatic": False, "has_attachments": False,
        "search_text": fold(f"{subject} {person} {text}"),
    }  # fmt: skip
    item = {
        "folder": "Inbox" if number % 4 else "Sent", "item_key": f"{number}.eml",
        "state": "stored", "is_read": number % 9 != 0, "flag": "none", "sent_at": at,
    }  # fmt: skip
    return activity, message, item


def _link(number: int, activity: int) -> dict[str, Any]:
    return {
        "activity_id": activity, "record_type": "contact", "record_id": number % 900 + 1,
        "rule": "contact", "confidence": 95, "is_regarding": True,
        "state": "linked" if number % 2 else "suggested",
    }  # fmt: skip


def opened_at_once(ground: Ground) -> list[Row]:
    """A folder, all mail, a conversation and searches as the mail pane asks for them.

    For the person whose mailbox it is, where two thirds are private to her; the statements by
    hand know that what lies in her folder is hers.
    """
    ((box,),) = ground.fetch("SELECT id FROM mailbox")
    actor = ground.everything
    thread = ground.fetch("SELECT activity_id FROM mail_message WHERE thread_key = ?",
                          ("t11@bench.example",))[0][0]  # fmt: skip
    folder = MailQuery(box, "Inbox")
    database = ground.database
    found = _FOUND.replace("@match@", _MATCH[database])

    def matching(word: str) -> str:
        return f'"{word}"' if database == "sqlite" else f"%{word}%"

    def page(asked: MailQuery) -> list[int]:
        return [row.id for row in listing.first_page(actor, asked)]

    def by_hand(statement: str, *values: object) -> list[int]:
        whole = statement.replace("@line@", _LINE).replace("@seen@", _SEEN)
        return [row[0] for row in ground.fetch(whole, values)]

    cases: tuple[tuple[str, Run, Run], ...] = (
        (
            "first page of a folder",
            lambda: page(folder),
            lambda: by_hand(_FOLDER[database], box, "Inbox"),
        ),
        ("first page of all mail", lambda: page(MailQuery()), lambda: by_hand(_ALL)),
        (
            "a conversation",
            lambda: [row.id for row in lines.conversation(actor, thread)],
            lambda: by_hand(_THREAD, thread),
        ),
        (
            "first page of a search",
            lambda: page(MailQuery(search=_RARE)),
            lambda: by_hand(found, matching(_RARE)),
        ),
        (
            "first page of a search for a usual word",
            lambda: page(MailQuery(search=_WORDS[0])),
            lambda: by_hand(_USUAL if database == "sqlite" else found, matching(_WORDS[0])),
        ),
    )
    rows = []
    for name, ours, limit in cases:
        operation = f"{name}, {MESSAGES:,} messages"
        if ours() != limit():
            reason = "the two ways give different messages"
            rows.append(unmeasured("folder", operation, reason, database))
            continue
        measured = pair(ours, limit, 21)
        rows.append(compared("folder", operation, measured, GOAL, database=database))
    return rows
