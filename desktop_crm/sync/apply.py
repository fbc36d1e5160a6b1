"""Writing one planned batch: activities, messages, people, links and items in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from desktop_crm.core import clock
from desktop_crm.core.i18n import translate
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import fold
from desktop_crm.db import search_text
from desktop_crm.meta import registry
from desktop_crm.models import (
    Activity,
    ActivityParty,
    AuditEntry,
    Link,
    MailboxItem,
    MailMessage,
)
from desktop_crm.models.activity import REGARDING, LinkState
from desktop_crm.models.activity import Sensitivity as Private
from desktop_crm.models.mail import ItemState, MailFlag
from desktop_crm.services import writer
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.mail.policy import MailPolicy, digest
from desktop_crm.services.mail.withdrawn_items import UNTOLD
from desktop_crm.services.query import key_clause
from desktop_crm.services.records import Change, prepare
from desktop_crm.services.records_kept import delete_rows, insert_rows, set_where, update_rows
from desktop_crm.services.rules.activities import LINKS
from desktop_crm.sync import attendance, linking, mapping, remarks
from desktop_crm.sync.answers import Records, file_answers
from desktop_crm.sync.attached import Attached, store_files
from desktop_crm.sync.exclusion import WITHDRAWN
from desktop_crm.sync.facts import Facts, Thread
from desktop_crm.sync.linking import Proposal
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import Folder, MailItem, MeetingItem, Sensitivity
from desktop_crm.sync.results import FolderResult
from desktop_crm.sync.twoway.meeting_batch import MeetingBatch

_TIMES: Final = ("kind", "start_at", "end_at", "is_all_day", "occurred_at", "owner", "sensitivity")


@dataclass(frozen=True, slots=True)
class Decided:
    """One item to create, with the records it belongs to; `set_aside` where a rule says none."""

    action: Action
    proposals: tuple[Proposal, ...]
    outgoing: bool
    set_aside: bool = False

    @property
    def is_linked(self) -> bool:
        """Whether it belongs to a record for sure."""
        return any(p.is_sure for p in self.proposals)


def decide(actions: Sequence[Action], folder: Folder, facts: Facts) -> list[Decided]:
    """Find the records of everything that is new; later messages see the links of earlier ones."""
    found: list[Decided] = []
    for action in actions:
        item = action.item
        if action.kind is not ActionKind.CREATE or item is None:
            continue
        context = linking.Context(item, folder, facts)
        private = isinstance(item, MeetingItem) and item.sensitivity is not Sensitivity.NORMAL
        proposals = () if private else tuple(linking.find_links(context))
        aside = not private and not proposals and linking.is_never_filed(context)
        found.append(Decided(action, proposals, context.outgoing, set_aside=aside))
        if isinstance(item, MailItem):
            known = linking.answered(item, facts)
            key = known.key if known else action.identity
            links = tuple(p.key for p in proposals if p.is_sure)
            facts.messages[item.message_id] = Thread(0, key, links)
    return found


def count(actions: Sequence[Action], decided: Sequence[Decided], language: str) -> FolderResult:
    """The summary of a batch, written or not."""
    result = FolderResult("")
    for action in actions:
        match action.kind:
            case ActionKind.CREATE:
                result.created += 1
            case ActionKind.HOLD:
                result.known += 1
            case ActionKind.UPDATE:
                result.updated += 1
            case ActionKind.GONE:
                result.gone += 1
            case ActionKind.EXCLUDE:
                result.excluded[translate(language, action.reason)] += 1
            case ActionKind.QUARANTINE:
                reason = translate(language, action.reason, **dict(action.params))
                result.quarantined.append((action.name or action.key, reason))
            case _:
                result.unchanged += 1
    result.remarked = remarks.of_meetings(actions, language)
    result.linked = sum(1 for one in decided if one.is_linked)
    result.suggested = sum(1 for one in decided if one.proposals and not one.is_linked)
    return result


def _without(change: Change, names: Collection[str]) -> Change:
    """A change that leaves some fields as they are."""
    return replace(change, values={n: v for n, v in change.values.items() if n not in names})


@dataclass(slots=True)
class BatchWriter:
    """Writes one batch into an open transaction; about twenty statements whatever its size.

    Attributes:
        connection: the transaction, which the caller keeps or throws away as a whole.
        actor: who acts.
        mailbox: the mailbox's key.
        user: the mailbox's user, who owns what it brings.
        folder: the folder the batch is of.
        facts: what the items were decided by.
        policy: what the mailbox lets be kept and shown.
        sending: the messages have not left yet.
        attends: answers to our invitations are noted, since the mailbox does not do it itself.
        meetings: both sides of its meetings, of a mailbox that goes both ways.
    """

    connection: Connection
    actor: Actor
    mailbox: int
    user: int | None
    folder: Folder
    facts: Facts
    policy: MailPolicy
    sending: bool = False
    attends: bool = False
    meetings: MeetingBatch | None = None
    _refused: dict[str, str] = field(default_factory=dict)

    def write(self, actions: Sequence[Action], decided: Sequence[Decided]) -> ChangeSet:
        """Write everything a batch means but its token."""
        operation = new_uid()
        if self.meetings is not None:
            actions = self.meetings.merged(actions)
        ids, changes = self.create(decided, operation)
        activities = {d.action.identity: a for d, a in zip(decided, ids, strict=True)}
        changes = changes.merge(self._update(actions, operation))
        if self.attends:
            came = [
                i for d in decided if isinstance(i := d.action.item, MailItem) and not d.outgoing
            ]
            told, self._refused = attendance.take(self.connection, self.actor, self.user, came)
            changes = changes.merge(told)
        held = self._hold(actions, activities) + self._close(actions)
        if self.meetings is not None:
            self.meetings.versions(ids)
        return changes.merge(ChangeSet(operation, held))

    def _work(self, entity: str, operation: str) -> Work:
        return Work(self.actor, self.connection, registry.get(entity), operation, None, "sync")

    def create(self, decided: Sequence[Decided], operation: str) -> tuple[list[int], ChangeSet]:
        """Write activities with all that belongs to them, and return their keys in order."""
        if not decided:
            return [], NOTHING
        work = self._work("activity", operation)
        values = [self._values(one) for one in decided]
        drafts, _ = prepare(work, [Change(None, None, row) for row in values])
        people = [self._people(one) for one in decided]
        for draft, rows in zip(drafts, people, strict=True):
            # Activities are found by who took part.
            draft.beside["parties"] = rows
            # Links of records say "created from the record"; those of mail say why.
            draft.beside[LINKS] = ()
        changes = writer.write(work, drafts)
        ids = [draft.id or 0 for draft in drafts]
        pairs = list(zip(decided, ids, strict=True))
        moments = [draft.get("occurred_at") for draft in drafts]
        links = [
            self._link(one, key, proposal, at, row)
            for (one, key), at, row in zip(pairs, moments, values, strict=True)
            for proposal in one.proposals
        ]
        by = self.actor.user_id
        link_ids = insert_rows(self.connection, Link, links, by)
        messages = [
            {
                "activity_id": key,
                "set_aside": one.set_aside,
                "withheld": self.policy.withholds(linked=one.is_linked),
                **mapping.message_row(item, self.facts, full=self._full(one)),
            }
            for one, key in pairs
            if isinstance(item := one.action.item, MailItem)
        ]
        message_ids = insert_rows(self.connection, MailMessage, messages, by)
        self._insert_people(list(zip(ids, people, strict=True)))
        answers = file_answers(self.connection, self._arrived(decided), by)
        changes = changes.merge(ChangeSet(operation, answers))
        changes = changes.merge(self._documents(pairs, values, operation))
        kept = (
            Changed("link", frozenset(link_ids), ChangeKind.CREATED),
            Changed("mail_message", frozenset(message_ids), ChangeKind.CREATED),
        )
        return ids, changes.merge(ChangeSet(operation, kept))

    def _arrived(self, decided: Sequence[Decided]) -> dict[str, tuple[str, Records]]:
        """New messages with their thread and the records they are linked to."""
        return {
            one.action.identity: (
                mapping.thread_key(item, self.facts),
                tuple(p.key for p in one.proposals if p.is_sure),
            )
            for one in decided
            if isinstance(item := one.action.item, MailItem)
        }

    def _values(self, one: Decided) -> dict[str, Any]:
        item, language = one.action.item, self.actor.language
        if isinstance(item, MailItem):
            values = mapping.mail_values(
                item, outgoing=one.outgoing, language=language, sending=self.sending
            )
            if self.policy.withholds(linked=one.is_linked):
                values["sensitivity"] = Private.PRIVATE.value
        elif isinstance(item, MeetingItem):
            values = self._meeting(item)
        else:
            raise TypeError(type(item).__name__)
        return {**values, **linking.regarding(one.proposals), "owner": self.user}

    def _meeting(self, item: MeetingItem) -> dict[str, Any]:
        return mapping.meeting_values(
            item, self.facts, self.actor.language, both_ways=self.meetings is not None
        )

    def _full(self, one: Decided) -> bool:
        """Whether text and files are stored; of encrypted mail there is only the header."""
        item = one.action.item
        encrypted = isinstance(item, MailItem) and item.encrypted
        return not encrypted and self.policy.keeps_text(linked=one.is_linked)

    def _link(
        self,
        one: Decided,
        activity: int,
        proposal: Proposal,
        at: object,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        state = LinkState.LINKED if proposal.is_sure else LinkState.SUGGESTED
        return {
            "activity_id": activity,
            "record_type": proposal.entity,
            "record_id": proposal.id,
            "rule": proposal.rule.value,
            "evidence": mapping.plain(proposal.evidence, 400),
            "confidence": proposal.confidence,
            "state": state.value,
            "is_regarding": values.get(proposal.entity) == proposal.id,
            "linked_by_id": None,
            "occurred_at": at,
        }

    def _people(self, one: Decided) -> list[dict[str, Any]]:
        item = one.action.item
        return [] if item is None else mapping.party_rows(item, self.facts)

    def _insert_people(self, people: Sequence[tuple[int, Sequence[Mapping[str, Any]]]]) -> None:
        # Entered by whose mailbox it is, whoever runs the pass: who got blind copies is for him.
        rows = [{"activity_id": key, **row} for key, named in people for row in named]
        insert_rows(self.connection, ActivityParty, rows, self.user)

    def _documents(
        self,
        pairs: Sequence[tuple[Decided, int]],
        values: Sequence[Mapping[str, Any]],
        operation: str,
    ) -> ChangeSet:
        files = [
            Attached(item.attachments, key, row.get("account"), has_html=bool(item.html))
            for (one, key), row in zip(pairs, values, strict=True)
            if isinstance(item := one.action.item, MailItem) and self._full(one)
        ]
        return store_files(self._work("document", operation), files, self.user)

    def _update(self, actions: Sequence[Action], operation: str) -> ChangeSet:
        changed: dict[int, Action] = {}
        for action in actions:
            if action.kind is ActionKind.UPDATE and action.activity is not None:
                changed[action.activity] = action
        if not changed:
            return NOTHING
        work = self._work("activity", operation)
        hidden = self._turned_private(changed)
        wanted = [
            Change(
                key,
                None,
                self._meeting(item) | (dict.fromkeys(REGARDING) if key in hidden else {}),
            )
            for key, action in changed.items()
            if isinstance(item := action.item, MeetingItem)
        ]
        stays = {key: self.meetings.kept(key) if self.meetings else frozenset() for key in changed}
        wanted = [
            replace(
                one, values={n: v for n, v in one.values.items() if n not in stays[one.id or 0]}
            )
            for one in wanted
        ]
        drafts, _ = prepare(work, wanted)
        report = writer.write(work, drafts)
        anew = [key for key in changed if "parties" not in stays[key]]
        delete_rows(self.connection, ActivityParty, "activity_id", anew)
        self._forget(hidden)
        found = decide(
            [replace(a, kind=ActionKind.CREATE) for a in changed.values()], self.folder, self.facts
        )
        pairs = list(zip(found, changed, strict=True))
        self._insert_people([(key, self._people(one)) for one, key in pairs])
        # Activities are found by who took part.
        search_text.refold(self.connection, registry.get("activity"), list(changed))
        links = self._missing_links(pairs)
        return report.merge(ChangeSet(operation, links))

    def _turned_private(self, changed: Mapping[int, Action]) -> list[int]:
        """Meetings that were open to colleagues until now."""
        keys = [
            key
            for key, action in changed.items()
            if isinstance(action.item, MeetingItem)
            and action.item.sensitivity is not Sensitivity.NORMAL
        ]
        if not keys:
            return []
        table = Activity.__table__
        rows = self.connection.execute(
            select(table.c.id).where(
                key_clause(self.connection, table.c.id, keys),
                table.c.sensitivity == Sensitivity.NORMAL.value,
            )
        )
        return list(rows.scalars())

    def _forget(self, activities: list[int]) -> None:
        """Take what was known of meetings that became private out of links and history, too."""
        if not activities:
            return
        delete_rows(self.connection, Link, "activity_id", activities)
        table = AuditEntry.__table__
        rows = self.connection.execute(
            select(table.c.id, table.c.changes).where(
                table.c.entity == "activity",
                key_clause(self.connection, table.c.record_id, activities),
            )
        ).all()
        for row in rows:
            kept = {name: v for name, v in (row.changes or {}).items() if name in _TIMES}
            set_where(self.connection, AuditEntry, table.c.id == row.id, {"changes": kept})

    def _missing_links(self, pairs: Sequence[tuple[Decided, int]]) -> tuple[Changed, ...]:
        """Links of people who joined later; what a person linked or removed stays as it is."""
        link = Link.__table__.c
        asked = select(link.activity_id, link.record_type, link.record_id).where(
            key_clause(self.connection, link.activity_id, [key for _, key in pairs])
        )
        known = {tuple(row) for row in self.connection.execute(asked)}
        missing = []
        for one, key in pairs:
            item = one.action.item
            if isinstance(item, MeetingItem):
                at = self._meeting(item)["occurred_at"]
                missing += [
                    self._link(one, key, proposal, at, {})
                    for proposal in one.proposals
                    if (key, *proposal.key) not in known
                ]
        ids = insert_rows(self.connection, Link, missing, self.actor.user_id)
        return (Changed("link", frozenset(ids), ChangeKind.CREATED),) if ids else ()

    def _hold(
        self, actions: Sequence[Action], activities: Mapping[str, int]
    ) -> tuple[Changed, ...]:
        new: list[dict[str, Any]] = []
        changed: list[tuple[int, dict[str, Any]]] = []
        for action in actions:
            values = self._item(action, activities)
            if values is None:
                continue
            if action.holder is not None:
                changed.append((action.holder, values))
            else:
                key = mapping.plain(action.key, 1_000)
                place = {"mailbox_id": self.mailbox, "folder": self.folder.key, "item_key": key}
                new.append({**place, "is_read": True, "flag": MailFlag.NONE.value, **values})
        ids = insert_rows(self.connection, MailboxItem, new, self.actor.user_id)
        update_rows(self.connection, MailboxItem, changed, self.actor.user_id)
        return (
            *((Changed("mailbox_item", frozenset(ids), ChangeKind.CREATED),) if ids else ()),
            *(
                (Changed("mailbox_item", frozenset(key for key, _ in changed), ChangeKind.UPDATED),)
                if changed
                else ()
            ),
        )

    def _close(self, actions: Sequence[Action]) -> tuple[Changed, ...]:
        """Keep from colleagues what its user marked as private after it was stored.

        It stays so whatever it is linked to; what to do with it is the user's to say.
        """
        marked = [a.activity for a in actions if a.activity is not None and self._is_private(a)]
        if not marked:
            return ()
        table = Activity.__table__.c
        theirs = and_(key_clause(self.connection, table.id, marked), table.owner_id == self.user)
        keys = list(self.connection.execute(select(table.id).where(theirs)).scalars())
        if not keys:
            return ()
        set_where(self.connection, Activity, theirs, {"sensitivity": Private.PRIVATE.value})
        message = MailMessage.__table__.c.activity_id
        set_where(
            self.connection,
            MailMessage,
            key_clause(self.connection, message, keys),
            {"withheld": False},
        )
        return (Changed("activity", frozenset(keys), ChangeKind.UPDATED),)

    def _is_private(self, action: Action) -> bool:
        item = action.item
        if action.kind not in (ActionKind.READ, ActionKind.SAME) or isinstance(item, MeetingItem):
            return False
        sensitive = isinstance(item, MailItem) and item.sensitivity is not Sensitivity.NORMAL
        categories = {fold(name) for name in action.categories or ()}
        return sensitive or bool(categories & self.policy.unwanted)

    def _item(self, action: Action, activities: Mapping[str, int]) -> dict[str, Any] | None:
        """Columns of the mailbox item after an action; None where nothing is kept of it."""
        kind = action.kind
        if kind is ActionKind.READ:
            return {**_marks(action), "change_key": None}
        if kind is ActionKind.GONE:
            return {"state": ItemState.GONE.value}
        if kind is ActionKind.EXCLUDE:
            withdrawn = action.reason == WITHDRAWN
            state = ItemState.WITHDRAWN if withdrawn else ItemState.EXCLUDED
            return {
                **UNTOLD,
                "state": state.value,
                "reason": translate(self.actor.language, action.reason)[:500],
                "identity": action.identity if withdrawn else None,
                "item_key": digest(action.key),
            }
        if kind is ActionKind.QUARANTINE:
            said = translate(self.actor.language, action.reason, **dict(action.params))
            reason = mapping.plain(said, 500)
            if action.activity is not None:
                return {"reason": reason, "change_key": None}
            return {"state": ItemState.QUARANTINED.value, "reason": reason}
        if action.item is None:
            return None
        activity = action.activity if action.activity is not None else activities[action.identity]
        remark = " ".join(remarks.sentences(action.item, self.actor.language))
        at = action.item.at if isinstance(action.item, MailItem) else None
        sides = self.meetings.sides(action) if self.meetings is not None else {}
        return {
            **sides,
            "state": ItemState.STORED.value,
            "item_key": mapping.plain(action.key, 1_000),
            "reason": self._refused.get(action.identity) or mapping.plain(remark, 500) or None,
            "change_key": None,
            "identity": action.identity,
            "activity_id": activity,
            "content_hash": action.digest,
            "is_read": True,
            **_marks(action),
            "sent_at": at or clock.now() if isinstance(action.item, MailItem) else None,
        }


def _marks(action: Action) -> dict[str, Any]:
    """What the mailbox told of the marks of an item; the others stay as they are."""
    marks: dict[str, Any] = {}
    if action.is_read is not None:
        marks["is_read"] = action.is_read
    if action.flag is not None:
        marks["flag"] = action.flag.value
    if action.categories is not None:
        marks["categories"] = list(action.categories) or None
    return marks
