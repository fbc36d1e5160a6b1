"""Records that wait for a letter to leave, to be noted on each of them, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.i18n import ntr
from desktop_crm.core.text import canonical_email
from desktop_crm.models import OutboxItem
from desktop_crm.services.bulk.job import BulkReport
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import outbox

_KEY: Final = "notes"
"""Beside the fields of the deed, in what the outbox keeps of it."""
_NAMED: Final = 5
"""Records named in the sentence about those that got no note."""


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


def read(payload: Mapping[str, Any] | None) -> Notes | None:
    """Those that :func:`with_notes` added."""
    return restored((payload or {}).get(_KEY))


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
    return read(payload)


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
    """On how many records a letter is noted, and on how many not and why."""
    done = ntr("Noted on {n} record.", "Noted on {n} records.", report.done) if report.done else ""
    return " ".join(filter(None, (done, missing_text(report))))


def _same(address: str) -> str:
    return canonical_email(address) or address
