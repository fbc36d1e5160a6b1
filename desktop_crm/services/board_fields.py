"""Which fields of a list can have a board; every list asks that, few show one."""

from __future__ import annotations

from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Menu
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import knows


def fields(actor: Actor, entity: Entity) -> tuple[BoundField, ...]:
    """Fields whose values can be the columns of a board, those of the list first."""
    found = [
        field for field in entity.fields.values() if knows(actor, field) and can_be_columns(field)
    ]
    places = {name: place for place, name in enumerate(entity.columns)}
    return tuple(sorted(found, key=lambda field: places.get(field.name, len(places))))


def can_be_columns(field: BoundField) -> bool:
    """Whether a field has few values that a person may set."""
    if field.column is None or field.hidden or field.read_only:
        return False
    if field.kind is kinds.CHOICE:
        return len(field.options) > 1
    target = registry.find(field.target) if field.kind is kinds.LINK else None
    return target is not None and target.menu is Menu.SETUP
