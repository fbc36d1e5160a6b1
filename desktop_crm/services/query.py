"""Reading lists: the first page, the key snapshot and rows by key.

Reads go through Core and return plain tuples. Rights are literal owner ids in the same statement,
so that a list costs one statement whoever opens it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    String,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    union_all,
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
from desktop_crm.services.permissions import literal_owners, require, row_clause
from desktop_crm.services.prepared import Prepared, Row

__all__ = [
    "PAGE",
    "Order",
    "RecordQuery",
    "Row",
    "Suggestion",
    "count",
    "entity_query",
    "first_page",
    "key_clause",
    "keys",
    "objects",
    "rows",
    "suggest",
]

PAGE: Final = 256
FEW_HITS: Final = 2000
"""Up to so many search hits are sorted; more are found sooner by walking the list's order."""
_TRIGRAM: Final = 3
_LAST: Final = "\U0010ffff"
_KEPT: Final = 200
_MERGED: Final = 60
_LIVE: Final = "deleted_at IS NULL"
_GONE: Final = "deleted_at IS NOT NULL"


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
    """Return the first rows in order; one statement, two when words are searched for."""
    words = _Words.of(actor, query)
    if not words.phrase:
        return _prepared(actor, query, f"page {limit}", lambda plan: plan.page(limit)).rows(
            actor.db, cancel, **words.late()
        )
    hits = _prepared(actor, query, "hits", lambda plan: plan.hits()).keys(
        actor.db, cancel, match=words.phrase
    )
    if len(hits) > FEW_HITS:
        many = _prepared(actor, query, f"many {limit}", lambda plan: plan.page_of_many(limit))
        return many.rows(actor.db, cancel, **words.late())
    few = _prepared(actor, query, f"few {limit}", lambda plan: plan.page_of_few(limit))
    late = words.late() | {"keys": _packed(actor.db.dialect, hits)}
    return few.rows(actor.db, cancel, **late)


def keys(actor: Actor, query: RecordQuery, cancel: Cancel | None = None) -> array[int]:
    """Return every key in order; one statement, 8 bytes a record."""
    words = _Words.of(actor, query)
    found = _prepared(actor, query, "keys", lambda plan: plan.snapshot())
    return found.keys(actor.db, cancel, **words.late())


def rows(
    actor: Actor, query: RecordQuery, ids: Sequence[int], cancel: Cancel | None = None
) -> list[Row]:
    """Return the rows with these keys in the order of the keys; vanished ones are missing.

    One statement; deleted records come back marked, so that an open list can grey them.
    """
    if not ids:
        return []
    plain = replace(query, filter=None, search="", order=(), deleted=False)
    read = _prepared(actor, plain, "rows", lambda plan: plan.by_keys())
    found = read.rows(actor.db, cancel, keys=_packed(actor.db.dialect, ids))
    by_id = {row.id: row for row in found}
    return [by_id[key] for key in ids if key in by_id]


def count(actor: Actor, query: RecordQuery, cancel: Cancel | None = None) -> int:
    """Count the records; one statement that reads every match."""
    words = _Words.of(actor, query)
    found = _prepared(actor, query, "count", lambda plan: plan.count())
    return found.number(actor.db, cancel, **words.late())


def objects(actor: Actor, query: RecordQuery, limit: int | None = None) -> list[dict[str, Any]]:
    """Return records as plain mappings, ``id`` first, for scripts."""
    found = first_page(actor, query, -1 if limit is None else limit)
    return [{"id": row.id, **dict(zip(query.columns, row.values, strict=True))} for row in found]


def suggest(
    actor: Actor, entity_key: str, typed: str, limit: int = 20, cancel: Cancel | None = None
) -> list[Suggestion]:
    """Offer records whose title starts with, then those that contain, what was typed."""
    entity = registry.get(entity_key)
    subtitle = entity.meta.subtitle or "id"
    query = RecordQuery(entity_key, (entity.title_field, subtitle))
    folded = fold(typed)
    if "title_key" not in entity.fields:
        return []
    begins = _prepared(actor, query, f"begins {limit}", lambda plan: plan.begins(limit))
    found = begins.rows(actor.db, cancel, w0=folded, e0=folded + _LAST)
    if folded and len(found) < limit:
        known = {row.id for row in found}
        more = first_page(actor, replace(query, search=typed), limit, cancel)
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


@dataclass(frozen=True, slots=True)
class _Words:
    """What is searched for: short words begin the title, the others stand anywhere.

    Attributes:
        short: Folded words that trigrams cannot find.
        long: The other words, where no index takes them as one phrase.
        phrase: The other words as SQLite's search index wants them.
    """

    short: tuple[str, ...] = ()
    long: tuple[str, ...] = ()
    phrase: str = ""

    @classmethod
    def of(cls, actor: Actor, query: RecordQuery) -> _Words:
        """Read the words of a query."""
        if not query.search:
            return _NO_WORDS
        words = fold(query.search).split()
        short = tuple(word for word in words if len(word) < _TRIGRAM)
        long = tuple(word for word in words if len(word) >= _TRIGRAM)
        if actor.db.dialect == "sqlite" and query.entity in SEARCHED:
            quoted = ['"' + word.replace('"', '""') + '"' for word in long]
            return cls(short, (), " AND ".join(quoted))
        return cls(short, long)

    @property
    def shape(self) -> tuple[int, int, bool]:
        """What the statement depends on."""
        return (len(self.short), len(self.long), bool(self.phrase))

    def late(self) -> dict[str, object]:
        """Values of the statement."""
        found: dict[str, object] = {}
        for n, word in enumerate(self.short):
            found |= {f"w{n}": word, f"e{n}": word + _LAST}
        for n, word in enumerate(self.long):
            found[f"l{n}"] = _inside(word)
        if self.phrase:
            found["match"] = self.phrase
        return found


_NO_WORDS: Final = _Words()


def _inside(word: str) -> str:
    """Pattern of LIKE for a word anywhere in a text."""
    for special in ("/", "%", "_"):
        word = word.replace(special, "/" + special)
    return f"%{word}%"


def _prepared(
    actor: Actor,
    query: RecordQuery,
    purpose: str,
    make: Callable[[_Plan], Select[Any]],
) -> Prepared:
    """Statement of a query, kept with the actor whose rights stand in it.

    Filters are made anew each time: they may depend on the day.
    """
    words = _Words.of(actor, query)
    if query.filter is not None:
        return Prepared(actor.db, make(_Plan(actor, query, words)))
    key = (replace(query, search=""), words.shape, purpose)
    found = actor.statements.get(key)
    if found is None:
        found = Prepared(actor.db, make(_Plan(actor, query, words)))
        if len(actor.statements) >= _KEPT:
            actor.statements.clear()
        actor.statements[key] = found
    return found


def _packed(dialect: str, ids: Sequence[int]) -> object:
    """Many keys as one value."""
    # SQLite reads one text by json_each: no limit of 32,766, and one statement for any count.
    return str(list(ids)) if dialect == "sqlite" else list(ids)


class _Plan:
    """One query on its way to SQL."""

    def __init__(self, actor: Actor, query: RecordQuery, words: _Words = _NO_WORDS) -> None:
        entity = registry.get(query.entity)
        require(actor, entity, "read")
        self.actor = actor
        self.query = query
        self.entity = entity
        self.paths = Paths(actor, entity)
        self.owners = literal_owners(actor, entity, "read")
        self.where: list[ColumnElement[bool]] = []
        rights = row_clause(actor, entity, self.paths.table, "read")
        if rights is not None:
            self.where.append(rights)
        self.has_rights = rights is not None
        self.alive: ColumnElement[bool] | None = None
        if entity.is_record:
            gone = self.paths.table.c.deleted_at
            self.alive = gone.is_not(None) if query.deleted else gone.is_(None)
        if query.filter is not None:
            self.where.append(clauses.clause(query.filter, self.paths))
        self.words = words
        if query.search:
            self._search(words)

    # --- statements ------------------------------------------------------------------------

    def page(self, limit: int) -> Select[Any]:
        """Statement of the first rows; a negative limit takes all.

        Where no index gives the order, the keys are sorted alone and the rest is joined to the
        winners, so that the sort carries one narrow column instead of every shown one.
        """
        if limit < 0:
            return self._plain()
        arms = self._arms_by_owner() or self._arms_by_link(limit)
        if arms:
            return self._joined_to(self._merged(arms, limit))
        if self._indexed_order() and not self.words.phrase:
            return self._plain().limit(limit)
        return self._joined_to(self.snapshot().limit(limit))

    def snapshot(self) -> Select[Any]:
        """Statement of every key in order."""
        order = self._order()
        key = self.paths.table.c.id
        statement = self._filtered(select(key).select_from(self.paths.source))
        return statement.order_by(*order)

    def by_keys(self) -> Select[Any]:
        """Statement of the rows with some keys, bound late; deleted ones included."""
        shown = self._shown(self.paths)
        statement = select(*shown).select_from(self.paths.source).where(*self.where)
        return statement.where(self._among_keys())

    def count(self) -> Select[Any]:
        """Statement that counts."""
        statement = select(func.count()).select_from(self.paths.source)
        return self._filtered(statement)

    def begins(self, limit: int) -> Select[Any]:
        """Statement of the first rows whose title begins with a text, bound late."""
        self._begin_with(0)
        return self.page(limit)

    def hits(self) -> Select[Any]:
        """Statement of the first keys that the search index finds, in no order."""
        return self._matches().limit(FEW_HITS + 1)

    def page_of_few(self, limit: int) -> Select[Any]:
        """Statement of the first rows among some keys, bound late."""
        self.where.remove(self.found)
        self.where.append(self._among_keys())
        return self._plain() if limit < 0 else self._joined_to(self.snapshot().limit(limit))

    def page_of_many(self, limit: int) -> Select[Any]:
        """Statement of the first rows where so many match that the order finds them soonest."""
        several = self.owners is not None and len(self.owners) > 1
        if limit >= 0 and not several and self._indexed_order():
            self.where.remove(self.found)
            # An expression instead of the key: the index of the order leads, not the matches.
            self.where.append((self.paths.table.c.id + 0).in_(self._matches()))
            return self._plain().limit(limit)
        return self._plain() if limit < 0 else self._joined_to(self.snapshot().limit(limit))

    # --- parts -----------------------------------------------------------------------------

    def _plain(self) -> Select[Any]:
        order = self._order()
        shown = self._shown(self.paths)
        statement = self._filtered(select(*shown).select_from(self.paths.source))
        return statement.order_by(*order)

    def _joined_to(self, keys: Select[Any]) -> Select[Any]:
        """Shown columns of the keys that another statement chose."""
        inner = keys.subquery("k")
        outer = Paths(self.actor, self.entity)
        shown = self._shown(outer)
        order = self._order(outer)
        source = inner.join(outer.table, outer.table.c.id == inner.c.id)
        return select(*shown).select_from(outer.on(source)).order_by(*order)

    def _merged(self, arms: list[Select[Any]], limit: int) -> Select[Any]:
        """First keys of several statements that each are in order already.

        SQLite merges them lazily; PostgreSQL needs the limit in each.
        """
        if self.actor.db.dialect != "sqlite":
            arms = [arm.order_by(*self._ways(arm)).limit(limit) for arm in arms]
            arms = [select(arm.subquery(f"a{n}")) for n, arm in enumerate(arms)]
        merged = union_all(*arms)
        chosen = merged.order_by(*self._ways(merged)).limit(limit).subquery("m")
        return select(chosen.c.id)

    def _ways(self, arm: Select[Any] | CompoundSelect[Any]) -> list[ColumnElement[Any]]:
        """Order of an arm by its own columns ``s0``, ``s1`` ... and the key."""
        column = arm.selected_columns
        orders = self._orders()
        ways = [column[f"s{n}"] for n in range(len(orders))]
        down = [order.descending for order in orders]
        return [
            way.desc() if descending else way
            for way, descending in zip((*ways, column.id), (*down, down[-1]), strict=True)
        ]

    def _arms_by_owner(self) -> list[Select[Any]]:
        """One statement for each owner, read from the index of owner and order.

        Asked for several owners at once, SQLite would sort all their records or walk everybody's.
        """
        owners = self.owners or ()
        if not 1 < len(owners) <= _MERGED or self.words.phrase:
            return []
        if not self._indexed_order("owner_id"):
            return []
        sorts = [
            self.paths.sort_key(order.field).label(f"s{n}")
            for n, order in enumerate(self._orders())
        ]
        table = self.paths.table
        statement = self._filtered(select(table.c.id, *sorts).select_from(self.paths.source))
        return [statement.where(table.c.owner_id == owner) for owner in owners]

    def _arms_by_link(self, limit: int) -> list[Select[Any]]:
        """Records without the link, then those of living and of deleted targets by title."""
        orders = self._orders()
        if self.where or len(orders) > 1 or "." in orders[0].field:
            return []
        field, _ = self.paths.field(orders[0].field)
        if field.column is None or not field.target or not self._leads(field.column.name):
            return []
        target, linked = self.paths.link_target(field.name)
        hidden = row_clause(self.actor, target, linked, "read") is not None
        if "title_key" not in target.fields or not target.is_record or hidden:
            return []
        table = self.paths.table
        link = table.c[field.column.name]
        none = literal(None, String).label("s0")
        free = self._filtered(select(table.c.id, none)).where(link.is_(None))
        # Without a limit of its own SQLite would sort all of them first.
        free = free.order_by(self._order()[-1]).limit(limit)
        arms = [select(free.subquery("f"))]
        targets = linked.join(table, link == linked.c.id)
        for living in (linked.c.deleted_at.is_(None), linked.c.deleted_at.is_not(None)):
            arm = select(table.c.id, linked.c.title_key.label("s0")).select_from(targets)
            arms.append(self._filtered(arm).where(living))
        return arms

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

    def _indexed_order(self, *before: str) -> bool:
        """Whether an index gives the order, behind these columns."""
        order = self._orders()[0]
        if "." in order.field:
            return False
        key = self.paths.sort_key(order.field)
        if getattr(key, "table", None) is not self.paths.table:
            return False
        name = str(getattr(key, "name", ""))
        return (name == "id" and not before) or self._leads(*before, name)

    def _leads(self, *names: str) -> bool:
        """Whether an index over the rows asked for begins with these columns."""
        for index in self.entity.table.indexes:
            covered = str(index.dialect_options["sqlite"]["where"])
            reached = covered in {"None", _GONE if self.query.deleted else _LIVE}
            if reached and tuple(c.name for c in index.columns)[: len(names)] == names:
                return True
        return False

    # --- words and keys --------------------------------------------------------------------

    def _search(self, words: _Words) -> None:
        if "search_text" not in self.entity.fields:
            raise UserError(N_("These records cannot be searched by text. Use a filter."))
        for n in range(len(words.short)):
            self._begin_with(n)
        for n in range(len(words.long)):
            searched = self.paths.table.c.search_text
            self.where.append(searched.like(bindparam(f"l{n}", "", String), escape="/"))
        if words.phrase:
            self.found = self.paths.table.c.id.in_(self._matches())
            self.where.append(self.found)

    def _begin_with(self, n: int) -> None:
        title = self.paths.table.c.title_key
        begin, end = bindparam(f"w{n}", "", String), bindparam(f"e{n}", "", String)
        self.where.append((title >= begin) & (title < end))

    def _matches(self) -> Select[Any]:
        index = table(f"{self.entity.key}_fts", column("rowid", Integer))
        name: ColumnElement[Any] = literal_column(index.name)
        return select(index.c.rowid).where(name.op("MATCH")(bindparam("match", "", String)))

    def _among_keys(self) -> ColumnElement[bool]:
        key = self.paths.table.c.id
        if self.actor.db.dialect == "sqlite":
            listed = func.json_each(bindparam("keys", "[]", String)).table_valued("value")
            return key.in_(select(listed.c.value))
        return key == func.any(bindparam("keys", [], ARRAY(Integer)))


def key_clause(
    connection: Connection, key: ColumnElement[Any], ids: Sequence[int]
) -> ColumnElement[bool]:
    """Clause for many keys as one parameter, so that the statement stays the same for any count."""
    if connection.dialect.name == "sqlite":
        # json_each reads one text: no 32,766 parameter limit, and the statement cache hits.
        listed = text("SELECT value FROM json_each(:keys)").bindparams(
            bindparam("keys", json.dumps(list(ids)), unique=True)
        )
        return key.in_(listed)
    return key == func.any(list(ids))
