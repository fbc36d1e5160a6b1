"""Mail leaves at its moment: not before, and not half a minute after."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QTimer

from desktop_crm.core import clock
from desktop_crm.services.changes import NOTHING
from desktop_crm.views.mail import outbox_clock
from desktop_crm.views.mail.outbox_clock import Due, OutboxClock
from tests.support.windows import settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


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
    monkeypatch.setattr(outbox_clock, "do_due", lambda _actor: NOTHING)
    (timer,) = watch.findChildren(QTimer)
    watch._set(Due(clock.now() + timedelta(milliseconds=300), None))
    began = time.monotonic()
    timer.timeout.connect(lambda: took.append(time.monotonic() - began))
    qtbot.waitUntil(lambda: bool(took))
    assert took[0] >= 0.3
