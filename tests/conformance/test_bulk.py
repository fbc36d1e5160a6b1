"""Every entity's fields can be changed in many records at once, and taken back with one undo."""

from __future__ import annotations

import pytest

from desktop_crm.core.errors import CrmError
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import records, undo
from desktop_crm.services.bulk import deeds, edits
from desktop_crm.services.bulk.edits import FieldEdit
from desktop_crm.services.bulk.job import Targets
from tests.factories import KNOWN_WORDS, RECKONED
from tests.support.world import World

RECORDS = tuple(e for e in registry.all() if e.is_record and not e.parent)


def plain(world: World, entity: Entity) -> BoundField | None:
    """A field whose values rules leave alone; None when the entity has none."""
    for field in edits.editable(world.admin, entity.key):
        plainly = field.kind in {kinds.TEXT, kinds.MULTILINE, kinds.INTEGER}
        known = field.name in KNOWN_WORDS or field.name in RECKONED.get(entity.key, ())
        named = field.name == entity.title or field.name in entity.natural_key or field.copy_of
        if plainly and field.nullable and not (known or named):
            return field
    return None


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_many_change_and_one_undo_takes_it_back(world: World, entity: Entity) -> None:
    keys = [world.factory.make(entity.key) for _ in range(3)]
    targets = Targets(entity.key, keys)
    field = plain(world, entity)
    if field is not None:
        before = [records.get(world.admin, entity.key, key).values[field.name] for key in keys]
        wanted = world.factory.value(field, 77)
        report = edits.edit(world.admin, targets, [FieldEdit(field.name, value=wanted)])
        assert (report.done, report.failures) == (3, ())
        found = [records.get(world.admin, entity.key, key).values[field.name] for key in keys]
        assert found == [wanted] * 3
        undo.undo(world.admin, report.operation)
        found = [records.get(world.admin, entity.key, key).values[field.name] for key in keys]
        assert found == before
    if not world.admin.can(entity.key, "remove"):
        return
    report = deeds.delete(world.admin, targets)
    assert report.done + len(report.failures) == 3
    undo.undo(world.admin, report.operation)
    for key in keys:
        assert records.get(world.admin, entity.key, key).values["deleted_at"] is None


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_nobody_changes_what_is_out_of_reach(world: World, entity: Entity) -> None:
    key = world.factory.make(entity.key)
    field = plain(world, entity)
    nobody = world.people["none"]
    if field is None:
        return
    with pytest.raises(CrmError):
        edits.edit(
            nobody,
            Targets(entity.key, [key]),
            [FieldEdit(field.name, value=world.factory.value(field, 78))],
        )
