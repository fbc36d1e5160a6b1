"""Plain events for the pages of the calendar, what they ask for, and a mouse that drags."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from PySide6.QtCore import QPoint, Qt, SignalInstance
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop_crm.core.formats import Formats
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from tests.support.company import ZONE

WEEK = [date(2026, 11, 23) + timedelta(n) for n in range(5)]
FORMATS = Formats("en", ZONE)


def event(
    number: int,
    start: datetime,
    end: datetime,
    *,
    all_day: bool = False,
    series: bool = False,
    private: bool = False,
) -> AgendaEvent:
    title = f"event {number}"
    return AgendaEvent(
        number, 1, start, end, title, all_day=all_day, series=series, private=private
    )


def caught(signal: SignalInstance) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []  # a signal's values carry no types
    signal.connect(lambda *values: found.append(values))
    return found


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    middle = QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2)
    for point in (middle, end):
        QTest.mouseMove(widget, point)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)
