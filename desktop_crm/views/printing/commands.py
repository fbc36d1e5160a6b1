"""The command that prints a list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.views.actions import Action, Place

if TYPE_CHECKING:
    from desktop_crm.views.panes.command_target import Target
    from desktop_crm.views.workbench import Workbench


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Print the list, or the selected records."""
    return [
        Action(
            "list.print",
            tr("Print…"),
            lambda: open_print(bench, target),
            "receipt",
            shortcut="Ctrl+P",
            group="pane",
            place=Place.MORE,
        )
    ]


def open_print(bench: Workbench, target: Target) -> None:
    """Ask how to print what a list shows; several selected records stand for the list."""
    from desktop_crm.services.bulk.job import Targets
    from desktop_crm.views.printing.dialog import PrintDialog
    from desktop_crm.views.printing.listing import Shown

    shown = target.list
    asked = shown.query()
    paths, widths = shown.table.column_state()
    by_path = {column.path: column for column in shown.model.columns}
    columns = tuple(by_path[path] for path in paths)
    # Behind a board the table may have a selection that nobody sees.
    selected = target.selected() if target.count() > 1 else []
    targets = Targets(shown.entity.key, selected, None if selected else asked)
    count = len(selected)
    said = tr("All records of the list")
    if count:
        number = bench.formats.number(count, 0)
        said = ntr("{number} selected record", "{number} selected records", count, number=number)
    picture = Shown(
        shown.title.text(),
        replace(asked, columns=paths),
        columns,
        tuple(float(widths.get(column.path, column.width)) for column in columns),
        shown.summaries(),
    )
    PrintDialog(bench, picture, targets, said).open()
