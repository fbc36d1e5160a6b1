"""The filter builder by keyboard: rows, groups, related records, text, count, chips of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSpinBox,
    QToolButton,
    QWidget,
)

from desktop_crm.services.filters import Group, Node, Related, Rule, normal, parse
from desktop_crm.services.list_view import ListView
from desktop_crm.views.filters.check_menu import CheckMenuButton
from desktop_crm.views.filters.chips import ChipLine
from desktop_crm.views.filters.filter_dialog import FilterDialog
from desktop_crm.views.filters.filter_edit import FilterEdit
from desktop_crm.views.lists.list_panel import ListPanel
from tests.support.windows import child, expect, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)

EVERYTHING = (
    "name contains r and (created_at = last 3 weeks or modified_at between 2026-01-01 and today"
    " or owner in (me, my team)) and not (tags has vip or relationship_type in (customer, partner))"
    " and has opportunity (amount > 9000 and not (state = won)) and count contact >= 1"
    " and sum opportunity.amount (close_on >= today-30) > 100 and owner = me"
)


def make(bench: Workbench, qtbot: QtBot, node: Node | None = None) -> FilterDialog:
    dialog = FilterDialog(bench, "account", node)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    settle(qtbot, bench)
    return dialog


def focused() -> QWidget:
    return expect(QApplication.focusWidget(), QWidget)


def press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(focused(), key, modifier)


def write(text: str) -> None:
    QTest.keyClicks(focused(), text)


def count_of(dialog: FilterDialog, bench: Workbench, qtbot: QtBot) -> str:
    count = dialog.edit.count
    qtbot.waitUntil(lambda: not bench.tasks.busy and count.text()[:1].isdigit(), timeout=5000)
    return count.text()


def test_a_condition_is_built_by_keyboard_alone(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        write("nam")
        press(Qt.Key.Key_Return)
        assert focused().objectName() == "filter.2.operator"
        press(Qt.Key.Key_Tab)
        write("rossi")
        assert dialog.edit.node() == Rule("name", "contains", "rossi")
        assert dialog.edit.text.toPlainText() == "name contains rossi"
        qtbot.waitUntil(lambda: dialog.edit.count.text() == "1 record", timeout=5000)
        dialog.apply.setFocus()
        press(Qt.Key.Key_Space)
    assert chosen.args == [Rule("name", "contains", "rossi")]


def test_a_field_behind_a_link_is_found_by_part_of_its_name(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot)
    write("parent account · city")
    press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_Tab)
    write("Cluj")
    assert dialog.edit.node() == Rule("parent.city", "contains", "Cluj")


def test_related_records_have_conditions_of_their_own(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot, Rule("name", "not empty"))
    assert count_of(dialog, bench, qtbot) == "2 records"
    child(dialog, QToolButton, "filter.1.add_related").setFocus()
    press(Qt.Key.Key_Space)
    write("opportunit")
    press(Qt.Key.Key_Return)
    inner = child(dialog, QToolButton, "filter.4.add")
    inner.setFocus()
    press(Qt.Key.Key_Space)
    write("amount")
    press(Qt.Key.Key_Return)
    write(">")
    press(Qt.Key.Key_Tab)
    write("20000")
    wanted = Related("opportunity", "has", Rule("amount", ">", "20000"))
    assert dialog.edit.node() == Group("all", (Rule("name", "not empty"), wanted))
    qtbot.waitUntil(lambda: dialog.edit.count.text() == "1 record", timeout=5000)


def test_every_part_of_a_filter_is_shown_and_read_back(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    node = expect(parse(f"{EVERYTHING} and parent != #{key}", "account"), Group)
    dialog = make(bench, qtbot, node)
    problems: list[QWidget] = []
    assert normal(dialog.edit.root.read(problems)) == node
    assert problems == []
    assert dialog.edit.check()


def test_several_choices_are_checked_by_keyboard(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot, Rule("relationship_type", "in", ("partner",)))
    button = child(dialog, CheckMenuButton, "filter.2.value")
    assert button.text() == "Partner"
    button.setFocus()
    press(Qt.Key.Key_Down)
    menu = child(button, QMenu)
    qtbot.waitUntil(menu.isVisible)
    first = menu.activeAction().text()
    QTest.keyClick(menu, Qt.Key.Key_Space)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert not menu.isVisible()
    rule = expect(dialog.edit.node(), Rule)
    assert len(expect(rule.value, tuple)) == 2
    assert first in button.text()


def test_a_time_relative_to_today_is_chosen_by_keyboard(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot, Rule("created_at", ">=", "2026-11-01"))
    when = child(dialog, QComboBox, "filter.2.value")
    assert child(dialog, QLineEdit, "filter.2.value.day").text() == "01 Nov 2026"
    when.setFocus()
    write("Last")
    number = child(dialog, QSpinBox, "filter.2.value.number")
    number.setFocus()
    number.selectAll()
    write("3")
    unit = child(dialog, QComboBox, "filter.2.value.unit")
    unit.setFocus()
    write("weeks")
    assert dialog.edit.node() == Rule("created_at", ">=", "last 3 weeks")


def test_records_are_added_to_a_list_by_typing(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot, Rule("owner", "in", ("me",)))
    line = child(dialog, QLineEdit, "filter.2.value")
    line.setFocus()
    write("dan")
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    found = expect(QApplication.activePopupWidget(), QWidget)
    assert found.objectName() == "filter.2.value.suggestions"
    QTest.keyClick(found, Qt.Key.Key_Down)
    QTest.keyClick(found, Qt.Key.Key_Return)
    dan = expect(company.other.user_id, int)
    assert dialog.edit.node() == Rule("owner", "in", ("me", dan))
    child(dialog, QToolButton, "filter.2.value.chosen.me").click()
    assert dialog.edit.node() == Rule("owner", "in", (dan,))


def test_conditions_move_and_go_by_keyboard(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    first, second = Rule("name", "contains", "a"), Rule("city", "empty")
    dialog = make(bench, qtbot, Group("any", (first, second)))
    changed = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    assert focused().objectName() == "filter.2.field"
    press(Qt.Key.Key_Down, changed)
    assert dialog.edit.node() == Group("any", (second, first))
    press(Qt.Key.Key_Up, changed)
    assert dialog.edit.node() == Group("any", (first, second))
    child(dialog, QToolButton, "filter.2.remove").setFocus()
    press(Qt.Key.Key_Space)
    assert dialog.edit.node() == second
    assert focused().objectName() == "filter.3.field"


def test_what_is_missing_is_said_at_its_place_and_nothing_is_applied(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot)
    taken: list[object] = []
    dialog.chosen.connect(taken.append)
    write("annual revenue")
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Tab)
    write("much")
    dialog.apply.click()
    note = dialog.findChild(QWidget, "filter.2.note")
    assert note is not None
    assert "“much” is not a number" in str(note.property("text"))
    assert taken == []
    assert dialog.isVisible()


def test_the_text_changes_the_rows_and_errors_point_at_the_place(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = make(bench, qtbot)
    text = child(dialog, QPlainTextEdit, "filter.text")
    text.setFocus()
    write("has opportunity (amont > 3)")
    qtbot.waitUntil(lambda: "Did you mean “amount”?" in dialog.edit.note.text())
    (mark,) = text.extraSelections()
    assert mark.cursor.selectedText() == "amont"
    assert dialog.edit.node() is None
    text.selectAll()
    write("city is not empty")
    qtbot.waitUntil(lambda: dialog.edit.node() == Rule("city", "not empty"))
    assert not dialog.edit.note.isVisible()
    assert text.toPlainText() == "city is not empty"
    assert len(dialog.edit.root.members()) == 1


def test_a_late_count_is_dropped(bench: Workbench, company: Company, qtbot: QtBot) -> None:
    dialog = make(bench, qtbot, Rule("name", "contains", "rossi"))
    text = child(dialog, QPlainTextEdit, "filter.text")
    for condition in ("name contains zzz", "name not contains zzz"):
        text.setPlainText(condition)
        text.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.waitUntil(lambda: dialog.edit.count.text() == "2 records", timeout=5000)


def test_clearing_takes_everything_out(bench: Workbench, company: Company, qtbot: QtBot) -> None:
    dialog = make(bench, qtbot, parse("name contains a and city empty", "account"))
    with qtbot.waitSignal(dialog.edit.changed) as changed:
        dialog.edit.clear()
    assert changed.args == [None]
    assert dialog.edit.root.members() == []
    # Until then it shows how many there were before.
    qtbot.waitUntil(lambda: dialog.edit.count.text() == "2 records", timeout=5000)


def test_a_builder_without_a_count_asks_nothing(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    edit = FilterEdit(bench, "contact", Rule("last_name", "contains", "a"), counts=False)
    qtbot.addWidget(edit)
    edit.show()
    assert edit.node() == Rule("last_name", "contains", "a")
    assert not bench.tasks.busy
    assert not edit.count.isVisible()


# --- lists --------------------------------------------------------------------------------------


@pytest.fixture
def panel(bench: Workbench, company: Company, qtbot: QtBot) -> ListPanel:
    made = ListPanel("account", bench)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    made.show_view(ListView("all", "All accounts"))
    settle(qtbot, bench)
    return made


def test_each_condition_of_a_list_is_a_chip_that_can_go(
    panel: ListPanel, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    panel.filter_by(parse(f"name contains ross and parent != #{key}", "account"))
    settle(qtbot, bench)
    assert panel.count == 1
    chips = child(panel, ChipLine)

    def said() -> list[str]:
        buttons = chips.findChildren(QToolButton)
        return [b.accessibleName() for b in buttons if "remove" not in b.objectName()]

    # Those they take the place of go when Qt comes to it.
    expected = ["Name contains ross", "Parent account is not Officine Rossi"]
    qtbot.waitUntil(lambda: said() == expected, timeout=5000)
    child(panel, QToolButton, "conditions.account.chip.1.remove").click()
    settle(qtbot, bench)
    assert panel.count == 2
    child(panel, QToolButton, "conditions.account.chip.1.remove").click()
    settle(qtbot, bench)
    assert panel.count == 2
    assert not chips.isVisible()


def test_the_button_of_a_list_opens_the_builder(
    panel: ListPanel, bench: Workbench, qtbot: QtBot
) -> None:
    panel.search.setText("=name contains ross")
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    settle(qtbot, bench)
    panel.builder.setFocus()
    QTest.keyClick(panel.builder, Qt.Key.Key_Space)
    dialog = child(panel.window(), FilterDialog)
    settle(qtbot, bench)
    assert dialog.edit.node() == Rule("name", "contains", "ross")
    line = child(dialog, QLineEdit, "filter.2.value")
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "dumb")
    dialog.apply.click()
    settle(qtbot, bench)
    assert panel.count == 1
    assert panel.query().filter == Rule("name", "contains", "dumb")
    assert panel.search.text() == ""


def test_words_typed_keep_the_conditions(panel: ListPanel, bench: Workbench, qtbot: QtBot) -> None:
    panel.filter_by(Rule("name", "not empty"))
    panel.search.setText("rossi")
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert panel.query().filter == Rule("name", "not empty")
    assert panel.count == 1
