"""Files of mail, meetings and cards dropped or pasted on panes and records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from desktop_crm.core.errors import Cancelled
from desktop_crm.services.mail import message as mail_message
from desktop_crm.sync import taking_in
from desktop_crm.views.dialogs.business_card import BusinessCardDialog
from desktop_crm.views.mail.dropped import DropTaker, files_of
from desktop_crm.views.panes.mail import MailPane
from tests.support import outlook_store
from tests.support.company import Company
from tests.support.windows import child, pane_of, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.services.context import Actor
    from desktop_crm.sync.taking_in import Taken
    from desktop_crm.views.workbench import Workbench

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "plan.eml"
    path.write_bytes(
        b"From: Claire <claire@rossi.example>\r\nTo: mara@firm.example\r\nSubject: Dropped\r\n"
        b"Message-ID: <d@x>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n\r\nHello\r\n"
    )
    return path


def data_of(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_a_letter_dropped_on_a_record_belongs_to_it(
    bench: Workbench, company: Company, qtbot: QtBot, letter: Path
) -> None:
    pane = pane_of(bench, qtbot, "opportunity")
    deal = company.ids["Packaging line"]
    pane.detail.show_record(deal)
    settle(qtbot, bench)
    data = data_of(letter)
    event = QDropEvent(
        QPointF(20, 20), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    # Qt itself sends drops only where a drag of its own goes on.
    assert child(pane.detail, DropTaker).eventFilter(pane.detail, event)
    settle(qtbot, bench)
    assert shell_of(bench).toasts[-1] == ("Files taken in", "1 item taken in")
    (activity,) = records_of(bench, "Dropped")
    links = {
        (one.entity, one.record_id) for one in mail_message.message(bench.actor, activity).links
    }
    assert ("opportunity", deal) in links
    take_back = shell_of(bench).take_back
    assert take_back is not None
    take_back()
    settle(qtbot, bench)
    assert records_of(bench, "Dropped") == []


def records_of(bench: Workbench, subject: str) -> list[int]:
    from desktop_crm.services import query

    return [one.id for one in query.suggest(bench.actor, "activity", subject)]


def test_a_letter_pasted_into_the_mail_pane_is_taken_in(
    bench: Workbench, qtbot: QtBot, letter: Path
) -> None:
    pane = MailPane(bench)
    qtbot.addWidget(pane)
    pane.show()
    pane.activate()
    settle(qtbot, bench)
    QApplication.clipboard().setMimeData(data_of(letter))
    QTest.keySequence(pane, QKeySequence(QKeySequence.StandardKey.Paste))
    qtbot.waitUntil(lambda: ("Files taken in", "1 item taken in") in shell_of(bench).toasts)


def test_what_is_not_taken_in_is_named_and_the_rest_of_it_counted(
    bench: Workbench, qtbot: QtBot, letter: Path
) -> None:
    pane = MailPane(bench)
    qtbot.addWidget(pane)
    pane.show()
    pane.activate()
    settle(qtbot, bench)
    odd = [letter.with_name(f"{number}.eml") for number in range(5)]
    for path in odd:
        path.write_bytes(b"")
    child(pane, DropTaker).take([letter, *odd])
    settle(qtbot, bench)
    title, text = shell_of(bench).toasts[-1]
    assert title == "Files taken in"
    lines = text.splitlines()
    assert lines[0] == "1 item taken in"
    assert lines[1:4] == [f"Not taken in: {n}.eml. The file is empty." for n in range(3)]
    assert lines[4] == "… and 2 more"


def test_an_outlook_data_file_dropped_on_a_record_belongs_to_it_and_goes_back(
    bench: Workbench, company: Company, qtbot: QtBot, tmp_path: Path
) -> None:
    pytest.importorskip("pypff", reason="the extra “pst” (libpff-python) is not installed")
    letters = [
        outlook_store.message(subject=f"Archived {n}", sender=("Claire", "claire@rossi.example"))
        for n in "123"
    ]
    path = tmp_path / "archive.PST"
    path.write_bytes(outlook_store.store([outlook_store.Folder("Inbox", letters)]))
    pane = pane_of(bench, qtbot, "opportunity")
    deal = company.ids["Packaging line"]
    pane.detail.show_record(deal)
    settle(qtbot, bench)
    assert files_of(data_of(path)) == [path]
    child(pane.detail, DropTaker).take([path])
    settle(qtbot, bench)
    assert shell_of(bench).toasts[-1] == ("Files taken in", "3 items taken in")
    (first,) = records_of(bench, "Archived 1")
    links = {(one.entity, one.record_id) for one in mail_message.message(bench.actor, first).links}
    assert ("opportunity", deal) in links
    take_back = shell_of(bench).take_back
    assert take_back is not None
    take_back()
    settle(qtbot, bench)
    assert records_of(bench, "Archived 1") == []


def test_what_came_in_before_it_was_stopped_is_told_and_goes_back(
    bench: Workbench, qtbot: QtBot, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = MailPane(bench)
    qtbot.addWidget(pane)

    whole = taking_in.take_in

    def stopped(actor: Actor, paths: list[Path], about: object, taken: Taken, **_: object) -> None:
        whole(actor, paths, taken=taken)
        raise Cancelled

    monkeypatch.setattr(taking_in, "take_in", stopped)
    child(pane, DropTaker).take([letter])
    settle(qtbot, bench)
    assert shell_of(bench).toasts[-1] == ("Files taken in", "1 item taken in")
    assert shell_of(bench).take_back is not None


def test_a_card_opens_the_form_for_cards_filled_in(
    bench: Workbench, qtbot: QtBot, tmp_path: Path
) -> None:
    card = tmp_path / "ion.vcf"
    card.write_text(
        "BEGIN:VCARD\nVERSION:3.0\nN:Pop;Ion\nFN:Ion Pop\nEMAIL:ion@new.example\nEND:VCARD\n"
    )
    pane = MailPane(bench)
    qtbot.addWidget(pane)
    child(pane, DropTaker).take([card])
    settle(qtbot, bench)
    window = shell_of(bench).window_widget()
    dialog = child(window, BusinessCardDialog)
    assert dialog.isVisible()
    shown = [line.text() for line in dialog.findChildren(QLineEdit)]
    assert "Pop" in shown
    dialog._settle()  # closing would ask
    dialog.accept()
