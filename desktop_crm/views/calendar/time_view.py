"""One day, the work week or any run of days: captions and whole-day strip above the hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import ntr
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import theme
from desktop_crm.views.calendar import event_paint, gesture, layout, words
from desktop_crm.views.calendar.gesture import Slots
from desktop_crm.views.calendar.page import CalendarPage
from desktop_crm.views.calendar.time_grid import TimeGrid
from desktop_crm.views.widgets.avatar import draw_avatar

CAPTION = 52
BAR = 24
MOST_ROWS = 4
SCROLL_BAR = 12
GRIP = 7


class DayStrip(QWidget):
    """Captions of the days and the bars over them; the keyboard belongs to the grid below."""

    create_requested = Signal(object, object, bool)
    open_requested = Signal(object)
    change_requested = Signal(object, object, object, bool)
    day_requested = Signal(object)

    def __init__(self, grid: TimeGrid, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarDayStrip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._grid = grid
        self._today = date.min
        self._strips: list[layout.Strip] = []
        self._press: tuple[AgendaEvent | None, int] | None = None
        self._pulls_end = False
        self._shift = 0
        self.setMouseTracking(True)

    def refresh(self, today: date) -> None:
        """Lay the bars out again after days or events changed."""
        grid = self._grid
        self._today = today
        if grid.lanes:
            self._strips = [
                strip._replace(first=index, last=index)
                for index, day in enumerate(grid.days)
                for strip in layout.strips(grid.events_in(index), [day], grid.formats.zone)
            ]
        else:
            self._strips = layout.strips(grid.events, grid.days, grid.formats.zone)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        rows = min(MOST_ROWS, max((strip.row for strip in self._strips), default=-1) + 1)
        return QSize(400, theme.scaled(CAPTION) + max(1, rows) * theme.scaled(BAR) + 8)

    def _column(self, day: int) -> QRectF:
        left = self._grid.gutter()
        width = (self.width() - SCROLL_BAR - left) / len(self._grid.days)
        return QRectF(left + width * day, 0, width, self.height())

    def _rect(self, strip: layout.Strip) -> QRectF:
        dragged = self._press[0] if self._press is not None else None
        shift = self._shift if dragged is not None and dragged.key == strip.event.key else 0
        begin = strip.first + (0 if self._pulls_end else shift)
        first = self._column(begin)
        last = self._column(max(begin, strip.last + shift))
        bar = theme.scaled(BAR)
        top = theme.scaled(CAPTION) + strip.row * bar + 3
        return QRectF(first.left() + 2, top, last.right() - first.left() - 10, bar - 3)

    def _day_at(self, point: QPointF) -> int:
        column = self._column(0)
        index = int((point.x() - column.left()) // column.width())
        return min(max(index, 0), len(self._grid.days) - 1)

    def _event_at(self, point: QPointF) -> AgendaEvent | None:
        found = self._strip_at(point)
        return None if found is None else found.event

    def _strip_at(self, point: QPointF) -> layout.Strip | None:
        shown = (one for one in self._strips if one.row < MOST_ROWS)
        return next((one for one in shown if self._rect(one).contains(point)), None)

    def _at_end(self, point: QPointF) -> bool:
        """Whether a point lies on the end of an event's last day."""
        strip = self._strip_at(point)
        on_page = strip is not None and strip.ends and not self._grid.lanes
        return strip is not None and on_page and point.x() > self._rect(strip).right() - GRIP

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        for index, day in enumerate(self._grid.days):
            if self._grid.lanes:
                self._paint_person(painter, self._column(index), self._grid.lanes[index].name)
            else:
                self._paint_caption(painter, self._column(index), day)
        self._paint_cursor(painter)
        for strip in self._strips:
            if strip.row < MOST_ROWS:
                self._paint_strip(painter, strip)
        self._paint_hidden(painter)
        self._paint_zones(painter)
        painter.setPen(QPen(theme.color("stroke2"), 1))
        bottom = self.height() - 0.5
        painter.drawLine(QPointF(0, bottom), QPointF(self.width(), bottom))

    def _paint_caption(self, painter: QPainter, column: QRectF, day: date) -> None:
        painter.setPen(QPen(theme.color("stroke"), 1))
        x = round(column.left()) + 0.5
        painter.drawLine(QPointF(x, theme.scaled(CAPTION) - 4), QPointF(x, self.height()))
        today = day == self._today
        if today:
            painter.fillRect(
                QRectF(column.left() + 1, 0, column.width() - 1, 3), theme.color("line")
            )
        painter.setPen(theme.color("accent_text" if today else "text"))
        painter.setFont(theme.font(20, QFont.Weight.DemiBold, tabular=True))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        number = QRectF(column.left() + 9, 8, 40, theme.scaled(CAPTION) - 16)
        painter.drawText(number, left, str(day.day))
        name = self._grid.formats.weekday(day, short=column.width() < theme.scaled(150))
        painter.setFont(theme.font(12, QFont.Weight.DemiBold if today else QFont.Weight.Normal))
        painter.setPen(theme.color("accent_text" if today else "text2"))
        width = painter.fontMetrics().horizontalAdvance
        big = 32 if day.day > 9 else 20
        rest = QRectF(number.left() + theme.scaled(big), 9, column.width(), number.height())
        if number.left() + theme.scaled(big) + width(name) < column.right():
            painter.drawText(rest, left, name)

    def _paint_person(self, painter: QPainter, column: QRectF, name: str) -> None:
        painter.setPen(QPen(theme.color("stroke"), 1))
        x = round(column.left()) + 0.5
        painter.drawLine(QPointF(x, theme.scaled(CAPTION) - 4), QPointF(x, self.height()))
        size = theme.scaled(26)
        face = QRectF(column.left() + 9, (theme.scaled(CAPTION) - size) / 2, size, size)
        draw_avatar(painter, face, name)
        font = theme.font(13, QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        room = QRectF(
            face.right() + 8, 0, column.right() - face.right() - 12, theme.scaled(CAPTION)
        )
        shown = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_zones(self, painter: QPainter) -> None:
        """Above the hours of two zones their names, as short as they are said."""
        second = self._grid.second_zone
        if second is None:
            return
        painter.setFont(theme.font(11))
        painter.setPen(theme.color("text2"))
        width = self._grid.gutter() / 2
        noon = layout.instant(gesture.at(self._grid.days[0], 12 * 60), self._grid.formats.zone)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for index, zone in enumerate((second, self._grid.formats.zone)):
            box = QRectF(width * index, theme.scaled(CAPTION) - 22, width - 6, 18)
            painter.drawText(box, right, noon.astimezone(zone).tzname() or zone.key)

    def _paint_cursor(self, painter: QPainter) -> None:
        grid = self._grid
        if not (grid.slots.all_day and grid.hasFocus() and grid.chosen is None):
            return
        first, last = self._column(grid.slots.day), self._column(grid.slots.day)
        if self._press is not None and self._press[0] is None:
            ends = sorted((self._press[1], self._press[1] + self._shift))
            first, last = self._column(ends[0]), self._column(ends[1])
        top = theme.scaled(CAPTION) + 2
        width = last.right() - first.left() - 4
        box = QRectF(first.left() + 2, top, width, self.height() - top - 3)
        painter.setPen(QPen(theme.color("focus"), 1.5))
        painter.setBrush(theme.color("sel"))
        painter.drawRoundedRect(box, 4, 4)

    def _paint_strip(self, painter: QPainter, strip: layout.Strip) -> None:
        chosen = self._grid.chosen
        selected = chosen is not None and chosen.key == strip.event.key
        rect = self._rect(strip)
        event_paint.paint_bar(painter, rect, strip.event, self._grid.formats, selected=selected)

    def _paint_hidden(self, painter: QPainter) -> None:
        hidden = sum(1 for strip in self._strips if strip.row >= MOST_ROWS)
        if hidden:
            painter.setFont(theme.font(11))
            painter.setPen(theme.color("accent_text"))
            box = QRectF(4, theme.scaled(CAPTION), self._grid.gutter() - 10, self.height())
            text = ntr("+{n} more", "+{n} more", hidden)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        found = self._event_at(event.position())
        self._shift = 0
        self._pulls_end = self._at_end(event.position())
        self._press = (found, self._day_at(event.position()))
        self._grid.choose(found)
        if found is None:
            day = self._day_at(event.position())
            self._grid.set_slots(Slots(day, gesture.ALL_DAY, gesture.ALL_DAY))
        self._grid.setFocus(Qt.FocusReason.MouseFocusReason)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            found = self._event_at(event.position())
            pulls = found is not None and found.movable and self._at_end(event.position())
            self.setCursor(Qt.CursorShape.SizeHorCursor if pulls else Qt.CursorShape.ArrowCursor)
        elif self._press[0] is None or self._press[0].movable:
            days = self._grid.days
            self._shift = (days[self._day_at(event.position())] - days[self._press[1]]).days
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        shift, self._shift = self._shift, 0
        self.update()
        if press is None:
            return
        dragged, first = press
        if dragged is None:
            if shift:
                days = sorted((self._grid.days[first], self._grid.days[first + shift]))
                self.create_requested.emit(*gesture.whole_day(*days), True)
        elif not dragged.movable:
            if self._day_at(event.position()) != first:
                self._grid.move_refused.emit(dragged)
        elif shift:
            change = gesture.until_day if self._pulls_end else gesture.moved
            start, end = change(dragged, self._grid.formats.zone, days=shift)
            if (start, end) != (dragged.start, dragged.end):
                self.change_requested.emit(dragged, start, end, dragged.all_day)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._press = None
        found = self._event_at(event.position())
        day = self._grid.days[self._day_at(event.position())]
        if found is not None:
            self.open_requested.emit(found)
        elif event.position().y() < theme.scaled(CAPTION):
            self.day_requested.emit(day)
        else:
            self.create_requested.emit(*gesture.whole_day(day), True)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = self._event_at(QPointF(event.pos()))
            text = words.description(found, self._grid.formats) if found else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)


class TimeView(CalendarPage):
    """Days side by side with their hours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarTimeView")
        self.grid = TimeGrid()
        self.strip = DayStrip(self.grid)
        self._area = QScrollArea()
        self._area.setObjectName("calendarScroll")
        self._area.setWidget(self.grid)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self._area, 1)
        self.setFocusProxy(self.grid)
        self._today = date.min
        self._placed = False
        for part in (self.grid, self.strip):
            part.create_requested.connect(self.create_requested)
            part.open_requested.connect(self.open_requested)
            part.change_requested.connect(self.change_requested)
        self.grid.delete_requested.connect(self.delete_requested)
        self.grid.move_refused.connect(self.move_refused)
        self.grid.page_requested.connect(self.page_requested)
        self.grid.list_requested.connect(self.list_requested)
        self.grid.selected.connect(self._on_selected)
        self.grid.cursor_moved.connect(self._keep_in_view)
        self.strip.day_requested.connect(self.day_requested)

    def show_days(self, days: Sequence[date], formats: Formats, now: datetime) -> None:
        self.show_lanes(days, formats, now, ())

    def show_lanes(
        self,
        days: Sequence[date],
        formats: Formats,
        now: datetime,
        lanes: Sequence[layout.Lane],
    ) -> None:
        """Show days of several people side by side: each day is the column of its lane."""
        self._today = now.astimezone(formats.zone).date()
        self.grid.show_days(days, formats, now, lanes)
        self.strip.refresh(self._today)

    def set_second_zone(self, zone: ZoneInfo | None) -> None:
        """Show the hours of another zone beside one's own, or no longer."""
        self.grid.second_zone = zone
        self.grid.resizeEvent(None)
        self.grid.update()
        self.strip.update()

    def show_events(self, events: Sequence[AgendaEvent]) -> None:
        self.grid.show_events(events)
        self.strip.refresh(self._today)

    def selected_event(self) -> AgendaEvent | None:
        return self.grid.chosen

    def go_to(self, day: date) -> None:
        if day in self.grid.days:
            slots = self.grid.slots
            self.grid.slots = Slots(self.grid.days.index(day), slots.anchor, slots.head)
            self.grid.update()

    def showEvent(self, event: object) -> None:
        if not self._placed:
            self._placed = True
            self.scroll_to(7 * 60 + 30)

    def scroll_to(self, minute: int) -> None:
        """Put a minute of the day at the top."""
        self._area.verticalScrollBar().setValue(int(self.grid.y_of(minute)))

    def _on_selected(self, event: object) -> None:
        self.strip.update()
        if isinstance(event, AgendaEvent) and not layout.covers_days(event):
            rect = self.grid.rect_of(event)
            if rect.isValid():
                self._area.ensureVisible(
                    round(rect.center().x()), round(rect.top()), 0, theme.scaled(40)
                )
        self.selected.emit(event)

    def _keep_in_view(self, minute: int) -> None:
        x = round(self.grid.column(self.grid.slots.day).center().x())
        self._area.ensureVisible(x, round(self.grid.y_of(minute)), 0, theme.scaled(60))
        self.strip.update()
