"""What points to a record: every link of every entity that leads to it, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from desktop_crm import models  # noqa: F401  registers the entities
from desktop_crm.core.i18n import tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.services import privacy
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import content_clause, knows, row_clause
from desktop_crm.services.prepared import Prepared

MOST: Final = 1_000
"""Counted up to here; there may be more."""

_BOOKKEEPING: Final = frozenset(
    {"activity_party", "audit_entry", "document_content", "duplicate_pair", "filing_rule", "link",
     "mail_message", "mailbox_item", "merge_log", "outbox_content", "outbox_item",
     "record_mark", "saved_view", "sync_state", "sync_strike"}
)  # fmt: skip
"""Rows the program keeps for itself; timeline, history and the like show them better."""


@dataclass(frozen=True, slots=True)
class IncomingLink:
    """Records of one entity that point to another by one of their links.

    Attributes:
        entity: Key of the entity that has the link.
        via: Name of the link.
    """

    entity: str
    via: str

    @property
    def key(self) -> str:
        """Stable name."""
        return f"{self.entity}.{self.via}"

    @property
    def field(self) -> BoundField:
        """The link."""
        return registry.get(self.entity).fields[self.via]

    @property
    def label(self) -> str:
        """Shown name, translated: the records, and the link where that says more."""
        plural = tr(registry.get(self.entity).plural)
        via = tr(self.field.label)
        is_plain = via == tr(registry.get(self.field.target).label)
        return plural if is_plain else f"{plural} · {via}"

    def can_unlink(self, actor: Actor) -> bool:
        """Whether the link may be emptied: nobody is left without what rights or rules ask for."""
        other = registry.get(self.entity)
        free = self.field.nullable and not self.field.read_only and self.via not in other.parent
        return free and other.is_record and actor.can(other, "edit")


def incoming_links(actor: Actor, entity_key: str) -> tuple[IncomingLink, ...]:
    """Everything that can point to records of an entity and that the user may read.

    Child rows that are edited in the record's own form are left out. In menu order; no statement.
    """
    entity = registry.get(entity_key)
    own = {lines.entity for lines in entity.lines}
    return tuple(
        IncomingLink(other.key, field.name)
        for other in registry.all()
        if other.key not in own | _BOOKKEEPING and actor.can(other, "read")
        for field in other.fields.values()
        if _leads_there(actor, entity, field)
    )


def _leads_there(actor: Actor, entity: Entity, field: BoundField) -> bool:
    is_link = field.kind is kinds.LINK and field.target == entity.key
    return is_link and not field.hidden and field.name not in SYSTEM_FIELDS and knows(actor, field)


def counts(
    actor: Actor, entity_key: str, record_id: int, cancel: Cancel | None = None
) -> dict[IncomingLink, int]:
    """Count what points to a record, each up to :data:`MOST` and one more; one statement."""
    found = incoming_links(actor, entity_key)
    if not found:
        return {}
    key = ("incoming", entity_key, found)
    read = actor.statements.get(key)
    if read is None:
        read = actor.statements[key] = _statement(actor, found)
    (numbers,) = read.tuples(actor.db, cancel, key=record_id)
    return dict(zip(found, numbers, strict=True))


def _rows(actor: Actor, entity: Entity, table: FromClause) -> ColumnElement[bool] | None:
    return row_clause(actor, entity, table, "read")


def _statement(actor: Actor, found: tuple[IncomingLink, ...]) -> Prepared:
    columns = []
    for number, link in enumerate(found):
        entity = registry.get(link.entity)
        table = entity.table.alias(f"r{number}")
        column = link.field.column
        assert column is not None  # noqa: S101  a link has a column
        rows: Select[Any] = select(literal_column("1").label("one")).where(
            table.c[column.name] == bindparam("key", 0, Integer)
        )
        if "deleted_at" in entity.fields:
            rows = rows.where(table.c.deleted_at.is_(None))
        told = privacy.is_masked(actor, entity, link.via)
        rights = (content_clause if told else _rows)(actor, entity, table)
        if rights is not None:
            rows = rows.where(rights)
        # A limit inside: a user owns a million records, and nobody reads that number.
        few = rows.select_from(table).limit(MOST + 1).subquery(f"q{number}")
        columns.append(select(func.count()).select_from(few).scalar_subquery().label(f"n{number}"))
    return Prepared(actor.db, select(*columns))
