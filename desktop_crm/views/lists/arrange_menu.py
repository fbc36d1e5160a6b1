"""What a person can do with a column, and with the list as a whole, as menus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.services.list_layout import Density
from desktop_crm.services.record_query import Order
from desktop_crm.views.actions import Action
from desktop_crm.views.lists.columns_dialog import MOST_FROZEN

if TYPE_CHECKING:
    from desktop_crm.views.lists.list_panel import ListPanel

DENSITIES: Final = {
    Density.COMPACT: N_("Compact rows"),
    Density.NORMAL: N_("Normal rows"),
    Density.COMFORTABLE: N_("Comfortable rows"),
}


def of_column(panel: ListPanel, path: str) -> list[Action]:
    """Menu of one column's header."""
    sorts = {order.field: order for order in panel.order}
    frozen = panel.arranged.layout.frozen
    place = panel.shown_columns().index(path) + 1 if path in panel.shown_columns() else 0
    ways = ((False, N_("Sort ascending"), "up"), (True, N_("Sort descending"), "down"))
    made = [
        Action(
            f"column.sort_{direction}",
            tr(text),
            partial(panel.sort_by, (Order(path, descending),)),
            group="sort",
            checked=len(sorts) == 1 and sorts.get(path) == Order(path, descending),
        )
        for descending, text, direction in ways
    ]
    rest = tuple(order for order in panel.order if order.field != path)
    if rest:
        made += [
            Action(
                f"column.then_{direction}",
                tr(N_("Then by it, descending") if descending else N_("Then by it, ascending")),
                partial(panel.sort_by, (*rest, Order(path, descending))),
                group="sort",
                checked=len(sorts) > 1 and sorts.get(path) == Order(path, descending),
            )
            for descending, _text, direction in ways
        ]
    if rest and path in sorts:
        made.append(
            Action("column.unsort", tr("Sort by it no more"), partial(panel.sort_by, rest),
                   group="sort")
        )  # fmt: skip
    if 0 < place <= MOST_FROZEN and place != frozen:
        made.append(
            Action("column.freeze", tr("Freeze up to here"), partial(panel.freeze, place),
                   group="place")
        )  # fmt: skip
    if frozen:
        made.append(
            Action("column.unfreeze", tr("Unfreeze columns"), partial(panel.freeze, 0),
                   group="place")
        )  # fmt: skip
    if len(panel.shown_columns()) > 1:
        made.append(
            Action("column.hide", tr("Hide this column"), partial(panel.hide_column, path),
                   group="place")
        )  # fmt: skip
    return [*made, _choose(panel)]


def of_list(panel: ListPanel) -> list[Action]:
    """Menu of the list as a whole."""
    now = panel.arranged.layout.density
    made = [
        Action(
            f"list.{density.value}",
            tr(text),
            partial(panel.set_density, density),
            group="density",
            checked=density is now,
        )
        for density, text in DENSITIES.items()
    ]
    made.append(_choose(panel))
    if panel.is_changed:
        made.append(
            Action("list.as_view", tr("Arrange as the view says"), panel.forget_changes,
                   group="columns")
        )  # fmt: skip
    return made


def _choose(panel: ListPanel) -> Action:
    return Action(
        "list.choose_columns",
        tr("Columns…"),
        panel.choose_columns,
        "column_triple",
        group="columns",
    )
