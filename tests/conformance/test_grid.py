"""Cells of every list are pasted, filled down and emptied with a look first and one undo."""

from __future__ import annotations

import pytest

from desktop_crm.core.errors import PermissionDenied
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import SYSTEM_FIELDS, Entity
from desktop_crm.services import records, undo
from desktop_crm.services.grid import clipboard, pasting
from desktop_crm.services.permissions import visible_fields
from tests.conformance.test_bulk import plain
from tests.conformance.test_records import EDITED, changes_of, every_edited, row
from tests.support.world import World

LISTED = tuple(e for e in EDITED if not e.parent)
every_listed = pytest.mark.parametrize("entity", LISTED, ids=lambda e: e.key)


def shown(world: World, entity: Entity, values: dict[str, object]) -> list[str]:
    """Values as the list shows them."""
    return [entity.fields[n].display(v, world.admin.formats) for n, v in values.items()]


@every_edited
def test_what_a_list_shows_is_pasted_into_another_record(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    before = row(world, entity, key)
    wanted = changes_of(world, entity, key)
    if not wanted:
        return
    texts = shown(world, entity, wanted)
    copied = clipboard.copied([texts], [False] * len(texts))
    cells = clipboard.parse(copied.text)
    assert list(cells[0]) == texts, "a spreadsheet gives back what it got"
    plan = pasting.plan(actor, entity.key, [key], list(wanted), cells)
    assert (plan.bad, plan.same) == ((), 0)
    assert row(world, entity, key) == before, "nothing is written before somebody agreed"
    report = pasting.apply(actor, plan)
    assert (report.done, report.failures) == (1, ())
    stored = records.get(actor, entity.key, key).values
    assert {name: stored[name] for name in wanted} == wanted
    again = pasting.plan(actor, entity.key, [key], list(wanted), cells)
    assert (again.cells, again.same) == ((), len(wanted))
    undo.undo(actor, report.operation)
    assert row(world, entity, key) == before


@every_listed
def test_a_value_is_filled_down_with_one_undo(world: World, entity: Entity) -> None:
    actor = world.admin
    field = plain(world, entity)
    if field is None:
        return
    keys = [world.factory.make(entity.key) for _ in range(3)]
    before = [row(world, entity, key) for key in keys]
    plan = pasting.fill_down(actor, entity.key, keys, [field.name])
    assert [cell.record_id for cell in plan.good] == keys[1:]
    report = pasting.apply(actor, plan)
    found = {records.get(actor, entity.key, key).values[field.name] for key in keys}
    assert found == {before[0][field.name]}
    undo.undo(actor, report.operation)
    assert [row(world, entity, key) for key in keys] == before


@every_listed
def test_nonsense_in_any_column_is_told_and_writes_nothing(world: World, entity: Entity) -> None:
    actor = world.admin
    key = world.factory.make(entity.key)
    before = row(world, entity, key)
    fields = visible_fields(actor, entity)
    plan = pasting.plan(actor, entity.key, [key], list(fields), (("\ud800 ~!",) * len(fields),))
    refused = {cell.field for cell in plan.bad}
    for name, field in fields.items():
        if field.read_only or name in SYSTEM_FIELDS or field.kind in _READ_AS:
            assert name in refused, name
    assert all(cell.problem for cell in plan.bad)
    assert row(world, entity, key) == before


_READ_AS = (
    kinds.INTEGER, kinds.QUANTITY, kinds.MONEY, kinds.PERCENT, kinds.DATE, kinds.DATETIME,
    kinds.BOOLEAN, kinds.CHOICE, kinds.LINK, kinds.EMAIL, kinds.LINES, kinds.IMAGE, kinds.JSON,
)  # fmt: skip
"""Kinds that not every text is a value of."""


@every_listed
def test_nobody_pastes_into_what_he_may_not_change(world: World, entity: Entity) -> None:
    key = world.factory.make(entity.key)
    field = plain(world, entity)
    if field is None:
        return
    with pytest.raises(PermissionDenied):
        pasting.plan(world.people["none"], entity.key, [key], [field.name], (("x",),))
