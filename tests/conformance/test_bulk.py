"""Every entity's fields can be changed in many records at once, and taken back with one undo."""

from __future__ import annotations

import pytest

from desktop_crm.core.errors import CrmError
from desktop_crm.core.text import split_tags
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models.activity import REGARDING
from desktop_crm.services import query, records, undo
from desktop_crm.services.bulk import deeds, edits
from desktop_crm.services.bulk.edits import FieldEdit, Mode
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
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


@pytest.mark.parametrize("entity", [e for e in RECORDS if e.key in REGARDING], ids=lambda e: e.key)
def test_each_gets_an_activity_and_one_undo_takes_them_back(world: World, entity: Entity) -> None:
    actor = world.admin
    keys = [world.factory.make(entity.key) for _ in range(3)]
    values = {"subject": f"Ask {entity.key}", "kind": "task"}
    report = deeds.add_activities(actor, Targets(entity.key, keys), values)
    assert (report.done, report.failures) == (3, ())
    asked = RecordQuery("activity", (f"{entity.key}.id",), Rule(entity.key, "in", tuple(keys)))
    assert sorted(row.values[0] for row in query.first_page(actor, asked)) == sorted(keys)
    undo.undo(actor, report.operation)
    assert query.first_page(actor, asked) == []


# A personal view given away would be out of sight of who gives it, which is refused.
OWNED = tuple(e for e in RECORDS if "owner" in e.fields and e.key != "saved_view")


@pytest.mark.parametrize("entity", OWNED, ids=lambda e: e.key)
def test_many_are_given_to_somebody_else_and_taken_back(world: World, entity: Entity) -> None:
    actor = world.admin
    keys = [world.factory.make(entity.key) for _ in range(2)]
    before = [records.get(actor, entity.key, key).values["owner"] for key in keys]
    if not any(field.name == "owner" for field in edits.editable(actor, entity.key)):
        return
    wanted = world.people["mate"].user_id
    report = edits.edit(actor, Targets(entity.key, keys), [FieldEdit("owner", value=wanted)])
    assert (report.done, report.failures) == (2, ())
    undo.undo(actor, report.operation)
    assert [records.get(actor, entity.key, key).values["owner"] for key in keys] == before


@pytest.mark.parametrize("entity", [e for e in RECORDS if "tags" in e.fields], ids=lambda e: e.key)
def test_tags_join_those_that_are_there(world: World, entity: Entity) -> None:
    actor = world.admin
    keys = [world.factory.make(entity.key, tags=tags) for tags in ("|one|", "|two|")]
    targets = Targets(entity.key, keys)
    report = edits.edit(actor, targets, [FieldEdit("tags", Mode.ADD, "Ștanță")])

    def found() -> list[list[str]]:
        texts = (records.get(actor, entity.key, key).values["tags"] for key in keys)
        return [sorted(split_tags(text or "")) for text in texts]

    assert found() == [["one", "Ștanță"], ["two", "Ștanță"]]
    edits.edit(actor, targets, [FieldEdit("tags", Mode.REMOVE, "two")])
    assert found() == [["one", "Ștanță"], ["Ștanță"]]
    undo.undo(actor)
    undo.undo(actor, report.operation)
    assert found() == [["one"], ["two"]]
