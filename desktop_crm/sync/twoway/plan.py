"""What a pass would do to one item on both sides, decided without touching either.

The same steps are carried out, shown as the dry run, and struck by a person. Nothing here tells
anybody anything: a change other participants may be told of says so, and a person decides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from desktop_crm.core.i18n import N_
from desktop_crm.sync.twoway.fields import Fields, Value
from desktop_crm.sync.twoway.kinds import TABLES, Kind
from desktop_crm.sync.twoway.merge import Base, Merged, merge
from desktop_crm.sync.writes import Ref


class Side(StrEnum):
    """Where a step changes something."""

    HERE = "here"
    MAILBOX = "mailbox"


class StepKind(StrEnum):
    """What a step does; the last two do nothing but wait for a person."""

    CREATE = "create"
    CHANGE = "change"
    CANCEL = "cancel"
    DELETE = "delete"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Local:
    """A record as it stands.

    Attributes:
        record: its key.
        fields: what it says.
        present: False once it lies in the bin.
        cancelled: a person called it off here.
        closed: done, held or past: what the mailbox deletes now changes nothing of it.
        organizer: one of us organizes it; always so for tasks and contacts.
    """

    record: int
    fields: Fields
    present: bool = True
    cancelled: bool = False
    closed: bool = False
    organizer: bool = True


@dataclass(frozen=True, slots=True)
class Remote:
    """An item as it was last seen."""

    ref: Ref
    fields: Fields


@dataclass(frozen=True, slots=True)
class Pair:
    """One item on both sides.

    Attributes:
        key: what tells it from every other item of the mailbox, for good.
        title: how it is called for a person.
        base: what both sides last agreed on.
        local: the record, if there is one.
        remote: the item, if it is there.
        known: the mailbox held it once.
        wanted: a record without item is to be written to the mailbox.
        refusal: why it cannot be written, before anything is (R35).
        loud: the mailbox tells the guests of a meeting of whatever is written to it.
    """

    kind: Kind
    key: str
    title: str
    base: Base | None = None
    local: Local | None = None
    remote: Remote | None = None
    known: bool = False
    wanted: bool = True
    refusal: tuple[str, tuple[tuple[str, object], ...]] | None = None
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, as it is shown.

    Attributes:
        values: by field what stands and what it becomes; of a conflict, both sides' values.
        reason: translatable sentence; `params` fill it in.
        occurrences: original starts of the occurrences to delete from a series.
        people: how many other participants could be told; they are not, unless a person says so.
        asked: it waits until a person has agreed.
        tells: doing it tells the other participants, whatever anybody says.
    """

    side: Side
    what: StepKind
    kind: Kind
    key: str
    title: str
    reason: str
    params: tuple[tuple[str, object], ...] = ()
    values: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    occurrences: tuple[str, ...] = ()
    people: int = 0
    asked: bool = False
    tells: bool = False

    @property
    def fingerprint(self) -> str:
        """Equal for the same step on the same values: a struck one is not asked again."""
        facts = [self.side, self.what, self.key, dict(self.values), self.occurrences]
        text = json.dumps(facts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def gives(self) -> dict[str, Value]:
        """The values that are written."""
        return {name: after for name, (_before, after) in self.values.items()}


@dataclass(frozen=True, slots=True)
class Decision:
    """The steps of a pair, and the base once those on this side are done."""

    steps: tuple[Step, ...] = ()
    base: Base | None = None
    merged: Merged | None = None


NEW_THERE: Final = N_("New in the mailbox.")
NEW_HERE: Final = N_("New here.")
CHANGED_THERE: Final = N_("Changed in the mailbox.")
CHANGED_HERE: Final = N_("Changed here.")
ORGANIZER: Final = N_("Changed here, but only its organizer can change that: it goes back.")
GONE_THERE: Final = N_("Deleted in the mailbox; the record stays and is called off.")
GONE_HERE: Final = N_("Deleted here. Nothing is deleted from the mailbox unless you agree.")
OFF_HERE: Final = N_("Called off here. Nothing is deleted from the mailbox unless you agree.")
LEFT_OUT: Final = N_(
    "Occurrences were deleted here. Nothing is deleted from the mailbox unless you agree."
)
TELLS: Final = N_(
    "This mailbox tells the guests of a meeting of every change (guests: {people}). Nothing is "
    "written unless you agree."
)
DELETION_TELLS: Final = N_(
    "Deleted or called off here. This mailbox tells the guests of a deletion (guests: {people}); "
    "nothing is deleted there unless you agree."
)
BOTH: Final = N_("Changed on both sides. Nothing is overwritten until you choose.")


def decide(pair: Pair) -> Decision:
    """What is to be done about one pair; nothing at all once both sides are equal."""
    local, remote = pair.local, pair.remote
    if local is None:
        if remote is None or pair.known:
            return Decision(base=pair.base)
        return _create_here(pair, remote)
    if remote is None:
        return _no_item(pair, local)
    if not local.present or _called_off(pair, local, remote):
        return _ask_to_delete(pair, local, remote)
    return _merge(pair, local, remote)


def _called_off(pair: Pair, local: Local, remote: Remote) -> bool:
    """Whether a person called it off here, and not the mailbox."""
    if not local.cancelled or remote.fields.get("status") == "cancelled":
        return False
    return pair.base is None or pair.base.local.get("status") != "cancelled"


def _step(pair: Pair, side: Side, what: StepKind, reason: str, **more: Any) -> Step:  # noqa: ANN401  a step's fields
    return Step(side, what, pair.kind, pair.key, pair.title, reason, **more)


def _create_here(pair: Pair, remote: Remote) -> Decision:
    values = {name: (None, value) for name, value in remote.fields.items()}
    step = _step(pair, Side.HERE, StepKind.CREATE, NEW_THERE, values=values)
    return Decision((step,), Base(remote.fields, remote.fields))


def _no_item(pair: Pair, local: Local) -> Decision:
    if pair.known:
        # Deleted there. A person's word, and what is past, stays as it is (R30, R38).
        if pair.kind is Kind.CONTACT or not local.present or local.cancelled or local.closed:
            return Decision(base=pair.base)
        return Decision((_step(pair, Side.HERE, StepKind.CANCEL, GONE_THERE),), pair.base)
    if not local.present or local.cancelled or not pair.wanted:
        return Decision(base=pair.base)
    values = {name: (None, value) for name, value in local.fields.items()}
    refused = _refused(pair, values)
    if refused is not None:
        return Decision((refused,), pair.base)
    people = _people(local.fields)
    step = _step(pair, Side.MAILBOX, StepKind.CREATE, NEW_HERE, values=values, people=people)
    return Decision((_telling(pair, step, people if local.organizer else 0),), pair.base)


def _telling(pair: Pair, step: Step, people: int, reason: str = TELLS) -> Step:
    """The step as a question, where doing it cannot be kept from the guests."""
    if not pair.loud or not people:
        return step
    told = (("people", people),)
    return replace(step, reason=reason, params=told, people=people, asked=True, tells=True)


def _refused(pair: Pair, values: Mapping[str, tuple[Value, Value]]) -> Step | None:
    if pair.refusal is None:
        return None
    reason, params = pair.refusal
    return _step(pair, Side.MAILBOX, StepKind.REFUSED, reason, params=params, values=values)


def _people(fields: Fields) -> int:
    return len(fields.get("people") or ())


def _ask_to_delete(pair: Pair, local: Local, remote: Remote) -> Decision:
    people = _people(remote.fields) if local.organizer else 0
    step = _step(
        pair,
        Side.MAILBOX,
        StepKind.DELETE,
        OFF_HERE if local.present else GONE_HERE,
        asked=True,
        people=people,
    )
    return Decision((_telling(pair, step, people, DELETION_TELLS),), pair.base)


def _merge(pair: Pair, local: Local, remote: Remote) -> Decision:
    found = merge(pair.kind, pair.base, local.fields, remote.fields, organizer=local.organizer)
    steps: list[Step] = []
    if found.to_local:
        values = {n: (local.fields.get(n), v) for n, v in found.to_local.items()}
        reason = ORGANIZER if found.returned >= set(found.to_local) else CHANGED_THERE
        steps.append(_step(pair, Side.HERE, StepKind.CHANGE, reason, values=values))
    steps += _to_mailbox(pair, local, remote, found)
    if found.conflicts:
        steps.append(
            _step(pair, Side.MAILBOX, StepKind.CONFLICT, BOTH, values=found.conflicts, asked=True)
        )
    return Decision(tuple(steps), found.base, found)


def _to_mailbox(pair: Pair, local: Local, remote: Remote, found: Merged) -> list[Step]:
    steps: list[Step] = []
    wanted = dict(found.to_mailbox)
    people = _people(remote.fields) if local.organizer else 0
    if pair.loud:
        # Such a mailbox is told of no answers: it hears of them first.
        wanted.pop("answers", None)
    if "left_out" in wanted:
        # A mailbox takes back no deleted occurrence; what was added here is deleted there.
        new = sorted(set(wanted.pop("left_out")) - set(remote.fields["left_out"]))
        if new:
            step = _step(
                pair,
                Side.MAILBOX,
                StepKind.DELETE,
                LEFT_OUT,
                occurrences=tuple(new),
                people=people,
                asked=True,
            )
            steps.append(_telling(pair, step, people, DELETION_TELLS))
    if wanted:
        values = {n: (remote.fields.get(n), v) for n, v in wanted.items()}
        refused = _refused(pair, values)
        if refused is not None:
            return [*steps, refused]
        told = {one.name for one in TABLES[pair.kind].fields if one.told}
        both = {**remote.fields, **wanted}
        guests = max(people, _people(both)) if local.organizer else 0
        asked = guests if told & set(wanted) else 0
        step = _step(pair, Side.MAILBOX, StepKind.CHANGE, CHANGED_HERE, values=values, people=asked)
        steps.append(_telling(pair, step, guests))
    return steps


def past(end: str | None, now: datetime) -> bool:
    """Whether a meeting that ends then is over: nobody is told of it any more (R37)."""
    if not end:
        return False
    moment = datetime.fromisoformat(end)
    return (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)) <= now
