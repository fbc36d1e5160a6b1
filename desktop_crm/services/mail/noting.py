"""A letter to many, noted on each record it went to once it has left: not before, and only once.

The records wait with the order to send; the notes are written in the transaction that says it is
sent. Each tells of the letter itself and of nobody else who got it (docs/adr/0021).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from desktop_crm.core import clock
from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.text import canonical_email
from desktop_crm.models import Mailbox, OutboxItem, User
from desktop_crm.models.activity import ActivityKind, ActivityReason, ActivityState, Direction
from desktop_crm.services.bulk import deeds
from desktop_crm.services.bulk.job import BulkReport, Failure, Targets
from desktop_crm.services.context import Actor, as_seen_by
from desktop_crm.services.mail import outbox

_KEY: Final = "notes"
"""Beside the fields of the deed, in what the outbox keeps of it."""
_NAMED: Final = 5
"""Records named in the sentence about those that got no note."""
_NEVER: Final = N_("Mail like this is never stored.")


@dataclass(frozen=True, slots=True)
class Notes:
    """Records a letter is to be noted on.

    Attributes:
        entity: what they are, all of one kind.
        addresses: key of each and the address it is written to.
    """

    entity: str
    addresses: tuple[tuple[int, str], ...]

    def among(self, recipients: Iterable[str]) -> Notes | None:
        """Those that are still written to, by whichever line; None for none."""
        known = {_same(address) for address in recipients}
        left = tuple(one for one in self.addresses if _same(one[1]) in known)
        return replace(self, addresses=left) if left else None

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return {"entity": self.entity, "addresses": [list(one) for one in self.addresses]}


def restored(kept: Mapping[str, Any] | None) -> Notes | None:
    """What :meth:`Notes.kept` made this of; None of nothing."""
    if kept is None:
        return None
    return Notes(kept["entity"], tuple((key, address) for key, address in kept["addresses"]))


def with_notes(payload: dict[str, Any], notes: Notes | None) -> dict[str, Any]:
    """What the outbox keeps of a deed, with the records that wait for it."""
    return payload if notes is None else {**payload, _KEY: notes.kept()}


def waiting(actor: Actor, item: int) -> Notes | None:
    """Records that wait for one of the user's own deeds.

    Raises:
        NotFound: there is no such deed, or it is another's.
    """
    outbox.get(actor, item)
    with actor.db.reading() as connection:
        payload = connection.execute(
            select(OutboxItem.payload).where(OutboxItem.id == item)
        ).scalar()
    return restored((payload or {}).get(_KEY))


def note(connection: Connection, actor: Actor, item: int) -> BulkReport | None:
    """Note a letter that has just left, in the name of who sent it; None where nobody asked for it.

    Args:
        connection: the transaction that says that it is sent: both stand, or neither.
        actor: who runs the pass.
        item: its key in the outbox, whose content is still kept.

    Returns:
        The notes, which one undo takes back, and the records that got none with the reason.
    """
    row = (
        connection.execute(
            select(
                OutboxItem.payload,
                OutboxItem.title,
                OutboxItem.activity_id,
                Mailbox.user_id,
                User.login,
            )
            .join(Mailbox, Mailbox.id == OutboxItem.mailbox_id)
            .outerjoin(User, User.id == Mailbox.user_id)
            .where(OutboxItem.id == item)
        )
        .mappings()
        .one()
    )
    notes = restored((row["payload"] or {}).get(_KEY))
    if notes is None:
        return None
    if row["activity_id"] is None:
        return _none(notes, tr(_NEVER))
    try:
        return _noted(connection, _sender(actor, row), notes, row["title"] or "")
    except (PermissionDenied, UserError) as error:
        # The letter has left: that stands, whatever the records take.
        return _none(notes, str(error))


def _sender(actor: Actor, row: RowMapping) -> Actor:
    """Who sent it: an administrator's pass over the mailboxes of one file notes for each user."""
    if row["user_id"] in (None, actor.user_id):
        return actor
    return as_seen_by(actor.db, row["login"] or "")


def _noted(connection: Connection, sender: Actor, notes: Notes, subject: str) -> BulkReport:
    now = clock.now()
    values = {
        "subject": subject or tr("E-mail"),
        "kind": ActivityKind.EMAIL.value,
        "direction": Direction.OUTGOING.value,
        "state": ActivityState.COMPLETED.value,
        "status_reason": ActivityReason.SENT.value,
        "occurred_at": now,
        "completed_at": now,
        "owner": sender.user_id,
    }
    targets = Targets(notes.entity, [key for key, _address in notes.addresses])
    return deeds.add_activities(sender, targets, values, within=connection)


def _none(notes: Notes, reason: str) -> BulkReport:
    failures = tuple(Failure(key, "", reason) for key, _address in notes.addresses)
    return BulkReport("", len(failures), 0, failures=failures)


def done_text(report: BulkReport) -> str:
    """On how many records it was noted, in a sentence; empty for none."""
    if not report.done:
        return ""
    return ntr("Noted on {n} record.", "Noted on {n} records.", report.done)


def missing_text(report: BulkReport) -> str:
    """On how many records it could not be noted and why; empty where it stands on all."""
    if not report.failures:
        return ""
    said = dict.fromkeys(
        f"{one.title}: {one.reason}" if one.title else one.reason for one in report.failures
    )
    shown = list(said)[:_NAMED]
    return ntr(
        "Not noted on {n} record: {reasons}",
        "Not noted on {n} records: {reasons}",
        len(report.failures),
        reasons=" ".join([*shown, *(["…"] if len(said) > _NAMED else [])]),
    )


def text(report: BulkReport) -> str:
    """Both in one, for the outbox."""
    return " ".join(filter(None, (done_text(report), missing_text(report))))


def _same(address: str) -> str:
    return canonical_email(address) or address
