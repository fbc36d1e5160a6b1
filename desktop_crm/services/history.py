"""The history of one record field by field, and its way back: who changed what, old and new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, or_, select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, Entity
from desktop_crm.models import AuditEntry, User
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, records
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import denial, require
from desktop_crm.services.query import key_clause
from desktop_crm.services.titles import Titles
from desktop_crm.services.values import decode

MOST: Final = 500
SOURCE: Final = "restore"
_TABLE: Final = AuditEntry.__table__
_OF_LINES: Final = 200
"""Child rows of one kind whose own entries are looked for."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One field of one change, or one deed without fields such as a deletion.

    Attributes:
        entry: Key of the audit entry.
        at: When.
        by: Who, empty for the program.
        action: What was done.
        source: Way in, e.g. ``window`` or ``import``.
        operation: Operation it was part of; undo takes back the whole of it.
        entity: Entity of the row: the record's own, or that of a child row.
        field: Field name; empty for a deed without fields.
        label: What changed, translated; child rows name their kind first.
        old: Value before, in words.
        new: Value after, in words.
        can_restore: The old value can be put back by itself.
    """

    entry: int
    at: datetime
    by: str
    action: AuditAction
    source: str
    operation: str
    entity: str
    field: str
    label: str
    old: str
    new: str
    can_restore: bool


def lines(
    actor: Actor,
    entity_key: str,
    record_id: int,
    limit: int = MOST,
    cancel: Cancel | None = None,
) -> list[HistoryLine]:
    """Changes of a record and of its child rows, the latest first.

    Three statements, one for each kind of child row, and one for each kind of record that links
    changed between. Child rows saved with their parent stand in the parent's own entry; only
    changes made to them alone have lines of their own.

    Raises:
        NotFound: The record does not exist, or this user may not see it.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    with actor.db.reading(cancel) as connection:
        if not audit.require_sight(actor, connection, entity, record_id):
            return []
        rows = _entries(connection, entity, record_id, limit)
        own = {row["operation"] for row in rows if row["entity"] == entity_key}
        rows = [row for row in rows if row["entity"] == entity_key or row["operation"] not in own]
        named = _link_titles(actor, connection, rows)
    return [line for row in rows for line in _lines(actor, entity, row, named)]


def _entries(
    connection: Connection, entity: Entity, record_id: int, limit: int
) -> Sequence[RowMapping]:
    places = [and_(_TABLE.c.entity == entity.key, _TABLE.c.record_id == record_id)]
    for line in entity.lines:
        child = registry.get(line.entity).table
        ids = connection.execute(
            select(child.c.id).where(child.c[line.via] == record_id).limit(_OF_LINES)
        ).scalars()
        found = key_clause(connection, _TABLE.c.record_id, list(ids))
        places.append(and_(_TABLE.c.entity == line.entity, found))
    statement = (
        select(_TABLE, User.name.label("by_name"))
        .join(User, User.id == _TABLE.c.by_id, isouter=True)
        .where(or_(*places), _TABLE.c.action != AuditAction.PURGE)
        .order_by(_TABLE.c.id.desc())
        .limit(limit)
    )
    return connection.execute(statement).mappings().all()


def _link_titles(actor: Actor, connection: Connection, rows: Sequence[RowMapping]) -> Titles:
    named: Titles = {}
    for key in {row["entity"] for row in rows}:
        changes = [row["changes"] or {} for row in rows if row["entity"] == key]
        named |= audit.link_titles(actor, connection, registry.get(key), changes)
    return named


def _lines(actor: Actor, entity: Entity, row: RowMapping, named: Titles) -> list[HistoryLine]:
    other = registry.get(row["entity"])
    changes = audit.in_words(actor, other, row["changes"] or {}, named)
    action = AuditAction(row["action"])
    if action is AuditAction.CREATE:
        changes = [change for change in changes if change.new]
    prefix = "" if other is entity else f"{tr(other.label)}: "

    def line(field: str, label: str, old: str, new: str) -> HistoryLine:
        editable = other is entity and action is AuditAction.UPDATE and _editable(entity, field)
        return HistoryLine(
            row["id"], row["at"], row["by_name"] or "", action, row["source"] or "",
            row["operation"], other.key, field, label, old, new, editable,
        )  # fmt: skip

    if not changes:
        return [line("", prefix + tr(other.label), "", "")]
    return [line(c.field, prefix + tr(c.label), c.old, c.new) for c in changes]


def _editable(entity: Entity, name: str) -> bool:
    field = entity.fields.get(name)
    return (
        field is not None
        and field.column is not None
        and not field.read_only
        and name not in SYSTEM_FIELDS
    )


def restore_value(
    actor: Actor, entity_key: str, record_id: int, entry: int, field: str, version: int
) -> records.Saved:
    """Put back the value one field had before one change; saved like any change of a person.

    Args:
        actor: Who does it.
        entity_key: Entity of the record.
        record_id: Key of the record.
        entry: Key of the audit entry that changed the field.
        field: Field name.
        version: Version the person looked at.

    Raises:
        UserError: The entry or the field is gone, or the field cannot be set by hand.
        Conflict: Somebody changed the field since ``version``.
        PermissionDenied: The user may not change the record.
        ValidationFailed: The old value no longer fits, e.g. it leads to a deleted record.
    """
    entity = registry.get(entity_key)
    with actor.db.reading() as connection:
        if not audit.require_sight(actor, connection, entity, record_id):
            raise denial(actor, entity, "edit")
        changes: Mapping[str, Any] | None = connection.execute(
            select(_TABLE.c.changes).where(
                _TABLE.c.id == entry,
                _TABLE.c.entity == entity_key,
                _TABLE.c.record_id == record_id,
            )
        ).scalar()
    if not changes or field not in changes or not _editable(entity, field):
        raise UserError(N_("This value can no longer be put back. Nothing was changed."))
    bound = entity.fields[field]
    old = decode(bound, changes[field][0])
    if bound.kind is kinds.LINK and isinstance(old, str):
        raise UserError(N_("This value can no longer be put back. Nothing was changed."))
    return records.save(actor, entity_key, record_id, version, {field: old}, source=SOURCE)
