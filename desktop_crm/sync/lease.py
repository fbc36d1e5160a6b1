"""Only one machine synchronises a mailbox at a time (R61): a lease in the mailbox's own row."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Row, func, select

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.models import Mailbox
from desktop_crm.services.records_kept import update_rows

LEASE: Final = timedelta(minutes=5)
"""How long a lease lasts without a sign of life: longer than any single batch takes."""


_LOCK: Final = 0x43524D53594E43
"""Any number that nobody else of the database's users locks by."""


def new_holder() -> str:
    """Name of one pass: machine, process, a word of its own and the mark of the machine."""
    return f"{socket.gethostname()[:60]}/{os.getpid()}/{new_uid()[-12:]}/{_mark()}"


def _mark() -> str:
    """Tells this machine from others of its name: desktops made from one image share theirs."""
    return f"{uuid.getnode():x}"


def take(
    connection: Connection,
    mailbox: int,
    holder: str,
    by: int | None,
    lasting: timedelta = LEASE,
) -> None:
    """Take the lease of a mailbox, or prolong one's own.

    Args:
        connection: a transaction.
        mailbox: the mailbox's key.
        holder: name of the pass.
        by: who acts.
        lasting: how long nobody else may take it without a sign of life.

    Raises:
        EnvironmentProblem: another pass holds it; retryable.
    """
    row = _row(connection, mailbox)
    now = _now(connection)
    if row.leased_by not in (None, holder) and _is_held(row.leased_by, row.leased_until, now):
        raise EnvironmentProblem(
            N_(
                "The mailbox {mailbox} is being synchronised by {machine}. Nothing was changed; "
                "wait until it has finished."
            ),
            retryable=True,
            mailbox=row.name,
            machine=row.leased_by.partition("/")[0],
        )
    values = {"leased_by": holder, "leased_until": now + lasting}
    update_rows(connection, Mailbox, [(mailbox, values)], by)


def keep(
    connection: Connection,
    mailbox: int,
    holder: str,
    by: int | None,
    lasting: timedelta = LEASE,
) -> None:
    """Prolong the lease of a pass that is under way; in the transaction that writes what it found.

    Raises:
        EnvironmentProblem: another pass was here meanwhile, so what this one found is outdated;
            retryable.
    """
    row = _row(connection, mailbox)
    if row.leased_by != holder:
        raise EnvironmentProblem(
            N_(
                "The mailbox {mailbox} was taken over by another computer while this one stood "
                "still. What was read so far is kept; the next synchronisation goes on from there."
            ),
            retryable=True,
            mailbox=row.name,
        )
    values = {"leased_until": _now(connection) + lasting}
    update_rows(connection, Mailbox, [(mailbox, values)], by)


def write_alone(connection: Connection) -> None:
    """Let only one pass at a time plan and write, whichever mailbox it is of.

    Two first passes over one meeting would both find it missing. SQLite has one writer anyway;
    on a shared database the lock ends with the transaction.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def release(connection: Connection, mailbox: int, holder: str, by: int | None) -> None:
    """Give the lease back, if it is still held by this pass."""
    held = connection.execute(select(Mailbox.leased_by).where(Mailbox.id == mailbox)).scalar()
    if held == holder:
        values = {"leased_by": None, "leased_until": None}
        update_rows(connection, Mailbox, [(mailbox, values)], by)


def _row(connection: Connection, mailbox: int) -> Row[str, str | None, datetime | None]:
    return connection.execute(
        select(Mailbox.name, Mailbox.leased_by, Mailbox.leased_until)
        .where(Mailbox.id == mailbox)
        .with_for_update()
    ).one()


def _now(connection: Connection) -> datetime:
    """The moment it is for everybody: clocks of two computers may be a day apart."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment
    return clock.now()


def _is_held(holder: str, until: datetime | None, now: datetime) -> bool:
    return until is not None and until > now and not _is_dead(holder)


def _is_dead(holder: str) -> bool:
    """Whether the pass was on this machine and its process no longer runs."""
    host, pid, _, mark = (*holder.split("/"), "", "", "")[:4]
    here = (host, mark) == (socket.gethostname()[:60], _mark())
    # On Windows signal 0 would end the process instead of asking for it.
    if sys.platform == "win32" or not here or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
