"""Settings: each page does what it says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QRadioButton

from desktop_crm.services import mailboxes, records
from desktop_crm.services.mailboxes import NewMailbox
from desktop_crm.services.query import Order, RecordQuery, first_page
from desktop_crm.views.panes import mailbox_work
from desktop_crm.views.panes.settings import SettingsPane
from tests.support.windows import settle


@pytest.fixture
def pane(bench, qtbot):
    made = SettingsPane(bench)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def stages(company):
    rows = first_page(
        company.actor, RecordQuery("stage", ("name",), order=(Order("position"),)), 20
    )
    return [row.values[0] for row in rows]


def test_theme_language_and_size_take_effect_at_once(pane, qtbot):
    settings = pane.bench.settings
    qtbot.mouseClick(pane.findChild(QRadioButton, "settings.theme.dark"), Qt.MouseButton.LeftButton)
    assert settings.theme == "dark"
    page = pane.page()
    page.language.setCurrentIndex(page.language.findData("ro"))
    page.language.activated.emit(page.language.currentIndex())
    assert settings.language == "ro"
    page.text_size.setFocus()
    qtbot.keyClick(page.text_size, Qt.Key.Key_Right)
    assert settings.text_size == 110
    assert pane.bench.shell.restarts == 3


def test_nothing_happens_when_nothing_was_changed(pane, qtbot):
    page = pane.page()
    page.language.activated.emit(page.language.currentIndex())
    assert pane.bench.shell.restarts == 0


def test_my_company_is_saved(pane, company, qtbot):
    pane.show_page("company")
    settle(qtbot, pane.bench)
    page = pane.page()
    assert not page.save_button.isEnabled()
    line = page.form.boxes["tax_id"].editor.focusProxy()
    line.setFocus()
    qtbot.keyClicks(line, "RO12345674")
    assert page.save_button.isEnabled()
    page.save_button.click()
    settle(qtbot, pane.bench)
    values = records.get(company.actor, "own_company", company.ids["own"]).values
    assert values["tax_id"] == "RO12345674"


def test_me_is_my_own_user(pane, company, qtbot):
    pane.show_page("me")
    settle(qtbot, pane.bench)
    assert pane.page().editing.record_id == company.actor.user_id


def test_leaving_a_changed_page_asks(pane, qtbot, monkeypatch):
    from desktop_crm.views.forms import editing

    pane.show_page("company")
    settle(qtbot, pane.bench)
    line = pane.page().form.boxes["tax_id"].editor.focusProxy()
    line.setFocus()
    qtbot.keyClicks(line, "1")
    monkeypatch.setattr(editing, "ask", lambda *_args: "stay")
    pane.show_page("me")
    assert pane.nav.key() == "company"
    monkeypatch.setattr(editing, "ask", lambda *_args: "discard")
    pane.show_page("me")
    settle(qtbot, pane.bench)
    assert pane.nav.key() == "me"


def test_stages_are_moved_up_and_down(pane, company, qtbot):
    pane.show_page("stage")
    settle(qtbot, pane.bench)
    page = pane.page()
    assert page.list.table.select_id(company.ids["Proposal"])
    page._up.click()
    settle(qtbot, pane.bench)
    assert stages(company) == ["Prospecting", "Proposal", "Qualified", "Won", "Lost"]
    page.list.table.select_id(company.ids["Prospecting"])
    page._down.click()
    settle(qtbot, pane.bench)
    assert stages(company)[:2] == ["Proposal", "Prospecting"]


def test_lists_open_and_make_records(pane, company, qtbot):
    pane.show_page("stage")
    settle(qtbot, pane.bench)
    page = pane.page()
    page._add.click()
    page.list.table.select_id(company.ids["Won"])
    page._edit.click()
    assert pane.bench.shell.new == [("stage", {})]
    assert pane.bench.shell.opened == [("stage", company.ids["Won"])]


def test_a_seller_may_look_at_lists_but_not_change_them(company, qtbot):
    from tests.support.windows import workbench

    bench = workbench(company.other)
    try:
        made = SettingsPane(bench)
        qtbot.addWidget(made)
        made.show()
        made.show_page("stage")
        settle(qtbot, bench)
        page = made.page()
        assert page._add.isHidden()
        assert page._delete.isHidden()
        assert page._up.isHidden()
    finally:
        bench.tasks.close()


def test_a_mailbox_is_tested_synchronised_and_removed(pane, company, qtbot, tmp_path, monkeypatch):
    added = mailboxes.add(
        company.actor, NewMailbox("Old mail", "folder", "mara@firm.example", path=str(tmp_path))
    )
    pane.show_page("mailboxes")
    settle(qtbot, pane.bench)

    def button(what):
        return pane.findChild(QPushButton, f"mailbox.{added.id}.{what}")

    button("test").click()
    settle(qtbot, pane.bench)
    button("sync").click()
    settle(qtbot, pane.bench)
    assert any(title == "Synchronised" for title, _ in pane.bench.shell.toasts)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    monkeypatch.setattr(mailbox_work, "ask", lambda *_args: "remove")
    button("remove").click()
    settle(qtbot, pane.bench)
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy)
    assert mailboxes.list_mailboxes(company.actor) == ()
    assert pane.findChild(QPushButton, "mailboxesEmpty.action").isVisible()


def test_a_backup_is_made_from_the_window(pane, qtbot, tmp_path):
    from desktop_crm.services import databases
    from desktop_crm.views.dialogs import database

    database.save_backup(pane.bench, pane, tmp_path / "copy.db")
    settle(qtbot, pane.bench)
    assert pane.bench.shell.toasts[-1][0] == "Backed up"
    assert databases.look(str(tmp_path / "copy.db")).state.value == "current"


def test_the_page_is_kept_over_a_rebuild(pane, bench, qtbot):
    pane.show_page("database")
    other = SettingsPane(bench)
    qtbot.addWidget(other)
    other.return_to(pane.place())
    assert other.nav.key() == "database"
    settle(qtbot, bench)
