"""All entities by key, in menu order; ``desktop_crm.models`` installs them when imported.

What an administrator adds belongs to one database: whoever opens it puts its entities in place of
the declared ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from desktop_crm.meta.bound import Entity, bind

_declared: dict[str, Entity] = {}
_in_use: Mapping[str, Entity] = _declared
_edition = 0
_elsewhere: ContextVar[bool] = ContextVar("elsewhere", default=False)


def install(models: Iterable[type]) -> None:
    """Register declared classes in menu order; called once by the models package."""
    for entity in map(bind, models):
        _declared[entity.key] = entity


def replace(entities: Iterable[Entity]) -> None:
    """Use these entities in place of the declared ones, and the others as declared."""
    global _in_use, _edition  # noqa: PLW0603  one database is open in a process
    _in_use = {**_declared, **{entity.key: entity for entity in entities}}
    _edition += 1


def edition() -> int:
    """Number that grows whenever entities are replaced; statements made before are stale."""
    return 0 if is_as_declared() else _edition


@contextmanager
def as_declared() -> Iterator[None]:
    """See entities as declared on this thread: for work in a database that is not the open one."""
    token = _elsewhere.set(True)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def is_as_declared() -> bool:
    """Whether this thread sees entities as declared, whatever database is open."""
    return _elsewhere.get()


def all() -> tuple[Entity, ...]:
    """Every registered entity in menu order."""
    return tuple(_current().values())


def get(key: str) -> Entity:
    """Return one entity; an unknown key is a KeyError."""
    return _current()[key]


def find(key: str) -> Entity | None:
    """Return one entity, or None when no entity has this key."""
    return _current().get(key)


def _current() -> Mapping[str, Entity]:
    return _declared if is_as_declared() else _in_use
