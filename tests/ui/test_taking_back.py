"""What can be taken back and what is marked, by keyboard: bin, steps, stars, tags, news."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCompleter, QWidget

from desktop_crm.core import clock
from desktop_crm.meta import registry
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import (
    marks,
    records,
    shipped_views,
    undo,
    viewed,
)
from desktop_crm.services.context import system_actor
from desktop_crm.views.dialogs import recycle_bin
from desktop_crm.views.dialogs.deeds_dialog import DeedsDialog
from desktop_crm.views.dialogs.recycle_bin import RecycleBinDialog
from desktop_crm.views.forms.editors import make_editor
from desktop_crm.views.forms.tag_editor import TagEditor, TagPill
from desktop_crm.views.panes.mark_commands import MarkButtons
from desktop_crm.views.panes.news_card import NewsCard
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.panes.settings_tags import RenameTagDialog, TagsPage
from desktop_crm.views.tag_tones import TagTones
from desktop_crm.views.tag_tones import tone as tone_of
from tests.support.company import NOW
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

Show = Callable[[Callable[[str, Any], QWidget], str, int], QWidget]


def said(asked: list[str], title: str) -> str:
    """Remember a question and say no."""
    asked.append(title)
    return "cancel"


def quiet(qtbot: QtBot, bench: Workbench) -> None:
    """Wait for what was begun and for the news it brings."""
    for _ in range(3):
        settle(qtbot, bench)
        qtbot.waitUntil(lambda: bench.bus._pending is None)


# --- bin and steps ------------------------------------------------------------------------------


def test_the_bin_is_filtered_restored_and_purged_by_keyboard(
    company: Company, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = bench.actor
    made = [records.save(actor, "contact", None, None, {"last_name": n}).id for n in "ABC"]
    team = records.save(actor, "team", None, None, {"name": "Old team"}).id
    records.delete(actor, "contact", made)
    records.delete(actor, "team", [team])
    dialog = RecycleBinDialog(bench)
    dialog.open()
    settle(qtbot, bench)
    table = dialog.table
    # No higher than its rows need, and the keyboard is where the rows are.
    assert dialog.height() < 620
    assert dialog.focusWidget() is table
    assert table.facts.rowCount() == 4
    assert table.facts.facts[0].cells[3] == actor.name
    dialog.kind.setCurrentIndex(dialog.kind.findData("contact"))
    settle(qtbot, bench)
    assert {fact.cells[0] for fact in table.facts.facts} == {"A", "B", "C"}
    table.setFocus()
    table.selectRow(0)
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert len(dialog.chosen()) == 2
    QTest.keyClick(table, Qt.Key.Key_Return)
    quiet(qtbot, bench)
    assert table.facts.rowCount() == 1
    assert shell_of(bench).toasts[-1][0] == "2 records restored"
    asked: list[str] = []
    monkeypatch.setattr(recycle_bin, "ask", lambda _w, title, *_: said(asked, title))
    QTest.keyClick(table, Qt.Key.Key_Delete)
    quiet(qtbot, bench)
    assert asked == ["Delete 1 record for good?"]
    assert table.facts.rowCount() == 1
    monkeypatch.setattr(recycle_bin, "ask", lambda *_: "purge")
    QTest.keyClick(table, Qt.Key.Key_Delete)
    quiet(qtbot, bench)
    assert table.facts.rowCount() == 0
    assert dialog.empty.isVisibleTo(dialog)
    assert "1 record was deleted for good." in dialog.notice.text
    dialog.words.setText("old")
    dialog.kind.setCurrentIndex(0)
    settle(qtbot, bench)
    assert [fact.cells[0] for fact in table.facts.facts] == ["Old team"]
    dialog.close()


def test_a_step_is_taken_back_and_done_again(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    actor = bench.actor
    key = company.ids["rossi"]
    records.save(actor, "account", key, None, {"city": "Turda"})
    records.save(actor, "account", company.ids["dumbrava"], None, {"city": "Dej"})
    dialog = DeedsDialog(bench)
    dialog.open()
    settle(qtbot, bench)
    table = dialog.table
    assert table.facts.facts[1].cells[0].startswith("Changed: Account · Officine Rossi")
    table.setFocus()
    table.selectRow(1)
    QTest.keyClick(table, Qt.Key.Key_Return)
    quiet(qtbot, bench)
    assert records.get(actor, "account", key).values["city"] != "Turda"
    assert records.get(actor, "account", company.ids["dumbrava"]).values["city"] == "Dej"
    assert table.facts.facts[1].cells[3] == "Undone"
    QTest.keyClick(table, Qt.Key.Key_Return)
    quiet(qtbot, bench)
    assert records.get(actor, "account", key).values["city"] == "Turda"
    records.save(company.actor, "account", key, None, {"city": "Cluj"})
    dialog.load()
    quiet(qtbot, bench)
    blocked = next(f for f in table.facts.facts if f.cells[3] == "Stays")
    table.selectRow(table.facts.facts.index(blocked))
    assert dialog._reason.text() == "The record was changed since."
    assert not dialog._act.isEnabled()
    dialog.close()


def test_an_undo_that_ended_in_the_middle_goes_on_from_the_list(
    company: Company, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = bench.actor
    monkeypatch.setattr(undo, "LONG", 1)
    monkeypatch.setattr(undo, "PART", 1)
    keys = [company.ids["rossi"], company.ids["dumbrava"]]
    before = [records.get(actor, "account", key).values["city"] for key in keys]
    changes = [records.Change(key, None, {"city": "Turda"}) for key in keys]
    done = records.save_many(actor, "account", changes).changes.operation

    def cities() -> list[object]:
        return [records.get(actor, "account", key).values["city"] for key in keys]

    def half(act: Callable[[], object]) -> None:
        """Only the first part comes to its end."""
        in_parts = undo._in_parts

        def some(who: Any, operation: str, touched: Any, mark: str, *, redo: bool) -> object:
            return in_parts(who, operation, touched[:1], mark, redo=redo)

        with monkeypatch.context() as patched:
            patched.setattr(undo, "_in_parts", some)
            act()

    half(lambda: undo.undo(actor, done))
    dialog = DeedsDialog(bench)
    dialog.open()
    settle(qtbot, bench)
    table = dialog.table
    assert table.facts.facts[0].cells[3] == "Undone in part"
    table.setFocus()
    table.selectRow(0)
    assert dialog._reason.text().startswith("1 of 2 records were put back")
    assert (dialog._act.text(), dialog._redo.isVisible()) == ("Undo the rest", True)
    QTest.keyClick(dialog._redo, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    assert cities() == ["Turda", "Turda"]
    half(lambda: undo.undo(actor, done))
    dialog.load()
    quiet(qtbot, bench)
    table.selectRow(0)
    QTest.keyClick(table, Qt.Key.Key_Return)
    quiet(qtbot, bench)
    assert cities() == before
    assert table.facts.facts[0].cells[3] == "Undone"
    assert not dialog._redo.isVisible()
    dialog.close()


# --- marks --------------------------------------------------------------------------------------


def test_star_and_bell_are_pressed_by_keyboard(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    buttons = MarkButtons("account", bench)
    qtbot.addWidget(buttons)
    buttons.show()
    buttons.show_record(key)
    bench.bus.changed.connect(lambda _changes: buttons.read_again())
    settle(qtbot, bench)
    star = child(buttons, QWidget, "detail.account.favourite")
    assert star.accessibleName() == "Add to the favourites"
    star.setFocus()
    QTest.keyClick(star, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    assert buttons.on == {MarkKind.FAVOURITE}
    assert star.accessibleName() == "Remove from the favourites"
    buttons.press(MarkKind.FOLLOW)
    quiet(qtbot, bench)
    assert buttons.on == {MarkKind.FAVOURITE, MarkKind.FOLLOW}
    QTest.keyClick(star, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    assert marks.keys(bench.actor, MarkKind.FAVOURITE, "account") == []


def test_the_selection_of_a_list_is_marked_and_tabs_that_do_not_fit_wait_behind_a_button(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    pane = RecordPane(bench, "account")
    qtbot.addWidget(pane)
    pane.resize(1200, 700)
    pane.show()
    pane.activate()
    settle(qtbot, bench)
    commands = {action.id: action for action in pane.commands()}
    assert commands["record.favourite"].shortcut == "Ctrl+D"
    chosen = pane.list.table.current_id()
    qtbot.waitUntil(lambda: pane.detail.record_id == chosen)
    commands["record.favourite"].run()
    quiet(qtbot, bench)
    assert marks.keys(bench.actor, MarkKind.FAVOURITE, "account") == [chosen]
    assert pane.detail.marks.on == {MarkKind.FAVOURITE}
    assert pane.list.model.starred == {chosen}
    pane.views.choose(shipped_views.FAVOURITES)
    settle(qtbot, bench)
    assert pane.list.count == 1
    commands["record.favourite"].run()
    quiet(qtbot, bench)
    assert pane.list.model.starred == frozenset()
    assert pane.list.count == 0
    pane.views.choose(shipped_views.ALL)
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: pane.detail.record_id is not None)
    tabs = pane.detail.tabs
    hidden = [tabs.tabText(n) for n in tabs.hidden_tabs()]
    assert "History" in hidden
    assert tabs.more.isVisible()
    pane.detail.show_tab("history")
    settle(qtbot, bench)
    assert "History" not in [tabs.tabText(n) for n in tabs.hidden_tabs()]


# --- tags ---------------------------------------------------------------------------------------


def test_tags_are_typed_completed_and_taken_away_by_keyboard(
    company: Company, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QCompleter, "complete", lambda *_: None)
    for name, tone in (("Press", "ok"), ("VIP", "warn")):
        records.save(bench.actor, "tag", None, None, {"name": name, "tone": tone})
    tones = TagTones(bench, bench.shell.window_widget())
    tones.load()
    field = registry.get("account").fields["tags"]
    editor = make_editor(field, "account.tags", bench)
    assert isinstance(editor, TagEditor)
    qtbot.addWidget(editor)
    editor.resize(400, 80)
    editor.show()
    settle(qtbot, bench)
    told: list[object] = []
    editor.changed.connect(lambda: told.append(editor.value()))
    assert editor._known.stringList() == ["Press", "VIP"]
    editor.line.setFocus()
    QTest.keyClicks(editor.line, "vip,")
    QTest.keyClicks(editor.line, "new one")
    QTest.keyClick(editor.line, Qt.Key.Key_Return)
    assert editor.value() == "|vip|new one|"
    assert told[-1] == "|vip|new one|"
    QTest.keyClicks(editor.line, "VIP")
    QTest.keyClick(editor.line, Qt.Key.Key_Return)
    assert editor.words == ["vip", "new one"], "each word once"
    pill = child(editor, TagPill, "account.tags.vip")
    assert tone_of("vip") == "warn"
    pill.setFocus()
    QTest.keyClick(pill, Qt.Key.Key_Delete)
    assert editor.words == ["new one"]
    QTest.keyClick(editor.line, Qt.Key.Key_Backspace)
    assert editor.value() is None
    QTest.keyClicks(editor.line, "half")
    assert editor.value() == "|half|", "what was typed is not lost on saving"
    editor.load("|Press|")
    editor.set_read_only(True)
    child(editor, TagPill, "account.tags.press").click()
    assert editor.value() == "|Press|"


def test_a_tag_is_merged_from_the_settings(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    actor = bench.actor
    for name in ("Press", "Media"):
        records.save(actor, "tag", None, None, {"name": name})
    key = company.ids["rossi"]
    records.save(actor, "account", key, None, {"tags": "|Press|loose|"})
    page = TagsPage(bench, "Words")
    qtbot.addWidget(page)
    page.resize(800, 500)
    page.show()
    page.load()
    settle(qtbot, bench)
    assert [fact.cells[:2] for fact in page.table.facts.facts] == [
        ("loose", "1"), ("Media", "0"), ("Press", "1"),
    ]  # fmt: skip
    page.table.selectRow(2)
    page.rename()
    dialog = child(bench.shell.window_widget(), RenameTagDialog)
    dialog.name.setEditText(" , ")
    dialog.go()
    quiet(qtbot, bench)
    assert "without commas" in dialog.notice.text
    dialog.name.setEditText("media")
    assert "both become one" in dialog.notice.text
    button = child(dialog, QWidget, "renameTag.go")
    assert button.accessibleName() == "Merge"
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    quiet(qtbot, bench)
    assert records.get(actor, "account", key).values["tags"] == "|Media|loose|"
    assert [fact.cells[:2] for fact in page.table.facts.facts] == [("loose", "1"), ("Media", "1")]
    bench.bus.publish(undo.undo(actor))
    quiet(qtbot, bench)
    assert len(page.table.facts.facts) == 3
    page.table.selectRow(0)
    page.edit()
    assert shell_of(bench).new == [("tag", {"name": "loose"})]


# --- news ---------------------------------------------------------------------------------------


def test_news_of_followed_records_stand_on_the_home_pane(
    company: Company, bench: Workbench, qtbot: QtBot
) -> None:
    key = company.ids["rossi"]
    card = NewsCard(bench)
    qtbot.addWidget(card)
    card.load()
    settle(qtbot, bench)
    assert card.isHidden()
    marks.put(bench.actor, MarkKind.FOLLOW, "account", [key], on=True)
    clock.use_clock(lambda: NOW + timedelta(minutes=5))
    records.save(system_actor(bench.actor.db), "account", key, None, {"city": "Turda"})
    card.load()
    settle(qtbot, bench)
    assert not card.isHidden()
    assert "City: Turda" in card.list.lines[0].subtitle
    card.list.setFocus()
    QTest.keyClick(card.list, Qt.Key.Key_Return)
    assert shell_of(bench).opened == [("account", key)]
    viewed.note(bench.actor, "account", key)
    card.load()
    settle(qtbot, bench)
    assert card.isHidden()
