"""Work that waits for a window's first painting happens once, and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop_crm.views.first_paint import when_painted

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Painted(QWidget):
    """Notes its paintings."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        self._told.append("painted")


def test_work_follows_the_first_painting_once(qtbot: QtBot) -> None:
    told: list[str] = []
    window = Painted(told)
    qtbot.addWidget(window)
    when_painted(window, lambda: told.append("worked"))
    assert told == []
    window.show()
    qtbot.waitUntil(lambda: "worked" in told)
    assert told[0] == "painted"
    window.repaint()
    # A second round of work would have been queued before this one.
    QTimer.singleShot(0, window, lambda: told.append("later"))
    qtbot.waitUntil(lambda: "later" in told)
    assert told.count("worked") == 1
    assert told.count("painted") > 1
