"""Sections of a form: a title that folds what stands below it, and the grid of its fields."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views.icons import icon

_UNITS: Final = 6
"""Columns of the grid of a wide form: halves and thirds of it are whole numbers."""


class FoldButton(QPushButton):
    """A title with a chevron; Enter, Space and the arrow keys fold and unfold.

    Attributes:
        folded: The person folded or unfolded it; carries whether it is folded now.
    """

    folded = Signal(bool)

    def __init__(self, name: str, title: str) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setProperty("fold", True)
        self.setCheckable(True)
        self.setChecked(True)
        self.setAutoDefault(False)
        self.setIconSize(QSize(12, 12))
        self.toggled.connect(self._show_state)
        self.clicked.connect(lambda checked: self.folded.emit(not checked))
        self._show_state(True)

    def _show_state(self, is_open: bool) -> None:
        drawing = "chevron_down" if is_open else "chevron_right"
        self.setIcon(icon(drawing, "text2", fill_on=False))
        said = tr("Unfolded; press Space to fold") if is_open else tr("Folded; press Space to open")
        self.setAccessibleDescription(said)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        wanted = {Qt.Key.Key_Left: False, Qt.Key.Key_Right: True}.get(Qt.Key(event.key()))
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            wanted = not self.isChecked()
        if wanted is None:
            super().keyPressEvent(event)
        elif wanted != self.isChecked():
            self.click()


class SectionBox(QWidget):
    """One section: its title, when it has one, and its fields.

    Attributes:
        folded: The person folded or unfolded it; carries its key and whether it is folded.
        names: Fields that stand in it.
        grid: Layout of the fields.
        units: Columns of the grid; two or three fields share them.
    """

    folded = Signal(str, bool)

    def __init__(self, name: str, key: str, title: str, columns: int) -> None:
        """Build the section, empty.

        Args:
            name: Object name of its title.
            key: What it is remembered by.
            title: Shown title, translated; empty shows none, and nothing folds.
            columns: Fields side by side.
        """
        super().__init__()
        self.key = key
        self.names: list[str] = []
        self._inner = QWidget()
        self.grid = QGridLayout(self._inner)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(16)
        self.grid.setVerticalSpacing(2)
        self.units = _UNITS if columns > 1 else 1
        for column in range(self.units):
            self.grid.setColumnStretch(column, 1)
            # Qt gives no spacing to a column in which nothing stands alone: halves would differ.
            filler = QWidget()
            filler.setFixedHeight(0)
            self.grid.addWidget(filler, 0, column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 8 if title else 0)
        layout.setSpacing(6)
        self.head: FoldButton | None = None
        if title:
            self.head = FoldButton(name, title)
            self.head.toggled.connect(self._inner.setVisible)
            self.head.folded.connect(lambda folded: self.folded.emit(self.key, folded))
            layout.addWidget(self.head, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._inner)

    @property
    def is_folded(self) -> bool:
        """Whether only its title shows."""
        return self.head is not None and not self.head.isChecked()

    def fold(self, folded: bool) -> None:
        """Fold or unfold it without telling."""
        if self.head is not None:
            self.head.setChecked(not folded)
