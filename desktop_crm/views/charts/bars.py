"""Amounts by month as upright bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_crm.views import theme
from desktop_crm.views.calendar.event_paint import blend

_STEPS = (1, 2, 2.5, 5, 10)
_WIDEST_BAR = 34


def round_scale(highest: float, lines: int = 4) -> float:
    """The distance of grid lines that is round and reaches the highest value."""
    if highest <= 0:
        return 1.0
    raw = highest / lines
    power = 10.0 ** floor(log10(raw))
    return next(step for step in _STEPS if step * power >= raw) * power


class Bars(QWidget):
    """One bar for each period, the last one in full colour.

    Its content is also its accessible description, as text.
    """

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._captions: tuple[str, ...] = ()
        self._values: tuple[float, ...] = ()
        self._texts: tuple[str, ...] = ()
        self._axis: Callable[[float], str] = str
        theme.changed.connect(self.update)

    def show_bars(
        self,
        captions: Sequence[str],
        values: Sequence[float],
        texts: Sequence[str],
        axis: Callable[[float], str],
    ) -> None:
        """Show these periods.

        Args:
            captions: below each bar.
            values: length of each bar.
            texts: what each bar stands for, for tool tip and screen reader.
            axis: text of a grid line.
        """
        self._captions, self._values = tuple(captions), tuple(values)
        self._texts, self._axis = tuple(texts), axis
        pairs = zip(captions, texts, strict=True)
        described = "\n".join(f"{caption}: {text}" for caption, text in pairs)
        self.setAccessibleDescription(described)
        self.setToolTip(described)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, 180)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, theme.scaled(120))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._values:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = theme.font(11, tabular=True)
        painter.setFont(small)
        lines = 4 if self.height() > theme.scaled(150) else 2
        step = round_scale(max(*self._values, 0.0), lines)
        count = max(1, ceil(max(*self._values, step) / step))
        width = max(
            painter.fontMetrics().horizontalAdvance(self._axis(step * n)) for n in range(count + 1)
        )
        area = QRectF(self.rect()).adjusted(width + 12, 10, -4, -theme.scaled(22))
        for n in range(count + 1):
            y = round(area.bottom() - area.height() * n / count) + 0.5
            painter.setPen(QPen(theme.color("stroke" if n else "stroke2"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("text2"))
            box = QRectF(0, y - 8, width + 4, 16)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, align, self._axis(step * n))
        self._paint_bars(painter, area, step * count)

    def _paint_bars(self, painter: QPainter, area: QRectF, highest: float) -> None:
        slot = area.width() / len(self._values)
        width = min(_WIDEST_BAR, slot * 0.55)
        for index, value in enumerate(self._values):
            last = index == len(self._values) - 1
            middle = area.left() + slot * (index + 0.5)
            height = area.height() * value / highest
            bar = QRectF(middle - width / 2, area.bottom() - height, width, height)
            shape = QPainterPath()
            shape.addRoundedRect(bar.adjusted(0, 0, 0, 4), 3, 3)
            clip = QPainterPath()
            clip.addRect(bar)
            strength = 1.0 if last else 0.6
            tone = blend(theme.color("series_1"), theme.color("surface"), strength)
            painter.fillPath(shape.intersected(clip), tone)
            weight = QFont.Weight.DemiBold if last else QFont.Weight.Normal
            painter.setFont(theme.font(11, weight))
            painter.setPen(theme.color("text" if last else "text2"))
            box = QRectF(middle - slot / 2, area.bottom() + 4, slot, theme.scaled(16))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._captions[index])
