"""Over an answer to an invitation stands what it says, and that a stranger's changes nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from pytestqt.qtbot import QtBot

from desktop_crm.services import records
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.message import Attachment, FileContent, Message, Party
from desktop_crm.views.mail.choice_bar import ChoiceBar
from desktop_crm.views.workbench import Workbench
from tests.support.company import Company
from tests.support.windows import settle

CONTENT = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:talks@x\r\n"
    b"ATTENDEE;PARTSTAT=DECLINED:mailto:claire@rossi.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.mark.parametrize(
    ("sender", "kind", "text"),
    [
        ("claire@rossi.example", "info", "Claire declined “Talks”."),
        ("evil@bad.example", "warn", "evil@bad.example answers the invitation to “Talks” but"),
    ],
)
def test_an_answer_says_what_came_of_it(
    bench: Workbench,
    company: Company,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    sender: str,
    kind: str,
    text: str,
) -> None:
    at = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
    guest = {"participation": "required", "name": "Claire", "address": "claire@rossi.example"}
    values = {"kind": "appointment", "subject": "Talks", "start_at": at, "ical_uid": "talks@x"}
    records.save(
        company.actor, "activity", None, None,
        {**values, "parties": [guest], "owner": company.actor.user_id},
    )  # fmt: skip
    monkeypatch.setattr(
        mail_message, "attachment",
        lambda *_args: FileContent("invite.ics", "text/calendar", CONTENT),
    )  # fmt: skip
    file = Attachment(7, "invite.ics", "text/calendar", len(CONTENT), True)
    writer = Party("from", "", sender, None, None, None, None)
    message = Message(
        1, 1, "Declined", writer, "", "", None, "", "", False, False, False, (), (file,), (), False
    )
    bar = ChoiceBar(bench)
    qtbot.addWidget(bar)
    bar.show_for(message)
    settle(qtbot, bench)
    qtbot.waitUntil(bar.isVisible)
    assert bar.property("kind") == kind
    assert bar._text.text().startswith(text)
    assert not bar.book.isVisible()
