"""The dry run, conflicts and the question whom to tell, by keyboard."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QLabel, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from desktop_crm.models import Activity, MailMessage, OutboxItem
from desktop_crm.services import records
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.sync import scheduler
from desktop_crm.sync.memory import CALENDAR, INBOX, TASKS, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Attendee,
    Batch,
    Folder,
    MailItem,
    MeetingItem,
    Role,
    TaskItem,
)
from desktop_crm.sync.twoway import questions
from desktop_crm.sync.twoway.lines import Line
from desktop_crm.sync.twoway.preview import Seen
from desktop_crm.sync.writes import Ability
from desktop_crm.views.panes.history_page import HistoryPage
from desktop_crm.views.twoway.conflict_dialog import ConflictDialog
from desktop_crm.views.twoway.dry_run_dialog import DryRunDialog
from desktop_crm.views.twoway.question_dialog import QuestionDialog
from desktop_crm.views.twoway.written_dialog import WrittenDialog
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.workbench import Workbench
from tests.support.company import Company
from tests.support.windows import child, settle

AT = dt.datetime(2030, 3, 4, 8, tzinfo=dt.UTC)


def meeting(uid: str, subject: str, *people: str) -> MeetingItem:
    return MeetingItem(
        uid,
        AT,
        AT + dt.timedelta(hours=1),
        subject=subject,
        location="Sala 2",
        organizer=Attendee(Address("mara@firm.example"), Role.ORGANIZER),
        attendees=tuple(Attendee(Address(p)) for p in people),
    )


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> MemoryMailbox:
    """A mailbox in memory behind every mailbox of the database."""
    made = MemoryMailbox()
    monkeypatch.setattr(scheduler, "open_mailbox", lambda _actor, _row: made)
    return made


@pytest.fixture
def box(company: Company, port: MemoryMailbox, tmp_path: Any) -> mailboxes.MailboxRow:
    new = mailboxes.NewMailbox("Mara", "folder", "mara@firm.example", path=str(tmp_path))
    added = mailboxes.add(company.actor, new)
    mailboxes.set_two_way(company.actor, added.id, on=True)
    return mailboxes.get(company.actor, added.id)


def activities(actor: Actor) -> list[Any]:
    with actor.db.reading() as connection:
        table = Activity.__table__
        columns = (table.c.id, table.c.subject, table.c.location, table.c.ical_uid)
        where = table.c.ical_uid.in_(["u1", "u2"])
        return list(connection.execute(select(*columns).where(where).order_by(table.c.id)))


def opened(bench: Workbench, box: mailboxes.MailboxRow, qtbot: QtBot) -> DryRunDialog:
    dialog = DryRunDialog(bench, box)
    shown(qtbot, dialog)
    settle(qtbot, bench)
    return dialog


def shown(qtbot: QtBot, dialog: QDialog) -> None:
    # They delete themselves when they close, or with the window.
    dialog.show()
    dialog.activateWindow()
    qtbot.waitActive(dialog)


def titles(dialog: DryRunDialog) -> list[str]:
    return [fact.cells[0] for fact in dialog.table.facts.facts]


def test_lines_are_struck_by_keyboard_and_the_rest_is_done(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    sender = Address("ion@client.example")
    port.put(INBOX, MailItem("m1@x", subject="Ofertă", sender=sender, sent_at=AT))
    port.put(CALENDAR, meeting("u1", "Vizită"))
    port.put(TASKS, TaskItem("t1", "Sună clientul"))
    dialog = opened(bench, box, qtbot)
    assert activities(bench.actor) == []
    assert {"Ofertă", "Vizită", "Sună clientul"} <= set(titles(dialog))
    offer = next(fact for fact in dialog.table.facts.facts if fact.cells[0] == "Ofertă")
    assert offer.cells[3].startswith("From ion@client.example, ")
    assert dialog.nothing.isHidden()
    assert "Here: create 3" in child(dialog, QLabel, "dryRun.counts").text()
    side = child(dialog, QComboBox, "dryRun.side")
    side.setCurrentIndex(side.findData("here"))
    assert set(titles(dialog)) == {"Ofertă", "Vizită", "Sună clientul"}
    dialog.search.setText("vizita")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert titles(dialog) == ["Vizită"]
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    assert dialog.table.facts.facts[0].ticked is False
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    assert dialog.table.facts.facts[0].ticked is True
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    with qtbot.waitSignal(dialog.finished):
        QTest.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, bench)
    assert activities(bench.actor) == [], "the struck meeting was not stored"
    assert scheduler.sync_once(bench.actor, box.id).count("created") == 0
    assert mailboxes.get(bench.actor, box.id).last_synced_at is not None


def test_a_mailbox_with_nothing_new_says_so(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    port.put(INBOX, MailItem("m1@x", subject="Offer", sent_at=AT))
    dialog = opened(bench, box, qtbot)
    dialog.search.setText("zzz")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.nothing.text() == "No line has these words."
    assert not dialog.nothing.isHidden()
    dialog.close()
    scheduler.sync_once(bench.actor, box.id)
    dialog = opened(bench, box, qtbot)
    assert dialog.nothing.text().startswith("There is nothing to do")
    assert not dialog.nothing.isHidden()


def test_writing_to_the_mailbox_is_chosen_in_the_list(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    mailboxes.set_two_way(bench.actor, box.id, on=False)
    records.save(
        bench.actor, "activity", None, None,
        {"kind": "appointment", "subject": "De aici", "start_at": AT, "end_at": AT,
         "owner": bench.actor.user_id},
    )  # fmt: skip
    dialog = opened(bench, box, qtbot)
    assert "De aici" not in titles(dialog)
    tick = child(dialog, QCheckBox, "dryRun.both")
    assert not tick.isChecked()
    tick.click()
    settle(qtbot, bench)
    assert tick.isChecked()
    assert "De aici" in titles(dialog)


@dataclass
class Gate:
    """Holds the second page of the inbox back, once.

    Attributes:
        opened: lets it through.
        reached: somebody waits for it.
        asked: when each folder was asked for changes, and from where.
    """

    opened: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[float, str, str | None]] = field(default_factory=list)


@pytest.fixture
def gate(port: MemoryMailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A mailbox of three pages of mail and a meeting, which is slow from the second page on."""
    made, changes = Gate(), port.changes
    sender = Address("ion@client.example")
    for n in range(250):
        at = AT - dt.timedelta(minutes=n)
        port.put(INBOX, MailItem(f"m{n}@x", subject=f"Mail {n}", sender=sender, sent_at=at))
    port.put(CALENDAR, meeting("u1", "Vizită"))
    port.put(CALENDAR, meeting("u2", "Ședință"))

    def slow(folder: Folder, token: str | None) -> Batch:
        made.asked.append((time.monotonic(), folder.key, token))
        if folder == INBOX and token and not made.reached.is_set():
            made.reached.set()
            made.opened.wait(30)
        return changes(folder, token)

    monkeypatch.setattr(port, "changes", slow)
    yield made
    made.opened.set()


def half_seen(bench: Workbench, box: mailboxes.MailboxRow, qtbot: QtBot) -> DryRunDialog:
    """A dialog that shows the first page of mail and waits for the second."""
    dialog = DryRunDialog(bench, box)
    shown(qtbot, dialog)
    go = child(dialog, QPushButton, "dryRun.go")
    assert not go.isEnabled()
    assert dialog.nothing.isHidden(), "nobody knows yet whether there is anything"
    qtbot.waitUntil(go.isEnabled, timeout=10_000)
    return dialog


def test_the_pass_begins_while_the_look_goes_on(
    bench: Workbench, box: mailboxes.MailboxRow, gate: Gate, qtbot: QtBot
) -> None:
    dialog = half_seen(bench, box, qtbot)
    state = child(dialog, QLabel, "dryRun.state")
    assert state.text().startswith("100 messages so far. The look goes on and need not be waited")
    assert titles(dialog)[:2] == ["Ședință", "Vizită"]
    QTest.keyClick(child(dialog, QComboBox, "dryRun.side"), Qt.Key.Key_Down)
    assert titles(dialog)[:3] == ["Ședință", "Vizită", "Mail 0"]
    assert "Here: create 102" in child(dialog, QLabel, "dryRun.counts").text()
    for _ in range(2):
        QTest.keyClick(dialog.table, Qt.Key.Key_Space)
        QTest.keyClick(dialog.table, Qt.Key.Key_Down)
        QTest.keyClick(dialog.table, Qt.Key.Key_Down)
    assert [fact.ticked for fact in dialog.table.facts.facts[:4]] == [False, True, False, True]
    assert gate.reached.wait(10)
    before, pressed = len(gate.asked), time.monotonic()
    with qtbot.waitSignal(dialog.finished, timeout=20_000):
        QTest.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, bench)
    began, *_ = gate.asked[before]
    assert began - pressed < 1.0, "the look was stopped, not waited for"
    assert [row.subject for row in activities(bench.actor)] == ["Vizită"]
    with bench.actor.db.reading() as connection:
        subjects = set(connection.execute(select(MailMessage.subject)).scalars())
    assert subjects == {f"Mail {n}" for n in range(1, 250)}


def test_lines_come_in_without_moving_anything(
    bench: Workbench, box: mailboxes.MailboxRow, gate: Gate, qtbot: QtBot
) -> None:
    dialog = half_seen(bench, box, qtbot)
    table = dialog.table
    for _ in range(60):
        QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Space)
    struck, sight = table.selected(), table.verticalScrollBar().value()
    assert sight > 0
    gate.opened.set()
    settle(qtbot, bench)
    assert titles(dialog)[-250:] == [f"Mail {n}" for n in range(250)]
    assert (table.currentIndex().row(), table.selected()) == (60, struck)
    assert table.verticalScrollBar().value() == sight
    assert [n for n, fact in enumerate(table.facts.facts) if not fact.ticked] == [60]
    assert child(dialog, QLabel, "dryRun.state").isHidden(), "all is listed"
    assert "Here: create 251" in child(dialog, QLabel, "dryRun.counts").text()


def test_a_filter_holds_for_lines_that_come_later(
    bench: Workbench, box: mailboxes.MailboxRow, gate: Gate, qtbot: QtBot
) -> None:
    dialog = half_seen(bench, box, qtbot)
    dialog.search.setText("mail 24")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert titles(dialog) == ["Mail 24"]
    gate.opened.set()
    settle(qtbot, bench)
    assert titles(dialog) == ["Mail 24", *(f"Mail 24{n}" for n in range(10))]


def test_closing_the_list_stops_the_look(
    bench: Workbench, box: mailboxes.MailboxRow, gate: Gate, qtbot: QtBot
) -> None:
    dialog = half_seen(bench, box, qtbot)
    assert gate.reached.wait(10)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=2_000)
    assert not gate.opened.is_set()
    assert activities(bench.actor) == []


def test_a_look_that_was_stopped_says_how_far_it_came(
    bench: Workbench, box: mailboxes.MailboxRow, gate: Gate, qtbot: QtBot
) -> None:
    dialog = half_seen(bench, box, qtbot)
    assert gate.reached.wait(10)
    bench.tasks._running[0].stop()
    qtbot.waitUntil(lambda: not bench.tasks.busy, timeout=2_000)
    state = child(dialog, QLabel, "dryRun.state")
    assert state.text() == "100 messages so far. The look was stopped."
    assert child(dialog, QPushButton, "dryRun.go").isEnabled()


def test_writing_too_is_chosen_while_the_look_goes_on(
    bench: Workbench, box: mailboxes.MailboxRow, gate: Gate, qtbot: QtBot
) -> None:
    dialog = half_seen(bench, box, qtbot)
    assert gate.reached.wait(10)
    tick = child(dialog, QCheckBox, "dryRun.both")
    assert tick.isChecked()
    QTest.keyClick(tick, Qt.Key.Key_Space)
    settle(qtbot, bench)
    assert not tick.isChecked()
    assert len(titles(dialog)) == 252, "it was looked at anew"


def test_a_page_is_shown_within_a_frame_or_three(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    """Nothing on the UI thread takes 50 ms, however many lines stand there."""
    dialog = opened(bench, box, qtbot)

    def page(start: int) -> tuple[Line, ...]:
        return tuple(
            Line(f"item:Inbox|{n}", f"f{n}", "here", "create", "message", f"Mail {n}", "New.")
            for n in range(start, start + 100)
        )

    took = []
    for start in range(0, 5_000, 100):
        seen = Seen(page(start), start + 100, 0, is_enough=True, two_way=True)
        began = time.thread_time()
        dialog._take(seen)
        took.append(time.thread_time() - began)
    began = time.thread_time()
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    took.append(time.thread_time() - began)
    assert dialog.table.facts.facts[0].ticked is False
    assert sorted(took)[-2] < 0.05, took


def changed(bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox) -> tuple[int, str]:
    """A meeting both sides changed after a first pass."""
    key = port.put(CALENDAR, meeting("u1", "Vizită", "ion@client.example"))
    scheduler.sync_once(bench.actor, box.id)
    (row,) = activities(bench.actor)
    port.put(CALENDAR, replace(meeting("u1", "B", "ion@client.example"), location="Cluj"), key)
    records.save(bench.actor, "activity", row.id, None, {"subject": "A", "location": "Iași"})
    scheduler.sync_once(bench.actor, box.id)
    return row.id, key


def test_a_conflict_is_decided_field_by_field(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    _, key = changed(bench, box, port)
    dialog = ConflictDialog(bench, box.id)
    shown(qtbot, dialog)
    settle(qtbot, bench)
    keep = child(dialog, QPushButton, "conflicts.keep")
    assert not keep.isEnabled()
    mine = child(dialog, QRadioButton, "conflicts.0.subject.mine")
    assert mine.text() == "Here: A"
    mine.setFocus()
    QTest.keyClick(mine, Qt.Key.Key_Space)
    theirs = child(dialog, QRadioButton, "conflicts.0.location.theirs")
    QTest.keyClick(theirs, Qt.Key.Key_Space)
    assert mine.isChecked()
    with qtbot.waitSignal(dialog.decided):
        QTest.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, bench)
    qtbot.waitUntil(child(dialog, EmptyState, "conflicts.empty").isVisible)
    scheduler.sync_once(bench.actor, box.id)
    for question in questions.waiting(bench.actor):
        questions.answer(bench.actor, question.order, tell=False)
    scheduler.sync_once(bench.actor, box.id)
    (row,) = activities(bench.actor)
    item = port.held(CALENDAR)[key]
    assert isinstance(item, MeetingItem)
    assert (row.subject, row.location) == (item.subject, item.location) == ("A", "Cluj")
    assert port.told == []


@pytest.mark.parametrize("tell", [False, True])
def test_nobody_is_told_unless_it_is_ticked(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot, tell: bool
) -> None:
    key = port.put(CALENDAR, meeting("u1", "Vizită", "ion@client.example", "lia@x.example"))
    scheduler.sync_once(bench.actor, box.id)
    (row,) = activities(bench.actor)
    records.save(bench.actor, "activity", row.id, None, {"location": "Iași"})
    scheduler.sync_once(bench.actor, box.id)
    dialog = QuestionDialog(bench, questions.waiting(bench.actor))
    shown(qtbot, dialog)
    (tick,) = dialog.findChildren(QCheckBox)
    assert tick.text() == "Vizită: send to 2 people"
    assert not child(dialog, QPushButton, "tellPeople.send").isEnabled()
    if tell:
        QTest.keyClick(tick, Qt.Key.Key_Space)
        QTest.keyClick(child(dialog, QPushButton, "tellPeople.send"), Qt.Key.Key_Space)
    else:
        QTest.keyClick(dialog, Qt.Key.Key_Return)
    settle(qtbot, bench)
    item = port.held(CALENDAR)[key]
    assert isinstance(item, MeetingItem)
    assert item.location == "Iași"
    assert len(port.told) == (1 if tell else 0)
    with bench.actor.db.reading() as connection:
        told = (
            connection.execute(select(OutboxItem.notify).where(OutboxItem.notify.is_not(None)))
            .scalars()
            .all()
        )
    assert told == ["everybody" if tell else "nobody"]


@pytest.mark.parametrize("tell", [False, True])
def test_what_guests_are_told_of_anyway_is_written_only_when_it_is_ticked(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot, tell: bool
) -> None:
    port._abilities -= {Ability.QUIET}
    key = port.put(CALENDAR, meeting("u1", "Vizită", "ion@client.example"))
    scheduler.sync_once(bench.actor, box.id)
    (row,) = activities(bench.actor)
    records.save(bench.actor, "activity", row.id, None, {"location": "Iași"})
    scheduler.sync_once(bench.actor, box.id)
    dialog = QuestionDialog(bench, questions.waiting(bench.actor))
    shown(qtbot, dialog)
    (tick,) = dialog.findChildren(QCheckBox)
    assert tick.text() == "Vizită: write it there and send to 1 person"
    if tell:
        QTest.keyClick(tick, Qt.Key.Key_Space)
        QTest.keyClick(child(dialog, QPushButton, "tellPeople.send"), Qt.Key.Key_Space)
    else:
        QTest.keyClick(dialog, Qt.Key.Key_Return)
    settle(qtbot, bench)
    item = port.held(CALENDAR)[key]
    assert isinstance(item, MeetingItem)
    assert (item.location, len(port.told)) == (("Iași", 1) if tell else ("Sala 2", 0))
    assert questions.waiting(bench.actor) == [], "it is asked once"


def test_the_detail_of_a_line_says_what_changes(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    changed(bench, box, port)
    dialog = opened(bench, box, qtbot)
    lines = [f.data for f in dialog.table.facts.facts if isinstance(f.data, Line)]
    place = next(n for n, line in enumerate(lines) if line.what == "conflict")
    dialog.table.selectRow(place)
    text = child(dialog, QLabel, "dryRun.detail").text()
    assert "Subject: A → B" in text
    assert dialog.table.facts.facts[place].ticked is None
    assert child(dialog, QPushButton, "dryRun.conflicts").isVisible()


def test_a_change_of_the_mailbox_is_put_back_from_the_history(
    bench: Workbench, box: mailboxes.MailboxRow, port: MemoryMailbox, qtbot: QtBot
) -> None:
    key = port.put(CALENDAR, meeting("u1", "Vizită"))
    scheduler.sync_once(bench.actor, box.id)
    (row,) = activities(bench.actor)
    records.save(bench.actor, "activity", row.id, None, {"location": "Iași"})
    scheduler.sync_once(bench.actor, box.id)
    page = HistoryPage("activity", bench)
    qtbot.addWidget(page)
    page.show_record(records.get(bench.actor, "activity", row.id))
    child(page, QPushButton, "history.activity.written").click()
    dialog = child(bench.shell.window_widget(), WrittenDialog)
    settle(qtbot, bench)
    (fact,) = dialog.table.facts.facts
    assert (fact.cells[0], fact.cells[3]) == ("Save item", "Changed here.")
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    settle(qtbot, bench)
    item = port.held(CALENDAR)[key]
    assert isinstance(item, MeetingItem)
    assert item.location == "Sala 2"
    scheduler.sync_once(bench.actor, box.id)
    assert activities(bench.actor)[0].location == "Sala 2", "what was put back comes back here"
