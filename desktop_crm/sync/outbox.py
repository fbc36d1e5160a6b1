"""Doing what the journal says: every write to a mailbox, once, with a way back.

A deed stands in the journal before anything goes out (docs/adr/0017). Before it is done, what it
changes is kept; before it is done again, the mailbox is asked whether it was done already. So a
pass may be killed at any instruction: the next one finds out and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from desktop_crm.core import clock
from desktop_crm.core.errors import Cancelled, CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.db.engine import Cancel
from desktop_crm.models.activity import ActivityReason
from desktop_crm.models.outbox import DeedKind, OutboxState
from desktop_crm.services.bulk.job import BulkReport
from desktop_crm.services.changes import ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import noting, outbox
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync import lease, noted, outbox_rows
from desktop_crm.sync.deed_form import refuse_unable
from desktop_crm.sync.mapping import message_key
from desktop_crm.sync.outbox_rows import Entry, Reason
from desktop_crm.sync.port import MailItem, MeetingItem, Response
from desktop_crm.sync.results import OutboxResult
from desktop_crm.sync.settling import settled
from desktop_crm.sync.twoway.kinds import says
from desktop_crm.sync.writes import (
    UNSEEN,
    Answer,
    Deed,
    Delete,
    Image,
    Mark,
    Move,
    PutBack,
    Ref,
    Save,
    SaveDraft,
    Send,
    Stale,
    Vanished,
    WritableMailbox,
    Written,
)

_log = logging.getLogger(__name__)

BRAKE_ITEMS: Final = 5
BRAKE_SHARE: Final = 10
"""A pass deletes at most so many items, and so many per cent of what the mailbox holds."""

KEPT_FOR: Final = timedelta(days=30)
"""How long what stood before a change can be restored."""

_SENDING: Final = timedelta(minutes=30)
_AHEAD: Final = timedelta(minutes=10)
"""More than two clocks differ by, and more than a message waits to be called back."""

_FIRST_WAIT_S: Final = 30.0
_LONGEST_WAIT_S: Final = 3600.0

_STALE: Final = N_(
    "It was changed in the mailbox meanwhile, so nothing was overwritten. Look at it as it stands "
    "now and do it again."
)
_VANISHED: Final = N_("It is no longer where it was in the mailbox. Nothing was changed there.")
_BROKEN: Final = N_(
    "Something went wrong inside the program; the details are in the log. It may have been done: "
    "trying again asks the mailbox first."
)
_LATER: Final = N_("{problem} The next try is at {time}.")


def order(
    actor: Actor,
    mailbox: int,
    deed: Deed,
    *,
    why: Reason = Reason(),  # noqa: B008  a value that never changes
    title: str = "",
    activity: int | None = None,
    due_at: datetime | None = None,
    held: bool = False,
    confirmed: bool = False,
    operation: str = "",
    notes: Notes | None = None,
) -> int:
    """Put a deed into the journal of one of the user's mailboxes; nothing goes out yet.

    Args:
        actor: who orders it.
        mailbox: the mailbox's key.
        deed: what to do; its own key must be new.
        why: what the history says about it.
        title: subject of what it is about, where the deed does not know.
        activity: the record that stands for it.
        due_at: not before this moment; None for the next pass.
        held: wait until a person lets it go.
        confirmed: a person decided this very deletion: the brake lets it pass.
        operation: the step of the audit trail it follows from.
        notes: records that wait for the letter to be sent, kept with a draft of it.

    Returns:
        Key of the entry.

    Raises:
        NotFound: the mailbox does not exist, or is another's.
    """
    outbox.own_mailbox(actor, mailbox)
    with actor.db.writing() as connection:
        return outbox_rows.insert(
            connection,
            mailbox,
            deed,
            why=why,
            title=title,
            activity=activity,
            due_at=due_at,
            held=held,
            confirmed=confirmed,
            operation=operation,
            notes=notes,
        )


@dataclass(slots=True)
class OutboxPass:
    """One pass over the journal of one mailbox; the caller holds the mailbox's lease.

    Attributes:
        actor: who acts.
        mailbox: key of the mailbox.
        port: the mailbox itself.
        holder: name under which the lease is held.
        cancel: stops between two deeds.
    """

    actor: Actor
    mailbox: int
    port: WritableMailbox
    holder: str
    cancel: Cancel = field(default_factory=Cancel)
    result: OutboxResult = field(default_factory=OutboxResult)

    def run(self) -> OutboxResult:
        """Do everything that is due, in the order it was ordered; one statement if nothing is.

        A problem that may pass ends the pass over the journal, not the reading of the mailbox.
        It can be run again while the mailbox is read: a message is not kept waiting by a long one.

        Raises:
            Cancelled: the work was stopped; what is done stands in the journal.
            UserError: the password was refused: nothing is tried again with it.
        """
        with self.actor.db.reading() as connection:
            entries = outbox_rows.open_entries(connection, self.mailbox)
        if self.result.problem is not None or not any(_is_due(entry) for entry in entries):
            return self.result
        self._brake(entries)
        waiting: set[tuple[str, str]] = set()
        for number in [entry.id for entry in entries]:
            self.cancel.check()
            entry = self._again(number)
            if entry is None:
                continue
            if entry.place in waiting or not _is_due(entry):
                waiting |= {entry.place} if entry.place else set()
                continue
            if not self._one(entry):
                break
        return self.result

    def tidy(self) -> None:
        """Drop what can no longer be taken back."""
        with self.actor.db.writing() as connection:
            outbox_rows.forget_old(connection, self.mailbox, clock.now() - KEPT_FOR)

    def _again(self, number: int) -> Entry | None:
        """The entry as it stands now: an earlier deed or a person may have changed it."""
        with self.actor.db.reading() as connection:
            found = outbox_rows.open_entries(connection, self.mailbox, number)
        return found[0] if found else None

    def _brake(self, entries: list[Entry]) -> None:
        """Hold all deletions nobody looked at when they are too many, before any is done."""
        unseen = [e for e in entries if outbox_rows.deletes(e) and e.attempts == 0]
        due = [e.id for e in unseen if e.state is OutboxState.WAITING and _is_due(e)]
        if not due:
            return
        many = sum(1 for e in unseen if e.id in due or e.state is OutboxState.HELD)
        with self.actor.db.writing() as connection:
            holds = outbox_rows.held_by_mailbox(connection, self.mailbox)
            # One alone is never too many, however little the mailbox holds.
            share = many > 1 and many * 100 > BRAKE_SHARE * holds > 0
            if many > BRAKE_ITEMS or share:
                outbox_rows.brake(connection, due, _braked(many))
                self.result.held += len(due)
                self._report(due)

    def _one(self, entry: Entry) -> bool:
        """Do one deed and say how it went; False when the mailbox cannot be reached now."""
        with self.actor.db.writing() as connection:
            # A message with large files on a slow line outlasts the usual lease; were another
            # machine to take it over meanwhile, it would find nothing in Sent yet.
            lasting = _SENDING if entry.deed is DeedKind.SEND else lease.LEASE
            lease.keep(connection, self.mailbox, self.holder, self.actor.user_id, lasting)
            if not outbox_rows.begin(connection, entry):
                return True
            deed = outbox_rows.deed_of(connection, entry)
        try:
            written = self._written(entry, deed)
        except Exception as error:  # sorted out there; nothing is swallowed
            return self._not_done(entry, deed, error)
        if written is None:
            self._give_up(entry)
        else:
            self._done(entry, written)
        return True

    def _not_done(self, entry: Entry, deed: Deed, error: Exception) -> bool:
        match error:
            case Stale():
                self._fail(entry, OutboxState.STALE, tr(_STALE))
            case Vanished():
                self._vanished(entry, deed)
            case Cancelled():
                raise error
            case EnvironmentProblem():
                self._postpone(entry, error)
                self.result.problem = error
                return False
            case UserError() if error.field == "password":
                self._postpone(entry, error)
                raise error
            case CrmError():
                self._fail(entry, OutboxState.FAILED, str(error))
            case _:
                # One deed the program cannot do must not keep mail from being read for ever.
                _log.error("deed %d of mailbox %d", entry.id, self.mailbox, exc_info=error)
                self._fail(entry, OutboxState.FAILED, tr(_BROKEN))
        return True

    def _written(self, entry: Entry, deed: Deed) -> Written | None:
        """Do it, unless an earlier try did; None when it was given up and never done."""
        if entry.attempts:
            found = self.port.find(deed) or self._seen_done(deed)
            if found is not None:
                return self._as_left(deed, found)
            if entry.cancelling:
                return None
        refuse_unable(self.port.abilities, deed)
        ref = outbox_rows.ref_of(deed)
        if ref is not None:
            self._keep_image(entry, deed, ref)
        return self.port.do(deed)

    def _as_left(self, deed: Deed, found: Written) -> Written:
        """What an earlier try left behind, with its version only where that try gave it.

        Somebody may have changed it since the answer was lost, and nobody here saw that yet.
        """
        if not isinstance(deed, Save) or found.ref is None:
            return found
        image = self.port.image(found.ref)
        if says(image.item, deed.item):
            return Written(image.ref, image.item)
        return replace(found, ref=replace(found.ref, change_key=UNSEEN))

    def _seen_done(self, deed: Deed) -> Written | None:
        """Whether the item shows that an earlier try was done, for deeds that leave no key.

        It matters where doing them again would be refused because the item is newer by that try.
        """
        if not isinstance(deed, Answer | Delete):
            return None
        image = self.port.image(deed.ref)
        item = image.item
        if not isinstance(item, MeetingItem):
            return None
        if isinstance(deed, Answer):
            done = item.my_response is deed.response
        else:
            done = deed.occurrence is not None and deed.occurrence in item.exdates
        return Written(image.ref, item) if done else None

    def _keep_image(self, entry: Entry, deed: Deed, ref: Ref) -> None:
        with self.actor.db.reading() as connection:
            kept = outbox_rows.image_of(connection, entry.id)
        if kept is not None:
            return  # that of the first try: now the item may be as the deed left it
        image = self.port.image(ref)
        with self.actor.db.writing() as connection:
            outbox_rows.keep_image(connection, entry, deed, image)

    def _vanished(self, entry: Entry, deed: Deed) -> None:
        if isinstance(deed, Delete) or (isinstance(deed, Move) and entry.attempts):
            # Deleted by somebody else is deleted; moved by an earlier try is moved.
            self._done(entry, Written(None))
        elif entry.cancelling:
            self._give_up(entry)
        else:
            self._fail(entry, OutboxState.STALE, tr(_VANISHED))

    def _done(self, entry: Entry, written: Written) -> None:
        self.result.done += 1
        with self.actor.db.writing() as connection:
            # Before later deeds follow the item to its new place.
            told = settled(connection, entry, done=True)
            # Before what the order says is forgotten.
            report = self._noted(connection, entry)
            said = "" if report is None else noting.text(report)
            outbox_rows.finish(connection, entry, OutboxState.DONE, said, written)
            if entry.deed is DeedKind.SEND and entry.activity is not None:
                told = told.merge(self._sent(connection, entry.activity, written))
        # Nobody is told of what did not last.
        self.result.changes = self.result.changes.merge(told)
        if report is not None:
            self.result.noted.append(report)
            self.result.changes = self.result.changes.merge(report.changes)
        self._report([entry.id])

    def _noted(self, connection: Connection, entry: Entry) -> BulkReport | None:
        if entry.deed is not DeedKind.SEND:
            return None
        return noted.note(connection, self.actor, entry.id)

    def _sent(self, connection: Connection, activity: int, written: Written) -> ChangeSet:
        told = outbox.tell(connection, self.actor, activity, ActivityReason.SENT)
        if isinstance(written.item, MailItem) and written.item.has_message_id:
            # Some servers give a message another Message-ID; answers will name that one.
            outbox_rows.rename(connection, activity, message_key(written.item.message_id))
        return told

    def _fail(self, entry: Entry, state: OutboxState, message: str) -> None:
        self.result.failed += 1
        with self.actor.db.writing() as connection:
            outbox_rows.finish(connection, entry, state, message)
            told = settled(connection, entry, done=False)
            self.result.changes = self.result.changes.merge(told)
            if entry.deed is DeedKind.SEND and entry.activity is not None:
                told = outbox.tell(connection, self.actor, entry.activity, ActivityReason.NOT_SENT)
                self.result.changes = self.result.changes.merge(told)
        self._report([entry.id])

    def _postpone(self, entry: Entry, problem: CrmError) -> None:
        self.result.postponed += 1
        due_at = clock.now() + timedelta(seconds=_wait_s(entry.attempts, problem.params))
        time = self.actor.formats.datetime(due_at)
        message = tr(_LATER, problem=str(problem), time=time)
        with self.actor.db.writing() as connection:
            outbox_rows.postpone(connection, entry, message, due_at)
        self._report([entry.id])

    def _give_up(self, entry: Entry) -> None:
        with self.actor.db.writing() as connection:
            told = outbox.give_up(connection, self.actor, entry.id, entry.deed, entry.activity)
        self.result.changes = self.result.changes.merge(told)

    def _report(self, items: list[int]) -> None:
        told = outbox.changed(items, ChangeKind.UPDATED)
        self.result.changes = self.result.changes.merge(told)


def _braked(many: int) -> str:
    return ntr(
        "{n} item would be deleted from the mailbox at once. None was; look through them and let "
        "go those that are right.",
        "{n} items would be deleted from the mailbox at once. None was; look through them and let "
        "go those that are right.",
        many,
    )


def _is_due(entry: Entry) -> bool:
    """Whether it is done in this pass; one that was being done when the last pass died is."""
    if entry.state is OutboxState.RUNNING:
        return True
    now = clock.now()
    if entry.state is not OutboxState.WAITING or entry.due_at <= now:
        return entry.state is OutboxState.WAITING
    # Ordered by a clock that ran ahead: what waited for minutes would wait for years. A time that
    # a person chose stands.
    ran_ahead = entry.ordered_at > now + _AHEAD
    return ran_ahead and (entry.attempts > 0 or entry.due_at - entry.ordered_at <= _AHEAD)


def _wait_s(attempts: int, params: Mapping[str, object]) -> float:
    """Seconds until the next try: longer each time, and at least as long as the server asks."""
    own = min(_FIRST_WAIT_S * 4.0 ** min(attempts, 10), _LONGEST_WAIT_S)
    asked = params.get("retry_after")
    return max(own, float(asked)) if isinstance(asked, int | float) else own


def restore(actor: Actor, item: int) -> int:
    """Order what takes a deed back: the item as it stood before, where it lay, or its removal.

    What was changed in the mailbox since is not overwritten: the order then ends as outdated.

    Returns:
        Key of the entry that restores it.

    Raises:
        NotFound: there is no such deed, or it is another's.
        UserError: it cannot be taken back.
    """
    row = outbox.get(actor, item)
    if row.state is not OutboxState.DONE:
        raise UserError(N_("Only what was done can be taken back."), field="item")
    if row.deed is DeedKind.SEND:
        raise UserError(N_("A message that was sent cannot be taken back."), field="item")
    if row.deed is DeedKind.MAKE_FOLDER:
        raise UserError(
            N_(
                "The folder may hold something by now, so it stays. Delete it in the mailbox if "
                "you do not want it; it is not made again."
            ),
            field="item",
        )
    with actor.db.reading() as connection:
        deed, result = outbox_rows.done(connection, item)
        image = outbox_rows.image_of(connection, item)
    opposite = _opposite(deed, image, result)
    if opposite is None:
        raise UserError(_ANSWERED if row.deed is DeedKind.ANSWER else _NO_IMAGE, field="item")
    why = Reason(N_("Takes back what was done on {time}."), (("time", _time(actor, row)),))
    with actor.db.writing() as connection:
        return outbox_rows.insert(
            connection,
            row.mailbox_id,
            opposite,
            why=why,
            title=row.title,
            activity=row.activity_id,
            confirmed=True,
            restores=item,
        )


_NO_IMAGE: Final = N_("What stood before is no longer kept, so it cannot be put back.")
_ANSWERED: Final = N_("An answer cannot be taken back; answer the invitation anew.")


def _time(actor: Actor, row: outbox.OutboxRow) -> str:
    return actor.formats.datetime(row.done_at or row.ordered_at)


def _opposite(deed: Deed, image: Image | None, result: Ref | None) -> Deed | None:
    """What takes a deed back; None when nothing does."""
    key = new_uid()
    match deed:
        case Send():
            return None
        case Save() | SaveDraft() | PutBack() if outbox_rows.ref_of(deed) is None:
            return None if result is None else Delete(key, result)
        case Answer():
            return _answer_before(key, image, result)
        case _ if image is None:
            return None
        case Delete() if result is None:
            return PutBack(key, image)
        case Mark() if result is not None:
            return Mark(key, result, image.is_read, image.flag, image.categories)
        case Move() if result is not None:
            return Move(key, result, image.ref.folder)
        case SaveDraft() if result is not None and isinstance(image.item, MailItem):
            return SaveDraft(key, image.item.message_id, image.raw, result)
        case _ if result is not None and not isinstance(image.item, MailItem):
            return Save(key, result.folder, image.item, result)
    return None


def _answer_before(key: str, image: Image | None, result: Ref | None) -> Deed | None:
    item = None if image is None else image.item
    if result is None or not isinstance(item, MeetingItem) or item.my_response is Response.NONE:
        return None
    return Answer(key, result, item.my_response)
