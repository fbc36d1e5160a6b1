"""Every entity goes out as a workbook and comes back as the same; a plain file makes records."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.field import Level
from desktop_crm.services import excel, imports, records, undo
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from tests.support.world import World

OF_CLOSED_ONES = frozenset({"closed_on", "actual_revenue"})
"""Fields of an opportunity that an open stage empties."""

RECORDS = tuple(entity for entity in registry.all() if entity.is_record)
SECRETIVE = tuple(
    e for e in RECORDS if any(f.level is Level.CONFIDENTIAL for f in e.fields.values())
)
NAMED = tuple(
    e for e in RECORDS if not e.parent and any(e.fields[n].importable for n in e.natural_key)
)
"""Entities that a field of a file identifies."""


def only(keys: list[int]) -> Rule:
    """Condition that leaves some records."""
    return Rule("id", "in", tuple(str(key) for key in keys))


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_a_workbook_comes_back_as_the_same(world: World, entity: Entity, tmp_path: Path) -> None:
    actor = world.admin
    keys = [world.factory.make(entity.key) for _ in range(3)]
    path = tmp_path / "out.xlsx"
    columns = excel.exportable(actor, entity.key)
    result = excel.export(actor, RecordQuery(entity.key, columns, only(keys)), path)
    assert result.rows == 3
    if entity.parent:
        with pytest.raises(UserError, match="records to import"):
            imports.plan_file(actor, entity.key, path)
        return
    plan = imports.plan_file(actor, entity.key, path)
    assert {n: c for n, c in plan.counts.items() if c} == {"same": 3}, plan.rejected
    assert imports.apply(actor, plan).batch is None


@pytest.mark.parametrize("entity", SECRETIVE, ids=lambda e: e.key)
def test_a_workbook_holds_nothing_confidential(
    world: World, entity: Entity, tmp_path: Path
) -> None:
    secret = [f for f in entity.fields.values() if f.level is Level.CONFIDENTIAL]
    actor = world.people["all"]
    key = world.factory.make(entity.key, owner=actor.user_id) if entity.owned else None
    key = key or world.factory.make(entity.key)
    columns = excel.exportable(actor, entity.key)
    assert not {f.name for f in secret} & set(columns)
    wanted = RecordQuery(entity.key, (secret[0].name,), only([key]))
    with pytest.raises((UserError, PermissionDenied)):
        excel.export(actor, wanted, tmp_path / "no.xlsx")
    excel.export(actor, RecordQuery(entity.key, columns, only([key])), tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    cells = {str(c.value) for page in book for row in page.iter_rows() for c in row}
    values = records.get(world.admin, entity.key, key).values
    assert not cells & {str(values[f.name]) for f in secret}


@pytest.mark.parametrize("entity", NAMED, ids=lambda e: e.key)
def test_a_plain_file_makes_records_and_importing_it_again_changes_nothing(
    world: World, entity: Entity, tmp_path: Path
) -> None:
    actor = world.admin
    values = world.factory.values(entity.key)
    fields = {
        n: f
        for n, f in entity.fields.items()
        if f.importable and not f.hidden and n in values and f.kind is not kinds.LINK
    }
    links = {
        n: str(records.get(actor, f.target, values[n]).title)
        for n, f in entity.fields.items()
        if n in values and f.kind is kinds.LINK and values[n] is not None
    }
    path = tmp_path / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(f.label for f in fields.values()), *links])
        cells = [f.display(values[n], actor.formats) for n, f in fields.items()]
        writer.writerow([*cells, *links.values()])
    mapping = {f.label: n for n, f in fields.items()} | {n: n for n in links}
    options = imports.ImportOptions(mapping=mapping)
    plan = imports.plan_file(actor, entity.key, path, options)
    assert {n: c for n, c in plan.counts.items() if c} == {"create": 1}, plan.rejected
    result = imports.apply(actor, plan)
    assert (result.created, result.rejected) == (1, [])
    (key,) = result.changes.ids(entity.key)
    stored = records.get(actor, entity.key, key).values
    for name, field in fields.items():
        if field.kind is not kinds.DATETIME and name not in OF_CLOSED_ONES:
            assert stored[name] == values[name], name
    again = imports.plan_file(actor, entity.key, path, options)
    assert {n: c for n, c in again.counts.items() if c} == {"same": 1}
    assert result.batch is not None
    undo.undo_batch(actor, result.batch)
    assert records.get(actor, entity.key, key).values["deleted_at"] is not None
