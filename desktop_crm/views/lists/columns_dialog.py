"""Chooses the columns of a list: its own fields and those of linked records, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QListView,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.core.text import fold
from desktop_crm.views.lists import columns as list_columns
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column, frame, row
from desktop_crm.views.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity
    from desktop_crm.services.context import Actor
    from desktop_crm.views.lists.columns import ListColumn

DEEPEST: Final = 2
"""So many links may lead to a column."""
_FOUND: Final = 200
_PATH: Final = int(Qt.ItemDataRole.UserRole)


class ColumnsDialog(QDialog):
    """Fields at the left, checked where they are shown; the shown ones at the right in order."""

    def __init__(
        self,
        parent: QWidget | None,
        actor: Actor,
        entity: Entity,
        shown: Sequence[str],
        frozen: int = 0,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("columns")
        self.setWindowTitle(tr("Columns"))
        self.setAccessibleName(tr("Columns"))
        self.resize(760, 600)
        self._actor = actor
        self._entity = entity
        self._all: list[ListColumn] | None = None
        self._quiet = False
        self.search = SearchBox("columns.search", tr("Find a field"))
        self._offered = QStandardItemModel(self)
        self.tree = QTreeView()
        self._prepare(self.tree, "columns.fields", tr("Fields"), self._offered)
        self.tree.setHeaderHidden(True)
        self.tree.setProperty("roomy", True)
        self._shown = QStandardItemModel(self)
        self.shown = QListView()
        self._prepare(self.shown, "columns.shown", tr("Shown columns"), self._shown)
        self.shown.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.shown.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.shown.installEventFilter(self)
        self.frozen = QComboBox()
        self.frozen.setObjectName("columns.frozen")
        self.frozen.setAccessibleName(tr("Frozen columns"))
        self.frozen.addItem(tr("Every column scrolls"))
        for count in range(1, list_columns.MOST_FROZEN + 1):
            self.frozen.addItem(ntr("{n} column stays", "{n} columns stay", count))
        self.frozen.setCurrentIndex(min(max(frozen, 0), list_columns.MOST_FROZEN))
        self._build()
        self._show(shown)
        self._browse()
        self.search.searched.connect(self._search)
        self._offered.itemChanged.connect(self._toggled)
        self._shown.rowsInserted.connect(lambda *_: self._mark())
        self._shown.rowsRemoved.connect(lambda *_: self._mark())
        self.search.setFocus()

    def _prepare(
        self, view: QAbstractItemView, name: str, text: str, model: QStandardItemModel
    ) -> None:
        view.setObjectName(name)
        view.setAccessibleName(text)
        view.setModel(model)
        view.setProperty("checks", True)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)

    def _build(self) -> None:
        up = tool_button("columns.up", tr("Up"), "chevron_up", lambda: self.move_by(-1))
        down = tool_button("columns.down", tr("Down"), "chevron_down", lambda: self.move_by(1))
        away = tool_button("columns.remove", tr("Do not show"), "dismiss", self.remove)
        reset = push_button("columns.reset", tr("Default columns"), self.reset, kind="flat")
        cancel = push_button("columns.cancel", tr("Cancel"), self.reject)
        use = push_button("columns.use", tr("Use"), self._use, kind="primary")
        use.setDefault(True)
        left = column(label(tr("Fields"), "h3"), self.search, self.tree, spacing=6)
        right = column(
            row(label(tr("Shown columns"), "h3"), None, up, down, away, spacing=0),
            self.shown,
            row(label(tr("Frozen at the left"), "dim"), self.frozen, None, spacing=8),
            spacing=6,
        )
        head = column(
            label(tr("Columns"), "h1"),
            label(
                tr(
                    "Check what the list shows, also of linked records. Drag, or Alt with the "
                    "arrow keys, changes the order."
                ),
                "dim",
                wrap=True,
            ),
            spacing=6,
            margins=(24, 20, 24, 8),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(row(left, right, spacing=16, margins=(24, 4, 24, 16)), 1)
        layout.addWidget(
            frame("dialogfoot", row(reset, None, cancel, use, spacing=8, margins=(24, 12, 24, 12)))
        )
        self.tree.expanded.connect(self._expanded)

    # --- fields ----------------------------------------------------------------------------

    def _browse(self) -> None:
        """Offer the list's own fields; those that link unfold."""
        self._quiet = True
        self._offered.clear()
        self._fill(self._offered.invisibleRootItem(), "")
        self._quiet = False
        self.tree.setCurrentIndex(self._offered.index(0, 0))

    def _fill(self, parent: QStandardItem, link: str) -> None:
        shown = set(self.chosen())
        for offered in list_columns.offered(self._actor, self._entity, link):
            item = self._field_item(offered.path, tr(offered.field.label), shown)
            parent.appendRow(item)
            deep = offered.path.count(".") < DEEPEST
            if deep and list_columns.behind(self._actor, self._entity, offered.path) is not None:
                item.appendRow(QStandardItem())  # made when it is unfolded

    def _field_item(self, path: str, text: str, shown: set[str]) -> QStandardItem:
        item = QStandardItem(text)
        item.setData(path, _PATH)
        item.setCheckable(True)
        item.setCheckState(Qt.CheckState.Checked if path in shown else Qt.CheckState.Unchecked)
        return item

    @Slot(QModelIndex)
    def _expanded(self, index: QModelIndex) -> None:
        item = self._offered.itemFromIndex(index)
        if item.rowCount() == 1 and item.child(0).data(_PATH) is None:
            self._quiet = True
            item.removeRow(0)
            self._fill(item, str(item.data(_PATH)))
            self._quiet = False

    @Slot(str)
    def _search(self, text: str) -> None:
        """Offer the fields, also of linked records, whose names contain every word."""
        words = fold(text).split()
        if not words:
            self._browse()
            return
        if self._all is None:
            self._all = list(self._every(""))
        found = [c for c in self._all if all(word in fold(c.label) for word in words)]
        shown = set(self.chosen())
        self._quiet = True
        self._offered.clear()
        for offered in found[:_FOUND]:
            self._offered.appendRow(self._field_item(offered.path, offered.label, shown))
        self._quiet = False
        self.tree.setCurrentIndex(self._offered.index(0, 0))

    def _every(self, link: str, depth: int = 0) -> Iterator[ListColumn]:
        """Columns by nearness: the list's own first, then those over one link, then over two."""
        here = list_columns.offered(self._actor, self._entity, link)
        yield from here
        if depth < DEEPEST:
            for offered in here:
                yield from self._every(offered.path, depth + 1) if offered.field.target else ()

    @Slot(QStandardItem)
    def _toggled(self, item: QStandardItem) -> None:
        if self._quiet:
            return
        path = str(item.data(_PATH))
        if item.checkState() == Qt.CheckState.Checked:
            self._append(path)
        else:
            self._drop(path)

    def _mark(self) -> None:
        """Check exactly the fields that are shown."""
        if self._quiet:
            return
        shown = set(self.chosen())
        self._quiet = True
        waiting = [self._offered.invisibleRootItem()]
        while waiting:
            parent = waiting.pop()
            for place in range(parent.rowCount()):
                item = parent.child(place)
                path = item.data(_PATH)
                if path is not None:
                    on = path in shown
                    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
                    waiting.append(item)
        self._quiet = False

    # --- shown columns ---------------------------------------------------------------------

    def _show(self, paths: Sequence[str]) -> None:
        self._quiet = True
        self._shown.clear()
        for path in paths:
            self._append(path)
        self._quiet = False
        self.shown.setCurrentIndex(self._shown.index(0, 0))

    def _append(self, path: str) -> None:
        found = list_columns.make(self._entity, path)
        if found is None or path in self.chosen():
            return
        item = QStandardItem(found.label)
        item.setData(path, _PATH)
        item.setDropEnabled(False)
        self._shown.appendRow(item)
        self.shown.setCurrentIndex(item.index())

    def _drop(self, path: str) -> None:
        places = [n for n, shown in enumerate(self.chosen()) if shown == path]
        for place in reversed(places):
            self._shown.removeRow(place)

    def move_by(self, step: int) -> None:
        """Move the current shown column up (-1) or down (1)."""
        here = self.shown.currentIndex().row()
        there = here + step
        if here < 0 or not 0 <= there < self._shown.rowCount():
            return
        self._quiet = True
        self._shown.insertRow(there, self._shown.takeRow(here))
        self._quiet = False
        self.shown.setCurrentIndex(self._shown.index(there, 0))

    def remove(self) -> None:
        """Show the current column no more."""
        here = self.shown.currentIndex().row()
        if here >= 0:
            self._shown.removeRow(here)

    def reset(self) -> None:
        """Show the list's own columns, none of them frozen."""
        self._show(self._entity.columns)
        self.frozen.setCurrentIndex(0)
        self._mark()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.shown and isinstance(event, QKeyEvent) and self._moves(event):
            return True
        return super().eventFilter(watched, event)

    def _moves(self, event: QKeyEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress:
            return False
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.move_by(step)
            return True
        if event.key() == Qt.Key.Key_Delete:
            self.remove()
            return True
        return False

    def _use(self) -> None:
        if self.chosen():
            self.accept()

    def chosen(self) -> tuple[str, ...]:
        """Shown paths in order."""
        items = (self._shown.item(place) for place in range(self._shown.rowCount()))
        return tuple(str(item.data(_PATH)) for item in items)

    def frozen_count(self) -> int:
        """So many columns stay at the left."""
        return self.frozen.currentIndex()
