"""The palette: everything by keyboard, sections, similar spellings, recent searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop_crm.services import records, viewed
from desktop_crm.views.main_window import MainWindow
from desktop_crm.views.palette import CommandPalette
from desktop_crm.views.palette_rows import Line, line_at
from desktop_crm.views.panes.mail import MailPane
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.panes.settings import SettingsPane
from tests.support.post import deliver
from tests.support.windows import expect

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.support.company import Company

Open = Callable[[str], MainWindow]
CTRL = Qt.KeyboardModifier.ControlModifier


def opened(window: MainWindow) -> CommandPalette:
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    (palette,) = (p for p in window.findChildren(CommandPalette) if p.isVisible())
    return palette


def lines(palette: CommandPalette) -> list[Line]:
    found = (line_at(palette.items.index(row, 0)) for row in range(palette.items.rowCount()))
    return [line for line in found if line is not None]


def shown(palette: CommandPalette) -> list[str]:
    return [("# " if line.is_heading else "") + line.text for line in lines(palette)]


def current(palette: CommandPalette) -> str:
    return expect(line_at(palette.list.currentIndex()), Line).text


def search(qtbot: QtBot, palette: CommandPalette, text: str) -> None:
    QTest.keyClicks(palette.line, text)
    qtbot.waitUntil(lambda: not palette.is_waiting, timeout=10_000)


def quiet(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)


def leave(qtbot: QtBot, window: MainWindow, palette: CommandPalette) -> None:
    QTest.keyClick(palette.line, Qt.Key.Key_Escape)
    quiet(qtbot, window)


def test_hits_stand_in_sections_with_counts_and_marked_words(
    open_window: Open, qtbot: QtBot
) -> None:
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "CLAIRE")
    found = lines(palette)
    heads = [(line.text, line.note) for line in found if line.is_heading]
    assert heads[:2] == [("Contacts", "1"), ("Activities", "1")]
    claire = found[1]
    assert [claire.text[start:end] for start, end in claire.ranges] == ["Claire"]
    assert claire.beside.endswith("Officine Rossi")
    leave(qtbot, window, palette)


def test_tab_goes_by_sections_and_arrows_pass_over_headings(
    open_window: Open, qtbot: QtBot
) -> None:
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "claire")
    assert current(palette) == "Claire Dubois"
    QTest.keyClick(palette.line, Qt.Key.Key_Tab)
    assert current(palette) == "Call back Claire"
    QTest.keyClick(palette.line, Qt.Key.Key_Backtab)
    assert current(palette) == "Claire Dubois"
    QTest.keyClick(palette.line, Qt.Key.Key_Up)
    assert current(palette) == "Claire Dubois"
    QTest.keyClick(palette.line, Qt.Key.Key_Down)
    assert current(palette) == "Call back Claire"
    assert palette.line.hasFocus()
    leave(qtbot, window, palette)


def test_enter_before_the_answer_opens_the_first_hit_when_it_comes(
    open_window: Open, qtbot: QtBot
) -> None:
    window = open_window("contact")
    palette = opened(window)
    QTest.keyClicks(palette.line, "claire")
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window.windows.shown()), timeout=10_000)
    quiet(qtbot, window)
    assert [dialog.objectName() for dialog in window.windows.shown()] == ["dialog.contact"]


def test_control_and_enter_open_beside_and_the_palette_stays(
    open_window: Open, qtbot: QtBot
) -> None:
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "claire")
    QTest.keyClick(palette.line, Qt.Key.Key_Return, CTRL)
    quiet(qtbot, window)
    assert [dialog.objectName() for dialog in window.windows.shown()] == ["dialog.contact"]
    assert palette.isVisible()
    palette.dismiss()
    quiet(qtbot, window)


def test_a_misspelled_name_is_found_in_the_second_round(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "duboys")
    assert shown(palette) == ["# Similar: Contacts", "Claire Dubois"]
    leave(qtbot, window, palette)


def test_nothing_found_says_what_was_tried(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "xqzzkv")
    (line,) = lines(palette)
    assert line.text == "Nothing found for “xqzzkv”"
    assert "similar spellings" in line.below
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert palette.isVisible()
    leave(qtbot, window, palette)


def test_signs_narrow_to_commands_and_to_people(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "> claire")
    assert shown(palette) == ["Nothing found for “claire”"]
    palette.line.clear()
    search(qtbot, palette, ">new acc")
    assert shown(palette) == ["# Commands and settings", "New account"]
    palette.line.clear()
    search(qtbot, palette, "@claire")
    assert shown(palette) == ["# Contacts", "Claire Dubois"]
    leave(qtbot, window, palette)


def test_an_empty_box_offers_what_was_searched_and_opened_lately(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    viewed.note(company.actor, "account", company.ids["rossi"])
    window = open_window("contact")
    palette = opened(window)
    search(qtbot, palette, "claire")
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    quiet(qtbot, window)
    window.windows.close_all()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    palette = opened(window)
    qtbot.waitUntil(lambda: "# Recently opened" in shown(palette))
    found = shown(palette)
    assert found[:2] == ["# Recent searches", "claire"]
    assert "Officine Rossi" in found
    assert "# Commands and settings" in found
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not palette.is_waiting, timeout=10_000)
    assert palette.line.text() == "claire"
    assert "Claire Dubois" in shown(palette)
    leave(qtbot, window, palette)


def test_all_hits_of_a_kind_are_shown_in_its_list(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    rows = [records.Change(None, None, {"last_name": f"Kvarts {n}"}) for n in range(7)]
    records.save_many(company.actor, "contact", rows)
    window = open_window("account")
    palette = opened(window)
    search(qtbot, palette, "kvarts")
    assert shown(palette)[-1] == "Show all in the list"
    QTest.keyClick(palette.line, Qt.Key.Key_Up)
    for _ in range(5):
        QTest.keyClick(palette.line, Qt.Key.Key_Down)
    assert current(palette) == "Show all in the list"
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    pane = expect(window.workspace.current(), RecordPane)
    assert pane.entity.key == "contact"
    qtbot.waitUntil(lambda: pane.list.count == 7, timeout=10_000)
    assert pane.list.search.text() == "kvarts"
    quiet(qtbot, window)


def test_kinds_without_a_list_show_more_in_the_palette(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    rows = [records.Change(None, None, {"name": f"kvarts {n}.pdf"}) for n in range(8)]
    records.save_many(company.actor, "document", rows)
    window = open_window("account")
    palette = opened(window)
    search(qtbot, palette, "kvarts")
    assert shown(palette)[-1] == "Show more"
    for _ in range(5):
        QTest.keyClick(palette.line, Qt.Key.Key_Down)
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(lines(palette)) == 9, timeout=10_000)
    leave(qtbot, window, palette)


def test_a_message_opens_in_the_mail_pane(
    open_window: Open, company: Company, qtbot: QtBot
) -> None:
    deliver(company, "first", subject="Another one")
    key = deliver(company, "second", subject="Figures", text="The wolfram arrives on Monday.")
    window = open_window("account")
    palette = opened(window)
    search(qtbot, palette, "wolfram")
    assert [line.text for line in lines(palette)] == ["Messages", "Figures"]
    assert lines(palette)[1].below == "The wolfram arrives on Monday."
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    pane = expect(window.workspace.current(), MailPane)
    qtbot.waitUntil(lambda: pane.list.current_id() == key, timeout=10_000)
    quiet(qtbot, window)


def test_pages_of_the_settings_are_found(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    palette = opened(window)
    search(qtbot, palette, "settings currenc")
    assert current(palette) == "Settings: Currencies"
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    pane = expect(window.workspace.current(), SettingsPane)
    assert pane.place() == {"page": "currency"}
    quiet(qtbot, window)


def test_a_late_answer_does_not_replace_a_newer_one(open_window: Open, qtbot: QtBot) -> None:
    window = open_window("account")
    palette = opened(window)
    for letter in "claire":
        QTest.keyClicks(palette.line, letter)
    palette.line.setText("rossi")
    qtbot.waitUntil(lambda: not palette.is_waiting, timeout=10_000)
    quiet(qtbot, window)
    assert "Officine Rossi" in shown(palette)
    assert "Call back Claire" not in shown(palette)
    leave(qtbot, window, palette)
