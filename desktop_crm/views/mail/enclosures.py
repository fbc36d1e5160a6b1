"""The files that go along with a letter, and the records it belongs to: one row of chips each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.sync.writing import Enclosure, Regarding
from desktop_crm.views import icons, theme
from desktop_crm.views.icons import icon
from desktop_crm.views.stored_files import size_text
from desktop_crm.views.widgets.flow import Flow

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats

_CROSS: Final = 34
"""So much at the end of a chip is its cross."""


class Chip(QToolButton):
    """Something that can be taken away: by a click on its cross, Delete or Backspace.

    Attributes:
        removed: It is to go.
    """

    removed = Signal()

    def __init__(self, name: str, text: str, drawing: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setText(f" {text}  ✕")
        self.setAccessibleName(tr("{name}; Delete takes it away", name=text))
        self.setToolTip(text)
        self.setIcon(icon(drawing, fill_on=False))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("chip", True)
        self.clicked.connect(lambda _checked=False: self.removed.emit())

    def hitButton(self, pos: QPoint) -> bool:
        """Only the cross takes it away; whoever clicks the name does not mean that."""
        return self.rect().contains(pos) and pos.x() >= self.width() - theme.scaled(_CROSS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.removed.emit()
        else:
            super().keyPressEvent(event)


class Chips(QWidget):
    """A row of chips; hidden while empty.

    Attributes:
        edited: One was added or taken away.
    """

    edited = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._flow = Flow(self, spacing=6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.hide()

    def _show(self, chips: Sequence[Chip]) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        for chip in chips:
            self._flow.addWidget(chip)
            chip.show()
        self.setVisible(bool(chips))
        if chips:
            self.setFocusProxy(chips[0])
        self.updateGeometry()


class FileChips(Chips):
    """The files of a letter."""

    def __init__(self, formats: Formats) -> None:
        super().__init__("compose.files")
        self._formats = formats
        self.files: list[Enclosure] = []

    def set_files(self, files: Sequence[Enclosure]) -> None:
        """Show these instead."""
        self.files = list(files)
        self._fill()

    def add(self, files: Sequence[Enclosure]) -> None:
        """Add files, each once."""
        self.files += [file for file in files if file not in self.files]
        self._fill()
        self.edited.emit()

    def _fill(self) -> None:
        chips = []
        for number, file in enumerate(self.files):
            text = f"{file.name}  {size_text(file.size, self._formats)}"
            chip = Chip(f"compose.file.{number}", text, "attach")
            chip.removed.connect(partial(self._remove, number))
            chips.append(chip)
        self._show(chips)

    def _remove(self, number: int) -> None:
        del self.files[number]
        self._fill()
        self.edited.emit()


class RecordChips(Chips):
    """The records a letter belongs to."""

    def __init__(self) -> None:
        super().__init__("compose.regarding")
        self.records: list[Regarding] = []

    def set_records(self, records: Sequence[Regarding]) -> None:
        """Show these instead."""
        self.records = list(records)
        self._fill()

    def add(self, record: Regarding) -> None:
        """Add a record, once."""
        known = {(one.entity, one.record_id) for one in self.records}
        if (record.entity, record.record_id) not in known:
            self.records.append(record)
            self._fill()
            self.edited.emit()

    def _fill(self) -> None:
        chips = []
        for number, record in enumerate(self.records):
            title = record.title or tr("(no name)")
            drawing = icons.entity_icon(record.entity)
            chip = Chip(f"compose.regarding.{number}", title, drawing)
            chip.removed.connect(partial(self._remove, number))
            chips.append(chip)
        self._show(chips)

    def _remove(self, number: int) -> None:
        del self.records[number]
        self._fill()
        self.edited.emit()


def from_paths(paths: Sequence[Path]) -> tuple[list[Enclosure], list[str]]:
    """Files of the disk to go along, and the names of what cannot."""
    found, refused = [], []
    for path in paths:
        try:
            if not path.is_file():
                raise OSError
            found.append(Enclosure(path.name, path.stat().st_size, path=str(path)))
        except OSError:
            refused.append(path.name)
    return found, refused
