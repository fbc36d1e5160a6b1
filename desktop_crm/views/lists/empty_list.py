"""What a list says when it has nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.views.new_texts import new_record

if TYPE_CHECKING:
    from desktop_crm.views.lists.list_panel import ListPanel


def say_empty(panel: ListPanel) -> None:
    """Say why nothing is shown, and offer what helps."""
    plural = tr(panel.entity.plural)
    if panel.search.text().strip():
        panel.empty.say(
            tr("Nothing found"),
            tr("No record of this view contains “{text}”.", text=panel.search.text().strip()),
            tr("Clear the filter"),
            panel.search.clear,
            drawing="search",
        )
    elif panel.condition is not None:
        panel.empty.say(
            tr("Nothing found"),
            tr("No record of this view meets the filter."),
            tr("Clear the filter"),
            lambda: panel.filter_by(None),
            drawing="filter",
        )
    elif panel.letters.letter:
        panel.empty.say(
            tr("Nothing found"),
            tr("No title of this view begins like that."),
            tr("Show all"),
            panel.show_all_letters,
            drawing="search",
        )
    elif panel.hangs_on_record:
        # What adds one stands beside the title of the list.
        panel.empty.say(tr("{records}: none yet", records=plural), "", drawing=panel.entity.icon)
    elif panel.view is not None and panel.view.filter is not None:
        panel.empty.say(
            tr("Nothing in this view"),
            tr("No record meets the conditions of “{view}”.", view=panel.view.title),
            drawing=panel.entity.icon,
        )
    else:
        may = panel.actor.can(panel.entity.key, "create")
        panel.empty.say(
            tr("{records}: none yet", records=plural),
            tr("Make the first record here, or bring in a list by Import."),
            new_record(panel.entity) if may else "",
            panel.new_wanted.emit,
            drawing=panel.entity.icon,
        )
