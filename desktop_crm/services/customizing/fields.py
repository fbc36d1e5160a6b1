"""Adding, changing and retiring fields of one's own; all of it for administrators only.

Every function writes through ``records``, so that it is audited and can be undone; what it
changes about entities is in force when it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from desktop_crm.core.errors import CrmError, FieldError, UserError, ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import clean, fold
from desktop_crm.db import search_text
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import CustomField
from desktop_crm.models.customizing import FieldKind, FieldState
from desktop_crm.services import records, records_kept, undo
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import choices, definitions
from desktop_crm.services.operation import operation
from desktop_crm.services.permissions import require
from desktop_crm.services.records import Change

_TABLE: Final[Any] = CustomField.__table__
_FOLDED_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class OwnField:
    """A field of one's own as an administrator sees it."""

    id: int
    version: int
    entity: str
    name: str
    label: str
    kind: FieldKind
    target: str
    help: str
    is_required: bool
    is_searchable: bool
    is_confidential: bool
    is_active: bool


def of_entity(actor: Actor, entity: str) -> list[OwnField]:
    """Fields of an entity in their order, the retired ones included; one statement."""
    require(actor, registry.get("custom_field"), "read")
    statement = (
        select(
            _TABLE.c.id, _TABLE.c.version, _TABLE.c.entity, _TABLE.c.name, _TABLE.c.label,
            _TABLE.c.kind, _TABLE.c.target, _TABLE.c.help_text, _TABLE.c.is_required,
            _TABLE.c.is_searchable, _TABLE.c.is_confidential, _TABLE.c.state,
        )
        .where(_TABLE.c.entity == entity, _TABLE.c.deleted_at.is_(None))
        .order_by(_TABLE.c.position, _TABLE.c.id)
    )  # fmt: skip
    with actor.db.reading() as connection:
        rows = connection.execute(statement).all()
    return [
        OwnField(
            id=row.id,
            version=row.version,
            entity=row.entity,
            name=row.name,
            label=row.label,
            kind=FieldKind(row.kind),
            target=row.target or "",
            help=row.help_text or "",
            is_required=bool(row.is_required),
            is_searchable=bool(row.is_searchable),
            is_confidential=bool(row.is_confidential),
            is_active=row.state == FieldState.ACTIVE,
        )
        for row in rows
    ]


def add(
    actor: Actor,
    entity: str,
    kind: FieldKind | str,
    label: str,
    *,
    values: Sequence[str] = (),
    source: str = "window",
    **more: Any,  # noqa: ANN401  columns of a field
) -> ChangeSet:
    """Add a field to an entity; it is in every list, form and filter when this returns.

    Args:
        actor: An administrator.
        entity: Key of the entity.
        kind: Kind of the field; it stands for ever.
        label: What people call it; other fields of the entity are called otherwise.
        values: Labels of the values of a choice, at least one.
        source: Way in, kept in the audit trail.
        **more: ``target`` (entity of a link), ``help_text``, ``is_required``, ``is_searchable``,
            ``is_confidential``.

    Raises:
        ValidationFailed: Empty or double label, unknown kind or target, a choice without values,
            too many fields.
        PermissionDenied: The user is no administrator, here or on the server.
    """
    if kind == FieldKind.CHOICE and not any(clean(value) for value in values):
        text = N_("A choice needs at least one value. Write its values, one in a line.")
        raise ValidationFailed((FieldError("values", text),))
    with operation(actor, source) as work:
        row = {"entity": entity, "kind": str(kind), "label": label, **more}
        key = work.create("custom_field", row)
        name = work.connection.execute(select(_TABLE.c.name).where(_TABLE.c.id == key)).scalar_one()
    report = work.report
    if values:
        # The values need the field; the same uid makes both one step of undo.
        changes = choices.added(entity, str(name), values)
        try:
            saved = records.save_many(
                actor, "choice_option", changes, source=source, operation=work.uid
            )
        except CrmError:
            # Without its values the field is not what was asked for.
            undo.undo(actor, work.uid)
            raise
        report = report.merge(saved.changes)
    return report


def change(actor: Actor, field: OwnField, values: Mapping[str, Any]) -> ChangeSet:
    """Change label, help, or whether a field is required, searched or confidential.

    Where it becomes searched, older records are found by it after :func:`refold`.

    Raises:
        ValidationFailed: Empty or double label, or it cannot be searched.
        Conflict: Somebody changed the same meanwhile.
    """
    return records.save(actor, "custom_field", field.id, field.version, values).changes


def retire(actor: Actor, field: OwnField, source: str = "window") -> ChangeSet:
    """Offer a field no longer; what records hold in it stays, and comes back with it."""
    values = {"state": FieldState.RETIRED.value}
    return records.save(actor, "custom_field", field.id, None, values, source=source).changes


def bring_back(actor: Actor, field: OwnField, source: str = "window") -> ChangeSet:
    """Offer a retired field again, with everything that was in it."""
    values = {"state": FieldState.ACTIVE.value}
    return records.save(actor, "custom_field", field.id, None, values, source=source).changes


def reorder(actor: Actor, ids: Sequence[int]) -> ChangeSet:
    """Put the fields of an entity into this order; one step of undo."""
    changes = [Change(key, None, {"position": place}) for place, key in enumerate(ids, 1)]
    return records.save_many(actor, "custom_field", changes).changes


def find(actor: Actor, entity: str, name: str) -> OwnField:
    """The field with this name or label.

    Raises:
        UserError: There is none.
    """
    found = of_entity(actor, entity)
    for field in found:
        if name == field.name or fold(name) == fold(field.label):
            return field
    raise UserError(
        N_("{entity} has no field “{name}” of your own. There are: {known}."),
        entity=tr(registry.get(entity).label),
        name=name,
        known=", ".join(field.label for field in found) or "–",
    )


def entity_named(name: str) -> Entity:
    """The entity that takes fields under this key.

    Raises:
        UserError: None does.
    """
    possible = definitions.customizable()
    for entity in possible:
        if entity.key == name:
            return entity
    raise UserError(
        N_("“{entity}” takes no fields. Possible: {known}."),
        entity=name,
        known=", ".join(entity.key for entity in possible),
    )


def refold(
    actor: Actor,
    entity_key: str,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel | None = None,
) -> int:
    """Look through older records after the searched fields of an entity became others.

    Runs in short transactions and goes on where it stopped; records that are saved meanwhile are
    right already.

    Args:
        actor: An administrator.
        entity_key: Entity whose records are looked through.
        progress: Told the records done and the last key.
        cancel: Stops after the current thousands.

    Returns:
        Number of records whose search text changed.
    """
    changed, last = 0, _first(actor, entity_key)
    while last is not None:
        if cancel is not None:
            cancel.check()
        done, last, end = _fold_some(actor, registry.get(entity_key), last)
        changed += done
        if progress is not None:
            progress(last or end, end)
    definitions.folded(entity_key)
    return changed


def _pending(entity: str) -> Any:  # noqa: ANN401  a clause
    return (_TABLE.c.entity == entity) & _TABLE.c.folded_to.is_not(None)


def _first(actor: Actor, entity: str) -> int | None:
    statement = select(_TABLE.c.folded_to).where(_pending(entity)).order_by(_TABLE.c.folded_to)
    with actor.db.reading() as connection:
        return connection.execute(statement.limit(1)).scalar()


def _fold_some(actor: Actor, entity: Entity, after: int) -> tuple[int, int | None, int]:
    """Fold the next records; gives how many changed, the last key (None: done) and the end."""
    key = entity.table.c.id
    parents = search_text.parents_of(entity)
    via = [entity.fields[name].column for name, _ in parents]
    links = [column for column in via if column is not None]
    some = select(key, *links).where(key > after).order_by(key).limit(_FOLDED_AT_ONCE)
    with actor.db.writing() as connection:
        rows = connection.execute(some).all()
        end = connection.execute(select(func.max(key))).scalar()
        changed = search_text.refold(connection, entity, [row[0] for row in rows])
        for place, (_, parent) in enumerate(parents, 1):
            ids = {row[place] for row in rows if row[place] is not None}
            changed += search_text.refold(connection, registry.get(parent.key), sorted(ids))
        last = rows[-1][0] if len(rows) == _FOLDED_AT_ONCE else None
        records_kept.set_where(connection, CustomField, _pending(entity.key), {"folded_to": last})
    return changed, last, int(end or 0)
