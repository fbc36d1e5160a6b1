"""Tags are counted over every kind of record, and renamed and merged everywhere at once."""

from __future__ import annotations

import pytest

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.meta.bound import Entity
from desktop_crm.services import records, tags, undo
from tests.support.world import World

TAGGED = tags.tagged()
every_tagged = pytest.mark.parametrize("entity", TAGGED, ids=lambda e: e.key)


def of(world: World, entity: Entity, key: int) -> object:
    return records.get(world.admin, entity.key, key).values["tags"]


def count(world: World, name: str) -> int:
    return next((one.count for one in tags.counts(world.admin) if one.name == name), 0)


@every_tagged
def test_a_tag_is_counted_renamed_merged_and_taken_back(world: World, entity: Entity) -> None:
    actor = world.admin
    old, new = f"Old {entity.key}", f"New {entity.key}"
    first = world.factory.make(entity.key, tags=f"|{old}|ș|")
    both = world.factory.make(entity.key, tags=f"|{new}|{old.upper()}|")
    none = world.factory.make(entity.key, tags="|ș|")
    tag = world.factory.make("tag", name=old)
    assert (count(world, old), count(world, new)) == (2, 1)
    renamed = tags.rename(actor, old, new)
    assert (renamed.count, renamed.left) == (2, 0)
    assert of(world, entity, first) == f"|{new}|ș|"
    assert of(world, entity, both) == f"|{new}|"
    assert of(world, entity, none) == "|ș|"
    assert records.get(actor, "tag", tag).title == new
    assert (count(world, old), count(world, new)) == (0, 2)
    undo.undo(actor)
    assert of(world, entity, first) == f"|{old}|ș|"
    assert of(world, entity, both) == f"|{new}|{old.upper()}|"
    assert records.get(actor, "tag", tag).title == old


def test_two_tags_become_one_over_all_kinds_in_one_step(world: World) -> None:
    actor = world.admin
    made = {e.key: world.factory.make(e.key, tags="|Press ș|") for e in TAGGED}
    gone, kept = (world.factory.make("tag", name=name) for name in ("Press ș", "Media"))
    steps: list[tuple[int, int]] = []
    renamed = tags.rename(actor, "Press ș", "Media", lambda *step: steps.append(step))
    assert renamed.count == len(TAGGED)
    assert steps[-1] == (len(TAGGED), len(TAGGED))
    for entity in TAGGED:
        assert of(world, entity, made[entity.key]) == "|Media|"
    assert records.get(actor, "tag", gone).values["deleted_at"] is not None
    assert records.get(actor, "tag", kept).values["deleted_at"] is None
    undo.undo(actor, renamed.operation)
    for entity in TAGGED:
        assert of(world, entity, made[entity.key]) == "|Press ș|"
    assert records.get(actor, "tag", gone).values["deleted_at"] is None


def test_what_is_out_of_reach_keeps_the_word(world: World) -> None:
    own = world.people["own"]
    mine = world.factory.make("contact", owner=own.user_id, tags="|Near|")
    far = world.factory.make("contact", owner=world.people["stranger"].user_id, tags="|Near|")
    renamed = tags.rename(own, "Near", "Close")
    assert (renamed.count, renamed.left) == (1, 1)
    contact = next(e for e in TAGGED if e.key == "contact")
    assert (of(world, contact, mine), of(world, contact, far)) == ("|Close|", "|Near|")
    assert "out of your reach" in tags.described(renamed)
    with pytest.raises(PermissionDenied):
        tags.rename(world.people["none"], "Near", "Closer")


def test_a_name_with_commas_or_none_is_refused(world: World) -> None:
    for name in ("", " , ", "one, two"):
        with pytest.raises(UserError, match="without commas"):
            tags.rename(world.admin, "Any", name)


def test_renaming_can_be_stopped(world: World) -> None:
    world.factory.make("contact", tags="|Stopped|")
    cancel = Cancel()
    cancel.cancel()
    renamed = tags.rename(world.admin, "Stopped", "Going on", cancel=cancel)
    assert renamed.was_stopped
    assert count(world, "Stopped") == 1
