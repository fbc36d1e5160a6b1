"""The pipeline as bars, one for each stage; each bar opens what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.calendar.event_paint import blend

ROW = 40
WIDEST_CAPTION = 165
_FADE = 0.13
_FAINTEST = 0.35


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One bar: what it opens, its caption, the length it stands for, and two texts."""

    key: object
    caption: str
    count: int
    value: float
    note: str


class Funnel(QWidget):
    """Bars from the first stage to the last.

    Attributes:
        opened: the key of a bar that was clicked or entered.
    """

    opened = Signal(object)

    def __init__(self, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("funnel")
        self.setAccessibleName(accessible_name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._steps: tuple[FunnelStep, ...] = ()
        self._current = 0
        self._hovered = -1
        theme.changed.connect(self.update)

    def show_steps(self, steps: Sequence[FunnelStep]) -> None:
        """Show these bars; the text for screen readers says the same."""
        self._steps = tuple(steps)
        self._current = min(self._current, max(0, len(self._steps) - 1))
        lines = [f"{step.caption}: {step.count}, {step.note}" for step in self._steps]
        self.setAccessibleDescription("\n".join(lines) or tr("Nothing to show"))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, max(3, len(self._steps)) * theme.scaled(ROW))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, max(4, len(self._steps)) * theme.scaled(20))

    def _row(self, index: int) -> QRectF:
        height = min(theme.scaled(56), self.height() / max(1, len(self._steps)))
        return QRectF(0, height * index, self.width(), height)

    def _caption_width(self) -> float:
        metrics = QFontMetricsF(theme.font(13))
        widest = max((metrics.horizontalAdvance(s.caption) for s in self._steps), default=60.0)
        return min(widest + 16, theme.scaled(WIDEST_CAPTION))

    def _note_width(self) -> float:
        metrics = QFontMetricsF(theme.font(12, tabular=True))
        return max((metrics.horizontalAdvance(s.note) for s in self._steps), default=40.0) + 8

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        longest = max((step.value for step in self._steps), default=0.0) or 1.0
        captions, notes = self._caption_width(), self._note_width()
        for index, step in enumerate(self._steps):
            row = self._row(index)
            if index == self._hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("hover"))
                painter.drawRoundedRect(row.adjusted(0, 1, 0, -1), 4, 4)
            if self.hasFocus() and index == self._current:
                painter.setPen(QPen(theme.color("focus"), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(row.adjusted(0.5, 1.5, -0.5, -1.5), 4, 4)
            self._paint_step(painter, row, index, (captions, notes, step.value / longest))

    def _paint_step(
        self, painter: QPainter, row: QRectF, index: int, measures: tuple[float, float, float]
    ) -> None:
        captions, notes, share = measures
        step = self._steps[index]
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        body = theme.font(13)
        painter.setFont(body)
        painter.setPen(theme.color("text"))
        box = QRectF(row.left() + 4, row.top(), captions - 12, row.height())
        caption = QFontMetricsF(body).elidedText(
            step.caption, Qt.TextElideMode.ElideRight, box.width()
        )
        painter.drawText(box, left, caption)
        counted = theme.font(13, QFont.Weight.DemiBold, tabular=True)
        count_width = QFontMetricsF(counted).horizontalAdvance(str(step.count)) + 20
        room = max(10.0, row.width() - captions - notes - count_width)
        pad = max(2.0, min(5.0, (row.height() - 16) / 2))
        width = max(3.0, room * share)
        bar = QRectF(row.left() + captions, row.top() + pad, width, row.height() - 2 * pad)
        strength = max(_FAINTEST, 1 - _FADE * index)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(theme.color("series_1"), theme.color("surface"), strength))
        painter.drawRoundedRect(bar, 4, 4)
        painter.setFont(counted)
        painter.setPen(theme.color("text"))
        number = QRectF(bar.right() + 10, row.top(), count_width, row.height())
        painter.drawText(number, left, str(step.count))
        painter.setFont(theme.font(12, tabular=True))
        painter.setPen(theme.color("text2"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(row.adjusted(0, 0, -4, 0), right, step.note)

    def _index_at(self, point: QPointF) -> int:
        found = [n for n in range(len(self._steps)) if self._row(n).contains(point)]
        return found[0] if found else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = self._index_at(event.position())
        on = self._hovered >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self._index_at(event.position())
        if index >= 0:
            self._current = index
            self.opened.emit(self._steps[index].key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down} and self._steps:
            step = 1 if key == Qt.Key.Key_Down else -1
            self._current = min(max(self._current + step, 0), len(self._steps) - 1)
            self.update()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self._steps:
            self.opened.emit(self._steps[self._current].key)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()
