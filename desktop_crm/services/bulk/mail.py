"""Who can be written to, of many records, and why the others cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import FromClause, or_, select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import EmailAddress
from desktop_crm.services import query
from desktop_crm.services.bulk.job import CHUNK, Failure, Targets
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import require
from desktop_crm.services.query import RecordQuery

_CONSENTS: Final = ("do_not_email", "do_not_bulk")
NO_ADDRESS: Final = N_("There is no e-mail address.")
NO_EMAIL: Final = N_("No e-mail is wanted.")
NO_BULK: Final = N_("No mass mail is wanted.")
UNDELIVERABLE: Final = N_("The address is marked as undeliverable.")
TWICE: Final = N_("Another record of the list has the same address.")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One record that is written to."""

    record_id: int
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is written to, one record for each address, and who is left out and why (R46, R47)."""

    included: tuple[Recipient, ...]
    left_out: tuple[Failure, ...]


def recipients(actor: Actor, targets: Targets, cancel: Cancel | None = None) -> Recipients:
    """Read the addresses; two statements for each five hundred records."""
    entity = registry.get(targets.entity)
    require(actor, entity, "read")
    consents = tuple(name for name in _CONSENTS if name in entity.fields)
    asked = RecordQuery(targets.entity, (entity.title, "email", *consents))
    included: dict[str, Recipient] = {}
    left_out: list[Failure] = []
    ids = targets.keys(actor, cancel)
    for start in range(0, len(ids), CHUNK):
        rows = query.rows(actor, asked, ids[start : start + CHUNK], cancel)
        barred = refused(actor, [str(row.values[1]) for row in rows if row.values[1]])
        for row in rows:
            title, address = str(row.values[0] or ""), str(row.values[1] or "")
            own = dict(zip(consents, row.values[2:], strict=True))
            reason = _reason(address, own) or barred.get(address, "")
            if not reason and address in included:
                reason = TWICE
            if reason:
                left_out.append(Failure(row.id, title, tr(reason)))
            else:
                included[address] = Recipient(row.id, title, address)
    return Recipients(tuple(included.values()), tuple(left_out))


def _reason(address: str, consents: dict[str, bool]) -> str:
    if not address:
        return NO_ADDRESS
    if consents.get("do_not_email"):
        return NO_EMAIL
    return NO_BULK if consents.get("do_not_bulk") else ""


def refused(actor: Actor, addresses: list[str]) -> dict[str, str]:
    """Why some addresses must not be written to, whichever record bears them (R46).

    What a person asked holds for the address, also on a record the actor may not see.
    """
    if not addresses:
        return {}
    mail = EmailAddress.__table__.c
    holders = [registry.get(key).table for key in ("contact", "account", "lead")]
    source: FromClause = EmailAddress.__table__
    for holder in holders:
        source = source.outerjoin(holder, holder.c.id == mail[f"{holder.name}_id"])
    no_email = or_(*(holder.c.do_not_email for holder in holders))
    no_bulk = or_(*(holder.c.do_not_bulk for holder in holders))
    found: dict[str, str] = {}
    with actor.db.reading() as connection:
        among = query.key_clause(connection, mail.address, addresses)
        asked = select(mail.address, mail.is_invalid, no_email, no_bulk).select_from(source)
        for address, _invalid, email, bulk in connection.execute(
            asked.where(among, mail.deleted_at.is_(None), or_(mail.is_invalid, no_email, no_bulk))
        ):
            reason = NO_EMAIL if email else NO_BULK if bulk else UNDELIVERABLE
            found[address] = reason
    return found
