"""What is stored of a mailbox that its policy, having become stricter, would leave out now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from desktop_crm.db.engine import Cancel
from desktop_crm.models import (
    Activity,
    ActivityParty,
    Link,
    MailboxItem,
    MailMessage,
    OutboxItem,
    SyncState,
)
from desktop_crm.models.activity import LinkState, Participation
from desktop_crm.models.mail import ItemState
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.colleagues import own_mailbox
from desktop_crm.services.query import key_clause
from desktop_crm.sync import known
from desktop_crm.sync.exclusion import reason_to_exclude
from desktop_crm.sync.facts import gather
from desktop_crm.sync.narrowing import NOT_READ, reason_to_leave_out
from desktop_crm.sync.port import Address, Folder, FolderRole, MailItem

CHUNK: Final = 500

_PART: Final = {
    Participation.TO.value: "to",
    Participation.CC.value: "cc",
    Participation.BCC.value: "bcc",
    Participation.REPLY_TO.value: "reply_to",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Messages that would not be stored any more.

    Attributes:
        ids: their activities.
        reasons: how many for each reason; sentences to translate.
    """

    ids: tuple[int, ...]
    reasons: tuple[tuple[str, int], ...]


def left_out_now(actor: Actor, mailbox_id: int, *, cancel: Cancel | None = None) -> LeftOut:
    """Find them; reads only, about fifteen statements for each 500 messages.

    A person's decision stands above the policy: what is linked by hand, or was written here, is
    not among them.

    Raises:
        NotFound: the mailbox does not exist, or is another's.
    """
    own_mailbox(actor, mailbox_id)
    reasons: Counter[str] = Counter()
    found: list[int] = []
    with actor.db.reading(cancel) as connection:
        box = known.box(connection, mailbox_id)
        held = _held(connection, mailbox_id)
        keys = sorted(held.keys() - _decided(connection, mailbox_id))
        for start in range(0, len(keys), CHUNK):
            if cancel is not None:
                cancel.check()
            items = _items(connection, keys[start : start + CHUNK], held)
            facts = gather(connection, list(items.values()), box.ours, box.id)
            for key, item in items.items():
                reason = reason_to_exclude(item, _ANY, box.ours)
                reason = reason or reason_to_leave_out(item, facts, box.policy)
                if not reason and box.policy.folders and all(one.lost for one in held[key]):
                    reason = NOT_READ
                if reason:
                    reasons[reason] += 1
                    found.append(key)
    return LeftOut(tuple(found), tuple(reasons.most_common()))


_ANY: Final = Folder("", "", FolderRole.OTHER)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message lies in the mailbox; `lost` where its folder is not read any more."""

    lost: bool
    categories: tuple[str, ...]


def _held(connection: Connection, mailbox: int) -> dict[int, list[_Place]]:
    """Where the stored messages of a mailbox lie."""
    item, state = MailboxItem.__table__.c, SyncState.__table__.c
    rows = connection.execute(
        select(item.activity_id, item.state, item.categories, state.token)
        .join(MailMessage.__table__, MailMessage.__table__.c.activity_id == item.activity_id)
        .outerjoin(
            SyncState.__table__,
            and_(state.mailbox_id == item.mailbox_id, state.folder == item.folder),
        )
        .where(
            item.mailbox_id == mailbox,
            item.state.in_([ItemState.STORED.value, ItemState.GONE.value]),
        )
    )
    found: dict[int, list[_Place]] = defaultdict(list)
    for row in rows:
        lost = row.state == ItemState.GONE.value and row.token is None
        found[row.activity_id].append(_Place(lost, tuple(row.categories or ())))
    return found


def _decided(connection: Connection, mailbox: int) -> set[int]:
    """Messages a person linked by hand, or wrote here himself."""
    link, order = Link.__table__.c, OutboxItem.__table__.c
    by_hand = select(link.activity_id).where(
        link.linked_by_id.is_not(None),
        link.state == LinkState.LINKED.value,
        link.deleted_at.is_(None),
    )
    written = select(order.activity_id).where(
        order.mailbox_id == mailbox, order.activity_id.is_not(None)
    )
    return {
        key for statement in (by_hand, written) for key in connection.execute(statement).scalars()
    }


def _items(
    connection: Connection, keys: Sequence[int], held: dict[int, list[_Place]]
) -> dict[int, MailItem]:
    """The messages as they came, as far as that decides."""
    people: dict[int, list[Any]] = defaultdict(list)
    party = ActivityParty.__table__.c
    for party_row in connection.execute(
        select(party.activity_id, party.participation, party.name, party.address).where(
            key_clause(connection, party.activity_id, keys), party.deleted_at.is_(None)
        )
    ):
        people[party_row.activity_id].append(party_row)
    message = MailMessage.__table__.c
    rows = connection.execute(
        select(
            message.activity_id,
            message.message_id,
            message.subject,
            message.in_reply_to,
            message.references,
            message.conversation_id,
        )
        .join(Activity.__table__, Activity.__table__.c.id == message.activity_id)
        .where(key_clause(connection, message.activity_id, keys))
    )
    found: dict[int, MailItem] = {}
    for row in rows:
        named: dict[str, list[Address]] = defaultdict(list)
        for one in people[row.activity_id]:
            address = Address(one.address or one.name or "", one.name or "", bool(one.address))
            named[_PART.get(one.participation, "sender")].append(address)
        found[row.activity_id] = MailItem(
            row.message_id,
            subject=row.subject or "",
            sender=next(iter(named["sender"]), None),
            to=tuple(named["to"]),
            cc=tuple(named["cc"]),
            bcc=tuple(named["bcc"]),
            reply_to=tuple(named["reply_to"]),
            in_reply_to=row.in_reply_to or "",
            references=tuple(row.references or ()),
            thread_key=row.conversation_id or "",
            categories=tuple(n for place in held[row.activity_id] for n in place.categories),
        )
    return found
