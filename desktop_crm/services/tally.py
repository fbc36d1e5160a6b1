"""How many records lie in each group of a list: by stage, by state, and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select

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

    Costs one statement per field (one in all without a field), each reading every record the user
    may see once.

    Args:
        actor: Who looks.
        entity_key: Whose list.
        fields: Choice or link fields.
        cancel: Stops the counting.
    """
    entity = registry.get(entity_key)
    require(actor, entity, "read")
    groups: dict[str, tuple[Part, ...]] = {}
    total = 0
    with actor.db.reading(cancel) as connection:
        for name in fields or ("",):
            paths = Paths(actor, entity)
            value, label, order = _group(paths, entity, name)
            counted = select(value, label, func.count()).select_from(paths.source)
            counted = counted.where(*_visible(actor, paths, entity))
            if name:
                counted = counted.group_by(value, label, *order).order_by(*order)
            found = connection.execute(counted).all()
            total = sum(row[2] for row in found)
            if name:
                groups[name] = tuple(_part(row[0], row[1], row[2]) for row in found)
    return Tally(total, {name: _in_order(entity, name, p) for name, p in groups.items()})


def _group(
    paths: Paths, entity: Entity, name: str
) -> tuple[ColumnElement[object], ColumnElement[object], tuple[ColumnElement[object], ...]]:
    if not name:
        return literal(None), literal(None), ()
    if entity.fields[name].kind is not kinds.LINK:
        return paths.column(name), paths.column(name), ()
    target, table = paths.link_target(name)
    order = (table.c[target.order.lstrip("-")],) if target.order else (paths.title(name),)
    return paths.column(name), paths.title(name), order


def _part(value: Any, label: Any, count: int) -> Part:  # noqa: ANN401  a driver's row is untyped
    return Part(value, str(label or ""), count)


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
