"""Records of every kind become one with everything that points to them, and several again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from desktop_crm.core import clock
from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
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
    for name, field in holder.stored.items():
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


def everything(connection: Connection, *left_out: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every entity but the history, without what each writing moves."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entity in registry.all():
        if entity.key in {"audit_entry", "merge_log", "duplicate_pair", "document_content"}:
            continue
        columns = [f.column for f in entity.stored.values() if f.column is not None]
        rows = connection.execute(select(*columns).order_by(entity.table.c.id)).mappings()
        moves = _MOVES | set(left_out)
        found[entity.key] = [{k: v for k, v in row.items() if k not in moves} for row in rows]
    return found


def snapshot(world: World) -> dict[str, list[dict[str, Any]]]:
    with world.db.reading() as connection:
        # Rows were made to point past every rule, so that search texts do not know of them.
        return everything(connection, "search_text")


def pointing(world: World, entity: str, key: int) -> list[tuple[str, str, int]]:
    """Rows that point to a record, by their table and column, read off the tables alone."""
    found: list[tuple[str, str, int]] = []
    with world.db.reading() as connection:
        for holder in registry.all():
            if holder.key in {"audit_entry", "merge_log", "duplicate_pair"}:
                continue
            for field in holder.stored.values():
                condition = _points(holder, field, entity, key)
                if condition is not None:
                    rows = connection.execute(select(holder.table.c.id).where(condition)).scalars()
                    found += [(holder.key, str(field.column), row) for row in rows]
    return found


def _points(holder: Entity, field: BoundField, entity: str, key: int) -> Any:
    column = field.column
    assert column is not None
    if column.name in {"created_by_id", "modified_by_id"}:
        return None
    if column.name == "merged_into":
        return column == key if holder.key == entity else None
    kind = holder.table.c.get(column.name.removesuffix("_id") + "_type")
    if column.name.endswith("_id") and kind is not None:
        return (kind == entity) & (column == key)
    tables = {k.column.table.name for k in column.foreign_keys}
    return column == key if entity in tables | {field.target} else None


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
    assert _ways(made) <= {(t, c) for t, c, _ in pointing(world, key, loser)}

    merged = merge(admin, MergeWish(key, master, (loser, third)))

    assert pointing(world, key, loser) == []
    assert pointing(world, key, third) == []
    left = {(table, column) for table, column, _ in pointing(world, key, master)}
    assert _ways(made) - left == set()
    again = records.get(admin, key, loser)
    assert (again.id, again.merged_from) == (master, loser)
    assert merged.changes.operation == merged.operation

    parted = unmerge(admin, merged.operation)

    assert parted.kept == ()
    assert parted.restored == (loser, third)
    assert_same(snapshot(world), before)
    with pytest.raises(UserError, match="taken apart already"):
        unmerge(admin, merged.operation)


def _ways(made: list[tuple[Reference, int]]) -> set[tuple[str, str]]:
    return {(ref.holder.key, str(ref.holder.table.c[ref.column])) for ref, _row in made}


def assert_same(
    after: dict[str, list[dict[str, Any]]], before: dict[str, list[dict[str, Any]]]
) -> None:
    for table, rows in before.items():
        differing = [
            {name: (value, now.get(name)) for name, value in row.items() if now.get(name) != value}
            for row, now in zip(rows, after[table], strict=True)
        ]
        assert [row for row in differing if row] == [], table


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
