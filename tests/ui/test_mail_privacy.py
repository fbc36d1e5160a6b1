"""Who sees one's mail, and withdrawing it, by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton

from desktop_crm.services import records
from desktop_crm.services.mail import listing, mailboxes
from desktop_crm.services.mail.listing import MailQuery
from desktop_crm.views.mail.colleagues_dialog import ColleaguesDialog
from desktop_crm.views.mail.withdraw_dialog import WithdrawDialog
from desktop_crm.views.panes.mail import MailPane
from desktop_crm.views.panes.settings_pages import MailboxesPage
from tests.support.company import Company
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def pane(two_messages: MailPane) -> MailPane:
    return two_messages


def left(company: Company) -> int:
    return len(listing.message_keys(company.actor, MailQuery()))


def run(pane: MailPane, key: str) -> None:
    next(one for one in pane.commands() if one.id == key).run()


def test_a_message_is_withdrawn_by_keyboard(
    pane: MailPane, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    run(pane, "mail.withdraw")
    dialog = child(shell_of(bench).window_widget(), WithdrawDialog, "withdraw")
    told = child(dialog, QLabel, "withdraw.told")
    qtbot.waitUntil(lambda: "“Offer”" in told.text())
    first = child(dialog, QRadioButton, "withdraw.message")
    assert first.hasFocus() or first.isChecked()
    QTest.keyClick(first, Qt.Key.Key_Down)
    assert child(dialog, QRadioButton, "withdraw.thread").isChecked()
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Down)
    assert child(dialog, QRadioButton, "withdraw.sender").isChecked()
    qtbot.waitUntil(lambda: "“Offer”" in told.text())
    go = child(dialog, QPushButton, "withdraw.go")
    qtbot.waitUntil(go.isEnabled)
    with qtbot.waitSignal(dialog.withdrawn, timeout=10_000):
        QTest.keyClick(go, Qt.Key.Key_Space)
    assert left(company) == 1


def test_the_preview_names_each_colleague(
    pane: MailPane, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    run(pane, "mail.colleagues")
    dialog = child(shell_of(bench).window_widget(), ColleaguesDialog, "colleagues")
    qtbot.waitUntil(lambda: not dialog.said.text().endswith("…"))
    assert dialog.people.accessibleName()
    dialog.reject()


def test_a_mailbox_offers_both(
    pane: MailPane, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    (box,) = mailboxes.list_mailboxes(company.actor)
    page = MailboxesPage(bench)
    qtbot.addWidget(page)
    page.show()
    page.load()
    settle(qtbot, bench)
    never = {"never_log": "mueller.example"}
    bench.bus.publish(records.save(company.actor, "mailbox", box.id, None, never).changes)
    qtbot.waitUntil(lambda: "1 stored message would be left out" in page.notice.text)
    name = f"mailbox.{box.id}"
    qtbot.waitUntil(lambda: page.findChild(QPushButton, f"{name}.withdraw") is not None)
    child(page, QPushButton, f"{name}.colleagues").click()
    seen = child(shell_of(bench).window_widget(), ColleaguesDialog, "colleagues")
    qtbot.waitUntil(lambda: not seen.said.text().endswith("…"))
    seen.reject()
    child(page, QPushButton, f"{name}.withdraw").click()
    dialog = child(shell_of(bench).window_widget(), WithdrawDialog, "withdraw")
    told = child(dialog, QLabel, "withdraw.told")
    qtbot.waitUntil(lambda: bool(told.text()) and not told.text().startswith("Looking"))
    assert "“Delivery”" in told.text()
    child(dialog, QRadioButton, "withdraw.all").click()
    qtbot.waitUntil(lambda: "2" in told.text())
    dialog.reject()
