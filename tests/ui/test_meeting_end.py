"""What is asked when a meeting about a record is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop_crm.core import clock
from desktop_crm.services import records, undo
from desktop_crm.services.calendar import agenda, meeting_notes
from desktop_crm.views.calendar.ended_bar import EndedBar, NotesDialog
from tests.support.company import Company, at
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def bar(bench: Workbench, company: Company, qtbot: QtBot) -> EndedBar:
    clock.use_clock(lambda: at(25, 12, 5))
    made = EndedBar(bench)
    qtbot.addWidget(made)
    made.check()
    qtbot.waitUntil(lambda: not made.isHidden())
    return made


def demo(company: Company) -> records.RecordValues:
    return records.get(company.actor, "activity", company.ids["demo"])


def test_it_names_the_meeting_and_goes_when_put_aside(bar: EndedBar, qtbot: QtBot) -> None:
    text = child(bar, QLabel, "ended.text").text()
    assert text == "“Product demonstration” (Officine Rossi) has ended."
    QTest.keyClick(bar.later, Qt.Key.Key_Space)
    qtbot.waitUntil(bar.isHidden)


def test_notes_mark_it_as_done_and_lead_to_what_comes_next(
    bar: EndedBar, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    QTest.keyClick(bar.notes, Qt.Key.Key_Space)
    dialog = child(bar, NotesDialog)
    QTest.keyClicks(dialog.text, "They want two lines.")
    QTest.keyClick(child(dialog, QPushButton, "meetingNotes.next"), Qt.Key.Key_Space)
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: bool(shell_of(bench).new))
    values = demo(company).values
    assert (values["state"], values["result"]) == ("completed", "They want two lines.")
    assert shell_of(bench).new == [("activity", {"kind": "task", "account": company.ids["rossi"]})]
    bar.check()
    qtbot.waitUntil(bar.isHidden)
    undo.undo(company.actor)
    assert demo(company).values["state"] == "open"


def test_the_next_activity_can_be_planned_alone(
    bar: EndedBar, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    QTest.keyClick(bar.next, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(shell_of(bench).new))
    assert demo(company).values["state"] == "open"


def test_one_occurrence_of_a_series_is_done_alone(company: Company) -> None:
    records.save(
        company.actor, "activity", company.ids["stand-up"], None,
        {"account": company.ids["rossi"]},
    )  # fmt: skip
    (event,) = meeting_notes.ended(company.actor, at(25, 9, 45))
    meeting_notes.write(company.actor, event, "Short.")
    assert meeting_notes.ended(company.actor, at(25, 9, 45)) == ()
    found = agenda.events(company.actor, at(16, 0), at(30, 23))
    closed = [one.start for one in found if one.series and one.closed]
    assert closed == [at(25, 9)]


def test_nothing_is_asked_of_what_concerns_no_record_or_is_not_over(company: Company) -> None:
    assert meeting_notes.ended(company.actor, at(25, 11, 59)) == ()
    assert [one.title for one in meeting_notes.ended(company.actor, at(25, 12))] == [
        "Product demonstration"
    ]
    assert meeting_notes.ended(company.other, at(25, 12)) == ()
