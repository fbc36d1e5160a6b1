"""What records are now: merged ones what took them in, converted leads what they became.

A thread or a rule may name a record that is no longer there under its old key (R25, R52).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.meta import registry
from desktop_crm.models import Lead
from desktop_crm.services.query import key_clause

Record = tuple[str, int]

_STEPS: Final = 10
"""Merges of merges that are followed; a longer chain counts as gone."""
_BECAME: Final = ("account", "contact", "opportunity")


def current_records(
    connection: Connection, records: Iterable[Record]
) -> dict[Record, tuple[Record, ...]]:
    """Each record with what stands for it now; nothing for one that was deleted.

    One statement for each kind of record named, and one more for each step of a chain.
    """
    wanted = set(records)
    steps: dict[Record, tuple[Record, ...]] = {}
    asked = wanted
    for _ in range(_STEPS):
        found = _next(connection, asked)
        steps |= found
        asked = {one for several in found.values() for one in several} - set(steps)
        if not asked:
            break
    return {one: tuple(dict.fromkeys(_last(one, steps, frozenset()))) for one in wanted}


def _last(
    one: Record, steps: dict[Record, tuple[Record, ...]], seen: frozenset[Record]
) -> Iterable[Record]:
    for following in steps.get(one, ()):
        if following == one:
            yield one
        elif following not in seen:
            yield from _last(following, steps, seen | {one})


def _next(connection: Connection, records: Iterable[Record]) -> dict[Record, tuple[Record, ...]]:
    """Each record with itself while it lives, else with what it became."""
    by_entity: dict[str, set[int]] = defaultdict(set)
    for entity, key in records:
        by_entity[entity].add(key)
    found: dict[Record, tuple[Record, ...]] = {}
    for entity, keys in sorted(by_entity.items()):
        table: Any = registry.get(entity).table
        columns = [table.c.id, table.c.deleted_at, table.c.merged_into]
        if entity == "lead":
            lead: Any = Lead.__table__
            columns += [lead.c.converted_at, *(lead.c[f"converted_{e}_id"] for e in _BECAME)]
        rows = connection.execute(
            select(*columns).where(key_clause(connection, table.c.id, sorted(keys)))
        )
        for row in rows:
            found[entity, row.id] = _of_row(entity, row)
    return found


def _of_row(entity: str, row: Any) -> tuple[Record, ...]:  # noqa: ANN401  a row
    if row.deleted_at is not None:
        return ((entity, row.merged_into),) if row.merged_into is not None else ()
    if entity == "lead" and row.converted_at is not None:
        became = [(e, getattr(row, f"converted_{e}_id")) for e in _BECAME]
        return tuple((e, key) for e, key in became if key is not None) or (("lead", row.id),)
    return ((entity, row.id),)
