"""Editing a list in place by keyboard: one cell, ranges, the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit

from desktop_crm.services import filters, query, records, undo
from desktop_crm.services.customizing import fields
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.grid.cell_editor import CellEditor
from desktop_crm.views.grid.paste_dialog import PasteDialog
from desktop_crm.views.panes.record_pane import RecordPane
from tests.support.windows import child, pane_of, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.lists.record_view import RecordView
    from desktop_crm.views.workbench import Workbench

Opened = Callable[[str], RecordPane]
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Opened:
    def show(entity: str) -> RecordPane:
        pane = pane_of(bench, qtbot, entity, "all")
        pane.list.table.setFocus()
        return pane

    return show


def go_to(pane: RecordPane, row: int, path: str) -> None:
    columns = [column.path for column in pane.list.model.columns]
    pane.list.table.setCurrentIndex(pane.list.model.index(row, columns.index(path)))


def press(table: RecordView, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
    QTest.keyClick(table, key, modifier or Qt.KeyboardModifier.NoModifier)


def editor_of(pane: RecordPane) -> CellEditor:
    return child(pane.list.table.viewport(), CellEditor)


def value(bench: Workbench, key: int | None, field: str) -> object:
    assert key is not None
    return records.get(bench.actor, "account", key).values[field]


def select(pane: RecordPane, top: int, bottom: int, first: str, last: str) -> None:
    columns = [column.path for column in pane.list.model.columns]
    model = pane.list.model
    chosen = QItemSelection(
        model.index(top, columns.index(first)), model.index(bottom, columns.index(last))
    )
    selection = pane.list.table.selectionModel()
    selection.setCurrentIndex(
        model.index(top, columns.index(first)), QItemSelectionModel.SelectionFlag.NoUpdate
    )
    selection.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)


def in_grid(pane: RecordPane) -> None:
    next(a for a in pane.commands() if a.id == "grid.toggle").run()
    assert pane.list.table.is_grid


def test_a_cell_is_edited_and_saved_with_undo(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    before = value(bench, key, "industry")
    go_to(pane, 0, "industry")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    assert line.text() == str(before or "")
    QTest.keyClicks(line, "Lighting")
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert value(bench, key, "industry") == "Lighting"
    assert pane.list.table.viewport().findChild(CellEditor) is None or editor_of(pane).isHidden()
    undo.undo(bench.actor)
    assert value(bench, key, "industry") == before


def test_escape_changes_nothing(opened: Opened, bench: Workbench, qtbot: QtBot) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    before = value(bench, key, "industry")
    go_to(pane, 0, "industry")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    QTest.keyClicks(line, "Other")
    QTest.keyClick(line, Qt.Key.Key_Escape)
    settle(qtbot, bench)
    assert value(bench, key, "industry") == before
    assert pane.list.table.hasFocus()


def test_what_cannot_be_edited_there_says_why(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("contact")
    go_to(pane, 0, "full_name")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    assert "set by the program" in pane.list.notice.text


def test_a_wrong_value_stays_in_the_cell_with_its_reason(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    go_to(pane, 0, "name")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    line.clear()
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(qtbot, bench)
    problem = child(pane.list.table.viewport(), QLabel, "cell.problem")
    assert "missing" in problem.text()
    assert editor_of(pane).isVisible()
    QTest.keyClick(line, Qt.Key.Key_Escape)


def test_somebody_elses_change_is_not_overwritten(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "industry")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    records.save(bench.actor, "account", key, None, {"industry": "Theirs"})
    line = child(editor_of(pane), QLineEdit)
    QTest.keyClicks(line, "Mine")
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(qtbot, bench)
    problem = child(pane.list.table.viewport(), QLabel, "cell.problem")
    assert "Theirs" in problem.text()
    assert value(bench, key, "industry") == "Theirs"


def test_what_is_typed_stays_when_the_list_is_read_anew(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "industry")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    QTest.keyClicks(line, "Lighting")
    made = records.save(bench.actor, "account", None, None, {"name": "Aaron"})
    bench.bus.publish(made.changes)
    qtbot.waitUntil(lambda: pane.list.model.id_at(0) == made.id)
    settle(qtbot, bench)
    assert (line.text(), line.hasFocus()) == ("Lighting", True)
    place = pane.list.table.visualRect(pane.list.model.index(1, 0))
    assert place.top() <= editor_of(pane).geometry().center().y() <= place.bottom()
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert value(bench, key, "industry") == "Lighting"


def test_the_cell_stays_chosen_when_the_list_is_read_anew(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    in_grid(pane)
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "city")
    made = records.save(bench.actor, "account", None, None, {"name": "Aaron and Sons"})
    bench.bus.publish(made.changes)
    qtbot.waitUntil(lambda: pane.list.model.id_at(0) == made.id)
    settle(qtbot, bench)
    (cell,) = pane.list.table.selectionModel().selectedIndexes()
    assert cell == pane.list.table.currentIndex()
    assert (cell.row(), pane.list.model.columns[cell.column()].path) == (1, "city")
    QTest.keyClicks(pane.list.table, "C")
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    QTest.keyClicks(line, "luj")
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert value(bench, key, "city") == "Cluj"


def test_tab_goes_on_to_the_next_cell_of_a_grouped_list(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    pane.list.arrange(group="relationship_type")
    settle(qtbot, bench)
    in_grid(pane)
    key = pane.list.model.id_at(1)
    go_to(pane, 1, "industry")
    for typed in ("Wood", "Cluj"):
        QTest.keyClicks(pane.list.table, typed[0])
        settle(qtbot, bench)
        line = child(editor_of(pane), QLineEdit)
        QTest.keyClicks(line, typed[1:])
        QTest.keyClick(line, Qt.Key.Key_Tab)
        qtbot.waitUntil(lambda: editor_of(pane).cell.field != "industry")
        settle(qtbot, bench)
        QTest.keyClick(child(editor_of(pane), QLineEdit), Qt.Key.Key_Escape)
        pane.list.table.setFocus()
    assert (value(bench, key, "industry"), value(bench, key, "city")) == ("Wood", "Cluj")


def test_what_is_typed_is_saved_when_its_row_leaves_the_list(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "industry")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    QTest.keyClicks(child(editor_of(pane), QLineEdit), "Lighting")
    pane.list.filter_by(filters.parse("name = Nobody", "account"))
    qtbot.waitUntil(lambda: pane.list.count == 0)
    settle(qtbot, bench)
    assert value(bench, key, "industry") == "Lighting"
    assert pane.list.table.viewport().findChild(CellEditor) is None or editor_of(pane).isHidden()


def test_what_is_typed_is_saved_when_the_list_goes_out_of_sight(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "industry")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    QTest.keyClicks(child(editor_of(pane), QLineEdit), "Lighting")
    pane.hide()
    settle(qtbot, bench)
    assert value(bench, key, "industry") == "Lighting"


def test_a_window_with_an_unreadable_cell_is_not_left(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("opportunity")
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "amount")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    line.selectAll()
    QTest.keyClicks(line, "many")
    assert not pane.may_leave()
    assert "not a number" in child(pane.list.table.viewport(), QLabel, "cell.problem").text()
    line.selectAll()
    QTest.keyClicks(line, "1,250")
    assert pane.may_leave()
    settle(qtbot, bench)
    assert key is not None
    assert records.get(bench.actor, "opportunity", key).values["amount"] == 1250


def test_a_field_retired_under_the_cursor_says_so_and_keeps_what_is_typed(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    made = records.save(
        bench.actor, "custom_field", None, None,
        {"entity": "account", "kind": "text", "label": "Hall"},
    )  # fmt: skip
    (hall,) = fields.of_entity(bench.actor, "account")
    bench.bus.publish(made.changes)
    pane = opened("account")
    pane.list.arrange(columns=["name", hall.name])
    settle(qtbot, bench)
    go_to(pane, 0, hall.name)
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    QTest.keyClicks(line, "West")
    bench.bus.publish(fields.retire(bench.actor, hall))
    qtbot.waitUntil(lambda: len(pane.list.model.columns) == 1)
    settle(qtbot, bench)
    problem = child(pane.list.table.viewport(), QLabel, "cell.problem")
    assert "“Hall” was retired" in problem.text()
    assert (line.text(), line.isVisible()) == ("West", True)
    QTest.keyClick(line, Qt.Key.Key_Escape)
    assert pane.list.table.hasFocus()


def test_typing_in_the_edit_mode_replaces_and_tab_goes_on(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    in_grid(pane)
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "industry")
    QTest.keyClicks(pane.list.table, "W")
    settle(qtbot, bench)
    line = child(editor_of(pane), QLineEdit)
    QTest.keyClicks(line, "ood")
    QTest.keyClick(line, Qt.Key.Key_Tab)
    settle(qtbot, bench)
    assert value(bench, key, "industry") == "Wood"
    assert editor_of(pane).cell.field == "city", "the next cell is open"
    QTest.keyClick(editor_of(pane).editor, Qt.Key.Key_Escape)
    press(pane.list.table, Qt.Key.Key_Escape)
    assert not pane.list.table.is_grid


def test_a_choice_is_edited_in_its_cell(opened: Opened, bench: Workbench, qtbot: QtBot) -> None:
    pane = opened("account")
    key = pane.list.model.id_at(0)
    go_to(pane, 0, "relationship_type")
    press(pane.list.table, Qt.Key.Key_F2)
    settle(qtbot, bench)
    combo = child(editor_of(pane), QComboBox)
    combo.setCurrentIndex(combo.findData("press"))
    QTest.keyClick(combo, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert value(bench, key, "relationship_type") == "press"


def test_a_range_is_copied_as_text_and_html(opened: Opened, bench: Workbench, qtbot: QtBot) -> None:
    pane = opened("account")
    in_grid(pane)
    select(pane, 0, 1, "name", "industry")
    press(pane.list.table, Qt.Key.Key_C, CONTROL)
    settle(qtbot, bench)
    data = QGuiApplication.clipboard().mimeData()
    lines = data.text().split("\n")
    assert len(lines) == 2
    assert all(line.count("\t") == 2 for line in lines)
    assert str(pane.list.model.data(pane.list.model.index(0, 0))) in lines[0]
    assert "<td" in data.html()


def test_rows_are_copied_with_their_headings(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    pane.list.table.selectAll()
    press(pane.list.table, Qt.Key.Key_C, CONTROL)
    settle(qtbot, bench)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert len(lines) == pane.list.count + 1
    assert lines[0].split("\t")[0] == pane.list.model.columns[0].label


def test_a_pasted_range_is_shown_first_and_cells_can_be_struck_out(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    in_grid(pane)
    keys = [pane.list.model.id_at(row) for row in (0, 1)]
    before = value(bench, keys[1], "industry")
    select(pane, 0, 0, "industry", "industry")
    QGuiApplication.clipboard().setText("Glass\tOradea\nStone\tArad\n")
    press(pane.list.table, Qt.Key.Key_V, CONTROL)
    settle(qtbot, bench)
    dialog = child(bench.shell.window_widget(), PasteDialog)
    assert value(bench, keys[0], "industry") != "Glass", "nothing before the question"
    model = dialog.table.model()
    row = next(r for r in range(model.rowCount()) if model.data(model.index(r, 3)) == "Stone")
    dialog.table.setFocus()
    dialog.table.setCurrentIndex(model.index(row, 0))
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    go = child(dialog, QAbstractButton, "pasteDialog.go")
    go.setFocus()
    QTest.keyClick(go, Qt.Key.Key_Space)
    settle(qtbot, bench)
    assert value(bench, keys[0], "industry") == "Glass"
    assert value(bench, keys[0], "city") == "Oradea"
    assert value(bench, keys[1], "industry") == before
    assert value(bench, keys[1], "city") == "Arad"
    undo.undo(bench.actor)
    assert value(bench, keys[1], "city") != "Arad"


def test_why_a_cell_stays_is_told_whole_below_the_comparison(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    in_grid(pane)
    select(pane, 0, 0, "name", "name")
    QGuiApplication.clipboard().setText("\tGlass\n")
    press(pane.list.table, Qt.Key.Key_V, CONTROL)
    settle(qtbot, bench)
    dialog = child(bench.shell.window_widget(), PasteDialog)
    reason = child(dialog, QLabel, "pasteDialog.reason")
    model = dialog.table.model()
    assert reason.isVisible()
    assert "missing" in reason.text()
    dialog.table.setFocus()
    QTest.keyClick(dialog.table, Qt.Key.Key_Down)
    assert reason.text() == model.data(model.index(1, 3))
    assert "Possible:" in reason.text()
    dialog.reject()


def test_a_ragged_range_is_refused_with_its_place(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    in_grid(pane)
    go_to(pane, 0, "industry")
    QGuiApplication.clipboard().setText("a\tb\nc")
    press(pane.list.table, Qt.Key.Key_V, CONTROL)
    settle(qtbot, bench)
    assert "in row 2: 1." in pane.list.notice.text
    assert bench.shell.window_widget().findChild(PasteDialog) is None


def test_filling_down_and_clearing_ask_first(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened("account")
    keys = [pane.list.model.id_at(row) for row in (0, 1)]
    records.save(bench.actor, "account", keys[0], None, {"industry": "Glass"})
    in_grid(pane)
    select(pane, 0, 1, "industry", "industry")
    press(pane.list.table, Qt.Key.Key_D, CONTROL)
    settle(qtbot, bench)
    dialog = child(bench.shell.window_widget(), PasteDialog)
    QTest.keyClick(dialog.go, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert [value(bench, key, "industry") for key in keys] == ["Glass", "Glass"]
    qtbot.waitUntil(lambda: bench.shell.window_widget().findChild(PasteDialog) is None)
    select(pane, 0, 1, "industry", "industry")
    press(pane.list.table, Qt.Key.Key_Delete)
    settle(qtbot, bench)
    dialog = child(bench.shell.window_widget(), PasteDialog)
    QTest.keyClick(dialog.go, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert [value(bench, key, "industry") for key in keys] == [None, None]
    found = query.keys(bench.actor, RecordQuery("account", ("name",)))
    assert set(keys) <= set(found), "no record was deleted"
