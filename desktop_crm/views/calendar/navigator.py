"""The small month at the left of the calendar: shows where one is and goes elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import tr
from desktop_crm.views import icons, theme
from desktop_crm.views.calendar import layout
from desktop_crm.views.calendar.time_keys import ARROWS
from desktop_crm.views.widgets.labels import Elide

ROW = 24
WEEKS = 26


class MonthDays(QWidget):
    """The days of one month with week numbers.

    Attributes:
        picked: a day was clicked or Enter was pressed on it.
        month_changed: the month shown moved with the cursor.
    """

    picked = Signal(object)
    month_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("navigatorDays")
        self.setAccessibleName(tr("Go to a day"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.month = clock.today().replace(day=1)
        self.cursor_day = clock.today()
        self._formats = Formats()
        self._shown: frozenset[date] = frozenset()
        self._busy: frozenset[date] = frozenset()
        self._today = clock.today()
        theme.changed.connect(self.updateGeometry)
        theme.changed.connect(self.update)

    def show_month(self, month: date) -> None:
        """Show another month."""
        self.month = month.replace(day=1)
        self.update()

    def mark(self, shown: Iterable[date], today: date, formats: Formats) -> None:
        """Mark the days that the calendar shows."""
        days = frozenset(shown)
        self._shown = days if len(days) <= 7 else frozenset()
        self._today = today
        self._formats = formats
        self.update()

    def mark_busy(self, days: Iterable[date]) -> None:
        """Mark the days that have events."""
        self._busy = frozenset(days)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(190), 7 * theme.scaled(ROW) + 4)

    def _cell(self, index: int) -> QRectF:
        left, row = theme.scaled(WEEKS), theme.scaled(ROW)
        width = (self.width() - left) / 7
        return QRectF(left + width * (index % 7), row * (1 + index // 7), width, row)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        days = layout.month_days(self.month)
        small = theme.font(11, tabular=True)
        painter.setFont(small)
        painter.setPen(theme.color("text3"))
        for index in range(7):
            box = self._cell(index).translated(0, -theme.scaled(ROW))
            name = self._formats.weekday(days[index], short=True)[:2]
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
        for week in range(6):
            first = self._cell(week * 7)
            painter.setFont(small)
            painter.setPen(theme.color("text3"))
            box = QRectF(0, first.top(), theme.scaled(WEEKS) - 6, first.height())
            number = str(days[week * 7].isocalendar().week)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, align, number)
        for index, day in enumerate(days):
            self._paint_day(painter, self._cell(index), day)

    def _paint_day(self, painter: QPainter, cell: QRectF, day: date) -> None:
        middle = cell.center()
        circle = QRectF(0, 0, theme.scaled(22), theme.scaled(22))
        circle.moveCenter(middle)
        painter.setPen(Qt.PenStyle.NoPen)
        if day in self._shown:
            painter.setBrush(theme.color("sel"))
            painter.drawRect(cell.adjusted(0, 1, 0, -1))
        if day == self._today:
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(circle)
        if day == self.cursor_day and self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(circle.adjusted(-1, -1, 1, 1))
        busy = day in self._busy
        weight = QFont.Weight.DemiBold if busy or day == self._today else QFont.Weight.Normal
        painter.setFont(theme.font(12, weight, tabular=True))
        outside = day.month != self.month.month
        tone = "on_accent" if day == self._today else "text3" if outside else "text"
        painter.setPen(theme.color(tone))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(day.day))
        if busy and day != self._today:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line"))
            painter.drawEllipse(QPointF(middle.x(), cell.bottom() - 3), 1.5, 1.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell(0)
        column = int((event.position().x() - cell.left()) // cell.width())
        row = int((event.position().y() - cell.top()) // cell.height())
        if 0 <= row < 6 and column < 7:
            first = layout.month_days(self.month)[row * 7]
            self._pick(first + timedelta(days=max(0, column)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in ARROWS:
            step = ARROWS[key]
            self._move(self.cursor_day + timedelta(days=step[0] + 7 * step[1]))
        elif key in {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}:
            self._move(layout.add_months(self.cursor_day, 1 if key == Qt.Key.Key_PageDown else -1))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self._pick(self.cursor_day)
        else:
            super().keyPressEvent(event)

    def _move(self, day: date) -> None:
        self.cursor_day = day
        self.setAccessibleDescription(f"{self._formats.weekday(day)} {self._formats.date(day)}")
        if day.replace(day=1) != self.month:
            self.show_month(day)
            self.month_changed.emit(self.month)
        self.update()

    def _pick(self, day: date) -> None:
        self._move(day)
        self.picked.emit(day)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()


class Navigator(QWidget):
    """Month with its name and buttons for the months beside it.

    Attributes:
        picked: a day to show.
        turned: another month is shown, whose busy days are not known yet.
    """

    picked = Signal(object)
    turned = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("navigator")
        self.days = MonthDays()
        self._formats = Formats()
        self._name = Elide("", "strong")
        back = self._button("navigatorBack", "chevron_left", tr("Month before"))
        on = self._button("navigatorOn", "chevron_right", tr("Month after"))
        back.clicked.connect(lambda: self._step(-1))
        on.clicked.connect(lambda: self._step(1))
        head = QHBoxLayout()
        head.setContentsMargins(8, 0, 0, 0)
        head.setSpacing(0)
        head.addWidget(self._name, 1)
        head.addWidget(back)
        head.addWidget(on)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.days)
        self.days.picked.connect(self.picked)
        self.days.month_changed.connect(self._show_name)
        self.days.month_changed.connect(self.turned)
        self._show_name(self.days.month)

    def _button(self, name: str, icon: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setIcon(icons.icon(icon))
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setFixedWidth(28)
        return button

    def _step(self, months: int) -> None:
        self.days.show_month(layout.add_months(self.days.month, months))
        self._show_name(self.days.month)
        self.turned.emit(self.days.month)

    def _show_name(self, month: object) -> None:
        if isinstance(month, date):
            name = self._formats.month(month)
            self._name.setText(name[:1].upper() + name[1:])

    def mark(self, shown: list[date], day: date, today: date, formats: Formats) -> None:
        """Mark what the calendar shows and bring its month into view."""
        self._formats = formats
        self.days.mark(shown, today, formats)
        self.days.cursor_day = day
        self.days.show_month(day)
        self._show_name(self.days.month)

    def mark_busy(self, days: Iterable[date]) -> None:
        """Mark the days that have events."""
        self.days.mark_busy(days)
