"""What a pass would do, found out by doing it in a transaction that is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection

from desktop_crm.models.outbox import OPEN
from desktop_crm.services import outbox
from desktop_crm.services.context import Actor
from desktop_crm.sync.port import Batch, Folder, FolderRole
from desktop_crm.sync.twoway import strikes
from desktop_crm.sync.twoway.incoming import Incoming
from desktop_crm.sync.twoway.lines import Line, Lines
from desktop_crm.sync.twoway.meeting_batch import MeetingBatch
from desktop_crm.sync.twoway.passing import TwoWayPass

Write = Callable[[Connection, Folder, Batch], MeetingBatch | None]
"""Writes a batch of meetings into an open transaction."""


class _Undone(Exception):
    """Throws a transaction away."""


@dataclass(slots=True)
class Preview:
    """Collects what a dry run reads, and tells what would come of it.

    Attributes:
        lines: what would be done so far.
    """

    actor: Actor
    mailbox: int
    lines: Lines
    batches: list[tuple[Folder, Batch]] = field(default_factory=list)

    @classmethod
    def of(cls, actor: Actor, mailbox: int) -> Preview:
        """An empty one; one statement."""
        with actor.db.reading() as connection:
            struck = strikes.struck(connection, mailbox)
        return cls(actor, mailbox, Lines(actor, struck))

    def tell(self, write: Write, both: TwoWayPass | None) -> list[Line]:
        """Everything a pass would do; nothing of it is kept and no request is made.

        Args:
            write: writes a batch of meetings.
            both: the pass over both sides; None for a mailbox that is only read.
        """
        self.lines.add_outbox(outbox.list_items(self.actor, mailbox=self.mailbox, states=OPEN))
        if both is not None:
            with suppress(_Undone), self.actor.db.writing() as connection:
                for folder, batch in self.batches:
                    if folder.role is FolderRole.CALENDAR:
                        meetings = write(connection, folder, batch)
                        self.lines.add_steps(meetings.steps if meetings is not None else ())
                    else:
                        Incoming(connection, self.actor, self.mailbox, folder).take(batch)
                self.lines.found += both.folders_to_make(connection).values()
                for work in both.pairing(connection).all():
                    self.lines.add_steps(work.decision.steps)
                raise _Undone
        return self.lines.found
