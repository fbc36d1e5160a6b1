"""How many records lie in each group of a list: by stage, by state, and all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import require, row_clause


@dataclass(frozen=True, slots=True)
class Part:
    """One group: the stored value (a key for links), its English label or title, its size."""

    value: str | int | None
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Sizes of a list and of its groups, rights counted in.

    Attributes:
        total: Records the user may see.
        groups: Parts by field; choices in declared order, links in the order of their target.
    """

    total: int
    groups: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)


def tally(
    actor: Actor, entity_key: str, fields: Sequence[str], cancel: Cancel | None = None
) -> Tally:
    """Count a list by some of its fields.

    One statement, which reads every record the user may see once.

    Args:
        actor: Who looks.
        entity_key: Whose list.
        fields: Choice or link fields.
        cancel: Stops the counting.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    paths = Paths(actor, entity)
    by = [_group(paths, entity, name) for name in fields]
    columns = [column for value, label, order in by for column in (value, label, order)]
    named = [column.label(f"c{n}") for n, column in enumerate(columns)]
    counted = select(*named, func.count()).select_from(paths.source)
    counted = counted.where(*_visible(actor, paths, entity)).group_by(*columns)
    with actor.db.reading(cancel) as connection:
        found = connection.execute(counted).all()
    groups = {
        name: _in_order(entity, name, _parts(found, 3 * place)) for place, name in enumerate(fields)
    }
    return Tally(sum(row[-1] for row in found), groups)


def _parts(found: Sequence[Any], place: int) -> tuple[Part, ...]:
    """Parts of one field, whose value, label and order stand from a place on."""
    sizes: Counter[tuple[Any, Any, Any]] = Counter()
    for row in found:
        sizes[tuple(row[place : place + 3])] += row[-1]
    ordered = sorted(sizes.items(), key=lambda part: (part[0][2] is None, part[0][2]))
    return tuple(Part(value, str(label or ""), size) for (value, label, _), size in ordered)


def _group(
    paths: Paths, entity: Entity, name: str
) -> tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]]:
    """Value of a field, what it is called, and what it is sorted by."""
    value = paths.column(name)
    if entity.fields[name].kind is not kinds.LINK:
        return value, value, value
    target, table = paths.link_target(name)
    order = table.c[target.order.lstrip("-")] if target.order else paths.title(name)
    return value, paths.title(name), order


def _visible(actor: Actor, paths: Paths, entity: Entity) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if entity.is_record:
        clauses.append(and_(paths.table.c.deleted_at.is_(None)))
    rights = row_clause(actor, entity, paths.table, "read")
    return clauses if rights is None else [*clauses, rights]


def _in_order(entity: Entity, name: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    options = entity.fields[name].options
    if not options:
        return parts
    by_value = {part.value: part for part in parts}
    return tuple(
        Part(option.code, option.label, by_value[option.code].count)
        for option in options
        if option.code in by_value
    )
