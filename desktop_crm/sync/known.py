"""What is stored of a mailbox: how far each folder was read, its items, and who we are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, case, func, literal_column, select

from desktop_crm.core.sameness import public_domains
from desktop_crm.core.text import canonical_email, email_domain
from desktop_crm.meta import registry
from desktop_crm.models import (
    Activity,
    Mailbox,
    MailboxItem,
    MailMessage,
    OutboxItem,
    OwnCompany,
    SyncState,
    User,
)
from desktop_crm.models.activity import ActivityKind, Sensitivity
from desktop_crm.models.mail import ItemState
from desktop_crm.models.outbox import DeedKind
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import policy as mail_policy
from desktop_crm.services.mail.policy import MailPolicy, digest
from desktop_crm.services.records_kept import insert_rows, set_where, update_rows
from desktop_crm.sync.exclusion import Ours, addresses_in, domains_in
from desktop_crm.sync.mapping import identity_of, plain
from desktop_crm.sync.namesakes import TEXT_READ, Looks, told_apart
from desktop_crm.sync.plan import Holder, Known, Stored
from desktop_crm.sync.port import (
    Batch,
    Correspondence,
    Folder,
    FolderRole,
    MailItem,
    MeetingItem,
)

AWAITED: Final = "awaited"
"""Change key of an item that a new enumeration of its folder has not brought yet."""


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox as the engine needs it; no password."""

    id: int
    name: str
    user: int | None
    ours: Ours
    policy: MailPolicy
    last_synced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a folder was read; `row` is None before the first batch."""

    row: int | None
    token: str | None
    status: str


def box(connection: Connection, mailbox: int) -> Box:
    """Read a mailbox with what its exclusions depend on; four statements."""
    row = connection.execute(
        select(
            Mailbox.id,
            Mailbox.name,
            Mailbox.address,
            Mailbox.user_id,
            Mailbox.never_log,
            Mailbox.own_domains,
            Mailbox.last_synced_at,
        ).where(Mailbox.id == mailbox)
    ).one()
    ours = _ours(connection, row.address or "", row.user_id, row.own_domains, row.never_log)
    policy = mail_policy.of_mailbox(connection, mailbox)
    return Box(row.id, row.name, row.user_id, ours, policy, row.last_synced_at)


def without_mailbox(connection: Connection, user: int | None) -> Box:
    """What counts for a user who has no mailbox: our own people; two statements."""
    policy = MailPolicy(only_linked=mail_policy.is_shared(connection))
    return Box(0, "", user, _ours(connection, "", user, None, None), policy)


def _ours(
    connection: Connection,
    address: str,
    user: int | None,
    own_domains: str | None,
    never_log: str | None,
) -> Ours:
    users = connection.execute(
        select(User.id, User.email).where(User.email.is_not(None), User.deleted_at.is_(None))
    ).all()
    companies = connection.execute(
        select(OwnCompany.mail_domains).where(OwnCompany.deleted_at.is_(None))
    ).scalars()
    own = {canonical_email(user.email or "") or "": user.id for user in users}
    mine = canonical_email(address) or ""
    own.setdefault(mine, user)
    domain = {email_domain(mine)} - public_domains()
    listed = [domains_in(own_domains), *(domains_in(text) for text in companies)]
    return Ours(
        users={address: user for address, user in own.items() if address},
        domains=frozenset().union(domain, *listed) - {""},
        never_addresses=addresses_in(never_log),
        never_domains=domains_in(never_log),
    )


def progress(connection: Connection, mailbox: int, folder: str) -> Progress:
    """Read how far a folder was read."""
    row = connection.execute(
        select(SyncState.id, SyncState.token, SyncState.status).where(
            SyncState.mailbox_id == mailbox, SyncState.folder == folder
        )
    ).one_or_none()
    if row is None:
        return Progress(None, None, "")
    return Progress(row.id, row.token, row.status or "")


def keep_progress(
    connection: Connection,
    mailbox: int,
    folder: Folder,
    *,
    token: str | None,
    status: str,
    at: object,
    by: int | None,
) -> None:
    """Store how far a folder was read, in the transaction of what was read."""
    stands = progress(connection, mailbox, folder.key)
    values = {"name": folder.name, "token": token, "status": status or None, "synced_at": at}
    if stands.row is None:
        place = {"mailbox_id": mailbox, "folder": folder.key}
        insert_rows(connection, SyncState, [{**place, **values}], by)
    else:
        update_rows(connection, SyncState, [(stands.row, values)], by)


def known(connection: Connection, actor: Actor, box: Box, folder: Folder, batch: Batch) -> Known:
    """Read what is stored that a batch may concern; four statements, one more for Sent."""
    keys = [change.item_id for change in batch.changes]
    keys += [problem.item_id for problem in batch.quarantined]
    items = [c.item for c in batch.changes if isinstance(c.item, Correspondence)]
    holders = _holders(connection, box.id, folder.key, keys)
    there = stored(connection, actor, items, box.user)
    apart = _apart(batch, holders, there, box.ours)
    there = {**stored(connection, actor, apart, box.user), **there} if apart else there
    items += apart
    # What lies elsewhere may carry our key because somebody answered with it.
    sent = items if folder.role is FolderRole.SENT else []
    withdrawn = _withdrawn(connection, items)
    return Known(holders, *_with_sent(connection, box.id, sent, there), withdrawn)


def _apart(
    batch: Batch, holders: Mapping[str, Holder], stored: Mapping[str, Stored], ours: Ours
) -> list[MailItem]:
    """Messages of a batch that only bear the identifier of a stored one, as they are known."""
    looks = {key: one.looks for key, one in stored.items() if one.looks is not None}
    found = (
        told_apart(change, holder.identity if holder else "", looks, ours)[1]
        for change in batch.changes
        if (holder := holders.get(change.item_id)) or looks
    )
    return [item for item in found if item is not None]


def _withdrawn(connection: Connection, items: Sequence[Correspondence]) -> frozenset[str]:
    """Digests of the items among these that somebody withdrew, from whichever mailbox."""
    wanted = sorted({digest(identity_of(item)) for item in items})
    table = MailboxItem.__table__.c
    found: set[str] = set()
    for start in range(0, len(wanted), 400):
        rows = connection.execute(
            select(table.identity).where(
                literal_column("state") == literal_column(f"'{ItemState.WITHDRAWN.value}'"),
                table.identity.in_(wanted[start : start + 400]),
            )
        )
        found |= {identity for identity in rows.scalars() if identity}
    return frozenset(found)


def _with_sent(
    connection: Connection,
    mailbox: int,
    items: Sequence[Correspondence],
    stored: dict[str, Stored],
) -> tuple[dict[str, Stored], frozenset[str]]:
    """Messages this product sent, known by their own key where the server renamed them."""
    by_key = {i.own_key: identity_of(i) for i in items if isinstance(i, MailItem) and i.own_key}
    if not by_key:
        return stored, frozenset()
    rows = connection.execute(
        select(OutboxItem.own_key, OutboxItem.activity_id).where(
            OutboxItem.mailbox_id == mailbox,
            OutboxItem.own_key.in_(sorted(by_key)),
            OutboxItem.deed == DeedKind.SEND.value,
        )
    ).all()
    for row in rows:
        if row.activity_id is not None:
            stored.setdefault(by_key[row.own_key], Stored(row.activity_id, None, editable=False))
    return stored, frozenset(row.own_key for row in rows if row.activity_id is None)


def _holders(
    connection: Connection, mailbox: int, folder: str, keys: Iterable[str]
) -> dict[str, Holder]:
    # A page may name more items than it has changes: occurrences of a series come with it.
    # Of what is left out only a digest of the key is kept: a file may be called as its subject.
    names = {name: key for key in keys for name in (plain(key, 1_000), digest(key))}
    wanted = sorted(names)
    found: dict[str, Holder] = {}
    for start in range(0, len(wanted), 400):
        rows = connection.execute(
            select(
                MailboxItem.id,
                MailboxItem.item_key,
                MailboxItem.identity,
                MailboxItem.activity_id,
                MailboxItem.state,
                MailboxItem.content_hash,
            ).where(
                MailboxItem.mailbox_id == mailbox,
                MailboxItem.folder == folder,
                MailboxItem.item_key.in_(wanted[start : start + 400]),
            )
        )
        for row in rows:
            found[names[row.item_key]] = Holder(
                row.id, row.identity or "", row.activity_id, row.state, row.content_hash
            )
    return found


def stored(
    connection: Connection, actor: Actor, items: Sequence[Correspondence], user: int | None
) -> dict[str, Stored]:
    """Activities that stand for some items already, by identity; one statement for each kind."""
    mails = sorted({identity_of(i) for i in items if isinstance(i, MailItem)})
    uids = sorted({plain(i.uid, 490) for i in items if isinstance(i, MeetingItem)})
    owners = actor.owners(registry.get("activity"), "edit")
    found: dict[str, Stored] = {}

    def add(
        identity: str,
        activity: int,
        owner: int | None,
        *,
        deleted: bool,
        looks: Looks | None = None,
    ) -> None:
        editable = not deleted and (owners is None or owner in owners)
        found.setdefault(identity, Stored(activity, owner, editable, looks))

    owner = Activity.__table__.c.owner_id
    foreign = and_(owner.is_not(None), owner.is_distinct_from(user))
    for start in range(0, len(mails), 400):
        for row in connection.execute(
            select(
                MailMessage.message_id,
                MailMessage.activity_id,
                MailMessage.sent_at,
                MailMessage.from_address,
                MailMessage.subject,
                # Texts are long: that of a colleague's message alone is looked at.
                case((foreign, func.substr(MailMessage.body_text, 1, TEXT_READ))).label("text"),
                Activity.owner_id,
                Activity.deleted_at,
            )
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(MailMessage.message_id.in_(mails[start : start + 400]))
        ):
            looks = Looks(
                row.sent_at, row.from_address or "", row.subject or "", row.text or "",
                row.owner_id not in (None, user),
            )  # fmt: skip
            deleted = row.deleted_at is not None
            add(row.message_id, row.activity_id, row.owner_id, deleted=deleted, looks=looks)
    for start in range(0, len(uids), 400):
        for event in connection.execute(
            select(
                Activity.id,
                Activity.ical_uid,
                Activity.recurrence_id,
                Activity.owner_id,
                Activity.deleted_at,
                Activity.sensitivity,
            )
            .where(
                Activity.ical_uid.in_(uids[start : start + 400]),
                Activity.kind == ActivityKind.APPOINTMENT.value,
            )
            .order_by(Activity.owner_id.is_distinct_from(user), Activity.id)
        ):
            if event.owner_id != user and event.sensitivity != Sensitivity.NORMAL.value:
                continue  # a colleague's private entry is nobody else's
            identity = f"{event.ical_uid}|{event.recurrence_id or ''}"
            add(identity, event.id, event.owner_id, deleted=event.deleted_at is not None)
    return found


def await_again(connection: Connection, mailbox: int, folder: str) -> None:
    """Mark every stored item as not seen yet by the enumeration that begins.

    By a mark and not by time: a clock that is set back meanwhile would make all of them missing.
    """
    stored = and_(
        MailboxItem.mailbox_id == mailbox,
        MailboxItem.folder == folder,
        MailboxItem.state == ItemState.STORED.value,
    )
    set_where(connection, MailboxItem, stored, {"change_key": AWAITED})


def mark_missing(connection: Connection, mailbox: int, folder: str, by: int | None) -> int:
    """Mark items that a complete enumeration no longer brought; returns how many."""
    gone = list(
        connection.execute(
            select(MailboxItem.id).where(
                MailboxItem.mailbox_id == mailbox,
                MailboxItem.folder == folder,
                MailboxItem.state == ItemState.STORED.value,
                MailboxItem.change_key == AWAITED,
            )
        ).scalars()
    )
    values = {"state": ItemState.GONE.value, "change_key": None}
    update_rows(connection, MailboxItem, [(key, values) for key in gone], by)
    return len(gone)


def lost_folders(
    connection: Connection, mailbox: int, present: Iterable[str]
) -> dict[int, tuple[str, list[int]]]:
    """Folders that were read before and are no more: state row to name and the items it held."""
    names = set(present)
    rows = connection.execute(
        select(SyncState.id, SyncState.folder).where(
            SyncState.mailbox_id == mailbox, SyncState.token.is_not(None)
        )
    )
    lost = {row.id: row.folder for row in rows if row.folder not in names}
    found: dict[int, tuple[str, list[int]]] = {}
    for key, folder in lost.items():
        items = connection.execute(
            select(MailboxItem.id).where(
                MailboxItem.mailbox_id == mailbox,
                MailboxItem.folder == folder,
                MailboxItem.state == ItemState.STORED.value,
            )
        )
        found[key] = (folder, list(items.scalars()))
    return found


def forget_folders(connection: Connection, lost: dict[int, tuple[str, list[int]]]) -> None:
    """Mark what lost folders held as gone, and begin anew should they come back."""
    # What was deleted and what merely went out of reach differ: nothing is called off for this.
    gone_with_it = {"state": ItemState.GONE.value, "base": None, "seen": None}
    gone = [(key, gone_with_it) for _, keys in lost.values() for key in keys]
    update_rows(connection, MailboxItem, gone, None)
    anew = [(key, {"token": None, "status": None}) for key in lost]
    update_rows(connection, SyncState, anew, None)
