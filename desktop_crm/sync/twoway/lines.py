"""The dry run as a person reads it: one line for each thing a pass would do, with the reason."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.activity import ActivityReason
from desktop_crm.models.outbox import DeedKind
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.outbox import OutboxRow
from desktop_crm.sync.folder_names import folder_name
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.plan import Action, ActionKind
from desktop_crm.sync.port import MailItem, MeetingItem
from desktop_crm.sync.twoway.fields import Value, moment_of
from desktop_crm.sync.twoway.kinds import TABLES, Kind
from desktop_crm.sync.twoway.plan import Side, Step, StepKind

SEND: Final = "send"
"""What the outbox does beside creating, changing and deleting."""

MESSAGE: Final = "message"
FOLDER: Final = "folder"
STRUCK: Final = N_("Struck from the list of the dry run.")

KIND_LABELS: Final = {
    MESSAGE: N_("Message"),
    FOLDER: N_("Folder"),
    Kind.MEETING.value: N_("Appointment"),
    Kind.TASK.value: N_("Task"),
    Kind.CONTACT.value: N_("Contact"),
}
WHAT_LABELS: Final = {
    StepKind.CREATE.value: N_("Create"),
    StepKind.CHANGE.value: N_("Change"),
    StepKind.CANCEL.value: N_("Call off"),
    StepKind.DELETE.value: N_("Delete"),
    StepKind.CONFLICT.value: N_("Conflict"),
    StepKind.REFUSED.value: N_("Cannot be written"),
    SEND: N_("Send"),
}
SIDE_LABELS: Final = {Side.HERE.value: N_("Here"), Side.MAILBOX.value: N_("In the mailbox")}
_OUTBOX: Final = N_("It waits in the outbox.")
_FOLDER: Final = N_("New in the folder {folder}.")
_FROM: Final = N_("From {who}, {when}. New in the folder {folder}.")
_AT: Final = N_("On {when}. New in the folder {folder}.")
_DEEDS: Final = {
    DeedKind.SEND: SEND,
    DeedKind.DELETE: StepKind.DELETE.value,
    DeedKind.SAVE_DRAFT: StepKind.CREATE.value,
    DeedKind.PUT_BACK: StepKind.CREATE.value,
    DeedKind.MAKE_FOLDER: StepKind.CREATE.value,
}
_OF_DEED: Final = {
    DeedKind.SEND: MESSAGE,
    DeedKind.SAVE_DRAFT: MESSAGE,
    DeedKind.MAKE_FOLDER: FOLDER,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a pass would do.

    Attributes:
        key: what it is about; with `fingerprint` what is struck.
        side: here or mailbox.
        what: create, change, cancel, delete, send, conflict or refused.
        kind: message, meeting, task, contact or folder.
        reason: one sentence.
        changes: field, value before and value after, in words; of a conflict both sides' values.
        people: how many other people could be told of it.
        asked: it is done only when a person agrees.
        struck: a person struck it before.
        order: entry of the outbox that does it, if it is ordered already.
    """

    key: str
    fingerprint: str
    side: str
    what: str
    kind: str
    title: str
    reason: str
    changes: tuple[tuple[str, str, str], ...] = ()
    people: int = 0
    asked: bool = False
    struck: bool = False
    order: int | None = None

    @property
    def waits(self) -> bool:
        """Whether it is a question of another kind, which the list cannot answer."""
        return self.what in (StepKind.CONFLICT.value, StepKind.REFUSED.value)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person decided about the lines of a dry run.

    Attributes:
        agreed: fingerprints of deletions to do.
        told: fingerprints of changes of which the other participants are told.
        reviewed: the list was looked through: the brake lets it pass.
    """

    agreed: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    reviewed: bool = False


def of_step(step: Step, actor: Actor, struck: Mapping[str, str]) -> Line:
    """A step as it is shown."""
    return Line(
        step.key,
        step.fingerprint,
        step.side.value,
        step.what.value,
        step.kind.value,
        step.title,
        tr(step.reason, **dict(step.params)),
        () if step.what is StepKind.CREATE else changes_of(step, actor),
        step.people,
        step.asked,
        struck.get(step.key) == step.fingerprint,
    )


def changes_of(step: Step, actor: Actor) -> tuple[tuple[str, str, str], ...]:
    """Fields of a step in words: name, before and after."""
    labels = {one.name: tr(one.label) for one in TABLES[step.kind].fields}
    words = [
        (labels[name], in_words(before, actor), in_words(after, actor))
        for name, (before, after) in step.values.items()
    ]
    if step.occurrences:
        words.append((labels["left_out"], "", in_words(list(step.occurrences), actor)))
    return tuple(words)


def in_words(value: Value, actor: Actor) -> str:
    """A field's value as a person reads it; an empty one is a dash."""
    if isinstance(value, Mapping) and "start" in value:
        return _period(value, actor)
    if isinstance(value, Mapping):
        parts = (_entry(name, entry) for name, entry in value.items())
        return "; ".join(parts) or "–"
    if isinstance(value, bool):
        return tr("Yes") if value else tr("No")
    if isinstance(value, list | tuple):
        return ", ".join(in_words(one, actor) for one in value) or "–"
    text = str(value or "")
    return _moment(text, actor) or _status(text) or text or "–"


def _entry(name: str, entry: Value) -> str:
    if isinstance(entry, list):
        return ", ".join(str(part) for part in entry if part) if len(entry) > 2 else name
    return f"{name}: {_status(str(entry)) or entry}"


def _status(text: str) -> str:
    by_value = {one.value: one for one in ActivityReason}
    found = by_value.get("canceled" if text == "cancelled" else text)
    return tr(found.label) if found is not None else ""


def _moment(text: str, actor: Actor) -> str:
    try:
        moment = moment_of(text)
    except ValueError:
        return ""
    if isinstance(moment, datetime):
        return actor.formats.datetime(moment)
    return actor.formats.date(moment)


def _period(value: Mapping[str, Any], actor: Actor) -> str:
    start, end = moment_of(value["start"]), moment_of(value["end"])
    formats = actor.formats
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return formats.date(start)
    same = start.astimezone(actor.zone).date() == end.astimezone(actor.zone).date()
    until = formats.time(end) if same else formats.datetime(end)
    return f"{formats.datetime(start)} – {until}"


def of_outbox(row: OutboxRow) -> Line:
    """A deed that waits in the journal."""
    what = _DEEDS.get(row.deed, StepKind.CHANGE.value)
    return Line(
        f"outbox:{row.id}",
        str(row.id),
        Side.MAILBOX.value,
        what,
        _OF_DEED.get(row.deed, Kind.MEETING.value),
        row.title,
        row.why or row.message or tr(_OUTBOX),
        order=row.id,
    )


def fingerprint_of(identity: str) -> str:
    """Fingerprint of an item that would be stored for the first time."""
    return hashlib.sha256(f"create {identity}".encode()).hexdigest()


def key_of(folder: str, item: str) -> str:
    """Key of an item that would be stored for the first time."""
    return f"item:{folder}|{item}"


def unstruck(actions: Sequence[Action], folder: str, struck: Mapping[str, str]) -> list[Action]:
    """The actions, with what a person struck left out of what is stored."""
    if not struck:
        return list(actions)
    return [
        replace(action, kind=ActionKind.EXCLUDE, reason=STRUCK)
        if action.kind is ActionKind.CREATE
        and struck.get(plain(key_of(folder, action.key), 600)) == fingerprint_of(action.identity)
        else action
        for action in actions
    ]


@dataclass(slots=True)
class Lines:
    """Lines of a dry run, collected while it goes on.

    Attributes:
        found: the lines, until somebody takes them over.
        room: how many more lines of mail there may be; the others are only counted.
        messages: new messages so far.
        untold: those of them that have no line.
    """

    actor: Actor
    struck: Mapping[str, str] = field(default_factory=dict)
    found: list[Line] = field(default_factory=list)
    room: float = math.inf
    messages: int = 0
    untold: int = 0

    def add_new(self, folder: str, name: str, actions: Sequence[Action]) -> None:
        """Add what a batch of mail or meetings would store for the first time, newest mail first.

        Actions come in the order of time.
        """
        for action in reversed(actions):
            item = action.item
            known = action.kind is ActionKind.EXCLUDE and action.reason == STRUCK
            if (action.kind is not ActionKind.CREATE and not known) or item is None:
                continue
            if not isinstance(item, MailItem | MeetingItem):
                continue
            kind = MESSAGE if isinstance(item, MailItem) else Kind.MEETING.value
            if kind == MESSAGE:
                self.messages += 1
                if self.room <= 0:
                    self.untold += 1
                    continue
                self.room -= 1
            line = Line(
                key_of(folder, action.key),
                fingerprint_of(action.identity),
                Side.HERE.value,
                StepKind.CREATE.value,
                kind,
                item.subject,
                self._why(item, folder_name(name)),
            )
            self.found.append(replace(line, struck=self._is_struck(line)))

    def _why(self, item: MailItem | MeetingItem, folder: str) -> str:
        """Where it comes from: a subject alone does not tell whether it may be stored."""
        at = (item.sent_at or item.received_at) if isinstance(item, MailItem) else item.start
        formats = self.actor.formats
        if at is None:
            return tr(_FOLDER, folder=folder)
        when = formats.datetime(at) if isinstance(at, datetime) else formats.date(at)
        sender = item.sender if isinstance(item, MailItem) else None
        if sender is None:
            return tr(_AT, when=when, folder=folder)
        return tr(_FROM, who=sender.name or sender.address, when=when, folder=folder)

    def add_steps(self, steps: Iterable[Step]) -> None:
        """Add what would be done about meetings, tasks and contacts."""
        self.found += [of_step(step, self.actor, self.struck) for step in steps]

    def add_outbox(self, rows: Sequence[OutboxRow]) -> None:
        """Add what waits in the outbox."""
        self.found += [of_outbox(row) for row in rows]

    def _is_struck(self, line: Line) -> bool:
        return self.struck.get(plain(line.key, 600)) == line.fingerprint
