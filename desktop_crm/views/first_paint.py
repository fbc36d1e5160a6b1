"""Work that waits until a window is on the screen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget


def when_painted(window: QWidget, work: Callable[[], object]) -> None:
    """Do something once, as soon as a window has been painted for the first time."""
    window.installEventFilter(_FirstPaint(window, work))


class _FirstPaint(QObject):
    """Sees the first paint event of a window and goes away."""

    def __init__(self, window: QWidget, work: Callable[[], object]) -> None:
        super().__init__(window)
        self._work = work

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            # The event comes before the painting; a timer runs after it.
            QTimer.singleShot(0, self, self._done)
        return False

    def _done(self) -> None:
        self._work()
        self.deleteLater()
