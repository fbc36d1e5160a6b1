"""What a person can do with a column, and with the list as a whole, as menus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds
from desktop_crm.services import grouping
from desktop_crm.services.columns import find
from desktop_crm.services.list_layout import Density, Summary, summaries
from desktop_crm.services.record_query import Order
from desktop_crm.views.actions import Action
from desktop_crm.views.lists import columns as list_columns
from desktop_crm.views.lists.total_texts import NAMES

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.views.lists.list_panel import ListPanel

DENSITIES: Final = {
    Density.COMPACT: N_("Compact rows"),
    Density.NORMAL: N_("Normal rows"),
    Density.COMFORTABLE: N_("Comfortable rows"),
}

_STEPS: Final = {
    grouping.DAY: N_("By day"),
    grouping.MONTH: N_("By month"),
    grouping.YEAR: N_("By year"),
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
            Action("column.unsort", tr("Do not sort by it"), partial(panel.sort_by, rest),
                   group="sort")
        )  # fmt: skip
    if 0 < place <= list_columns.MOST_FROZEN and place != frozen:
        made.append(
            Action("column.freeze", tr("Freeze up to here"), partial(_freeze, panel, place),
                   group="place")
        )  # fmt: skip
    if frozen:
        made.append(
            Action("column.unfreeze", tr("Unfreeze columns"), partial(_freeze, panel, 0),
                   group="place")
        )  # fmt: skip
    if len(panel.shown_columns()) > 1:
        made.append(
            Action("column.hide", tr("Hide this column"), partial(_hide, panel, path),
                   group="place")
        )  # fmt: skip
    made += _column_groups(panel, path)
    made += _column_totals(panel, path)
    return [*made, _choose(panel)]


def of_total(panel: ListPanel, path: str) -> list[Action]:
    """Menu of a cell of the totals row."""
    field = find(panel.actor, panel.entity, path)
    chosen = panel.arranged.layout.totals.get(path)
    made = [
        Action(
            f"total.{summary.value}",
            tr(NAMES[summary]),
            partial(_total, panel, path, summary),
            group="total",
            checked=summary is chosen,
        )
        for summary in (summaries(field) if field is not None else ())
    ]
    if chosen is not None:
        made.append(
            Action("total.none", tr("No total"), partial(_total, panel, path, None), group="none")
        )
    return made


def _column_totals(panel: ListPanel, path: str) -> list[Action]:
    below = tuple(of_total(panel, path))
    return [Action("column.total", tr("Total"), _nothing, group="group", menu=below)]


def _column_groups(panel: ListPanel, path: str) -> list[Action]:
    field = find(panel.actor, panel.entity, path)
    if field is None or not grouping.is_groupable(field):
        return []
    return [_group_action(panel, path, tr("Group by it"), field, group="group")]


def _group_action(
    panel: ListPanel, path: str, text: str, field: BoundField, *, group: str = ""
) -> Action:
    """Group by one field; dates unfold into day, month and year."""
    now, step = grouping.parts(panel.arranged.layout.group)
    steps = grouping.steps(field)
    below = tuple(
        Action(
            f"group.{path}.{way}",
            tr(_STEPS[way]),
            partial(panel.arrange, group=f"{path}@{way}"),
            checked=now == path and (step or grouping.MONTH) == way,
        )
        for way in steps
    )
    on = now == path
    return Action(
        f"group.{path}", text, partial(panel.arrange, group="" if on else path), group=group,
        checked=None if below else on, menu=below,
    )  # fmt: skip


def _groups(panel: ListPanel) -> list[Action]:
    """Group by any field: the shown columns at hand, the others below them."""
    actor, entity = panel.actor, panel.entity
    shown = [column.path for column in panel.model.columns]
    rest = [c.path for c in list_columns.offered(actor, entity) if c.path not in shown]
    ways = [
        [
            _group_action(panel, path, found.label, found.field)
            for path in paths
            if (found := list_columns.make(entity, path)) is not None
            and grouping.is_groupable(found.field)
        ]
        for paths in (shown, rest)
    ]
    more = Action("group.more", tr("Other fields"), _nothing, group="more", menu=tuple(ways[1]))
    below = [*ways[0], *([more] if ways[1] else [])]
    made = [Action("list.group", tr("Group by"), _nothing, group="groups", menu=tuple(below))]
    if panel.arranged.layout.group:
        made += [
            Action("list.ungroup", tr("Do not group"), partial(panel.arrange, group=""),
                   group="groups"),
            Action("list.open_groups", tr("Open all groups"),
                   partial(panel.table.set_all_open, is_open=True),
                   shortcut="Ctrl+Right", group="groups"),
            Action("list.close_groups", tr("Close all groups"),
                   partial(panel.table.set_all_open, is_open=False),
                   shortcut="Ctrl+Left", group="groups"),
        ]  # fmt: skip
    return made


def _freeze(panel: ListPanel, count: int) -> None:
    # Columns that are frozen are chosen: none of them gives way for want of room.
    panel.arrange(frozen=count, columns=list(panel.shown_columns()))


def _hide(panel: ListPanel, path: str) -> None:
    panel.arrange(columns=[shown for shown in panel.shown_columns() if shown != path])


def _total(panel: ListPanel, path: str, summary: Summary | None) -> None:
    chosen = {p: s.value for p, s in panel.arranged.layout.totals.items() if p != path}
    panel.arrange(totals=chosen if summary is None else {**chosen, path: summary.value})


def _show_totals(panel: ListPanel, *, on: bool) -> None:
    """Show the number of records and the sums of the amounts that are shown, or nothing."""
    chosen: dict[str, str] = {}
    for column in panel.model.columns if on else ():
        if column.path == panel.entity.title:
            chosen[column.path] = Summary.COUNT.value
        elif column.field.kind is kinds.MONEY:
            chosen[column.path] = Summary.SUM.value
    if on and not chosen:
        chosen[panel.model.columns[0].path] = Summary.COUNT.value
    panel.arrange(totals=chosen)


def _nothing() -> None:
    """What unfolds does nothing by itself."""


def of_list(panel: ListPanel) -> list[Action]:
    """Menu of the list as a whole."""
    now = panel.arranged.layout.density
    made = [
        Action(
            f"list.{density.value}",
            tr(text),
            partial(panel.arrange, density=density.value),
            group="density",
            checked=density is now,
        )
        for density, text in DENSITIES.items()
    ]
    made += _groups(panel)
    on = bool(panel.arranged.layout.totals)
    made.append(
        Action("list.totals", tr("Totals row"), partial(_show_totals, panel, on=not on),
               group="parts", checked=on)
    )  # fmt: skip
    if panel.may_have_letters:
        on = panel.has_letters
        made.append(
            Action("list.letters", tr("First letters"), partial(panel.show_letters, on=not on),
                   group="parts", checked=on)
        )  # fmt: skip
    made.append(_choose(panel))
    if panel.is_changed or panel.arranged.stands_apart:
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
