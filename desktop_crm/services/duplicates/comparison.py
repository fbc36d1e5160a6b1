"""Records side by side, as a person reads them before they are made one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import N_, tr
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import audit, line_rows, records
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.merge_values import (
    CONSENTS,
    chosen_fields,
    is_merged,
    source_of,
)
from desktop_crm.services.duplicates.references import references
from desktop_crm.services.permissions import denial, knows
from desktop_crm.services.query import key_clause
from desktop_crm.services.records import RecordValues


@dataclass(frozen=True, slots=True)
class Line:
    """One field of all records.

    Attributes:
        field: Its name.
        label: English label.
        texts: What each record shows, in their order.
        chosen: May be chosen; the others are joined by rules.
    """

    field: str
    label: str
    texts: tuple[str, ...]
    chosen: bool

    @property
    def differs(self) -> bool:
        """Whether the records do not all say the same."""
        return len(set(self.texts)) > 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several records of one entity side by side.

    Attributes:
        entity: Their entity.
        records: The records, in the order asked for.
        lines: Fields in which at least one says something, in the order of the form.
        pointing: Living rows that point to each record, by its key and by entity.
    """

    entity: str
    records: tuple[RecordValues, ...]
    lines: tuple[Line, ...]
    pointing: Mapping[int, Mapping[str, int]]

    @property
    def ids(self) -> tuple[int, ...]:
        """Keys of the records."""
        return tuple(record.id for record in self.records if record.id is not None)

    @property
    def versions(self) -> dict[int, int]:
        """Version of each record, to notice what others change meanwhile."""
        return {record.id: record.version for record in self.records if record.id is not None}

    def default_of(self, line: Line, master: int) -> int:
        """Key of the record whose value a field takes while nobody chooses."""
        entity = registry.get(self.entity)
        field = entity.fields[line.field]
        by_key = {record.id: record for record in self.records}
        if field.lines is not None:
            filled = (k for k in (master, *self.ids) if by_key[k].lines.get(line.field))
            return next(filled, master)
        rows = [by_key[key].values for key in self.ids if key != master]
        return source_of(entity, field, by_key[master].values, rows, {})

    def moving(self, master: int) -> dict[str, int]:
        """Rows that would move to a master, by entity, the most first."""
        found: Counter[str] = Counter()
        for key, counts in self.pointing.items():
            if key != master:
                found.update(counts)
        return dict(found.most_common())


def compare_records(
    actor: Actor, entity_key: str, ids: Sequence[int], cancel: Cancel | None = None
) -> Comparison:
    """Read records to be compared; a fixed number of statements for each and for all.

    Raises:
        NotFound: One of them is gone, merged, or out of sight.
    """
    entity = registry.get(entity_key)
    with actor.db.reading(cancel) as connection:
        if not all(audit.require_sight(actor, connection, entity, key) for key in ids):
            raise denial(actor, entity, "edit")
    found = tuple(records.get(actor, entity_key, key) for key in ids)
    if any(one.merged_from is not None or one.values["deleted_at"] is not None for one in found):
        raise NotFound(
            N_("One of these records was deleted or merged meanwhile. Nothing was changed.")
        )
    fields = {**chosen_fields(entity), **_joined(entity)}
    lines = [
        Line(
            name,
            field.label,
            tuple(_shown(actor, field, one) for one in found),
            chosen=name not in _joined(entity),
        )
        for name, field in entity.fields.items()
        if (name in fields or field.lines is not None) and knows(actor, field)
    ]
    with actor.db.reading(cancel) as connection:
        pointing = _pointing(connection, entity, list(ids))
    shown = tuple(line for line in lines if any(line.texts))
    return Comparison(entity_key, found, shown, pointing)


def _joined(entity: Entity) -> dict[str, BoundField]:
    """Fields whose value comes from all records: refusals and tags."""
    return {
        name: field
        for name, field in entity.fields.items()
        if is_merged(entity, field) and (name in CONSENTS or field.kind is kinds.TAGS)
    }


def _shown(actor: Actor, field: BoundField, record: RecordValues) -> str:
    if field.lines is not None:
        child = registry.get(field.lines.entity)
        rows = sorted(record.lines.get(field.name, ()), key=lambda r: not r.get("is_primary"))
        return line_rows.summary(child, field.lines, rows)
    value = record.values.get(field.name)
    if field.kind is kinds.LINK:
        return record.titles.get(field.name, "")
    if field.kind is kinds.BOOLEAN:
        return tr("Yes") if value else ""
    return field.display(value, actor.formats)


def _pointing(connection: Connection, entity: Entity, ids: list[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {key: {} for key in ids}
    own = {line.entity for line in entity.lines}
    for reference in references(entity.key):
        holder = reference.holder
        if holder.key in own or not holder.is_record or holder.key == "link":
            continue
        table: Any = holder.table
        column = table.c[reference.column]
        condition = and_(key_clause(connection, column, ids), table.c.deleted_at.is_(None))
        if reference.kind:
            condition = and_(condition, table.c[reference.kind] == entity.key)
        statement = select(column, func.count()).where(condition).group_by(column)
        for key, count in connection.execute(statement):
            found[key][holder.key] = found[key].get(holder.key, 0) + int(count)
    return found
