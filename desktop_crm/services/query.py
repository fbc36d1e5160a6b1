"""Reading lists: the first page, the key snapshot and rows by key.

Reads go through Core and return plain tuples. Rights are literal owner ids in the same statement,
so that a list costs one statement whoever opens it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    text,
)

from desktop_crm import models  # noqa: F401  registers the entities
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold
from desktop_crm.db.engine import Cancel
from desktop_crm.db.search_index import SEARCHED
from desktop_crm.meta import registry
from desktop_crm.models.activity import ActivityKind
from desktop_crm.services import clauses
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Node, Rule, both, parse
from desktop_crm.services.permissions import require, row_clause

PAGE: Final = 256
_TRIGRAM: Final = 3
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Order:
    """One sort: a field path and its direction."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """What a list shows.

    Attributes:
        entity: Key of the entity.
        columns: Field paths; links give titles, ``account.id`` gives the key.
        filter: Conditions, or None.
        order: Sorts; empty takes the entity's default. The key is always the last sort.
        search: Words that must all occur somewhere in the record, without regard to case and
            accents.
        deleted: Show the recycle bin instead of the living.
    """

    entity: str
    columns: tuple[str, ...]
    filter: Node | None = None
    order: tuple[Order, ...] = ()
    search: str = ""
    deleted: bool = False


class Row(NamedTuple):
    """One record of a list; ``values`` stand in the order of the query's columns."""

    id: int
    version: int
    deleted: bool
    values: tuple[Any, ...]


class Suggestion(NamedTuple):
    """One hit of type-ahead."""

    id: int
    title: str
    subtitle: str


def entity_query(
    name: str, columns: Sequence[str] = (), filter_text: str = "", search: str = ""
) -> RecordQuery:
    """Make a query from names as a person writes them.

    ``task``, ``phone_call``, ``appointment``, ``email`` and ``note`` mean activities of that kind.

    Raises:
        UserError: Unknown entity, field or filter.
    """
    key, preset = name, None
    if name in set(ActivityKind):
        key, preset = "activity", Rule("kind", "=", name)
    entity = registry.find(key)
    if entity is None:
        raise UserError(
            N_("There are no “{name}” records. Known: {known}."),
            name=name,
            known=", ".join(e.key for e in registry.all()),
        )
    wanted = tuple(columns) or entity.columns
    return RecordQuery(key, wanted, both(preset, parse(filter_text, key)), (), search)


def first_page(
    actor: Actor, query: RecordQuery, limit: int = PAGE, cancel: Cancel | None = None
) -> list[Row]:
    """Return the first rows in order; one statement."""
    plan = _Plan(actor, query)
    with actor.db.reading(cancel) as connection:
        return plan.rows(connection, plan.page(limit))


def keys(actor: Actor, query: RecordQuery, cancel: Cancel | None = None) -> array[int]:
    """Return every key in order; one statement, 8 bytes a record."""
    plan = _Plan(actor, query)
    with actor.db.reading(cancel) as connection:
        result = connection.execute(plan.snapshot())
        # The driver's cursor: SQLAlchemy's rows cost three times as much for a single integer.
        cursor: Any = result.cursor
        return array("q", chain.from_iterable(cursor))


def rows(
    actor: Actor, query: RecordQuery, ids: Sequence[int], cancel: Cancel | None = None
) -> list[Row]:
    """Return the rows with these keys in the order of the keys; vanished ones are missing.

    One statement; deleted records come back marked, so that an open list can grey them.
    """
    if not ids:
        return []
    plan = _Plan(actor, replace(query, filter=None, search="", order=()))
    with actor.db.reading(cancel) as connection:
        found = {row.id: row for row in plan.rows(connection, plan.by_keys(connection, ids))}
    return [found[key] for key in ids if key in found]


def count(actor: Actor, query: RecordQuery, cancel: Cancel | None = None) -> int:
    """Count the records; one statement that reads every match."""
    plan = _Plan(actor, query)
    with actor.db.reading(cancel) as connection:
        return int(connection.execute(plan.count()).scalar_one())


def objects(actor: Actor, query: RecordQuery, limit: int | None = None) -> list[dict[str, Any]]:
    """Return records as plain mappings, ``id`` first, for scripts."""
    plan = _Plan(actor, query)
    statement = plan.page(limit) if limit is not None else plan.page(-1)
    with actor.db.reading() as connection:
        found = plan.rows(connection, statement)
    return [{"id": row.id, **dict(zip(query.columns, row.values, strict=True))} for row in found]


def suggest(
    actor: Actor, entity_key: str, typed: str, limit: int = 20, cancel: Cancel | None = None
) -> list[Suggestion]:
    """Offer records whose title starts with, then those that contain, what was typed."""
    entity = registry.get(entity_key)
    subtitle = entity.meta.subtitle or "id"
    query = RecordQuery(entity_key, (entity.title_field, subtitle))
    begins = _Plan(actor, query)
    folded = fold(typed)
    if "title_key" not in entity.fields:
        return []
    if folded:
        key = begins.paths.table.c.title_key
        begins.where.append((key >= folded) & (key < folded + _LAST))
    with actor.db.reading(cancel) as connection:
        found = begins.rows(connection, begins.page(limit))
        if folded and len(found) < limit:
            inside = _Plan(actor, replace(query, search=typed))
            known = {row.id for row in found}
            more = inside.rows(connection, inside.page(limit))
            found += [row for row in more if row.id not in known][: limit - len(found)]
    shown = [entity.fields[subtitle]] if subtitle != "id" else []
    return [
        Suggestion(
            row.id,
            str(row.values[0] or ""),
            shown[0].display(row.values[1], actor.formats) if shown else "",
        )
        for row in found
    ]


class _Plan:
    """One query on its way to SQL."""

    def __init__(self, actor: Actor, query: RecordQuery) -> None:
        entity = registry.get(query.entity)
        require(actor, entity, "read")
        self.actor = actor
        self.query = query
        self.entity = entity
        self.paths = Paths(actor, entity)
        self.where: list[ColumnElement[bool]] = []
        rights = row_clause(actor, entity, self.paths.table, "read")
        if rights is not None:
            self.where.append(rights)
        if entity.is_record:
            gone = self.paths.table.c.deleted_at
            self.alive = gone.is_not(None) if query.deleted else gone.is_(None)
        if query.filter is not None:
            self.where.append(clauses.clause(query.filter, self.paths))
        if query.search:
            self._search(query.search)

    def page(self, limit: int) -> Select[Any]:
        """Statement of the first rows.

        Where no index gives the order, the keys are sorted alone and the rest is joined to the
        winners, so that the sort carries one narrow column instead of every shown one.
        """
        if self._order_is_indexed() or limit < 0:
            order = self._order()
            shown = self._shown(self.paths)
            statement = self._filtered(select(*shown).select_from(self.paths.source))
            statement = statement.order_by(*order)
            return statement.limit(limit) if limit >= 0 else statement
        inner = self.snapshot().limit(limit).subquery("k")
        outer = Paths(self.actor, self.entity)
        shown = self._shown(outer)
        key = outer.table.c.id
        order = self._order(outer)
        source = inner.join(outer.table, key == inner.c.id)
        return select(*shown).select_from(outer.on(source)).order_by(*order)

    def snapshot(self) -> Select[Any]:
        """Statement of every key in order."""
        order = self._order()
        key = self.paths.table.c.id
        statement = self._filtered(select(key).select_from(self.paths.source))
        return statement.order_by(*order)

    def by_keys(self, connection: Connection, ids: Sequence[int]) -> Select[Any]:
        """Statement of the rows with some keys; deleted ones included."""
        shown = self._shown(self.paths)
        key = self.paths.table.c.id
        statement = select(*shown).select_from(self.paths.source).where(*self.where)
        return statement.where(key_clause(connection, key, ids))

    def count(self) -> Select[Any]:
        """Statement that counts."""
        statement = select(func.count()).select_from(self.paths.source)
        return self._filtered(statement)

    def rows(self, connection: Connection, statement: Select[Any]) -> list[Row]:
        """Run a statement of :meth:`page` or :meth:`by_keys`."""
        result = connection.execute(statement)
        return [Row(row[0], row[1], row[2] is not None, tuple(row[3:])) for row in result]

    def _shown(self, paths: Paths) -> list[ColumnElement[Any]]:
        chosen = paths.table.c
        version: ColumnElement[Any] = literal(0)
        deleted: ColumnElement[datetime | None] = literal(None)
        if self.entity.is_record:
            version, deleted = chosen.version, chosen.deleted_at
        columns = [paths.shown(path).label(f"c{n}") for n, path in enumerate(self.query.columns)]
        return [chosen.id, version.label("v"), deleted.label("d"), *columns]

    def _filtered(self, statement: Select[Any]) -> Select[Any]:
        alive = () if self.alive is None else (self.alive,)
        return statement.where(*alive, *self.where)

    def _orders(self) -> tuple[Order, ...]:
        if self.query.order:
            return self.query.order
        default = self.entity.meta.order or (
            self.entity.title_field if "title_key" in self.entity.fields else "id"
        )
        return (Order(default.lstrip("-"), default.startswith("-")),)

    def _order(self, paths: Paths | None = None) -> list[ColumnElement[Any]]:
        chosen = paths or self.paths
        found: list[ColumnElement[Any]] = []
        orders = self._orders()
        for order in orders:
            key = chosen.sort_key(order.field)
            found.append(key.desc() if order.descending else key)
        last = chosen.table.c.id
        found.append(last.desc() if orders[-1].descending else last)
        return found

    def _order_is_indexed(self) -> bool:
        order = self._orders()[0]
        if "." in order.field:
            return False
        key = self.paths.sort_key(order.field)
        if getattr(key, "table", None) is not self.paths.table:
            return False
        name = getattr(key, "name", "")
        return name == "id" or any(
            next(iter(index.columns)).name == name for index in self.entity.table.indexes
        )

    def _search(self, typed: str) -> None:
        key = self.paths.table.c.id
        if "search_text" not in self.entity.fields:
            raise UserError(N_("These records cannot be searched by text. Use a filter."))
        for word in fold(typed).split():
            if len(word) < _TRIGRAM:
                title = self.paths.table.c.title_key
                self.where.append((title >= word) & (title < word + _LAST))
            elif self.actor.db.dialect == "sqlite" and self.entity.key in SEARCHED:
                self._join_match(word, key)
            else:
                searched = self.paths.table.c.search_text
                self.where.append(searched.contains(word, autoescape=True))

    def _join_match(self, word: str, key: ColumnElement[Any]) -> None:
        index = table(f"{self.entity.key}_fts", column("rowid"), column("search_text"))
        phrase = '"' + word.replace('"', '""') + '"'
        fts = text(f"{self.entity.key}_fts MATCH :w{len(self.where)}").bindparams(
            **{f"w{len(self.where)}": phrase}
        )
        self.where.append(key.in_(select(index.c.rowid).where(fts)))


def key_clause(
    connection: Connection, key: ColumnElement[Any], ids: Sequence[int]
) -> ColumnElement[bool]:
    """Clause for many keys as one parameter, so that the statement stays the same for any count."""
    if connection.dialect.name == "sqlite":
        # json_each reads one text: no 32,766 parameter limit, and the statement cache hits.
        listed = text("SELECT value FROM json_each(:keys)").bindparams(
            bindparam("keys", json.dumps(list(ids)))
        )
        return key.in_(listed)
    return key == func.any(list(ids))
