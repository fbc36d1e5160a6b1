"""What a filter says about related records, in SQL.

For the first page of a list a relation is asked record by record through the index of its key, so
that it costs as many look-ups as records are passed. Where every record is looked at, without an
index, and for counts and sums on PostgreSQL, the related records are gone through once instead:
on a million contacts that takes a tenth of the time. PostgreSQL turns EXISTS into a join by itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    UniqueConstraint,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Link
from desktop_crm.services import privacy
from desktop_crm.services.aliases import alias
from desktop_crm.services.columns import Paths
from desktop_crm.services.filters import Node, Related, relations
from desktop_crm.services.filters.fields import summed
from desktop_crm.services.filters.relations import Relation, Way
from desktop_crm.services.permissions import content_clause, knows
from desktop_crm.services.values import checked

Clause = ColumnElement[bool]
Inner = Callable[[Node, Paths], Clause]

_GONE: Final = "IS NOT NULL"
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def clause(node: Related, paths: Paths, inner: Inner) -> Clause:
    """Translate a condition on related records; those out of the actor's reach do not count.

    Args:
        node: The condition.
        paths: Of the statement around it.
        inner: Translates the filter of the related records.

    Raises:
        UserError: The relation or the field is unknown, or the number cannot be read.
    """
    relation = relations.find(paths.entity, node.relation, lambda f: knows(paths.actor, f))
    parts = [_Part(node, relation, way, paths, inner) for way in relation.ways]
    if node.quantity in {"has", "no"}:
        found = or_(*(part.exists() for part in parts))
        return found if node.quantity == "has" else not_(found)
    return _measured(node, relation, parts, paths)


class _Part:
    """Related records found one way: which, and the key of the record they belong to."""

    def __init__(
        self, node: Related, relation: Relation, way: Way, paths: Paths, inner: Inner
    ) -> None:
        entity = registry.get(relation.entity)
        actor = paths.actor
        within = paths.within(entity)
        table = within.table
        holder: FromClause = table
        conditions: list[Clause] = []
        if way.through:
            holder = alias(Link.__table__, f"r{within.depth}_link")
            conditions += [holder.c.deleted_at.is_(None), holder.c.activity_id == table.c.id]
        if way.kind:
            conditions.append(holder.c[way.kind] == paths.entity.key)
        conditions += [holder.c[name] == value for name, value in way.fixed]
        if way.mine:
            conditions.append(holder.c[way.mine] == actor.user_id)
        if entity.is_record:
            conditions.append(table.c.deleted_at.is_(None))
        rights = content_clause(actor, entity, table)
        if rights is not None:
            conditions.append(rights)
        if node.filter is not None:
            conditions.append(inner(node.filter, within))
        self.outer: ColumnElement[Any] = paths.table.c[way.from_]
        if way.from_ != "id" and relation.field is not None:
            # Where the link is private to others, it leads nowhere.
            self.outer = privacy.masked(actor, paths.entity, paths.table, relation.field.name)
        self.key: ColumnElement[Any] = holder.c[way.key]
        self.value: ColumnElement[Any] = literal(1)
        if node.quantity == "sum":
            summed(entity, node.field)
            self.value = within.column(node.field)
        source = within.source
        self._source = source if holder is table else within.on(holder.join(table, conditions[1]))
        self._conditions = conditions
        way_of_search = (way.kind, way.key) if way.kind else (way.key,)
        indexed = _is_indexed(Link.__table__ if way.through else entity.table, way_of_search)
        self.one_by_one = indexed and not paths.whole
        self._on_server = actor.db.dialect != "sqlite"
        # A user's own marks are few: the records are found from them, not asked one by one.
        self._are_few = bool(way.mine)

    def of(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Statement of the related records."""
        return select(*columns).select_from(self._source).where(*self._conditions)

    def exists(self) -> Clause:
        """Whether the record has one; never unknown."""
        if not self._are_few and (self.one_by_one or self._on_server):
            return exists(self.of(literal(1)).where(self.key == self.outer))
        # One empty key among them would make the answer unknown for every record.
        keys = self.of(self.key).where(self.key.is_not(None))
        return and_(self.outer.is_not(None), self.outer.in_(keys))


def _measured(node: Related, relation: Relation, parts: list[_Part], paths: Paths) -> Clause:
    wanted = _number(node, registry.get(relation.entity), paths)
    compare = _COMPARE[node.operator]
    measure = func.count if node.quantity == "count" else func.sum
    if len(parts) == 1 and parts[0].one_by_one and paths.actor.db.dialect == "sqlite":
        (part,) = parts
        own = part.of(measure(part.value)).where(part.key == part.outer).scalar_subquery()
        # The sum of no records is nothing in SQL, and zero to a person.
        found: Clause = compare(func.coalesce(own, _zero(part)), wanted)
        return found
    rows = [part.of(part.key.label("k"), part.value.label("v")) for part in parts]
    related = (rows[0] if len(rows) == 1 else union_all(*rows)).subquery()
    total = func.coalesce(measure(related.c.v), _zero(parts[0]))
    # Records without a related one are in no group: they are looked for by the opposite.
    holds_for_none = bool(compare(Decimal(0), Decimal(str(wanted))))
    having = compare(total, wanted)
    on_server = paths.actor.db.dialect != "sqlite"
    # By the key itself SQLite would read the table in the order of its index, row by row.
    by = related.c.k if on_server else related.c.k + 0
    groups = select(related.c.k).where(related.c.k.is_not(None)).group_by(by)
    groups = groups.having(not_(having) if holds_for_none else having)
    outer = parts[0].outer
    if not on_server:
        return outer.not_in(groups) if holds_for_none else outer.in_(groups)
    keys = groups.subquery()
    among = exists(select(literal(1)).select_from(keys).where(keys.c.k == outer))
    return not_(among) if holds_for_none else among


def _zero(part: _Part) -> ColumnElement[Any]:
    whole = isinstance(part.value.type, Integer)
    return literal(0 if whole else Decimal(0), part.value.type)


def _number(node: Related, entity: Entity, paths: Paths) -> Any:  # noqa: ANN401  as stored
    formats = paths.actor.formats
    if node.quantity == "sum":
        field = summed(entity, node.field)
        return checked(field, node.value, formats)
    return checked(entity.fields["id"], node.value, formats)


def _is_indexed(table: FromClause, names: tuple[str, ...]) -> bool:
    """Whether an index over the living begins with these columns, in any order."""
    if names == ("id",):
        return True
    assert isinstance(table, Table)  # noqa: S101  joins call it a FROM clause
    leading = [
        index.columns
        for index in table.indexes
        if _GONE not in str(index.dialect_options["sqlite"]["where"])
    ]
    leading += [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
    return any({c.name for c in list(columns)[: len(names)]} == set(names) for columns in leading)
