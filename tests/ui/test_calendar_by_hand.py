"""The calendar as somebody uses it all day: days of 23 and 25 hours, nights, weeks, long titles."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest

from desktop_crm.core import i18n
from desktop_crm.services import records
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views import theme
from desktop_crm.views.calendar import event_paint, gesture
from desktop_crm.views.calendar.spans import Span
from desktop_crm.views.calendar.time_view import TimeView
from desktop_crm.views.panes import calendar_edits
from desktop_crm.views.panes.calendar import CalendarPane
from tests.support.company import NOW, ZONE, Company, at
from tests.support.diary import FORMATS, caught, drag, event
from tests.support.windows import settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

SHORT_DAY, LONG_DAY = date(2026, 3, 29), date(2026, 10, 25)
"""The clock of Bucharest goes from 03:00 to 04:00, and from 04:00 back to 03:00."""


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> CalendarPane:
    made = CalendarPane(bench)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


@pytest.fixture
def one_day(qtbot: QtBot) -> TimeView:
    view = TimeView()
    qtbot.addWidget(view)
    view.resize(800, 700)
    view.show_days([SHORT_DAY], FORMATS, NOW)
    view.show()
    qtbot.waitExposed(view)
    view.grid.setFocus()
    return view


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize("minute", [150, 180, 210, 240])
def test_what_is_created_in_the_hour_that_is_skipped_has_a_length(
    one_day: TimeView, minute: int
) -> None:
    created = caught(one_day.create_requested)
    one_day.grid.set_slots(gesture.Slots(0, minute, minute))
    QTest.keyClick(one_day.grid, Qt.Key.Key_Return)
    (start, end, _whole) = created[0]
    assert timedelta(0) < end - start <= timedelta(hours=1)
    assert start >= local(SHORT_DAY, 2, 30)


def test_a_day_of_25_hours(one_day: TimeView) -> None:
    first = local(LONG_DAY, 3, 30)  # and an hour later it is half past three once more
    events = [event(n, first + timedelta(minutes=30 * n), first + timedelta(minutes=30 * n + 30))
              for n in range(4)]  # fmt: skip
    one_day.show_days([LONG_DAY], FORMATS, NOW)
    one_day.show_events(events)
    rects = [one_day.grid.rect_of(one) for one in events]
    assert all(rect.height() >= 12 for rect in rects)
    assert rects[0].top() == rects[2].top()
    assert not rects[0].intersects(rects[2])
    changed = caught(one_day.change_requested)
    one_day.grid.choose(events[3])
    QTest.keyClick(one_day.grid, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    (_event, start, end, _whole) = changed[0]
    assert end - start == timedelta(minutes=30)


def test_a_meeting_over_midnight_is_moved_from_either_day(
    pane: CalendarPane, company: Company, qtbot: QtBot
) -> None:
    company.add(
        "activity", "night",
        {"subject": "Night shift", "kind": "appointment", "start_at": at(24, 22),
         "end_at": at(25, 2), "owner": company.actor.user_id},
    )  # fmt: skip
    pane.refresh()
    settle(qtbot, pane.bench)
    grid = pane.time_view.grid
    second = [rect for rect, one in grid._placed if one.title == "Night shift"][1]
    x = round(second.center().x())
    drag(grid, QPoint(x, round(grid.y_of(30))), QPoint(x, round(grid.y_of(90))))
    settle(qtbot, pane.bench)
    values = records.get(company.actor, "activity", company.ids["night"]).values
    assert (values["start_at"], values["end_at"]) == (at(24, 23), at(25, 3))
    assert ("Moved", "24 Nov 2026 23:00 – 25 Nov 2026 03:00") in shell_of(pane.bench).toasts


def test_five_days_in_the_month_become_six(
    pane: CalendarPane, company: Company, qtbot: QtBot
) -> None:
    company.add(
        "activity", "audit",
        {"subject": "Audit", "kind": "appointment", "start_at": at(9, 9), "end_at": at(13, 17),
         "owner": company.actor.user_id},
    )  # fmt: skip
    pane.show_span(Span.MONTH)
    settle(qtbot, pane.bench)
    month = pane.month_view
    month.choose(next(one for one in month.events if one.title == "Audit"))
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(month, Qt.Key.Key_Right, alt | shift)
    settle(qtbot, pane.bench)
    values = records.get(company.actor, "activity", company.ids["audit"]).values
    assert (values["start_at"], values["end_at"]) == (at(9, 9), at(14, 17))
    assert "14 Nov 2026 17:00" in month.accessibleDescription()


def test_the_last_day_of_one_occurrence_alone(
    pane: CalendarPane, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar_edits, "ask", lambda *_given: "this")
    pane.show_span(Span.MONTH)
    settle(qtbot, pane.bench)
    month = pane.month_view
    wednesday = [one for one in month.events if one.series and one.start == at(25, 9)]
    month.choose(wednesday[0])
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(month, Qt.Key.Key_Right, alt | shift)
    qtbot.waitUntil(lambda: any(one.changed for one in month.events))
    settle(qtbot, pane.bench)
    spans = {one.start: one.end for one in month.events if one.title == "Team stand-up"}
    assert spans[at(25, 9)] == at(26, 9, 30)
    assert spans[at(18, 9)] == at(18, 9, 30)


def test_dragging_over_empty_hours_opens_a_form_with_that_time(
    pane: CalendarPane, qtbot: QtBot
) -> None:
    grid = pane.time_view.grid
    x = round(grid.column(4).center().x())
    drag(grid, QPoint(x, round(grid.y_of(13 * 60 + 5))), QPoint(x, round(grid.y_of(14 * 60 + 10))))
    ((entity, values),) = shell_of(pane.bench).new
    assert entity == "activity"
    assert (values["start_at"], values["end_at"]) == (at(27, 13), at(27, 14, 30))


def test_days_marked_in_the_month_are_what_the_new_appointment_covers(
    pane: CalendarPane, qtbot: QtBot
) -> None:
    pane.show_span(Span.MONTH)
    settle(qtbot, pane.bench)
    month = pane.month_view
    month.go_to(date(2026, 11, 18))
    for _ in range(2):
        QTest.keyClick(month, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    next(one for one in pane.commands() if one.id == "calendar.new").run()
    ((_entity, values),) = shell_of(pane.bench).new
    assert values["is_all_day"]
    span = gesture.whole_day(date(2026, 11, 18), date(2026, 11, 20))
    assert (values["start_at"], values["end_at"]) == span


def test_a_title_of_120_letters_is_said_whole(pane: CalendarPane, company: Company) -> None:
    title = ("Ședință despre țevi, înălțimi și bănci " * 4)[:120].strip()
    i18n.use_language("ro")
    long = AgendaEvent(9, 1, at(26, 13), at(26, 15), title)
    pane.time_view.show_events([long])
    pane.time_view.grid.choose(long)
    assert title in pane.time_view.grid.accessibleDescription()
    assert not pane.time_view.grab().isNull()


def test_where_there_is_hardly_room_as_many_letters_stand_as_fit(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(theme.font(12))
    title = "Weekly review"
    for width in range(0, 100, 3):
        shown = event_paint.fitting(metrics, title, width)
        if shown.endswith("…"):
            assert len(shown) > 2
            continue
        longest = max(n for n in range(len(title) + 1)
                      if metrics.horizontalAdvance(title[:n]) <= width)  # fmt: skip
        assert shown == title[:longest]
    assert event_paint.fitting(metrics, title, 5) == ""
    assert event_paint.fitting(metrics, title, 16) == "W"
