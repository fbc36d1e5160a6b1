"""Chooses the columns of a list and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QDialog, QListView, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views.lists.columns import ListColumn
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column, frame, row

_PATH: Final = int(Qt.ItemDataRole.UserRole)


class ColumnsDialog(QDialog):
    """Check boxes in the order of the list; dragging or the buttons change the order."""

    def __init__(
        self,
        parent: QWidget | None,
        offered: Sequence[ListColumn],
        shown: Sequence[str],
        defaults: Sequence[str],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("columns")
        self.setWindowTitle(tr("Columns"))
        self.setAccessibleName(tr("Columns"))
        self.resize(440, 560)
        self._defaults = tuple(defaults)
        self._labels = {column.path: column.label for column in offered}
        self._items = QStandardItemModel(self)
        self._list = QListView()
        self._list.setObjectName("columns.list")
        self._list.setAccessibleName(tr("Columns"))
        self._list.setModel(self._items)
        self._list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self._list.setDefaultDropAction(Qt.DropAction.MoveAction)
        self._list.setProperty("checks", True)
        up = push_button("columns.up", tr("Up"), lambda: self._move(-1), drawing="chevron_up")
        down = push_button(
            "columns.down", tr("Down"), lambda: self._move(1), drawing="chevron_down"
        )
        reset = push_button("columns.reset", tr("Default columns"), self._reset, kind="flat")
        cancel = push_button("columns.cancel", tr("Cancel"), self.reject)
        use = push_button("columns.use", tr("Use"), self._use, kind="primary")
        use.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(
            column(
                label(tr("Columns"), "h1"),
                label(tr("Check what the list shows; drag to change the order."), "dim", wrap=True),
                spacing=6,
                margins=(24, 20, 24, 8),
            )
        )
        layout.addWidget(row(self._list, margins=(18, 0, 18, 0)), 1)
        layout.addWidget(row(up, down, None, reset, spacing=8, margins=(24, 8, 24, 12)))
        layout.addWidget(
            frame("dialogfoot", row(None, cancel, use, spacing=8, margins=(24, 12, 24, 12)))
        )
        self._fill(tuple(shown))

    def _fill(self, shown: tuple[str, ...]) -> None:
        self._items.clear()
        rest = [path for path in self._labels if path not in shown]
        for path in (*(p for p in shown if p in self._labels), *rest):
            item = QStandardItem(self._labels[path])
            item.setData(path, _PATH)
            item.setCheckable(True)
            item.setEditable(False)
            item.setDropEnabled(False)
            checked = Qt.CheckState.Checked if path in shown else Qt.CheckState.Unchecked
            item.setCheckState(checked)
            self._items.appendRow(item)
        self._list.setCurrentIndex(self._items.index(0, 0))

    def _reset(self) -> None:
        self._fill(self._defaults)

    def _move(self, step: int) -> None:
        here = self._list.currentIndex().row()
        there = here + step
        if here < 0 or not 0 <= there < self._items.rowCount():
            return
        self._items.insertRow(there, self._items.takeRow(here))
        self._list.setCurrentIndex(self._items.index(there, 0))

    def _use(self) -> None:
        if self.chosen():
            self.accept()

    def chosen(self) -> tuple[str, ...]:
        """Checked paths in order."""
        items = (self._items.item(place) for place in range(self._items.rowCount()))
        return tuple(
            str(item.data(_PATH)) for item in items if item.checkState() == Qt.CheckState.Checked
        )
