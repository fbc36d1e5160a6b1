"""Keys in the whole window: the part that has the focus takes them, no other one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from desktop_crm.models.marking import MarkKind
from desktop_crm.services import marks, views
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.views.charts.board import Board
from desktop_crm.views.grid.paste_dialog import PasteDialog
from desktop_crm.views.panes.record_pane import RecordPane
from tests.support.windows import child, expect

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from tests.support.company import Company

Open = Callable[[str], "MainWindow"]
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


def pane_of(window: MainWindow) -> RecordPane:
    window.activateWindow()
    return expect(window.workspace.current(), RecordPane)


def quiet(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)


def test_delete_in_the_list_deletes_the_record(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    gone, before = pane.list.table.current_id(), pane.list.count
    pane.list.table.setFocus()
    QTest.keyClick(pane.list.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: pane.list.count == before - 1, timeout=10_000)
    assert pane.list.model.row_of(gone or 0) == -1


def test_delete_on_a_board_deletes_the_card(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    pane.board.show("relationship_type")
    qtbot.waitUntil(lambda: pane.board.current_id() is not None, timeout=10_000)
    gone = pane.board.current_id()
    assert gone is not None
    board = child(pane, Board)
    board.setFocus()
    QTest.keyClick(board, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: pane.board.current_id() != gone, timeout=10_000)
    quiet(window, qtbot)
    assert pane.list.model.row_of(gone) == -1


def test_delete_in_the_tree_of_views_deletes_the_view_alone(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    key = f"saved:{views.create(company.actor, 'account', 'Mine alone', ListLayout()).id}"
    window = open_window("account")
    pane = pane_of(window)
    pane.views.choose(key)
    quiet(window, qtbot)
    before = pane.list.count
    pane.nav.setFocus()
    QTest.keyClick(pane.nav, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: pane.views.views.find(key) is None, timeout=10_000)
    quiet(window, qtbot)
    pane.views.choose("all")
    quiet(window, qtbot)
    assert pane.list.count == before


def test_fill_down_has_its_key_in_the_edit_mode_and_the_favourite_outside_it(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    window = open_window("account")
    pane = pane_of(window)
    pane.views.choose("all")
    quiet(window, qtbot)
    table = pane.list.table
    table.setFocus()
    column = [c.path for c in pane.list.model.columns].index("industry")

    def favourites() -> list[int]:
        return list(marks.keys(company.actor, MarkKind.FAVOURITE, "account"))

    QTest.keyClick(table, Qt.Key.Key_E, CONTROL | SHIFT)
    assert table.is_grid
    table.setCurrentIndex(pane.list.model.index(0, column))
    QTest.keyClick(table, Qt.Key.Key_Down, SHIFT)
    QTest.keyClick(table, Qt.Key.Key_Down, SHIFT)
    QTest.keyClick(table, Qt.Key.Key_D, CONTROL)
    quiet(window, qtbot)
    assert favourites() == []
    dialog = window.findChild(PasteDialog)
    assert dialog is not None or "already" in pane.list.notice.text
    if dialog is not None:
        dialog.reject()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert not table.is_grid
    QTest.keyClick(table, Qt.Key.Key_D, CONTROL)
    qtbot.waitUntil(lambda: table.current_id() in favourites(), timeout=10_000)


def test_tab_goes_from_the_last_button_of_the_ribbon_to_its_menu(
    open_window: Open, qtbot: QtBot
) -> None:
    window = open_window("account")
    pane_of(window)
    qtbot.waitUntil(window.isActiveWindow)
    more = child(window, QWidget, "ribbon.more")
    shown = [b for b in window.ribbon.findChildren(QAbstractButton) if b.isVisible() and b != more]
    shown[-1].setFocus()
    QTest.keyClick(shown[-1], Qt.Key.Key_Tab)
    assert more.hasFocus()


def test_tab_goes_from_the_tabs_of_a_record_to_its_facts(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("contact")
    pane = pane_of(window)
    qtbot.waitUntil(lambda: pane.detail.overview.facts is not None, timeout=10_000)
    quiet(window, qtbot)
    tabs = pane.detail.tabs
    control: QWidget = tabs if tabs.more.isHidden() else tabs.more
    control.setFocus()
    QTest.keyClick(control, Qt.Key.Key_Tab)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.objectName() == "fact.contact.email"
    QTest.keyClick(focused, Qt.Key.Key_Backtab)
    assert QApplication.focusWidget() is control
