"""The accounts above and below an account as a tree, with what is open in each and below it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.services import hierarchy
from desktop_crm.views import theme
from desktop_crm.views.icons import icon
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.hierarchy import Node, Sums
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench

_KEY: Final = int(Qt.ItemDataRole.UserRole)
_WAITS: Final = _KEY + 1


def sums_text(sums: Sums, formats: Formats) -> str:
    """Amounts, one line for each currency; empty when nothing is open."""
    return "\n".join(f"{formats.number(amount, 0)} {code}".strip() for code, amount in sums)


def _said(sums: str) -> str:
    """The same sums as one sentence's part, for those who listen."""
    return sums.replace("\n", " + ") or "0"


class HierarchyTree(QTreeView):
    """The tree; arrows move and unfold, Enter opens an account."""

    def __init__(self, name: str, page: HierarchyPage) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Hierarchy"))
        self._page = page
        self.setProperty("roomy", True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAllColumnsShowFocus(True)
        self.setIndentation(theme.scaled(16))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._page.open(self.currentIndex())
        else:
            super().keyPressEvent(event)


class HierarchyPage(QWidget):
    """The tab "Hierarchy" of an account: parents unfolded, children read when first unfolded.

    Attributes:
        tree: Accounts with their open opportunities, alone and with all below.
    """

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName(f"hierarchy.{entity_key}")
        self.setAccessibleName(tr("Hierarchy"))
        self._bench = bench
        self._shown: int | None = None
        self.model = QStandardItemModel(self)
        self.tree = HierarchyTree(f"hierarchy.{entity_key}.tree", self)
        self.tree.setModel(self.model)
        self.tree.expanded.connect(self._unfold)
        self.tree.doubleClicked.connect(self.open)
        self._hint = label(
            tr("Open opportunities of each account, and with all accounts below it."), "cap",
            wrap=True,
        )  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(6)
        column.addWidget(self.tree, 1)
        column.addWidget(self._hint)

    def show_record(self, record: RecordValues) -> None:
        """Load and show the tree around an account."""
        if record.id is None:
            return
        if record.id != self._shown:
            self.model.clear()
        self._shown = record.id
        self._bench.tasks.read(
            hierarchy.above, self._bench.actor, record.id,
            done=self._take_above, owner=self, lane="above", cancellable=True,
        )  # fmt: skip

    def concerns(self, changes: ChangeSet) -> bool:
        """Whether accounts or their opportunities changed."""
        return changes.touches("account", "opportunity")

    def _take_above(self, way: list[Node]) -> None:
        self.model.clear()
        self.model.setHorizontalHeaderLabels([tr("Account"), tr("Open"), tr("In all")])
        for column in (1, 2):
            item = self.model.horizontalHeaderItem(column)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            # Part of a number is another number: the name gives way.
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        above = self.model.invisibleRootItem()
        for node in way:
            cells = self._cells(node, is_here=node.id == self._shown)
            above.appendRow(cells)
            if node.id != self._shown:
                # A parent on the way shows the way alone; unfolding it anew reads its children.
                cells[0].setData(node.id != self._shown, _WAITS)
            above = cells[0]
        self._unfold_way()

    def _unfold_way(self) -> None:
        item = self.model.item(0, 0)
        while item is not None:
            index = item.index()
            if item.data(_KEY) == self._shown:
                self.tree.setCurrentIndex(index)
                self._read(index)
                self.tree.expand(index)
                return
            self._read(index)
            self.tree.expand(index)
            item = item.child(0, 0)

    def _cells(self, node: Node, *, is_here: bool) -> list[QStandardItem]:
        formats = self._bench.formats
        name = QStandardItem(node.title or "–")
        name.setIcon(icon("building", "accent_text" if is_here else "text2", fill_on=False))
        name.setData(node.id, _KEY)
        name.setToolTip(", ".join(part for part in (node.title, node.city) if part))
        if is_here:
            face = name.font()
            face.setBold(True)
            name.setFont(face)
        if node.has_children:
            name.setData(True, _WAITS)
            name.appendRow(QStandardItem(tr("Loading…")))
        cells = [name]
        for sums in (node.own, node.all):
            text = sums_text(sums, formats)
            cell = QStandardItem(text)
            cell.setToolTip(text)
            cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            cells.append(cell)
        words = tr(
            "{account}, open {own}, with all below {all}",
            account=node.title, own=_said(cells[1].text()), all=_said(cells[2].text()),
        )  # fmt: skip
        name.setData(words, Qt.ItemDataRole.AccessibleTextRole)
        return cells

    def _unfold(self, index: QModelIndex) -> None:
        self._read(index)

    def _read(self, index: QModelIndex) -> None:
        """Ask for the children of an account, once."""
        item = self.model.itemFromIndex(index.siblingAtColumn(0))
        if not item.data(_WAITS):
            return
        item.setData(False, _WAITS)
        key = item.data(_KEY)
        self._bench.tasks.read(
            hierarchy.below, self._bench.actor, key,
            done=partial(self._take_below, key), owner=self, lane=f"below {key}", cancellable=True,
        )  # fmt: skip

    def _take_below(self, key: int, nodes: list[Node]) -> None:
        item = self._find(self.model.invisibleRootItem(), key)
        if item is None:
            return
        kept = {
            item.child(n, 0).data(_KEY): n
            for n in range(item.rowCount())
            if item.child(n, 0).data(_KEY) is not None
        }
        way = [item.takeRow(n) for n in sorted(kept.values(), reverse=True)]
        known = {cells[0].data(_KEY): cells for cells in way}
        item.removeRows(0, item.rowCount())
        for node in nodes:
            here = node.id == self._shown
            item.appendRow(known[node.id] if node.id in known else self._cells(node, is_here=here))
        self._open_again(item)

    def _open_again(self, item: QStandardItem) -> None:
        """Unfold the way to the account in hand again; taking rows out folds them up."""
        for n in range(item.rowCount()):
            child = item.child(n, 0)
            if child.data(_KEY) == self._shown:
                self.tree.setCurrentIndex(child.index())
            if self._find(child, self._shown) is not None or child.data(_KEY) == self._shown:
                self.tree.expand(child.index())
                self._open_again(child)

    def _find(self, item: QStandardItem, key: int | None) -> QStandardItem | None:
        for n in range(item.rowCount()):
            child = item.child(n, 0)
            if child.data(_KEY) == key and key is not None:
                return child
            found = self._find(child, key)
            if found is not None:
                return found
        return None

    def open(self, index: QModelIndex) -> None:
        """Open the account of a row."""
        key = index.siblingAtColumn(0).data(_KEY) if index.isValid() else None
        if isinstance(key, int):
            self._bench.shell.open_record("account", key)
