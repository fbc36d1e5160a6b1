"""What of the mailboxes could not be read or taken over is listed, with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop_crm.services.mail import mailboxes, noted_items
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync import scheduler
from desktop_crm.views.mailbox.noted_dialog import NotedDialog
from desktop_crm.views.panes.mailbox_work import MailboxWork
from tests.support.company import Company
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

_ODD = (
    "BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:z", "SUMMARY:Visit",
    "DTSTART;TZID=Mars/Olympus:20261202T090000", "DURATION:PT1H", "END:VEVENT", "END:VCALENDAR", "",
)  # fmt: skip


@pytest.fixture
def read(company: Company, tmp_path: Path) -> None:
    """A mailbox with a file that holds no message and a meeting of an unknown zone."""
    (tmp_path / "Inbox").mkdir()
    (tmp_path / "Inbox" / "broken.eml").write_bytes(b"")
    (tmp_path / "Calendar").mkdir()
    (tmp_path / "Calendar" / "odd.ics").write_text("\r\n".join(_ODD), encoding="utf-8")
    box = mailboxes.add(
        company.actor, NewMailbox("Office", "folder", "mara@firm.example", path=str(tmp_path))
    )
    scheduler.sync_once(company.actor, box.id)


def opened(bench: Workbench, qtbot: QtBot) -> NotedDialog:
    MailboxWork(bench, bench.shell.window_widget()).show_noted()
    dialog = child(bench.shell.window_widget(), NotedDialog)
    settle(qtbot, bench)
    return dialog


def test_each_item_stands_with_its_reason_and_opens(
    bench: Workbench, company: Company, read: None, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot)
    cells = {fact.cells[0]: fact.cells[1:] for fact in dialog.table.facts.facts}
    assert set(cells) == {"Visit", "Inbox/broken.eml"}
    assert cells["Inbox/broken.eml"] == (
        "Office, Inbox", "Could not be read", "The file is empty.",
    )  # fmt: skip
    assert "“Mars/Olympus” is not known" in cells["Visit"][2]
    rows = [fact.cells[0] for fact in dialog.table.facts.facts]
    dialog.table.selectRow(rows.index("Inbox/broken.eml"))
    assert not child(dialog, QPushButton, "noted.open").isEnabled(), "there is nothing to open"
    dialog.table.selectRow(rows.index("Visit"))
    assert "Mars/Olympus" in child(dialog, QLabel, "noted.detail").text()
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert [entity for entity, _key in shell_of(bench).opened] == ["activity"]


def test_nothing_to_tell_is_said_and_others_see_nothing(
    bench: Workbench, company: Company, read: None, qtbot: QtBot
) -> None:
    assert len(noted_items.noted(company.actor)) == 2
    assert noted_items.noted(company.other) == ()
    (box,) = mailboxes.list_mailboxes(company.actor)
    mailboxes.remove(company.actor, box.id)
    dialog = opened(bench, qtbot)
    assert "Nothing is missing" in [one.text() for one in dialog.findChildren(QLabel)]
