"""Icons: one engine that paints the shipped drawings in the colours of the theme in force."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop_crm.core import paths
from desktop_crm.views import theme

ENTITY_ICONS = {
    "home": "home",
    "mail": "mail",
    "calendar": "calendar_ltr",
    "account": "building",
    "contact": "people",
    "lead": "target",
    "opportunity": "data_trending",
    "activity": "task_list_square_ltr",
    "product": "box",
    "quote": "receipt",
    "case": "headset",
    "settings": "settings",
    "user": "person",
    "team": "people",
    "document": "folder",
    "mail_message": "mail",
}
"""Drawing of each kind of record and module."""

ACTIVITY_ICONS = {
    "task": "task_list_square_ltr",
    "phone_call": "call",
    "appointment": "calendar_ltr",
    "email": "mail",
    "note": "note",
}
"""Drawing of each kind of activity."""


@lru_cache(maxsize=256)
def _drawing(name: str, style: str) -> str:
    path = paths.resource("icons", f"{name}_20_{style}.svg")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=1024)
def _pixmap(name: str, style: str, color: str, width: int, height: int) -> QPixmap:
    svg = _drawing(name, style).replace("<path ", f'<path fill="{color}" ')
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, width, height))
    painter.end()
    return pixmap


class SvgEngine(QIconEngine):
    """Paints one drawing; the colour is asked from the theme at paint time.

    A new theme therefore needs a repaint only, and every device pixel ratio is crisp.
    """

    def __init__(self, name: str, tint: str, *, fill_on: bool = True) -> None:
        super().__init__()
        self._name = name
        self._tint = tint
        self._fill_on = fill_on

    def clone(self) -> QIconEngine:
        return SvgEngine(self._name, self._tint, fill_on=self._fill_on)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio()
        size = QSize(round(rect.width() * ratio), round(rect.height() * ratio))
        painter.drawPixmap(rect, self._drawn(size, mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return QPixmap(self._drawn(size, mode, state))

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        return QPixmap(self._drawn(size, mode, state))

    def _drawn(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        filled = state == QIcon.State.On and self._fill_on
        tint = "accent_text" if filled else self._tint
        color = theme.hex_color("text3" if mode == QIcon.Mode.Disabled else tint)
        style = "filled" if filled else "regular"
        return _pixmap(self._name, style, color, size.width(), size.height())


def icon(name: str, tint: str = "text2", *, fill_on: bool = True) -> QIcon:
    """Icon of a shipped drawing.

    Args:
        name: Name of the drawing without size and style, e.g. ``home``.
        tint: Colour token of the normal state.
        fill_on: Whether the checked state shows the filled drawing in the accent colour.
    """
    return QIcon(SvgEngine(name, tint, fill_on=fill_on))


def paint_icon(
    painter: QPainter, rect: QRect, name: str, tint: str = "text2", *, filled: bool = False
) -> None:
    """Paint a drawing into a rectangle, for delegates and painted widgets."""
    ratio = painter.device().devicePixelRatio()
    pixmap = _pixmap(
        name,
        "filled" if filled else "regular",
        theme.hex_color(tint),
        round(rect.width() * ratio),
        round(rect.height() * ratio),
    )
    painter.drawPixmap(rect, pixmap)


def entity_icon(key: str) -> str:
    """Name of the drawing of a kind of record; a folder for what is no kind of record."""
    from desktop_crm.meta import registry  # the frame is painted before the database layer loads

    found = registry.find(key)
    return ENTITY_ICONS.get(key) or (found.icon if found is not None else "folder")
