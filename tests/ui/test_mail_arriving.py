"""The list of messages while mail arrives: filled as it comes, and nobody who reads disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.sync import marking
from desktop_crm.views.mailbox.passes import Running
from desktop_crm.views.panes.mail import MailPane
from tests.support.company import Company
from tests.support.post import deliver

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def pane(two_messages: MailPane) -> MailPane:
    return two_messages


def quiet(qtbot: QtBot, pane: MailPane) -> None:
    """Wait until nothing is on its way any more."""
    qtbot.waitUntil(lambda: not pane.bench.tasks.busy, timeout=10_000)


def test_mail_is_shown_while_a_pass_brings_it(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    passes = pane.work.passes
    quiet(qtbot, pane)
    read, shown = pane.reading.subject.text(), pane.list.messages.rowCount()
    opened: list[object] = []
    pane.list.current_changed.connect(opened.append)
    deliver(company, "old one", hours=500)
    passes._running = Running(company.ids["box"], "Inbox", 1)
    passes.changed.emit()
    qtbot.waitUntil(lambda: pane.list.messages.rowCount() == shown + 1)
    quiet(qtbot, pane)
    # Whoever reads is not disturbed, and a second page is not asked for at once.
    assert (pane.reading.subject.text(), opened) == (read, [])
    deliver(company, "older", hours=600)
    passes._running = Running(company.ids["box"], "Inbox", 2)
    passes.changed.emit()
    quiet(qtbot, pane)
    assert pane.list.messages.rowCount() == shown + 1
    pane.refresh()
    qtbot.waitUntil(lambda: pane.list.messages.rowCount() == shown + 2)
    passes._running = None


def test_a_list_that_begins_as_before_keeps_its_rows(
    pane: MailPane, company: Company, qtbot: QtBot
) -> None:
    quiet(qtbot, pane)
    resets: list[None] = []
    model = pane.list.messages
    model.modelReset.connect(lambda: resets.append(None))
    marking.mark(company.actor, [company.ids["Offer"]], is_read=False)
    pane.refresh()
    quiet(qtbot, pane)
    line = model.line(model.row_of(company.ids["Offer"]))
    assert line is not None
    assert line.unread
    assert resets == []
    deliver(company, "newest", hours=-1)
    pane.refresh()
    qtbot.waitUntil(lambda: model.row_of(company.ids["newest"]) == 0)
    assert resets
    assert pane.list.current_id() != company.ids["newest"], "the current message stays"
