"""Statements that read one record with its child rows, made once for an actor and an entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, func, literal, select

from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import privacy
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause, visible_fields
from desktop_crm.services.prepared import Prepared


@dataclass(frozen=True, slots=True)
class RecordStatements:
    """What a record costs to read: one statement and one for each kind of child.

    Attributes:
        record: Shown fields, titles of links, and whether the actor may edit and remove it.
        shown: Names of the fields, in the order of the columns.
        links: Names of the links whose titles follow.
        lines: By lines field: names of the columns and the statement.
    """

    record: Prepared
    shown: tuple[str, ...]
    links: tuple[str, ...]
    lines: Mapping[str, tuple[tuple[str, ...], Prepared]]

    @classmethod
    def of(cls, actor: Actor, entity: Entity) -> RecordStatements:
        """Return the statements of an entity; the record's key is bound late as ``key``."""
        kept = actor.records.get(entity)
        if kept is None:
            kept = actor.records[entity] = cls._made(actor, entity)
        return kept

    @classmethod
    def _made(cls, actor: Actor, entity: Entity) -> RecordStatements:
        paths = Paths(actor, entity)
        shown, links, columns = _columns(actor, paths, None)
        may_write = [_reached(actor, paths, action) for action in ("edit", "remove")]
        statement = select(*columns, *may_write).select_from(paths.source)
        statement = statement.where(paths.table.c.id == _key())
        rights = row_clause(actor, entity, paths.table, "read")
        if rights is not None:
            statement = statement.where(rights)
        lines = {line.name: _lines(actor, entity, line.name) for line in entity.lines}
        return cls(Prepared(actor.db, statement), shown, links, lines)


def _key() -> ColumnElement[int]:
    return bindparam("key", 0, Integer)


def _columns(
    actor: Actor, paths: Paths, titled: tuple[str, ...] | None
) -> tuple[tuple[str, ...], tuple[str, ...], list[ColumnElement[Any]]]:
    """Visible fields, the links among ``titled`` (None: all), and columns of values and titles."""
    fields = visible_fields(actor, paths.entity)
    shown = tuple(name for name, field in fields.items() if field.column is not None)
    links = tuple(
        name
        for name in shown
        if fields[name].kind is kinds.LINK and (titled is None or name in titled)
    )
    columns: list[ColumnElement[Any]] = [
        _value(paths, name).label(f"c{n}") for n, name in enumerate(shown)
    ]
    columns += [paths.title(name).label(f"t{n}") for n, name in enumerate(links)]
    return shown, links, columns


def _value(paths: Paths, name: str) -> ColumnElement[Any]:
    """Stored value; the title as a list shows it, which may be that it is private."""
    field = paths.entity.fields[name]
    titled = name == paths.entity.title and field.kind is not kinds.LINK
    return paths.shown(name) if titled else paths.column(name)


def _reached(actor: Actor, paths: Paths, action: str) -> ColumnElement[bool]:
    """Whether the actor may do something with the row, as a column of the same statement."""
    if not paths.entity.is_record or not actor.can(paths.entity, action):
        return literal(False)
    rights = row_clause(actor, paths.entity, paths.table, action)
    return literal(True) if rights is None else func.coalesce(rights, False)


def _lines(actor: Actor, entity: Entity, name: str) -> tuple[tuple[str, ...], Prepared]:
    lines = entity.fields[name].lines
    assert lines is not None  # noqa: S101  children are lines
    child = registry.get(lines.entity)
    paths = Paths(actor, child)
    shown, links, columns = _columns(actor, paths, lines.columns)
    order = paths.table.c.position if "position" in child.fields else paths.table.c.id
    statement = (
        select(*columns)
        .select_from(paths.source)
        .where(paths.table.c[lines.via] == _key(), paths.table.c.deleted_at.is_(None))
        .order_by(order, paths.table.c.id)
    )
    # Asked by the parent alone, whose rights decide; what is private in it is not among them.
    private = privacy.beyond(actor, child, paths.table, "read")
    if private is not None:
        statement = statement.where(private)
    names = (*shown, *(f"{link}.title" for link in links))
    return names, Prepared(actor.db, statement)
