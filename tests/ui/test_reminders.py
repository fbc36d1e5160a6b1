"""The window of reminders, by keyboard."""

from __future__ import annotations

import threading
from datetime import timedelta
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop_crm.core import clock
from desktop_crm.services.calendar import reminders
from desktop_crm.views import clocks
from desktop_crm.views.reminder_window import ReminderClock, ReminderWindow, distance
from tests.support.company import Company, at
from tests.support.windows import child, expect, settle, shell_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def watch(bench: Workbench, company: Company, qtbot: QtBot) -> Iterator[ReminderClock]:
    for name, hour in (("first", 14), ("second", 15)):
        company.add(
            "activity", name,
            {"subject": name, "kind": "appointment", "start_at": at(25, hour),
             "end_at": at(25, hour + 1), "reminder_minutes": 15, "owner": company.actor.user_id},
        )  # fmt: skip
    made = ReminderClock(bench, shell_of(bench).window)
    settle(qtbot, bench)
    yield made
    if made.window is not None:
        made.window.close()
    made.deleteLater()


def shown(watch: ReminderClock) -> list[str]:
    window = watch.window
    if window is None:
        return []
    return [window.list.item(n).text().split("\n")[0] for n in range(window.list.count())]


def test_it_comes_when_something_is_due_and_once_alone(
    watch: ReminderClock, bench: Workbench, qtbot: QtBot
) -> None:
    assert watch.window is None
    clock.use_clock(lambda: at(25, 13, 50))
    watch.check()
    qtbot.waitUntil(lambda: shown(watch) == ["first"])
    window = expect(watch.window, ReminderWindow)
    assert "in 10 minutes" in window.list.item(0).text()
    clock.use_clock(lambda: at(25, 15))
    watch.check()
    qtbot.waitUntil(lambda: shown(watch) == ["first", "second"])
    assert watch.window is window
    assert window.windowTitle() == "2 reminders"


def test_put_off_dismiss_and_open_by_keyboard(
    watch: ReminderClock, bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    clock.use_clock(lambda: at(25, 15))
    watch.check()
    qtbot.waitUntil(lambda: len(shown(watch)) == 2)
    window = expect(watch.window, ReminderWindow)
    QTest.keyClick(window.list, Qt.Key.Key_Return)
    assert shell_of(bench).opened == [("activity", company.ids["first"])]
    window.snooze_for.setFocus()
    for _ in range(4):
        QTest.keyClick(window.snooze_for, Qt.Key.Key_Down)
    QTest.keyClick(child(window, QPushButton, "reminders.snooze"), Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shown(watch) == ["second"])
    moment = at(25, 15) + timedelta(hours=1)
    again = [one.title for one in reminders.due(company.actor, moment)]
    assert again == ["first", "second"]
    QTest.keyClick(child(window, QPushButton, "reminders.dismiss"), Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: watch.window is None)


def test_all_are_dismissed_at_once(watch: ReminderClock, company: Company, qtbot: QtBot) -> None:
    clock.use_clock(lambda: at(25, 15))
    watch.check()
    qtbot.waitUntil(lambda: len(shown(watch)) == 2)
    window = expect(watch.window, ReminderWindow)
    QTest.keyClick(child(window, QPushButton, "reminders.dismissAll"), Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: watch.window is None)
    assert reminders.due(company.actor, at(26, 15)) == ()


def test_closing_alone_puts_nothing_off(watch: ReminderClock, qtbot: QtBot) -> None:
    clock.use_clock(lambda: at(25, 13, 50))
    watch.check()
    qtbot.waitUntil(lambda: shown(watch) == ["first"])
    QTest.keyClick(expect(watch.window, ReminderWindow), Qt.Key.Key_Escape)
    assert watch.window is None
    watch.check()
    qtbot.waitUntil(lambda: shown(watch) == ["first"])


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "now"), (1, "in 1 minute"), (-10, "10 minutes ago"), (180, "in 3 hours"),
        (-1440, "24 hours ago"), (4320, "in 3 days"), (-4320, "3 days ago"),
    ],
)  # fmt: skip
def test_distances_in_words(minutes: int, words: str) -> None:
    assert distance(minutes) == words


def test_the_window_goes_with_the_clocks_of_the_main_window(
    bench: Workbench, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.add(
        "activity", "soon",
        {"subject": "soon", "kind": "appointment", "start_at": at(25, 14), "end_at": at(25, 15),
         "reminder_minutes": 15, "owner": company.actor.user_id},
    )  # fmt: skip
    clock.use_clock(lambda: at(25, 13, 50))
    window = shell_of(bench).window
    imported_by: set[threading.Thread] = set()

    def importing(path: str) -> ModuleType:
        imported_by.add(threading.current_thread())
        return import_module(path)

    monkeypatch.setattr(clocks, "import_module", importing)
    clocks.start(bench, window)
    qtbot.waitUntil(lambda: bool(window.findChildren(ReminderClock)))
    assert threading.main_thread() not in imported_by
    (watch,) = window.findChildren(ReminderClock)
    qtbot.waitUntil(lambda: shown(watch) == ["soon"])
    reminding = expect(watch.window, ReminderWindow)
    clocks.stop(window)
    assert not reminding.isVisible()
    settle(qtbot, bench)
    qtbot.waitUntil(lambda: window.findChildren(ReminderClock) == [])
