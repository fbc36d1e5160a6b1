"""How mailboxes stand: on their page, in the line at the bottom, and passes by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.models.mail import MailboxState
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow, NewMailbox
from desktop_crm.sync import scheduler
from desktop_crm.sync.results import MailboxResult, SyncResult
from desktop_crm.views.actions import Action
from desktop_crm.views.mailbox import state, status_item
from desktop_crm.views.mailbox.passes import Running, passes_of
from desktop_crm.views.mailbox.status_item import MailboxItem
from desktop_crm.views.panes.mailbox_work import MailboxWork
from desktop_crm.views.panes.settings import SettingsPane
from tests.support.company import NOW, Company
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from desktop_crm.views.workbench import Workbench

ME = "mara@firm.example"
LONG_AGO = NOW - timedelta(hours=3)


def added(company: Company, folder: Path, name: str = "Office") -> MailboxRow:
    """A mailbox that was read before."""
    folder.mkdir(exist_ok=True)
    made = mailboxes.add(company.actor, NewMailbox(name, "folder", ME, path=str(folder)))
    mailboxes.set_state(company.actor, made.id, MailboxState.OK, "", LONG_AGO)
    return mailboxes.get(company.actor, made.id)


@pytest.fixture
def box(company: Company, tmp_path: Path) -> MailboxRow:
    return added(company, tmp_path / "mail")


@pytest.fixture
def passes_made(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Mailboxes a pass was made over; each ends well and at once."""
    made: list[int | None] = []

    def sync_once(actor: object, mailbox: int | None, **_more: Any) -> SyncResult:
        made.append(mailbox)
        return SyncResult([MailboxResult(mailbox or 0, "Office")])

    monkeypatch.setattr(scheduler, "sync_once", sync_once)
    return made


@pytest.fixture
def item(bench: Workbench, qtbot: QtBot) -> MailboxItem:
    made = MailboxItem()
    qtbot.addWidget(made)
    made.start(bench)
    made.show()
    settle(qtbot, bench)
    return made


def page(bench: Workbench, qtbot: QtBot) -> SettingsPane:
    pane = SettingsPane(bench)
    qtbot.addWidget(pane)
    pane.resize(1100, 680)
    pane.show()
    pane.show_page("mailboxes")
    settle(qtbot, bench)
    return pane


# --- in words ------------------------------------------------------------------------------------


def test_each_state_has_its_word_and_its_sentence(bench: Workbench, box: MailboxRow) -> None:
    def stands(row: MailboxRow, **more: Any) -> tuple[str, str, str]:
        found = state.standing(row, bench.formats, NOW, **more)
        return found.word, found.sentence, found.mend

    assert stands(replace(box, state="new", last_synced_at=None))[0] == "Not synchronised yet"
    assert stands(box)[1].startswith("Last synchronised ")
    working = stands(box, doing=Running(box.id, "Inbox", 1200))
    assert working == ("Synchronising", "Inbox: 1200 items so far.", "")
    elsewhere = replace(box, leased_by="desk-7/12/ab", leased_until=NOW + timedelta(minutes=2))
    assert "desk-7" in stands(elsewhere)[1]
    over = replace(elsewhere, leased_until=NOW)
    assert "desk-7" not in stands(over)[1]
    waits = replace(box, state="waiting", message="The server is not reached.")
    at = NOW + timedelta(minutes=4)
    said = stands(waits, next_at=at)[1]
    assert said == (f"The server is not reached. It is tried again at {bench.formats.time(at)}.")
    assert stands(waits, paused=True)[0] == "Paused"


@pytest.mark.parametrize(
    ("kind", "sign_in", "mend"),
    [
        ("graph", "", "Sign in again…"),
        ("imap", "", "Enter the password…"),
        ("exchange", "certificate", "Change the settings…"),
        ("folder", "", "Change the settings…"),
    ],
)
def test_a_stopped_mailbox_names_what_mends_it(
    bench: Workbench, box: MailboxRow, kind: str, sign_in: str, mend: str
) -> None:
    row = replace(box, state="stopped", kind=kind, sign_in=sign_in, message="Refused.")
    found = state.standing(row, bench.formats, NOW)
    assert (found.sentence, found.mend) == ("Refused.", mend)


# --- passes by themselves -----------------------------------------------------------------------


def test_what_is_due_is_read_by_itself_and_nothing_else(
    bench: Workbench,
    company: Company,
    box: MailboxRow,
    qtbot: QtBot,
    tmp_path: Path,
    passes_made: list[int | None],
) -> None:
    stopped = added(company, tmp_path / "b", "Stopped")
    mailboxes.set_state(company.actor, stopped.id, MailboxState.STOPPED, "Refused.")
    fresh = added(company, tmp_path / "c", "Fresh")
    mailboxes.set_state(company.actor, fresh.id, MailboxState.OK, "", NOW)
    mailboxes.add(company.actor, NewMailbox("New", "folder", ME, path=str(tmp_path)))
    gone = added(company, tmp_path / "d", "Elsewhere")
    Path(gone.path).rmdir()

    passes = passes_of(bench)
    passes.look()
    settle(qtbot, bench)
    assert passes_made == [box.id]
    assert shell_of(bench).errors == []


def test_paused_passes_wait_until_they_go_on(
    bench: Workbench, box: MailboxRow, qtbot: QtBot, passes_made: list[int | None]
) -> None:
    passes = passes_of(bench)
    passes.pause(True)
    passes.look()
    settle(qtbot, bench)
    assert (passes_made, passes.next_at(box)) == ([], None)
    passes.pause(False)
    settle(qtbot, bench)
    assert passes_made == [box.id]


def test_a_failing_mailbox_is_tried_ever_later(
    bench: Workbench, company: Company, box: MailboxRow, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    problem = EnvironmentProblem(N_("The server is not reached."), retryable=True)

    def sync_once(actor: object, mailbox: int | None, **_more: Any) -> SyncResult:
        mailboxes.set_state(company.actor, box.id, MailboxState.WAITING, str(problem))
        return SyncResult([MailboxResult(box.id, box.name, problem=problem)])

    monkeypatch.setattr(scheduler, "sync_once", sync_once)
    passes = passes_of(bench)
    for minutes in (1, 2, 4):
        passes.start(box.id, lambda _result: None, lambda _error: None)
        settle(qtbot, bench)
        assert passes.next_at(mailboxes.get(company.actor, box.id)) == NOW + timedelta(
            minutes=minutes
        )
    made = len(shell_of(bench).errors)
    passes.look()  # not due yet
    settle(qtbot, bench)
    assert (passes.running, made) == (None, 0)


def test_of_several_mailboxes_the_failing_one_is_named_and_the_others_are_told(
    bench: Workbench, box: MailboxRow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync_once(actor: object, mailbox: int | None, **_more: Any) -> SyncResult:
        failed = MailboxResult(
            9, "Second", problem=EnvironmentProblem(N_("No network."), retryable=True)
        )
        return SyncResult([MailboxResult(box.id, box.name), failed])

    monkeypatch.setattr(scheduler, "sync_once", sync_once)
    MailboxWork(bench, bench.shell.window_widget()).sync_all()
    settle(qtbot, bench)
    (error,) = shell_of(bench).errors
    assert (str(error), getattr(error, "retryable", None)) == ("Second: No network.", True)
    assert shell_of(bench).toasts == [("Synchronised", "0 new items")]


def test_all_panes_share_one_pass(bench: Workbench) -> None:
    assert passes_of(bench) is passes_of(bench)


# --- the page -----------------------------------------------------------------------------------


def test_the_page_follows_a_pass_folder_by_folder(
    bench: Workbench, box: MailboxRow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def sync_once(
        actor: object, mailbox: int | None, *, began: Callable[[MailboxRow], None],
        progress: Callable[[str, int], None], **_more: Any,
    ) -> SyncResult:  # fmt: skip
        began(box)
        progress("Inbox", 300)
        goes_on.wait(10)
        return SyncResult([MailboxResult(box.id, box.name)])

    monkeypatch.setattr(scheduler, "sync_once", sync_once)
    pane = page(bench, qtbot)
    child(pane, QPushButton, f"mailbox.{box.id}.sync").click()
    sentence = child(pane, QLabel, f"mailbox.{box.id}.message")
    qtbot.waitUntil(lambda: sentence.text() == "Inbox: 300 items so far.", timeout=5_000)
    goes_on.set()
    settle(qtbot, bench)
    assert child(pane, QLabel, f"mailbox.{box.id}.message").text().startswith("Last synchronised")


def test_a_stopped_mailbox_offers_what_mends_it(
    bench: Workbench, company: Company, box: MailboxRow, qtbot: QtBot
) -> None:
    problem = UserError(N_("There is no such folder."))
    mailboxes.set_state(company.actor, box.id, MailboxState.STOPPED, str(problem))
    pane = page(bench, qtbot)
    mend = child(pane, QPushButton, f"mailbox.{box.id}.mend")
    assert child(pane, QLabel, f"mailbox.{box.id}.message").text() == str(problem)
    mend.setFocus()
    QTest.keyClick(mend, Qt.Key.Key_Space)
    assert shell_of(bench).opened == [("mailbox", box.id)]


def test_the_page_pauses(bench: Workbench, box: MailboxRow, qtbot: QtBot) -> None:
    pane = page(bench, qtbot)
    QTest.keyClick(child(pane, QCheckBox, "settings.mailboxes.pause"), Qt.Key.Key_Space)
    settle(qtbot, bench)
    assert passes_of(bench).is_paused
    # A new window of the same person reads it again.
    assert child(page(bench, qtbot), QCheckBox, "settings.mailboxes.pause").isChecked()


# --- the line at the bottom ---------------------------------------------------------------------


def test_the_line_says_the_worst_and_unfolds_what_mends_it(
    bench: Workbench, company: Company, box: MailboxRow, item: MailboxItem, qtbot: QtBot,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert item.text().startswith("Office: Up to date")
    other = added(company, tmp_path / "b", "Second")
    mailboxes.set_state(company.actor, other.id, MailboxState.STOPPED, "Refused.")
    passes_of(bench).changed.emit()
    settle(qtbot, bench)
    assert item.text().startswith(f"{other.name}: Stopped")
    assert "Second: Stopped. Refused." in item.accessibleDescription()
    seen: list[Action] = []
    monkeypatch.setattr(status_item, "show_menu", lambda _anchor, actions: seen.extend(actions))
    item.setFocus()
    QTest.keyClick(item, Qt.Key.Key_Space)
    assert [action.id for action in seen] == [
        f"status.mailbox.mend.{other.id}", "status.mailbox.sync", "status.mailbox.pause",
        "status.mailbox.noted", "status.mailbox.page",
    ]  # fmt: skip
    mend, _sync, pause, _noted, settings = seen
    assert mend.text == "Second: Change the settings…"
    mend.run()
    pause.run()
    settings.run()
    settle(qtbot, bench)
    assert shell_of(bench).opened == [("mailbox", other.id)]
    assert passes_of(bench).is_paused
    assert shell_of(bench).places == [("settings", {"page": "mailboxes"})]


def test_without_a_mailbox_the_line_says_so(item: MailboxItem) -> None:
    assert item.text() == "No mailbox"


def test_the_window_reads_what_is_due(
    box: MailboxRow,
    open_window: Callable[[str], MainWindow],
    qtbot: QtBot,
    passes_made: list[int | None],
) -> None:
    window = open_window("home")
    qtbot.waitUntil(lambda: bool(passes_made), timeout=10_000)
    assert passes_made == [box.id]
    assert window.status.mailbox.text()
    qtbot.waitUntil(lambda: not window.tasks.busy, timeout=10_000)
