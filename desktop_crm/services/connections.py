"""Connections of a record, read from its own end: who the others are to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Connection, ConnectionRole
from desktop_crm.services import records
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.titles import grouped, titles

MOST = 500
_TABLE = Connection.__table__
_ROLE = ConnectionRole.__table__
_NO_ROLE = N_("Connected")
_READ = (
    *("id", "version", "from_type", "from_id", "role_id", "to_type", "to_id"),
    *("valid_from", "valid_to", "note"),
)
"""Columns by name: another database of the process may have fields of its own on the table."""


@dataclass(frozen=True, slots=True)
class Connected:
    """One other record connected with the one in hand.

    Attributes:
        id: Key of the connection.
        version: Its version.
        role: What the other record is to this one, in words.
        role_id: Key of the role, None without one.
        is_reversed: This record is the second of the connection.
        entity: Kind of the other record.
        record_id: Key of the other record.
        title: Title of the other record.
        valid_from: First day, None when open.
        valid_to: Last day, None when open.
        note: Note of a person.
        can_edit: The user may change and delete it.
    """

    id: int
    version: int
    role: str
    role_id: int | None
    is_reversed: bool
    entity: str
    record_id: int
    title: str
    valid_from: date | None
    valid_to: date | None
    note: str
    can_edit: bool


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """A role as one chooses it: what the other record is to the one in hand."""

    role_id: int
    is_reversed: bool
    label: str


def of_record(
    actor: Actor, entity_key: str, record_id: int, cancel: Cancel | None = None
) -> list[Connected]:
    """Connections of a record in the order of their roles; both ends must be in sight.

    One statement, and one for each kind of record at the other end.
    """
    connection_entity = registry.get("connection")
    outgoing = and_(_TABLE.c.from_type == entity_key, _TABLE.c.from_id == record_id)
    incoming = and_(_TABLE.c.to_type == entity_key, _TABLE.c.to_id == record_id)
    edit = row_clause(actor, connection_entity, _TABLE, "edit")
    statement = (
        select(
            *(_TABLE.c[name] for name in _READ),
            _ROLE.c.name, _ROLE.c.reverse_name, outgoing.label("is_first"),
            *(() if edit is None else (edit.label("can_edit"),)),
        )
        .select_from(_TABLE.outerjoin(_ROLE, _ROLE.c.id == _TABLE.c.role_id))
        .where(or_(outgoing, incoming), _TABLE.c.deleted_at.is_(None))
        .order_by(_ROLE.c.position, _TABLE.c.id)
        .limit(MOST)
    )  # fmt: skip
    read = row_clause(actor, connection_entity, _TABLE, "read")
    if read is not None:
        statement = statement.where(read)
    with actor.db.reading(cancel) as connection:
        rows = connection.execute(statement).mappings().all()
        others = [_other(row) for row in rows]
        named = titles(actor, connection, grouped(others))
    may = actor.can("connection", "edit")
    found = [
        Connected(
            row["id"], row["version"], _role(row), row["role_id"], not row["is_first"],
            other[0], other[1], named[other], row["valid_from"], row["valid_to"],
            row["note"] or "", bool(may and row.get("can_edit", True)),
        )
        for row, other in zip(rows, others, strict=True)
        if other in named
    ]  # fmt: skip
    order = {role: number for number, role in enumerate(dict.fromkeys(c.role for c in found))}
    return sorted(found, key=lambda one: (order[one.role], one.title.casefold()))


def _other(row: Any) -> tuple[str, int]:  # noqa: ANN401  a row
    if row["is_first"]:
        return row["to_type"], row["to_id"]
    return row["from_type"], row["from_id"]


def _role(row: Any) -> str:  # noqa: ANN401  a row
    if row["name"] is None:
        return tr(_NO_ROLE)
    return str(row["name"] if row["is_first"] else row["reverse_name"] or row["name"])


def roles(actor: Actor) -> list[RoleChoice]:
    """Roles to choose from, those that read differently the other way twice; one statement."""
    statement = (
        select(_ROLE.c.id, _ROLE.c.name, _ROLE.c.reverse_name)
        .where(_ROLE.c.deleted_at.is_(None))
        .order_by(_ROLE.c.position, _ROLE.c.id)
    )
    with actor.db.reading() as connection:
        rows = connection.execute(statement).all()
    found: list[RoleChoice] = []
    for row in rows:
        found.append(RoleChoice(row.id, False, row.name))
        if row.reverse_name:
            found.append(RoleChoice(row.id, True, row.reverse_name))
    return found


def connect(
    actor: Actor,
    here: tuple[str, int],
    other: tuple[str, int],
    role: RoleChoice | None,
    *,
    valid_from: date | None = None,
    valid_to: date | None = None,
    note: str = "",
) -> records.Saved:
    """Connect two records; the role says what the other one is to the first.

    Raises:
        ValidationFailed: An end is gone, both are the same record, or the days are out of order.
        PermissionDenied: The user may edit neither of them.
    """
    values = _values(here, other, role, valid_from, valid_to, note)
    return records.save(actor, "connection", None, None, values)


def change(
    actor: Actor,
    connected: Connected,
    here: tuple[str, int],
    role: RoleChoice | None,
    *,
    valid_from: date | None = None,
    valid_to: date | None = None,
    note: str = "",
) -> records.Saved:
    """Change role, days or note of a connection; the records stay.

    Raises:
        Conflict: Somebody changed the same since it was read.
    """
    other = (connected.entity, connected.record_id)
    values = _values(here, other, role, valid_from, valid_to, note)
    return records.save(actor, "connection", connected.id, connected.version, values)


def _values(
    here: tuple[str, int],
    other: tuple[str, int],
    role: RoleChoice | None,
    valid_from: date | None,
    valid_to: date | None,
    note: str,
) -> dict[str, object]:
    first, second = (other, here) if role is not None and role.is_reversed else (here, other)
    return {
        "from_type": first[0],
        "from_id": first[1],
        "to_type": second[0],
        "to_id": second[1],
        "role": None if role is None else role.role_id,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "note": note.strip() or None,
    }
