"""Views of a pane by keyboard: save, rename, share, pin, delete, manage, open first, files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit

from desktop_crm.models.office import ViewScope
from desktop_crm.services import records, saved_views, shipped_views, undo, views
from desktop_crm.services.filters import Group, Rule
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView, Saved
from desktop_crm.services.query import Order
from desktop_crm.views.actions import Action
from desktop_crm.views.lists import arrange_menu
from desktop_crm.views.lists.view_dialog import ViewDialog
from desktop_crm.views.panes import pane_views
from desktop_crm.views.panes.manage_views import ManageViews
from desktop_crm.views.panes.record_pane import RecordPane
from tests.support.windows import child, pane_of, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Opened = Callable[..., RecordPane]


@pytest.fixture
def opened(bench: Workbench, qtbot: QtBot) -> Opened:
    """A function that shows the pane of accounts, with a view of its tree where one is named."""
    return lambda view="": pane_of(bench, qtbot, "account", view)


def keep(
    company: Company, name: str, scope: ViewScope = ViewScope.PERSONAL, **parts: object
) -> str:
    """Save a view as the user and give its key in the tree."""
    layout = ListLayout(**parts)  # type: ignore[arg-type]
    return f"saved:{views.create(company.actor, 'account', name, layout, scope).id}"


def titled(pane: RecordPane, name: str) -> ListView:
    """The view with a title."""
    return next(view for view in pane.views.views.all() if view.title == name)


def answer(bench: Workbench, name: str, scope: ViewScope | None = None) -> ViewDialog:
    """Type a name into the dialog that asks for it and press Enter."""
    dialog = child(bench.shell.window_widget(), ViewDialog)
    line = child(dialog, QLineEdit, "view.name")
    line.selectAll()
    QTest.keyClicks(line, name)
    if scope is not None:
        box = child(dialog, QComboBox, "view.scope")
        box.setCurrentIndex(box.findData(scope))
    QTest.keyClick(line, Qt.Key.Key_Return)
    return dialog


def test_a_list_is_saved_as_a_view_found_again_and_deleted_by_keyboard(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    pane = opened()
    pane.list.search.setText("=name contains Rossi")
    qtbot.waitUntil(lambda: pane.list.count == 1)
    assert pane.views.button.isVisible()
    pane.views.save_as()
    dialog = answer(bench, "  ")
    assert dialog.isVisible()
    answer(bench, "Only Rossi", ViewScope.TEAM)
    qtbot.waitUntil(lambda: pane.views.view.title == "Only Rossi")
    settle(qtbot, bench)
    view = titled(pane, "Only Rossi")
    assert view.saved is not None
    assert view.saved.scope is ViewScope.TEAM
    rossi = Rule("name", "contains", "Rossi")
    assert view.filter == Group("all", (Rule("owner", "=", "me"), rossi))
    assert not pane.views.is_changed
    assert pane.list.search.text() == ""
    assert pane.nav.key() == view.key
    pane.nav.setFocus()
    QTest.keyClick(pane.nav, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: pane.views.views.find(view.key) is None)
    settle(qtbot, bench)
    assert pane.views.view.saved is None
    assert shell_of(bench).toasts[-1][0] == "“Only Rossi” was deleted"
    undo.undo(company.actor)
    pane.refresh()
    settle(qtbot, bench)
    assert pane.views.views.find(view.key) is not None


def test_a_name_that_is_taken_keeps_the_dialog_open(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    keep(company, "Cities")
    pane = opened()
    pane.views.save_as()
    dialog = answer(bench, "cities")
    qtbot.waitUntil(lambda: "already" in dialog.notice.text)
    assert dialog.isVisible()
    dialog.reject()


def test_f2_renames_in_the_tree(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = keep(company, "Cities")
    pane = opened(key)
    pane.nav.setFocus()
    QTest.keyClick(pane.nav, Qt.Key.Key_F2)
    line = child(pane.nav, QLineEdit, "nav.rename")
    QTest.keyClicks(line, "Towns")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pane.views.view.title == "Towns")
    settle(qtbot, bench)
    pane.nav.select(shipped_views.ALL)
    QTest.keyClick(pane.nav, Qt.Key.Key_F2)
    assert pane.nav.findChild(
        QLineEdit, "nav.rename"
    ) is None or not pane.nav.isPersistentEditorOpen(pane.nav.currentIndex())
    QTest.keyClick(pane.nav, Qt.Key.Key_Delete)
    settle(qtbot, bench)
    assert pane.views.views.find(shipped_views.ALL) is not None


def test_a_changed_list_shows_a_dot_and_is_saved_or_discarded(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = keep(company, "By name", order=(Order("name"),))
    pane = opened(key)
    assert not pane.views.button.isVisible()
    pane.list.table.sort_wanted.emit("name", False)
    settle(qtbot, bench)
    assert pane.views.is_changed
    assert pane.views.button.isVisible()
    index = pane.nav.currentIndex()
    assert "changed" in str(index.data(Qt.ItemDataRole.AccessibleTextRole))
    pane.views.discard()
    settle(qtbot, bench)
    assert not pane.views.is_changed
    pane.list.table.sort_wanted.emit("name", False)
    settle(qtbot, bench)
    pane.views.save()
    qtbot.waitUntil(lambda: not pane.views.is_changed)
    settle(qtbot, bench)
    assert titled(pane, "By name").layout.order == (Order("name", descending=True),)
    assert not pane.views.button.isVisible()


def test_the_menu_key_unfolds_what_can_be_done(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    offered: list[Action] = []
    monkeypatch.setattr(
        pane_views, "show_menu", lambda _anchor, found, **_at: offered.extend(found)
    )
    key = keep(company, "Cities", ViewScope.PUBLIC)
    pane = opened(key)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint())
    QApplication.sendEvent(pane.nav, event)
    run = {action.id: action.run for action in offered}
    assert list(run) == [
        "view.pin", "view.first", "view.first_for_all", "view.rename", "view.share", "view.copy",
        "view.export", "view.delete",
    ]  # fmt: skip
    run["view.pin"]()
    qtbot.waitUntil(lambda: pane.views.views.groups[0][0] == "Pinned")
    settle(qtbot, bench)
    assert [view.key for view in pane.views.views.groups[0][1]] == [key]
    run["view.first_for_all"]()
    qtbot.waitUntil(lambda: _saved(pane, key).is_everybodys_first)
    run["view.first"]()
    qtbot.waitUntil(lambda: _saved(pane, key).is_first)
    settle(qtbot, bench)
    offered.clear()
    pane.nav.menu_wanted.emit(shipped_views.ALL, QPoint())
    assert [action.id for action in offered] == ["view.copy", "view.export"]


def _saved(pane: RecordPane, key: str) -> Saved:
    view = pane.views.views.find(key)
    assert view is not None
    assert view.saved is not None
    return view.saved


def test_the_view_a_person_lets_open_first_opens_first(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = keep(company, "Cities")
    view = next(v for v in saved_views.load(company.actor, "account") if v.key == key)
    views.open_first(company.actor, "account", view)
    pane = opened()
    assert pane.views.view.key == key
    pane.views.choose(shipped_views.ALL)
    settle(qtbot, bench)
    assert opened().views.view.key == key


def test_a_view_that_names_a_missing_field_says_so(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = keep(company, "Shoes", columns=("name", "shoe_size"))
    pane = opened(key)
    assert "shoe_size" in pane.list.notice.text
    assert [column.path for column in pane.list.model.columns] == ["name"]


def test_a_name_that_is_taken_can_be_mended_where_it_was_typed(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    keep(company, "First")
    key = keep(company, "Second")
    pane = opened(key)
    pane.nav.setFocus()
    QTest.keyClick(pane.nav, Qt.Key.Key_F2)
    line = child(pane.nav, QLineEdit, "nav.rename")
    line.setText("first")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(shell_of(bench).errors))
    settle(qtbot, bench)
    lines = [one for one in pane.nav.findChildren(QLineEdit) if one.isVisible()]
    assert [one.text() for one in lines] == ["first"]
    assert pane.views.view.title == "Second"


def test_a_shipped_view_that_was_arranged_can_be_set_back(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened()

    def offered() -> list[Action]:
        return [a for a in arrange_menu.of_list(pane.list) if a.id == "list.as_view"]

    assert offered() == []
    pane.list.arrange(group="relationship_type")
    settle(qtbot, bench)
    offered()[0].run()
    settle(qtbot, bench)
    assert pane.list.query().group == ""
    assert offered() == []


def test_the_title_of_a_narrow_list_can_be_read(
    opened: Opened, bench: Workbench, qtbot: QtBot
) -> None:
    pane = opened()
    pane.splitter.setSizes([200, 400, 700])
    settle(qtbot, bench)
    pane.resize(1100, 680)
    assert pane.list.width() < 480
    title = pane.list.title
    assert title.fontMetrics().horizontalAdvance(title.text()) <= title.contentsRect().width()
    assert not pane.list.chooser.isVisible()
    pane.list.filter_by(Rule("name", "contains", "a"))
    settle(qtbot, bench)
    assert pane.views.button.isVisible()
    assert pane.views.button.width() >= pane.views.button.sizeHint().width()
    pane.splitter.setSizes([200, 700, 280])
    assert pane.list.chooser.isVisible()
    assert pane.list.pill.isVisible()


def managed(pane: RecordPane, bench: Workbench) -> ManageViews:
    """The dialog, opened."""
    pane.views.manage()
    return child(bench.shell.window_widget(), ManageViews)


def shown(dialog: ManageViews) -> list[str]:
    """Titles in the dialog."""
    model = dialog.lines.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_views_are_managed_by_keyboard(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    keep(company, "First")
    keep(company, "Second", ViewScope.PUBLIC)
    pane = opened()
    dialog = managed(pane, bench)
    assert shown(dialog) == ["First", "Second"]
    QTest.keyClick(dialog.lines, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: shown(dialog) == ["Second", "First"])
    settle(qtbot, bench)
    QTest.keyClick(dialog.lines, Qt.Key.Key_F2)
    answer(bench, "Uno", ViewScope.TEAM)
    qtbot.waitUntil(lambda: "Uno" in shown(dialog))
    settle(qtbot, bench)
    dialog._buttons["copy"].click()
    qtbot.waitUntil(lambda: "Uno (copy)" in shown(dialog))
    settle(qtbot, bench)
    dialog.lines.setFocus()
    QTest.keyClick(dialog.lines, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(shown(dialog)) == 2)
    settle(qtbot, bench)
    dialog.accept()


def test_a_view_travels_in_a_file(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    keep(company, "Rossi", filter=Rule("name", "contains", "Rossi"), columns=("name", "shoe_size"))
    pane = opened()
    dialog = managed(pane, bench)
    file = tmp_path / "rossi.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(file), ""))
    dialog._buttons["export"].click()
    settle(qtbot, bench)
    assert json.loads(file.read_text("utf-8"))["filter"] == "name contains Rossi"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a: (str(file), ""))
    dialog._take_in()
    qtbot.waitUntil(lambda: "Rossi (2)" in shown(dialog))
    settle(qtbot, bench)
    assert "shoe_size" in shell_of(bench).toasts[-1][1]
    file.write_text("{", "utf-8")
    dialog._take_in()
    settle(qtbot, bench)
    assert "holds no view" in str(shell_of(bench).errors[-1])
    dialog.accept()


def test_a_view_changed_by_somebody_else_follows(
    opened: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    key = keep(company, "Cities")
    pane = opened(key)
    saved = records.save(
        company.actor, "saved_view", pane.views.view.saved_id, None, {"name": "Renamed"}
    )
    bench.bus.publish(saved.changes)
    qtbot.waitUntil(lambda: pane.views.view.title == "Renamed")
    settle(qtbot, bench)
