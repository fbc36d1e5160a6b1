"""A list's question on its way to SQL: which shape of statement answers it soonest.

Measured on a million records: sorting keys alone and joining the rest to the winners is four
times faster than sorting whole rows; merging the owners of a team in index order takes half a
millisecond where sorting them takes half a second.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.services import clauses, grouping, privacy
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_words import LAST, NO_WORDS, Words, matches, standing
from desktop_crm.services.permissions import literal_owners, require, row_clause
from desktop_crm.services.record_query import MOST_COLUMNS, Order, RecordQuery, asks_by_link

FEW_HITS: Final = 2000
"""Up to so many search hits are sorted; more are found sooner by walking the list's order."""
_MERGED: Final = 60
_LETTERS: Final = {"#": ("0", ":")}
_LIVE: Final = "deleted_at IS NULL"
_GONE: Final = "deleted_at IS NOT NULL"


def told(limit: int | None) -> ColumnElement[int] | None:
    """A limit the planner can read; None means all.

    Bound late, SQLite plans for all rows and may walk an index of the wrong order: four times as
    slow over a million.
    """
    return None if limit is None else literal_column(str(limit), Integer)


class Plan:
    """One query on its way to SQL."""

    def __init__(
        self, actor: Actor, query: RecordQuery, words: Words = NO_WORDS, *, whole: bool = False
    ) -> None:
        entity = registry.get(query.entity)
        require(actor, entity, "read")
        self.actor = actor
        self.query = query
        self.entity = entity
        if len(query.columns) > MOST_COLUMNS:
            raise UserError(
                N_("A list has at most {most} columns; {count} are asked for."),
                most=MOST_COLUMNS,
                count=len(query.columns),
            )
        self.paths = Paths(actor, entity, whole=whole)
        self.owners = literal_owners(actor, entity, "read")
        self.where: list[ColumnElement[bool]] = []
        rights = row_clause(actor, entity, self.paths.table, "read")
        if rights is not None:
            self.where.append(rights)
        self.has_rights = rights is not None
        listed = privacy.listed(actor, entity, self.paths.table)
        if listed is not None:
            self.where.append(listed)
        self.alive: ColumnElement[bool] | None = None
        if entity.is_record:
            gone = self.paths.table.c.deleted_at
            self.alive = gone.is_not(None) if query.deleted else gone.is_(None)
        if isinstance(query.filter, Rule) and asks_by_link(query):
            with self.paths.bare():
                link = self.paths.column(query.filter.field)
            self._only_known(query.filter.field)
            field, _ = self.paths.field(query.filter.field)
            key = bindparam("link", query.filter.value, Integer)
            self.where.append(link == clauses.kept_key(registry.get(field.target), key))
        elif query.filter is not None:
            self.where.append(clauses.clause(query.filter, self.paths))
        if query.starts:
            begin, end = _LETTERS.get(query.starts, (query.starts, query.starts + LAST))
            title = self.paths.table.c.title_key
            self._only_known("title_key")
            self.where.append((title >= begin) & (title < end))
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
        arms = self._arms(limit)
        if arms:
            return self._joined_to(self._merged(arms, limit))
        if self._indexed_order() and not self.words.phrase:
            return self._plain().limit(told(limit))
        return self._joined_to(self._sorted_keys().limit(told(limit)))

    def snapshot(self) -> Select[Any]:
        """Statement of every key in order."""
        # PostgreSQL would read every arm to its end before the first row either way.
        merges = self.actor.db.dialect == "sqlite"
        arms = (self._arms_of_private(whole=True) or self._arms_by_owner()) if merges else []
        return self._merged(arms, None) if arms else self._sorted_keys()

    def _sorted_keys(self) -> Select[Any]:
        order = self._order()
        key = self.paths.table.c.id
        statement = self.filtered(select(key).select_from(self.paths.source))
        return statement.order_by(*order)

    def by_keys(self) -> Select[Any]:
        """Statement of the rows with some keys, bound late; deleted ones included."""
        shown = self._shown(self.paths)
        statement = select(*shown).select_from(self.paths.source).where(*self.where)
        return statement.where(self._among_keys())

    def count(self, most: int = 0) -> Select[Any]:
        """Statement that counts, not further than one more than a number unless it is 0."""
        if not most:
            return self.filtered(select(func.count()).select_from(self.paths.source))
        some = self.filtered(select(self.paths.table.c.id).select_from(self.paths.source))
        return select(func.count()).select_from(some.limit(told(most + 1)).subquery("some"))

    def begins(self, limit: int) -> Select[Any]:
        """Statement of the first rows whose title begins with a text, bound late."""
        self._begin_with()
        return self.page(limit)

    def hits(self) -> Select[Any]:
        """Statement of the first keys that the search index finds, in no order."""
        return matches(self.entity.key).limit(told(FEW_HITS + 1))

    def page_of_few(self, limit: int) -> Select[Any]:
        """Statement of the first rows among some keys, bound late."""
        self.where.remove(self.found)
        self.where.append(self._among_keys())
        return (
            self._plain() if limit < 0 else self._joined_to(self._sorted_keys().limit(told(limit)))
        )

    def page_of_many(self, limit: int) -> Select[Any]:
        """Statement of the first rows where so many match that the order finds them soonest."""
        several = self.owners is not None and len(self.owners) > 1
        if limit >= 0 and not several and self._indexed_order():
            self.where.remove(self.found)
            # An expression instead of the key: the index of the order leads, not the matches.
            self.where.append((self.paths.table.c.id + 0).in_(matches(self.entity.key)))
            return self._plain().limit(told(limit))
        return (
            self._plain() if limit < 0 else self._joined_to(self._sorted_keys().limit(told(limit)))
        )

    # --- parts -----------------------------------------------------------------------------

    def _plain(self) -> Select[Any]:
        order = self._order()
        shown = self._shown(self.paths)
        statement = self.filtered(select(*shown).select_from(self.paths.source))
        return statement.order_by(*order)

    def _joined_to(self, keys: Select[Any]) -> Select[Any]:
        """Shown columns of the keys that another statement chose."""
        inner = keys.subquery("k")
        outer = Paths(self.actor, self.entity)
        shown = self._shown(outer)
        order = self._order(outer)
        source = inner.join(outer.table, outer.table.c.id == inner.c.id)
        return select(*shown).select_from(outer.on(source)).order_by(*order)

    def _merged(self, arms: list[Select[Any]], limit: int | None) -> Select[Any]:
        """First keys (None: all) of several statements that each are in order already.

        SQLite merges them lazily; PostgreSQL needs the limit in each.
        """
        if self.actor.db.dialect != "sqlite":
            # None of them has empty values beside others: the plain order is the index's.
            arms = [
                arm.order_by(*self._ways(arm, is_filled=True)).limit(told(limit)) for arm in arms
            ]
            arms = [select(arm.subquery(f"a{n}")) for n, arm in enumerate(arms)]
        merged = union_all(*arms)
        chosen = merged.order_by(*self._ways(merged)).limit(told(limit)).subquery("m")
        return select(chosen.c.id)

    def _ways(
        self, arm: Select[Any] | CompoundSelect[Any], *, is_filled: bool = False
    ) -> list[ColumnElement[Any]]:
        """Order of an arm by its own columns ``s0``, ``s1`` ... and the key."""
        column = arm.selected_columns
        orders = self._orders()
        ways = [
            self._way(column[f"s{n}"], order.descending, is_filled or self._is_filled(order))
            for n, order in enumerate(orders)
        ]
        return [*ways, self._way(column.id, orders[-1].descending, is_filled=True)]

    def _arms_by_owner(self) -> list[Select[Any]]:
        """One statement for each owner, read from the index of owner and order.

        Asked for several owners at once, SQLite would sort all their records or walk everybody's.
        """
        owners = self.owners or ()
        if not 1 < len(owners) <= _MERGED or self.words.phrase:
            return []
        if not self._indexed_order("owner_id"):
            return []
        owner_id = self.paths.table.c.owner_id
        return [self._arm().where(owner_id == owner) for owner in owners]

    def _arms(self, limit: int) -> list[Select[Any]]:
        """Statements that an index each has in order, where one index alone does not."""
        arms = self._arms_of_private() or self._arms_by_owner()
        order = self._orders()[0]
        if self.actor.db.dialect != "sqlite" and order.descending and not self._is_filled(order):
            # Read downwards, its end of the index has the empty values, which come last here.
            arms = arms or ([self._arm()] if self._indexed_order() else [])
            arms = [half for arm in arms for half in self._halves(arm)]
        return arms or self._armsasks_by_link(limit)

    @staticmethod
    def _halves(arm: Select[Any]) -> tuple[Select[Any], Select[Any]]:
        """Records of an arm with a value to sort by, and those without."""
        sort: Any = arm.selected_columns["s0"]
        key = sort.element
        return arm.where(key.is_not(None)), arm.where(key.is_(None))

    def _arm(self) -> Select[Any]:
        """Keys of the records asked for, with what they are sorted by."""
        sorts = [
            self.paths.sort_key(order.field).label(f"s{n}")
            for n, order in enumerate(self._orders())
        ]
        keys = select(self.paths.table.c.id, *sorts)
        return self.filtered(keys.select_from(self.paths.source))

    def _arms_of_private(self, *, whole: bool = False) -> list[Select[Any]]:
        """Records known to the actor from the index of the order, and the few that are private.

        Those stand together, as if the field were empty; sorted by what it hides, their places
        would tell it.
        """
        first = self._orders()[0].field
        if self.words.phrase or {".", ":"} & set(first) or self.paths.known(first) is None:
            return []
        with self.paths.bare():
            owners = self.owners or ()
            if not self._indexed_order(*(["owner_id"] if owners else [])) or len(owners) > _MERGED:
                return []
            sort = self.paths.sort_key(first).label("s0")
        sorts = [
            self.paths.sort_key(order.field).label(f"s{n}")
            for n, order in enumerate(self._orders())
        ]
        table = self.paths.table
        ask = privacy.not_hidden if whole else privacy.known
        known = ask(self.actor, self.entity, table)
        assert known is not None  # noqa: S101  asked above
        open_ones = self.filtered(
            select(table.c.id, sort, *sorts[1:]).select_from(self.paths.source)
        )
        arms = [open_ones.where(table.c.owner_id == owner) for owner in owners] or [open_ones]
        nothing = literal(None, String).label("s0")
        hidden = self.filtered(
            select(table.c.id, nothing, *sorts[1:]).select_from(self.paths.source)
        ).where(privacy.hidden(self.actor, self.entity, table))
        return [*(arm.where(known) for arm in arms), hidden]

    def _armsasks_by_link(self, limit: int) -> list[Select[Any]]:
        """Records without the link, then those of living and of deleted targets by title."""
        orders = self._orders()
        plain = not {".", ":"} & set(orders[0].field)
        if self.where or self.query.group or len(orders) > 1 or not plain:
            return []
        field, _ = self.paths.field(orders[0].field)
        if field.column is None or not field.target or not self._leads(field.column.name):
            return []
        target, linked = self.paths.link_target(field.name)
        hidden = row_clause(self.actor, target, linked, "read") is not None
        hidden = hidden or target.private is not None
        if "title_key" not in target.fields or not target.is_record or hidden:
            return []
        table = self.paths.table
        known = self.paths.known(field.name)
        link = table.c[field.column.name]
        none = literal(None, String).label("s0")
        free = self.filtered(select(table.c.id, none)).where(link.is_(None))
        # Without a limit of its own SQLite would sort all of them first.
        free = free.order_by(self._order()[-1]).limit(told(limit))
        arms = [select(free.subquery("f"))]
        if known is not None:
            private = privacy.hidden(self.actor, self.entity, table)
            arms.append(self.filtered(select(table.c.id, none)).where(private, link.is_not(None)))
        targets = linked.join(table, link == linked.c.id)
        for living in (linked.c.deleted_at.is_(None), linked.c.deleted_at.is_not(None)):
            arm = select(table.c.id, linked.c.title_key.label("s0")).select_from(targets)
            arms.append(self.filtered(arm).where(living, *([] if known is None else [known])))
        return arms

    def _shown(self, paths: Paths) -> list[ColumnElement[Any]]:
        chosen = paths.table.c
        version: ColumnElement[Any] = literal(0)
        deleted: ColumnElement[datetime | None] = literal(None)
        if self.entity.is_record:
            version, deleted = chosen.version, chosen.deleted_at
        columns = [paths.shown(path).label(f"c{n}") for n, path in enumerate(self.query.columns)]
        if self.query.marks:
            ways = [(clauses.clause(node, paths), n) for n, node in enumerate(self.query.marks)]
            columns.append(case(*ways, else_=None).label("mark"))
        return [chosen.id, version.label("v"), deleted.label("d"), *columns]

    def filtered(self, statement: Select[Any]) -> Select[Any]:
        """The statement over the records that are asked for and may be seen."""
        alive = () if self.alive is None else (self.alive,)
        return statement.where(*alive, *self.where)

    def _orders(self) -> tuple[Order, ...]:
        if self.query.order:
            return self.query.order
        default = self.entity.order or (
            self.entity.title if "title_key" in self.entity.fields else "id"
        )
        return (Order(default.lstrip("-"), default.startswith("-")),)

    def _order(self, paths: Paths | None = None) -> list[ColumnElement[Any]]:
        chosen = paths or self.paths
        found: list[ColumnElement[Any]] = []
        if self.query.group:
            found += self.directed(grouping.order(chosen, self.query.group))
        orders = self._orders()
        for order in orders:
            key = chosen.sort_key(order.field)
            found.append(self._way(key, order.descending, self._is_filled(order)))
        found.append(self._way(chosen.table.c.id, orders[-1].descending, is_filled=True))
        return found

    def _way(
        self, key: ColumnElement[Any], descending: bool, is_filled: bool = False
    ) -> ColumnElement[Any]:
        """One sort; empty values stand behind all others, up and down.

        SQLite sorts so by itself downwards and reads an index in two goes upwards. PostgreSQL does
        so upwards; see :meth:`_arms` for the other way.
        """
        way = key.desc() if descending else key
        by_itself = descending == (self.actor.db.dialect == "sqlite")
        return way if is_filled or by_itself else way.nulls_last()

    def _is_filled(self, order: Order) -> bool:
        """Whether every record has a value to sort by."""
        key = self.paths.sort_key(order.field)
        if getattr(key, "table", None) is not self.paths.table:
            return False
        return not getattr(key, "nullable", True)

    def directed(self, ways: list[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        """Order of the groups, turned around where the list is sorted down by the same field."""
        path, _ = grouping.parts(self.query.group)
        down = any(order.field == path and order.descending for order in self.query.order)
        return [self._way(way, down) for way in ways]

    def _indexed_order(self, *before: str) -> bool:
        """Whether an index gives the order, behind these columns."""
        order = self._orders()[0]
        if "." in order.field or self.query.group:
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

    def _search(self, words: Words) -> None:
        if "search_text" not in self.entity.fields:
            raise UserError(N_("These records cannot be searched by text. Use a filter."))
        if words != NO_WORDS:
            self._only_known("search_text")
        if words.begin:
            self._begin_with()
        searched = self.paths.table.c.search_text
        stands = standing(words, searched)
        if stands is not None:
            self.where.append(stands)
        if words.phrase:
            self.found = self.paths.table.c.id.in_(matches(self.entity.key))
            self.where.append(self.found)

    def _only_known(self, name: str) -> None:
        """Leave out records in which a field is private to others."""
        if privacy.is_masked(self.actor, self.entity, name):
            known = privacy.known(self.actor, self.entity, self.paths.table)
            if known is not None:
                self.where.append(known)

    def _begin_with(self) -> None:
        title = self.paths.table.c.title_key
        self._only_known("title_key")
        begin, end = bindparam("w0", "", String), bindparam("e0", "", String)
        self.where.append((title >= begin) & (title < end))

    def _among_keys(self) -> ColumnElement[bool]:
        return late_keys(self.actor.db.dialect, self.paths.table.c.id)


def late_keys(dialect: str, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Clause for many keys that are bound late, as ``keys``, as packed_keys() packs them."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam("keys", "[]", String)).table_valued("value")
        return key.in_(select(listed.c.value))
    return key == func.any(bindparam("keys", [], ARRAY(Integer)))
