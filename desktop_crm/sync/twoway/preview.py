"""What a pass would do, found out by doing it in transactions that are thrown away.

What goes both ways is looked at first, then mail, each page by itself: nobody waits for the whole
mailbox to see the first lines, and a file is held from others only for parts of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeVar

from sqlalchemy import Connection

from desktop_crm.db.engine import Cancel
from desktop_crm.models.outbox import OPEN
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import outbox
from desktop_crm.sync.plan import Action
from desktop_crm.sync.port import Batch, Change, ChangeKind, Folder, FolderRole
from desktop_crm.sync.twoway import rows, strikes
from desktop_crm.sync.twoway.directions import Directions
from desktop_crm.sync.twoway.incoming import Incoming
from desktop_crm.sync.twoway.lines import Line, Lines
from desktop_crm.sync.twoway.meeting_batch import MeetingBatch
from desktop_crm.sync.twoway.pairing import Work
from desktop_crm.sync.twoway.passing import TwoWayPass

T = TypeVar("T")

Write = Callable[[Connection, Folder, Batch], MeetingBatch | None]
"""Writes a batch of meetings into an open transaction."""

MOST: Final = 5_000
"""Lines of mail somebody who watches is told; the other messages are counted."""

_TRIED: Final = 40
"""Items of a page that are tried in one transaction: a tenth of a second."""

_AT_ONCE: Final = 200
"""Records that are compared before it is looked whether the work was stopped."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a dry run found since it was told last.

    Attributes:
        lines: what would be done.
        messages: new messages found so far.
        untold: those of them that have no line.
        is_enough: all that goes both ways is known, and the newest mail.
        two_way: whether the mailbox is written to.
    """

    lines: tuple[Line, ...]
    messages: int = 0
    untold: int = 0
    is_enough: bool = False
    two_way: bool = False


Tell = Callable[[Seen], None]
"""Told what a dry run found, page by page, on the thread it runs on."""


@dataclass(slots=True)
class Preview:
    """Tells what would come of the pages that a dry run reads.

    Attributes:
        lines: what would be done; empty after each page when somebody watches.
        cancel: stops between two transactions.
        tell: told what was found; None keeps all lines to the end.
        two_way: whether the mailbox is written to.
    """

    actor: Actor
    mailbox: int
    lines: Lines
    cancel: Cancel
    tell: Tell | None
    two_way: bool
    _both: TwoWayPass | None = None
    _write: Write | None = None
    _last: str = ""
    _is_settled: bool = False
    _has_mail: bool = False
    _gone: list[tuple[Folder, Change]] = field(default_factory=list)
    _items: set[tuple[str, str]] = field(default_factory=set)
    _activities: set[int] = field(default_factory=set)
    _contacts: set[int] = field(default_factory=set)
    _identities: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls, actor: Actor, mailbox: int, cancel: Cancel, tell: Tell | None, *, two_way: bool
    ) -> Preview:
        """An empty one; one statement."""
        with actor.db.reading() as connection:
            struck = strikes.struck(connection, mailbox)
        return cls(actor, mailbox, Lines(actor, struck), cancel, tell, two_way)

    def begin(
        self, folders: Sequence[Folder], both: TwoWayPass | None, write: Write
    ) -> list[Folder]:
        """The folders in the order in which they are looked at: mail last.

        Args:
            folders: those to read.
            both: the pass over both sides; None for a mailbox that is only read.
            write: writes a page of meetings.
        """
        self._both, self._write = both, write
        ordered = sorted(folders, key=lambda folder: not Directions.both_ways(folder))
        self._last = ordered[-1].key if ordered else ""
        return ordered

    def enter(self, folder: Folder) -> None:
        """A folder is read next; before the first one of mail both sides are brought together."""
        if Directions.both_ways(folder):
            return
        self._settle()
        if self.tell is not None:
            left = MOST - (self.lines.messages - self.lines.untold)
            # A folder has at most half of what is left, so that later ones are seen, too.
            self.lines.room = left if folder.key == self._last else left // 2

    def take(self, folder: Folder, batch: Batch, actions: Sequence[Action]) -> None:
        """Find out what one page comes to.

        Args:
            folder: where it lies.
            batch: the page.
            actions: what it means for mail and meetings.
        """
        self.lines.add_new(folder.key, folder.name, actions)
        # A page of meetings that are all new changes nothing that stands here.
        new = folder.role is FolderRole.CALENDAR and not any(
            a.activity or a.holder for a in actions
        )
        if not Directions.both_ways(folder):
            self._has_mail = True
        elif self._both is not None and not new:
            # What left this folder may lie in one that comes later: it is looked at last.
            gone = [one for one in batch.changes if one.kind is ChangeKind.DELETE]
            self._gone += [(folder, one) for one in gone]
            left = [one for one in batch.changes if one.kind is not ChangeKind.DELETE]
            for part in _parts(left, _TRIED):
                self._try(self._both, folder, replace(batch, changes=tuple(part)), gone=False)
        self._say()

    def end(self) -> list[Line]:
        """The lines nobody was told of."""
        self._settle()
        self._has_mail = True
        self._say()
        return self.lines.found

    def _say(self) -> None:
        if self.tell is None:
            return
        self.cancel.check()
        lines = self.lines
        found, lines.found = tuple(lines.found), []
        enough = self._is_settled and self._has_mail
        self.tell(Seen(found, lines.messages, lines.untold, enough, self.two_way))

    def _settle(self) -> None:
        """Bring both sides together as far as no page did it; nothing is written for that."""
        if self._is_settled:
            return
        self.lines.add_outbox(outbox.list_items(self.actor, mailbox=self.mailbox, states=OPEN))
        if self._both is not None:
            for folder, batch in _pages(self._gone):
                self._try(self._both, folder, batch, gone=True)
                self._say()
            self._rest(self._both)
        self._is_settled = True
        self._say()

    def _try(self, both: TwoWayPass, folder: Folder, batch: Batch, *, gone: bool) -> None:
        """Write a page, see what the pass over both sides makes of it, and throw it away."""
        self.cancel.check()
        with self.actor.db.trying() as connection:
            if folder.role is FolderRole.CALENDAR and folder != both.calendar:
                assert self._write is not None  # noqa: S101  begun with it
                meetings = self._write(connection, folder, batch)
                self.lines.add_steps(meetings.steps if meetings is not None else ())
            else:
                Incoming(connection, self.actor, self.mailbox, folder).take(batch)
            keys = [change.item_id for change in batch.changes]
            lying = rows.lying(connection, self.mailbox, folder.key, keys)
            pairing = both.pairing(connection)
            items = [row.id for row in lying]
            activities, contacts = pairing.among(items)
            if gone:  # what moved was seen where it lies now
                activities = [key for key in activities if key not in self._activities]
                contacts = [key for key in contacts if key not in self._contacts]
            self._add(pairing.of(activities, contacts))
            self._add(pairing.unmatched(items))
        self._items |= {(folder.key, row.item_key) for row in lying}
        self._activities |= {row.activity_id for row in lying if row.activity_id is not None}
        self._contacts |= {row.contact_id for row in lying if row.contact_id is not None}

    def _rest(self, both: TwoWayPass) -> None:
        """What no page touched: changed or new on this side, or left over from an earlier pass."""
        with self.actor.db.reading(self.cancel) as connection:
            self.lines.found += both.folders_to_make(connection).values()
            pairing = both.pairing(connection)
            activities, contacts = pairing.pending()
            for part in _parts(
                [key for key in activities if key not in self._activities], _AT_ONCE
            ):
                self.cancel.check()
                self._add(pairing.of(part, []))
            for part in _parts([key for key in contacts if key not in self._contacts], _AT_ONCE):
                self.cancel.check()
                self._add(pairing.of([], part))
            self._add(
                work
                for work in pairing.unmatched()
                if work.row is None or (work.row.folder, work.row.item_key) not in self._items
            )
            gone = {(folder.key, change.item_id) for folder, change in self._gone}
            self._add(
                work
                for work in both.shown(connection)
                if work.row is None or (work.row.folder, work.row.item_key) not in gone
            )

    def _add(self, works: Iterable[Work]) -> None:
        """Add what is to be done about some pairs; of an item that lies twice once."""
        for work in works:
            loose = work.row is not None and work.row.record is None
            identity = work.row.identity if work.row is not None and loose else ""
            if identity and identity in self._identities:
                continue
            self._identities |= {identity} - {""}
            self.lines.add_steps(work.decision.steps)


def _pages(gone: Iterable[tuple[Folder, Change]]) -> Iterator[tuple[Folder, Batch]]:
    """What is gone, in pages of a folder each."""
    for folder, listed in groupby(gone, key=itemgetter(0)):
        changes = [change for _, change in listed]
        for part in _parts(changes, _TRIED):
            yield folder, Batch(tuple(part), "")


def _parts(listed: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(listed), size):
        yield list(listed[start : start + size])
