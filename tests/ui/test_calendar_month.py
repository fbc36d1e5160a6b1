"""The month of the calendar by keyboard and by mouse, and the small month beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar import gesture, layout
from desktop_crm.views.calendar.month_view import MonthView
from desktop_crm.views.calendar.navigator import Navigator
from tests.support.company import NOW, ZONE, at
from tests.support.diary import FORMATS, WEEK, caught, drag, event
from tests.support.windows import expect

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def month(qtbot: QtBot) -> MonthView:
    view = MonthView()
    qtbot.addWidget(view)
    view.resize(1000, 700)
    view.show_days(layout.month_days(date(2026, 11, 25)), FORMATS, NOW)
    view.go_to(date(2026, 11, 25))
    view.show_events([event(1, at(25, 9), at(25, 10)), event(2, at(26, 9), at(26, 10))])
    view.show()
    qtbot.waitExposed(view)
    view.setFocus()
    return view


def end_of(view: MonthView, one: AgendaEvent) -> QPoint:
    rect = view.rect_of(one)
    return QPoint(round(rect.right()) - 3, round(rect.center().y()))


def test_a_month_by_keyboard(month: MonthView) -> None:
    created, changed = caught(month.create_requested), caught(month.change_requested)
    QTest.keyClick(month, Qt.Key.Key_Down)
    assert month.cursor_day == date(2026, 12, 2)
    QTest.keyClick(month, Qt.Key.Key_Return)
    start = datetime(2026, 12, 2, 9, tzinfo=ZONE).astimezone(UTC)
    assert created == [(start, start + timedelta(minutes=30), False)]
    QTest.keyClick(month, Qt.Key.Key_Tab)
    assert expect(month.selected_event(), AgendaEvent).id == 1
    QTest.keyClick(month, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert [(a, b) for _, a, b, _ in changed] == [(at(26, 9), at(26, 10))]


def test_a_month_by_mouse(month: MonthView) -> None:
    changed = caught(month.change_requested)
    start = month.rect_of(month.events[0]).center().toPoint()
    drag(month, start, QPoint(start.x() + month.width() // 7, start.y()))
    assert [a for _, a, _, _ in changed] == [at(26, 9)]


def test_the_end_of_a_bar_is_dragged_over_days(month: MonthView) -> None:
    changed, cell = caught(month.change_requested), round(month._cell(0).width()) - 4
    fair = event(3, *gesture.whole_day(date(2026, 11, 16), date(2026, 11, 17)), all_day=True)
    month.show_events([fair, event(1, at(25, 9), at(25, 10))])
    start = end_of(month, fair)
    drag(month, start, start + QPoint(2 * cell, 0))
    assert changed.pop()[1:] == (*gesture.whole_day(date(2026, 11, 16), date(2026, 11, 19)), True)
    drag(month, start, start - QPoint(cell, 0))
    assert changed.pop()[1:] == (*gesture.whole_day(date(2026, 11, 16)), True)
    start = end_of(month, month.events[1])
    drag(month, start, start + QPoint(cell, 0))
    assert changed.pop()[1:] == (at(25, 9), at(26, 10), False)
    drag(month, start, start - QPoint(cell, 0))  # the first day is the earliest there is
    assert changed == []


def test_what_is_dragged_in_a_month_is_shown_where_it_comes_to_lie(month: MonthView) -> None:
    changed = caught(month.change_requested)
    start = end_of(month, month.events[0])
    before = month.rect_of(month.events[0])
    QTest.mousePress(month, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(month, start + QPoint(month.width() // 7, 0))
    assert month.rect_of(month.events[0]).width() > 1.8 * before.width()
    QTest.keyClick(month, Qt.Key.Key_Escape)
    assert month.rect_of(month.events[0]) == before
    QTest.mouseRelease(month, Qt.MouseButton.LeftButton, pos=start)
    assert changed == []
    assert month.selected_event() is not None


def test_the_last_day_of_a_months_event_by_keyboard(month: MonthView) -> None:
    changed = caught(month.change_requested)
    month.choose(month.events[0])
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(month, Qt.Key.Key_Right, alt | shift)
    QTest.keyClick(month, Qt.Key.Key_Down, alt | shift)
    QTest.keyClick(month, Qt.Key.Key_Left, alt | shift)
    nine = at(25, 9)
    assert [(a, b) for _, a, b, _ in changed] == [
        (nine, at(26, 10)), (nine, datetime(2026, 12, 2, 8, tzinfo=UTC)),
    ]  # fmt: skip


def test_several_days_of_a_month_are_marked_for_what_is_created(month: MonthView) -> None:
    created = caught(month.create_requested)
    month.choose(None)
    month.go_to(date(2026, 11, 18))
    QTest.keyClick(month, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(month, Qt.Key.Key_Return)
    first = month._cell(month.days.index(date(2026, 11, 17))).center().toPoint()
    drag(month, first, first - QPoint(month.width() // 7, 0))
    assert created == [
        (*gesture.whole_day(date(2026, 11, 18), date(2026, 11, 19)), True),
        (*gesture.whole_day(date(2026, 11, 16), date(2026, 11, 17)), True),
    ]


def test_a_full_day_says_how_many_more_there_are(month: MonthView) -> None:
    shown = caught(month.day_requested)
    month.show_events([event(n, at(25, 8 + n // 4), at(25, 9 + n // 4)) for n in range(20)])
    index = month.days.index(date(2026, 11, 25))
    assert month._hidden[index] > 10
    point = month._more_rect(index).center().toPoint()
    QTest.mouseClick(month, Qt.MouseButton.LeftButton, pos=point)
    assert shown == [(date(2026, 11, 25),)]


def test_the_small_month_goes_to_a_day(qtbot: QtBot) -> None:
    navigator = Navigator()
    qtbot.addWidget(navigator)
    navigator.mark(WEEK, date(2026, 11, 25), date(2026, 11, 25), FORMATS)
    picked = caught(navigator.picked)
    navigator.show()
    navigator.days.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Return):
        QTest.keyClick(navigator.days, key)
    assert picked == [(date(2026, 12, 3),)]
    assert navigator.days.month == date(2026, 12, 1)
