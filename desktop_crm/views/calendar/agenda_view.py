"""The agenda: a list of events, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import tr
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import icons, theme
from desktop_crm.views.calendar import gesture, layout, words
from desktop_crm.views.calendar.page import CalendarPage
from desktop_crm.views.calendar.time_keys import ARROWS

DAY_ROW = 40
EVENT_ROW = 52
HOURS = 128

Index = QModelIndex | QPersistentModelIndex
Row = date | AgendaEvent


class AgendaModel(QAbstractListModel):
    """Days and their events, one below the other."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.formats = Formats()
        self.today = date.min

    def show(self, rows: list[Row]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        row = self.rows[index.row()]
        wanted = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(row, AgendaEvent):
            return words.description(row, self.formats)
        if role not in wanted:
            return None
        if isinstance(row, AgendaEvent):
            return words.description(row, self.formats).replace("\n", ", ")
        return self.day_text(row)

    def day_of(self, row: int) -> date:
        """The day under whose caption a row stands."""
        for one in reversed(self.rows[: row + 1]):
            if not isinstance(one, AgendaEvent):
                return one
        return self.today

    def day_text(self, day: date) -> str:
        """Caption of a day."""
        text = f"{self.formats.weekday(day)}, {self.formats.date(day)}"
        if day == self.today:
            return tr("Today, {day}", day=text)
        if day == self.today + timedelta(days=1):
            return tr("Tomorrow, {day}", day=text)
        return text[:1].upper() + text[1:]

    def flags(self, index: Index) -> Qt.ItemFlag:
        if isinstance(self.rows[index.row()], AgendaEvent):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.ItemIsEnabled


class _AgendaDelegate(QStyledItemDelegate):
    """Draws captions of days and events with a bar in their colour."""

    def __init__(self, model: AgendaModel) -> None:
        super().__init__(model)
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        is_event = isinstance(self._model.rows[index.row()], AgendaEvent)
        return QSize(200, theme.scaled(EVENT_ROW if is_event else DAY_ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._model.rows[index.row()]
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, AgendaEvent):
            day = self._model.day_of(index.row())
            self._paint_event(painter, rect, row, option.state, day)
        else:
            self._paint_day(painter, rect, row)
        painter.restore()

    def _paint_day(self, painter: QPainter, rect: QRectF, day: date) -> None:
        today = day == self._model.today
        painter.setFont(theme.font(13, QFont.Weight.DemiBold))
        painter.setPen(theme.color("accent_text" if today else "text"))
        box = rect.adjusted(16, 8, -16, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._model.day_text(day))
        painter.setPen(QPen(theme.color("line" if today else "stroke"), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def _paint_event(
        self,
        painter: QPainter,
        rect: QRectF,
        event: AgendaEvent,
        state: QStyle.StateFlag,
        day: date,
    ) -> None:
        if state & QStyle.StateFlag.State_Selected:
            active = bool(state & QStyle.StateFlag.State_HasFocus)
            painter.fillRect(rect, theme.color("sel" if active else "sel_inactive"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.color("hover"))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(theme.font(12, tabular=True))
        painter.setPen(theme.color("text2"))
        hours = QRectF(rect.left() + 16, rect.top(), theme.scaled(HOURS) - 16, rect.height())
        painter.drawText(hours, middle, words.hours_on(event, day, self._model.formats))
        tone = theme.color(words.token_of(event))
        bar = QRectF(hours.right(), rect.top() + 8, 4, rect.height() - 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone)
        painter.drawRoundedRect(bar, 2, 2)
        left = bar.right() + 10
        mark = theme.scaled(16) if event.series else 0
        width = rect.right() - left - 16 - mark
        details = words.details(event)
        title_font = theme.font(13, QFont.Weight.DemiBold)
        painter.setFont(title_font)
        painter.setPen(theme.color("text2" if event.closed else "text"))
        half = rect.height() / 2
        box = (
            QRectF(left, rect.top() + 4, width, half - 4)
            if details
            else QRectF(left, rect.top(), width, rect.height())
        )
        elide = Qt.TextElideMode.ElideRight
        title = QFontMetricsF(title_font).elidedText(event.title, elide, width)
        painter.drawText(box, middle, title)
        if details:
            font = theme.font(12)
            painter.setFont(font)
            painter.setPen(theme.color("text2"))
            below = QRectF(left, rect.top() + half, width, half - 6)
            painter.drawText(below, middle, QFontMetricsF(font).elidedText(details, elide, width))
        if mark:
            spot = QRectF(rect.right() - 14 - mark, rect.center().y() - mark / 2, mark, mark)
            icons.paint_icon(painter, spot.toRect(), "arrow_sync", "text2")


class AgendaList(QListView):
    """The list; the keys that change events are those of the other pages."""

    key_wanted = Signal(QKeyEvent)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarAgendaList")
        self.setAccessibleName(tr("Agenda"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model().rowCount():
            return
        painter = QPainter(self.viewport())
        painter.setFont(theme.font(13))
        painter.setPen(theme.color("text2"))
        text = tr("There are no events on these days.")
        painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.key_wanted.emit(event)
        if not event.isAccepted():
            event.accept()
            super().keyPressEvent(event)


class AgendaView(CalendarPage):
    """A list by day: only days with events, and today."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarAgenda")
        self.list = AgendaList()
        self.model = AgendaModel(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_AgendaDelegate(self.model))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        self.setFocusProxy(self.list)
        self.days: list[date] = []
        self._cursor = date.min
        self.list.key_wanted.connect(self._key)
        self.list.doubleClicked.connect(self._open)
        self.list.selectionModel().currentChanged.connect(self._moved)
        theme.changed.connect(self.list.doItemsLayout)

    def show_days(self, days: Sequence[date], formats: Formats, now: datetime) -> None:
        self.days = list(days)
        self.model.formats = formats
        self.model.today = now.astimezone(formats.zone).date()
        self.show_events([])

    def show_events(self, events: Sequence[AgendaEvent]) -> None:
        kept = self.selected_event()
        zone = self.model.formats.zone
        by_day: dict[date, list[AgendaEvent]] = {}
        for event in layout.chronological(events):
            first, last = layout.day_span(event, zone)
            for day in self.days:
                if first <= day <= last:
                    by_day.setdefault(day, []).append(event)
        rows: list[Row] = []
        for day in self.days:
            if day in by_day or day == self.model.today:
                rows.append(day)
                whole = sorted(by_day.get(day, ()), key=lambda one: not layout.covers_days(one))
                rows.extend(whole)
        self.model.show(rows)
        self._choose(kept)

    def _choose(self, kept: AgendaEvent | None) -> None:
        if kept is None:
            return
        events = [(n, one) for n, one in enumerate(self.model.rows) if isinstance(one, AgendaEvent)]
        found = next((n for n, one in events if one.key == kept.key), None)
        if found is None and not kept.series:
            found = next((n for n, one in events if one.id == kept.id), None)
        if found is not None:
            self.list.setCurrentIndex(self.model.index(found))

    def selected_event(self) -> AgendaEvent | None:
        index = self.list.currentIndex()
        if not index.isValid() or index.row() >= len(self.model.rows):
            return None
        row = self.model.rows[index.row()]
        return row if isinstance(row, AgendaEvent) else None

    @property
    def cursor_day(self) -> date:
        """The day one is at."""
        row = self.list.currentIndex().row()
        for one in reversed(self.model.rows[: row + 1]):
            if not isinstance(one, AgendaEvent):
                return one
        return self._cursor if self._cursor in self.days else self.days[0]

    def go_to(self, day: date) -> None:
        self._cursor = day
        if day in self.model.rows:
            place = self.model.index(self.model.rows.index(day))
            self.list.scrollTo(place, QListView.ScrollHint.PositionAtTop)

    def _moved(self, _now: Index, _before: Index) -> None:
        self.selected.emit(self.selected_event())

    def _open(self, _index: Index) -> None:
        event = self.selected_event()
        if event is not None:
            self.open_requested.emit(event)
        else:
            self.day_requested.emit(self.cursor_day)

    def _key(self, event: QKeyEvent) -> None:
        event.ignore()
        key, chosen = event.key(), self.selected_event()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._enter(chosen)
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace} and chosen is not None:
            self.delete_requested.emit(chosen)
        elif key in {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown} and alt:
            self.page_requested.emit(1 if key == Qt.Key.Key_PageDown else -1)
        elif key in {Qt.Key.Key_Left, Qt.Key.Key_Right} and not alt:
            self.page_requested.emit(1 if key == Qt.Key.Key_Right else -1)
        elif key in ARROWS and alt and chosen is not None:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._change(chosen, ARROWS[key], resize=shift)
        else:
            return
        event.accept()

    def _enter(self, chosen: AgendaEvent | None) -> None:
        if chosen is not None:
            self.open_requested.emit(chosen)
            return
        start = layout.instant(gesture.at(self.cursor_day, 9 * 60), self.model.formats.zone)
        self.create_requested.emit(start, start + timedelta(minutes=30), False)

    def _change(self, event: AgendaEvent, step: tuple[int, int], *, resize: bool) -> None:
        if not event.movable:
            self.move_refused.emit(event)
            return
        start, end = gesture.nudged(event, self.model.formats.zone, step, resize=resize)
        if (start, end) != (event.start, event.end):
            self.change_requested.emit(event, start, end, event.all_day)
