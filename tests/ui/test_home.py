"""Home: what is due, what is open, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop_crm.services import records
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.panes.home import HomePane
from tests.support.company import Company
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> HomePane:
    made = HomePane(bench)
    qtbot.addWidget(made)
    made.resize(1300, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def titles(list_: LineList) -> list[str]:
    return [line.title for line in list_.lines if line.id is not None]


def test_my_day_and_my_opportunities(pane: HomePane) -> None:
    assert titles(pane.day_list) == [
        "Send the drawings",
        "Product demonstration",
        "Call back Claire",
    ]
    assert titles(pane.deal_list)[0] == "Packaging line"
    assert pane.status_text() == "1 overdue · 2 due today"


def test_figures_are_shown_in_the_companys_currency(pane: HomePane) -> None:
    assert pane.kpi_pipeline.figure() == "65,000 EUR"
    assert pane.kpi_weighted.figure() == "15,900 EUR"
    assert "5 open opportunities" in pane.kpi_pipeline.accessibleDescription()
    assert "Proposal: 2, 10,000 EUR" in pane.funnel.accessibleDescription()


def test_space_completes_a_task(pane: HomePane, company: Company, qtbot: QtBot) -> None:
    pane.day_list.setFocus()
    assert expect(pane.day_list.current_line(), Line).title == "Send the drawings"
    QTest.keyClick(pane.day_list, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Send the drawings" not in titles(pane.day_list))
    late = records.get(company.actor, "activity", company.ids["late"]).values
    assert late["state"] == "completed"
    assert late["completed_at"] is not None
    assert ("Completed", "Send the drawings") in shell_of(pane.bench).toasts


def test_an_appointment_is_opened_not_ticked(pane: HomePane, company: Company) -> None:
    pane.day_list.setFocus()
    QTest.keyClick(pane.day_list, Qt.Key.Key_Down)
    line = expect(pane.day_list.current_line(), Line)
    assert (line.title, line.tickable) == ("Product demonstration", False)
    QTest.keyClick(pane.day_list, Qt.Key.Key_Return)
    assert shell_of(pane.bench).opened == [("activity", company.ids["demo"])]


def test_clicks_lead_to_what_is_counted(pane: HomePane) -> None:
    QTest.mouseClick(pane.kpi_won, Qt.MouseButton.LeftButton)
    pane.funnel.setFocus()
    QTest.keyClick(pane.funnel, Qt.Key.Key_Return)
    assert shell_of(pane.bench).modules == ["opportunity", "opportunity"]
    first = pane.deal_list.visualRect(pane.deal_list.model().index(0, 0)).center()
    QTest.mouseClick(pane.deal_list.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert shell_of(pane.bench).opened[0][0] == "opportunity"


def test_empty_lists_say_what_to_do(pane: HomePane, company: Company, qtbot: QtBot) -> None:
    for name in ("late", "call", "demo"):
        records.delete(company.actor, "activity", [company.ids[name]])
    pane.refresh()
    settle(qtbot, pane.bench)
    empty = child(pane, QWidget, "myDayEmpty")
    assert empty.isVisible()
    child(pane, QAbstractButton, "myDayEmpty.action").click()
    assert shell_of(pane.bench).new == [("activity", {"kind": "task"})]


def test_it_follows_changes_made_elsewhere(pane: HomePane, company: Company, qtbot: QtBot) -> None:
    saved = records.save(
        company.actor, "opportunity", company.ids["Idea"], None, {"name": "Better idea"}
    )
    pane.bench.bus.publish(saved.changes)
    qtbot.waitUntil(lambda: "Better idea" in titles(pane.deal_list))
