"""A year at a glance: twelve small months, each day as full as it is busy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import theme
from desktop_crm.views.calendar import event_paint, layout
from desktop_crm.views.calendar.page import CalendarPage
from desktop_crm.views.calendar.time_keys import ARROWS

COLUMNS = 4
MARGIN = 14
NAME = 26
FULL_DAY = 8 * 60
"""Minutes that fill a day."""

_STRONGEST = 0.55


class YearView(CalendarPage):
    """A year. Arrows move the cursor, Enter goes to its day."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarYear")
        self.setAccessibleName(tr("Calendar year"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.formats = Formats()
        self.cursor_day = clock.today()
        self._full = layout.Fullness({}, {})
        self._today = date.min
        theme.changed.connect(self.update)

    # --- content -------------------------------------------------------------------------

    def show_days(self, days: Sequence[date], formats: Formats, now: datetime) -> None:
        self.formats = formats
        self._today = now.astimezone(formats.zone).date()
        if self.cursor_day.year != days[0].year:
            self.cursor_day = days[0]
        self.show_events([])

    def show_events(self, events: Sequence[AgendaEvent]) -> None:
        self.show_fullness(layout.fullness(events, self.formats.zone))

    def show_fullness(self, full: layout.Fullness) -> None:
        """Show how full the days are, as it was counted elsewhere."""
        self._full = full
        self._describe()
        self.update()

    def selected_event(self) -> AgendaEvent | None:
        return None

    def go_to(self, day: date) -> None:
        self.cursor_day = day
        self._describe()
        self.update()

    def description(self, day: date) -> str:
        """A day in words: how many events and how many hours of them."""
        count = ntr("{n} event", "{n} events", self._full.counts.get(day, 0))
        hours = self._full.minutes.get(day, 0) / 60
        text = tr("{hours} h busy", hours=f"{hours:.1f}".rstrip("0").rstrip("."))
        return f"{self.formats.weekday(day)} {self.formats.date(day)}: {count}, {text}"

    def _describe(self) -> None:
        self.setAccessibleDescription(self.description(self.cursor_day))

    # --- geometry ------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(700, 480)

    def _month_rect(self, month: int) -> QRectF:
        width = (self.width() - MARGIN) / COLUMNS
        height = (self.height() - MARGIN) / (12 // COLUMNS)
        row, column = divmod(month - 1, COLUMNS)
        box = QRectF(MARGIN + width * column, MARGIN + height * row, width, height)
        return box.adjusted(0, 0, -MARGIN, -MARGIN)

    def cell_of(self, day: date) -> QRectF:
        """Rectangle of a day."""
        box = self._month_rect(day.month)
        top = box.top() + theme.scaled(NAME)
        height = (box.bottom() - top) / 7
        first = layout.monday(day.replace(day=1))
        row, column = divmod((day - first).days, 7)
        width = box.width() / 7
        return QRectF(box.left() + width * column, top + height * (row + 1), width, height)

    def day_at(self, point: QPointF) -> date | None:
        """The day under a point."""
        day = date(self.cursor_day.year, 1, 1)
        while day.year == self.cursor_day.year:
            if self.cell_of(day).contains(point):
                return day
            day += timedelta(days=1)
        return None

    # --- painting ------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        for month in range(1, 13):
            self._paint_month(painter, date(self.cursor_day.year, month, 1))

    def _paint_month(self, painter: QPainter, first: date) -> None:
        box = self._month_rect(first.month)
        name = self.formats.month(first).rsplit(" ", 1)[0]
        painter.setFont(theme.font(13, QFont.Weight.DemiBold))
        current = (first.year, first.month) == (self._today.year, self._today.month)
        painter.setPen(theme.color("accent_text" if current else "text"))
        head = QRectF(box.left() + 4, box.top(), box.width(), theme.scaled(NAME))
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(head, left, name[:1].upper() + name[1:])
        painter.setFont(theme.font(11))
        painter.setPen(theme.color("text3"))
        monday = layout.monday(first)
        height = self.cell_of(first).height()
        for number in range(7):
            width = box.width() / 7
            place = QRectF(
                box.left() + width * number, box.top() + theme.scaled(NAME), width, height
            )
            name = self.formats.weekday(monday + timedelta(days=number), short=True)[:2]
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)
        day = first
        while day.month == first.month:
            self._paint_day(painter, day)
            day += timedelta(days=1)

    def _paint_day(self, painter: QPainter, day: date) -> None:
        cell = self.cell_of(day).adjusted(1, 1, -1, -1)
        share = min(1.0, self._full.minutes.get(day, 0) / FULL_DAY)
        painter.setPen(Qt.PenStyle.NoPen)
        if share and theme.current() == "contrast":
            painter.setBrush(theme.color("line"))
            width = cell.width() * share
            painter.drawRect(QRectF(cell.left(), cell.bottom() - 3, width, 3))
        elif share:
            tone, surface = theme.color("series_1"), theme.color("surface")
            painter.setBrush(event_paint.blend(tone, surface, 0.1 + (_STRONGEST - 0.1) * share))
            painter.drawRoundedRect(cell, 3, 3)
        elif self._full.counts.get(day):
            painter.setBrush(theme.color("surface2"))
            painter.drawRoundedRect(cell, 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if day == self._today:
            painter.setPen(QPen(theme.color("line"), 2))
            painter.drawRoundedRect(cell.adjusted(1, 1, -1, -1), 3, 3)
        if day == self.cursor_day and self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1.5))
            painter.drawRoundedRect(cell.adjusted(-1, -1, 1, 1), 4, 4)
        weight = QFont.Weight.DemiBold if day == self._today else QFont.Weight.Normal
        painter.setFont(theme.font(11, weight, tabular=True))
        quiet = day.weekday() >= 5 and not share
        painter.setPen(theme.color("text3" if quiet else "text"))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(day.day))

    # --- mouse and keyboard --------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position())
        if day is not None:
            self.go_to(day)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position())
        if day is not None:
            self.day_requested.emit(day)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in ARROWS:
            step = ARROWS[key]
            target = self.cursor_day + timedelta(days=step[0] + 7 * step[1])
            if target.year != self.cursor_day.year:
                self.page_requested.emit(1 if target > self.cursor_day else -1)
            self.go_to(target)
        elif key in {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}:
            self.page_requested.emit(1 if key == Qt.Key.Key_PageDown else -1)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.day_requested.emit(self.cursor_day)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            day = self.day_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.description(day) if day else "", self)
            return True
        return super().event(event)
