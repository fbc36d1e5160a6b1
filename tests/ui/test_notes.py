"""Notes at the lower right: how long something can be taken back, and the key that does it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop_crm.core import clock
from desktop_crm.services import records
from desktop_crm.views.panes.record_pane import RecordPane
from desktop_crm.views.widgets.overlays import Countdown, Toast
from tests.support.windows import child, expect

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.main_window import MainWindow
    from tests.support.company import Company

CTRL = Qt.KeyboardModifier.ControlModifier
NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
Open = Callable[[str], "MainWindow"]


@pytest.fixture
def moment() -> Iterator[list[dt.datetime]]:
    now = [NOW]
    clock.use_clock(lambda: now[0])
    yield now
    clock.use_clock(None)


@pytest.fixture
def window(open_window: Open, qtbot: QtBot) -> MainWindow:
    made = open_window("account")
    with qtbot.waitActive(made):
        made.activateWindow()
    expect(made.workspace.current(), RecordPane).list.table.setFocus()
    return made


def counting(seconds: float = 20) -> Countdown:
    return Countdown(NOW + dt.timedelta(seconds=seconds), lambda left: f"{left} left")


def text_of(note: Toast) -> str:
    return child(note, QLabel, "toast.text").text()


def button_of(note: Toast) -> str:
    return child(note, QPushButton, "toast.undo").text()


def notes(window: MainWindow) -> list[Toast]:
    return [one for one in window.findChildren(Toast) if one.isVisible()]


def press_undo(window: MainWindow) -> None:
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Z, CTRL)


def test_the_seconds_left_are_counted_down_until_there_are_none(
    window: MainWindow, qtbot: QtBot, moment: list[dt.datetime]
) -> None:
    window.toast("On its way", take_back=lambda: None, countdown=counting())
    (note,) = notes(window)
    assert text_of(note) == "20 left"
    assert button_of(note) == "Undo (Ctrl+Z)"
    moment[0] = NOW + dt.timedelta(seconds=16.5)
    qtbot.waitUntil(lambda: text_of(note) == "4 left")
    moment[0] = NOW + dt.timedelta(seconds=20)
    qtbot.waitUntil(lambda: notes(window) == [])


@pytest.mark.usefixtures("moment")
def test_ctrl_z_takes_back_what_the_note_offers_once(window: MainWindow) -> None:
    done: list[str] = []
    window.toast("On its way", take_back=lambda: done.append("mail"), countdown=counting())
    press_undo(window)
    assert done == ["mail"]
    assert notes(window) == []


@pytest.mark.usefixtures("moment")
def test_another_note_stands_above_the_one_that_counts(window: MainWindow) -> None:
    done: list[str] = []
    window.toast("On its way", take_back=lambda: done.append("first"), countdown=counting())
    window.toast("Linked")
    window.toast("Saved")
    first, second = notes(window)
    assert (first.accessibleName(), second.accessibleName()) == ("On its way. 20 left", "Saved.")
    assert second.geometry().bottom() < first.geometry().top()
    window.toast("On its way", take_back=lambda: done.append("second"), countdown=counting())
    press_undo(window)
    press_undo(window)
    assert done == ["second", "first"]


@pytest.mark.usefixtures("moment")
def test_a_later_step_of_the_trail_is_undone_first(
    window: MainWindow, company: Company, qtbot: QtBot
) -> None:
    key = company.ids["dumbrava"]
    old = records.get(company.actor, "account", key).values["industry"]
    done: list[str] = []
    window.toast("On its way", take_back=lambda: done.append("mail"), countdown=counting())
    records.save(company.actor, "account", key, None, {"industry": "Glass"})
    window.toast("Saved", undo=True)
    # One key means one of them, and they say which.
    assert [button_of(note) for note in notes(window)] == ["Undo", "Undo (Ctrl+Z)"]
    press_undo(window)
    qtbot.waitUntil(lambda: not window.tasks.busy)
    assert records.get(company.actor, "account", key).values["industry"] == old
    assert done == []
    qtbot.waitUntil(lambda: button_of(notes(window)[0]) == "Undo (Ctrl+Z)")
    press_undo(window)
    assert done == ["mail"]
