"""The editor of a recurrence, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from desktop_crm.services import records, undo
from desktop_crm.services.calendar import agenda, series_facts
from desktop_crm.views.dialogs.recurrence_dialog import RecurrenceDialog
from tests.support.company import ZONE, Company, at
from tests.support.windows import child, settle, shell_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench

Opened = Callable[..., RecurrenceDialog]
END = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def open_dialog(bench: Workbench, company: Company, qtbot: QtBot) -> Opened:
    def made(name: str, original: datetime | None = None) -> RecurrenceDialog:
        facts = series_facts.read(company.actor, company.ids[name], original)
        dialog = RecurrenceDialog(None, bench, facts)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return made


def words(dialog: RecurrenceDialog) -> str:
    return child(dialog, QLabel, "recurrence.words").text()


def save(dialog: RecurrenceDialog, bench: Workbench, qtbot: QtBot) -> None:
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: not dialog.isVisible() or bool(dialog.notice.text))


def starts(company: Company, title: str) -> list[str]:
    found = agenda.events(company.actor, at(1, 0), END)
    return [f"{one.start.astimezone(ZONE):%m-%d %H:%M}" for one in found if one.title == title]


def choose(dialog: RecurrenceDialog, frequency: str) -> None:
    dialog.frequency.setCurrentIndex(dialog.frequency.findData(frequency))


def test_a_single_event_repeats(
    open_dialog: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = open_dialog("demo")
    dialog.frequency.setFocus()
    assert words(dialog) == "Every Wednesday"
    QTest.keyClick(dialog.interval, Qt.Key.Key_Up)
    assert words(dialog) == "Every second Wednesday"
    QTest.keyClick(dialog.weekdays[4], Qt.Key.Key_Space)
    assert words(dialog) == "Every second week on Wednesday and Friday"
    dialog.ends.setCurrentIndex(dialog.ends.findData("count"))
    dialog.count.setValue(3)
    assert words(dialog) == "Every second week on Wednesday and Friday, 3 times"
    save(dialog, bench, qtbot)
    assert starts(company, "Product demonstration") == ["11-25 11:00", "11-27 11:00", "12-09 11:00"]
    values = records.get(company.actor, "activity", company.ids["demo"]).values
    assert values["time_zone"] == "Europe/Bucharest"
    assert shell_of(bench).toasts[-1][0] == "Recurrence saved"
    undo.undo(company.actor)
    assert starts(company, "Product demonstration") == ["11-25 11:00"]


def test_the_day_of_a_month_is_offered_in_words(open_dialog: Opened) -> None:
    dialog = open_dialog("demo")
    choose(dialog, "MONTHLY")
    offered = [dialog.days.itemText(n) for n in range(dialog.days.count())]
    assert offered == [
        "day 25", "the fourth Wednesday", "the last Wednesday", "the last day",
        "the first working day", "the last working day",
    ]  # fmt: skip
    dialog.days.setCurrentIndex(2)
    assert words(dialog) == "Every month on the last Wednesday"
    choose(dialog, "YEARLY")
    assert words(dialog) == "Every year on 25 November"


def test_the_following_ones_alone_change(
    open_dialog: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = open_dialog("stand-up", at(25, 9))
    assert words(dialog) == "Every week on Monday and Wednesday"
    QTest.keyClick(dialog.weekdays[0], Qt.Key.Key_Space)
    dialog.ends.setCurrentIndex(dialog.ends.findData("count"))
    dialog.count.setValue(2)
    dialog.reach.setCurrentIndex(1)
    save(dialog, bench, qtbot)
    assert starts(company, "Team stand-up") == [
        "11-02 09:00", "11-04 09:00", "11-09 09:00", "11-11 09:00", "11-16 09:00", "11-18 09:00",
        "11-25 09:00", "12-02 09:00",
    ]  # fmt: skip


def test_no_weekday_is_refused_and_nothing_saved(
    open_dialog: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = open_dialog("demo")
    QTest.keyClick(dialog.weekdays[2], Qt.Key.Key_Space)
    save(dialog, bench, qtbot)
    assert dialog.notice.text == "Choose at least one day of the week."
    assert starts(company, "Product demonstration") == ["11-25 11:00"]


def test_an_unknown_zone_is_refused(
    open_dialog: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = open_dialog("demo")
    dialog.zone.setCurrentText("Middle Earth")
    dialog._save()
    assert dialog.isVisible()
    assert starts(company, "Product demonstration") == ["11-25 11:00"]


def test_a_series_ends_to_repeat(
    open_dialog: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = open_dialog("stand-up", at(25, 9))
    choose(dialog, "")
    assert words(dialog) == "Does not repeat"
    save(dialog, bench, qtbot)
    assert starts(company, "Team stand-up") == ["11-25 09:00"]


def test_the_end_is_a_day_of_the_zone(
    open_dialog: Opened, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = open_dialog("demo")
    dialog.ends.setCurrentIndex(dialog.ends.findData("until"))
    dialog.until.setFocus()
    dialog.until.setDate(dialog.until.minimumDate().addDays(7))
    assert words(dialog) == "Every Wednesday until 2 December 2026"
    save(dialog, bench, qtbot)
    assert starts(company, "Product demonstration") == ["11-25 11:00", "12-02 11:00"]
