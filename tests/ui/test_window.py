"""The window: modules, palette, shortcuts, language and theme at run time, names for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from desktop_crm.core import i18n
from desktop_crm.services import records
from desktop_crm.views import theme
from desktop_crm.views.actions import Action
from desktop_crm.views.main_window import MainWindow
from desktop_crm.views.modules import MODULES
from desktop_crm.views.palette import CommandPalette, matching
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.ribbon import Ribbon
from desktop_crm.views.widgets.overlays import Toast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.support.company import Company

Open = Callable[[str], MainWindow]
CONTROLS = (
    QAbstractButton,
    QLineEdit,
    QPlainTextEdit,
    QComboBox,
    QAbstractSpinBox,
    QAbstractItemView,
    QTabBar,
)


def quiet(qtbot: QtBot, window: MainWindow) -> None:
    assert window.bench is not None
    tasks = window.bench.tasks
    qtbot.waitUntil(lambda: not tasks.busy, timeout=10_000)


def pane_of(window: MainWindow) -> RecordPane:
    pane = window.workspace.current()
    assert isinstance(pane, RecordPane)
    return pane


def texts(window: MainWindow) -> list[str]:
    pane = pane_of(window)
    model = pane.list.model
    return [str(model.data(model.index(row, 0))) for row in range(model.rowCount())]


# --- every control has a name -------------------------------------------------------------------


def controls(root: QWidget) -> Iterator[QWidget]:
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or isinstance(widget, QHeaderView):
            continue
        if widget.objectName().startswith("qt_") or widget.isHidden():
            continue
        inside = widget.parentWidget()
        if isinstance(inside, QLineEdit | QComboBox | QAbstractSpinBox | QTabBar):
            continue  # parts of a control that has a name itself
        if inside is not None and inside.metaObject().className() == "QComboBoxPrivateContainer":
            continue
        yield widget


RECORD_MODULES = ("contact", "account", "lead", "opportunity", "activity", "product", "quote")


@pytest.mark.parametrize("module", RECORD_MODULES)
def test_every_control_has_an_object_name_and_an_accessible_name(
    module: str, open_window: Open, qtbot: QtBot
) -> None:
    window = open_window(module)
    pane = pane_of(window)
    if pane.list.count:
        pane.list.table.selectRow(0)
        qtbot.waitUntil(lambda: pane.detail.record is not None)
        for tab in ("activities", "details", "related"):
            pane.detail.show_tab(tab)
            quiet(qtbot, window)
    nameless = [
        f"{type(widget).__name__} {widget.objectName()!r} in {widget.parent()!r}"
        for widget in controls(window)
        if not widget.objectName() or not (widget.accessibleName() or _own_text(widget))
    ]
    assert not nameless, "\n".join(nameless)


def _own_text(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QAbstractButton) else ""


def test_object_names_of_shown_controls_are_not_shared(open_window: Open) -> None:
    window = open_window("contact")
    names = [widget.objectName() for widget in controls(window)]
    assert len(names) == len(set(names))


def test_keyboard_reaches_every_enabled_button(open_window: Open) -> None:
    window = open_window("contact")
    unreachable = [
        widget.objectName()
        for widget in controls(window)
        if isinstance(widget, QAbstractButton) and widget.focusPolicy() == Qt.FocusPolicy.NoFocus
    ]
    assert not unreachable


# --- modules and shortcuts ----------------------------------------------------------------------


def test_the_frame_stands_before_any_database_is_open(qtbot: QtBot) -> None:
    from desktop_crm.core.settings import Settings
    from desktop_crm.views.tasks import Tasks

    tasks = Tasks()
    window = MainWindow(Settings(), tasks)
    qtbot.addWidget(window)
    window.show()
    assert set(window.rail.buttons) == {module.key for module in MODULES}
    assert window.ribbon.findChildren(QAbstractButton)
    assert window.workspace.findChild(QWidget, "listpane") is not None
    window.close()
    tasks.close()


def test_ctrl_and_a_number_go_to_a_module(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    QTest.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    quiet(qtbot, window)
    assert window.workspace.key == "contact"
    assert window.rail.buttons["contact"].isChecked()
    assert texts(window) == ["Claire Dubois"]


def test_arrow_keys_walk_the_rail(open_window: Open) -> None:
    window = open_window("contact")
    buttons = window.rail.buttons
    buttons["contact"].setFocus()
    QTest.keyClick(buttons["contact"], Qt.Key.Key_Down)
    assert buttons["account"].hasFocus()


def test_ctrl_f_puts_the_cursor_into_the_filter(open_window: Open) -> None:
    window = open_window("account")
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert pane_of(window).list.search.hasFocus()


def test_the_filter_searches_without_accents(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    QTest.keyClicks(pane.list.search, "mobila")
    qtbot.waitUntil(lambda: texts(window) == ["Dumbrava Mobilă"])
    pane.list.search.clear()
    qtbot.waitUntil(lambda: len(texts(window)) == 2)


def test_an_empty_result_says_what_to_do(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    QTest.keyClicks(pane.list.search, "zzzz")
    qtbot.waitUntil(lambda: pane.list.pages.currentWidget() is pane.list.empty)
    button = pane.list.empty.findChild(QAbstractButton, "empty.account.action")
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: len(texts(window)) == 2)


def test_f5_reads_the_list_again(open_window: Open, company: Company, qtbot: QtBot) -> None:
    window = open_window("account")
    company.add("account", "new", {"name": "Added meanwhile", "owner": company.actor.user_id})
    QTest.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: "Added meanwhile" in texts(window))


def test_ctrl_n_opens_an_empty_form(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    quiet(qtbot, window)
    assert [dialog.objectName() for dialog in window.windows.shown()] == ["dialog.account"]


@pytest.mark.qt_log_ignore("raise\\(\\)")
def test_a_record_opens_once(open_window: Open, company: Company, qtbot: QtBot) -> None:
    window = open_window("account")
    window.open_record("account", company.ids["rossi"])
    window.open_record("account", company.ids["rossi"])
    quiet(qtbot, window)
    assert len(window.windows.shown()) == 1


def test_a_header_click_sorts_and_a_second_one_turns_round(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    assert texts(window) == ["Dumbrava Mobilă", "Officine Rossi"]
    pane.list.table.header.sectionClicked.emit(0)
    qtbot.waitUntil(lambda: texts(window) == ["Officine Rossi", "Dumbrava Mobilă"])
    pane.list.table.header.sectionClicked.emit(0)
    qtbot.waitUntil(lambda: texts(window) == ["Dumbrava Mobilă", "Officine Rossi"])


# --- deleting and taking back -------------------------------------------------------------------


def deleted(company: Company, entity: str, name: str) -> bool:
    return records.get(company.actor, entity, company.ids[name]).values["deleted_at"] is not None


def test_delete_and_undo_by_keyboard(open_window: Open, company: Company, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    assert pane.list.table.select_id(company.ids["rossi"])
    pane.list.table.setFocus()
    pane.delete()
    quiet(qtbot, window)
    qtbot.waitUntil(lambda: bool(window.findChildren(Toast)))
    assert window.bench is not None
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    quiet(qtbot, window)
    again = records.get(company.actor, "account", company.ids["rossi"])
    assert again.title == "Officine Rossi"
    assert again.can_edit


def test_the_toast_offers_to_take_back(open_window: Open, company: Company, qtbot: QtBot) -> None:
    window = open_window("account")
    pane = pane_of(window)
    pane.list.table.select_id(company.ids["rossi"])
    pane.delete()
    quiet(qtbot, window)
    button = window.findChild(QAbstractButton, "toast.undo")
    assert isinstance(button, QAbstractButton)
    button.click()
    quiet(qtbot, window)
    pane.refresh()
    qtbot.waitUntil(lambda: "Officine Rossi" in texts(window))


def test_undo_of_the_text_cursor_comes_first(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    search = pane_of(window).list.search
    search.setFocus()
    QTest.keyClicks(search, "ab")
    QTest.keyClick(search, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert search.text() == ""
    quiet(qtbot, window)
    assert not window.findChildren(Toast)


class _Shown(QObject):
    """Notes what is shown as a window."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt calls it
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.names.append(watched.objectName())
        return False


def test_no_part_of_the_window_is_shown_as_a_window_of_its_own(open_window: Open) -> None:
    """It would flash, and take the keyboard from the window."""
    app = QApplication.instance()
    assert app is not None
    shown = _Shown()
    app.installEventFilter(shown)
    window = open_window("home")
    for module in MODULES:
        window.show_module(module.key)
    app.removeEventFilter(shown)
    assert shown.names == ["window"]


# --- the palette --------------------------------------------------------------------------------


def opened_palette(window: MainWindow) -> CommandPalette:
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palettes = [p for p in window.findChildren(CommandPalette) if p.isVisible()]
    assert len(palettes) == 1
    return palettes[0]


def offered(palette: CommandPalette) -> list[str]:
    """Texts of the lines that can be chosen."""
    items = [palette.items.item(row) for row in range(palette.items.rowCount())]
    return [item.text() for item in items if item.isSelectable()]


def test_the_palette_offers_commands_and_finds_records(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    palette = opened_palette(window)
    assert "New account" in offered(palette)
    QTest.keyClicks(palette.line, "claire")
    qtbot.waitUntil(lambda: any(text.startswith("Claire Dubois") for text in offered(palette)))
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    quiet(qtbot, window)
    assert [dialog.objectName() for dialog in window.windows.shown()] == ["dialog.contact"]


def test_the_palette_makes_records_of_every_kind(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    palette = opened_palette(window)
    QTest.keyClicks(palette.line, "new")
    found = offered(palette)
    assert found[0] == "New account"
    assert {"New contact", "New lead", "New opportunity", "New product", "New quote"} <= set(found)
    assert found.count("New account") == 1
    QTest.keyClick(palette.line, Qt.Key.Key_Escape)
    quiet(qtbot, window)


def test_the_palette_runs_a_command_by_keyboard(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    palette = opened_palette(window)
    QTest.keyClicks(palette.line, "go to contacts")
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.workspace.key == "contact")  # Enter waits for what is found
    quiet(qtbot, window)


def test_escape_closes_the_palette_and_gives_the_cursor_back(open_window: Open) -> None:
    window = open_window("account")
    table = pane_of(window).list.table
    table.setFocus()
    palette = opened_palette(window)
    QTest.keyClick(palette.line, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert table.hasFocus()


def test_matching_takes_every_word_and_prefers_the_beginning() -> None:
    def action(text: str, *, enabled: bool = True) -> Action:
        return Action(text, text, print, enabled=lambda: enabled)

    actions = [action("Go to quotes"), action("Quote it"), action("Quote not", enabled=False)]
    assert [found.text for found in matching(actions, "quo")] == ["Quote it", "Go to quotes"]
    assert [found.text for found in matching(actions, "to quo")] == ["Go to quotes"]


# --- language, theme, text size, width ----------------------------------------------------------


def test_the_language_changes_at_run_time_and_the_place_is_kept(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    window = open_window("account")
    pane_of(window).list.table.select_id(company.ids["rossi"])
    assert window.bench is not None
    window.bench.settings.language = "ro"
    window.restart_workspace()
    qtbot.waitUntil(lambda: i18n.language() == "ro")
    quiet(qtbot, window)
    assert window.rail.buttons["contact"].text() == "Contacte"
    assert window.workspace.key == "account"
    qtbot.waitUntil(lambda: pane_of(window).list.table.current_id() == company.ids["rossi"])
    assert window.bench.formats.language == "ro"


def test_the_moon_switches_light_and_dark(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    button = window.findChild(QAbstractButton, "topbar.theme")
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: theme.current() == "dark")
    quiet(qtbot, window)
    assert window.workspace.key == "account"


def test_a_larger_text_makes_rows_higher(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    before = pane_of(window).list.table.rowHeight(0)
    assert window.bench is not None
    window.bench.settings.text_size = 130
    window.restart_workspace()
    qtbot.waitUntil(lambda: theme.scaled(100) == 130)
    quiet(qtbot, window)
    assert pane_of(window).list.table.rowHeight(0) > before


def test_a_narrow_window_hides_the_record_and_a_button_shows_it(open_window: Open) -> None:
    window = open_window("account")
    window.resize(1440, 900)
    pane = pane_of(window)
    assert pane.detail.isVisible()
    window.resize(1100, 680)
    assert not pane.detail.isVisible()
    pane.toggle_detail()
    assert pane.detail.isVisible()


def test_the_status_line_counts_rows_and_selection(open_window: Open) -> None:
    window = open_window("account")
    pane = pane_of(window)
    pane.list.table.selectAll()
    assert pane.status_text() == "2 records   ·   2 selected"


def test_the_ribbon_moves_into_more_what_does_not_fit(qtbot: QtBot) -> None:
    ribbon = Ribbon()
    qtbot.addWidget(ribbon)
    ribbon.resize(1200, 46)
    ribbon.show()
    ribbon.show_actions(
        [Action(f"a{n}", f"Command {n}", print, "add", group="g") for n in range(6)]
    )
    assert not ribbon._overflow()
    ribbon.resize(300, 46)
    assert [action.id for action in ribbon._overflow()][-1] == "a5"
    assert QApplication.activePopupWidget() is None
