"""The pass over both sides: records take what the mailbox says, and the journal what it is told.

Everything that is written to the mailbox goes through the outbox (docs/adr/0017): its row and the
row of the item are written in one transaction, so that a pass may be killed at any instruction.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.models.activity import ActivityKind
from desktop_crm.models.mail import ItemState
from desktop_crm.services import records
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.records import Change, Saved
from desktop_crm.sync import lease, outbox_rows
from desktop_crm.sync.outbox import BRAKE_ITEMS, BRAKE_SHARE
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.port import ContactItem, Folder, MeetingItem, TaskItem
from desktop_crm.sync.twoway import places, rows, shown, strikes
from desktop_crm.sync.twoway.fields import Frame, TwoWayItem, instant, moment_of
from desktop_crm.sync.twoway.incoming import differs
from desktop_crm.sync.twoway.kinds import Kind, fields_of_item, onto_item, onto_record
from desktop_crm.sync.twoway.lines import Consent, Line
from desktop_crm.sync.twoway.meetings import BUSY, CANCELLED
from desktop_crm.sync.twoway.merge import Base
from desktop_crm.sync.twoway.pairing import Pairing, Work
from desktop_crm.sync.twoway.plan import Side, Step, StepKind, past
from desktop_crm.sync.twoway.rows import Settings
from desktop_crm.sync.writes import (
    Ability,
    Deed,
    Delete,
    Notify,
    Ref,
    Save,
    Vanished,
    WritableMailbox,
)

_log = logging.getLogger(__name__)

QUESTION_OPEN: Final = timedelta(minutes=2)
"""How long a change that others may be told of waits for an answer; without one nobody is."""

ASKED: Final = N_(
    "Changed here; {people} other people take part and are not told unless you say so."
)
_ABLE: Final = {
    Kind.MEETING: Ability.MEETINGS,
    Kind.TASK: Ability.TASKS,
    Kind.CONTACT: Ability.CONTACTS,
}
_LOOKS: Final = 3
"""How often an item is looked at anew because the mailbox changed it meanwhile."""


class Braked(UserError):
    """A pass that would call off too much at once, and therefore did nothing of it."""


def writable(port: object, chosen: Settings) -> frozenset[Kind]:
    """Kinds of items that go out to a mailbox."""
    if not chosen.two_way or not isinstance(port, WritableMailbox):
        return frozenset()
    return frozenset(kind for kind, ability in _ABLE.items() if ability in port.abilities)


@dataclass(slots=True)
class TwoWayPass:
    """One pass; the caller holds the mailbox's lease.

    Attributes:
        holder: name under which the lease is held.
        folders: those that are read, but the calendar of shown meetings.
        every: all of them; None where they were not listed.
        calendar: the one in which meetings of the chosen accounts are shown.
        consent: what a person decided about the lines of a dry run.
        changes: what was written, for the windows.
    """

    actor: Actor
    mailbox: int
    port: WritableMailbox
    chosen: Settings
    holder: str
    folders: Sequence[Folder] = ()
    every: Sequence[Folder] | None = None
    calendar: Folder | None = None
    consent: Consent = Consent()  # noqa: RUF009  a value that never changes
    cancel: Cancel = field(default_factory=Cancel)
    changes: ChangeSet = NOTHING
    ordered: int = 0

    def run(self) -> None:
        """Bring both sides together; every item in a transaction of its own.

        Raises:
            Braked: too much would be called off; nothing was done.
            Cancelled: the work was stopped.
            EnvironmentProblem: the mailbox cannot be reached; what was done so far is kept.
        """
        with self.actor.db.reading() as connection:
            works = self.works(connection)
            struck = strikes.struck(connection, self.mailbox)
            holds = outbox_rows.held_by_mailbox(connection, self.mailbox)
            lines = self.folders_to_make(connection)
        brake(works, holds, struck, reviewed=self.consent.reviewed)
        self._make_folders([kind for kind, line in lines.items() if not line.struck])
        for work in works:
            self.cancel.check()
            steps = [
                s
                for s in work.decision.steps
                if not strikes.stands(struck, work.pair.key, s.fingerprint)
            ]
            try:
                self._one(work, steps)
            except EnvironmentProblem:
                raise
            except Vanished:
                _log.info("%s left the mailbox meanwhile; the next pass sees it", work.pair.key)
            except CrmError as problem:
                if isinstance(problem, UserError) and problem.field == "password":
                    raise  # asked again for every item, it would lock the account
                # A record that cannot be saved, or was changed this very moment, waits.
                _log.warning("%s: %s", work.pair.key, problem.template)

    def works(self, connection: Connection) -> list[Work]:
        """Everything either side changed, and what is to be shown in the CRM calendar."""
        return [*self.pairing(connection).all(), *self.shown(connection)]

    def shown(self, connection: Connection) -> list[Work]:
        """What is to be done in the CRM calendar."""
        if Kind.MEETING not in writable(self.port, self.chosen):
            return []
        if self.calendar is None:
            line = self.folders_to_make(connection).get(places.SHOWN)
            if line is None or line.struck:
                return []
        key = self.calendar.key if self.calendar is not None else ""
        return shown.Shown(connection, self.actor, self.mailbox, self.chosen, key).works()

    def pairing(self, connection: Connection) -> Pairing:
        """Both sides as they are stored now."""
        kinds = writable(self.port, self.chosen)
        nowhere = places.placeless(kinds, self.folders)
        for kind, line in self.folders_to_make(connection).items():
            if not line.struck and kind in nowhere:
                del nowhere[Kind(kind)]
        loud = Ability.QUIET not in self.port.abilities
        return Pairing(connection, self.actor, self.mailbox, self.chosen, kinds, nowhere, loud)

    def folders_to_make(self, connection: Connection) -> dict[str, Line]:
        """Folders the mailbox lacks, as lines of a dry run; a struck one is not made."""
        kinds = writable(self.port, self.chosen)
        found: list[str] = [
            *places.missing(connection, self.mailbox, self.port, self.chosen, kinds, self.every)
        ]
        if Kind.MEETING in kinds and places.lacks_shown(
            self.actor, self.port, self.chosen, self.every
        ):
            found.append(places.SHOWN)
        struck = strikes.struck(connection, self.mailbox) if found else {}
        return {kind: places.line_of(kind, struck) for kind in found}

    def _make_folders(self, kinds: Sequence[str]) -> None:
        """Order what is missing; what goes there is written with the next pass."""
        if not kinds:
            return
        with self.actor.db.writing() as connection:
            self._still_ours(connection)
            for kind in kinds:
                places.order(connection, self.mailbox, kind, self.actor.user_id)
        self.ordered += len(kinds)

    def _one(self, work: Work, steps: list[Step]) -> None:
        here = [step for step in steps if step.side is Side.HERE]
        there = [
            step
            for step in steps
            if step.side is Side.MAILBOX and step.what not in (StepKind.CONFLICT, StepKind.REFUSED)
        ]
        self._agree(work, here, pending=bool(there))
        for step in there:
            self._order(work, step)

    # --- this side ------------------------------------------------------------------------

    def _agree(self, work: Work, here: Sequence[Step], *, pending: bool) -> None:
        """Take what the mailbox says and keep what both sides agree on then: both or neither.

        Args:
            work: the pair.
            here: what is to be done on this side.
            pending: something has yet to be ordered from the mailbox; until that is written down,
                the record counts as changed.
        """
        if not here and work.row is None:
            return
        saved: Saved | None = None
        with self.actor.db.writing() as connection:
            self._still_ours(connection)
            for step in here:
                saved = self._here(connection, work, step)
            self._settle_here(connection, work, here, saved, pending=pending)
        if saved is not None:
            self.changes = self.changes.merge(saved.changes)

    def _still_ours(self, connection: Connection) -> None:
        lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)

    def _here(self, connection: Connection, work: Work, step: Step) -> Saved:
        kind, record = work.pair.kind, dict(work.record or {})
        gives = {"status": CANCELLED} if step.what is StepKind.CANCEL else step.gives
        frame = Frame(self.actor.zone, self.actor.language)
        values = _lines(onto_record(kind, gives, record, frame))
        if step.what is StepKind.CREATE:
            values |= {"owner": self.chosen.user}
            if kind is Kind.TASK:
                values |= {"kind": ActivityKind.TASK.value}
                values.setdefault("subject", tr(BUSY))
        entity = "contact" if kind is Kind.CONTACT else "activity"
        local = work.pair.local
        change = Change(local.record if local else None, record.get("version"), values)
        return records.save_within(connection, self.actor, entity, change, source="sync")

    def _settle_here(
        self,
        connection: Connection,
        work: Work,
        here: Sequence[Step],
        saved: Saved | None,
        *,
        pending: bool,
    ) -> None:
        """Keep what both sides agree on now, with the version of the record that says so."""
        row = work.row
        if row is None:
            return
        base = work.decision.base
        struck = len(here) < sum(1 for s in work.decision.steps if s.side is Side.HERE)
        if struck or base is None:
            return
        if any(step.what is StepKind.CANCEL for step in here):
            off = {"status": CANCELLED}
            base = Base({**base.local, **off}, {**base.mailbox, **off})
        if saved is not None:
            record, version = saved.id, saved.version
        elif work.pair.local is not None:
            record = work.pair.local.record
            version = int((work.record or {}).get("version") or 0)
        else:
            return
        remote = work.pair.remote
        kind = work.pair.kind
        open_ = remote is not None and differs(kind, base.stored(), remote.fields)
        values: dict[str, Any] = {
            "base": base.stored(),
            "seen": dict(remote.fields) if open_ and remote is not None else None,
            "record_version": 0 if pending else version,
            "contact_id" if kind is Kind.CONTACT else "activity_id": record,
        }
        rows.keep(connection, row.id, values, self.actor.user_id)

    # --- the mailbox ----------------------------------------------------------------------

    def _order(self, work: Work, step: Step) -> None:
        """Put what a step means into the journal, on top of the item as it stands now."""
        for _ in range(_LOOKS):
            made = self._deeds(work, step)
            if made is not None:
                self._write_down(work, step, made)
                return
            again = self._look_again(work)
            if again is None:
                return
            work = again
            left = [s for s in again.decision.steps if s.side is step.side and s.what is step.what]
            if not left:
                return
            step = left[0]

    def _look_again(self, work: Work) -> Work | None:
        """The pair with the item as it stands now: it changed since it was read."""
        local, row = work.pair.local, work.row
        if local is None or row is None:
            return None
        image = self.port.image(Ref(row.folder, row.item_key))
        if not isinstance(image.item, MeetingItem | TaskItem | ContactItem):
            return None
        seen = {"seen": fields_of_item(image.item)}
        with self.actor.db.writing() as connection:
            self._still_ours(connection)
            rows.keep(connection, row.id, seen, self.actor.user_id)
            again = self.pairing(connection).one(work.pair.kind, local.record)
        if again is None:
            return None
        here = [s for s in again.decision.steps if s.side is Side.HERE]
        self._agree(again, here, pending=len(here) < len(again.decision.steps))
        with self.actor.db.reading() as connection:
            return self.pairing(connection).one(work.pair.kind, local.record)

    def _deeds(self, work: Work, step: Step) -> list[Deed] | None:
        """The deeds of a step; None when the item is no longer as it was seen."""
        if work.row is None or work.row.ordered:
            return self._creation(work, step)
        ref = Ref(work.row.folder, work.row.item_key)
        image = self.port.image(ref)
        item = image.item
        if not isinstance(item, MeetingItem | TaskItem | ContactItem):
            return []
        remote = work.pair.remote
        if remote is not None and differs(
            work.pair.kind, {"local": {}, "mailbox": remote.fields}, fields_of_item(item)
        ):
            return None
        series = self._series_ref(work)
        if step.what is StepKind.DELETE:
            if step.occurrences:
                return [
                    Delete(new_uid(), image.ref, instant(moment_of(day)))
                    for day in step.occurrences
                ]
            original = (work.record or {}).get("recurrence_id")
            if series is not None and original:
                return [Delete(new_uid(), series, instant(moment_of(original)))]
            return [Delete(new_uid(), image.ref)]
        return [Save(new_uid(), ref.folder, onto_item(item, step.gives), series or image.ref)]

    def _series_ref(self, work: Work) -> Ref | None:
        if work.series is None:
            return None
        return self.port.image(Ref(work.series.folder, work.series.item_key)).ref

    def _creation(self, work: Work, step: Step) -> list[Deed]:
        record = work.record or {}
        item: TwoWayItem
        series = self._series_ref(work)
        folder = self._folder(work)
        if folder is None:
            return []
        uid = record.get("ical_uid") or new_uid()
        if work.pair.kind is Kind.MEETING:
            start, end = record["start_at"], record.get("end_at") or record["start_at"]
            item = MeetingItem(uid, start, end)
            if record.get("recurrence_id"):
                item = replace(item, recurrence_id=moment_of(record["recurrence_id"]))
        elif work.pair.kind is Kind.TASK:
            item = TaskItem(uid)
        else:
            item = ContactItem(uid)
        item = onto_item(item, step.gives)
        if not isinstance(item, ContactItem) and step.gives.get("privacy"):
            item = replace(item, subject=tr(BUSY))
        return [Save(new_uid(), folder, item, series)]

    def _folder(self, work: Work) -> str | None:
        """Where a new item goes; None where the mailbox has no such place."""
        if work.shown is not None:
            return work.shown or None
        if work.series is not None:
            return work.series.folder
        role = places.ROLES[work.pair.kind]
        return next((one.key for one in self.folders if one.role is role), None)

    def _write_down(self, work: Work, step: Step, deeds: Sequence[Deed]) -> None:
        if not deeds:
            return
        now = clock.now()
        local = work.pair.local
        when = step.gives.get("when") or (local.fields.get("when") if local else None) or {}
        question = step.people > 0 and not past(when.get("end"), now) and not step.asked
        told = (("people", step.people),) if question else ()
        why = Reason(
            ASKED if question else step.reason, (*step.params, *told, ("step", step.fingerprint))
        )
        agreed = step.asked and step.fingerprint in self.consent.agreed
        tell = step.tells or (step.people > 0 and step.fingerprint in self.consent.told)
        if tell:
            everybody = Notify.EVERYBODY
            deeds = [
                replace(one, notify=everybody) if isinstance(one, Save | Delete) else one
                for one in deeds
            ]
        activity = local.record if local and work.pair.kind is not Kind.CONTACT else None
        if work.shown is not None:
            activity = (work.record or {}).get("id")
        with self.actor.db.writing() as connection:
            self._still_ours(connection)
            order = 0
            for deed in deeds:
                order = outbox_rows.insert(
                    connection,
                    self.mailbox,
                    deed,
                    why=why,
                    title=work.pair.title,
                    activity=activity,
                    due_at=now + QUESTION_OPEN if question and not tell else None,
                    held=step.asked and not agreed,
                    confirmed=agreed,
                )
            if work.shown is not None:
                new = (self.mailbox, deeds[-1].own_key)
                values = {"order_id": order, "base": shown.ordered(work, step)}
                shown.place(connection, new, work, values, self.actor.user_id)
            else:
                self._mark_ordered(connection, work, deeds[-1], order)
        self.ordered += len(deeds)

    def _mark_ordered(self, connection: Connection, work: Work, deed: Deed, order: int) -> None:
        by, local = self.actor.user_id, work.pair.local
        if work.row is not None:
            rows.keep(connection, work.row.id, {"order_id": order}, by)
            return
        if local is None or not isinstance(deed, Save):
            return
        column = "contact_id" if work.pair.kind is Kind.CONTACT else "activity_id"
        values = {"state": ItemState.ORDERED.value, "order_id": order, column: local.record}
        rows.place(connection, (self.mailbox, deed.folder, f"new:{deed.own_key}"), values, by)


def _lines(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with child rows as they are saved: links without the suffix of their column."""
    found = dict(values)
    for name in ("parties",):
        if name in found:
            found[name] = [
                {key.removesuffix("_id"): value for key, value in row.items()}
                for row in found[name]
            ]
    return found


def brake(works: Sequence[Work], holds: int, struck: Mapping[str, str], *, reviewed: bool) -> None:
    """Stop before too much is called off at once: a mailbox may have lost a folder.

    Raises:
        Braked: it is more than 5, or more than 10 % of what the mailbox holds.
    """
    off = [s for w in works for s in w.decision.steps if s.what is StepKind.CANCEL]
    many = sum(1 for s in off if not strikes.stands(struck, s.key, s.fingerprint))
    share = many > 1 and many * 100 > BRAKE_SHARE * holds > 0
    if reviewed or not (many > BRAKE_ITEMS or share):
        return
    raise Braked(
        N_(
            "{many} meetings and tasks were deleted in the mailbox at once and would be called off "
            "here. Nothing was changed; look through the list of the dry run and let it go on if "
            "that is right."
        ),
        many=many,
    )
