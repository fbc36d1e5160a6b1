"""Who can be written to: contacts, leads, accounts and users by a few typed letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from desktop_crm.core.text import canonical_email
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import EmailAddress, User
from desktop_crm.models.user import UserState
from desktop_crm.services import query
from desktop_crm.services.bulk.mail import NO_BULK, refused
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause

EACH: Final = 5
_HOLDERS: Final = ("contact", "lead", "account")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address; `entity` and `record_id` say whose it is."""

    name: str
    address: str
    entity: str = ""
    record_id: int | None = None
    note: str = ""


def suggest(actor: Actor, typed: str, cancel: Cancel | None = None) -> list[Person]:
    """People whose name or address holds what was typed; two statements for each kind."""
    found: list[Person] = []
    for entity in _HOLDERS:
        if not actor.can(entity, "read"):
            continue
        rows = query.suggest(actor, entity, typed, EACH, cancel)
        notes = {row.id: (row.title, row.subtitle) for row in rows}
        for person in of_records(actor, entity, list(notes)):
            title, subtitle = notes[person.record_id or 0]
            # A lead's title is its topic, which is for our eyes and no name in a letter.
            note = subtitle if person.name == title else title
            found.append(Person(person.name, person.address, entity, person.record_id, note))
    found += _users(actor, typed)
    by_address: dict[str, Person] = {}
    for person in found:
        by_address.setdefault(person.address, person)
    return list(by_address.values())


def of_records(actor: Actor, entity: str, ids: Sequence[int]) -> list[Person]:
    """Addresses of records that can be reached, the main one of each first; one statement."""
    if not ids:
        return []
    table, mail = registry.get(entity).table, EmailAddress.__table__
    holder = mail.c[f"{entity}_id"]
    name = table.c["full_name" if "full_name" in table.c else registry.get(entity).title]
    statement = (
        select(table.c.id, name.label("name"), mail.c.address)
        .select_from(mail.join(table, table.c.id == holder))
        .where(
            holder.in_(ids),
            mail.c.deleted_at.is_(None),
            mail.c.is_invalid.is_(False),
            table.c.deleted_at.is_(None),
        )
        .order_by(mail.c.is_primary.desc(), mail.c.id)
    )
    rights = row_clause(actor, registry.get(entity), table, "read")
    if rights is not None:
        statement = statement.where(rights)
    with actor.db.reading() as connection:
        rows = connection.execute(statement).all()
    place = {key: number for number, key in enumerate(ids)}
    return [
        Person(row.name or "", row.address, entity, row.id)
        for row in sorted(rows, key=lambda row: place[row.id])
    ]


def _users(actor: Actor, typed: str) -> list[Person]:
    rows = query.suggest(actor, "user", typed, EACH)
    if not rows:
        return []
    own = User.__table__.c
    statement = select(own.id, own.name, own.email).where(
        own.id.in_([row.id for row in rows]),
        own.email.is_not(None),
        own.state == UserState.ACTIVE.value,
    )
    with actor.db.reading() as connection:
        return [
            Person(row.name, row.email, "user", row.id) for row in connection.execute(statement)
        ]


def unwanted(actor: Actor, addresses: Sequence[str]) -> list[str]:
    """Those of some addresses whose owners want no mail, or that cannot be reached (R46)."""
    known = [one for address in addresses if (one := canonical_email(address))]
    return [a for a, reason in refused(actor, known).items() if reason != NO_BULK]
