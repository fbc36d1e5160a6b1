"""Forms as windows: tabs, folding, help, walking through a list, places."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QScrollArea, QTabBar

from desktop_crm.meta import registry
from desktop_crm.meta.field import Section
from desktop_crm.services import records
from desktop_crm.views import window_places
from desktop_crm.views.forms import editing as editing_module
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.forms.form_pages import tab_labels
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.forms.sections import FoldButton
from desktop_crm.views.lists.record_model import RecordModel
from desktop_crm.views.widgets.overlays import Toast
from tests.support.forms import line, opened
from tests.support.windows import child, expect, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.panes.record_pane import RecordPane
    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Open = Callable[[str], "MainWindow"]
CTRL = Qt.KeyboardModifier.ControlModifier


def form_of(bench: Workbench, qtbot: QtBot, entity: str) -> RecordForm:
    form = RecordForm(entity, bench)
    qtbot.addWidget(form)
    with qtbot.waitActive(form):
        form.show()
        form.activateWindow()
    return form


def press(form: RecordForm, key: Qt.Key, with_keys: Qt.KeyboardModifier) -> None:
    QTest.keyClick(form.window().focusWidget(), key, with_keys)


# --- tabs and sections --------------------------------------------------------------------------


def test_sections_stay_on_the_tab_before_them() -> None:
    form = (Section("A", ("x",)), Section("B", ("y",), "Second"), Section("C", ("z",)))
    assert tab_labels(form) == ["A", "Second", "Second"]
    assert tab_labels(form[:1]) == [""]


def test_tabs_turn_by_keyboard(bench: Workbench, qtbot: QtBot) -> None:
    form = form_of(bench, qtbot, "opportunity")
    tabs = child(form, QTabBar, "form.opportunity.tabs")
    assert [tabs.tabText(n) for n in range(tabs.count())] == ["General", "Products", "Details"]
    line(form, "name").setFocus()
    press(form, Qt.Key.Key_Tab, CTRL)
    press(form, Qt.Key.Key_Tab, CTRL)
    assert tabs.currentIndex() == 2
    assert form.boxes["need"].isVisible()
    assert not form.boxes["name"].isVisible()
    press(form, Qt.Key.Key_Backtab, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert tabs.currentIndex() == 1


def in_front(qtbot: QtBot, dialog: FormDialog) -> None:
    with qtbot.waitActive(dialog):
        dialog.activateWindow()


def test_turning_to_a_tab_by_mouse_never_leaves_the_focus_on_delete(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot, company)
    in_front(qtbot, dialog)
    tabs = dialog.form.pages.tabs
    line(dialog.form, "name").setFocus()
    for number in range(tabs.count()):
        place = tabs.tabRect(number).center()
        QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=place)
        settle(qtbot, bench)
        assert tabs.currentIndex() == number
        assert dialog.focusWidget() in (tabs, line(dialog.form, "name")), number
    dialog.close()


def test_the_cursor_stays_in_its_field_when_the_record_is_saved(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot, company)
    in_front(qtbot, dialog)
    dialog.form.go_to("employees")
    line(dialog.form, "employees").setText("12")
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_S, CTRL)
    settle(qtbot, bench)
    assert not dialog.form.is_dirty
    assert dialog.focusWidget() is line(dialog.form, "employees")
    dialog.close()


def test_tabs_that_find_no_room_wait_behind_a_button(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot, company)
    tabs = dialog.form.pages.tabs
    dialog.resize(760, 720)
    for number in range(tabs.count()):
        tabs.setCurrentIndex(number)
        settle(qtbot, bench)
        # A bold current tab is wider; none of them is cut by that.
        assert tabs.hidden_tabs() == []
        assert tabs.tabRect(tabs.count() - 1).right() <= tabs.width()
    tabs.setCurrentIndex(0)
    dialog.setMinimumSize(0, 0)
    dialog.resize(380, 600)
    qtbot.waitUntil(lambda: tabs.hidden_tabs() != [])
    assert tabs.more.isVisible()
    last = tabs.count() - 1
    press(dialog.form, Qt.Key.Key_Backtab, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert tabs.currentIndex() == last
    assert tabs.isTabVisible(last)
    dialog.close()


def test_a_window_is_no_higher_than_its_few_fields(bench: Workbench, qtbot: QtBot) -> None:
    few = FormDialog(None, "tag", bench)
    many = FormDialog(None, "account", bench)
    for dialog in (few, many):
        dialog.show()
        settle(qtbot, bench)
    assert few.height() <= 480
    assert many.height() == 720
    area = child(few, QScrollArea, "form.tag.area")
    assert area.verticalScrollBar().maximum() == 0
    few.close()
    many.close()


def test_a_wrong_field_opens_its_tab_and_its_section(bench: Workbench, qtbot: QtBot) -> None:
    form = form_of(bench, qtbot, "account")
    form.load(records.new(bench.actor, "account", name="Acme"))
    tabs = child(form, QTabBar, "form.account.tabs")
    assert tabs.currentIndex() == 0
    line(form, "employees").setText("many")
    assert not form.check_all()
    assert tabs.currentIndex() == 1
    assert form.boxes["employees"].isVisible()
    assert not tabs.tabIcon(1).isNull()
    assert tabs.tabIcon(0).isNull()
    line(form, "employees").setText("12")
    assert form.check_all()
    assert tabs.tabIcon(1).isNull()


def test_a_section_folds_by_keyboard_and_stays_folded(bench: Workbench, qtbot: QtBot) -> None:
    form = form_of(bench, qtbot, "account")
    head = child(form, FoldButton, "form.account.section.1")
    assert head.accessibleName() == "Contact"
    QTest.keyClick(head, Qt.Key.Key_Space)
    assert not form.boxes["website"].isVisible()
    assert form.boxes["name"].isVisible()
    again = form_of(bench, qtbot, "account")
    assert not again.boxes["website"].isVisible()
    QTest.keyClick(child(again, FoldButton, "form.account.section.1"), Qt.Key.Key_Right)
    assert again.boxes["website"].isVisible()
    assert form_of(bench, qtbot, "account").boxes["website"].isVisible()


def test_a_folded_section_opens_for_a_wrong_field(bench: Workbench, qtbot: QtBot) -> None:
    form = form_of(bench, qtbot, "account")
    form.load(records.new(bench.actor, "account"))
    child(form, FoldButton, "form.account.section.0").click()
    assert not form.check_all()
    assert form.boxes["name"].isVisible()


def test_f1_says_what_a_field_means(bench: Workbench, qtbot: QtBot) -> None:
    form = form_of(bench, qtbot, "account")
    box = form.boxes["domain"]
    line(form, "domain").setFocus()
    press(form, Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier)
    assert box.error.text() == registry.get("account").fields["domain"].help
    assert not box.message
    box.show_error("Wrong")
    assert box.error.text() == "Wrong"
    box.show_error("")
    press(form, Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier)
    assert box.error.text() == ""
    line(form, "industry").setFocus()
    press(form, Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier)
    said = form.boxes["industry"].error.text()
    assert said == "There is nothing more to say about this field."
    sign = child(form, QAbstractButton, "form.account.domain.box.help")
    assert "domain" in sign.accessibleName()


# --- walking ------------------------------------------------------------------------------------


def quiet(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)


@pytest.fixture
def walking(open_window: Open, company: Company, qtbot: QtBot) -> tuple[MainWindow, FormDialog]:
    """The first account of the list, opened in a window of its own from the list."""
    window = open_window("account")
    pane: RecordPane = window.workspace.current()  # type: ignore[assignment]
    pane.list.table.setFocus()
    QTest.keyClick(pane.list.table, Qt.Key.Key_Home, CTRL)
    QTest.keyClick(pane.list.table, Qt.Key.Key_Return)
    quiet(qtbot, window)
    dialog = expect(window.windows.shown()[0], FormDialog)
    return window, dialog


def titles(dialog: FormDialog) -> tuple[str, str]:
    return dialog.windowTitle(), dialog.walk._text.text()


def test_next_and_previous_walk_through_the_list(
    walking: tuple[MainWindow, FormDialog], company: Company, qtbot: QtBot
) -> None:
    window, dialog = walking
    assert titles(dialog) == ("Dumbrava Mobilă", "1 of 2")
    QTest.keyClick(dialog, Qt.Key.Key_PageDown, CTRL)
    quiet(qtbot, window)
    assert titles(dialog) == ("Officine Rossi", "2 of 2")
    assert dialog.shows == ("account", company.ids["rossi"])
    QTest.keyClick(dialog, Qt.Key.Key_PageDown, CTRL)
    quiet(qtbot, window)
    assert titles(dialog) == ("Officine Rossi", "2 of 2")
    QTest.keyClick(dialog, Qt.Key.Key_PageUp, CTRL)
    quiet(qtbot, window)
    assert titles(dialog) == ("Dumbrava Mobilă", "1 of 2")
    assert len(window.windows.shown()) == 1


def test_a_note_stands_in_the_window_one_works_in_and_goes_home_with_it(
    walking: tuple[MainWindow, FormDialog], qtbot: QtBot
) -> None:
    window, dialog = walking
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    window.toast("File deleted", undo=True)
    note = child(dialog, Toast)
    assert window.findChildren(Toast) == []
    assert note.isVisible()
    # It never covers the buttons below.
    foot = child(dialog, QAbstractButton, "form.save")
    assert note.geometry().bottom() < foot.mapTo(dialog, foot.rect().topLeft()).y()
    dialog.close()
    assert child(window, Toast) is note
    assert note.isVisible()


def test_ctrl_z_in_a_record_window_takes_the_last_step_back(
    walking: tuple[MainWindow, FormDialog], company: Company, qtbot: QtBot
) -> None:
    window, dialog = walking
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    key = company.ids["dumbrava"]
    assert window.bench is not None
    old = records.get(company.actor, "account", key).values["industry"]
    saved = records.save(company.actor, "account", key, None, {"industry": "Glass"})
    window.bench.bus.publish(saved.changes)
    quiet(qtbot, window)
    dialog.form.pages.tabs.setFocus()
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Z, CTRL)
    quiet(qtbot, window)
    assert records.get(company.actor, "account", key).values["industry"] == old


def test_walking_asks_only_where_typing_would_be_lost(
    walking: tuple[MainWindow, FormDialog],
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window, dialog = walking
    answers = ["stay", "save"]
    monkeypatch.setattr(editing_module, "ask", lambda *_rest: answers.pop(0))
    box = line(dialog.form, "industry")
    box.setFocus()
    QTest.keyClicks(box, "Furniture")
    QTest.keyClick(dialog, Qt.Key.Key_PageDown, CTRL)
    quiet(qtbot, window)
    assert titles(dialog)[0] == "Dumbrava Mobilă •"
    QTest.keyClick(dialog, Qt.Key.Key_PageDown, CTRL)
    qtbot.waitUntil(lambda: titles(dialog)[0] == "Officine Rossi")
    quiet(qtbot, window)
    saved = records.get(company.actor, "account", company.ids["dumbrava"])
    assert saved.values["industry"] == "Furniture"
    assert answers == []


def test_walking_keeps_the_cursor_in_its_field(
    walking: tuple[MainWindow, FormDialog], qtbot: QtBot
) -> None:
    window, dialog = walking
    line(dialog.form, "industry").setFocus()
    QTest.keyClick(dialog, Qt.Key.Key_PageDown, CTRL)
    quiet(qtbot, window)
    assert dialog.form.focused_field() == "industry"


def test_a_record_that_left_the_list_keeps_its_place(
    walking: tuple[MainWindow, FormDialog], company: Company, qtbot: QtBot
) -> None:
    window, dialog = walking
    records.delete(company.actor, "account", [company.ids["dumbrava"]])
    window.commands.refresh()
    quiet(qtbot, window)
    dialog.walk.show_record(company.ids["dumbrava"])
    QTest.keyClick(dialog, Qt.Key.Key_PageDown, CTRL)
    quiet(qtbot, window)
    assert titles(dialog) == ("Officine Rossi", "1 of 1")


def test_the_list_may_be_gone_before_the_window(bench: Workbench, qtbot: QtBot) -> None:
    import shiboken6

    model = RecordModel(bench.tasks)
    dialog = FormDialog(bench.shell.window_widget(), "account", bench, among=model)
    settle(qtbot, bench)
    shiboken6.delete(model)
    dialog.walk.step(1)
    dialog.walk.show_record(1)
    assert dialog.walk.isHidden()
    dialog.close()


# --- places -------------------------------------------------------------------------------------


def test_a_window_comes_back_to_its_place(bench: Workbench, company: Company, qtbot: QtBot) -> None:
    first = opened(bench, qtbot, company)
    assert first.isWindow()
    assert first.parentWidget() is None
    first.setGeometry(QRect(40, 30, 700, 520))
    first.close()
    second = opened(bench, qtbot, company)
    assert second.geometry() == QRect(40, 30, 700, 520)
    third = opened(bench, qtbot, company, "dumbrava")
    assert third.geometry().topLeft() != second.geometry().topLeft()
    second.close()
    third.close()


def test_a_place_without_a_screen_is_not_taken(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    bench.remember("window.account", {"place": [-5000, 40, 700, 520], "maximized": False})
    dialog = opened(bench, qtbot, company)
    assert window_places.reachable(dialog.geometry())
    assert (dialog.width(), dialog.height()) == (700, 520)
    dialog.close()


def test_a_place_that_is_none_is_left_alone(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    bench.remember("window.account", {"place": ["a", 1], "maximized": 3})
    dialog = opened(bench, qtbot, company)
    assert window_places.reachable(dialog.geometry())
    dialog.close()
