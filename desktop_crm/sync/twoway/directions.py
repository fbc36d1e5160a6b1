"""What the engine asks about a mailbox that goes both ways; of one that is only read, nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import Connection

from desktop_crm.services.context import Actor
from desktop_crm.sync.plan import Action
from desktop_crm.sync.port import Folder, FolderRole, Mailbox
from desktop_crm.sync.twoway import places, rows, shown, strikes
from desktop_crm.sync.twoway.kinds import Kind
from desktop_crm.sync.twoway.lines import unstruck
from desktop_crm.sync.twoway.meeting_batch import MeetingBatch
from desktop_crm.sync.twoway.passing import writable
from desktop_crm.sync.twoway.rows import Settings
from desktop_crm.sync.writes import Ability, WritableMailbox

R = TypeVar("R")

_BOTH_WAYS: Final = frozenset({FolderRole.CALENDAR, FolderRole.TASKS, FolderRole.CONTACTS})
_NOTED: Final = frozenset({FolderRole.TASKS, FolderRole.CONTACTS})


@dataclass(slots=True)
class Directions:
    """What was chosen for one mailbox, and what follows from it for the reading of its folders.

    Attributes:
        chosen: what a person chose.
        struck: lines of dry runs a person struck.
        others: folders of tasks and contacts, beside those of mail.
        every: all folders; None where the mailbox is only read.
        calendar: the one in which meetings of the chosen accounts are shown.
    """

    actor: Actor
    mailbox: int
    port: Mailbox
    chosen: Settings
    struck: Mapping[str, str] = field(default_factory=dict)
    others: Sequence[Folder] = ()
    every: Sequence[Folder] | None = None
    calendar: Folder | None = None

    @classmethod
    def of(cls, actor: Actor, mailbox: int, port: Mailbox) -> Directions:
        """Read what was chosen; two statements."""
        with actor.db.reading() as connection:
            chosen = rows.settings(connection, mailbox)
            struck = strikes.struck(connection, mailbox)
        return cls(actor, mailbox, port, chosen, struck)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of items that go out to the mailbox."""
        return writable(self.port, self.chosen)

    @property
    def attends(self) -> bool:
        """Whether answers of guests are noted here, since the mailbox does not do it itself."""
        port = self.port
        return not (isinstance(port, WritableMailbox) and Ability.ATTENDANCE in port.abilities)

    def folders(
        self, read: Sequence[Folder], patiently: Callable[[Callable[[], R]], R]
    ) -> list[Folder]:
        """All folders to read: those of mail, and those of tasks and contacts that go both ways."""
        if self.kinds and isinstance(self.port, WritableMailbox):
            self.every = patiently(self.port.all_folders)  # type: ignore[arg-type,assignment]
            self.others = places.both_ways(self.every or (), self.kinds)
        with self.actor.db.reading() as connection:
            self.calendar = shown.calendar_of(connection, self.mailbox, self.every or read)
        # Nothing in the CRM calendar is anybody's own: it is noted, or not looked at.
        own = [x for x in read if x.role not in _NOTED and x != self.calendar]
        if self.calendar is not None and Kind.MEETING in self.kinds:
            self.others = [*self.others, self.calendar]
        return [*own, *self.others]

    def noted(self, folder: Folder) -> bool:
        """Whether what a folder says is noted, for the pass over both sides to act on."""
        return folder.role in _NOTED or folder == self.calendar

    @staticmethod
    def both_ways(folder: Folder) -> bool:
        """Whether what lies in a folder may go both ways."""
        return folder.role in _BOTH_WAYS

    def uncertain(self, folder: Folder) -> bool:
        """Whether a folder may hold something of ours that the journal does not know of yet."""
        if not self.kinds or not self.both_ways(folder):
            return False
        with self.actor.db.reading() as connection:
            return rows.uncertain(connection, self.mailbox)

    def unagreed(self, folder: Folder) -> bool:
        """Whether a calendar was read before it went both ways: then it is read once more."""
        if not self.kinds or folder.role is not FolderRole.CALENDAR:
            return False
        with self.actor.db.reading() as connection:
            return rows.unagreed(connection, self.mailbox, folder.key)

    def meetings(self, connection: Connection, folder: Folder) -> MeetingBatch | None:
        """Both sides of a calendar's meetings."""
        if not self.kinds or folder.role is not FolderRole.CALENDAR:
            return None
        return MeetingBatch(connection, self.actor, self.chosen.user)

    def unstruck(self, actions: Sequence[Action], folder: Folder) -> list[Action]:
        """The actions without what a person struck."""
        return unstruck(actions, folder.key, self.struck)
