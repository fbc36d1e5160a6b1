"""Round pictures with the initials of a person or firm."""

import unicodedata
from functools import lru_cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from desktop_crm.views import theme


def initials(name: str) -> str:
    """First letters of the first two words, for an avatar."""
    words = [word for word in name.split() if unicodedata.category(word[0])[0] in "LN"]
    if not words:
        return "?"
    return "".join(word[0] for word in words[:2]).upper()


def paint_avatar(painter: QPainter, area: QRectF, name: str) -> None:
    """Paint an avatar into a square, for painted widgets."""
    _paint(painter, area, initials(name), theme.avatar_color(name))


def _paint(painter: QPainter, area: QRectF, letters: str, ground: QColor) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawEllipse(area)
    face = QFont(theme.font(13, QFont.Weight.DemiBold))
    face.setPixelSize(max(9, int(area.height() * 0.40)))
    painter.setFont(face)
    painter.setPen(QColor("white"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, letters)
    painter.restore()


@lru_cache(maxsize=512)
def _drawn(letters: str, ground: str, pixels: int) -> QPixmap:
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _paint(painter, QRectF(0, 0, pixels, pixels), letters, QColor(ground))
    painter.end()
    return pixmap


def draw_avatar(painter: QPainter, area: QRectF, name: str) -> None:
    """Draw a kept picture of an avatar; for tables that paint hundreds of them."""
    ratio = painter.device().devicePixelRatio()
    pixels = round(area.width() * ratio)
    pixmap = _drawn(initials(name), theme.avatar_color(name).name(), pixels)
    painter.drawPixmap(area.toRect(), pixmap)


class Avatar(QWidget):
    """Initials of a name on the colour of that name."""

    def __init__(self, name: str = "", size: int = 48, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setFixedSize(size, size)
        self.setAccessibleName(name)

    def show_name(self, name: str) -> None:
        """Show another name."""
        self._name = name
        self.setAccessibleName(name)
        self.update()

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_avatar(painter, QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), self._name)
