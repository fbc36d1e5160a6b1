"""The calendar by keyboard and by mouse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop_crm.services import records
from desktop_crm.services.calendar import agenda
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar import gesture
from desktop_crm.views.calendar.spans import Span
from desktop_crm.views.calendar.time_view import TimeView
from desktop_crm.views.panes import calendar_edits
from desktop_crm.views.panes.calendar import CalendarPane
from tests.support.company import NOW, Company, at
from tests.support.diary import FORMATS, WEEK, caught, drag, event
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def week(qtbot: QtBot) -> TimeView:
    view = TimeView()
    qtbot.addWidget(view)
    view.resize(1000, 700)
    view.show_days(WEEK, FORMATS, NOW)
    view.show_events([
        event(1, at(24, 9), at(24, 10)),
        event(2, at(25, 11), at(25, 12)),
        event(3, at(26, 14), at(26, 15), series=True),
        event(4, *gesture.whole_day(date(2026, 11, 23), date(2026, 11, 24)), all_day=True),
    ])  # fmt: skip
    view.show()
    qtbot.waitExposed(view)
    view.grid.setFocus()
    return view


def test_arrows_move_the_cursor_and_enter_creates(week: TimeView) -> None:
    created = caught(week.create_requested)
    week.go_to(date(2026, 11, 25))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        QTest.keyClick(week.grid, key)
    QTest.keyClick(week.grid, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(week.grid, Qt.Key.Key_Return)
    assert created == [(at(26, 10), at(26, 11), False)]


def test_the_cursor_reaches_the_strip_of_whole_days(week: TimeView) -> None:
    created = caught(week.create_requested)
    week.go_to(date(2026, 11, 25))
    for _ in range(30):
        QTest.keyClick(week.grid, Qt.Key.Key_Up)
    QTest.keyClick(week.grid, Qt.Key.Key_Return)
    assert created == [(*gesture.whole_day(date(2026, 11, 25)), True)]


def test_tab_goes_from_event_to_event_and_then_on(week: TimeView) -> None:
    chosen = []
    for _ in range(4):
        QTest.keyClick(week.grid, Qt.Key.Key_Tab)
        chosen.append(expect(week.selected_event(), AgendaEvent).id)
    assert chosen == [4, 1, 2, 3]
    assert "event 3" in week.grid.accessibleDescription()
    QTest.keyClick(week.grid, Qt.Key.Key_Tab)
    assert week.selected_event() is None


def test_tab_after_escape_leaves_the_page(week: TimeView) -> None:
    QTest.keyClick(week.grid, Qt.Key.Key_Tab)
    QTest.keyClick(week.grid, Qt.Key.Key_Escape)
    QTest.keyClick(week.grid, Qt.Key.Key_Tab)
    assert week.selected_event() is None
    QTest.keyClick(week.grid, Qt.Key.Key_Down)
    QTest.keyClick(week.grid, Qt.Key.Key_Tab)
    assert expect(week.selected_event(), AgendaEvent).id == 4


def test_alt_and_arrows_move_and_stretch_the_selected_event(week: TimeView) -> None:
    changed = caught(week.change_requested)
    week.grid.choose(week.grid.events[1])
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(week.grid, Qt.Key.Key_Down, alt)
    QTest.keyClick(week.grid, Qt.Key.Key_Right, alt)
    QTest.keyClick(week.grid, Qt.Key.Key_Down, alt | shift)
    spans = [(start, end) for _, start, end, _ in changed]
    assert spans == [
        (at(24, 9, 15), at(24, 10, 15)),
        (at(25, 9), at(25, 10)),
        (at(24, 9), at(24, 10, 15)),
    ]


def test_what_somebody_else_organizes_stays(week: TimeView) -> None:
    changed, refused = caught(week.change_requested), caught(week.move_refused)
    week.grid.choose(week.grid.events[3]._replace(foreign=True))
    QTest.keyClick(week.grid, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert changed == []
    assert [one.id for (one,) in refused] == [3]


def test_delete_and_escape(week: TimeView) -> None:
    deleted = caught(week.delete_requested)
    QTest.keyClick(week.grid, Qt.Key.Key_Delete)
    assert deleted == []
    week.grid.choose(week.grid.events[1])
    QTest.keyClick(week.grid, Qt.Key.Key_Delete)
    assert [one.id for (one,) in deleted] == [1]
    QTest.keyClick(week.grid, Qt.Key.Key_Escape)
    assert week.selected_event() is None


def test_leaving_the_page_by_arrow_turns_it(week: TimeView) -> None:
    pages = caught(week.page_requested)
    week.go_to(WEEK[-1])
    QTest.keyClick(week.grid, Qt.Key.Key_Right)
    QTest.keyClick(week.grid, Qt.Key.Key_PageUp)
    assert pages == [(1,), (-1,)]


def test_dragging_moves_by_quarters_of_an_hour(week: TimeView) -> None:
    changed = caught(week.change_requested)
    grid = week.grid
    start = grid.rect_of(grid.events[1]).center().toPoint()
    end = QPoint(round(grid.column(2).center().x()), start.y() + round(grid.y_of(65)))
    drag(grid, start, end)
    assert [(a, b) for _, a, b, _ in changed] == [(at(25, 10), at(25, 11))]


def test_dragging_the_lower_edge_makes_it_longer(week: TimeView) -> None:
    changed = caught(week.change_requested)
    grid = week.grid
    rect = grid.rect_of(grid.events[1])
    start = QPoint(round(rect.center().x()), round(rect.bottom()) - 2)
    drag(grid, start, QPoint(start.x(), round(grid.y_of(11 * 60 + 28))))
    assert [(a, b) for _, a, b, _ in changed] == [(at(24, 9), at(24, 11, 30))]


def test_dragging_over_empty_hours_creates(week: TimeView) -> None:
    created = caught(week.create_requested)
    grid = week.grid
    x = round(grid.column(4).center().x())
    drag(grid, QPoint(x, round(grid.y_of(605))), QPoint(x, round(grid.y_of(700))))
    assert created == [(at(27, 10), at(27, 12), False)]


def test_escape_lets_go_of_what_is_dragged(week: TimeView) -> None:
    changed = caught(week.change_requested)
    grid = week.grid
    start = grid.rect_of(grid.events[1]).center().toPoint()
    QTest.mousePress(grid, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(grid, start + QPoint(0, 80))
    QTest.keyClick(grid, Qt.Key.Key_Escape)
    QTest.mouseRelease(grid, Qt.MouseButton.LeftButton, pos=start + QPoint(0, 80))
    assert changed == []


def test_a_bar_over_whole_days_is_dragged_by_days(week: TimeView) -> None:
    changed = caught(week.change_requested)
    strip = week.strip
    first = strip.mapFromGlobal(week.mapToGlobal(QPoint(0, 0)))
    y = first.y() + strip.height() - 18
    x0, x2 = (round(week.grid.column(n).center().x()) for n in (0, 2))
    drag(strip, QPoint(x0, y), QPoint(x2, y))
    span = gesture.whole_day(date(2026, 11, 25), date(2026, 11, 26))
    assert [(a, b, whole) for _, a, b, whole in changed] == [(*span, True)]


def test_double_click_opens_an_event(week: TimeView) -> None:
    opened = caught(week.open_requested)
    point = week.grid.rect_of(week.grid.events[1]).center().toPoint()
    QTest.mouseDClick(week.grid, Qt.MouseButton.LeftButton, pos=point)
    assert [one.id for (one,) in opened] == [1]


def test_the_strip_above_the_hours_is_dragged(week: TimeView) -> None:
    changed, created = caught(week.change_requested), caught(week.create_requested)
    y = week.strip.height() - 18
    x = [round(week.grid.column(n).center().x()) for n in range(5)]
    end = QPoint(round(week.grid.column(1).right()) - 12, y)
    drag(week.strip, end, QPoint(x[3], y))
    span = gesture.whole_day(date(2026, 11, 23), date(2026, 11, 26))
    assert [(a, b) for _, a, b, _ in changed] == [span]
    drag(week.strip, QPoint(x[4], y), QPoint(x[3], y))
    assert created == [(*gesture.whole_day(date(2026, 11, 26), date(2026, 11, 27)), True)]


# --- the pane ------------------------------------------------------------------------------------


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> CalendarPane:
    made = CalendarPane(bench)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def shown(pane: CalendarPane) -> list[str]:
    return [one.title for one in pane.time_view.grid.events]


def test_the_pane_shows_my_week_and_everybodys(pane: CalendarPane, qtbot: QtBot) -> None:
    assert shown(pane) == ["Team stand-up", "Product demonstration", "Trade fair"]
    assert pane.status_text() == "3 events"
    button = child(pane, QWidget, "calendarEverybody")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    settle(qtbot, pane.bench)
    assert "Busy" in shown(pane)
    assert "Dentist" not in shown(pane)


def test_moving_saves_and_can_be_undone(pane: CalendarPane, company: Company, qtbot: QtBot) -> None:
    grid = pane.time_view.grid
    grid.choose(next(one for one in grid.events if one.title == "Product demonstration"))
    for _ in range(3):
        QTest.keyClick(grid, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    demo = records.get(company.actor, "activity", company.ids["demo"])
    assert demo.values["start_at"] == at(25, 11, 45)
    assert demo.values["end_at"] == at(25, 12, 45)
    assert ("Moved", "25 Nov 2026 11:45–12:45") in shell_of(pane.bench).toasts


def test_a_refused_move_goes_back_and_says_why(
    pane: CalendarPane, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.core.errors import PermissionDenied

    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionDenied("no")

    monkeypatch.setattr(records, "save", refuse)
    grid = pane.time_view.grid
    grid.choose(next(one for one in grid.events if one.title == "Product demonstration"))
    QTest.keyClick(grid, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    assert [type(one) for one in shell_of(pane.bench).errors] == [PermissionDenied]
    assert expect(grid.chosen, AgendaEvent).start == at(25, 11)


def stand_up(pane: CalendarPane) -> AgendaEvent:
    return next(one for one in pane.time_view.grid.events if one.series)


@pytest.mark.parametrize(
    ("answer", "starts"),
    [
        ("this", [at(18, 9), at(25, 9, 15)]),
        ("following", [at(18, 9), at(25, 9, 15)]),
        ("all", [at(18, 9, 15), at(25, 9, 15)]),
        ("cancel", [at(18, 9), at(25, 9)]),
    ],
)
def test_moving_an_occurrence_asks_how_much_is_meant(
    pane: CalendarPane,
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    starts: list[datetime],
) -> None:
    asked: list[object] = []

    def ask(*given: object) -> str:
        asked.append(given)
        return answer

    monkeypatch.setattr(calendar_edits, "ask", ask)
    pane.time_view.grid.choose(stand_up(pane))
    QTest.keyClick(pane.time_view.grid, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: bool(asked))
    settle(qtbot, pane.bench)
    found = agenda.events(company.actor, at(18, 0), at(26, 0))
    assert [one.start for one in found if one.series and one.start.weekday() == 2] == starts


@pytest.mark.parametrize(("answer", "left"), [("this", True), ("following", True), ("all", False)])
def test_deleting_an_occurrence_asks_how_much_is_meant(
    pane: CalendarPane,
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    left: bool,
) -> None:
    monkeypatch.setattr(calendar_edits, "ask", lambda *_given: answer)
    pane.time_view.grid.choose(stand_up(pane))
    QTest.keyClick(pane.time_view.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "Team stand-up" not in shown(pane))
    found = agenda.events(company.actor, at(16, 0), at(20, 0))
    assert ("Team stand-up" in [one.title for one in found]) is left


def test_a_series_asks_before_it_is_opened(
    pane: CalendarPane, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["this", "all"]
    monkeypatch.setattr(calendar_edits, "ask", lambda *_args: answers.pop())
    pane.time_view.grid.choose(stand_up(pane))
    QTest.keyClick(pane.time_view.grid, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(shell_of(pane.bench).opened) == 1)
    assert shell_of(pane.bench).opened == [("activity", company.ids["stand-up"])]
    QTest.keyClick(pane.time_view.grid, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(shell_of(pane.bench).opened) == 2)
    one = records.get(company.actor, "activity", shell_of(pane.bench).opened[1][1]).values
    assert one["recurrence_id"] == "2026-11-25T07:00:00+00:00"


def test_deleting_takes_the_event_away(pane: CalendarPane, company: Company, qtbot: QtBot) -> None:
    grid = pane.time_view.grid
    grid.choose(next(one for one in grid.events if one.title == "Product demonstration"))
    QTest.keyClick(grid, Qt.Key.Key_Delete)
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: "Product demonstration" not in shown(pane))


def test_enter_creates_with_the_time_of_the_cursor(pane: CalendarPane) -> None:
    pane.time_view.go_to(date(2026, 11, 27))
    QTest.keyClick(pane.time_view.grid, Qt.Key.Key_Return)
    entity, values = shell_of(pane.bench).new[0]
    assert entity == "activity"
    assert values["start_at"] == at(27, 9)
    assert (values["kind"], values["status_reason"]) == ("appointment", "busy")


def test_a_private_event_of_somebody_else_does_not_open(pane: CalendarPane) -> None:
    busy = event(9, at(25, 15), at(25, 16), private=True)
    pane.time_view.open_requested.emit(busy)
    assert shell_of(pane.bench).opened == []
    assert shell_of(pane.bench).toasts[0][0] == "Private"


def test_day_month_and_today(pane: CalendarPane, qtbot: QtBot) -> None:
    pane.show_span(Span.MONTH)
    settle(qtbot, pane.bench)
    assert len(pane.month_view.events) >= 9
    pane.show_span(Span.DAY)
    pane.show_day(date(2026, 12, 24))
    assert pane.days() == [date(2026, 12, 24)]
    pane.go_today()
    settle(qtbot, pane.bench)
    assert pane.days() == [date(2026, 11, 25)]
    place = pane.place()
    pane.show_span(Span.MONTH)
    pane.return_to(place)
    settle(qtbot, pane.bench)
    assert pane.span is Span.DAY


def test_an_all_day_event_keeps_its_dates_when_moved(
    pane: CalendarPane, company: Company, qtbot: QtBot
) -> None:
    fair = next(one for one in pane.time_view.grid.events if one.all_day)
    pane.time_view.grid.choose(fair)
    QTest.keyClick(pane.time_view.grid, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    values = records.get(company.actor, "activity", company.ids["fair"]).values
    assert values["start_at"] == datetime(2026, 11, 25, tzinfo=UTC)
    assert values["is_all_day"]


def test_the_grid_tells_where_a_point_lies(week: TimeView) -> None:
    day, minute = week.grid.position(QPointF(week.grid.column(3).center().x(), 0))
    assert (day, minute) == (3, 0.0)


def test_the_small_month_shows_busy_days_wherever_it_is_turned(
    pane: CalendarPane, qtbot: QtBot
) -> None:
    busy = pane.navigator.days._busy
    assert date(2026, 11, 26) in busy
    button = child(pane, QWidget, "navigatorBack")
    for _ in range(2):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        settle(qtbot, pane.bench)
    assert not pane.navigator.days._busy & busy
    assert shown(pane) == ["Team stand-up", "Product demonstration", "Trade fair"]
