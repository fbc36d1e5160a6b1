"""What a batch means for the database, compared without touching it: the same for a dry run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from desktop_crm.models.mail import ItemState
from desktop_crm.services.mail.policy import digest
from desktop_crm.sync.exclusion import (
    NEVER_LOG,
    UNWANTED,
    WITHDRAWN,
    Ours,
    is_unwanted,
    reason_to_exclude,
)
from desktop_crm.sync.mapping import content_hash, identity_of
from desktop_crm.sync.namesakes import Looks, looks_of, told_apart
from desktop_crm.sync.port import (
    Batch,
    Change,
    ChangeKind,
    Correspondence,
    Flag,
    Folder,
    Item,
    MailItem,
    MeetingItem,
    Quarantined,
    Sensitivity,
)
from desktop_crm.sync.twoway.meetings import masked

_NO_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)


class ActionKind(StrEnum):
    """What to do with one item."""

    CREATE = "create"
    HOLD = "hold"
    UPDATE = "update"
    SAME = "same"
    GONE = "gone"
    READ = "read"
    EXCLUDE = "exclude"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Holder:
    """One item of the mailbox as it is known so far."""

    id: int
    identity: str
    activity: int | None
    state: str
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An activity that already stands for an identity, whose it is and who may change it.

    `looks` are those of a message, which its copies have to share.
    """

    activity: int
    owner: int | None
    editable: bool = True
    looks: Looks | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One step; `holder` is the row of the mailbox item when there is one."""

    kind: ActionKind
    key: str
    identity: str = ""
    item: Correspondence | None = None
    holder: int | None = None
    activity: int | None = None
    is_read: bool | None = None
    flag: Flag | None = None
    categories: tuple[str, ...] | None = None
    digest: str = ""
    reason: str = ""
    params: tuple[tuple[str, object], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored that a batch may concern: by item key, and by identity.

    `withheld` are the own keys of messages this product sent and was never to store, `withdrawn`
    the digests of identities a person withdrew.
    """

    holders: Mapping[str, Holder]
    stored: Mapping[str, Stored]
    withheld: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()


def plan(batch: Batch, folder: Folder, known: Known, ours: Ours, user: int | None) -> list[Action]:
    """Decide for each item of a batch; messages in the order in which they were sent.

    Applying a batch twice gives nothing but `SAME` the second time.
    """
    actions: list[Action] = []
    seen: set[str] = set()
    looks = {key: one.looks for key, one in known.stored.items() if one.looks is not None}
    for told in _in_order(collapsed(batch.changes)):
        holder = known.holders.get(told.item_id)
        change, _ = told_apart(told, holder.identity if holder else "", looks, ours)
        action = _decide(change, folder, known, ours, user)
        if action.kind is ActionKind.CREATE:
            if action.identity in seen:
                action = replace(action, kind=ActionKind.HOLD)
            seen.add(action.identity)
            if isinstance(action.item, MailItem):
                looks.setdefault(action.identity, looks_of(action.item))
        actions.append(action)
    return [*actions, *(_set_aside(one, folder, known) for one in batch.quarantined)]


def collapsed(changes: Iterable[Change]) -> list[Change]:
    """One change for each item: the last one, with what the earlier ones brought."""
    found: dict[str, Change] = {}
    for change in changes:
        before = found.pop(change.item_id, None)
        if change.kind is ChangeKind.MARKS and before is not None and before.item is not None:
            found[change.item_id] = replace(
                before, is_read=change.is_read, flag=change.flag, categories=change.categories
            )
        elif change.kind is ChangeKind.UPDATE and before is not None:
            found[change.item_id] = replace(change, is_read=change.is_read)
        else:
            found[change.item_id] = change
    return list(found.values())


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """Deletions last, so that a moved item is seen where it went first; the rest by time.

    Clocks differ: an answer comes after the message it answers, whatever their dates say.
    """

    def place(change: Change) -> tuple[bool, datetime]:
        item = change.item
        at = item.at if isinstance(item, MailItem) else None
        return (change.kind is ChangeKind.DELETE, at or _NO_TIME)

    ordered = sorted(changes, key=place)
    by_message = {c.item.message_id: c for c in ordered if isinstance(c.item, MailItem)}
    found: dict[str, Change] = {}
    for change in ordered:
        chain = [change]
        while isinstance(item := chain[-1].item, MailItem):
            before = next(
                (by_message[i] for i in (item.in_reply_to, *item.references) if i in by_message),
                None,
            )
            if before is None or before in chain or before.item_id in found:
                break
            chain.append(before)
        for one in reversed(chain):
            found.setdefault(one.item_id, one)
    return list(found.values())


def _decide(change: Change, folder: Folder, known: Known, ours: Ours, user: int | None) -> Action:
    holder = known.holders.get(change.item_id)
    if change.item is None:
        return _without_item(change, holder)
    item = _correspondence(change.item)
    identity = identity_of(item)
    if holder is not None and holder.state == ItemState.WITHDRAWN.value:
        return Action(ActionKind.SAME, change.item_id, holder=holder.id)
    if digest(identity) in known.withdrawn:
        return Action(
            ActionKind.EXCLUDE,
            change.item_id,
            digest(identity),
            holder=holder.id if holder else None,
            reason=WITHDRAWN,
        )
    action = Action(
        ActionKind.CREATE,
        change.item_id,
        identity,
        item,
        holder=holder.id if holder else None,
        is_read=_is_read(change, item),
        flag=change.flag or (item.flag if isinstance(item, MailItem) else None),
        categories=item.categories if change.categories is None else change.categories,
        digest=content_hash(item),
    )
    if holder and holder.activity is not None and holder.identity == identity:
        stands = _again(action, holder, known, user)
        marked = change.kind is ChangeKind.UPDATE and isinstance(item, MailItem)
        return replace(stands, kind=ActionKind.READ) if marked else stands
    reason = reason_to_exclude(item, folder, ours)
    if isinstance(item, MailItem) and item.own_key in known.withheld:
        reason = reason or NEVER_LOG  # its copy no longer shows who got it in blind copy
    if reason:
        return replace(action, kind=ActionKind.EXCLUDE, item=None, reason=reason)
    stored = known.stored.get(identity)
    if stored is None:
        return action
    return replace(action, kind=ActionKind.HOLD, activity=stored.activity)


def _correspondence(item: Item) -> Correspondence:
    """The item as it may be known; tasks and contacts go another way."""
    if isinstance(item, MeetingItem):
        return masked(item)
    if isinstance(item, MailItem):
        return item
    raise TypeError(type(item).__name__)


def _again(action: Action, holder: Holder, known: Known, user: int | None) -> Action:
    """An item that is stored already: changed, or merely reported again."""
    stands = replace(action, activity=holder.activity)
    item = action.item
    stored = known.stored.get(action.identity)
    if isinstance(item, MailItem) or holder.content_hash == action.digest:
        return replace(stands, kind=ActionKind.SAME)
    if stored is None:
        # The entry it stood in is a colleague's and has become private.
        return replace(action, kind=ActionKind.CREATE)
    if stored.activity != holder.activity:
        return replace(action, kind=ActionKind.HOLD, activity=stored.activity)
    private = isinstance(item, MeetingItem) and item.sensitivity is not Sensitivity.NORMAL
    # A colleague's entry for the same meeting is theirs: this one's privacy is not its.
    if not stored.editable or (private and stored.owner != user):
        return replace(stands, kind=ActionKind.SAME)
    return replace(stands, kind=ActionKind.UPDATE)


def _is_read(change: Change, item: Correspondence) -> bool:
    if change.is_read is not None:
        return change.is_read
    return item.is_read if isinstance(item, MailItem) else True


def _without_item(change: Change, holder: Holder | None) -> Action:
    if holder is None or holder.state == ItemState.WITHDRAWN.value:
        return Action(ActionKind.SAME, change.item_id)
    if holder.state == ItemState.EXCLUDED.value and change.kind is not ChangeKind.DELETE:
        # What it is marked with is as little kept as what it says.
        return Action(ActionKind.SAME, change.item_id)
    told = (change.is_read, change.flag, change.categories)
    kind = ActionKind.SAME if told == (None, None, None) else ActionKind.READ
    if change.kind is ChangeKind.DELETE:
        kind = ActionKind.SAME if holder.state == ItemState.GONE.value else ActionKind.GONE
    return Action(
        kind,
        change.item_id,
        holder.identity,
        holder=holder.id,
        activity=holder.activity,
        is_read=change.is_read,
        flag=change.flag,
        categories=change.categories,
    )


def _set_aside(problem: Quarantined, folder: Folder, known: Known) -> Action:
    holder = known.holders.get(problem.item_id)
    if is_unwanted(folder) and (holder is None or holder.activity is None):
        # Nothing of it would be stored were it whole: not its name either.
        row = holder.id if holder else None
        return Action(ActionKind.EXCLUDE, problem.item_id, holder=row, reason=UNWANTED)
    return Action(
        ActionKind.QUARANTINE,
        problem.item_id,
        holder=holder.id if holder else None,
        activity=holder.activity if holder else None,
        reason=problem.reason,
        params=problem.params,
        name=problem.name,
    )
