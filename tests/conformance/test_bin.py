"""The bin holds what was deleted, gives it back, and forgets for good what is purged."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from desktop_crm.core.errors import NotFound, PermissionDenied
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import AuditEntry, Document, DocumentContent, RecordMark
from desktop_crm.models.marking import MarkKind
from desktop_crm.models.office import AuditAction
from desktop_crm.services import attachments, audit, marks, purge, query, records, steps, undo
from desktop_crm.services import bin as recycle_bin
from desktop_crm.services.query import RecordQuery
from tests.conformance.test_rights import OWNERS, make_for, reached
from tests.support.world import LEVELS, World

KEPT_BY_RULE = frozenset({"custom_field"})
IN_BIN = tuple(e for e in registry.all() if e.is_record and not e.parent)
PURGED = tuple(e for e in IN_BIN if e.key not in KEPT_BY_RULE)
CHILDREN = tuple(e for e in registry.all() if e.is_record and e.parent)

in_bin = pytest.mark.parametrize("entity", IN_BIN, ids=lambda e: e.key)
purged = pytest.mark.parametrize("entity", PURGED, ids=lambda e: e.key)


def lying(world: World, entity: Entity, person: str = "admin") -> dict[int, recycle_bin.Deleted]:
    """What one person finds in the bin of an entity."""
    actor = world.people[person]
    return {found.id: found for found in recycle_bin.deleted(actor, [entity.key], limit=5000)}


def count(world: World, table: Any, *conditions: Any) -> int:
    with world.db.reading() as connection:
        return connection.execute(
            select(func.count()).select_from(table).where(*conditions)
        ).scalar_one()


@in_bin
def test_what_is_deleted_lies_in_the_bin_until_it_is_restored(world: World, entity: Entity) -> None:
    actor = world.admin
    kept, gone = (world.factory.make(entity.key) for _ in range(2))
    records.delete(actor, entity.key, [gone])
    found = lying(world, entity)
    assert kept not in found
    assert found[gone].by == actor.name
    title = str(records.get(actor, entity.key, gone).title)
    if entity.fields[entity.title].kind is kinds.TEXT:
        assert found[gone].title == title
        assert gone in {d.id for d in recycle_bin.deleted(actor, [entity.key], title[:40])}
        assert not recycle_bin.deleted(actor, [entity.key], "nothing is called like this")
    changes = recycle_bin.restore(actor, [(entity.key, gone)])
    assert changes.ids(entity.key) == {gone}
    assert gone not in lying(world, entity)
    undo.undo(actor)
    assert gone in lying(world, entity)
    undo.redo(actor)
    assert gone not in lying(world, entity)


@in_bin
def test_everybody_finds_in_the_bin_what_he_may_remove(world: World, entity: Entity) -> None:
    made = {owner: make_for(world, entity, owner) for owner in OWNERS}
    records.delete(world.admin, entity.key, list(made.values()))
    for level in LEVELS:
        mine = {made[owner] for owner in reached(entity, level, "remove")}
        assert lying(world, entity, level).keys() & set(made.values()) == mine, level
        for key in set(made.values()) - mine:
            with pytest.raises(PermissionDenied):
                recycle_bin.restore(world.people[level], [(entity.key, key)])
            with pytest.raises(PermissionDenied):
                purge.purge(world.people[level], [(entity.key, key)])


@purged
def test_what_is_purged_leaves_nothing_but_its_title(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    _hang_on(world, entity, key)
    found = records.get(actor, entity.key, key)
    title = str(found.title)
    private = entity.private
    was_private = private is not None and found.values[private.field] == private.code
    living = purge.purge(actor, [(entity.key, key)])
    assert living.count == 0, "it lives"
    assert not living.refused
    records.delete(actor, entity.key, [key])
    plan = purge.plan(actor, [(entity.key, key)])
    assert (plan.count, plan.refused) == (1, ())
    steps: list[tuple[int, int]] = []
    result = purge.purge(actor, [(entity.key, key)], lambda *step: steps.append(step))
    assert (result.count, result.refused, steps) == (1, (), [(1, 1)])
    assert result.changes.ids(entity.key) == {key}
    with pytest.raises(NotFound):
        records.get(actor, entity.key, key)
    assert key not in query.keys(actor, RecordQuery(entity.key, ("id",), deleted=True))
    entries = AuditEntry.__table__.c
    with world.db.reading() as connection:
        left = connection.execute(
            select(entries.action, entries.changes, entries.by_id).where(
                entries.entity == entity.key, entries.record_id == key
            )
        ).all()
    assert [row.action for row in left] == [AuditAction.PURGE]
    assert left[0].by_id == actor.user_id
    told = {entity.title: [title, None]}
    assert left[0].changes in ({}, told)
    if entity.fields[entity.title].kind is kinds.TEXT:
        assert left[0].changes == ({} if was_private else told)
    marked = RecordMark.__table__.c
    assert not count(world, RecordMark, marked.record_type == entity.key, marked.record_id == key)
    filed = Document.__table__.c
    assert not count(world, Document, filed.record_type == entity.key, filed.record_id == key)
    if "search_text" in entity.fields:
        search = RecordQuery(entity.key, ("id",), search=title, deleted=True)
        assert key not in query.keys(actor, search)


def _hang_on(world: World, entity: Entity, key: int) -> None:
    """Everything that can hang on a record: marks, a file with bytes, connections, children."""
    actor = world.admin
    if entity.key == "connection":
        return
    marks.put(actor, MarkKind.FAVOURITE, entity.key, [key], on=True)
    if entity.key != "document":
        world.factory.make("document", record_type=entity.key, record_id=key)
    if not entity.reference:
        other = world.factory.make("contact")
        ends = {"from_type": entity.key, "from_id": key, "to_type": "contact", "to_id": other}
        world.factory.make("connection", **ends)
    for child in CHILDREN:
        for name in child.parent:
            if child.fields[name].target == entity.key:
                world.factory.make(child.key, **{name: key})


LINKS = [
    (other, link.name, link.target)
    for other in registry.all()
    if other.is_record
    for link in other.fields.values()
    if link.kind is kinds.LINK and link.column is not None
    if link.name not in {"created_by", "modified_by", "import_batch"}
    if link.name not in other.parent and link.target in {e.key for e in PURGED}
    if (other.key, link.name) not in {("document", "activity"), ("document", "quote")}
    if link.name != "last_open_stage"  # a rule sets it
]


@pytest.mark.parametrize(("other", "name", "target"), LINKS, ids=lambda p: getattr(p, "key", p))
def test_links_of_others_are_emptied_or_keep_the_record(
    world: World, other: Entity, name: str, target: str
) -> None:
    actor = world.admin
    key = world.factory.make(target)
    wanted: dict[str, Any] = {name: key}
    if (other.key, name) == ("quote", "price_list"):
        wanted["currency"] = records.get(actor, target, key).values["currency"]
    values = world.factory.values(other.key, **wanted)
    link = records.save(actor, other.key, None, None, values).id
    records.delete(actor, target, [key])
    plan = purge.plan(actor, [(target, key)])
    result = purge.purge(actor, [(target, key)])
    assert (result.count, len(result.refused)) == (plan.count, len(plan.refused))
    column = other.fields[name].column
    assert column is not None
    with world.db.reading() as connection:
        stands = connection.execute(select(column).where(other.table.c.id == link)).scalar_one()
    if result.refused:
        assert stands == key
        assert result.refused[0].reason
        assert recycle_bin.restore(actor, [(target, key)])
        return
    assert stands is None
    assert other.fields[name].nullable
    assert plan.emptied >= 1


def test_files_go_with_the_last_document_that_names_them(world: World) -> None:
    actor = world.admin
    stored = f"purged on {world.db.dialect}".encode()
    digest = hashlib.sha256(stored).hexdigest()
    owners = [world.factory.make("account") for _ in range(2)]
    for owner in owners:
        attachments.add_bytes(actor, "account", owner, "shared.txt", stored)
    content = DocumentContent.__table__.c.sha256 == digest
    records.delete(actor, "account", owners)
    purge.purge(actor, [("account", owners[0])])
    assert count(world, DocumentContent, content) == 1
    plan = purge.plan(actor, [("account", owners[1])])
    assert dict(plan.along)["document"] == 1
    purge.purge(actor, [("account", owners[1])])
    assert count(world, DocumentContent, content) == 0


def test_a_key_given_again_has_a_history_of_its_own(world: World) -> None:
    actor = world.admin
    key = world.factory.make("unit")
    world.factory.make("unit")
    records.delete(actor, "unit", [key])
    purge.purge(actor, [("unit", key)])
    step = steps.last(actor)
    assert step is None or step.action is not AuditAction.PURGE
    with world.db.writing() as connection:
        unit = registry.get("unit").table
        columns = [c for c in unit.columns if c.name != "id" and not c.name.startswith("x_")]
        copied = select(*columns).limit(1)
        values = dict(connection.execute(copied).mappings().one())
        values |= {"id": key, "uid": f"again {key}", "code": f"A{key}", "version": 1}
        values["deleted_at"] = None
        connection.execute(insert(unit), [values])
    assert audit.history(actor, "unit", key) == []
    records.save(actor, "unit", key, 1, {"name": "Given again"})
    undo.undo(actor)
    assert records.get(actor, "unit", key).values["name"] == values["name"]


def test_many_go_in_chunks_that_can_be_stopped(world: World) -> None:
    actor = world.admin
    ids = [world.factory.make("team") for _ in range(purge.CHUNK + 5)]
    records.delete(actor, "team", ids)
    cancel = Cancel()
    steps: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        steps.append((done, total))
        cancel.cancel()

    result = purge.purge(actor, [("team", key) for key in ids], progress, cancel)
    assert result.was_stopped
    assert (result.count, steps) == (purge.CHUNK, [(purge.CHUNK, len(ids))])
    assert len(lying(world, registry.get("team")).keys() & set(ids)) == 5
