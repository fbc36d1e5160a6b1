"""The audit trail: written with the change, in the same transaction, by one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, literal, select

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.many_rows import insert_many
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models import AuditEntry, User
from desktop_crm.models.office import AuditAction
from desktop_crm.services import privacy
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Work
from desktop_crm.services.permissions import knows, require, row_clause
from desktop_crm.services.query import key_clause
from desktop_crm.services.titles import Titles, titles
from desktop_crm.services.values import decode, encode


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one audit entry, in shown form."""

    field: str
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Who did what to a record, and when."""

    id: int
    at: datetime
    by: str
    action: AuditAction
    source: str
    operation: str
    changes: tuple[FieldChange, ...]


def entry(
    work: Work,
    action: AuditAction,
    record_id: int,
    version: int,
    changes: Mapping[str, tuple[Any, Any]],
) -> dict[str, Any]:
    """Make the row of one record's change."""
    audited = {
        name: [encode(old), encode(new)]
        for name, (old, new) in changes.items()
        if (work.entity.stored.get(name) or work.entity.fields[name]).audited
    }
    return {
        "at": clock.now(),
        "by_id": work.actor.user_id,
        "operation": work.operation,
        "batch_id": work.batch,
        "entity": work.entity.key,
        "record_id": record_id,
        "version": version,
        "action": action.value,
        "source": work.source,
        "undoes": work.undoes,
        "changes": audited,
    }


def write(work: Work, entries: Sequence[dict[str, Any]]) -> None:
    """Write the rows of one operation."""
    if entries:
        insert_many(work.connection, AuditEntry.__table__, entries)


def history(actor: Actor, entity_key: str, record_id: int, limit: int = 200) -> list[HistoryEntry]:
    """Return the changes of one record, the latest first.

    Two statements, and one for each kind of record that links changed between; of what another
    person keeps private there is none.

    Raises:
        NotFound: The record does not exist, or this user may not see it.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    with actor.db.reading() as connection:
        if not require_sight(actor, connection, entity, record_id):
            return []
        found = (
            connection.execute(
                select(*AuditEntry.__table__.c, User.name.label("by_name"))
                .join(User, User.id == AuditEntry.by_id, isouter=True)
                .where(
                    AuditEntry.entity == entity_key,
                    AuditEntry.record_id == record_id,
                    # The key of a record that was deleted for good may be given again.
                    AuditEntry.action != AuditAction.PURGE,
                )
                .order_by(AuditEntry.id.desc())
                .limit(limit)
            )
            .mappings()
            .all()
        )
        named = link_titles(actor, connection, entity, [row["changes"] or {} for row in found])
        return [
            HistoryEntry(
                id=row["id"],
                at=row["at"],
                by=row["by_name"] or "",
                action=AuditAction(row["action"]),
                source=row["source"] or "",
                operation=row["operation"],
                changes=tuple(in_words(actor, entity, row["changes"] or {}, named)),
            )
            for row in found
        ]


def require_sight(actor: Actor, connection: Connection, entity: Entity, record_id: int) -> bool:
    """Refuse to tell of a record that does not exist or is out of reach; one statement.

    Returns:
        Whether the actor may know its content; others see only that a private one is there.

    Raises:
        NotFound: With the kind of record in words.
    """
    key = entity.table.c.id
    rights = row_clause(actor, entity, entity.table, "read")
    known = privacy.known(actor, entity, entity.table)
    statement = select(literal(True) if known is None else known)
    statement = statement.where(key_clause(connection, key, [record_id]))
    if rights is not None:
        statement = statement.where(rights)
    found = connection.execute(statement.select_from(entity.table)).first()
    if found is None:
        raise NotFound(
            N_("This {entity} does not exist, or you may not see it."),
            entity=tr(entity.label).lower(),
        )
    return bool(found[0])


def link_titles(
    actor: Actor, connection: Connection, entity: Entity, changes: Sequence[Mapping[str, Any]]
) -> Titles:
    """Titles of the records that changed links lead to."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for change in changes:
        for name, sides in change.items():
            field = _field(entity, name)
            if field is not None and field.kind is kinds.LINK:
                wanted[field.target] |= {side for side in sides if side is not None}
    return titles(actor, connection, wanted)


def _field(entity: Entity, name: str) -> BoundField | None:
    """A field, also one that was retired since: what it held stays readable in the trail."""
    return entity.fields.get(name) or entity.retired.get(name)


def in_words(
    actor: Actor, entity: Entity, changes: Mapping[str, Any], named: Titles
) -> list[FieldChange]:
    """Changed fields the user may know, old and new as they are shown."""
    shown: list[FieldChange] = []
    for name, sides in changes.items():
        field = _field(entity, name)
        if field is None or field.hidden or not knows(actor, field):
            continue
        if field.kind is kinds.LINK:
            before, after = (
                "" if side is None else named.get((field.target, side), "?") for side in sides
            )
        else:
            before, after = (field.display(decode(field, s), actor.formats) for s in sides)
        shown.append(FieldChange(name, field.label, before, after))
    return shown


def changed_since(work: Work, record_id: int, version: int) -> dict[str, Any]:
    """Values the fields had at a version, for those that changed after it."""
    rows = work.connection.execute(
        select(AuditEntry.changes)
        .where(
            AuditEntry.entity == work.entity.key,
            AuditEntry.record_id == record_id,
            AuditEntry.version > version,
            # Of another record, which had the key before it was deleted for good.
            AuditEntry.action != AuditAction.PURGE,
        )
        .order_by(AuditEntry.id)
    ).scalars()
    base: dict[str, Any] = {}
    for changes in rows:
        for name, (old, _new) in (changes or {}).items():
            field = work.entity.fields.get(name)
            if field is not None:
                base.setdefault(name, decode(field, old))
    return base
