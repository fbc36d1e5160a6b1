"""Six weeks at a glance: bars over days, hours as lines, week numbers at the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import theme
from desktop_crm.views.calendar import event_paint, gesture, layout, words
from desktop_crm.views.calendar.page import CalendarPage
from desktop_crm.views.calendar.time_keys import ARROWS

WEEK_COLUMN = 34
CAPTION = 30
NUMBER = 26
BAR = 21
GRIP = 7


@dataclass(slots=True)
class _Press:
    """A pressed mouse: the event it drags, where it began, and whether it pulls the end."""

    event: AgendaEvent | None
    index: int
    pulls_end: bool


class MonthView(CalendarPage):
    """A month. Enter creates at nine o'clock on the day of the cursor.

    Shift with arrows, or the mouse, marks several days; what is created then covers them whole.
    Alt with arrows moves the selected event by days and weeks, Alt+Shift moves its last day, as
    the mouse does with the bar and its right end.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarMonth")
        self.setAccessibleName(tr("Calendar month"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.days: list[date] = layout.month_days(clock.today())
        self.formats = Formats()
        self.events: list[AgendaEvent] = []
        self.chosen: AgendaEvent | None = None
        self.cursor_day = clock.today()
        self._anchor = self.cursor_day
        self._today = date.min
        self._weeks: list[list[layout.Strip]] = []
        self._shown: list[list[layout.Strip]] = []
        self._hidden = [0] * len(self.days)
        self._press: _Press | None = None
        self._ghost: AgendaEvent | None = None
        self.setMouseTracking(True)
        self._leaving = False
        theme.changed.connect(self._fit)

    # --- content -------------------------------------------------------------------------

    def show_days(self, days: Sequence[date], formats: Formats, now: datetime) -> None:
        self.days = list(days)
        self.formats = formats
        self._today = now.astimezone(formats.zone).date()
        if self.cursor_day not in self.days:
            self.cursor_day = self.month
        self._anchor = self.cursor_day
        self.show_events([])

    @property
    def month(self) -> date:
        """First day of the month shown."""
        return self.days[10].replace(day=1)

    def show_events(self, events: Sequence[AgendaEvent]) -> None:
        self.events = layout.chronological(events)
        if self.chosen is not None:
            keys = {event.key: event for event in self.events}
            by_id = {event.id: event for event in self.events if not event.series}
            self.choose(keys.get(self.chosen.key) or by_id.get(self.chosen.id))
        self._lay_out()

    def _lay_out(self) -> None:
        """Place the bars; what is dragged lies where it would come to lie."""
        shown = self.events
        if self._ghost is not None and self._press is not None and self._press.event is not None:
            dragged = self._press.event.key
            shown = [self._ghost if one.key == dragged else one for one in shown]
        self._weeks = layout.weeks(shown, self.days, self.formats.zone)
        self._fit()

    def _fit(self) -> None:
        """Find out which bars there is room for, and how many are hidden in each cell."""
        rows = self._rows()
        self._shown = []
        self._hidden = [0] * len(self.days)
        for week, strips in enumerate(self._weeks):
            used = [0] * 7
            for one in strips:
                for index in range(one.first, one.last + 1):
                    used[index] = max(used[index], one.row + 1)
            # Where some are hidden there is one row less, to make room to say so.
            room = [rows - 1 if count > rows else rows for count in used]
            shown = []
            for one in strips:
                if one.row < min(room[one.first : one.last + 1]):
                    shown.append(one)
                    continue
                for index in range(one.first, one.last + 1):
                    self._hidden[week * 7 + index] += 1
            self._shown.append(shown)
        self.update()

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def selected_event(self) -> AgendaEvent | None:
        return self.chosen

    def choose(self, event: AgendaEvent | None) -> None:
        """Select an event, or none."""
        self.chosen = event
        if event is not None:
            day = layout.day_span(event, self.formats.zone)[0]
            if day in self.days:
                self.cursor_day = self._anchor = day
        self._describe()
        self.selected.emit(event)
        self.update()

    def go_to(self, day: date) -> None:
        self._anchor = day
        self._stretch_to(day)

    def _stretch_to(self, day: date) -> None:
        self.cursor_day = day
        self._describe()
        self.update()

    def marked_days(self) -> tuple[date, date]:
        """First and last of the days that are marked; usually both are that of the cursor."""
        return min(self._anchor, self.cursor_day), max(self._anchor, self.cursor_day)

    def _describe(self) -> None:
        if self.chosen is not None:
            self.setAccessibleDescription(words.description(self.chosen, self.formats))
            return
        first, last = self.marked_days()
        if first != last:
            days = f"{self.formats.date(first)} – {self.formats.date(last)}"
            self.setAccessibleDescription(days)
            return
        day = f"{self.formats.weekday(self.cursor_day)} {self.formats.date(self.cursor_day)}"
        count = sum(
            1
            for event in self.events
            if layout.day_span(event, self.formats.zone)[0] == self.cursor_day
        )
        self.setAccessibleDescription(f"{day}: {ntr('{n} event', '{n} events', count)}")

    # --- geometry ------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(600, 480)

    def _cell(self, index: int) -> QRectF:
        left, top = theme.scaled(WEEK_COLUMN), theme.scaled(CAPTION)
        width = (self.width() - left) / 7
        height = (self.height() - top) / (len(self.days) // 7)
        return QRectF(left + width * (index % 7), top + height * (index // 7), width, height)

    def _rows(self) -> int:
        """How many bars fit into a cell, the line for hidden ones included."""
        room = self._cell(0).height() - theme.scaled(NUMBER) - 2
        return max(1, int(room // theme.scaled(BAR)))

    def _strip_rect(self, week: int, strip: layout.Strip) -> QRectF:
        first, last = self._cell(week * 7 + strip.first), self._cell(week * 7 + strip.last)
        bar = theme.scaled(BAR)
        top = first.top() + theme.scaled(NUMBER) + strip.row * bar
        return QRectF(first.left() + 3, top, last.right() - first.left() - 7, bar - 2)

    def _index_at(self, point: QPointF) -> int:
        cell = self._cell(0)
        column = int((point.x() - cell.left()) // cell.width())
        row = int((point.y() - cell.top()) // cell.height())
        rows = len(self.days) // 7
        return min(max(row, 0), rows - 1) * 7 + min(max(column, 0), 6)

    def rect_of(self, event: AgendaEvent) -> QRectF:
        """Rectangle of an event's first bar, empty when it is hidden."""
        for week, strips in enumerate(self._shown):
            for strip in strips:
                if strip.event.key == event.key:
                    return self._strip_rect(week, strip)
        return QRectF()

    def _event_at(self, point: QPointF) -> AgendaEvent | None:
        return self._hit(point)[0]

    def _hit(self, point: QPointF) -> tuple[AgendaEvent | None, bool]:
        """The event under a point, and whether the point lies on the end of its last day."""
        for week, strips in enumerate(self._shown):
            for strip in strips:
                rect = self._strip_rect(week, strip)
                if rect.contains(point):
                    return strip.event, strip.ends and point.x() > rect.right() - GRIP
        return None, False

    def _more_rect(self, index: int) -> QRectF:
        cell = self._cell(index)
        bar = theme.scaled(BAR)
        top = cell.top() + theme.scaled(NUMBER) + (self._rows() - 1) * bar
        return QRectF(cell.left() + 6, top, cell.width() - 12, bar - 2)

    # --- painting ------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        self._paint_captions(painter)
        for index, day in enumerate(self.days):
            self._paint_cell(painter, index, day)
        for week, strips in enumerate(self._shown):
            self._paint_week_number(painter, week)
            for strip in strips:
                self._paint_strip(painter, week, strip)
        for index, hidden in enumerate(self._hidden):
            if hidden:
                painter.setFont(theme.font(11, QFont.Weight.Medium))
                painter.setPen(theme.color("accent_text"))
                text = ntr("+{n} more", "+{n} more", hidden)
                painter.drawText(self._more_rect(index), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_captions(self, painter: QPainter) -> None:
        painter.setFont(theme.font(12, QFont.Weight.DemiBold))
        painter.setPen(theme.color("text2"))
        for index in range(7):
            cell = self._cell(index)
            box = QRectF(cell.left() + 8, 0, cell.width() - 8, theme.scaled(CAPTION))
            name = self.formats.weekday(self.days[index], short=cell.width() < theme.scaled(110))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)

    def _paint_cell(self, painter: QPainter, index: int, day: date) -> None:
        cell = self._cell(index)
        outside = day.month != self.month.month
        if outside:
            painter.fillRect(cell, theme.color("surface2"))
        first, last = self.marked_days()
        cursor = first <= day <= last and self.hasFocus() and self.chosen is None
        if cursor:
            painter.fillRect(cell, theme.color("sel"))
        painter.setPen(QPen(theme.color("stroke"), 1))
        x, y = round(cell.left()) + 0.5, round(cell.top()) + 0.5
        painter.drawLine(QPointF(x, y), QPointF(cell.right(), y))
        painter.drawLine(QPointF(x, y), QPointF(x, cell.bottom()))
        if day == self._today:
            painter.fillRect(QRectF(cell.left() + 1, y, cell.width() - 1, 3), theme.color("line"))
        if cursor:
            painter.setPen(QPen(theme.color("focus"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(cell.adjusted(1.5, 1.5, -1, -1))
        today = day == self._today
        weight = QFont.Weight.DemiBold if today or day.day == 1 else QFont.Weight.Normal
        painter.setFont(theme.font(12, weight, tabular=True))
        tone = "accent_text" if today else "text3" if outside else "text"
        painter.setPen(theme.color(tone))
        text = self.formats.date(day)[1:6].strip(" .") if day.day == 1 else str(day.day)
        box = QRectF(cell.left() + 8, cell.top() + 3, cell.width() - 12, theme.scaled(NUMBER) - 4)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_week_number(self, painter: QPainter, week: int) -> None:
        cell = self._cell(week * 7)
        painter.setFont(theme.font(11, tabular=True))
        painter.setPen(theme.color("text3"))
        box = QRectF(0, cell.top() + 3, theme.scaled(WEEK_COLUMN) - 8, theme.scaled(NUMBER) - 4)
        number = str(self.days[week * 7].isocalendar().week)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)

    def _paint_strip(self, painter: QPainter, week: int, strip: layout.Strip) -> None:
        selected = self.chosen is not None and self.chosen.key == strip.event.key
        timed = not layout.covers_days(strip.event) and strip.first == strip.last
        event_paint.paint_bar(
            painter,
            self._strip_rect(week, strip),
            strip.event,
            self.formats,
            selected=selected,
            timed=timed,
            ghost=strip.event is self._ghost,
        )

    # --- mouse ---------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position()
        found, at_end = self._hit(point)
        index = self._index_at(point)
        if found is None and self._hidden[index] and self._more_rect(index).contains(point):
            self.day_requested.emit(self.days[index])
            return
        self._press = _Press(found, index, at_end)
        self.choose(found)
        self.go_to(self.days[index])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        press = self._press
        if press is None:
            found, at_end = self._hit(event.position())
            pulls = found is not None and at_end and found.movable
            self.setCursor(Qt.CursorShape.SizeHorCursor if pulls else Qt.CursorShape.ArrowCursor)
            return
        index = self._index_at(event.position())
        days = index - press.index
        if press.event is None:
            self._stretch_to(self.days[index])
            return
        ghost = None
        if days and press.event.movable:
            start, end = self._changed(press.event, days, pulls_end=press.pulls_end)
            ghost = press.event._replace(start=start, end=end)
        if ghost != self._ghost:
            self._ghost = ghost
            self._lay_out()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        self._ghost = None
        self._lay_out()
        days = self._index_at(event.position()) - press.index if press is not None else 0
        if press is None or not days:
            return
        if press.event is None:
            self.create_here()
        else:
            self._change(press.event, days, pulls_end=press.pulls_end)

    def cancel_drag(self) -> bool:
        """Drop what the mouse is dragging; whether there was anything."""
        if self._press is None:
            return False
        if self._press.event is None:
            self.go_to(self.cursor_day)
        self._press = self._ghost = None
        self._lay_out()
        return True

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.cancel_drag()
        found = self._event_at(event.position())
        if found is not None:
            self.open_requested.emit(found)
        else:
            self.go_to(self.days[self._index_at(event.position())])
            self.create_here()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = self._event_at(QPointF(event.pos()))
            text = words.description(found, self.formats) if found else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    # --- keyboard ------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        self._leaving = key == Qt.Key.Key_Escape
        if key in ARROWS:
            step = ARROWS[key]
            days = step[0] + 7 * step[1]
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                if self.chosen is not None:
                    self._change(self.chosen, days, pulls_end=shift)
            elif shift and self.chosen is None:
                target = self.cursor_day + timedelta(days=days)
                if target in self.days:
                    self._stretch_to(target)
            else:
                self._step(days)
        elif not self._other_key(key):
            super().keyPressEvent(event)

    def _other_key(self, key: int) -> bool:
        if key in {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}:
            self.page_requested.emit(1 if key == Qt.Key.Key_PageDown else -1)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if self.chosen is not None:
                self.open_requested.emit(self.chosen)
            else:
                self.create_here()
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace} and self.chosen is not None:
            self.delete_requested.emit(self.chosen)
        elif key == Qt.Key.Key_Escape and self.cancel_drag():
            return True
        elif key == Qt.Key.Key_Escape and self.chosen is not None:
            self.choose(None)
        else:
            return False
        return True

    def _step(self, days: int) -> None:
        target = self.cursor_day + timedelta(days=days)
        if self.chosen is not None:
            self.choose(None)
        self.go_to(target)
        if target not in self.days:
            self.page_requested.emit(1 if days > 0 else -1)

    def _changed(
        self, event: AgendaEvent, days: int, *, pulls_end: bool
    ) -> tuple[datetime, datetime]:
        if pulls_end:
            return gesture.until_day(event, self.formats.zone, days)
        return gesture.moved(event, self.formats.zone, days=days)

    def _change(self, event: AgendaEvent, days: int, *, pulls_end: bool) -> None:
        if not event.movable:
            self.move_refused.emit(event)
            return
        start, end = self._changed(event, days, pulls_end=pulls_end)
        if (start, end) != (event.start, event.end):
            self.change_requested.emit(event, start, end, event.all_day)

    def create_here(self) -> None:
        """Ask for a new event on the day of the cursor, or over the days that are marked."""
        first, last = self.marked_days()
        if first != last:
            self.create_requested.emit(*gesture.whole_day(first, last), True)
            return
        start = layout.instant(gesture.at(self.cursor_day, 9 * 60), self.formats.zone)
        self.create_requested.emit(start, start + timedelta(minutes=30), False)

    def focusNextPrevChild(self, forward: bool) -> bool:
        shown = self.events
        keys = [event.key for event in shown]
        if not shown or self._leaving:
            return super().focusNextPrevChild(forward)
        if self.chosen is None or self.chosen.key not in keys:
            self.choose(shown[0 if forward else -1])
            return True
        index = keys.index(self.chosen.key) + (1 if forward else -1)
        if 0 <= index < len(shown):
            self.choose(shown[index])
            return True
        self.choose(None)
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: object) -> None:
        self._leaving = False
        self._describe()
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()
