"""What both sides changed differently: shown with both values, ended by a person's choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.mail import ItemState
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.sync.twoway import rows
from desktop_crm.sync.twoway.kinds import TABLES, Kind
from desktop_crm.sync.twoway.lines import in_words
from desktop_crm.sync.twoway.merge import decided
from desktop_crm.sync.twoway.pairing import Pairing, Work
from desktop_crm.sync.twoway.plan import Step, StepKind


@dataclass(frozen=True, slots=True)
class Values:
    """One field both sides changed, with both values in words."""

    field: str
    label: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """One item both sides changed.

    Attributes:
        record: key of the record.
        fingerprint: of these very values; a choice holds for no others.
    """

    mailbox: int
    kind: Kind
    record: int
    title: str
    values: tuple[Values, ...]
    fingerprint: str


_MOVED_ON = N_(
    "One of the sides changed again meanwhile. Nothing was overwritten; look at the values as they "
    "are now."
)


def open_conflicts(actor: Actor, mailbox: int | None = None) -> list[Conflict]:
    """Everything that waits for a choice, in one mailbox or in all of the user's.

    Costs what pairing both sides costs; call it on a reader thread.

    Raises:
        NotFound: there is no such mailbox, or it is another's.
    """
    if mailbox is not None:
        wanted = [mailboxes.get(actor, mailbox)]
    else:
        wanted = [m for m in mailboxes.list_mailboxes(actor) if m.user_id == actor.user_id]
    found: list[Conflict] = []
    for box in wanted:
        with actor.db.reading() as connection:
            chosen = rows.settings(connection, box.id)
            if not chosen.two_way:
                continue
            works = Pairing(connection, actor, box.id, chosen, frozenset(Kind)).changed()
        found += [one for work in works if (one := _conflict(actor, box.id, work)) is not None]
    return found


def _step(work: Work) -> Step | None:
    steps = work.decision.steps
    return next((step for step in steps if step.what is StepKind.CONFLICT), None)


def _conflict(actor: Actor, mailbox: int, work: Work) -> Conflict | None:
    step, local = _step(work), work.pair.local
    if step is None or local is None:
        return None
    labels = {one.name: tr(one.label) for one in TABLES[step.kind].fields}
    values = tuple(
        Values(name, labels[name], in_words(mine, actor), in_words(theirs, actor))
        for name, (mine, theirs) in step.values.items()
    )
    return Conflict(mailbox, step.kind, local.record, step.title, values, step.fingerprint)


def choose(actor: Actor, conflict: Conflict, mine: Mapping[str, bool]) -> None:
    """End a conflict, or part of it; the next pass writes the chosen values.

    Args:
        actor: who decides.
        conflict: as it was shown.
        mine: by field, True for the value of the record and False for that of the mailbox.

    Raises:
        UserError: one of the sides changed again; nothing was decided.
    """
    with actor.db.writing() as connection:
        chosen = rows.settings(connection, conflict.mailbox)
        pairing = Pairing(connection, actor, conflict.mailbox, chosen, frozenset(Kind))
        work = pairing.one(conflict.kind, conflict.record)
        step = _step(work) if work is not None else None
        if work is None or step is None or step.fingerprint != conflict.fingerprint:
            raise UserError(_MOVED_ON)
        pair = work.pair
        if work.row is None or pair.local is None or pair.remote is None:
            raise UserError(_MOVED_ON)
        base = decided(pair.base, pair.local.fields, pair.remote.fields, mine)
        values = {
            "base": base.stored(),
            "seen": dict(pair.remote.fields),
            "state": ItemState.STORED.value,
        }
        rows.keep(connection, work.row.id, values, actor.user_id)


def choose_all(actor: Actor, found: Sequence[Conflict], *, mine: bool) -> None:
    """End several conflicts in favour of one side.

    Raises:
        UserError: one of the sides changed again; what came before it is decided.
    """
    for one in found:
        choose(actor, one, {value.field: mine for value in one.values})
