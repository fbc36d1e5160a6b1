"""The letters at the right edge of a list: one of them leaves the titles that begin with it."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Final

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import fold
from desktop_crm.views import theme

DIGITS: Final = "#"
LETTERS: Final = ("", *ascii_uppercase, DIGITS)
"""Everything first; accents are folded, so that Ș stands under S."""
_EVERY: Final = "•"
_WIDTH: Final = 26


class LetterBar(QWidget):
    """All, A to Z and digits; works by mouse, by arrow keys and by typing a letter.

    Attributes:
        chosen: Folded letter, ``#`` for digits, empty for all.
    """

    chosen = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("First letter"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setFixedWidth(theme.scaled(_WIDTH))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._at = 0
        self._hover = -1
        self._tell()

    @property
    def letter(self) -> str:
        """The letter in force; empty for all."""
        return str(LETTERS[self._at]).lower()

    def clear(self) -> None:
        """Show all again, without telling."""
        self._at = 0
        self._tell()
        self.update()

    def _choose(self, place: int) -> None:
        place = min(max(place, 0), len(LETTERS) - 1)
        if place != self._at:
            self._at = place
            self._tell()
            self.update()
            self.chosen.emit(self.letter)

    def _tell(self) -> None:
        self.setAccessibleDescription(self._name(self._at))

    def _name(self, place: int) -> str:
        if LETTERS[place] == DIGITS:
            return tr("Titles that begin with a digit")
        if not LETTERS[place]:
            return tr("All titles")
        return tr("Titles that begin with {letter}", letter=LETTERS[place])

    def _place_at(self, y: float) -> int:
        return min(max(int(y * len(LETTERS) / max(self.height(), 1)), 0), len(LETTERS) - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().y())
        self._choose(0 if place == self._at else place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().y())
        if place != self._hover:
            self._hover = place
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = -1
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._name(self._place_at(event.pos().y())), self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Up: self._at - 1,
            Qt.Key.Key_Down: self._at + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: len(LETTERS) - 1,
            Qt.Key.Key_Escape: 0,
        }
        typed = fold(event.text()).upper()
        if event.key() in steps:
            self._choose(steps[Qt.Key(event.key())])
        elif typed.isdigit():
            self._choose(LETTERS.index(DIGITS))
        elif typed and typed in LETTERS:
            self._choose(LETTERS.index(typed))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step = self.height() / len(LETTERS)
        size = 11 if step >= theme.scaled(14) else 9
        for place, letter in enumerate(LETTERS):
            cell = QRectF(2, place * step, self.width() - 6, step)
            on = place == self._at and place > 0
            if on or place == self._hover:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("sel" if on else "press"))
                painter.drawRoundedRect(cell, 4, 4)
            if place == self._at and self.hasFocus():
                painter.setPen(QPen(theme.color("focus"), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            weight = QFont.Weight.DemiBold if on else QFont.Weight.Medium
            painter.setFont(theme.font(size, weight))
            painter.setPen(theme.color("accent_text" if on else "text3"))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, letter or _EVERY)
        painter.end()
