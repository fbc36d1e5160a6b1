"""The filter builder as a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.filters.filter_edit import FilterEdit
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.services.filters import Node
    from desktop_crm.views.workbench import Workbench


class FilterDialog(Dialog):
    """Builds a filter for records of one entity.

    Attributes:
        chosen: The person applied the filter; carries its tree, None for no conditions.
        edit: The builder.
    """

    chosen = Signal(object)

    def __init__(
        self,
        bench: Workbench,
        entity_key: str,
        node: Node | None = None,
        *,
        within: Node | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            bench: The tools of the pane.
            entity_key: Whose records are filtered.
            node: The filter to begin with.
            within: Conditions that hold besides, such as those of the view, for the count.
            parent: Window it belongs to; None takes the main window.
        """
        plural = tr(registry.get(entity_key).plural)
        super().__init__(
            parent or bench.shell.window_widget(),
            "filter",
            tr("Filter {records}", records=plural.lower()),
            width=820,
        )
        self.edit = FilterEdit(bench, entity_key, node, within=within)
        self.body.addWidget(self.edit, 1)
        self.apply = push_button("filter.apply", tr("Apply"), self._apply, kind="primary")
        self.apply.setDefault(True)
        clear = push_button("filter.clear", tr("Clear"), self.edit.clear, kind="flat")
        self.set_foot(clear, None, self.cancel_button(), self.apply)
        self.resize(theme.scaled(860), theme.scaled(660))
        self.edit.begin()

    def _apply(self) -> None:
        if self.edit.check():
            self.chosen.emit(self.edit.node())
            self.accept()
