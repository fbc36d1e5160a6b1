"""What records of several kinds are called, for whoever may see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, select

from desktop_crm.meta import registry
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import key_clause

Titles = dict[tuple[str, int], str]
"""Title by entity and key; what is missing does not exist or may not be seen."""


def titles(actor: Actor, connection: Connection, wanted: Mapping[str, Collection[int]]) -> Titles:
    """Titles of records, deleted ones included; one statement for each kind asked for."""
    found: Titles = {}
    for key, ids in wanted.items():
        entity = registry.find(key)
        if entity is None or not ids or not actor.can(entity, "read"):
            continue
        paths = Paths(actor, entity)
        title = paths.shown(entity.title)
        statement = select(paths.table.c.id, title).select_from(paths.source)
        statement = statement.where(key_clause(connection, paths.table.c.id, sorted(ids)))
        rights = row_clause(actor, entity, paths.table, "read")
        if rights is not None:
            statement = statement.where(rights)
        for row in connection.execute(statement):
            found[key, row[0]] = str(row[1] if row[1] is not None else "")
    return found


def grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    """Keys by entity, as :func:`titles` wants them."""
    found: dict[str, set[int]] = {}
    for entity, key in pairs:
        found.setdefault(entity, set()).add(key)
    return found
