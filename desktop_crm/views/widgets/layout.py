"""Rows, columns, lines and splitters."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLayout,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

NO_MARGINS: Final = (0, 0, 0, 0)


def fill(
    layout: QBoxLayout,
    *children: QWidget | None,
    spacing: int = 4,
    margins: tuple[int, int, int, int] = NO_MARGINS,
) -> None:
    """Put widgets into a layout; None is a stretch."""
    layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)
    for child in children:
        if child is None:
            layout.addStretch(1)
        else:
            layout.addWidget(child)


def row(
    *children: QWidget | None,
    spacing: int = 4,
    margins: tuple[int, int, int, int] = NO_MARGINS,
) -> QWidget:
    """A widget with children side by side; None is a stretch."""
    box = QWidget()
    fill(QHBoxLayout(box), *children, spacing=spacing, margins=margins)
    return box


def column(
    *children: QWidget | None,
    spacing: int = 4,
    margins: tuple[int, int, int, int] = NO_MARGINS,
) -> QWidget:
    """A widget with children one below the other; None is a stretch."""
    box = QWidget()
    fill(QVBoxLayout(box), *children, spacing=spacing, margins=margins)
    return box


def separator(*, vertical: bool = False) -> QFrame:
    """A hairline."""
    line = QFrame()
    line.setProperty("sep", "v" if vertical else "h")
    return line


def frame(name: str, child: QWidget | None = None, *, height: int = 0) -> QFrame:
    """A bordered pane that the style sheet knows by its object name."""
    made = QFrame()
    made.setObjectName(name)
    layout = QVBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    if child is not None:
        layout.addWidget(child)
    if height:
        made.setFixedHeight(height)
    return made


def clear(layout: QLayout) -> None:
    """Take everything out of a layout, layouts inside it included, and delete the widgets."""
    while (item := layout.takeAt(0)) is not None:
        inner = item.layout()
        if inner is not None:
            clear(inner)
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


class Splitter(QSplitter):
    """Panes side by side with an 8 px gap that can be dragged; panes keep their minimum."""

    def __init__(self, name: str, accessible_name: str, *children: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setHandleWidth(8)
        self.setChildrenCollapsible(False)
        for child in children:
            self.addWidget(child)
