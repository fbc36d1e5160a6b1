"""From field paths to SQL: joins made once each, shared by columns, filters and orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    case,
    func,
    literal,
    select,
    type_coerce,
)

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models import RecordMark
from desktop_crm.services import privacy
from desktop_crm.services.aliases import alias
from desktop_crm.services.context import Actor
from desktop_crm.services.filters.fields import of_retired
from desktop_crm.services.permissions import knows, row_clause

_KEY: Final = "id"
_STEPS: Final = 10
_JOINS: Final = 50
"""SQLite joins at most 64 tables."""


class Paths:
    """Resolves field paths of one statement; joins appear in :attr:`source` as they are needed.

    Attributes:
        entity: Entity the statement is about.
        table: Its table (or an alias).
        depth: So many statements stand around this one.
        whole: The statement looks at every record, not only at the first ones.
    """

    def __init__(
        self,
        actor: Actor,
        entity: Entity,
        table: FromClause | None = None,
        *,
        depth: int = 0,
        whole: bool = False,
    ) -> None:
        self.actor = actor
        self.depth = depth
        self.whole = whole
        self.entity = entity
        self.table: FromClause = entity.table if table is None else table
        self._joins: list[tuple[FromClause, ColumnElement[bool]]] = []
        self._joined: dict[str, tuple[Entity, FromClause]] = {"": (entity, self.table)}
        self._is_bare = False

    def within(self, entity: Entity) -> Paths:
        """Paths of a subquery about other records; its joins never meet those around it."""
        depth = self.depth + 1
        table = alias(entity.table, f"r{depth}_{entity.key}")
        return Paths(self.actor, entity, table, depth=depth, whole=self.whole)

    @property
    def source(self) -> FromClause:
        """FROM clause with every join so far."""
        return self.on(self.table)

    def on(self, base: FromClause) -> FromClause:
        """Put another FROM that contains the table under the joins."""
        found = base
        for table, condition in self._joins:
            found = found.outerjoin(table, condition)
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
            raise of_retired(entity, last) or UserError(
                N_("{entity} has no field “{field}”."), entity=tr(entity.label), field=last
            )
        return field, table

    def column(self, path: str) -> ColumnElement[Any]:
        """Stored value of a path; the id for links, nothing where it is private to others."""
        if path.endswith(f".{_KEY}"):
            parent = path[: -len(_KEY) - 1]
            if self.field(parent)[0].column is not None:
                path = parent
        field, table = self.field(path)
        if field.column is None:
            return literal(None)
        return self._cell(self.entity_of(path), table, field.name)

    def _cell(self, entity: Entity, table: FromClause, name: str) -> ColumnElement[Any]:
        if not self._is_bare:
            return privacy.masked(self.actor, entity, table, name)
        bound = entity.stored[name].column
        assert bound is not None  # noqa: S101  stored fields have one
        return table.c[bound.name]

    def known(self, path: str) -> ColumnElement[bool] | None:
        """Clause for the rows in which a path is not empty for privacy; None when it never is."""
        field, table = self.field(path.removesuffix(f".{_KEY}"))
        entity = self.entity_of(path.removesuffix(f".{_KEY}"))
        is_masked = privacy.is_masked(self.actor, entity, field.name)
        return privacy.known(self.actor, entity, table) if is_masked else None

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Give columns as they are stored, for indexes: who asks leaves out what is private."""
        before, self._is_bare = self._is_bare, True
        try:
            yield
        finally:
            self._is_bare = before

    def shown(self, path: str) -> ColumnElement[Any]:
        """What a list shows of a path: the title for links, the value otherwise."""
        field, _ = self.field(path)
        if field.kind is kinds.LINK and not path.endswith(f".{_KEY}"):
            return self.title(path)
        entity = self.entity_of(path)
        if field.name == entity.title and field.column is not None:
            return privacy.title(self.actor, entity, self.field(path)[1])
        return self.column(path)

    def title(self, path: str) -> ColumnElement[Any]:
        """Title of the record a link path points to."""
        entity, table = self._joined[self._join("", path)] if "." not in path else self._deep(path)
        name = entity.title
        column = entity.fields[name].column
        if column is None or entity.fields[name].kind is kinds.LINK:
            return table.c.id
        return privacy.title(self.actor, entity, table)

    def sort_key(self, path: str) -> ColumnElement[Any]:
        """What an order compares: the folded title for titles and links.

        ``birthday:day`` compares days of the year from today on, ``:viewed`` when the user looked
        at the record last; any kind of mark may stand there.
        """
        path, _colon, way = path.partition(":")
        if way == "day":
            return self._day_to_come(path)
        if way:
            return self._marked_at(way)
        field, table = self.field(path)
        if field.kind is kinds.LINK:
            entity, target = self._deep(path)
            if "title_key" in entity.fields:
                return privacy.masked(self.actor, entity, target, "title_key")
            return self.title(path)
        entity = self.entity_of(path)
        if field.name == entity.title and "title_key" in entity.fields:
            return self._cell(entity, table, "title_key")
        return self.column(path)

    def _day_to_come(self, path: str) -> ColumnElement[Any]:
        """Month and day, those before today behind the others."""
        field, _ = self.field(path)
        if field.kind is not kinds.DATE:
            raise UserError(N_("{field} is no date. Choose another field."), field=tr(field.label))
        day = day_of_year(self.column(path), self.actor.db.dialect)
        today = clock.today(self.actor.zone)
        behind = case((day >= f"{today:%m-%d}", "0"), else_="1")
        return behind.concat(day)

    def _marked_at(self, kind: str) -> ColumnElement[Any]:
        """When the user put a mark on the record; asked for the records that are left."""
        mark = RecordMark.__table__.alias("m")
        key = self.table.c[_KEY]
        return (
            select(mark.c.marked_at)
            .where(
                mark.c.user_id == self.actor.user_id,
                mark.c.record_type == self.entity.key,
                mark.c.kind == kind,
                mark.c.record_id == key,
            )
            .correlate(self.table)
            .scalar_subquery()
        )

    def link_target(self, path: str) -> tuple[Entity, FromClause]:
        """Joined table a link path points to."""
        return self._deep(path)

    def _deep(self, path: str) -> tuple[Entity, FromClause]:
        prefix = ""
        for step in path.split("."):
            prefix = self._join(prefix, step)
        return self._joined[prefix]

    def entity_of(self, path: str) -> Entity:
        """Entity that has the field a path ends in; the path was resolved before."""
        prefix = path.rpartition(".")[0]
        return self._joined[prefix][0]

    def _join(self, prefix: str, step: str) -> str:
        path = f"{prefix}.{step}" if prefix else step
        if path in self._joined:
            return path
        entity, table = self._joined[prefix]
        field = entity.fields.get(step)
        hidden = field is None or not knows(self.actor, field)
        if field is None or hidden or not field.target or field.column is None:
            raise UserError(
                N_("{entity} has no linked record “{field}”."), entity=tr(entity.label), field=step
            )
        if path.count(".") >= _STEPS or len(self._joins) >= _JOINS:
            raise UserError(
                N_("“{path}…” goes over more linked records than can be asked for at once."),
                path=path[:40],
            )
        target = registry.get(field.target)
        level = f"r{self.depth}_" if self.depth else ""
        name = f"{level}j{len(self._joined)}_{step}"
        joined = alias(target.table, name)
        matches = joined.c.id == privacy.masked(self.actor, entity, table, step)
        rights = row_clause(self.actor, target, joined, "read")
        # A record out of reach is not joined: neither its title nor any value behind it shows.
        self._joins.append((joined, matches if rights is None else and_(matches, rights)))
        self._joined[path] = (target, joined)
        return path


def find(actor: Actor, entity: Entity, path: str) -> BoundField | None:
    """Field at the end of a path; None where a step is unknown or not for this user.

    Args:
        actor: Who asks.
        entity: Where the path begins.
        path: Field name, or names over links such as ``account.city``.
    """
    here: Entity | None = entity
    field: BoundField | None = None
    for step in path.split("."):
        if here is None or (field := here.fields.get(step)) is None or not knows(actor, field):
            return None
        here = target_of(actor, field)
    return field


def currency_path(entity: Entity, path: str) -> str:
    """Path of the currency an amount is in; empty for what is no amount.

    Amounts of lines are in the currency of the record they belong to.
    """
    before, dot, name = path.rpartition(".")
    here = entity
    for step in before.split(".") if before else ():
        here = registry.get(here.fields[step].target)
    field = here.fields[name]
    if field.kind is not kinds.MONEY:
        return ""
    if field.currency:
        return f"{before}{dot}{field.currency}"
    for parent in here.parent:
        for other in registry.get(here.fields[parent].target).fields.values():
            if other.target == "currency":
                return f"{before}{dot}{parent}.{other.name}"
    return ""


def target_of(actor: Actor, field: BoundField) -> Entity | None:
    """Entity whose fields can be shown behind a link; None for other fields and hidden records."""
    if field.kind is not kinds.LINK or field.column is None or not field.target:
        return None
    target = registry.find(field.target)
    return target if target is not None and actor.can(target, "read") else None


def day_of_year(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Month and day of a date as a text such as ``02-29``, which sorts."""
    if dialect == "sqlite":
        return func.substr(type_coerce(column, String), 6)
    return func.to_char(column, "MM-DD")
