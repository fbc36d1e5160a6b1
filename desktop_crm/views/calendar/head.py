"""The line above the calendar: where one is, how to turn, and how much is shown."""

from __future__ import annotations

from datetime import date
from functools import partial

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCalendarWidget,
    QHBoxLayout,
    QMenu,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views.calendar.spans import NAMES, Span
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import label

HEIGHT = 50


class CalendarHead(QWidget):
    """Asks its owner for another day or another span.

    Attributes:
        today_wanted: go to today.
        turned: how many pages on (negative: back).
        span_chosen: how much shall be shown.
        day_chosen: a day picked from the calendar that unfolds.
    """

    today_wanted = Signal()
    turned = Signal(int)
    span_chosen = Signal(object)
    day_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarHead")
        self.title = label("", "h2", name="calendarTitle")
        self._day = date.min
        today = tool_button("calendarToday", tr("Today"), "calendar_ltr", self.today_wanted.emit)
        today.setText(tr("Today"))
        today.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        back = tool_button(
            "calendarBack", tr("Earlier"), "chevron_left", partial(self.turned.emit, -1)
        )
        on = tool_button("calendarOn", tr("Later"), "chevron_right", partial(self.turned.emit, 1))
        self._go = tool_button("calendarGo", tr("Go to date"), "calendar", self.unfold)
        self._spans = QButtonGroup(self)
        for span, text, _command in NAMES:
            button = QToolButton()
            button.setObjectName(f"calendarSpan.{span}")
            button.setText(tr(text))
            button.setAccessibleName(tr(text))
            button.setCheckable(True)
            button.clicked.connect(partial(self._choose, span))
            self._spans.addButton(button)
        # Where all of them do not fit, one button unfolds them.
        self._menu = tool_button(
            "calendarSpanMenu", tr("How much is shown"), "calendar_ltr", show_text=True
        )
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self._menu)
        for span, text, _command in NAMES:
            menu.addAction(tr(text)).triggered.connect(partial(self._choose, span))
        self._menu.setMenu(menu)
        self._menu.hide()
        box = QHBoxLayout(self)
        box.setContentsMargins(12, 8, 12, 8)
        box.setSpacing(4)
        for widget in (today, back, on, self.title):
            box.addWidget(widget)
        box.addStretch(1)
        for shown in self._spans.buttons():
            box.addWidget(shown)
        box.addWidget(self._menu)
        box.addWidget(self._go)
        self.setFixedHeight(HEIGHT)

    def _choose(self, span: Span, _checked: bool = False) -> None:
        self.span_chosen.emit(span)

    def show_where(self, span: Span, day: date, title: str) -> None:
        """Show the span in force, the day one is at, and the days shown as a title."""
        self._day = day
        self.title.setText(title)
        for button in self._spans.buttons():
            button.setChecked(button.objectName() == f"calendarSpan.{span}")
        self._menu.setText(next(f" {tr(name)}" for one, name, _ in NAMES if one is span))

    def set_narrow(self, narrow: bool) -> None:
        """Fold the spans into one button, or unfold them."""
        for button in self._spans.buttons():
            button.setVisible(not narrow)
        self._menu.setVisible(narrow)

    def unfold(self) -> None:
        """Unfold a calendar to choose a day from."""
        menu = QMenu(self)
        menu.setObjectName("calendarGoMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picker = QCalendarWidget()
        picker.setObjectName("calendarGoPicker")
        picker.setAccessibleName(tr("Go to date"))
        picker.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        picker.setSelectedDate(QDate(self._day.year, self._day.month, self._day.day))
        action = QWidgetAction(menu)
        action.setDefaultWidget(picker)
        menu.addAction(action)

        def chosen(day: QDate) -> None:
            menu.close()
            self.day_chosen.emit(date(day.year(), day.month(), day.day()))

        picker.activated.connect(chosen)
        menu.popup(self._go.mapToGlobal(self._go.rect().bottomLeft()))
        picker.setFocus()
