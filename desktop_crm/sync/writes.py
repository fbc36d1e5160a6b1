"""What a mailbox is asked to change: deeds as plain values, and the protocol that does them.

A deed carries the key its outbox row has. Before a deed is done again after a crash, the mailbox
is asked by that key whether it was done already, so that nothing is sent or made twice. Every
deed that changes or deletes something is preceded by :meth:`WritableMailbox.image`, what restores
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from desktop_crm.sync.port import (
    ContactItem,
    Flag,
    Folder,
    FolderRole,
    Item,
    Mailbox,
    MeetingItem,
    Response,
    ShowAs,
    TaskItem,
)


class Ability(StrEnum):
    """What a mailbox can be asked to do beyond being read."""

    SEND = "send"
    DRAFTS = "drafts"
    READ_MARK = "read_mark"
    FLAG = "flag"
    CATEGORIES = "categories"
    MOVE = "move"
    DELETE = "delete"
    MEETINGS = "meetings"
    INVITE = "invite"
    TASKS = "tasks"
    CONTACTS = "contacts"
    FREE_BUSY = "free_busy"
    FOLDERS = "folders"
    QUIET = "quiet"
    ATTENDANCE = "attendance"


class Notify(StrEnum):
    """Who is told of a changed meeting; nobody unless a person said otherwise (R37)."""

    NOBODY = "nobody"
    CHANGED = "changed"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Ref:
    """Where an item lies: folder key, item id and the version that was seen, if any."""

    folder: str
    item_id: str
    change_key: str = ""


UNSEEN: Final = "unseen"
"""Version of an item that somebody changed before anybody here saw it: no item ever has it."""


@dataclass(frozen=True, slots=True)
class Image:
    """An item as it stands, whole enough to be put back.

    Attributes:
        raw: the item in its exchange format: MIME, iCalendar or vCard.
        item: the same, read; what is compared before something is overwritten.
    """

    ref: Ref
    item: Item
    raw: bytes = field(repr=False)
    is_read: bool = True
    flag: Flag = Flag.NONE
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message that is built whole; `mime` names `message_id` and keeps its Bcc out.

    The mailbox keeps one copy in its Sent folder, with the own key on it.
    """

    own_key: str
    message_id: str
    mime: bytes = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveDraft:
    """Lay a message among the drafts, in place of an earlier one when `ref` says so."""

    own_key: str
    message_id: str
    mime: bytes = field(repr=False)
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Save:
    """Make a meeting, task or contact, or change the one `ref` names.

    A changed occurrence is a meeting with its `recurrence_id`, saved on the series' `ref`.
    Nothing is overwritten that is newer than the change key of `ref`: that is :class:`Stale`.
    """

    own_key: str
    folder: str
    item: MeetingItem | TaskItem | ContactItem
    ref: Ref | None = None
    notify: Notify = Notify.NOBODY


@dataclass(frozen=True, slots=True)
class Mark:
    """Set marks of a message or item; None leaves one as it is."""

    own_key: str
    ref: Ref
    is_read: bool | None = None
    flag: Flag | None = None
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Move an item to another folder."""

    own_key: str
    ref: Ref
    folder: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an item for good, or one occurrence of a series by its original start."""

    own_key: str
    ref: Ref
    occurrence: datetime | None = None
    notify: Notify = Notify.NOBODY


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer an invitation; the organizer is told only when `notify` says so."""

    own_key: str
    ref: Ref
    response: Response
    notify: Notify = Notify.NOBODY


@dataclass(frozen=True, slots=True)
class PutBack:
    """Make an item anew from its image, in the folder it lay in, without telling anybody."""

    own_key: str
    image: Image


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """Make a folder, unless there is one of that name and role; nothing in it is touched."""

    own_key: str
    name: str
    role: FolderRole


ItemDeed = Send | SaveDraft | Save | Mark | Move | Delete | Answer | PutBack
Deed = ItemDeed | MakeFolder


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a deed; `ref` is where the item lies now, None when it is gone.

    Of a folder that was made it names the folder and no item.
    """

    ref: Ref | None
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class BusyTime:
    """Time in which somebody is not free."""

    start: datetime
    end: datetime
    show_as: ShowAs = ShowAs.BUSY


class Stale(Exception):
    """The item was changed since its change key was read: look again and merge."""


class Vanished(Exception):
    """The item is no longer where the reference says."""


@runtime_checkable
class WritableMailbox(Mailbox, Protocol):
    """A mailbox that can be written to.

    Nothing here tries again by itself. A call that ends in a retryable `EnvironmentProblem` may
    or may not have been done: :meth:`find` tells.
    """

    @property
    def abilities(self) -> frozenset[Ability]:
        """What can be asked for; known without the network."""
        ...

    def find(self, deed: Deed) -> Written | None:
        """What an earlier try of this deed left behind, found by its own key; None for nothing.

        For a message sent: the copy in Sent. For something saved: the item that carries the key.
        For a folder: the one of that name and role.
        Deeds that can be done twice without harm (marks) answer None.
        """
        ...

    def image(self, ref: Ref) -> Image:
        """The item as it stands now.

        Raises:
            Vanished: it is not there.
        """
        ...

    def do(self, deed: Deed) -> Written:
        """Do it once.

        Raises:
            Stale: the item is newer than the deed knew; nothing was changed.
            Vanished: it is not there; nothing was changed.
            UserError: the mailbox refuses it for good, such as a recipient it does not take.
            EnvironmentProblem: as everywhere.
        """
        ...

    def all_folders(self) -> Sequence[Folder]:
        """Every folder that can be chosen to read from or move to."""
        ...

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """Busy times of people; None for those nobody here knows of. Needs FREE_BUSY."""
        ...
