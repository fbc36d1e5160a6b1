"""The window at work: nothing flashes, nothing overlaps, lists begin and go on somewhere."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from desktop_crm.views import theme
from desktop_crm.views.forms import editing
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.main_window import MainWindow
from desktop_crm.views.modules import MODULES
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.panes.settings import SettingsPane

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class _Strays(QObject):
    """Notes every window that comes up beside the main one, for however short a time."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        if not isinstance(watched, QWidget) or event.type() != QEvent.Type.Show:
            return False
        if watched.isWindow() and watched.objectName() != "window":
            self.seen.append(f"{type(watched).__name__} {watched.objectName()}")
        return False


def test_no_part_of_a_pane_flashes_up_as_a_window_of_its_own(
    open_window: Callable[[str], MainWindow], qtbot: QtBot
) -> None:
    window = open_window("home")
    strays = _Strays()
    app = QApplication.instance()
    assert app is not None
    app.installEventFilter(strays)
    for module in MODULES:
        window.show_module(module.key)
        qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)
        pane = window.workspace.current()
        if isinstance(pane, SettingsPane):
            for page in ("me", "mailboxes", "company", "database", "stage"):
                pane.show_page(page)
        if isinstance(pane, RecordPane) and module.key == "opportunity":
            pane.board.show("stage")
    app.removeEventFilter(strays)
    assert strays.seen == []


def test_a_list_begins_at_its_first_record(open_window: Callable[[str], MainWindow]) -> None:
    window = open_window("account")
    pane = window.workspace.current()
    assert isinstance(pane, RecordPane)
    assert pane.list.table.currentIndex().row() == 0
    assert {"record.open", "record.delete"} <= {a.id for a in pane.commands() if a.is_enabled}


def test_an_appointment_nobody_typed_into_closes_without_a_question(
    open_window: Callable[[str], MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(*_args: object, **_more: object) -> str:
        asked.append("?")
        return "stay"

    monkeypatch.setattr(editing, "ask", ask)
    window = open_window("calendar")
    window.new_record("activity", kind="appointment", subject="Visit")
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)
    (dialog,) = window.windows.shown()
    assert isinstance(dialog, FormDialog)
    assert dialog.form.is_dirty
    dialog.form.put("location", "Room 2")
    dialog.close()
    assert asked == ["?"]
    dialog.form.put("location", None)
    dialog.close()
    assert asked == ["?"]
    assert not dialog.isVisible()


def test_a_deleted_record_leaves_the_list_and_its_neighbour_takes_its_place(
    open_window: Callable[[str], MainWindow], qtbot: QtBot
) -> None:
    window = open_window("account")
    pane = window.workspace.current()
    assert isinstance(pane, RecordPane)
    table = pane.list.table
    before = pane.list.count
    table.selectRow(before - 1)
    gone = table.current_id()
    neighbour = pane.list.model.id_at(before - 2)
    pane.delete()
    qtbot.waitUntil(lambda: pane.list.count == before - 1, timeout=10_000)
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)
    assert pane.list.model.row_of(gone or 0) == -1
    assert table.current_id() == neighbour
    window.commands.undo()
    qtbot.waitUntil(lambda: pane.list.count == before, timeout=10_000)
    assert table.current_id() == neighbour


def test_the_modules_never_cover_each_other_at_the_largest_text(
    open_window: Callable[[str], MainWindow], qtbot: QtBot
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, "light", 130)
    window = open_window("home")
    window.resize(1100, 680)
    qtbot.waitUntil(lambda: window.height() == 680)
    areas = [button.geometry() for button in window.rail.buttons.values()]
    assert all(area.height() >= 40 for area in areas)
    assert not any(one.intersects(other) for one, other in pairwise(areas))
