"""A key figure: what it is, how much, how that compares, and its course."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from desktop_crm.views import theme
from desktop_crm.views.widgets.labels import Elide, label

SPARK_WIDTH, SPARK_HEIGHT = 84, 30
_STEPS = (("kpi", 22), ("h1", 20), ("h2", 15))


class KpiCard(QFrame):
    """One figure on a card; with a function it can be pressed.

    Attributes:
        opened: the card was clicked or entered.
    """

    opened = Signal()

    def __init__(self, name: str, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("card", True)
        self.setAccessibleName(caption)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._caption = Elide(caption, "dim")
        self._value = label("–", "kpi")
        self._note = label(" ", "cap")
        self._words = ("–", " ")
        self._course: tuple[float, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(3)
        for part in (self._caption, self._value, self._note):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            part.setMinimumWidth(24)
            column.addWidget(part)
        theme.changed.connect(self.update)

    def show_figure(
        self, value: str, note: str = "", *, tone: str = "", course: Sequence[float] = ()
    ) -> None:
        """Show a figure.

        Args:
            value: the figure as text.
            note: how it compares, or what it is made of.
            tone: `ok` or `bad` colours the note.
            course: earlier values, oldest first; fewer than two draw nothing.
        """
        self._words = (value, note or " ")
        self._fit()
        theme.set_property(self._note, "role", {"ok": "ok", "bad": "error"}.get(tone, "cap"))
        self._course = tuple(course)
        self.setAccessibleDescription(f"{value}. {note}")
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Write the figure smaller, and end the note in an ellipsis, where room is short."""
        room = self.width() - 32
        for role, pixels in _STEPS:
            metrics = QFontMetricsF(theme.font(pixels, QFont.Weight.DemiBold))
            if metrics.horizontalAdvance(self._words[0]) <= room or role == _STEPS[-1][0]:
                theme.set_property(self._value, "role", role)
                break
        for part, text in zip((self._value, self._note), self._words, strict=True):
            part.ensurePolished()
            shown = part.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
            part.setText(shown)
            part.setToolTip(text if shown != text else "")

    def figure(self) -> str:
        """The figure as shown."""
        return self._words[0]

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1.5))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        words = max(self._value.sizeHint().width(), self._note.sizeHint().width())
        if len(self._course) > 1 and self.width() >= words + SPARK_WIDTH + 48:
            self._paint_course(painter)

    def _paint_course(self, painter: QPainter) -> None:
        low, high = min(self._course), max(self._course)
        spread = (high - low) or 1.0
        left, bottom = self.width() - SPARK_WIDTH - 16, self.height() - 22
        step = SPARK_WIDTH / (len(self._course) - 1)
        path = QPainterPath()
        for index, value in enumerate(self._course):
            point = QPointF(left + step * index, bottom - SPARK_HEIGHT * (value - low) / spread)
            if index:
                path.lineTo(point)
            else:
                path.moveTo(point)
        pen = QPen(theme.color("series_1"), 1.8)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(path, pen)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()
