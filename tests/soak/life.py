"""One life of the program: a person works in it and passes run, until it is killed."""

from __future__ import annotations

import datetime as dt
import random
import time
import traceback
from collections.abc import Callable
from typing import Any

from sqlalchemy import event, select

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity, Mailbox, MailboxItem, OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import records
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.mail import outbox
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.memory import ARCHIVE
from desktop_crm.sync.outbox import order
from desktop_crm.sync.port import Address, Flag
from desktop_crm.sync.sending import send
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.writes import Delete, Mark, Move, Ref, SaveDraft
from tests.contract.writing_driver import message
from tests.soak.elsewhere import Remote, die

MINUTE_S = 1.0
"""Real seconds of a minute in a life: what waits for some minutes becomes due within one."""

PASSES = 40
ANA = Address("ana@firma.example", "Ana")
GUEST = {"participation": "required", "name": "Guest", "address": "guest@client.example"}


class Life:
    """What happens between start and end of a process, from a seed."""

    def __init__(self, db: Database, port: Remote, seed: int, at: dt.datetime, born: float) -> None:
        self.db, self.port = db, port
        self.random = random.Random(seed)
        self.seed = seed
        self.actor: Actor = system_actor(db)
        self.at, self.born = at, born
        self.count = 0
        with db.reading() as connection:
            row = connection.execute(select(Mailbox.id, Mailbox.user_id)).one()
        self.mailbox, self.user = row.id, row.user_id

    @property
    def moment(self) -> dt.datetime:
        """What time it is; the same for all processes that live at once."""
        return self.at + dt.timedelta(minutes=(time.monotonic() - self.born) / MINUTE_S)

    def goes_on(self) -> None:
        """Edit and run passes; every edit is told once it is there to stay."""
        for _ in range(PASSES):
            for _ in range(self.random.randint(1, 3)):
                self.random.choice(EDITS)(self)
            run(self.actor, self.mailbox, self.port)
            self.port.note("pass")

    # --- what a person does ---------------------------------------------------------------

    def send(self) -> None:
        subject = f"letter {new_uid()}"
        letter = Letter(ANA, (Address("ion@client.example"),), subject=subject, text="Bună ziua")
        send(self.actor, self.mailbox, letter, due_at=self.later(), undo_s=0)
        self.port.note("send", subject)

    def draft(self) -> None:
        key = new_uid()
        order(self.actor, self.mailbox, SaveDraft(key, f"{key}@firma.example", message(key)))
        self.port.note("draft", key)

    def mark(self) -> None:
        ref = self.letter()
        if ref is not None:
            order(self.actor, self.mailbox, Mark(new_uid(), ref, flag=Flag.FLAGGED))

    def move(self) -> None:
        ref = self.letter()
        if ref is not None:
            order(self.actor, self.mailbox, Move(new_uid(), ref, ARCHIVE.key))

    def delete(self) -> None:
        ref = self.letter()
        if ref is not None:
            order(self.actor, self.mailbox, Delete(new_uid(), ref), confirmed=True)

    def appoint(self) -> None:
        start = self.moment + dt.timedelta(days=self.random.randint(1, 20))
        self.make(
            "appointment",
            start_at=start,
            end_at=start + dt.timedelta(hours=1),
            parties=[GUEST] * self.random.randint(0, 1),
        )

    def plan(self) -> None:
        self.make("task", due_at=self.moment + dt.timedelta(days=3))

    def make(self, kind: str, **values: Any) -> None:
        subject = f"{kind} {new_uid()}"
        given = {"kind": kind, "subject": subject, "owner": self.user, **values}
        saved = records.save(self.actor, "activity", None, None, given)
        self.port.note("made", subject, saved.id)

    def change(self) -> None:
        row = self.one_of("appointment", "task")
        if row is None:
            return
        self.count += 1
        number = self.seed * 1_000 + self.count
        values = {"description": f"edit {number}"}
        try:
            records.save(self.actor, "activity", row.id, row.version, values)
        except CrmError:
            return  # another edit of the same moment
        self.port.note("changed", row.id, number)

    def call_off(self) -> None:
        row = self.one_of("task")
        if row is not None:
            records.delete(self.actor, "activity", [row.id])
            self.port.note("dropped", row.subject)

    def agree(self) -> None:
        """Let go what waits for a person."""
        with self.db.reading() as connection:
            held = OutboxItem.state == OutboxState.HELD.value
            keys = list(connection.execute(select(OutboxItem.id).where(held)).scalars())
        if keys:
            outbox.release(self.actor, keys)

    # --- what they do it to ---------------------------------------------------------------

    def later(self) -> dt.datetime | None:
        return self.random.choice((None, self.moment + dt.timedelta(minutes=3)))

    def letter(self) -> Ref | None:
        with self.db.reading() as connection:
            rows = connection.execute(
                select(MailboxItem.folder, MailboxItem.item_key).where(
                    MailboxItem.state == "stored", MailboxItem.folder == "Inbox"
                )
            ).all()
        found = self.random.choice(rows) if rows else None
        return None if found is None else Ref(found.folder, found.item_key)

    def one_of(self, *kinds: str) -> Any:
        with self.db.reading() as connection:
            rows = connection.execute(
                select(Activity.id, Activity.version, Activity.subject).where(
                    Activity.kind.in_(kinds),
                    Activity.state == "open",
                    Activity.deleted_at.is_(None),
                )
            ).all()
        return self.random.choice(rows) if rows else None


EDITS: tuple[Callable[[Life], None], ...] = (
    Life.send,
    Life.send,
    Life.draft,
    Life.mark,
    Life.move,
    Life.delete,
    Life.appoint,
    Life.appoint,
    Life.plan,
    Life.change,
    Life.change,
    Life.change,
    Life.call_off,
    Life.agree,
)


def run(actor: Actor, mailbox: int, port: Any) -> Any:
    """One pass that waits for nothing."""
    return Engine(
        actor, mailbox, port, consent=Consent(reviewed=True), wait=lambda seconds, cancel: None
    ).run()


def live(
    url: str, address: Any, seed: int, at: dt.datetime, born: float, statement: int = 0
) -> None:
    """Work until killed.

    Args:
        url: the database.
        address: where the mailbox is.
        seed: what happens.
        at: what time it is at `born`, a moment of the monotonic clock all processes share.
        born: that moment.
        statement: number of the SQL statement or commit to die at; 0 for none.
    """
    port = Remote(address)
    try:
        db = Database.open(url)
        life = Life(db, port, seed, at, born)
        clock.use_clock(lambda: life.moment)
        if statement:
            left = [statement]

            def count(*_: Any) -> None:
                left[0] -= 1
                if left[0] <= 0:
                    die()

            event.listen(db.engine, "before_cursor_execute", count)
            event.listen(db.engine, "commit", count)
        port.note("ready")
        life.goes_on()
    except BaseException:
        port.note("crashed", traceback.format_exc())
        raise
    port.note("end")
