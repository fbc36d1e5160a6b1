"""Lines of a dry run that a person struck; each holds until its item changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from desktop_crm.models import SyncStrike
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes, outbox
from desktop_crm.services.records_kept import delete_where, insert_rows
from desktop_crm.sync.mapping import plain

if TYPE_CHECKING:
    from desktop_crm.sync.twoway.lines import Line

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


def strike(actor: Actor, mailbox: int, lines: Sequence[Line]) -> ChangeSet:
    """Strike lines of a dry run; what waits in the outbox is cancelled there.

    Raises:
        NotFound: there is no such mailbox, or it is another's.
        UserError: what a line of the outbox asks for is being done at this moment.
    """
    mailboxes.get(actor, mailbox)
    changes = NOTHING
    for line in lines:
        if line.order is not None:
            changes = changes.merge(outbox.cancel(actor, line.order))
    found = [(x.key, x.fingerprint, x.title) for x in lines if x.order is None]
    with actor.db.writing() as connection:
        put(connection, mailbox, found, actor.user_id)
    return changes


def let(actor: Actor, mailbox: int, lines: Sequence[Line]) -> None:
    """Take strikes back.

    Raises:
        NotFound: there is no such mailbox, or it is another's.
    """
    mailboxes.get(actor, mailbox)
    with actor.db.writing() as connection:
        for line in lines:
            own = (_TABLE.c.mailbox_id == mailbox) & (_TABLE.c.line == plain(line.key, 600))
            delete_where(connection, SyncStrike, own)


def stands(found: Mapping[str, str], line: str, fingerprint: str) -> bool:
    """Whether a line is struck as it is now."""
    return found.get(plain(line, 600)) == fingerprint
