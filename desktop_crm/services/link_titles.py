"""Titles of the records that a filter names by their keys."""

from __future__ import annotations

from collections import defaultdict

from desktop_crm.core.errors import UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Node, Related, Rule, relations, resolve, walk
from desktop_crm.services.titles import titles


def link_titles(
    actor: Actor, entity_key: str, node: Node | None, cancel: Cancel | None = None
) -> dict[tuple[str, int], str]:
    """Read the titles of linked records, by entity and key; one statement for each entity.

    Records out of the actor's reach, and fields that are gone, are left out.
    """
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    _collect(entity_key, node, wanted)
    with actor.db.reading(cancel) as connection:
        return titles(actor, connection, wanted)


def _collect(entity_key: str, node: Node | None, wanted: defaultdict[str, set[int]]) -> None:
    entity = registry.get(entity_key)
    for condition in walk(node):
        try:
            if isinstance(condition, Related):
                relation = relations.find(entity, condition.relation)
                _collect(relation.entity, condition.filter, wanted)
                continue
            target = resolve(entity, condition.field).target
        except UserError:
            continue
        if target:
            wanted[target] |= _keys(condition)


def _keys(rule: Rule) -> set[int]:
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    return {value for value in values if isinstance(value, int)}
