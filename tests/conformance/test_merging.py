"""Records of every kind become one with everything that points to them, and several again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from desktop_crm.core import clock
from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import Base
from desktop_crm.services import records, undo
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.duplicates.references import Reference, may_merge, references
from desktop_crm.services.duplicates.repoint import model_of
from desktop_crm.services.duplicates.unmerge import unmerge
from tests.support.world import World

MERGED = tuple(entity for entity in registry.all() if may_merge(entity))
every_merged = pytest.mark.parametrize("entity", MERGED, ids=lambda e: e.key)

_MOVES = frozenset({"version", "modified_at", "modified_by_id"})


def make(world: World, key: str, **values: object) -> int:
    return world.factory.make(key, **values)


def point(world: World, reference: Reference, entity: str, key: int) -> int:
    """Make a row that points to a record in one way, past every rule: nothing may be missed."""
    holder = reference.holder
    if holder.is_record and holder.form:
        row_id = make(world, holder.key)
        changes: dict[str, Any] = {reference.column: key}
        if reference.kind:
            changes[reference.kind] = entity
        with world.db.writing() as connection:
            connection.execute(
                update(holder.table).where(holder.table.c.id == row_id).values(**changes)
            )
        return row_id
    return _raw(world, reference, entity, key)


def _raw(world: World, reference: Reference, entity: str, key: int) -> int:
    holder = reference.holder
    values: dict[str, Any] = {}
    for name, field in holder.fields.items():
        if field.column is None or name == "id" or field.nullable:
            continue
        if field.kind is kinds.LINK:
            values[str(field.column.name)] = make(world, field.target)
        else:
            values[str(field.column.name)] = world.factory.value(field, 1)
    values[reference.column] = key
    if reference.kind:
        values[reference.kind] = entity
    if "uid" in values:
        values |= {"uid": new_uid(), "created_at": clock.now(), "modified_at": clock.now()}
    with world.db.writing() as connection:
        statement = insert(model_of(holder)).values(**values).returning(holder.table.c.id)
        return int(connection.execute(statement).scalar_one())


def everything(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the history, without what each writing moves."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name in {"audit_entry", "merge_log", "duplicate_pair", "document_content"}:
            continue
        rows = connection.execute(select(table).order_by(table.c.id)).mappings()
        found[table.name] = [{k: v for k, v in row.items() if k not in _MOVES} for row in rows]
    return found


def snapshot(world: World) -> dict[str, list[dict[str, Any]]]:
    with world.db.reading() as connection:
        return everything(connection)


def pointing(world: World, entity: str, key: int) -> list[tuple[str, str, int]]:
    """Rows that point to a record, by their table and column, read off the tables alone."""
    found: list[tuple[str, str, int]] = []
    with world.db.reading() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in {"audit_entry", "merge_log", "duplicate_pair"}:
                continue
            for column in table.columns:
                targets = {k.column.table.name for k in column.foreign_keys}
                declared = column.info.get("field")
                if declared is not None and declared.target:
                    targets.add(declared.target)
                condition = column == key
                kind = column.name.removesuffix("_id") + "_type"
                if column.name == "merged_into" and table.name == entity:
                    pass
                elif column.name.endswith("_id") and kind in table.columns:
                    condition = (table.c[kind] == entity) & condition
                elif entity not in targets or column.name in {"created_by_id", "modified_by_id"}:
                    continue
                rows = connection.execute(select(table.c.id).where(condition)).scalars()
                found += [(table.name, column.name, row) for row in rows]
    return found


@every_merged
def test_everything_moves_and_comes_back(world: World, entity: Entity) -> None:
    admin, key = world.admin, entity.key
    master, loser, third = (make(world, key) for _ in range(3))
    made = [(ref, point(world, ref, key, loser)) for ref in references(key)]
    gone = [(r, i) for r, i in made if r.holder.is_record and r.holder.form][:3]
    with world.db.writing() as connection:
        for reference, row in gone:  # what lies in the bin points to the record as well
            table = reference.holder.table
            connection.execute(
                update(table).where(table.c.id == row).values(deleted_at=clock.now())
            )
    before = snapshot(world)
    assert {(r.holder.key, r.column) for r, _ in made} <= {
        (t, c) for t, c, _ in pointing(world, key, loser)
    }

    merged = merge(admin, MergeWish(key, master, (loser, third)))

    assert pointing(world, key, loser) == []
    assert pointing(world, key, third) == []
    left = {(table, column) for table, column, _ in pointing(world, key, master)}
    assert {(r.holder.key, r.column) for r, _ in made} - left == set()
    again = records.get(admin, key, loser)
    assert (again.id, again.merged_from) == (master, loser)
    assert merged.changes.operation == merged.operation

    parted = unmerge(admin, merged.operation)

    assert parted.kept == ()
    assert parted.restored == (loser, third)
    assert_same(snapshot(world), before)
    with pytest.raises(UserError, match="taken apart already"):
        unmerge(admin, merged.operation)


def assert_same(
    after: dict[str, list[dict[str, Any]]], before: dict[str, list[dict[str, Any]]]
) -> None:
    for table, rows in before.items():
        assert after[table] == rows, table


@every_merged
def test_undo_and_redo_take_the_whole_merge(world: World, entity: Entity) -> None:
    admin, key = world.admin, entity.key
    master, loser = make(world, key), make(world, key)
    for reference in references(key):
        point(world, reference, key, loser)
    before = snapshot(world)
    merge(admin, MergeWish(key, master, (loser,)))
    after = snapshot(world)
    assert undo.undo(admin)
    assert_same(snapshot(world), before)
    assert undo.redo(admin)
    assert pointing(world, key, loser) == []
    assert records.get(admin, key, loser).id == master
    assert after.keys() == before.keys()
    assert undo.undo(admin)
    assert_same(snapshot(world), before)


@every_merged
def test_rights_decide_on_both_sides(world: World, entity: Entity) -> None:
    key = entity.key
    master, loser = make(world, key), make(world, key)
    before = snapshot(world)
    with pytest.raises(PermissionDenied):
        merge(world.people["none"], MergeWish(key, master, (loser,)))
    assert_same(snapshot(world), before)


@every_merged
def test_records_changed_meanwhile_are_not_merged(world: World, entity: Entity) -> None:
    admin, key = world.admin, entity.key
    master, loser = make(world, key), make(world, key)
    before = snapshot(world)
    for versions in ({master: 7}, {loser: 7}):
        with pytest.raises(UserError, match="changed meanwhile"):
            merge(admin, MergeWish(key, master, (loser,), versions=versions))
    records.delete(admin, key, [loser])
    with pytest.raises(UserError, match="deleted meanwhile"):
        merge(admin, MergeWish(key, master, (loser,)))
    records.restore(admin, key, [loser])
    assert_same(snapshot(world), before)


def test_records_that_stand_for_themselves_are_not_merged(world: World) -> None:
    for key in ("activity", "quote", "currency"):
        one, other = make(world, key), make(world, key)
        with pytest.raises(UserError, match="cannot be merged"):
            merge(world.admin, MergeWish(key, one, (other,)))
