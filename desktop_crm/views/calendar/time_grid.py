"""The hours of one or more days: painting, mouse and keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import tr
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import theme
from desktop_crm.views.calendar import event_paint, gesture, hour_lines, layout, words
from desktop_crm.views.calendar.gesture import ALL_DAY, SLOT, Edge, Slots
from desktop_crm.views.calendar.time_keys import TimeKeys

GUTTER = 60
HOUR = 52
EDGE_GRIP = 6
NARROWEST = 26
"""Width below which an event can neither be read nor hit."""

_CLOCK_TICK = 30_000


class Drag(StrEnum):
    """What the mouse is doing."""

    CREATE = "create"
    MOVE = "move"
    START = "start"
    END = "end"


@dataclass(slots=True)
class _Press:
    """A pressed mouse: what it drags, where it began, and whether it moved far enough."""

    drag: Drag
    day: int
    minute: float
    event: AgendaEvent | None = None
    moving: bool = False


class TimeGrid(QWidget):
    """The page of hours. Its owner scrolls it and shows the strip above it.

    Attributes:
        cursor_moved: the minute to keep in view.
        list_requested: a day whose events do not all fit.
    """

    create_requested = Signal(object, object, bool)
    open_requested = Signal(object)
    change_requested = Signal(object, object, object, bool)
    delete_requested = Signal(object)
    move_refused = Signal(object)
    page_requested = Signal(int)
    list_requested = Signal(object)
    selected = Signal(object)
    cursor_moved = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarHours")
        self.setAccessibleName(tr("Calendar hours"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.days: list[date] = [clock.today()]
        self.lanes: list[layout.Lane] = []
        self.second_zone: ZoneInfo | None = None
        self.formats = Formats()
        self.events: list[AgendaEvent] = []
        self.slots = Slots()
        self.chosen: AgendaEvent | None = None
        self._keys = TimeKeys(self)
        self._now = clock.now()
        self._press: _Press | None = None
        self._ghost: AgendaEvent | None = None
        self._placed: list[tuple[QRectF, AgendaEvent]] = []
        self._crowds: list[tuple[QRectF, layout.Crowd, date]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_CLOCK_TICK)
        self._timer.timeout.connect(self._tick)
        theme.changed.connect(self._theme_changed)

    # --- content -------------------------------------------------------------------------

    def show_days(
        self,
        days: Sequence[date],
        formats: Formats,
        now: datetime,
        lanes: Sequence[layout.Lane] = (),
    ) -> None:
        """Show these days, empty until the events come; with lanes a column is one person's."""
        self.days = list(days)
        self.lanes = list(lanes)
        self.formats = formats
        self._now = now
        self.slots = replace(self.slots, day=min(self.slots.day, len(days) - 1))
        self.show_events([])

    def show_events(self, events: Sequence[AgendaEvent]) -> None:
        """Show these events; the selected one stays selected when it is among them."""
        self.events = layout.chronological(events)
        if self.chosen is not None:
            self.choose(self._same(self.chosen))
        self._place()
        self.update()

    def _same(self, event: AgendaEvent) -> AgendaEvent | None:
        exact = next((one for one in self.events if one.key == event.key), None)
        if exact is not None or event.series:
            return exact
        return next((one for one in self.events if one.id == event.id), None)

    def choose(self, event: AgendaEvent | None) -> None:
        """Select an event, or none."""
        self.chosen = event
        self._describe()
        self.selected.emit(event)
        self.update()

    def _describe(self) -> None:
        if self.chosen is not None:
            text = words.description(self.chosen, self.formats)
        else:
            day = self.days[self.slots.day]
            name = f"{self.formats.weekday(day)} {self.formats.date(day)}"
            first, last = _clock_text(self.slots.start), _clock_text(self.slots.end)
            hours = tr("All day") if self.slots.all_day else f"{first}–{last}"
            text = f"{name}, {hours}"
            if self.lanes:
                text = f"{self.lanes[self.slots.day].name}, {text}"
        self.setAccessibleDescription(text)

    def set_slots(self, slots: Slots) -> None:
        """Move the cursor and keep it in view."""
        self.slots = slots
        self._describe()
        self.cursor_moved.emit(max(0, slots.head))
        self.update()

    # --- geometry ------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(400, 24 * theme.scaled(HOUR) + 1)

    def gutter(self) -> int:
        """Width of the hours' captions."""
        return theme.scaled(GUTTER + (hour_lines.OTHER_ZONE if self.second_zone else 0))

    def column(self, day: int) -> QRectF:
        """Rectangle of a day's column."""
        width = (self.width() - self.gutter()) / len(self.days)
        return QRectF(self.gutter() + width * day, 0, width, self.height())

    def y_of(self, minute: float) -> float:
        """Height of a minute of the day."""
        return minute * theme.scaled(HOUR) / 60

    def position(self, point: QPointF) -> tuple[int, float]:
        """Day index and minute under a point, kept inside the page."""
        width = (self.width() - self.gutter()) / len(self.days)
        day = int((point.x() - self.gutter()) // width) if width > 0 else 0
        minute = point.y() * 60 / theme.scaled(HOUR)
        return (
            min(max(day, 0), len(self.days) - 1),
            min(max(minute, 0.0), float(layout.DAY_MINUTES)),
        )

    def rect_of(self, event: AgendaEvent) -> QRectF:
        """Rectangle where an event is drawn, empty when it is not."""
        return next((r for r, one in self._placed if one.key == event.key), QRectF())

    def _crowd_at(self, point: QPointF) -> tuple[layout.Crowd, date] | None:
        found = (one for one in self._crowds if one[0].contains(point))
        return next(((crowd, day) for _rect, crowd, day in found), None)

    def event_at(self, point: QPointF) -> AgendaEvent | None:
        """The event under a point."""
        return next((one for r, one in reversed(self._placed) if r.contains(point)), None)

    def _place(self) -> None:
        self._placed = []
        self._crowds = []
        for index, day in enumerate(self.days):
            column = self.column(index)
            most = max(2, int((column.width() - 10) // theme.scaled(NARROWEST)))
            found = layout.blocks(self.events_in(index), day, self.formats.zone)
            shown, crowds = layout.fitted(found, most)
            for block in shown:
                self._placed.append((self._block_rect(column, block), block.event))
            for crowd in crowds:
                last = layout.Block(crowd.events[0], crowd.top, crowd.bottom, most - 1, most)
                self._crowds.append((self._block_rect(column, last), crowd, day))

    def events_in(self, column: int) -> list[AgendaEvent]:
        """Events of a column: all of them, or those of the person it belongs to."""
        if not self.lanes:
            return self.events
        return [event for event in self.events if self.lanes[column].holds(event)]

    def _block_rect(self, column: QRectF, block: layout.Block) -> QRectF:
        room = column.width() - 10
        width = room / block.columns
        top = self.y_of(block.top) + 1
        return QRectF(
            column.left() + 2 + width * block.column,
            top,
            max(8.0, width - 2),
            max(12.0, self.y_of(block.bottom) - top - 1),
        )

    def resizeEvent(self, event: object) -> None:
        self._place()

    def _theme_changed(self) -> None:
        self.updateGeometry()
        self._place()
        self.update()

    def showEvent(self, event: object) -> None:
        self._timer.start()

    def hideEvent(self, event: object) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        self._now = clock.now()
        self.update()

    # --- painting ------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), theme.color("surface"))
        hour_lines.paint_days(painter, self)
        hour_lines.paint_hours(painter, self)
        self._paint_slots(painter)
        self._paint_now(painter)
        seen = QRectF(event.rect())
        for rect, one in self._placed:
            if not rect.intersects(seen):
                continue
            chosen = self.chosen is not None and one.key == self.chosen.key
            event_paint.paint_block(painter, rect, one, self.formats, selected=chosen)
        for rect, crowd, _day in self._crowds:
            chosen = self.chosen is not None and self.chosen in crowd.events
            event_paint.paint_crowd(painter, rect, len(crowd.events), selected=chosen)
        self._paint_ghost(painter)
        self._paint_now_dot(painter)

    def _paint_slots(self, painter: QPainter) -> None:
        drawing = self._press is not None and self._press.drag is Drag.CREATE
        if self.slots.all_day or self.chosen is not None or not (self.hasFocus() or drawing):
            return
        column = self.column(self.slots.day)
        top, bottom = self.y_of(self.slots.start), self.y_of(self.slots.end)
        box = QRectF(column.left() + 2, top + 1, column.width() - 4, bottom - top - 2)
        painter.setPen(QPen(theme.color("focus"), 1.5))
        painter.setBrush(theme.color("sel"))
        painter.drawRoundedRect(box, 4, 4)
        if self.slots.end - self.slots.start > SLOT or drawing:
            painter.setPen(theme.color("text"))
            painter.setFont(theme.font(11, tabular=True))
            text = f"{_clock_text(self.slots.start)}–{_clock_text(self.slots.end)}"
            painter.drawText(box.adjusted(8, 4, -4, -4), Qt.AlignmentFlag.AlignTop, text)

    def _paint_ghost(self, painter: QPainter) -> None:
        if self._ghost is None:
            return
        for index, day in enumerate(self.days):
            if self.lanes and not self.lanes[index].holds(self._ghost):
                continue
            for block in layout.blocks([self._ghost], day, self.formats.zone):
                rect = self._block_rect(self.column(index), block)
                event_paint.paint_block(
                    painter, rect, block.event, self.formats, selected=True, ghost=True
                )

    def _now_at(self) -> tuple[list[QRectF], float]:
        """Columns of today, and the height of this moment."""
        local = layout.wall(self._now, self.formats.zone)
        y = round(self.y_of(local.hour * 60 + local.minute)) + 0.5
        today = [n for n, day in enumerate(self.days) if day == local.date()]
        return [self.column(n) for n in today], y

    def _paint_now(self, painter: QPainter) -> None:
        columns, y = self._now_at()
        tone = theme.color("bad")
        if columns:
            painter.setPen(QPen(event_paint.blend(tone, theme.color("surface"), 0.35), 1))
            painter.drawLine(QPointF(self.gutter(), y), QPointF(self.width(), y))
        painter.setPen(QPen(tone, 2))
        for column in columns:
            painter.drawLine(QPointF(column.left(), y), QPointF(column.right(), y))

    def _paint_now_dot(self, painter: QPainter) -> None:
        columns, y = self._now_at()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("bad"))
        for column in columns[:1]:
            painter.drawEllipse(QPointF(column.left() + 1, y), 4.5, 4.5)

    # --- mouse ---------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position()
        crowd = self._crowd_at(point)
        if crowd is not None:
            self.list_requested.emit(crowd[1])
            return
        day, minute = self.position(point)
        found = self.event_at(point)
        if found is not None:
            self._press = _Press(self._grip(found, point), day, minute, found)
            self.choose(found)
            return
        slot = int(minute // SLOT) * SLOT
        self._press = _Press(Drag.CREATE, day, minute)
        self.choose(None)
        self.set_slots(Slots(day, slot, slot))

    def _grip(self, found: AgendaEvent, point: QPointF) -> Drag:
        """What a press at a point of an event drags; over midnight each day has one end of it."""
        rect = next(r for r, one in reversed(self._placed) if r.contains(point))
        day = self.days[self.position(point)[0]]
        first, last = layout.day_span(found, self.formats.zone)
        tall = rect.height() > 3 * EDGE_GRIP
        if tall and day == first and point.y() - rect.top() < EDGE_GRIP:
            return Drag.START
        if tall and day == last and rect.bottom() - point.y() < EDGE_GRIP:
            return Drag.END
        return Drag.MOVE

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        if self._press is None:
            self._hover(point)
            return
        day, minute = self.position(point)
        press = self._press
        press.moving = press.moving or abs(minute - press.minute) > 4 or day != press.day
        if not press.moving:
            return
        self.cursor_moved.emit(int(minute))
        if press.event is None:
            last = min(int(minute // SLOT) * SLOT, layout.DAY_MINUTES - SLOT)
            self.slots = Slots(press.day, self.slots.anchor, last)
        elif press.event.movable:
            start, end = self._dragged(press, press.event, day, minute)
            self._ghost = press.event._replace(start=start, end=end, all_day=False)
        self.update()

    def _dragged(
        self, press: _Press, event: AgendaEvent, day: int, minute: float
    ) -> tuple[datetime, datetime]:
        zone = self.formats.zone
        if press.drag is Drag.MOVE:
            days = (self.days[day] - self.days[press.day]).days
            return gesture.moved(
                event, zone, days=days, minutes=gesture.snap(minute - press.minute)
            )
        edge = Edge.START if press.drag is Drag.START else Edge.END
        return gesture.resized(event, zone, edge, gesture.at(self.days[day], gesture.snap(minute)))

    def _hover(self, point: QPointF) -> None:
        found = self.event_at(point)
        edge = found is not None and found.movable and self._grip(found, point) is not Drag.MOVE
        self.setCursor(Qt.CursorShape.SizeVerCursor if edge else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        ghost, self._ghost = self._ghost, None
        self.update()
        if press is None or not press.moving:
            return
        if press.event is None:
            self.create_here()
        elif not press.event.movable:
            self.move_refused.emit(press.event)
        elif ghost is not None and (ghost.start, ghost.end) != (press.event.start, press.event.end):
            self.change_requested.emit(press.event, ghost.start, ghost.end, False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        found = self.event_at(event.position())
        self._press = None
        if found is not None:
            self.open_requested.emit(found)
        else:
            self.create_here()

    def cancel_drag(self) -> bool:
        """Drop what the mouse is dragging; whether there was anything."""
        if self._press is None:
            return False
        self._press = self._ghost = None
        self.update()
        return True

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            point = QPointF(event.pos())
            found, crowd = self.event_at(point), self._crowd_at(point)
            text = words.description(found, self.formats) if found else ""
            if crowd is not None:
                text = "\n".join(one.title for one in crowd[0].events)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def create_here(self) -> None:
        """Ask for a new event where the cursor stands."""
        day = self.days[self.slots.day]
        if self.slots.all_day:
            start, end = gesture.whole_day(day)
        else:
            zone = self.formats.zone
            start, end = gesture.span(day, self.slots.start, self.slots.end, zone)
        self.create_requested.emit(start, end, self.slots.all_day)

    # --- keyboard ------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.handle_key(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return self._keys.choose_next(forward) or super().focusNextPrevChild(forward)

    def focusInEvent(self, event: object) -> None:
        self._keys.enter()
        self._describe()
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()


def _clock_text(minute: int) -> str:
    if minute == ALL_DAY:
        return tr("All day")
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
