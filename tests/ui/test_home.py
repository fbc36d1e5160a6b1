"""Home: what is due, what is open, and how it stands."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from desktop_crm.services import records
from desktop_crm.views.panes.home import HomePane
from tests.support.windows import settle


@pytest.fixture
def pane(bench, qtbot):
    made = HomePane(bench)
    qtbot.addWidget(made)
    made.resize(1300, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def titles(list_):
    return [line.title for line in list_.lines if line.id is not None]


def test_my_day_and_my_opportunities(pane):
    assert titles(pane.day_list) == [
        "Send the drawings",
        "Product demonstration",
        "Call back Claire",
    ]
    assert titles(pane.deal_list)[0] == "Packaging line"
    assert pane.status_text() == "1 overdue · 2 due today"


def test_figures_are_shown_in_the_companys_currency(pane):
    assert pane.kpi_pipeline.figure() == "65,000 EUR"
    assert pane.kpi_weighted.figure() == "15,900 EUR"
    assert "5 open opportunities" in pane.kpi_pipeline.accessibleDescription()
    assert "Proposal: 2, 10,000 EUR" in pane.funnel.accessibleDescription()


def test_space_completes_a_task(pane, company, qtbot):
    pane.day_list.setFocus()
    assert pane.day_list.current_line().title == "Send the drawings"
    qtbot.keyClick(pane.day_list, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Send the drawings" not in titles(pane.day_list))
    late = records.get(company.actor, "activity", company.ids["late"]).values
    assert late["state"] == "completed"
    assert late["completed_at"] is not None
    assert ("Completed", "Send the drawings") in pane.bench.shell.toasts


def test_an_appointment_is_opened_not_ticked(pane, company, qtbot):
    pane.day_list.setFocus()
    qtbot.keyClick(pane.day_list, Qt.Key.Key_Down)
    line = pane.day_list.current_line()
    assert (line.title, line.tickable) == ("Product demonstration", False)
    qtbot.keyClick(pane.day_list, Qt.Key.Key_Return)
    assert pane.bench.shell.opened == [("activity", company.ids["demo"])]


def test_clicks_lead_to_what_is_counted(pane, qtbot):
    qtbot.mouseClick(pane.kpi_won, Qt.MouseButton.LeftButton)
    pane.funnel.setFocus()
    qtbot.keyClick(pane.funnel, Qt.Key.Key_Return)
    assert pane.bench.shell.modules == ["opportunity", "opportunity"]
    first = pane.deal_list.visualRect(pane.deal_list.model().index(0, 0)).center()
    qtbot.mouseClick(pane.deal_list.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert pane.bench.shell.opened[0][0] == "opportunity"


def test_empty_lists_say_what_to_do(pane, company, qtbot):
    for name in ("late", "call", "demo"):
        records.delete(company.actor, "activity", [company.ids[name]])
    pane.refresh()
    settle(qtbot, pane.bench)
    empty = pane.findChild(object, "myDayEmpty")
    assert empty.isVisible()
    pane.findChild(object, "myDayEmpty.action").click()
    assert pane.bench.shell.new == [("activity", {"kind": "task"})]


def test_it_follows_changes_made_elsewhere(pane, company, qtbot):
    saved = records.save(
        company.actor, "opportunity", company.ids["Idea"], None, {"name": "Better idea"}
    )
    pane.bench.bus.publish(saved.changes)
    qtbot.waitUntil(lambda: "Better idea" in titles(pane.deal_list))
