"""The window goes first: long work beside it waits while it handles something and paints it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from desktop_crm.core import turns

_WORK: Final = frozenset(
    {
        QEvent.Type.Expose,
        QEvent.Type.KeyPress,
        QEvent.Type.LayoutRequest,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.Resize,
        QEvent.Type.UpdateRequest,
        QEvent.Type.Wheel,
    }
)
"""What reaches a window as a whole and takes it a while."""


class FirstTurn(QObject):
    """Says when the window is at work, and when it is done."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # A timer of zero comes when nothing else is left, not even painting; a call that is
        # put off by zero comes before that.
        self._done = QTimer(self)
        self._done.setInterval(0)
        self._done.setSingleShot(True)
        self._done.timeout.connect(self.end)

    def take(self) -> None:
        """What is handled from now on goes first, until nothing is left to handle."""
        turns.begin()
        self._done.start()

    def end(self) -> None:
        """Nothing is left to handle, or nobody looks any more."""
        self._done.stop()
        turns.end()

    def watch(self, window: QWidget) -> None:
        """Take the turn for what reaches a window: input, layout and painting."""
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _WORK:
            self.take()
        elif kind == QEvent.Type.Show and isinstance(watched, QWidget):
            # Input reaches the window of the system first.
            handle = watched.windowHandle()
            if handle is not None:
                handle.installEventFilter(self)
        return False
