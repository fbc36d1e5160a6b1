"""A user's own marks on records: favourite, followed, viewed lately; nobody else sees them.

Marks are the program's own rows: they are neither audited nor undone, a second press takes them
away again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select

from desktop_crm.core import clock
from desktop_crm.meta import registry
from desktop_crm.models import AuditEntry, RecordMark, User
from desktop_crm.models.marking import MarkKind
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, privacy, records_kept
from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import require
from desktop_crm.services.titles import Titles, grouped, titles

_SPARE: Final = 4
"""How many times more are read, because some of the records may have gone out of sight."""
_MARK: Final = RecordMark.__table__
_ENTRY: Final = AuditEntry.__table__


@dataclass(frozen=True, slots=True)
class Marked:
    """A record with a mark of the user."""

    entity: str
    id: int
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What somebody else did to a followed record since the user looked at it.

    Attributes:
        fields: What changed, with old and new in words; empty for a creation or deletion.
    """

    entity: str
    id: int
    title: str
    by: str
    at: datetime
    action: AuditAction
    fields: tuple[audit.FieldChange, ...]


def put(actor: Actor, kind: MarkKind, entity: str, ids: Collection[int], *, on: bool) -> ChangeSet:
    """Put a mark on records or take it away; what has it already keeps it, with its time anew.

    Raises:
        PermissionDenied: The user may not see such records.
    """
    require(actor, registry.get(entity), "read")
    if not ids or actor.user_id is None:
        return NOTHING
    with actor.db.writing() as connection:
        if on:
            at = clock.now()
            records_kept.mark(connection, actor.user_id, kind.value, entity, sorted(ids), at)
        else:
            records_kept.unmark(connection, actor.user_id, kind.value, entity, sorted(ids))
    of_kind = frozenset({kind.value})
    return ChangeSet("", (Changed("record_mark", frozenset(ids), ChangeKind.UPDATED, of_kind),))


def _own(actor: Actor, entity: str) -> ColumnElement[bool]:
    return and_(_MARK.c.user_id == actor.user_id, _MARK.c.record_type == entity)


def by_kind(
    actor: Actor, entity: str, kinds: Collection[MarkKind]
) -> dict[MarkKind, frozenset[int]]:
    """Keys of the records of one entity that carry each of some marks; one statement."""
    found: dict[MarkKind, set[int]] = {kind: set() for kind in kinds}
    statement = select(_MARK.c.kind, _MARK.c.record_id).where(
        _own(actor, entity), _MARK.c.kind.in_([kind.value for kind in kinds])
    )
    with actor.db.reading() as connection:
        for kind, key in connection.execute(statement):
            found[MarkKind(kind)].add(key)
    return {kind: frozenset(keys) for kind, keys in found.items()}


def keys(actor: Actor, kind: MarkKind, entity: str) -> list[int]:
    """Keys of the records of one kind that carry a mark, the latest first; one statement.

    Deleted records and those that went out of sight are among them: lists leave them out.
    """
    statement = (
        select(_MARK.c.record_id)
        .where(_own(actor, entity), _MARK.c.kind == kind)
        .order_by(_MARK.c.marked_at.desc(), _MARK.c.id.desc())
    )
    with actor.db.reading() as connection:
        return list(connection.execute(statement).scalars())


def marked(actor: Actor, kind: MarkKind, limit: int = 50) -> list[Marked]:
    """Records of every kind with a mark, the latest first; a statement and one for each kind."""
    statement = (
        select(_MARK.c.record_type, _MARK.c.record_id, _MARK.c.marked_at)
        .where(_MARK.c.user_id == actor.user_id, _MARK.c.kind == kind)
        .order_by(_MARK.c.marked_at.desc(), _MARK.c.id.desc())
        .limit(limit)
    )
    with actor.db.reading() as connection:
        rows = connection.execute(statement).all()
        named = titles(actor, connection, grouped((row[0], row[1]) for row in rows))
    return [
        Marked(row[0], row[1], named[row[0], row[1]], row[2])
        for row in rows
        if (row[0], row[1]) in named
    ]


def news(actor: Actor, limit: int = 50) -> list[News]:
    """What others did to followed records since the user looked, the latest first.

    Two statements and one for each kind of record; the records are those still in sight.
    """
    if actor.user_id is None:
        return []
    statement = (
        select(_ENTRY, User.name.label("by_name"))
        .select_from(
            _MARK.join(
                _ENTRY,
                and_(_ENTRY.c.entity == _MARK.c.record_type,
                     _ENTRY.c.record_id == _MARK.c.record_id),
            ).join(User.__table__, User.id == _ENTRY.c.by_id, isouter=True)
        )
        .where(
            _MARK.c.user_id == actor.user_id,
            _MARK.c.kind == MarkKind.FOLLOW,
            _ENTRY.c.at > _MARK.c.marked_at,
            _ENTRY.c.by_id.is_distinct_from(actor.user_id),
            _ENTRY.c.action != AuditAction.PURGE,
            ~privacy.names_hidden(actor, _ENTRY.c.entity, _ENTRY.c.record_id),
        )
        .order_by(_ENTRY.c.id.desc())
        .limit(limit * _SPARE)
    )  # fmt: skip
    with actor.db.reading() as connection:
        found = connection.execute(statement).mappings().all()
        named = titles(actor, connection, grouped((r["entity"], r["record_id"]) for r in found))
        rows = [row for row in found if (row["entity"], row["record_id"]) in named][:limit]
        shown = _fields(actor, connection, rows)
    return [
        News(
            row["entity"],
            row["record_id"],
            named[row["entity"], row["record_id"]],
            row["by_name"] or "",
            row["at"],
            AuditAction(row["action"]),
            fields,
        )
        for row, fields in zip(rows, shown, strict=True)
    ]


def _fields(
    actor: Actor, connection: Connection, rows: Sequence[Any]
) -> list[tuple[audit.FieldChange, ...]]:
    """What changed in each entry, in words; creations tell nothing field by field."""
    linked: Titles = {}
    for entity_key in {row["entity"] for row in rows}:
        changes = [row["changes"] or {} for row in rows if row["entity"] == entity_key]
        linked |= audit.link_titles(actor, connection, registry.get(entity_key), changes)
    return [
        tuple(audit.in_words(actor, registry.get(row["entity"]), row["changes"] or {}, linked))
        if row["action"] == AuditAction.UPDATE
        else ()
        for row in rows
    ]
