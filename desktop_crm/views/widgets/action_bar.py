"""A row of tool buttons whose texts give way, from the right, when there is no room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget


class ActionBar(QWidget):
    """Buttons with texts at the left, one without at the right end.

    Args:
        buttons: Made with ``show_text``; each can do without its text, the tip has it.
        last: Button at the right end, icon only.
    """

    def __init__(self, buttons: Sequence[QToolButton], last: QToolButton) -> None:
        super().__init__()
        self._buttons = list(buttons)
        self._last = last
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(last)

    def minimumSizeHint(self) -> QSize:
        height = self._last.sizeHint().height()
        return QSize(40 * (len(self._buttons) + 1), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Show as many texts as fit."""
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        only = Qt.ToolButtonStyle.ToolButtonIconOnly
        full: list[int] = []
        small: list[int] = []
        for button in self._buttons:
            button.setToolButtonStyle(only)
            small.append(button.sizeHint().width())
            button.setToolButtonStyle(beside)
            full.append(button.sizeHint().width())
        room = self.width() - self._last.sizeHint().width()
        texts = len(self._buttons)
        while texts and sum(full[:texts]) + sum(small[texts:]) > room:
            texts -= 1
        for place, button in enumerate(self._buttons):
            button.setToolButtonStyle(beside if place < texts else only)
