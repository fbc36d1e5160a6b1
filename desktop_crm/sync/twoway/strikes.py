"""Lines of a dry run that a person struck; each holds until its item changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from desktop_crm.models import SyncStrike
from desktop_crm.services import mailboxes
from desktop_crm.services.context import Actor
from desktop_crm.services.records_kept import delete_where, insert_rows
from desktop_crm.sync.mapping import plain

_TABLE = SyncStrike.__table__


def struck(connection: Connection, mailbox: int) -> dict[str, str]:
    """Fingerprints of the struck lines of a mailbox, by line."""
    rows = connection.execute(
        select(_TABLE.c.line, _TABLE.c.fingerprint).where(_TABLE.c.mailbox_id == mailbox)
    )
    return {row.line: row.fingerprint for row in rows}


def put(
    connection: Connection,
    mailbox: int,
    lines: Sequence[tuple[str, str, str]],
    by: int | None,
) -> None:
    """Strike lines: key, fingerprint and title of each; an earlier strike of one is replaced."""
    for line, fingerprint, title in lines:
        key = plain(line, 600)
        own = (_TABLE.c.mailbox_id == mailbox) & (_TABLE.c.line == key)
        delete_where(connection, SyncStrike, own)
        row = {
            "mailbox_id": mailbox,
            "line": key,
            "fingerprint": fingerprint,
            "title": plain(title, 400) or None,
        }
        insert_rows(connection, SyncStrike, [row], by)


def decide(
    actor: Actor,
    mailbox: int,
    strike: Sequence[tuple[str, str, str]],
    allow: Sequence[str] = (),
) -> None:
    """Remember which lines of a dry run a person struck, and which they let again.

    Raises:
        NotFound: there is no such mailbox, or it is another's.
    """
    mailboxes.get(actor, mailbox)
    with actor.db.writing() as connection:
        put(connection, mailbox, strike, actor.user_id)
        for line in allow:
            own = (_TABLE.c.mailbox_id == mailbox) & (_TABLE.c.line == plain(line, 600))
            delete_where(connection, SyncStrike, own)


def stands(found: Mapping[str, str], line: str, fingerprint: str) -> bool:
    """Whether a line is struck as it is now."""
    return found.get(plain(line, 600)) == fingerprint
