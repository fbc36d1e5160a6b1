"""Finding a time, proposing three, booking the chosen one, inviting: by keyboard."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop_crm.services import records
from desktop_crm.services.calendar import agenda
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.services.mail.message import Attachment, FileContent, Message
from desktop_crm.services.mail.people import Person
from desktop_crm.sync import free_times, proposal
from desktop_crm.views.dialogs.find_time import FindTimeDialog
from desktop_crm.views.mail.choice_bar import ChoiceBar
from desktop_crm.views.mail.written import Written
from desktop_crm.views.panes.calendar import CalendarPane
from tests.support.company import Company, at
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

CLAIRE_WORDS = ("Claire Dubois", "claire@rossi.example")
CLAIRE = Person(*CLAIRE_WORDS)


@pytest.fixture
def mailbox(company: Company, tmp_path: Path) -> None:
    mailboxes.add(
        company.actor,
        NewMailbox(name="Mine", kind="folder", address="mara@firm.example", path=str(tmp_path)),
    )


@pytest.fixture
def dialog(bench: Workbench, company: Company, mailbox: None, qtbot: QtBot) -> FindTimeDialog:
    made = FindTimeDialog(None, bench)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(made)
    made.show()
    settle(qtbot, bench)
    return made


def ask_with(dialog: FindTimeDialog, people: list[Person], bench: Workbench, qtbot: QtBot) -> None:
    dialog.people.set_people(people)
    dialog.people.edited.emit()
    settle(qtbot, bench)


def listed(dialog: FindTimeDialog) -> list[str]:
    return [dialog.list.item(n).text() for n in range(dialog.list.count())]


def test_slots_go_round_what_is_busy(
    dialog: FindTimeDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    assert listed(dialog)[0] == "Wednesday, 25 Nov 2026 12:00–13:00"
    # The fair takes Thursday and Friday whole.
    assert listed(dialog)[3].startswith("Monday, 30 Nov 2026")
    dan = Person("Dan Pop", "dan@firm.example", "user", company.other.user_id)
    company.add(
        "activity", "dan busy",
        {"subject": "x", "kind": "appointment", "start_at": at(25, 12), "end_at": at(25, 14),
         "sensitivity": "private", "owner": company.other.user_id},
    )  # fmt: skip
    ask_with(dialog, [dan], bench, qtbot)
    assert listed(dialog)[0] == "Wednesday, 25 Nov 2026 14:00–15:00"
    assert "Dan Pop: 12:00–14:00" in dialog.rows.accessibleDescription()


def test_whom_nobody_knows_is_said_to_be_unknown(
    dialog: FindTimeDialog, bench: Workbench, qtbot: QtBot
) -> None:
    ask_with(dialog, [CLAIRE], bench, qtbot)
    assert dialog.notice.text == "Nobody here knows when these are busy: Claire Dubois."
    assert "Claire Dubois: not known" in dialog.rows.accessibleDescription()


def test_what_a_mailbox_tells_counts(
    dialog: FindTimeDialog, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.services.calendar.slots import Slot

    def told(*_args: Any) -> dict[str, tuple[Slot, ...]]:
        return {CLAIRE.address: (Slot(at(25, 12), at(25, 16)),)}

    monkeypatch.setattr(free_times, "of_addresses", told)
    ask_with(dialog, [CLAIRE], bench, qtbot)
    assert listed(dialog)[0] == "Wednesday, 25 Nov 2026 16:00–17:00"


def test_three_times_are_proposed_and_nothing_is_sent(
    dialog: FindTimeDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    QTest.keyClick(child(dialog, QPushButton, "findTime.propose"), Qt.Key.Key_Space)
    assert dialog.notice.text == "Say with whom the meeting is to be."
    ask_with(dialog, [CLAIRE], bench, qtbot)
    dialog.subject.setText("Contract talks")
    dialog.list.setFocus()
    dialog.list.setCurrentRow(0)
    QTest.keyClick(dialog.list, Qt.Key.Key_Space)
    assert len(dialog.chosen()) == 2
    QTest.keyClick(child(dialog, QPushButton, "findTime.propose"), Qt.Key.Key_Space)
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: bool(shell_of(bench).new))
    entity, values = shell_of(bench).new[0]
    written = expect(values["written"], Written)
    assert entity == "mail_message"
    assert [one.address for one in written.to] == [CLAIRE.address]
    assert len(written.files) == 2
    held = agenda.events(company.actor, at(25, 0), at(25, 0) + timedelta(days=14))
    assert [one.show_as for one in held if one.title == "Contract talks"] == ["tentative"] * 2


def test_without_a_mailbox_proposing_says_what_is_missing(bench: Workbench, qtbot: QtBot) -> None:
    dialog = FindTimeDialog(None, bench)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    dialog.show()
    settle(qtbot, bench)
    QTest.keyClick(child(dialog, QPushButton, "findTime.propose"), Qt.Key.Key_Space)
    assert dialog.notice.text.startswith("There is no mailbox to write from yet")
    assert not shell_of(bench).new


def test_an_appointment_is_made_of_a_slot(
    dialog: FindTimeDialog, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    claire = Person(*CLAIRE_WORDS, "contact", company.ids["claire"])
    ask_with(dialog, [claire], bench, qtbot)
    QTest.keyClick(child(dialog, QPushButton, "findTime.make"), Qt.Key.Key_Space)
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: bool(shell_of(bench).opened))
    made = records.get(company.actor, "activity", shell_of(bench).opened[0][1])
    assert (made.values["start_at"], made.values["end_at"]) == (at(25, 12), at(25, 13))
    assert [(one["address"], one["contact"]) for one in made.lines["parties"]] == [
        ("claire@rossi.example", company.ids["claire"])
    ]


def test_the_answer_books(
    bench: Workbench, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop_crm.services.calendar.slots import Slot
    from desktop_crm.sync.port import Address

    made = proposal.propose(
        company.actor, "Talks", [Slot(at(30, 9), at(30, 10)), Slot(at(30, 14), at(30, 15))],
        Address("mara@firm.example"), [Address("claire@rossi.example")],
    )  # fmt: skip
    content = made.files[1].content or b""
    monkeypatch.setattr(
        mail_message, "attachment",
        lambda *_args: FileContent("part-1.ics", "text/calendar", content),
    )  # fmt: skip
    message = Message(
        1, 1, "Accepted", None, "", "", None, "", "", False, False, False, (),
        (Attachment(7, "part-1.ics", "text/calendar", len(content), True),), (), False,
    )  # fmt: skip
    bar = ChoiceBar(bench)
    qtbot.addWidget(bar)
    bar.show_for(message)
    settle(qtbot, bench)
    qtbot.waitUntil(bar.isVisible)
    QTest.keyClick(bar.book, Qt.Key.Key_Space)
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: not bar.isVisible())
    found = agenda.events(company.actor, at(30, 0), at(30, 23))
    assert [(one.start, one.show_as) for one in found if one.title == "Talks"] == [
        (at(30, 14), "busy")
    ]


def test_an_invitation_is_shown_before_it_leaves(
    bench: Workbench, company: Company, mailbox: None, qtbot: QtBot
) -> None:
    pane = CalendarPane(bench)
    qtbot.addWidget(pane)
    pane.show()
    pane.activate()
    settle(qtbot, bench)
    grid = pane.time_view.grid
    grid.choose(next(one for one in grid.events if one.title == "Product demonstration"))
    invite = next(one for one in pane.commands() if one.id == "calendar.invite")
    assert invite.is_enabled
    invite.run()
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: bool(shell_of(bench).errors))
    assert "names nobody to invite" in str(shell_of(bench).errors[0])
    demo = company.ids["demo"]
    records.save(
        company.actor, "activity", demo, None,
        {"parties": [{"address": "claire@rossi.example", "participation": "required"}]},
    )  # fmt: skip
    invite.run()
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: bool(shell_of(bench).new))
    written = expect(shell_of(bench).new[0][1]["written"], Written)
    assert written.subject == "Invitation: Product demonstration"
    assert b"METHOD:REQUEST" in (written.files[0].content or b"")
    assert records.get(company.actor, "activity", demo).values["ical_uid"]
