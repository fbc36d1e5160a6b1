"""The tree at the left of a pane: groups of views, one of them selected, with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon

_KEY: Final = int(Qt.ItemDataRole.UserRole)
_ICON: Final = _KEY + 1
_COUNT: Final = _KEY + 2
_Index = QModelIndex | QPersistentModelIndex
ROW: Final = 30
GROUP: Final = 34


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry.

    Attributes:
        key: Stable name.
        text: Shown text, translated.
        icon: Name of a drawing.
    """

    key: str
    text: str
    icon: str = "folder"


@dataclass(frozen=True, slots=True)
class NavGroup:
    """A caption and its entries."""

    title: str
    items: tuple[NavItem, ...]


class _Delegate(QStyledItemDelegate):
    """Group captions, and entries with icon, text and count in one rounded row."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(10, theme.scaled(ROW if index.data(_KEY) else GROUP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(0, 1, 0, -1)
        if index.data(_KEY):
            self._paint_entry(painter, option, index, area)
        else:
            painter.setFont(theme.font(12, QFont.Weight.DemiBold))
            painter.setPen(theme.color("text2"))
            painter.drawText(
                area.adjusted(8, 8, -8, 0), Qt.AlignmentFlag.AlignVCenter, str(index.data())
            )
        painter.restore()

    def _paint_entry(
        self, painter: QPainter, option: QStyleOptionViewItem, index: _Index, area: QRectF
    ) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = selected and bool(option.state & QStyle.StateFlag.State_HasFocus)
        if selected or hovered:
            painter.setPen(QPen(theme.color("focus"), 1) if focused else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("sel" if selected else "press"))
            painter.drawRoundedRect(area.adjusted(0.5, 0, -0.5, 0), 4, 4)
        glyph = QRect(int(area.left()) + 10, int(area.center().y()) - 9, 18, 18)
        tint = "accent_text" if selected else "text2"
        paint_icon(painter, glyph, str(index.data(_ICON)), tint, filled=selected)
        count = str(index.data(_COUNT) or "")
        painter.setFont(theme.font(12, tabular=True))
        width = painter.fontMetrics().horizontalAdvance(count)
        painter.setPen(theme.color("accent_text" if selected else "text2"))
        painter.drawText(
            area.adjusted(0, 0, -10, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            count,
        )
        weight = QFont.Weight.DemiBold if selected else QFont.Weight.Normal
        painter.setFont(theme.font(13, weight))
        painter.setPen(theme.color("text"))
        room = int(area.width()) - 38 - 10 - (width + 8 if count else 0)
        shown = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(area.adjusted(38, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)


class NavTree(QTreeView):
    """Groups of entries; exactly one entry is selected.

    Attributes:
        chosen: The person selected an entry; carries its key.
        menu_wanted: Context menu of an entry: key and global position.
    """

    chosen = Signal(str)
    menu_wanted = Signal(str, object)

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self._items = QStandardItemModel(self)
        self._by_key: dict[str, QStandardItem] = {}
        self._quiet = False
        self.setModel(self._items)
        theme.changed.connect(self.doItemsLayout)

    def show_groups(self, groups: Sequence[NavGroup]) -> None:
        """Show entries; the selected key stays selected when it is still there."""
        before = self.key()
        counts = {key: item.data(_COUNT) for key, item in self._by_key.items()}
        self._quiet = True
        self._items.clear()
        self._by_key.clear()
        for group in groups:
            head = QStandardItem(group.title)
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self._items.appendRow(head)
            for entry in group.items:
                item = QStandardItem(entry.text)
                item.setData(entry.key, _KEY)
                item.setData(entry.icon, _ICON)
                item.setData(counts.get(entry.key, ""), _COUNT)
                item.setToolTip(entry.text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                self._items.appendRow(item)
                self._by_key[entry.key] = item
        self._quiet = False
        if before in self._by_key:
            self.select(before)

    def show_counts(self, counts: Mapping[str, str]) -> None:
        """Show numbers beside entries, by key."""
        for key, text in counts.items():
            if (item := self._by_key.get(key)) is not None:
                item.setData(text, _COUNT)
                item.setData(f"{item.text()}, {text}", Qt.ItemDataRole.AccessibleTextRole)

    def key(self) -> str:
        """Key of the selected entry; empty when none is."""
        return str(self.currentIndex().data(_KEY) or "")

    def entry_keys(self) -> list[str]:
        """Keys of all entries in order."""
        return list(self._by_key)

    def select(self, key: str) -> bool:
        """Select an entry without telling; False when there is none of this key."""
        item = self._by_key.get(key)
        if item is None:
            return False
        self._quiet = True
        self.selectionModel().setCurrentIndex(
            item.index(), QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        self._quiet = False
        return True

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        super().currentChanged(current, previous)
        key = current.data(_KEY)
        if key and not self._quiet:
            self.chosen.emit(str(key))

    @Slot(QPoint)
    def _menu(self, position: QPoint) -> None:
        key = self.indexAt(position).data(_KEY)
        if key:
            self.menu_wanted.emit(str(key), self.viewport().mapToGlobal(position))
