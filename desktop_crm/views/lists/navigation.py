"""The tree at the left of a pane: groups of views, one of them selected, with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QPainter,
    QPen,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon

_KEY: Final = int(Qt.ItemDataRole.UserRole)
_ICON: Final = _KEY + 1
_COUNT: Final = _KEY + 2
_CHANGED: Final = _KEY + 3
_DOT: Final = 6
_TEXT: Final = 38
_FLAGS: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_EDITABLE: Final = Qt.ItemFlag.ItemIsEditable
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
        renames: Whether F2 lets the person type another name.
    """

    key: str
    text: str
    icon: str = "folder"
    renames: bool = False


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
        changed = bool(index.data(_CHANGED))
        room = int(area.width()) - _TEXT - 10 - (width + 8 if count else 0)
        room -= _DOT + 6 if changed else 0
        shown = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(area.adjusted(_TEXT, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)
        if changed:
            left = area.left() + _TEXT + painter.fontMetrics().horizontalAdvance(shown) + 6
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line"))
            painter.drawEllipse(QRectF(left, area.center().y() - _DOT / 2, _DOT, _DOT))

    # --- another name ----------------------------------------------------------------------

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setObjectName("nav.rename")
        editor.setAccessibleName(tr("Name of the view"))
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        area: QRect = option.rect
        editor.setGeometry(area.adjusted(_TEXT - 10, 0, -4, 0))

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data()))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        view = self.parent()
        if isinstance(editor, QLineEdit) and isinstance(view, NavTree):
            text = editor.text().strip()
            if text and text != str(index.data()):
                view.renamed.emit(str(index.data(_KEY)), text)


class NavTree(QTreeView):
    """Groups of entries; exactly one entry is selected.

    Attributes:
        chosen: The person selected an entry; carries its key.
        menu_wanted: Context menu of an entry, by mouse or key: its key and a global position.
        renamed: The person typed another name for an entry: its key and the name.
        delete_wanted: The person pressed Delete on an entry; carries its key.
    """

    chosen = Signal(str)
    menu_wanted = Signal(str, object)
    renamed = Signal(str, str)
    delete_wanted = Signal(str)

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
        self._items = QStandardItemModel(self)
        self._by_key: dict[str, QStandardItem] = {}
        self._renames: frozenset[str] = frozenset()
        self._quiet = False
        self.setModel(self._items)
        theme.changed.connect(self.doItemsLayout)

    def show_groups(self, groups: Sequence[NavGroup]) -> None:
        """Show entries; the selected key stays selected when it is still there."""
        before = self.key()
        counts = {key: item.data(_COUNT) for key, item in self._by_key.items()}
        changed = {key for key, item in self._by_key.items() if item.data(_CHANGED)}
        self._renames = frozenset(e.key for group in groups for e in group.items if e.renames)
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
                item.setData(entry.key in changed, _CHANGED)
                item.setToolTip(entry.text)
                item.setFlags(_FLAGS | (_EDITABLE if entry.renames else Qt.ItemFlag(0)))
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
                self._describe(item)

    def show_changed(self, key: str) -> None:
        """Put a dot beside the entry whose list stands otherwise than it says; empty: none."""
        for one, item in self._by_key.items():
            if bool(item.data(_CHANGED)) != (one == key):
                item.setData(one == key, _CHANGED)
                self._describe(item)

    @staticmethod
    def _describe(item: QStandardItem) -> None:
        words = [item.text(), str(item.data(_COUNT) or "")]
        if item.data(_CHANGED):
            words.append(tr("changed"))
        said = ", ".join(word for word in words if word)
        item.setData(said, Qt.ItemDataRole.AccessibleTextRole)

    def rename(self, key: str, name: str = "") -> None:
        """Let the person type another name in place, beginning with one typed before."""
        if key in self._renames and (item := self._by_key.get(key)) is not None:
            self.edit(item.index())
            lines = self.findChildren(QLineEdit, "nav.rename")
            if name and lines:
                lines[-1].setText(name)  # the one before may still be about to go

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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        key = index.data(_KEY)
        if key:
            below = self.visualRect(index).bottomLeft()
            place = self.viewport().mapToGlobal(below) if by_key else event.globalPos()
            self.menu_wanted.emit(str(key), place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.key() and event.key() == Qt.Key.Key_F2:
            self.rename(self.key())
        elif self.key() and event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit(self.key())
        else:
            super().keyPressEvent(event)
