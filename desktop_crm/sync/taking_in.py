"""Messages and meetings from files: stored and linked as a mailbox would have brought them.

A later pass over the mailbox knows them again by Message-ID or calendar id. What a person hands
over is taken though a rule would leave it out; only those never to store stay out (M1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from desktop_crm.core.errors import Cancelled, CrmError, UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Mailbox
from desktop_crm.models.activity import LinkRule
from desktop_crm.services import attachments
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import message as mail_message
from desktop_crm.sync import known, lease, remarks
from desktop_crm.sync.apply import BatchWriter, Decided, decide
from desktop_crm.sync.exclusion import NEVER_LOG, reason_to_exclude
from desktop_crm.sync.facts import gather
from desktop_crm.sync.formats import ical, outlook_file
from desktop_crm.sync.formats.mime import Unusable, read_message
from desktop_crm.sync.formats.outlook_store import OutlookStore
from desktop_crm.sync.linking import Proposal
from desktop_crm.sync.mapping import content_hash, identity_of
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import Correspondence, Folder, MailItem, MeetingItem

MAIL: Final = frozenset({".eml", ".msg"})
STORE: Final = ".pst"
KINDS: Final = MAIL | {".ics", STORE}
"""Endings of the files that are read here."""

MOST_BYTES: Final = 50 * 1024 * 1024
"""Bytes of the largest message, alone or in an Outlook data file."""

_TOGETHER: Final = 20
_TOGETHER_BYTES: Final = 10 * 1024 * 1024
"""Items of an Outlook data file, and their bytes, that are stored in one transaction."""

_PLACE: Final = Folder("", "")


@dataclass(slots=True)
class Taken:
    """What became of some files.

    Attributes:
        created: activities that are new.
        known: activities that were there already.
        refused: names of files and why they, or something in them, were not taken in.
        remarked: names of what is new, and what of it could not be taken over as it is written.
    """

    created: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    remarked: list[tuple[str, str]] = field(default_factory=list)
    changes: ChangeSet = NOTHING


class _Steps:
    """How far the work is: a step for a file, in an Outlook data file one for each item."""

    def __init__(
        self, total: int, tell: Callable[[int, int], None] | None, cancel: Cancel | None
    ) -> None:
        self._done, self._total = 0, total
        self._tell, self._cancel = tell, cancel

    def more(self, count: int) -> None:
        """There is more to do than was thought."""
        self._total += count

    def go(self, count: int = 1) -> None:
        """Count what is done."""
        self._done += count
        if self._tell is not None:
            self._tell(self._done, self._total)

    def check(self) -> None:
        """Stop where that is asked for.

        Raises:
            Cancelled: it is.
        """
        if self._cancel is not None:
            self._cancel.check()


def take_in(
    actor: Actor,
    paths: Sequence[Path],
    regarding: Sequence[tuple[str, int]] = (),
    taken: Taken | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> Taken:
    """Store the messages and meetings of files in short transactions.

    Args:
        actor: who acts; the records are theirs.
        paths: files of .eml, .msg, .ics and .pst.
        regarding: records they belong to, beside those the rules find.
        taken: where it is told what became of them, also when the work is stopped.
        progress: told how many files and items of Outlook data files are done, of how many.
        cancel: stops between two files, or between some messages of an Outlook data file.

    Returns:
        What was new, known and refused; a file that cannot be read does not disturb the others.

    Raises:
        Cancelled: the work was stopped; what is done stays.
    """
    taken = Taken() if taken is None else taken
    steps = _Steps(len(paths), progress, cancel)
    for path in paths:
        steps.check()
        try:
            if path.suffix.lower() == STORE:
                _store(actor, path, regarding, taken, steps)
            else:
                _one(actor, path, regarding, taken)
        except Cancelled:
            raise
        except CrmError as error:
            taken.refused.append((path.name, str(error)))
        except OSError as error:
            taken.refused.append((path.name, error.strerror or str(error)))
        except Unusable as error:
            taken.refused.append((path.name, tr(error.reason)))
        steps.go()
    return taken


def _one(actor: Actor, path: Path, regarding: Sequence[tuple[str, int]], taken: Taken) -> None:
    if path.stat().st_size > MOST_BYTES:
        raise Unusable(N_("The file is too large."))
    data = path.read_bytes()
    items = read(actor, path.name, data, taken)
    take_items(actor, path.name, items, regarding, taken, data)


def _store(
    actor: Actor,
    path: Path,
    regarding: Sequence[tuple[str, int]],
    taken: Taken,
    steps: _Steps,
) -> None:
    """Take in the messages of an Outlook data file; those left out are told with their number."""
    left: Counter[str] = Counter()
    with OutlookStore(path, MOST_BYTES) as store:
        steps.more(store.count)
        try:
            for pack in _packs(store.messages()):
                steps.check()
                messages = [message for message in pack if message is not None]
                _some(actor, messages, regarding, taken, left)
                steps.go(len(pack))
        finally:
            left.update({tr(reason): count for reason, count in store.left.items()})
            taken.refused += [
                (ntr("{n} item of {file}", "{n} items of {file}", count, file=path.name), reason)
                for reason, count in left.most_common()
            ]


def _packs(found: Iterable[bytes | None]) -> Iterator[list[bytes | None]]:
    """Some at a time, so that no more than some large ones are in memory."""
    pack: list[bytes | None] = []
    size = 0
    for one in found:
        pack.append(one)
        size += len(one or b"")
        if len(pack) == _TOGETHER or size > _TOGETHER_BYTES:
            yield pack
            pack, size = [], 0
    if pack:
        yield pack


def _some(
    actor: Actor,
    messages: Sequence[bytes],
    regarding: Sequence[tuple[str, int]],
    taken: Taken,
    left: Counter[str],
) -> None:
    """Store some messages together, one by one where that does not work."""
    items: list[Correspondence] = []
    for data in messages:
        try:
            items.append(read_message(data))
        except Unusable as error:
            left[tr(error.reason)] += 1
    groups = [items]
    while groups:
        group = groups.pop()
        told = Taken()
        try:
            take_items(actor, "", group, regarding, told)
        except UserError as error:
            if len(group) > 1:
                groups += [[item] for item in group]
            else:
                left[str(error)] += 1
            continue
        taken.created += told.created
        taken.known += told.known
        taken.changes = taken.changes.merge(told.changes)
        left.update(reason for _name, reason in told.refused)


def read(actor: Actor, name: str, data: bytes, taken: Taken) -> list[Correspondence]:
    """The messages or meetings of a file; single ones that cannot be read are told.

    Raises:
        Unusable: it holds none.
    """
    ending = Path(name).suffix.lower()
    if ending == ".msg":
        return [read_message(outlook_file.as_mime(data))]
    if ending == ".eml":
        return [read_message(data)]
    calendar = ical.read_calendar(data, actor.zone)
    aside = [
        (f"{name}: {one.name}" if one.name else name, tr(one.reason, **dict(one.params)))
        for one in calendar.quarantined
    ]
    if not calendar.items and not any(one.item_id for one in calendar.quarantined):
        raise Unusable(N_("The file holds no meeting."))
    taken.refused += aside
    return list(calendar.items)


def take_items(
    actor: Actor,
    name: str,
    items: Sequence[Correspondence],
    regarding: Sequence[tuple[str, int]],
    taken: Taken,
    data: bytes | None = None,
) -> None:
    """Store the items of one file; `data`, if not too large, is kept beside its message."""
    with actor.db.writing() as connection:
        lease.write_alone(connection)
        box = _box(connection, actor)
        stored = known.stored(connection, actor, items, actor.user_id)
        fresh: dict[str, Correspondence] = {}
        there: list[int] = []
        for item in items:
            identity = identity_of(item)
            if (before := stored.get(identity)) is not None:
                there.append(before.activity)
            elif reason_to_exclude(item, _PLACE, box.ours) == NEVER_LOG:
                taken.refused.append((name, tr(NEVER_LOG)))
            else:
                fresh.setdefault(identity, item)
        facts = gather(connection, list(fresh.values()), box.ours, box.id)
        actions = [
            Action(ActionKind.CREATE, "", identity, item, is_read=True, digest=content_hash(item))
            for identity, item in fresh.items()
        ]
        decided = [_with(one, regarding) for one in decide(actions, _PLACE, facts)]
        writer = BatchWriter(connection, actor, box.id, actor.user_id, _PLACE, facts, box.policy)
        created, changes = writer.create(decided, new_uid())
    taken.created += created
    taken.known += there
    for item in fresh.values():
        if isinstance(item, MeetingItem):
            taken.remarked += remarks.named(item, actor.language)
    taken.changes = taken.changes.merge(changes)
    for activity in there:
        for entity, key in regarding:
            told = mail_message.link(actor, activity, entity, key)
            taken.changes = taken.changes.merge(told)
    if data is not None and len(items) == 1 and isinstance(items[0], MailItem):
        is_kept = len(data) <= attachments.limit_mb(actor) << 20
        for activity in created if is_kept else ():
            told = attachments.add_bytes(actor, "activity", activity, name, data)
            taken.changes = taken.changes.merge(told)


def _with(one: Decided, regarding: Sequence[tuple[str, int]]) -> Decided:
    """What a person put it on stands before what the rules found."""
    chosen = tuple(
        Proposal(entity, key, LinkRule.MANUAL, "", Decimal(100)) for entity, key in regarding
    )
    keys = {proposal.key for proposal in chosen}
    found = (proposal for proposal in one.proposals if proposal.key not in keys)
    return replace(one, proposals=(*chosen, *found))


def _box(connection: Connection, actor: Actor) -> known.Box:
    """The user's first mailbox, whose exclusions and own addresses count; or none."""
    table = Mailbox.__table__.c
    first = connection.execute(
        select(table.id)
        .where(table.user_id == actor.user_id, table.deleted_at.is_(None))
        .order_by(table.id)
        .limit(1)
    ).scalar()
    if first is not None:
        return known.box(connection, first)
    return known.without_mailbox(connection, actor.user_id)
