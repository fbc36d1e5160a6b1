"""The list of what mailboxes were asked to do: what it says of each entry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from desktop_crm.core import clock
from desktop_crm.models.outbox import DeedKind, OutboxState
from desktop_crm.services.mail.outbox import OutboxRow
from desktop_crm.views.mail.outbox_list import OutboxList

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


def test_the_outbox_says_first_when_a_message_leaves(bench: Workbench, qtbot: QtBot) -> None:
    now = clock.now()
    row = OutboxRow(
        id=1, mailbox_id=1, mailbox="Office", deed=DeedKind.SEND, state=OutboxState.WAITING,
        activity_id=None, title="Tomorrow", folder="", item_key="", ordered_at=now,
        due_at=now + timedelta(days=1), done_at=None, attempts=0, message="", why="",
        operation="", notify="", has_image=False,
    )  # fmt: skip
    made = OutboxList(bench)
    qtbot.addWidget(made)
    made._take((row,))
    line = made.list.lines[1]
    assert line.subtitle == f"On {bench.formats.datetime(row.due_at)} · Send message · Office"
    assert line.note == "Tomorrow", "not when it was ordered"
