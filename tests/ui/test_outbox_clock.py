"""Mail leaves at its moment: not before, and not half a minute after."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QTimer

from desktop_crm.core import clock
from desktop_crm.services import query, records
from desktop_crm.services.bulk.job import BulkReport, Failure
from desktop_crm.services.changes import NOTHING
from desktop_crm.services.filters import Rule
from desktop_crm.services.mail.noting import Notes
from desktop_crm.services.query import RecordQuery
from desktop_crm.sync import scheduler, sending
from desktop_crm.sync.compose import Letter
from desktop_crm.sync.memory import MemoryMailbox
from desktop_crm.sync.port import Address
from desktop_crm.views.mail import noted, outbox_clock
from desktop_crm.views.mail.outbox_clock import Due, OutboxClock
from tests.support.windows import settle, shell_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company


@pytest.fixture
def watch(bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[OutboxClock]:
    monkeypatch.setattr(outbox_clock, "next_due", lambda _actor: Due(None, None))
    parent = QObject(bench.bus)
    made = OutboxClock(bench, parent)
    settle(qtbot, bench)
    yield made
    made.stop()
    settle(qtbot, bench)


def test_after_a_look_too_early_the_moment_itself_is_waited_for(watch: OutboxClock) -> None:
    (timer,) = watch.findChildren(QTimer)
    watch._least = outbox_clock._AGAIN_MS  # as after a try that found nothing due yet
    watch._set(Due(clock.now() + timedelta(seconds=2), None))
    assert 0 < timer.interval() <= 2100


def test_what_a_try_left_over_waits_longer(watch: OutboxClock) -> None:
    (timer,) = watch.findChildren(QTimer)
    watch._least = outbox_clock._AGAIN_MS
    watch._set(Due(clock.now() - timedelta(seconds=2), None))
    assert timer.interval() == outbox_clock._AGAIN_MS


def test_the_timer_does_not_end_early(
    watch: OutboxClock, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    took: list[float] = []
    monkeypatch.setattr(outbox_clock, "do_due", lambda _actor: (NOTHING, ()))
    (timer,) = watch.findChildren(QTimer)
    watch._set(Due(clock.now() + timedelta(milliseconds=300), None))
    began = time.monotonic()
    timer.timeout.connect(lambda: took.append(time.monotonic() - began))
    qtbot.waitUntil(lambda: bool(took))
    assert took[0] >= 0.3


def test_what_has_left_is_said_with_where_it_is_noted_and_one_step_takes_the_notes_back(
    watch: OutboxClock,
    bench: Workbench,
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = company.add(
        "mailbox", "box",
        {"name": "Office", "kind": "imap", "address": "mara@firm.example",
         "server": "imaps://mail.firm.example", "user": bench.actor.user_id},
    )  # fmt: skip
    port = MemoryMailbox()
    monkeypatch.setattr(scheduler, "open_mailbox", lambda _actor, _row: port)
    claire, address = company.ids["claire"], "claire@rossi.example"
    letter = Letter(Address("mara@firm.example"), bcc=(Address(address),), subject="News")
    gone = company.add("contact", "gone", {"last_name": "Gone", "owner": bench.actor.user_id})
    records.delete(bench.actor, "contact", [gone])
    notes = Notes("contact", ((claire, address), (gone, address)))
    sending.send(bench.actor, box, letter, undo_s=0, notes=notes)
    asked = RecordQuery("activity", ("contact.id",), Rule("contact.id", "=", claire))
    about = len(query.first_page(bench.actor, asked))
    watch._work()
    settle(qtbot, bench)
    assert len(port.delivered) == 1
    title, text = shell_of(bench).toasts[-1]
    assert title == "The message has left"
    assert text.startswith("Noted on 1 record. Not noted on 1 record: ")
    assert len(query.first_page(bench.actor, asked)) == about + 1
    take_back = shell_of(bench).take_back
    assert take_back is not None
    take_back()
    settle(qtbot, bench)
    assert len(query.first_page(bench.actor, asked)) == about
    assert shell_of(bench).toasts[-1][0] == "The notes are taken back"


def test_a_message_that_could_be_noted_nowhere_says_so(bench: Workbench) -> None:
    failures = (Failure(1, "Ion Pop", "It is gone."), Failure(2, "", "It is gone."))
    noted.say(bench, [BulkReport("", 2, 0, failures=failures)])
    said = "Not noted on 2 records: Ion Pop: It is gone. It is gone."
    assert shell_of(bench).toasts == [("The message has left", said)]
    assert shell_of(bench).take_back is None
