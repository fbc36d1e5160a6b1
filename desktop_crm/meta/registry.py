"""All entities by key, in menu order; ``desktop_crm.models`` installs them when imported."""

from __future__ import annotations

from collections.abc import Iterable

from desktop_crm.meta.bound import Entity, bind

_entities: dict[str, Entity] = {}


def install(models: Iterable[type]) -> None:
    """Register mapped classes in menu order; called once by the models package."""
    for entity in map(bind, models):
        _entities[entity.key] = entity


def all() -> tuple[Entity, ...]:
    """Every registered entity in menu order."""
    return tuple(_entities.values())


def get(key: str) -> Entity:
    """Return one entity; an unknown key is a KeyError."""
    return _entities[key]


def find(key: str) -> Entity | None:
    """Return one entity, or None when no entity has this key."""
    return _entities.get(key)
