"""Rights as clauses: owner ids are literals, never a subquery over users (they are few)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Table, and_, false, or_, select, true

from desktop_crm.core.errors import PermissionDenied
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Level
from desktop_crm.models.office import ViewScope
from desktop_crm.services import privacy
from desktop_crm.services.aliases import alias
from desktop_crm.services.context import Actor

Clause = ColumnElement[bool]


def row_clause(actor: Actor, entity: Entity, table: FromClause, action: str) -> Clause | None:
    """Clause that leaves the rows an action reaches; None when it reaches all.

    Records that colleagues keep private can be read: :class:`~.columns.Paths` masks their
    content. Whoever needs the content itself asks :func:`content_clause`.

    Args:
        actor: Who acts.
        entity: Entity of the table.
        table: The table or an alias of it.
        action: ``read``, ``create``, ``edit`` or ``remove``.
    """
    granted = _granted(actor, entity, table, action)
    return _both(granted, privacy.beyond(actor, entity, table, action))


def content_clause(actor: Actor, entity: Entity, table: FromClause) -> Clause | None:
    """Clause that leaves the rows of which the actor may know all; None when it leaves all."""
    reached = row_clause(actor, entity, table, "read")
    return _both(reached, privacy.known(actor, entity, table))


def _both(one: Clause | None, other: Clause | None) -> Clause | None:
    if one is None or other is None:
        return other if one is None else one
    return and_(one, other)


def _granted(actor: Actor, entity: Entity, table: FromClause, action: str) -> Clause | None:
    """What the role grants."""
    if actor.is_admin and (entity.key not in _ONLY_OWN or actor.user_id is None):
        return None
    special = _PREDICATES.get(entity.key)
    if special is not None:
        return special(actor, table, action)
    if entity.reference:
        return None if actor.can(entity, action) else false()
    if entity.parent:
        return _through_parents(actor, entity, table, "read" if action == "read" else "edit")
    owners = actor.owners(entity, action)
    if owners is None:
        return None
    if not owners:
        return false()
    if not entity.owned:
        return None
    return table.c.owner_id.in_(sorted(owners))


def literal_owners(actor: Actor, entity: Entity, action: str) -> tuple[int, ...] | None:
    """Owner ids that alone decide which rows an action reaches; None when others decide."""
    plain = entity.owned and not entity.parent and not entity.reference
    if actor.is_admin or not plain or entity.key in _PREDICATES:
        return None
    owners = actor.owners(entity, action)
    return None if owners is None else tuple(sorted(owners))


def _through_parents(actor: Actor, entity: Entity, table: FromClause, action: str) -> Clause | None:
    clauses: list[Clause] = []
    for name in entity.parent:
        field = entity.fields[name]
        assert field.column is not None  # noqa: S101  a parent is a link
        column = table.c[field.column.name]
        parent = registry.get(field.target)
        target = alias(parent.table)
        inner = row_clause(actor, parent, target, action)
        if inner is None:
            if len(entity.parent) == 1:
                return None
            clauses.append(column.is_not(None))
        else:
            clauses.append(column.in_(select(target.c.id).where(inner)))
    return or_(*clauses)


def _own_mailbox(actor: Actor, table: FromClause, action: str) -> Clause:
    return and_(table.c.user_id == actor.user_id)


def _own_outbox(actor: Actor, table: FromClause, action: str) -> Clause:
    box = alias(registry.get("mailbox").table)
    own = select(box.c.id).where(box.c.user_id == actor.user_id)
    return table.c.mailbox_id.in_(own)


def _own_deeds(actor: Actor, table: FromClause, action: str) -> Clause:
    return and_(table.c.by_id == actor.user_id)


def _own_import(actor: Actor, table: FromClause, action: str) -> Clause:
    return and_(table.c.created_by_id == actor.user_id)


def _visible_view(actor: Actor, table: FromClause, action: str) -> Clause:
    own = and_(table.c.owner_id == actor.user_id)
    if action != "read":
        return own
    return or_(
        own,
        table.c.scope == ViewScope.PUBLIC,
        and_(table.c.scope == ViewScope.TEAM, table.c.owner_id.in_(sorted(actor.team_ids))),
    )


def _own_mark(actor: Actor, table: FromClause, action: str) -> Clause:
    return and_(table.c.user_id == actor.user_id)


def _between_records(actor: Actor, table: FromClause, action: str) -> Clause:
    """Connections are seen with both ends, and changed by whoever may edit one of them."""
    ends = [(table.c.from_type, table.c.from_id), (table.c.to_type, table.c.to_id)]
    seen = and_(*(of_records(actor, *end, "read") for end in ends))
    if action == "read":
        return seen
    return and_(seen, or_(*(of_records(actor, *end, "edit") for end in ends)))


def _to_record(actor: Actor, table: FromClause, action: str) -> Clause:
    """Links follow their activity, and tell of no record out of sight: evidence may name it.

    What a rule suggested out of sight is settled with the rest by whoever files the message.
    """
    activity = _through_parents(actor, registry.get("link"), table, action)
    if action not in ("read", "create"):
        return true() if activity is None else activity
    seen = of_records(actor, table.c.record_type, table.c.record_id, "read")
    return seen if activity is None else and_(activity, seen)


def _of_two(actor: Actor, table: FromClause, action: str) -> Clause:
    """Possible duplicates are seen with both records."""
    both = (of_records(actor, table.c.entity, key, "read") for key in _pair_keys(table))
    return and_(*both)


def _pair_keys(table: FromClause) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    if "first_id" in table.c:
        return table.c.first_id, table.c.second_id
    return table.c.master_id, table.c.loser_id


def of_records(
    actor: Actor, kind: ColumnElement[Any], key: ColumnElement[Any], action: str
) -> Clause:
    """Clause for rows that name a record by its entity and key: those an action reaches.

    Args:
        actor: Who acts.
        kind: Column that holds the entity's key.
        key: Column that holds the record's key.
        action: ``read`` or ``edit``.
    """
    reached: list[Clause] = []
    for entity in registry.all():
        if not entity.is_record or entity.parent or entity.key in _PREDICATES:
            continue
        if not actor.can(entity, action):
            continue
        target = alias(entity.table)
        seen = action == "read"
        inner = (
            content_clause(actor, entity, target)
            if seen
            else row_clause(actor, entity, target, action)
        )
        same_kind = and_(kind == entity.key)
        if inner is not None:
            # Asked for each row by key: a list of all visible keys would be as long as the table.
            one = select(target.c.id).where(target.c.id == key, inner)
            same_kind = and_(same_kind, one.correlate_except(target).exists())
        reached.append(same_kind)
    return or_(false(), *reached)


def _attached(actor: Actor, table: FromClause, action: str) -> Clause:
    """A file is seen with the record it is attached to; one that hangs on none has an owner."""
    document = registry.get("document")
    owners = actor.owners(document, action)
    free = and_(table.c.record_type.is_(None))
    if owners is not None:
        free = and_(free, table.c.owner_id.in_(sorted(owners)))
    seen = "read" if action == "read" else "edit"
    return or_(free, of_records(actor, table.c.record_type, table.c.record_id, seen))


def _never(actor: Actor, table: FromClause, action: str) -> Clause:
    # Bytes are handed out with their document, whose rights decide.
    return and_(false())


_PREDICATES: Final[Mapping[str, Callable[[Actor, FromClause, str], Clause]]] = {
    "mailbox": _own_mailbox,
    "outbox_item": _own_outbox,
    "outbox_content": _never,
    "audit_entry": _own_deeds,
    "import_batch": _own_import,
    "saved_view": _visible_view,
    "document": _attached,
    "document_content": _never,
    "record_mark": _own_mark,
    "connection": _between_records,
    "link": _to_record,
    "duplicate_pair": _of_two,
    "merge_log": _of_two,
}


_ONLY_OWN: Final = frozenset({"outbox_content", "outbox_item", "record_mark"})
"""What even an administrator does not see of others: what they looked at, what they send."""


def within_sight(actor: Actor, table: FromClause, condition: Clause) -> Clause:
    """Condition of an outer join that keeps records out of the actor's reach unnamed.

    Args:
        actor: Who looks.
        table: Table of an entity that is joined for its title.
        condition: What joins it; of an entity that may not be read at all nothing of it is left,
            so that the statement names what it selects from by itself.
    """
    assert isinstance(table, Table)  # noqa: S101  joins call it a FROM clause
    rights = row_clause(actor, registry.get(table.name), table, "read")
    return condition if rights is None else and_(condition, rights)


def may(actor: Actor, entity: Entity, action: str, row: Mapping[str, Any]) -> bool:
    """Whether an action reaches one row already at hand (owner-based entities)."""
    if not actor.can(entity, action):
        return False
    told = entity.private is not None and entity.private.field in row
    if told and action == "edit" and privacy.hides(actor, entity, row):
        return False
    if not entity.owned or entity.key in _PREDICATES:
        return True
    owners = actor.owners(entity, action)
    return owners is None or row.get("owner_id", row.get("owner")) in owners


def require(actor: Actor, entity: Entity, action: str) -> None:
    """Refuse an action the role does not grant at all.

    Raises:
        PermissionDenied: With the entity and the action in words.
    """
    if not actor.can(entity, action):
        raise denial(actor, entity, action)


def denial(actor: Actor, entity: Entity, action: str) -> PermissionDenied:
    """Sentence for an action that is not allowed."""
    template = {
        "read": N_("{user} may not see {records}."),
        "create": N_("{user} may not create {records}. Nothing was saved."),
        "edit": N_("{user} may not change these {records}. Nothing was saved."),
        "remove": N_("{user} may not delete these {records}. Nothing was deleted."),
    }[action]
    return PermissionDenied(template, user=actor.name, records=tr(entity.plural).lower())


def visible_fields(actor: Actor, entity: Entity) -> dict[str, BoundField]:
    """Fields the user may know, in order."""
    return {name: field for name, field in entity.fields.items() if knows(actor, field)}


def knows(actor: Actor, field: BoundField) -> bool:
    """Whether the user may know a field at all."""
    return actor.sees_confidential or field.level is Level.NORMAL
