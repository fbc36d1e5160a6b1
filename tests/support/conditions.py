"""Many conditions asked at once: each a column of one statement, in place of one list each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import select

from desktop_crm.meta.bound import Entity
from desktop_crm.services import clauses
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Node
from desktop_crm.services.list_plan import Plan
from desktop_crm.services.record_query import RecordQuery

Item = TypeVar("Item")

AT_ONCE = 40
"""Columns of one statement; its planning grows faster than their number."""


def batched(items: Sequence[Item], size: int = AT_ONCE) -> Iterator[Sequence[Item]]:
    """Parts of at most so many."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def holding(actor: Actor, entity: Entity, nodes: Sequence[Node]) -> list[set[int]]:
    """Keys of the living records within reach that each condition holds for.

    One statement for every :data:`AT_ONCE` conditions.
    """
    found: list[set[int]] = []
    for some in batched(nodes):
        plan = Plan(actor, RecordQuery(entity.key, ("id",)))
        columns = [clauses.clause(node, plan.paths) for node in some]
        key = plan.paths.table.c.id
        labelled = [column.label(f"c{n}") for n, column in enumerate(columns)]
        statement = plan.filtered(select(key, *labelled).select_from(plan.paths.source))
        with actor.db.reading() as connection:
            # Each is asked once, and takes a megabyte compiled.
            rows = connection.execute(statement, execution_options={"compiled_cache": None}).all()
        found += [{row[0] for row in rows if row[n + 1]} for n in range(len(some))]
    return found
