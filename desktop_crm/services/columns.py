"""From field paths to SQL: joins made once each, shared by columns, filters and orders."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Alias, ColumnElement, FromClause, Table, and_, literal

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import knows, row_clause

_KEY: Final = "id"


class Paths:
    """Resolves field paths of one statement; joins appear in :attr:`source` as they are needed.

    Attributes:
        entity: Entity the statement is about.
        table: Its table (or an alias).
    """

    def __init__(self, actor: Actor, entity: Entity, table: Table | Alias | None = None) -> None:
        self.actor = actor
        self.entity = entity
        self.table: FromClause = entity.table if table is None else table
        self._joins: list[tuple[FromClause, ColumnElement[bool]]] = []
        self._joined: dict[str, tuple[Entity, FromClause]] = {"": (entity, self.table)}

    @property
    def source(self) -> FromClause:
        """FROM clause with every join so far."""
        return self.on(self.table)

    def on(self, base: FromClause) -> FromClause:
        """Put another FROM that contains the table under the joins."""
        found = base
        for alias, condition in self._joins:
            found = found.outerjoin(alias, condition)
        return found

    def field(self, path: str) -> tuple[BoundField, FromClause]:
        """Field a path ends in and the joined table it lies in.

        Raises:
            UserError: A step is unknown, or the user may not know the field.
        """
        *steps, last = path.split(".")
        prefix = ""
        for step in steps:
            prefix = self._join(prefix, step)
        entity, table = self._joined[prefix]
        field = entity.fields.get(last)
        if field is None or not knows(self.actor, field):
            raise UserError(
                N_("{entity} has no field “{field}”."), entity=tr(entity.label), field=last
            )
        return field, table

    def column(self, path: str) -> ColumnElement[Any]:
        """Stored value of a path; the id for links."""
        if path.endswith(f".{_KEY}"):
            parent = path[: -len(_KEY) - 1]
            field, table = self.field(parent)
            if field.column is not None:
                return table.c[field.column.name]
        field, table = self.field(path)
        if field.column is None:
            return literal(None)
        return table.c[field.column.name]

    def shown(self, path: str) -> ColumnElement[Any]:
        """What a list shows of a path: the title for links, the value otherwise."""
        field, _ = self.field(path)
        if field.kind is not kinds.LINK or path.endswith(f".{_KEY}"):
            return self.column(path)
        return self.title(path)

    def title(self, path: str) -> ColumnElement[Any]:
        """Title of the record a link path points to."""
        entity, table = self._joined[self._join("", path)] if "." not in path else self._deep(path)
        name = entity.title
        column = entity.fields[name].column
        if column is None or entity.fields[name].kind is kinds.LINK:
            return table.c.id
        return table.c[column.name]

    def sort_key(self, path: str) -> ColumnElement[Any]:
        """What an order compares: the folded title for titles and links."""
        field, table = self.field(path)
        if field.kind is kinds.LINK:
            entity, target = self._deep(path)
            return target.c.title_key if "title_key" in entity.fields else self.title(path)
        entity = self._entity_of(path)
        if field.name == entity.title and "title_key" in entity.fields:
            return table.c.title_key
        return self.column(path)

    def link_target(self, path: str) -> tuple[Entity, FromClause]:
        """Joined table a link path points to."""
        return self._deep(path)

    def _deep(self, path: str) -> tuple[Entity, FromClause]:
        prefix = ""
        for step in path.split("."):
            prefix = self._join(prefix, step)
        return self._joined[prefix]

    def _entity_of(self, path: str) -> Entity:
        prefix = path.rpartition(".")[0]
        return self._joined[prefix][0]

    def _join(self, prefix: str, step: str) -> str:
        path = f"{prefix}.{step}" if prefix else step
        if path in self._joined:
            return path
        entity, table = self._joined[prefix]
        field = entity.fields.get(step)
        if field is None or not field.target or field.column is None:
            raise UserError(
                N_("{entity} has no linked record “{field}”."), entity=tr(entity.label), field=step
            )
        target = registry.get(field.target)
        alias = _alias(target.table, f"j{len(self._joined)}_{step}")
        matches = alias.c.id == table.c[field.column.name]
        rights = row_clause(self.actor, target, alias, "read")
        # A record out of reach is not joined: neither its title nor any value behind it shows.
        self._joins.append((alias, matches if rights is None else and_(matches, rights)))
        self._joined[path] = (target, alias)
        return path


@lru_cache(maxsize=1024)
def _alias(table: Table, name: str) -> FromClause:
    """Alias of a table; SQLAlchemy copies every column of each new one."""
    return table.alias(name)
