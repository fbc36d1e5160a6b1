"""The spans of the calendar: agenda, year, team, zones, recurrence; by keyboard."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListWidget, QToolButton

from desktop_crm.services import records
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar.spans import Span
from desktop_crm.views.dialogs.recurrence_dialog import RecurrenceDialog
from desktop_crm.views.panes.calendar import CalendarPane
from desktop_crm.views.panes.calendar_side import CalendarSide
from tests.support.company import Company, at
from tests.support.several_calendars import keep_calendars
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> CalendarPane:
    made = CalendarPane(bench)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def test_every_span_by_its_keys(pane: CalendarPane, qtbot: QtBot) -> None:
    commands = {one.id: one for one in pane.commands()}
    for span in Span:
        assert commands[f"calendar.{span.value}"].shortcut.startswith("Ctrl+Alt+")
        commands[f"calendar.{span.value}"].run()
        settle(qtbot, pane.bench)
        assert pane.span is span
        assert child(pane, QToolButton, f"calendarSpan.{span}").isChecked()
    pane.set_narrow(True)
    assert child(pane, QToolButton, "calendarSpanMenu").text().strip() == "Year"


def test_the_agenda_by_keyboard(pane: CalendarPane, company: Company, qtbot: QtBot) -> None:
    pane.show_span(Span.AGENDA)
    settle(qtbot, pane.bench)
    view = pane.agenda_view
    rows = [one.title if isinstance(one, AgendaEvent) else one for one in view.model.rows]
    assert rows[:4] == [date(2026, 11, 25), "Team stand-up", "Product demonstration",
                        date(2026, 11, 26)]  # fmt: skip
    for _ in range(3):
        QTest.keyClick(view.list, Qt.Key.Key_Down)
    assert expect(view.selected_event(), AgendaEvent).title == "Product demonstration"
    QTest.keyClick(view.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    values = records.get(company.actor, "activity", company.ids["demo"]).values
    assert values["start_at"] == at(25, 11, 15)
    assert expect(view.selected_event(), AgendaEvent).title == "Product demonstration"
    QTest.keyClick(view.list, Qt.Key.Key_Return)
    assert shell_of(pane.bench).opened == [("activity", company.ids["demo"])]
    QTest.keyClick(view.list, Qt.Key.Key_Delete)
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: "Product demonstration" not in [
        one.title for one in view.model.rows if isinstance(one, AgendaEvent)
    ])  # fmt: skip


def test_a_year_shows_how_busy_days_are_and_leads_to_them(pane: CalendarPane, qtbot: QtBot) -> None:
    pane.show_span(Span.YEAR)
    settle(qtbot, pane.bench)
    year = pane.year_view
    assert year._full.minutes[date(2026, 11, 25)] == 90
    assert year._full.minutes[date(2026, 11, 26)] == 8 * 60
    assert year.description(date(2026, 11, 25)).endswith("2 events, 1.5 h busy")
    counted = pane.status_text()
    assert int(counted.split()[0]) > 2
    pane._edits.shown_differently.emit()  # an event that was put elsewhere before
    assert year._full.minutes[date(2026, 11, 25)] == 90
    assert pane.status_text() == counted
    QTest.keyClick(year, Qt.Key.Key_Right)
    assert year.cursor_day == date(2026, 11, 26)
    QTest.keyClick(year, Qt.Key.Key_PageDown)
    assert pane.day == date(2027, 11, 25)
    pane.go_today()
    settle(qtbot, pane.bench)
    QTest.keyClick(year, Qt.Key.Key_Return)
    settle(qtbot, pane.bench)
    assert (pane.span, pane.day) == (Span.DAY, date(2026, 11, 25))


def test_the_team_side_by_side_and_above_one_another(
    pane: CalendarPane, company: Company, qtbot: QtBot
) -> None:
    pane.show_day(date(2026, 11, 24))
    pane.show_span(Span.TEAM)
    settle(qtbot, pane.bench)
    grid = pane.time_view.grid
    assert [lane.name for lane in grid.lanes] == ["Mara Ionescu", "Ada Min", "Dan Pop"]
    assert [one.title for one in grid.events_in(2)] == ["Busy"]
    assert grid.events_in(0) == []
    people = child(pane, QListWidget, "calendarPeople")
    people.setFocus()
    people.setCurrentRow(1)
    QTest.keyClick(people, Qt.Key.Key_Space)
    settle(qtbot, pane.bench)
    assert [lane.name for lane in grid.lanes] == ["Mara Ionescu", "Dan Pop"]
    beside = child(pane, QToolButton, "calendarBeside")
    QTest.keyClick(beside, Qt.Key.Key_Space)
    settle(qtbot, pane.bench)
    assert grid.lanes == []
    assert len(grid.days) == 5
    tones = {one.whose: one.tone for one in grid.events}
    assert tones.keys() == {"Mara Ionescu", "Dan Pop"}
    assert len(set(tones.values())) == 2


def test_several_calendars_of_oneself_stand_in_the_team(
    pane: CalendarPane, company: Company, qtbot: QtBot
) -> None:
    keep_calendars(company)
    pane.side.load_people()
    pane.show_span(Span.TEAM)
    settle(qtbot, pane.bench)
    people = child(pane, QListWidget, "calendarPeople")
    names = [people.item(n).text() for n in range(people.count())]
    assert names == ["Mara Ionescu", "\u2003Calendar", "\u2003team plans", "Ada Min", "Dan Pop"]
    people.setFocus()
    for row in (1, 2, 0, 3, 4):  # both calendars on, everybody off
        people.setCurrentRow(row)
        QTest.keyClick(people, Qt.Key.Key_Space)
        settle(qtbot, pane.bench)
    pane.show_day(date(2026, 11, 26))
    settle(qtbot, pane.bench)
    grid = pane.time_view.grid
    assert [lane.name for lane in grid.lanes] == ["Calendar", "team plans"]
    assert [[one.title for one in grid.events_in(n)] for n in range(2)] == [[], ["Workshop"]]
    QTest.keyClick(child(pane, QToolButton, "calendarBeside"), Qt.Key.Key_Space)
    settle(qtbot, pane.bench)
    shown = {one.title: (one.whose, one.tone) for one in grid.events}
    assert shown.keys() == {"Product demonstration", "Workshop"}
    assert shown["Workshop"][0] == "team plans"
    assert len(set(shown.values())) == 2
    again = CalendarSide(pane.bench)
    qtbot.addWidget(again)
    again.load_people()
    settle(qtbot, pane.bench)
    assert again.whose(team=True) == "Calendar, team plans"


def test_too_many_at_once_lead_to_the_list_of_the_day(
    pane: CalendarPane, company: Company, qtbot: QtBot
) -> None:
    for number in range(30):
        company.add(
            "activity", f"n{number}",
            {"subject": f"Meeting {number}", "kind": "appointment", "start_at": at(26, 10),
             "end_at": at(26, 11), "owner": company.actor.user_id},
        )  # fmt: skip
    pane.refresh()
    settle(qtbot, pane.bench)
    grid = pane.time_view.grid
    rect, crowd, _day = grid._crowds[0]
    hidden = {one.title for one in crowd.events}
    drawn = {one.title for _rect, one in grid._placed if one.title.startswith("Meeting")}
    assert len(hidden) + len(drawn) == 30
    assert not hidden & drawn
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    settle(qtbot, pane.bench)
    assert (pane.span, pane.day) == (Span.AGENDA, date(2026, 11, 26))
    rows = [one.title for one in pane.agenda_view.model.rows if isinstance(one, AgendaEvent)]
    assert hidden | drawn <= set(rows)


def test_a_second_zone_stands_beside_the_hours(pane: CalendarPane, qtbot: QtBot) -> None:
    narrow = pane.time_view.grid.gutter()
    pane.side.set_zone(ZoneInfo("America/New_York"))
    assert pane.time_view.grid.gutter() > narrow
    again = CalendarSide(pane.bench)
    qtbot.addWidget(again)
    assert again.second_zone == ZoneInfo("America/New_York")
    pane.side.set_zone(None)
    assert pane.time_view.grid.gutter() == narrow


def test_recurrence_is_edited_from_the_calendar(pane: CalendarPane, qtbot: QtBot) -> None:
    grid = pane.time_view.grid
    grid.choose(next(one for one in grid.events if one.series))
    pane.edit_recurrence()
    settle(qtbot, pane.bench)
    dialog = child(pane.window(), RecurrenceDialog, "recurrence")
    assert dialog.words.text() == "Every week on Monday and Wednesday"
    dialog.close()
