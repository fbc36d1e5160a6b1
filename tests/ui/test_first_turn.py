"""What the window shows comes before long work beside it goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from desktop_crm.core import turns
from desktop_crm.views.tasks import Tasks

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Shown(QLabel):
    """Notes when it is painted."""

    def __init__(self, told: list[str]) -> None:
        super().__init__("before")
        self._told = told

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        self._told.append(f"painted {self.text()}")
        super().paintEvent(event)


@pytest.fixture
def tasks(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tasks]:
    monkeypatch.setattr(turns, "LONGEST_S", 30.0)
    turns.end()
    made = Tasks()
    yield made
    made.close()
    turns.end()


def beside(told: list[str]) -> threading.Thread:
    """Long work that has come to the end of a step."""

    def work() -> None:
        turns.give_way()
        told.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_an_answer_is_shown_before_long_work_goes_on(tasks: Tasks, qtbot: QtBot) -> None:
    told: list[str] = []
    window = Shown(told)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: "painted before" in told)
    threads: list[threading.Thread] = []

    def show(text: str) -> None:
        threads.append(beside(told))
        window.setText(text)

    owner = QObject()
    tasks.read(lambda: "after", done=show, owner=owner)
    qtbot.waitUntil(lambda: "worked" in told)
    threads[0].join(5)
    assert told.index("painted after") < told.index("worked")


def test_a_key_is_answered_before_long_work_goes_on(tasks: Tasks, qtbot: QtBot) -> None:
    told: list[str] = []
    threads: list[threading.Thread] = []

    class Typed(Shown):
        def keyPressEvent(self, event: object) -> None:  # noqa: N802  Qt's name
            threads.append(beside(told))
            self.setText("typed")

    window = Typed(told)
    qtbot.addWidget(window)
    tasks.first_turn.watch(window)
    window.show()
    qtbot.waitUntil(lambda: "painted before" in told)
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "worked" in told)
    threads[0].join(5)
    assert told.index("painted typed") < told.index("worked")
