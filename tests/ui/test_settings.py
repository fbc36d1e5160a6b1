"""Settings: each page does what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QRadioButton, QWidget

from desktop_crm.services import records
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.services.query import Order, RecordQuery, first_page
from desktop_crm.views.mail import letters, reading_extras
from desktop_crm.views.panes import mailbox_work
from desktop_crm.views.panes.settings import SettingsPane
from desktop_crm.views.panes.settings_lists import ListPage
from desktop_crm.views.panes.settings_mail import MailPage
from desktop_crm.views.panes.settings_pages import AppearancePage, RecordPage
from desktop_crm.views.twoway.dry_run_dialog import DryRunDialog
from tests.support.company import Company
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> SettingsPane:
    made = SettingsPane(bench)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def stages(company: Company) -> list[str]:
    rows = first_page(
        company.actor, RecordQuery("stage", ("name",), order=(Order("position"),)), 20
    )
    return [row.values[0] for row in rows]


def test_theme_language_and_size_take_effect_at_once(pane: SettingsPane) -> None:
    settings = pane.bench.settings
    QTest.mouseClick(child(pane, QRadioButton, "settings.theme.dark"), Qt.MouseButton.LeftButton)
    assert settings.theme == "dark"
    page = expect(pane.page(), AppearancePage)
    page.language.setCurrentIndex(page.language.findData("ro"))
    page.language.activated.emit(page.language.currentIndex())
    assert settings.language == "ro"
    page.text_size.setFocus()
    QTest.keyClick(page.text_size, Qt.Key.Key_Right)
    assert settings.text_size == 110
    assert shell_of(pane.bench).restarts == 3


def test_nothing_happens_when_nothing_was_changed(pane: SettingsPane) -> None:
    page = expect(pane.page(), AppearancePage)
    page.language.activated.emit(page.language.currentIndex())
    assert shell_of(pane.bench).restarts == 0


def test_my_company_is_saved(pane: SettingsPane, company: Company, qtbot: QtBot) -> None:
    pane.show_page("company")
    settle(qtbot, pane.bench)
    page = expect(pane.page(), RecordPage)
    assert not page.save_button.isEnabled()
    line = expect(page.form.boxes["tax_id"].editor.focusProxy(), QWidget)
    line.setFocus()
    QTest.keyClicks(line, "RO12345674")
    assert page.save_button.isEnabled()
    page.save_button.click()
    settle(qtbot, pane.bench)
    values = records.get(company.actor, "own_company", company.ids["own"]).values
    assert values["tax_id"] == "RO12345674"


def test_me_is_my_own_user(pane: SettingsPane, company: Company, qtbot: QtBot) -> None:
    pane.show_page("me")
    settle(qtbot, pane.bench)
    assert expect(pane.page(), RecordPage).editing.record_id == company.actor.user_id


def test_leaving_a_changed_page_asks(
    pane: SettingsPane, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.views.forms import editing

    pane.show_page("company")
    settle(qtbot, pane.bench)
    line = expect(expect(pane.page(), RecordPage).form.boxes["tax_id"].editor.focusProxy(), QWidget)
    line.setFocus()
    QTest.keyClicks(line, "1")
    monkeypatch.setattr(editing, "ask", lambda *_args: "stay")
    pane.show_page("me")
    assert pane.nav.key() == "company"
    monkeypatch.setattr(editing, "ask", lambda *_args: "discard")
    pane.show_page("me")
    settle(qtbot, pane.bench)
    assert pane.nav.key() == "me"


def test_stages_are_moved_up_and_down(pane: SettingsPane, company: Company, qtbot: QtBot) -> None:
    pane.show_page("stage")
    settle(qtbot, pane.bench)
    page = expect(pane.page(), ListPage)
    assert page.list.table.select_id(company.ids["Proposal"])
    page._up.click()
    settle(qtbot, pane.bench)
    assert stages(company) == ["Prospecting", "Proposal", "Qualified", "Won", "Lost"]
    page.list.table.select_id(company.ids["Prospecting"])
    page._down.click()
    settle(qtbot, pane.bench)
    assert stages(company)[:2] == ["Proposal", "Prospecting"]


def test_lists_open_and_make_records(pane: SettingsPane, company: Company, qtbot: QtBot) -> None:
    pane.show_page("stage")
    settle(qtbot, pane.bench)
    page = expect(pane.page(), ListPage)
    page._add.click()
    page.list.table.select_id(company.ids["Won"])
    page._edit.click()
    assert shell_of(pane.bench).new == [("stage", {})]
    assert shell_of(pane.bench).opened == [("stage", company.ids["Won"])]


def test_a_seller_may_look_at_lists_but_not_change_them(company: Company, qtbot: QtBot) -> None:
    from tests.support.windows import workbench

    bench = workbench(company.other)
    try:
        made = SettingsPane(bench)
        qtbot.addWidget(made)
        made.show()
        made.show_page("stage")
        settle(qtbot, bench)
        page = expect(made.page(), ListPage)
        assert page._add.isHidden()
        assert page._delete.isHidden()
        assert page._up.isHidden()
    finally:
        bench.tasks.close()


def test_a_mailbox_is_tested_synchronised_and_removed(
    pane: SettingsPane,
    company: Company,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = mailboxes.add(
        company.actor, NewMailbox("Old mail", "folder", "mara@firm.example", path=str(tmp_path))
    )
    pane.show_page("mailboxes")
    settle(qtbot, pane.bench)

    def button(what: str) -> QPushButton:
        return child(pane, QPushButton, f"mailbox.{added.id}.{what}")

    button("test").click()
    settle(qtbot, pane.bench)
    button("sync").click()
    settle(qtbot, pane.bench)
    # The first pass is shown before it is done.
    first = child(pane.bench.shell.window_widget(), DryRunDialog)
    settle(qtbot, pane.bench)
    assert mailboxes.get(company.actor, added.id).last_synced_at is None
    child(first, QPushButton, "dryRun.go").click()
    settle(qtbot, pane.bench)
    assert any(title == "Synchronised" for title, _ in shell_of(pane.bench).toasts)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    monkeypatch.setattr(mailbox_work, "ask", lambda *_args: "remove")
    button("remove").click()
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    assert mailboxes.list_mailboxes(company.actor) == ()
    assert child(pane, QPushButton, "mailboxesEmpty.action").isVisible()


def test_a_backup_is_made_from_the_window(pane: SettingsPane, qtbot: QtBot, tmp_path: Path) -> None:
    from desktop_crm.services import databases
    from desktop_crm.views.dialogs import database

    database.save_backup(pane.bench, pane, tmp_path / "copy.db")
    settle(qtbot, pane.bench)
    assert shell_of(pane.bench).toasts[-1][0] == "Backed up"
    assert databases.look(str(tmp_path / "copy.db")).state.value == "current"


def test_the_page_is_kept_over_a_rebuild(
    pane: SettingsPane, bench: Workbench, qtbot: QtBot
) -> None:
    pane.show_page("database")
    other = SettingsPane(bench)
    qtbot.addWidget(other)
    other.return_to(pane.place())
    assert other.nav.key() == "database"
    settle(qtbot, bench)


def test_the_time_to_undo_sending_is_chosen_here(pane: SettingsPane) -> None:
    pane.show_page("mail")
    page = expect(pane.page(), MailPage)
    assert page.undo.currentText() == "10 seconds"
    page.undo.setFocus()
    QTest.keyClick(page.undo, Qt.Key.Key_Down)
    assert page.undo.currentText() == "20 seconds"
    assert letters.undo_seconds(pane.bench) == 20
    QTest.keyClick(page.undo, Qt.Key.Key_Home)
    assert page.undo.currentText() == "None: it leaves at once"
    assert letters.undo_seconds(pane.bench) == 0


def test_senders_whose_pictures_are_shown_can_be_blocked_again(pane: SettingsPane) -> None:
    for address in ("News@one.example", "two@two.example"):
        reading_extras.show_always(pane.bench, address)
    pane.show_page("mail")
    page = expect(pane.page(), MailPage)
    page.senders.setFocus()
    QTest.keyClick(page.senders, Qt.Key.Key_Home)
    QTest.keyClick(page.senders, Qt.Key.Key_Delete)
    assert reading_extras.trusted_senders(pane.bench) == ["two@two.example"]
    assert not reading_extras.always_shown(pane.bench, "news@one.example")
    QTest.keyClick(page.senders, Qt.Key.Key_Home)
    QTest.mouseClick(child(page, QPushButton, "settings.mail.remove"), Qt.MouseButton.LeftButton)
    assert reading_extras.trusted_senders(pane.bench) == []
    assert child(page, QWidget, "settings.mail.nobody").isVisible()
