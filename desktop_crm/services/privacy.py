"""What an owner keeps private: everybody sees that and when it is, he alone sees what it is.

An entity declares it once (:class:`desktop_crm.meta.field.Private`). Statements that read its
records ask here: a field that does not stay is empty for others, wherever it is shown, compared,
sorted, grouped or added up, and what hangs on such a record (participants, files, connections,
history) is not there for them. An administrator is no exception: he removes such records, and
puts them back, without reading them. Child rows may be for who entered them alone, whoever sees
their record: blind copies (:data:`desktop_crm.models.activity.FOR_ITS_WRITER`). The product itself
(an actor without a user) sees all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    case,
    false,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models.activity import FOR_ITS_WRITER
from desktop_crm.services.aliases import alias
from desktop_crm.services.context import Actor

Clause = ColumnElement[bool]

TITLE: Final = N_("Private")
"""What others read where the title would stand."""

_NAMED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "audit_entry": (("entity", "record_id"),),
    "connection": (("from_type", "from_id"), ("to_type", "to_id")),
    "document": (("record_type", "record_id"),),
    "duplicate_pair": (("entity", "first_id"), ("entity", "second_id")),
    "merge_log": (("entity", "master_id"), ("entity", "loser_id")),
}
"""Entities whose rows tell of records of any kind, by the columns that name those."""

_HELD: Final[Mapping[str, str]] = {
    "document": "activity",
    "mailbox_item": "activity",
    "outbox_item": "activity",
}
"""Links that make a row part of a record though it is no child."""


def known(actor: Actor, entity: Entity, table: FromClause) -> Clause | None:
    """Clause for the records whose content the actor may know; None when that is all of them."""
    private = entity.private
    if private is None or actor.user_id is None:
        return None
    return or_(
        table.c[private.field] != _code(private.code),
        and_(table.c.owner_id.is_not(None), table.c.owner_id == actor.user_id),
    )


def hidden(actor: Actor, entity: Entity, table: FromClause) -> Clause:
    """The opposite of :func:`known`; a small index may answer it."""
    private = entity.private
    if private is None or actor.user_id is None:
        return false()
    others = or_(table.c.owner_id.is_(None), table.c.owner_id != actor.user_id)
    return and_(table.c[private.field] == _code(private.code), others)


def not_hidden(actor: Actor, entity: Entity, table: FromClause) -> Clause:
    """As :func:`known`, for a walk through an index over everything.

    It asks the few hidden keys once instead of reading each record for its private field.
    """
    few = alias(entity.table, f"p_{entity.key}")
    return table.c.id.not_in(select(few.c.id).where(hidden(actor, entity, few)))


def listed(actor: Actor, entity: Entity, table: FromClause) -> Clause | None:
    """Clause that leaves mail private to others out of lists; None where there is none to leave.

    Of a meeting it is told that and when it is; that somebody has mail is nobody's business. In a
    database of one's own it stands there as private.
    """
    if entity.key != "activity" or actor.user_id is None or not actor.db.is_shared:
        return None
    few = alias(entity.table, f"m_{entity.key}")
    withheld = select(few.c.id).where(hidden(actor, entity, few), few.c.kind == "email")
    return table.c.id.not_in(withheld)


def hides(actor: Actor, entity: Entity, row: Mapping[str, Any]) -> bool:
    """Whether a row at hand is private to others; asks its private field and ``owner_id``."""
    private = entity.private
    if private is None or actor.user_id is None:
        return False
    return bool(row[private.field] == private.code and row["owner_id"] != actor.user_id)


def is_masked(actor: Actor, entity: Entity, name: str) -> bool:
    """Whether a field is empty for the actor in some records."""
    private = entity.private
    return private is not None and actor.user_id is not None and name not in private.stays


def masked(actor: Actor, entity: Entity, table: FromClause, name: str) -> ColumnElement[Any]:
    """Column of a field as far as the actor may know it."""
    bound = entity.stored[name].column
    assert bound is not None  # noqa: S101  stored fields have one
    column = table.c[bound.name]
    clause = known(actor, entity, table) if is_masked(actor, entity, name) else None
    return column if clause is None else case((clause, column), else_=None)


def title(actor: Actor, entity: Entity, table: FromClause) -> ColumnElement[Any]:
    """Column of the title, or the word for what is private."""
    bound = entity.fields[entity.title].column
    assert bound is not None  # noqa: S101  titles are columns
    column = table.c[bound.name]
    clause = known(actor, entity, table) if is_masked(actor, entity, entity.title) else None
    if clause is None:
        return column
    # A record that is not there, behind an empty link, is not private.
    return case((clause, column), (table.c.id.is_not(None), literal(tr(TITLE))), else_=None)


def beyond(actor: Actor, entity: Entity, table: FromClause, action: str) -> Clause | None:
    """Clause that privacy adds to the rights of an action; None when it adds nothing.

    Records that are private to others are read (masked), not changed; what hangs on them is
    out of reach altogether.
    """
    if actor.user_id is None:
        return None
    if entity.private is not None:
        if action in {"read", "create"} or (action == "remove" and actor.is_admin):
            return None
        return known(actor, entity, table)
    told = _told_of(actor, entity, table)
    return None if told is None else not_(told)


def names_hidden(
    actor: Actor, kind: ColumnElement[Any], key: ColumnElement[Any], *, deep: bool = True
) -> Clause:
    """Clause for rows that tell of a record, or of a part of one, that is private to others.

    Args:
        actor: Who looks.
        kind: Column with the entity's key.
        key: Column with the record's key.
        deep: Whether they may tell of its files and connections, too.
    """
    found: list[Clause] = []
    for entity in registry.all():
        held = entity.private is not None or bool(_private_parents(entity))
        held = held or (deep and entity.is_record and entity.key in _NAMED)
        inside = _inside(actor, entity, key) if held else None
        if inside is not None:
            found.append(and_(kind == entity.key, inside))
    return or_(false(), *found)


def unseen_rows(actor: Actor, entity: Entity, table: FromClause) -> Clause | None:
    """Clause for child rows that only somebody else sees, who entered them; None for no such."""
    if entity.key not in FOR_ITS_WRITER or actor.user_id is None:
        return None
    name, code = FOR_ITS_WRITER[entity.key]
    others = or_(table.c.created_by_id.is_(None), table.c.created_by_id != actor.user_id)
    return and_(table.c[name] == _code(code), others)


def is_unseen_row(actor: Actor, entity: Entity, row: Mapping[str, Any]) -> bool:
    """As :func:`unseen_rows`, of a stored child row at hand by field name."""
    told = is_untold(entity.key, row) and actor.user_id is not None
    return told and bool(row["created_by"] != actor.user_id)


def is_untold(key: str, row: Mapping[str, Any]) -> bool:
    """Whether a child row of an entity is one that only who entered it sees."""
    name, code = FOR_ITS_WRITER.get(key, ("", None))
    return code is not None and row.get(name) == code


def _told_of(actor: Actor, entity: Entity, table: FromClause) -> Clause | None:
    """Clause for rows that belong to a record private to others; None when none can."""
    unseen = unseen_rows(actor, entity, table)
    found: list[Clause] = [] if unseen is None else [unseen]
    links = [*_private_parents(entity), *((_HELD[entity.key],) if entity.key in _HELD else ())]
    for name in links:
        bound = entity.fields[name]
        assert bound.column is not None  # noqa: S101  a link has a column
        inside = _inside(actor, registry.get(bound.target), table.c[bound.column.name])
        if inside is not None:
            found.append(inside)
    for kind, key in _NAMED.get(entity.key, ()):
        of_any = entity.key == "audit_entry"
        found.append(names_hidden(actor, table.c[kind], table.c[key], deep=of_any))
    return or_(*found) if found else None


def _inside(actor: Actor, entity: Entity, key: ColumnElement[Any]) -> Clause | None:
    """Whether a key is that of a record private to others, or of a part of one."""
    table = alias(entity.table, f"p_{entity.key}")
    if entity.private is not None:
        told: Clause | None = hidden(actor, entity, table)
    else:
        told = _told_of(actor, entity, table)
    if told is None:
        return None
    return select(table.c.id).where(table.c.id == key, told).correlate_except(table).exists()


def _private_parents(entity: Entity) -> list[str]:
    """Parent links that lead to a record that may be private, or to a part of one."""
    found: list[str] = []
    for name in entity.parent:
        target = registry.get(entity.fields[name].target)
        if target.private is not None or (target is not entity and _private_parents(target)):
            found.append(name)
    return found


def _code(code: str) -> ColumnElement[str]:
    # Written out: an index over the private rows alone serves no question with a parameter.
    return literal_column(f"'{code}'")
