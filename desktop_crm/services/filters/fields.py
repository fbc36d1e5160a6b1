"""The fields and relations a filter names: found, or left out where they are gone."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.filters import relations
from desktop_crm.services.filters.tree import Group, Node, Rule

NUMBERS: Final = (kinds.INTEGER, kinds.QUANTITY, kinds.MONEY, kinds.PERCENT)
"""Kinds whose values can be added up."""


def resolve(entity: Entity, path: str) -> BoundField:
    """Find the field a path like ``account.city`` ends in.

    Raises:
        UserError: A step is no field, or no link where another step follows.
    """
    current = entity
    steps = path.split(".")
    for step in steps[:-1]:
        field = current.fields.get(step)
        if field is None or not field.target:
            raise _unknown(current, step)
        current = registry.get(field.target)
    last = current.fields.get(steps[-1])
    if last is None:
        raise _unknown(current, steps[-1])
    return last


def _unknown(entity: Entity, name: str) -> UserError:
    near = difflib.get_close_matches(name, entity.fields, 1)
    if near:
        return UserError(
            N_("{entity} has no field “{field}”. Did you mean “{near}”?"),
            entity=tr(entity.label),
            field=name,
            near=near[0],
        )
    return UserError(
        N_("{entity} has no field “{field}”. Fields: {fields}."),
        entity=tr(entity.label),
        field=name,
        fields=", ".join(n for n, f in entity.fields.items() if not f.hidden),
    )


def summed(entity: Entity, path: str) -> BoundField:
    """Find the number a path ends in, to add it up.

    Raises:
        UserError: There is no such field, or it is no number.
    """
    field = resolve(entity, path)
    if field.kind not in NUMBERS:
        raise UserError(N_("{field} is no number and cannot be added up."), field=tr(field.label))
    return field


def usable(
    node: Node | None, entity: Entity, knows: Callable[[BoundField], bool] | None = None
) -> tuple[Node | None, tuple[str, ...]]:
    """Leave out of a stored filter what no longer exists.

    Args:
        node: A tree that was stored some time ago.
        entity: Whose records it filters.
        knows: Whether the user may know a field; None knows all.

    Returns:
        The rest of the tree, and a sentence for each condition that was left out.
    """
    gone: list[str] = []
    return _usable(node, entity, gone, knows or _everything), tuple(dict.fromkeys(gone))


def _everything(_field: BoundField) -> bool:
    return True


def _usable(
    node: Node | None, entity: Entity, gone: list[str], knows: Callable[[BoundField], bool]
) -> Node | None:
    if node is None:
        return None
    if isinstance(node, Group):
        kept = (_usable(member, entity, gone, knows) for member in node.members)
        members = tuple(member for member in kept if member is not None)
        return Group(node.mode, members) if members else None
    try:
        if isinstance(node, Rule):
            _check(entity, node.field, node.operator, knows)
            return node
        relation = relations.find(entity, node.relation, knows)
        target = registry.get(relation.entity)
        if node.quantity == "sum" and not knows(summed(target, node.field)):
            raise _unknown(target, node.field)
    except UserError as problem:
        gone.append(str(problem))
        return None
    inner = _usable(node.filter, target, gone, knows)
    if inner is None and node.filter is not None:
        return None  # "has one that ..." without the condition would say something else
    return replace(node, filter=inner)


def _check(entity: Entity, path: str, operator: str, knows: Callable[[BoundField], bool]) -> None:
    field = resolve(entity, path)
    if not knows(field):
        raise _unknown(entity, path)
    if operator not in field.kind.operators:
        raise cannot_compare(field, operator)


def cannot_compare(field: BoundField, operator: str) -> UserError:
    """Sentence for an operator that a field does not have."""
    return UserError(
        N_("{field} cannot be compared with “{operator}”. Possible: {operators}."),
        field=tr(field.label),
        operator=operator,
        operators=", ".join(field.kind.operators),
    )
