"""What every mailbox gives, whatever stands behind it: plain values and one protocol.

Times are aware UTC. All-day events carry dates, their end exclusive. Text is clean: bodies are
already sanitised, addresses canonical where they can be read and as written where they cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from desktop_crm.core.i18n import N_

BATCH_LIMIT: Final = 100
"""Changes in one batch; Exchange's own default."""


class FolderRole(StrEnum):
    """What a folder is for; it decides direction and exclusion of what lies in it."""

    INBOX = "inbox"
    SENT = "sent"
    CALENDAR = "calendar"
    DRAFTS = "drafts"
    JUNK = "junk"
    DELETED = "deleted"
    ARCHIVE = "archive"
    TASKS = "tasks"
    CONTACTS = "contacts"
    OTHER = "other"


class Sensitivity(StrEnum):
    """How private the sender called an item."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Response(StrEnum):
    """What an attendee answered."""

    NONE = "none"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class Role(StrEnum):
    """How an attendee takes part."""

    ORGANIZER = "organizer"
    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"


class ShowAs(StrEnum):
    """What a meeting does to its owner's time."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "out_of_office"


class Flag(StrEnum):
    """The mark for follow-up on a message."""

    NONE = "none"
    FLAGGED = "flagged"
    COMPLETE = "complete"


class ChangeKind(StrEnum):
    """What happened to an item since the token; MARKS are what it is marked with, no content."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    MARKS = "marks"


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder; `key` is stable over renames where the mailbox has such a thing."""

    key: str
    name: str
    role: FolderRole = FolderRole.OTHER


@dataclass(frozen=True, slots=True)
class Address:
    """A person as a message names them; `readable` is False for text that is no address."""

    address: str
    name: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Attendee:
    """A person a meeting names, how they take part and what they answered."""

    address: Address
    role: Role = Role.REQUIRED
    response: Response = Response.NONE


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message; `content` is None when the mailbox did not hand it over."""

    name: str
    content_type: str
    size: int
    content: bytes | None = field(default=None, repr=False)
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What of an item could not be taken over as it is written; all else of it is.

    `reason` is a translatable template, `params` fill it in.
    """

    reason: str
    params: tuple[tuple[str, object], ...] = ()


UNKNOWN_ZONE: Final = N_(
    "Its time zone “{zone}” is not known; its time is kept as an instant, and a series does not "
    "follow the clock there."
)
UNREADABLE_RULE: Final = N_("Its recurrence cannot be read; only its first date is shown.")


@dataclass(frozen=True, slots=True)
class MailItem:
    """One message.

    Attributes:
        message_id: the Message-ID without brackets, else a fingerprint (R29).
        has_message_id: False when `message_id` is a fingerprint.
        sent_at: when it was sent; None when its date cannot be read.
        received_at: when the mailbox took it in, where that is known.
        text: plain text, made from the HTML when there is nothing else.
        html: sanitised, without remote images, inline pictures as data; empty for plain mail.
        others: everybody else its header names, such as who sent it on; only the list of those
            never to store asks for them.
        references: identifiers of earlier messages of the thread, oldest first.
        headers: the headers rules ask for, names in lower case.
        thread_key: the conversation in the mailbox's own words; a hint only.
        own_key: the key this product gave a message it sent; empty for all others.
        encrypted: the content cannot be read, so only its header is kept.
        remarks: what could not be taken over as it is written.
    """

    message_id: str
    has_message_id: bool = True
    subject: str = ""
    sender: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    others: tuple[Address, ...] = ()
    sent_at: datetime | None = None
    received_at: datetime | None = None
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    thread_key: str = ""
    own_key: str = ""
    categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    importance: str = "normal"
    is_read: bool = True
    flag: Flag = Flag.NONE
    is_draft: bool = False
    encrypted: bool = False
    size: int = 0
    remarks: tuple[Remark, ...] = ()

    def header(self, name: str) -> str:
        """Value of a kept header, or empty; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def at(self) -> datetime | None:
        """The moment the message belongs to: sent, else received."""
        return self.sent_at or self.received_at

    @property
    def participants(self) -> tuple[Address, ...]:
        """Everybody the message names (M7)."""
        sender = (self.sender,) if self.sender else ()
        return (*sender, *self.reply_to, *self.to, *self.cc, *self.bcc)


@dataclass(frozen=True, slots=True)
class MeetingItem:
    """One meeting, one series, or one changed occurrence of a series.

    Attributes:
        uid: the identity that is equal in every attendee's mailbox (R33).
        recurrence_id: the original start of a changed occurrence; None for the meeting itself.
        start: aware UTC, or a date for an all-day event.
        end: exclusive; same type as `start`.
        zone: IANA zone of the wall clock; empty when unknown or when there is none.
        rrule: RFC 5545 rule without its name; empty for a single meeting.
        exdates: original starts of occurrences that were deleted.
        reminder_minutes: how long before the start it reminds; None for not at all.
        masked: a private meeting whose content was withheld by the server.
        remarks: what could not be taken over as it is written, such as an unknown zone (R34).
    """

    uid: str
    start: datetime | date
    end: datetime | date
    recurrence_id: datetime | date | None = None
    subject: str = ""
    location: str = ""
    text: str = field(default="", repr=False)
    zone: str = ""
    rrule: str = ""
    exdates: tuple[datetime | date, ...] = ()
    organizer: Attendee | None = None
    attendees: tuple[Attendee, ...] = ()
    cancelled: bool = False
    show_as: ShowAs = ShowAs.BUSY
    sensitivity: Sensitivity = Sensitivity.NORMAL
    categories: tuple[str, ...] = ()
    my_response: Response = Response.NONE
    reminder_minutes: int | None = None
    modified_at: datetime | None = None
    masked: bool = False
    remarks: tuple[Remark, ...] = ()

    @property
    def all_day(self) -> bool:
        """Whether it is reckoned in days."""
        return not isinstance(self.start, datetime)

    @property
    def people(self) -> tuple[Attendee, ...]:
        """Organizer and attendees, the organizer first."""
        return (*((self.organizer,) if self.organizer else ()), *self.attendees)


@dataclass(frozen=True, slots=True)
class TaskItem:
    """One task.

    Attributes:
        uid: the identity that survives copies; the mailbox's own id where it has no other.
        start: day it may begin, without a zone.
        due: day it is due, without a zone.
        completed_at: when it was done; None while it is open.
        status: not_started, in_progress, completed, waiting or deferred.
        rrule: RFC 5545 rule without its name; empty for a single task.
    """

    uid: str
    subject: str = ""
    text: str = field(default="", repr=False)
    start: date | None = None
    due: date | None = None
    completed_at: datetime | None = None
    status: str = "not_started"
    percent: int = 0
    importance: str = "normal"
    sensitivity: Sensitivity = Sensitivity.NORMAL
    categories: tuple[str, ...] = ()
    rrule: str = ""
    remind_at: datetime | None = None
    modified_at: datetime | None = None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """One address of a person; `kind` is work, home or other, the country a name or code."""

    kind: str = "work"
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ContactItem:
    """One person or company in an address book.

    Attributes:
        uid: the identity that survives copies; the mailbox's own id where it has no other.
        emails: the first is the main one.
        phones: pairs of kind (work, mobile, home, fax, other) and number as written.
    """

    uid: str
    full_name: str = ""
    first_name: str = ""
    last_name: str = ""
    middle_name: str = ""
    prefix: str = ""
    suffix: str = ""
    company: str = ""
    job_title: str = ""
    department: str = ""
    emails: tuple[Address, ...] = ()
    phones: tuple[tuple[str, str], ...] = ()
    addresses: tuple[PostalAddress, ...] = ()
    website: str = ""
    birthday: date | None = None
    text: str = field(default="", repr=False)
    categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    modified_at: datetime | None = None


Correspondence = MailItem | MeetingItem
"""What is linked to records because of the people in it."""

Item = Correspondence | TaskItem | ContactItem


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one item.

    Attributes:
        item: None for a deletion and for changed marks.
        change_key: the version of the item in the mailbox's own words; empty where it has none.
        is_read: the read mark where the change tells it.
        flag: the follow-up mark where the change tells it.
        categories: the categories where the change tells them.
    """

    kind: ChangeKind
    item_id: str
    item: Item | None = None
    change_key: str = ""
    is_read: bool | None = None
    flag: Flag | None = None
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An item that could not be read, and why; it stops nothing else.

    `reason` is a translatable template, `params` fill it in.
    """

    item_id: str
    name: str
    reason: str
    params: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """At most `limit` changes and the token that stands behind them."""

    changes: tuple[Change, ...]
    token: str
    more: bool = False
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of testing a mailbox: what was tried and how it went."""

    name: str
    ok: bool
    message: str = ""


class TokenInvalid(Exception):
    """The mailbox no longer knows the token: enumerate the folder again, without one."""


@runtime_checkable
class Mailbox(Protocol):
    """A place mail and meetings come from.

    Every method may block on disk or network, so none is called inside a transaction. Problems
    of the environment arrive as `EnvironmentProblem`, a wrong password as `UserError`.
    """

    def folders(self) -> Sequence[Folder]:
        """Folders of mail and meetings to read, inbox first; they can be told apart by role."""
        ...

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """Changes since the token, oldest token first; None enumerates everything.

        Raises:
            TokenInvalid: the token is unknown; call again with None.
        """
        ...

    def test(self) -> Sequence[Step]:
        """Try the mailbox without changing anything; stops at the first step that fails."""
        ...

    def close(self) -> None:
        """Let go of connections; the mailbox can be used again afterwards."""
        ...


Progress = Callable[[str, int], None]
"""Called with a folder's name and how many of its items have been taken over."""
