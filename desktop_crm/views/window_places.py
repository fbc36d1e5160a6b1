"""Where windows of their own stood last: remembered by kind, restored only where a screen is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_CASCADE: Final = QPoint(28, 28)
_GRIP: Final = QSize(160, 24)
"""So much of a title bar must lie on a screen for a hand to reach it."""


def restore(
    window: QWidget,
    bench: Workbench,
    kind: str,
    usual: QSize,
    near: QWidget | None = None,
    others: Iterable[QWidget] = (),
) -> None:
    """Give a window the size and place of the last one of its kind.

    Args:
        window: The window, not shown yet.
        bench: Remembers places.
        kind: Name of the kind.
        usual: Size while nothing is remembered.
        near: Window to stand over while nothing is remembered.
        others: Windows of the kind that are open; the new one does not hide their title bars.
    """
    kept = bench.recall(f"window.{kind}")
    place = _rect(kept.get("place"))
    if place is None or not reachable(place):
        place = _over(usual if place is None else place.size(), near)
    taken = {other.geometry().topLeft() for other in others}
    while place.topLeft() in taken and reachable(place.translated(_CASCADE)):
        place.translate(_CASCADE)
    window.setGeometry(place)
    if kept.get("maximized") is True:
        window.setWindowState(Qt.WindowState.WindowMaximized)


def keep(window: QWidget, bench: Workbench, kind: str) -> None:
    """Remember where a window stands; of a maximised one, where it would go back to."""
    place = window.normalGeometry() if window.isMaximized() else window.geometry()
    bench.remember(
        f"window.{kind}",
        {
            "place": [place.x(), place.y(), place.width(), place.height()],
            "maximized": window.isMaximized(),
        },
    )


def reachable(place: QRect) -> bool:
    """Whether a hand can take hold of a window that stands there."""
    grip = QRect(place.center().x() - _GRIP.width() // 2, place.top(), *_GRIP.toTuple())
    return any(
        screen.availableGeometry().contains(grip.center()) for screen in QGuiApplication.screens()
    )


def _rect(kept: object) -> QRect | None:
    if not isinstance(kept, list) or len(kept) != 4 or not all(type(n) is int for n in kept):
        return None
    rect = QRect(*kept)
    return rect if rect.width() > 0 and rect.height() > 0 else None


def _over(size: QSize, near: QWidget | None) -> QRect:
    """A rectangle in the middle of a window, or of the first screen."""
    screen = near.screen() if near is not None else QGuiApplication.primaryScreen()
    room = screen.availableGeometry()
    around = near.window().geometry() if near is not None else room
    fitting = size.boundedTo(room.size())
    place = QRect(QPoint(0, 0), fitting)
    place.moveCenter(around.center())
    place.moveTop(max(room.top(), place.top()))
    place.moveLeft(max(room.left(), place.left()))
    return place
