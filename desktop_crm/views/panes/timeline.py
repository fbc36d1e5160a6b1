"""The timeline of a record: what happened, when, and why it stands here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from desktop_crm.core.i18n import tr
from desktop_crm.services.link_reasons import sentence
from desktop_crm.views import theme
from desktop_crm.views.icons import ACTIVITY_ICONS, paint_icon

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.services.timeline import TimelineItem

_ITEM: Final = int(Qt.ItemDataRole.UserRole)
_SHORT: Final = 58
_LONG: Final = 78
_Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()


class TimelineModel(QAbstractListModel):
    """The items as read, with the sentence that says why each is here."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats
        self._items: list[TimelineItem] = []

    def show(self, items: list[TimelineItem]) -> None:
        """Show other items."""
        self.beginResetModel()
        self._items = list(items)
        self.endResetModel()

    def add(self, items: list[TimelineItem]) -> None:
        """Append older items."""
        if items:
            first = len(self._items)
            self.beginInsertRows(QModelIndex(), first, first + len(items) - 1)
            self._items.extend(items)
            self.endInsertRows()

    @property
    def last(self) -> TimelineItem | None:
        """The oldest item shown."""
        return self._items[-1] if self._items else None

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._items)

    def why(self, item: TimelineItem) -> str:
        """Why an activity stands on this record: what was found, who decided or how sure it is."""
        return sentence(item.reason, self._formats)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        item = self._items[index.row()]
        if role == _ITEM:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.subject
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Why here? {reason}", reason=self.why(item))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            when = self._formats.datetime(item.at)
            return ", ".join((item.subject, when, item.who, self.why(item)))
        return None


class _Delegate(QStyledItemDelegate):
    """Icon, subject and time, first words, and (when there is room) why."""

    def __init__(self, view: TimelineView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(100, theme.scaled(self._view.row_height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        item: TimelineItem = index.data(_ITEM)
        view = self._view
        area = option.rect
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected) and view.hasFocus()
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, theme.color("sel" if selected else "hover"))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("stroke"))
        top = area.top() + 9
        tint = "text2" if item.state != "open" else "accent_text"
        drawing = ACTIVITY_ICONS.get(item.kind, "note")
        paint_icon(painter, QRect(area.left() + view.margin, top, 20, 20), drawing, tint)
        left = area.left() + view.margin + 32
        right = area.right() - view.margin
        line = theme.scaled(18)
        when = view.formats.relative_day(item.at)
        painter.setFont(theme.font(12))
        width = painter.fontMetrics().horizontalAdvance(when)
        painter.setPen(theme.color("text2"))
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(
            QRect(right - width, top, width, line), vertical | Qt.AlignmentFlag.AlignRight, when
        )
        self._line(painter, QRect(left, top, right - width - 10 - left, line), item.subject, "text")
        below = QRect(left, top + line + 2, right - left, line)
        words = " · ".join(part for part in (item.who, item.preview) if part)
        self._line(painter, below, words, "text2")
        if view.shows_why:
            model = index.model()
            if isinstance(model, TimelineModel):
                below.translate(0, line + 2)
                self._line(painter, below, model.why(item), "text3", small=True)
        painter.restore()

    def _line(
        self, painter: QPainter, area: QRect, text: str, tint: str, *, small: bool = False
    ) -> None:
        strong = tint == "text"
        weight = QFont.Weight.DemiBold if strong else QFont.Weight.Normal
        painter.setFont(theme.font(12 if small else 13, weight))
        painter.setPen(theme.color(tint))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)


class TimelineView(QListView):
    """A painted list of activities; Enter or a double click opens one.

    Attributes:
        opened: Key of the activity to open.
        end_reached: The oldest shown item came into sight.
    """

    opened = Signal(object)
    end_reached = Signal()

    def __init__(self, name: str, formats: Formats, *, shows_why: bool, margin: int = 20) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Activities"))
        self.formats = formats
        self.shows_why = shows_why
        self.margin = margin
        self.row_height = _LONG if shows_why else _SHORT
        self.items = TimelineModel(formats)
        self.setModel(self.items)
        self.setItemDelegate(_Delegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.doubleClicked.connect(self._open)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    def show_items(self, items: list[TimelineItem], *, fit: bool = False) -> None:
        """Show items; ``fit`` makes the list as high as they are."""
        self.items.show(items)
        if fit:
            self.setFixedHeight(theme.scaled(self.row_height) * len(items) + 2)

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        item = index.data(_ITEM)
        if item is not None:
            self.opened.emit(item.activity_id)

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        if value >= self.verticalScrollBar().maximum() - 40:
            self.end_reached.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)
