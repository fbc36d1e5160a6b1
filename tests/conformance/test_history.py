"""Every change can be read field by field, put back by itself, and found in the list of deeds."""

from __future__ import annotations

import pytest

from desktop_crm.core.errors import Conflict, CrmError, UserError
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models.office import AuditAction
from desktop_crm.services import audit, deeds, history, purge, records, steps, undo
from desktop_crm.services.deeds import DeedState
from tests.conformance.test_records import EDITED, changes_of, every_edited, other, row
from tests.support.statements import counted
from tests.support.world import World

ON_THEIR_OWN = tuple(e for e in EDITED if not e.parent)
WITH_LINES = tuple(e for e in EDITED if e.lines)


@every_edited
def test_one_value_of_one_field_is_put_back(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    before = row(world, entity, key)
    records.save(actor, entity.key, key, None, changes_of(world, entity, key))
    after = row(world, entity, key)
    version = records.get(actor, entity.key, key).version
    found = history.lines(actor, entity.key, key)
    mine = [line for line in found if line.can_restore]
    assert mine
    for line in mine:
        field = entity.fields[line.field]
        if field.kind is not kinds.LINK:
            assert line.old == field.display(before[line.field], actor.formats)
            assert line.new == field.display(after[line.field], actor.formats)
        assert line.by == actor.name
    chosen = mine[0]
    saved = history.restore_value(actor, entity.key, key, chosen.entry, chosen.field, version)
    stands = row(world, entity, key)
    assert stands[chosen.field] == before[chosen.field]
    latest = history.lines(actor, entity.key, key)[0]
    assert (latest.source, latest.action) == (history.SOURCE, AuditAction.UPDATE)
    assert saved.changes
    undo.undo(actor)
    assert row(world, entity, key) == after


@every_edited
def test_putting_back_asks_for_rights_and_tells_conflicts(world: World, entity: Entity) -> None:
    actor, nobody = world.admin, world.people["none"]
    key = world.factory.make(entity.key)
    version = records.get(actor, entity.key, key).version
    changes = changes_of(world, entity, key).items()
    name, value = next((n, value) for n, value in changes if not entity.fields[n].hidden)
    records.save(actor, entity.key, key, version, {name: value})
    looked = records.get(actor, entity.key, key).version
    entry = next(line for line in history.lines(actor, entity.key, key) if line.field == name).entry
    records.save(actor, entity.key, key, None, {name: other(entity.fields[name], value)})
    with pytest.raises(Conflict):
        history.restore_value(actor, entity.key, key, entry, name, looked)
    with pytest.raises(UserError, match="can no longer be put back"):
        history.restore_value(actor, entity.key, key, entry, "uid", looked)
    with pytest.raises(CrmError):
        history.restore_value(nobody, entity.key, key, entry, name, looked)


@pytest.mark.parametrize("entity", WITH_LINES, ids=lambda e: e.key)
def test_child_rows_stand_in_the_history_of_their_parent(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    for lines in entity.lines:
        child = registry.get(lines.entity)
        via = lines.via.removesuffix("_id")
        made = world.factory.make(child.key, **{via: key})
        name, value = next(iter(changes_of(world, child, made).items()))
        records.save(actor, child.key, made, None, {name: value})
        found = history.lines(actor, entity.key, key)
        shown = [line for line in found if line.entity == child.key and line.field == name]
        assert shown[0].new == child.fields[name].display(value, actor.formats)
        assert not shown[0].can_restore


@pytest.mark.parametrize("entity", ON_THEIR_OWN, ids=lambda e: e.key)
def test_deeds_tell_what_was_done_and_what_still_can_be_taken_back(
    world: World, entity: Entity
) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    first = deeds.deeds(actor, 5)[0]
    assert (first.step.action, first.state) == (AuditAction.CREATE, DeedState.DONE)
    if entity.fields[entity.title].kind is kinds.TEXT:
        assert first.title == str(records.get(actor, entity.key, key).title)
    before = row(world, entity, key)
    records.save(actor, entity.key, key, None, changes_of(world, entity, key))
    changed, made = deeds.deeds(actor, 5)[:2]
    assert (changed.step.action, changed.state) == (AuditAction.UPDATE, DeedState.DONE)
    assert (made.step.operation, made.state) == (first.step.operation, DeedState.BLOCKED)
    assert made.reason
    with pytest.raises(UserError):
        undo.undo(actor, made.step.operation)
    undo.undo(actor, changed.step.operation)
    assert row(world, entity, key) == before
    changed, made = deeds.deeds(actor, 5)[:2]
    assert (changed.state, made.state) == (DeedState.TAKEN_BACK, DeedState.DONE)
    undo.redo(actor, changed.taken_by)
    changed, made = deeds.deeds(actor, 5)[:2]
    assert (changed.state, made.state) == (DeedState.DONE, DeedState.BLOCKED)


def test_deeds_on_what_was_purged_cannot_be_taken_back(world: World) -> None:
    actor = world.admin
    many = [world.factory.make("team") for _ in range(3)]
    records.save_many(
        actor, "team", [records.Change(key, None, {"name": f"Team {key}"}) for key in many]
    )
    records.delete(actor, "team", [many[0]])
    purge.purge(actor, [("team", many[0])])
    change = deeds.deeds(actor, 1)[0]
    assert (change.step.count, change.state) == (2, DeedState.DONE)
    undo.undo(actor, change.step.operation)
    assert audit.history(actor, "team", many[1])[0].source == steps.SOURCE


def test_the_list_of_deeds_costs_few_statements(world: World) -> None:
    actor = world.admin
    for _ in range(10):
        world.factory.make("unit")
    with counted(world.db) as statements:
        found = deeds.deeds(actor, 10)
    assert len(found) == 10
    assert len(statements) <= 10
