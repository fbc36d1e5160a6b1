"""One database of each system for all conformance tests of a worker.

Records only pile up: each test makes its own and looks at nothing else, so that setting up a
database is paid once. Every entity with a form has a field of one's own of every kind, so that
what holds for declared fields is shown to hold for those.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services import records
from desktop_crm.services.customizing import choices, columns, definitions
from desktop_crm.services.records import Change
from tests.support.world import World, world_on


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def _world(request: pytest.FixtureRequest) -> Iterator[World]:
    with world_on(request, request.param) as found:
        _add_fields(found)
        yield found


@pytest.fixture
def world(_world: World) -> World:
    """A database of each system in turn, with people of every level and fields of one's own."""
    definitions.load(_world.db)
    return _world


def _add_fields(world: World) -> None:
    rows = [
        {
            "entity": entity.key,
            "kind": kind.value,
            "label": f"Own {kind.value}",
            "target": "contact" if kind is FieldKind.LINK else None,
            "is_searchable": kind in columns.SEARCHABLE,
        }
        for entity in definitions.customizable()
        for kind in FieldKind
    ]
    records.save_many(world.admin, "custom_field", [Change(None, None, row) for row in rows])
    values = [
        value
        for entity in definitions.customizable()
        for name, field in entity.fields.items()
        if field.kind is kinds.CHOICE and name.startswith(columns.PREFIX)
        for value in choices.added(entity.key, name, ("Gold", "Ștanță"))
    ]
    records.save_many(world.admin, "choice_option", values)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Hand tests the entity as the database has it, in place of the declared one."""
    found = pyfuncitem.funcargs.get("entity")
    if isinstance(found, Entity):
        pyfuncitem.funcargs["entity"] = registry.get(found.key)
