"""Every list goes on paper as the screen shows it, plain and grouped, with its totals."""

from __future__ import annotations

import pytest

from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.printing import list_pdf
from desktop_crm.services import grouping
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import Summary, summaries
from desktop_crm.services.permissions import visible_fields
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.lists import columns as list_columns
from desktop_crm.views.printing.listing import Shown, printed
from tests.support.world import World

RECORDS = tuple(e for e in registry.all() if e.is_record)


@pytest.mark.parametrize("entity", RECORDS, ids=lambda e: e.key)
def test_a_list_is_printed_plain_and_grouped(world: World, entity: Entity) -> None:
    actor = world.admin
    keys = [world.factory.make(entity.key) for _ in range(3)]
    only = Rule("id", "in", tuple(str(key) for key in keys))
    fields = visible_fields(actor, entity)
    paths = tuple(path for path in entity.columns if path.split(".")[0] in fields)
    columns = list_columns.columns(actor, entity, paths)
    sums = {
        column.path: Summary.SUM
        for column in columns
        if "." not in column.path and Summary.SUM in summaries(fields[column.path])
    }
    groups = [name for name, field in fields.items() if grouping.is_groupable(field)]
    for group in ("", *groups[:2]):
        asked = RecordQuery(entity.key, paths, only, group=group)
        shown = Shown("All of them", asked, columns, (100.0,) * len(columns), sums)
        document = printed(actor, shown, Targets(entity.key, (), asked))
        rows = [texts for part in document.groups for texts in part.rows]
        assert len(rows) == 3
        assert {len(row) for row in rows} == {len(columns)}
        assert bool(document.groups[0].heading) == bool(group)
        assert list_pdf.render(document).startswith(b"%PDF")
