"""The commands of editing a list in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.views.actions import Action, Place

if TYPE_CHECKING:
    from desktop_crm.views.panes.command_target import Target
    from desktop_crm.views.workbench import Workbench


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Copy for everybody; editing for those who may change such records."""
    grid = target.list.grid

    def has_rows() -> bool:
        return target.list.count > 0 and target.list.table.isVisibleTo(target.list)

    table = target.list.table
    made = [
        Action("list.select_all", tr("Select all"), table.selectAll, "checkmark", shortcut="Ctrl+A",
               group="grid", place=Place.MORE, enabled=has_rows),
        Action("grid.copy", tr("Copy"), grid.copy, shortcut="Ctrl+C", group="grid",
               place=Place.MORE, enabled=has_rows),
    ]  # fmt: skip
    if not grid.may_edit:
        return made
    return [
        Action(
            "grid.toggle",
            tr("Edit in the list"),
            grid.toggle,
            "edit",
            shortcut="Ctrl+Shift+E",
            group="grid",
            place=Place.MORE,
            enabled=has_rows,
        ),
        *made,
        Action("grid.paste", tr("Paste…"), grid.paste, shortcut="Ctrl+V", group="grid",
               place=Place.MORE, enabled=has_rows),
        Action("grid.fill", tr("Fill down…"), grid.fill_down, group="grid", place=Place.MORE,
               enabled=has_rows),
    ]  # fmt: skip
