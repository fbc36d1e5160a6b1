"""A list whose order a person changes: by dragging, or with Alt and the arrow keys."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QFont, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views import icons, theme
from desktop_crm.views.widgets.buttons import tool_button

_ENTRY: Final = Qt.ItemDataRole.UserRole
_HIGH: Final = 46
_LOW: Final = 32
_PAD: Final = 10
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        key: What it is to its owner.
        title: First line.
        detail: Second line; a list without any has low rows.
        note: Pill at the right end.
        tone: Colour of the pill.
        icon: Drawing at the left.
        dim: Painted as what is no longer offered.
    """

    key: Hashable
    title: str
    detail: str = ""
    note: str = ""
    tone: str = "neutral"
    icon: str = ""
    dim: bool = False


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry = index.data(_ENTRY)
        return QSize(120, theme.scaled(_HIGH if entry is not None and entry.detail else _LOW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry = index.data(_ENTRY)
        view = self.parent()
        focused = isinstance(view, OrderedList) and view.hasFocus()
        rect = QRectF(option.rect).adjusted(2, 1, -2, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            painter.setPen(
                QPen(theme.color("focus"), 1) if selected and focused else Qt.PenStyle.NoPen
            )
            token = "hover" if not selected else "sel" if focused else "sel_inactive"
            painter.setBrush(theme.color(token))
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        _paint(painter, rect.adjusted(_PAD, 0, -_PAD, 0), entry)
        painter.restore()


def _paint(painter: QPainter, rect: QRectF, entry: Entry) -> None:
    left, right = rect.left(), rect.right()
    if entry.icon:
        size = theme.scaled(18)
        box = QRectF(left, rect.center().y() - size / 2, size, size)
        icons.paint_icon(painter, box.toRect(), entry.icon, "text2")
        left = box.right() + 9
    if entry.note:
        font = theme.font(12, QFont.Weight.Medium)
        width = QFontMetricsF(font).horizontalAdvance(entry.note) + 16
        pill = QRectF(right - width, rect.center().y() - 10, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(f"{entry.tone}_bg"))
        painter.drawRoundedRect(pill, 10, 10)
        painter.setFont(font)
        painter.setPen(theme.color(entry.tone))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, entry.note)
        right = pill.left() - 8
    lines = [(entry.title, theme.font(13), "text3" if entry.dim else "text")]
    if entry.detail:
        lines.append((entry.detail, theme.font(12), "text3"))
    height = rect.height() / len(lines) - (4 if entry.detail else 0)
    for place, (text, font, token) in enumerate(lines):
        box = QRectF(left, rect.top() + (4 if entry.detail else 0) + place * height,
                     right - left, height)  # fmt: skip
        painter.setFont(font)
        painter.setPen(theme.color(token))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class OrderedList(QListWidget):
    """Entries in an order; the current one is what buttons beside the list act on.

    Attributes:
        current_changed: Another entry is current; carries its key or None.
        reordered: The person changed the order; carries the keys in their new order.
        opened: Return or a double click; carries the key.
    """

    current_changed = Signal(object)
    reordered = Signal(object)
    opened = Signal(object)

    def __init__(self, name: str, accessible_name: str, *, movable: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._movable = movable
        if movable:
            self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
            self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.currentItemChanged.connect(lambda *_: self.current_changed.emit(self.current_key()))
        self.itemDoubleClicked.connect(lambda _item: self.opened.emit(self.current_key()))
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; the current one stays current when it is still there."""
        kept, row = self.current_key(), self.currentRow()
        self.blockSignals(True)
        self.clear()
        for entry in entries:
            item = QListWidgetItem(entry.title)
            item.setData(_ENTRY, entry)
            parts = (entry.title, entry.detail, entry.note)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(p for p in parts if p))
            item.setToolTip(entry.title if not entry.detail else f"{entry.title}\n{entry.detail}")
            self.addItem(item)
        keys = [entry.key for entry in entries]
        if kept in keys:
            row = keys.index(kept)
        self.setCurrentRow(max(0, min(row, len(keys) - 1)))
        self.blockSignals(False)
        self.current_changed.emit(self.current_key())

    def keys(self) -> list[Hashable]:
        """Keys in their order."""
        return [self._entry(row).key for row in range(self.count())]

    def current_key(self) -> Hashable | None:
        """Key of the current entry, None when there is none."""
        row = self.currentRow()
        return self._entry(row).key if row >= 0 else None

    def choose(self, key: Hashable) -> None:
        """Make an entry current."""
        if key in (keys := self.keys()):
            self.setCurrentRow(keys.index(key))

    def move_current(self, step: int) -> None:
        """Move the current entry up or down."""
        row = self.currentRow()
        if row < 0 or not 0 <= row + step < self.count() or not self._movable:
            return
        item = self.takeItem(row)
        self.insertItem(row + step, item)
        self.setCurrentRow(row + step)
        self.reordered.emit(self.keys())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if alt and event.key() in steps:
            self.move_current(steps[Qt.Key(event.key())])
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.opened.emit(self.current_key())
            return
        super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        before = self.keys()
        super().dropEvent(event)
        if self.keys() != before:
            self.reordered.emit(self.keys())

    def _entry(self, row: int) -> Entry:
        entry: Entry = self.item(row).data(_ENTRY)
        return entry


def move_buttons(shown: OrderedList, name: str) -> tuple[QToolButton, QToolButton]:
    """Buttons that move the current entry of a list up and down.

    Args:
        shown: The list.
        name: Beginning of their object names.
    """
    up = tool_button(
        f"{name}.up", tr("Move up"), "chevron_up", lambda: shown.move_current(-1),
        tip=tr("Move up (Alt+Up)"),
    )  # fmt: skip
    down = tool_button(
        f"{name}.down", tr("Move down"), "chevron_down", lambda: shown.move_current(1),
        tip=tr("Move down (Alt+Down)"),
    )  # fmt: skip
    return up, down
