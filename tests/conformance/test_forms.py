"""Every form shows a record without changing it, with and without tabs, on both systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.meta.field import Section
from desktop_crm.services import records
from desktop_crm.services.values import same
from desktop_crm.views.forms.editing import start_record
from desktop_crm.views.forms.quick_create import compact
from desktop_crm.views.forms.record_form import RecordForm
from tests.support.company import NOW
from tests.support.windows import settle, shell_of, workbench

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.world import World

FORMED = tuple(e for e in registry.all() if e.is_record and e.form)
every_form = pytest.mark.parametrize("entity", FORMED, ids=lambda e: e.key)


@pytest.fixture
def bench(world: World, qtbot: QtBot) -> Iterator[Workbench]:
    """The tools of a form, on each database in turn."""
    clock.use_clock(lambda: NOW)
    made = workbench(world.admin)
    qtbot.addWidget(made.shell.window_widget())
    yield made
    made.tasks.close()


def tabbed(entity: Entity) -> tuple[Section, ...]:
    """The entity's form with a tab for each of its sections."""
    return tuple(Section(s.label, s.rows, tab=s.label) for s in entity.form)


@every_form
@pytest.mark.parametrize("arranged", ["declared", "tabbed"])
def test_a_form_shows_a_record_without_changing_it(
    world: World, bench: Workbench, qtbot: QtBot, entity: Entity, arranged: str
) -> None:
    record = records.get(world.admin, entity.key, world.factory.make(entity.key))
    sections = tabbed(entity) if arranged == "tabbed" else None
    form = RecordForm(entity.key, bench, sections=sections)
    qtbot.addWidget(form)
    form.load(record)
    assert form.check_all(), {n: box.message for n, box in form.boxes.items() if box.message}
    assert not form.is_dirty
    assert form.kept() == {}
    if arranged == "tabbed":
        # A section of which a person sees nothing has no tab; equal labels share one.
        tabs = form.pages.tabs
        shown = {tabs.tabText(n) for n in range(tabs.count())}
        assert len(shown) == tabs.count() <= form.pages.count
        assert shown <= {tr(section.label) for section in entity.form}
    for name, box in form.boxes.items():
        if entity.fields[name].column is not None:
            assert same(box.editor.value(), record.values[name]), name
    # All of it counted as changed, saving still finds nothing to change.
    form.mark_dirty(n for n in form.boxes if not entity.fields[n].read_only)
    saved = records.save(
        world.admin, entity.key, record.id, record.version, form.changes(), form.base()
    )
    assert not saved.changes
    settle(qtbot, bench)
    assert shell_of(bench).errors == []


@every_form
def test_what_a_form_keeps_comes_back_as_it_was(
    world: World, bench: Workbench, qtbot: QtBot, entity: Entity
) -> None:
    import json

    record = records.get(world.admin, entity.key, world.factory.make(entity.key))
    form = RecordForm(entity.key, bench)
    qtbot.addWidget(form)
    form.load(record)
    form.mark_dirty(form.boxes)
    values = form.changes()
    kept = json.loads(json.dumps(form.kept()))
    other = RecordForm(entity.key, bench)
    qtbot.addWidget(other)
    other.load(record)
    assert other.bring(kept) == {}
    assert other.changes() == values
    rest = form.rearrange(record)
    assert rest == {}
    assert form.changes() == values
    settle(qtbot, bench)


@pytest.mark.parametrize("entity", FORMED, ids=lambda e: e.key)
def test_the_short_form_makes_a_record(
    world: World, bench: Workbench, qtbot: QtBot, entity: Entity
) -> None:
    values = world.factory.values(entity.key)
    form = RecordForm(entity.key, bench, sections=compact(entity, values))
    qtbot.addWidget(form)
    form.load(start_record(world.admin, entity.key, values))
    form.mark_dirty(n for n in values if n in form.boxes)
    # What a rule fills in may be left open here.
    assert form.check_all(complete=False)
    given = {n: v for n, v in values.items() if n not in form.boxes}
    saved = records.save(world.admin, entity.key, None, None, {**given, **form.changes()})
    assert records.get(world.admin, entity.key, saved.id).id == saved.id
    settle(qtbot, bench)
