"""The calendars of one's own mailboxes: where an event stands outside of this program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold
from desktop_crm.models import Activity, Mailbox, MailboxItem
from desktop_crm.models.activity import ActivityKind
from desktop_crm.models.mail import ItemState, SyncState
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import reach
from desktop_crm.services.query import key_clause

CALENDAR = N_("Calendar")


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar of a mailbox.

    Attributes:
        mailbox: key of the mailbox.
        folder: key of the calendar in it.
        title: what a person calls it.
    """

    mailbox: int
    folder: str
    title: str

    @property
    def key(self) -> str:
        """What tells it from every other calendar."""
        return f"{self.mailbox}/{self.folder}"


def own(actor: Actor) -> tuple[Calendar, ...]:
    """Calendars of the actor's own mailboxes that hold a meeting; one statement.

    What folders colleagues keep in their mailboxes is theirs to know.
    """
    meeting = (
        exists()
        .where(
            MailboxItem.mailbox_id == SyncState.mailbox_id,
            MailboxItem.folder == SyncState.folder,
            MailboxItem.state == ItemState.STORED.value,
            # Only messages have a time of sending: their folders are passed over by index.
            MailboxItem.sent_at.is_(None),
            MailboxItem.deleted_at.is_(None),
            MailboxItem.activity_id == Activity.id,
            Activity.kind == ActivityKind.APPOINTMENT.value,
        )
        .correlate(SyncState.__table__)
    )
    statement = (
        select(SyncState.mailbox_id, SyncState.folder, SyncState.name.label("called"), Mailbox.name)
        .join(Mailbox, Mailbox.id == SyncState.mailbox_id)
        .where(
            SyncState.deleted_at.is_(None),
            Mailbox.deleted_at.is_(None),
            reach.own_mailbox(actor),
            meeting,
        )
    )
    with actor.db.reading() as connection:
        rows = connection.execute(statement).all()
    titles = Counter(title_of(row.folder, row.called) for row in rows)
    found = []
    for row in rows:
        title = title_of(row.folder, row.called)
        named = f"{title} ({row.name})" if titles[title] > 1 else title
        found.append(Calendar(row.mailbox_id, row.folder, named))
    return tuple(sorted(found, key=lambda one: (fold(one.title), one.key)))


def title_of(folder: str, name: str | None) -> str:
    """What a calendar is called in its mailbox; where that is not known, the last of its path."""
    last = unquote(folder.rstrip("/").replace(":", "/").rpartition("/")[2])
    return tr(CALENDAR) if last.lower() in {"", "calendar"} else name or last


def holds(keys: Collection[str]) -> ColumnElement[bool]:
    """Clause for events that stand in one of some calendars."""
    return exists().where(MailboxItem.activity_id == Activity.id, _in(keys))


def of_events(
    connection: Connection, events: Iterable[int], keys: Collection[str]
) -> dict[int, tuple[str, ...]]:
    """Which of some calendars events stand in; one statement."""
    statement = select(MailboxItem.activity_id, MailboxItem.mailbox_id, MailboxItem.folder).where(
        key_clause(connection, MailboxItem.__table__.c.activity_id, list(events)), _in(keys)
    )
    found: dict[int, tuple[str, ...]] = {}
    for activity, mailbox, folder in connection.execute(statement):
        if activity is not None:
            found[activity] = (*found.get(activity, ()), f"{mailbox}/{folder}")
    return found


def _in(keys: Collection[str]) -> ColumnElement[bool]:
    places = [key.partition("/") for key in keys]
    return and_(
        MailboxItem.state == ItemState.STORED.value,
        MailboxItem.deleted_at.is_(None),
        or_(
            *(
                and_(MailboxItem.mailbox_id == int(mailbox), MailboxItem.folder == folder)
                for mailbox, _slash, folder in places
            )
        ),
    )
