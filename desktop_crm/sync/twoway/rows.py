"""What is kept of each item that goes both ways: rows of the mailbox, and the records behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, true

from desktop_crm.core import clock
from desktop_crm.models import (
    Account,
    Activity,
    ActivityParty,
    Contact,
    EmailAddress,
    Mailbox,
    MailboxItem,
    OutboxItem,
    Phone,
    PostalAddress,
    RecordMark,
)
from desktop_crm.models.activity import ActivityKind, ActivityState
from desktop_crm.models.mail import ContactScope, ItemState
from desktop_crm.models.marking import MarkKind
from desktop_crm.models.outbox import OPEN
from desktop_crm.services.query import key_clause
from desktop_crm.services.records_kept import insert_rows, update_rows
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.twoway.kinds import Kind

WINDOW: Final = timedelta(days=30)
"""How far back what is new here is written to a mailbox for the first time."""

_ITEM: Final = MailboxItem.__table__
_ACTIVITY: Final = Activity.__table__
_CONTACT: Final = Contact.__table__

KIND_OF: Final = {ActivityKind.APPOINTMENT.value: Kind.MEETING, ActivityKind.TASK.value: Kind.TASK}
"""Kinds of activity that go both ways."""

_OPEN: Final = [state.value for state in OPEN]

SHOWN: Final = "shown:"
"""What the identity of a row begins with that stands for a meeting shown in the CRM calendar."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person chose for a mailbox.

    Attributes:
        user: whose it is; their records are the ones that go both ways.
        two_way: whether the mailbox is written to.
        contacts: whose people are written to it.
        commands: categories that are commands, one a line.
        keep_category: leave a category whose command is done.
    """

    user: int | None
    two_way: bool
    contacts: ContactScope
    commands: str
    keep_category: bool


@dataclass(frozen=True, slots=True)
class Held:
    """One row of the mailbox."""

    id: int
    folder: str
    item_key: str
    identity: str
    state: str
    record: int | None
    base: Mapping[str, Any] | None
    seen: Mapping[str, Any] | None
    order: int | None

    @property
    def gone(self) -> bool:
        """Whether the mailbox no longer holds it."""
        return self.state == ItemState.GONE.value

    @property
    def ordered(self) -> bool:
        """Whether it is only on its way into the mailbox."""
        return self.state == ItemState.ORDERED.value


def settings(connection: Connection, mailbox: int) -> Settings:
    """Read what was chosen for a mailbox; one statement."""
    row = connection.execute(
        select(
            Mailbox.user_id,
            Mailbox.two_way,
            Mailbox.contact_scope,
            Mailbox.commands,
            Mailbox.keep_category,
        ).where(Mailbox.id == mailbox)
    ).one()
    return Settings(
        row.user_id,
        bool(row.two_way),
        ContactScope(row.contact_scope),
        row.commands or "",
        bool(row.keep_category),
    )


def is_shown() -> ColumnElement[bool]:
    """Whether a row stands for a meeting shown in the CRM calendar."""
    return func.coalesce(_ITEM.c.identity, "").startswith(SHOWN, autoescape=True)


def held(connection: Connection, record: Any, clause: ColumnElement[bool]) -> list[Held]:  # noqa: ANN401  a column
    """Rows that meet a condition, the oldest first, with a column as the record they stand for."""
    rows = connection.execute(
        select(
            _ITEM.c.id,
            _ITEM.c.folder,
            _ITEM.c.item_key,
            _ITEM.c.identity,
            _ITEM.c.state,
            record.label("record"),
            _ITEM.c.base,
            _ITEM.c.seen,
            _ITEM.c.order_id,
        )
        .where(clause, _ITEM.c.deleted_at.is_(None))
        .order_by(_ITEM.c.id)
    )
    return [
        Held(
            row.id,
            row.folder,
            row.item_key,
            row.identity or "",
            row.state,
            row.record,
            row.base,
            row.seen,
            row.order_id,
        )
        for row in rows
    ]


def of_records(
    connection: Connection, mailbox: int, kind: Kind, records: Iterable[int]
) -> dict[int, list[Held]]:
    """Rows of some records in a mailbox, the oldest first."""
    column = _ITEM.c.contact_id if kind is Kind.CONTACT else _ITEM.c.activity_id
    found: dict[int, list[Held]] = defaultdict(list)
    keys = sorted(set(records))
    if keys:
        clause = and_(_ITEM.c.mailbox_id == mailbox, key_clause(connection, column, keys))
        for row in held(connection, column, clause):
            found[row.record or 0].append(row)
    return found


def lying(connection: Connection, mailbox: int, folder: str, keys: Iterable[str]) -> list[Any]:
    """Rows of some items of a folder: their keys and those of their records; one statement."""
    found = connection.execute(
        select(_ITEM.c.id, _ITEM.c.item_key, _ITEM.c.activity_id, _ITEM.c.contact_id).where(
            _ITEM.c.mailbox_id == mailbox,
            _ITEM.c.folder == folder,
            _ITEM.c.item_key.in_(sorted(plain(key, 1_000) for key in keys)),
        )
    )
    return list(found)


def _of(connection: Connection, items: Sequence[int] | None) -> ColumnElement[bool]:
    """Only some rows, or all of them."""
    return true() if items is None else key_clause(connection, _ITEM.c.id, sorted(items))


def unmatched(
    connection: Connection, mailbox: int, items: Sequence[int] | None = None
) -> list[Held]:
    """Tasks and contacts the mailbox brought that no record stands for yet; of some rows only."""
    clause = and_(
        _of(connection, items),
        _ITEM.c.mailbox_id == mailbox,
        _ITEM.c.state == ItemState.STORED.value,
        _ITEM.c.seen.is_not(None),
        _ITEM.c.activity_id.is_(None),
        _ITEM.c.contact_id.is_(None),
    )
    return held(connection, _ITEM.c.activity_id, clause)


def changed_activities(
    connection: Connection, mailbox: int, user: int | None, items: Sequence[int] | None = None
) -> list[int]:
    """Meetings and tasks of which either side changed since both agreed; one statement.

    Args:
        connection: a transaction.
        mailbox: key of the mailbox.
        user: whose records they are.
        items: rows to look at; None for all.
    """
    now = clock.now()
    stored, gone = ItemState.STORED.value, ItemState.GONE.value
    live = and_(
        _ITEM.c.state == stored,
        or_(
            _ITEM.c.seen.is_not(None),
            and_(
                _ITEM.c.base.is_not(None),
                _ITEM.c.record_version.is_distinct_from(_ACTIVITY.c.version),
            ),
        ),
    )
    left = and_(
        _ITEM.c.state == gone,
        _ITEM.c.base.is_not(None),
        _ACTIVITY.c.deleted_at.is_(None),
        _ACTIVITY.c.state == ActivityState.OPEN.value,
        or_(
            _ACTIVITY.c.end_at > now,
            _ACTIVITY.c.recurrence_rule.is_not(None),
            _ACTIVITY.c.kind == ActivityKind.TASK.value,
        ),
    )
    rows = connection.execute(
        select(_ACTIVITY.c.id)
        .join(_ITEM, _ITEM.c.activity_id == _ACTIVITY.c.id)
        .where(
            _ITEM.c.mailbox_id == mailbox,
            _ACTIVITY.c.owner_id == user,
            _ACTIVITY.c.kind.in_(list(KIND_OF)),
            or_(live, left),
            _of(connection, items),
        )
        .distinct()
        .order_by(_ACTIVITY.c.id)
    )
    return list(rows.scalars())


def new_activities(connection: Connection, user: int | None) -> list[int]:
    """The user's open meetings and tasks that no mailbox holds, from 30 days ago on."""
    since = clock.now() - WINDOW
    is_held = exists().where(_ITEM.c.activity_id == _ACTIVITY.c.id)
    meeting = and_(
        _ACTIVITY.c.kind == ActivityKind.APPOINTMENT.value,
        _ACTIVITY.c.start_at.is_not(None),
        or_(_ACTIVITY.c.start_at >= since, _ACTIVITY.c.recurrence_rule.is_not(None)),
    )
    task = and_(
        _ACTIVITY.c.kind == ActivityKind.TASK.value,
        or_(
            _ACTIVITY.c.due_at >= since,
            and_(_ACTIVITY.c.due_at.is_(None), _ACTIVITY.c.created_at >= since),
        ),
    )
    rows = connection.execute(
        select(_ACTIVITY.c.id)
        .where(
            _ACTIVITY.c.owner_id == user,
            _ACTIVITY.c.deleted_at.is_(None),
            _ACTIVITY.c.state == ActivityState.OPEN.value,
            or_(meeting, task),
            ~is_held,
        )
        # A series before its changed occurrences.
        .order_by(_ACTIVITY.c.recurrence_id.is_not(None), _ACTIVITY.c.id)
    )
    return list(rows.scalars())


def changed_contacts(
    connection: Connection, mailbox: int, items: Sequence[int] | None = None
) -> list[int]:
    """Contacts of which either side changed since both agreed; of some rows only."""
    rows = connection.execute(
        select(_CONTACT.c.id)
        .join(_ITEM, _ITEM.c.contact_id == _CONTACT.c.id)
        .where(
            _ITEM.c.mailbox_id == mailbox,
            _ITEM.c.state == ItemState.STORED.value,
            or_(
                _ITEM.c.seen.is_not(None),
                _ITEM.c.record_version.is_distinct_from(_CONTACT.c.version),
            ),
            _of(connection, items),
        )
        .order_by(_CONTACT.c.id)
    )
    return list(rows.scalars())


def chosen_accounts(chosen: Settings) -> Select[Any]:
    """Keys of the accounts whose people and meetings are written to the mailbox."""
    if chosen.contacts is ContactScope.MINE:
        return select(Account.id).where(
            Account.owner_id == chosen.user, Account.deleted_at.is_(None)
        )
    return select(RecordMark.record_id).where(
        RecordMark.user_id == chosen.user,
        RecordMark.kind == MarkKind.FAVOURITE.value,
        RecordMark.record_type == "account",
    )


def new_contacts(connection: Connection, mailbox: int, chosen: Settings) -> list[int]:
    """People of the chosen accounts whom the mailbox never held."""
    if chosen.contacts is ContactScope.NONE or chosen.user is None:
        return []
    accounts = chosen_accounts(chosen)
    is_held = exists().where(_ITEM.c.contact_id == _CONTACT.c.id, _ITEM.c.mailbox_id == mailbox)
    rows = connection.execute(
        select(_CONTACT.c.id)
        .where(_CONTACT.c.account_id.in_(accounts), _CONTACT.c.deleted_at.is_(None), ~is_held)
        .order_by(_CONTACT.c.id)
    )
    return list(rows.scalars())


_ACTIVITY_COLUMNS: Final = (
    "id", "version", "deleted_at", "owner_id", "subject", "kind", "state", "status_reason",
    "priority", "due_at", "start_at", "end_at", "is_all_day", "location", "sensitivity",
    "ical_uid", "recurrence_id", "recurrence_rule", "recurrence_exceptions", "time_zone",
    "is_organizer", "description", "tags", "reminder_minutes",
)  # fmt: skip
_CONTACT_COLUMNS: Final = (
    "id", "version", "deleted_at", "salutation", "first_name", "middle_name", "last_name",
    "suffix", "full_name", "job_title", "department", "website", "birthday", "description",
)  # fmt: skip
_PARTY: Final = (
    "id", "participation", "name", "address", "response", "answered_at", "contact_id", "user_id",
)  # fmt: skip
_REACH: Final[Mapping[str, tuple[Any, tuple[str, ...]]]] = {
    "emails": (EmailAddress, ("id", "address", "type", "is_primary")),
    "phones": (Phone, ("id", "number", "type", "is_primary")),
    "addresses": (
        PostalAddress,
        ("id", "type", "street", "postal_code", "city", "region", "country", "is_primary"),
    ),
}


def activities(connection: Connection, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Activities with who takes part, by key; two statements."""
    keys = sorted(set(ids))
    if not keys:
        return {}
    columns = [_ACTIVITY.c[name] for name in _ACTIVITY_COLUMNS]
    clause = key_clause(connection, _ACTIVITY.c.id, keys)
    found: dict[int, dict[str, Any]] = {
        row["id"]: {**row, "parties": []}
        for row in connection.execute(select(*columns).where(clause)).mappings()
    }
    table = ActivityParty.__table__
    clause = key_clause(connection, table.c.activity_id, keys)
    columns = [table.c[name] for name in _PARTY]
    statement = select(table.c.activity_id, *columns).where(clause, table.c.deleted_at.is_(None))
    for row in connection.execute(statement.order_by(table.c.id)).mappings():
        party = {name: row[name] for name in _PARTY}
        found[row["activity_id"]]["parties"].append(party)
    return found


def contacts(connection: Connection, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Contacts with their account's name and how they are reached, by key; four statements."""
    keys = sorted(set(ids))
    if not keys:
        return {}
    columns = [_CONTACT.c[name] for name in _CONTACT_COLUMNS]
    statement = select(*columns, Account.name.label("account_name")).outerjoin(
        Account, Account.id == _CONTACT.c.account_id
    )
    clause = key_clause(connection, _CONTACT.c.id, keys)
    found: dict[int, dict[str, Any]] = {
        row["id"]: {**row, **{name: [] for name in _REACH}}
        for row in connection.execute(statement.where(clause)).mappings()
    }
    for lines, (model, names) in _REACH.items():
        table: Any = model.__table__
        clause = key_clause(connection, table.c.contact_id, keys)
        reach = select(table.c.contact_id, *(table.c[name] for name in names))
        reach = reach.where(clause, table.c.deleted_at.is_(None)).order_by(table.c.id)
        for row in connection.execute(reach).mappings():
            found[row["contact_id"]][lines].append({name: row[name] for name in names})
    return found


def records(connection: Connection, kind: Kind, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Records of a kind with their child rows, by key."""
    return contacts(connection, ids) if kind is Kind.CONTACT else activities(connection, ids)


def occurrences_of(connection: Connection, uid: str, user: int | None) -> list[dict[str, Any]]:
    """A series of the user with its changed occurrences."""
    rows = connection.execute(
        select(_ACTIVITY.c.id).where(
            _ACTIVITY.c.ical_uid == uid,
            _ACTIVITY.c.owner_id == user,
            _ACTIVITY.c.kind == ActivityKind.APPOINTMENT.value,
            _ACTIVITY.c.deleted_at.is_(None),
        )
    )
    return list(activities(connection, rows.scalars()).values())


def busy(connection: Connection, mailbox: int) -> tuple[set[int], set[str]]:
    """Deeds still to be done: their keys, and the items they change."""
    rows = connection.execute(
        select(OutboxItem.id, OutboxItem.item_key).where(
            OutboxItem.mailbox_id == mailbox, OutboxItem.state.in_(_OPEN)
        )
    ).all()
    return {row.id for row in rows}, {row.item_key for row in rows if row.item_key}


def uncertain(connection: Connection, mailbox: int) -> bool:
    """Whether something was perhaps made in the mailbox and no answer came: wait to read it."""
    row = connection.execute(
        select(OutboxItem.id)
        .join(_ITEM, _ITEM.c.order_id == OutboxItem.id)
        .where(
            OutboxItem.mailbox_id == mailbox,
            OutboxItem.state.in_(_OPEN),
            OutboxItem.attempts > 0,
            _ITEM.c.state == ItemState.ORDERED.value,
        )
        .limit(1)
    ).scalar()
    return row is not None


def ordered(connection: Connection, mailbox: int) -> list[Held]:
    """Rows with a change on its way."""
    clause = and_(_ITEM.c.mailbox_id == mailbox, _ITEM.c.order_id.is_not(None), ~is_shown())
    record = func.coalesce(_ITEM.c.activity_id, _ITEM.c.contact_id)
    return held(connection, record, clause)


def is_contact(connection: Connection, row: Held) -> bool:
    """Whether a row stands for a contact."""
    found = connection.execute(select(_ITEM.c.contact_id).where(_ITEM.c.id == row.id)).scalar()
    return found is not None


def keep(connection: Connection, row: int, values: Mapping[str, Any], by: int | None) -> None:
    """Change a row."""
    update_rows(connection, MailboxItem, [(row, values)], by)


def place(
    connection: Connection,
    where: tuple[int, str, str],
    values: Mapping[str, Any],
    by: int | None,
) -> int:
    """Make a row for a mailbox, folder and item, and return its key."""
    mailbox, folder, key = where
    place = {"mailbox_id": mailbox, "folder": folder, "item_key": plain(key, 1_000)}
    (made,) = insert_rows(connection, MailboxItem, [{**place, "is_read": True, **values}], by)
    return made


def unagreed(connection: Connection, mailbox: int, folder: str) -> bool:
    """Whether a folder holds items that were read before it went both ways."""
    row = connection.execute(
        select(_ITEM.c.id)
        .where(
            _ITEM.c.mailbox_id == mailbox,
            _ITEM.c.folder == folder,
            _ITEM.c.state == ItemState.STORED.value,
            _ITEM.c.activity_id.is_not(None),
            _ITEM.c.base.is_(None),
            _ITEM.c.seen.is_(None),
        )
        .limit(1)
    ).scalar()
    return row is not None


def past(record: Mapping[str, Any], now: datetime) -> bool:
    """Whether a meeting is over; a series never is by itself."""
    end = record.get("end_at") or record.get("start_at")
    return bool(end and not record.get("recurrence_rule") and end <= now)
