"""Records of every kind are connected, read from both ends with the right role, and undone."""

from __future__ import annotations

from datetime import date

import pytest

from desktop_crm.core.errors import Conflict
from desktop_crm.meta.bound import Entity
from desktop_crm.services import connections, records, undo
from desktop_crm.services.connections import RoleChoice
from tests.conformance.test_attachments import every_holder
from tests.support.world import World


@pytest.fixture
def supplier(world: World) -> int:
    values = {"name": "Supplier", "reverse_name": "Customer"}
    return records.save(world.admin, "connection_role", None, None, values).id


@every_holder
def test_both_ends_show_the_connection_with_their_own_role(
    world: World, entity: Entity, supplier: int
) -> None:
    actor = world.admin
    here = (entity.key, world.factory.make(entity.key))
    other = ("account", world.factory.make("account", name="Other end"))
    forward = RoleChoice(supplier, False, "Supplier")
    saved = connections.connect(
        actor, here, other, forward, valid_from=date(2026, 1, 1), note=" Met at a fair "
    )
    (seen,) = connections.of_record(actor, *here)
    assert (seen.role, seen.entity, seen.record_id) == ("Supplier", *other)
    assert (seen.title, seen.note, seen.can_edit) == ("Other end", "Met at a fair", True)
    back = [c for c in connections.of_record(actor, *other) if c.id == saved.id]
    assert [(c.role, c.entity, c.record_id) for c in back] == [("Customer", *here)]

    reverse = RoleChoice(supplier, True, "Customer")
    connections.change(actor, seen, here, reverse, note="Turned round")
    (turned,) = connections.of_record(actor, *here)
    assert (turned.role, turned.note, turned.valid_from) == ("Customer", "Turned round", None)
    with pytest.raises(Conflict):
        connections.change(actor, seen, here, forward, note="Late")
    undo.undo(actor)
    assert connections.of_record(actor, *here)[0].role == "Supplier"
    records.delete(actor, "connection", [saved.id])
    assert connections.of_record(actor, *here) == []
    undo.undo(actor)
    assert [c.id for c in connections.of_record(actor, *here)] == [saved.id]


def test_roles_are_chosen_from_either_side(world: World, supplier: int) -> None:
    found = [r for r in connections.roles(world.admin) if r.role_id == supplier]
    assert [(r.label, r.is_reversed) for r in found] == [("Supplier", False), ("Customer", True)]
    alike = world.factory.make("connection_role", reverse_name=None)
    assert len([r for r in connections.roles(world.admin) if r.role_id == alike]) == 1


def test_a_connection_without_role_and_with_an_end_out_of_sight(world: World) -> None:
    own = world.people["own"]
    mine = world.factory.make("contact", owner=own.user_id)
    far = world.factory.make("contact", owner=world.people["stranger"].user_id)
    connections.connect(world.admin, ("contact", mine), ("contact", far), None)
    assert [c.role for c in connections.of_record(world.admin, "contact", mine)] == ["Connected"]
    assert connections.of_record(own, "contact", mine) == []
