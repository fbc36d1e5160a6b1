"""The editor that lies over one cell while it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import tr
from desktop_crm.meta import kinds, registry
from desktop_crm.views import theme
from desktop_crm.views.forms.editors import make_editor

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

_LEAST_WIDTH = 160
_PROBLEM_WIDTH = 340


@dataclass(frozen=True, slots=True)
class CellValue:
    """What a cell holds when it is opened.

    Attributes:
        record_id: Record of the row.
        version: Its version, so that nobody's change is overwritten.
        field: Name of the field.
        value: Stored value.
        title: Shown text of a link.
    """

    record_id: int
    version: int
    field: str
    value: Any
    title: str = ""


def read_cell(
    actor: Actor, entity_key: str, record_id: int, field: str, cancel: Cancel | None = None
) -> CellValue | None:
    """Read one value afresh; None when the record is gone. One statement."""
    from desktop_crm.services import query
    from desktop_crm.services.query import RecordQuery

    is_link = registry.get(entity_key).fields[field].kind is kinds.LINK
    paths = (f"{field}.id", field) if is_link else (field,)
    found = query.rows(actor, RecordQuery(entity_key, paths), [record_id], cancel)
    if not found or found[0].deleted:
        return None
    row = found[0]
    title = str(row.values[1] or "") if is_link else ""
    return CellValue(record_id, row.version, field, row.values[0], title)


class CellEditor(QFrame):
    """One field's editor over its cell; Enter and Tab take the value, Escape leaves it.

    Attributes:
        taken: The value shall be saved; carries it, and the key that said so.
        left: Nothing shall be saved.
    """

    taken = Signal(object, int)
    left = Signal()

    def __init__(self, parent: QWidget, bench: Workbench, entity_key: str, cell: CellValue) -> None:
        super().__init__(parent)
        self.setObjectName("cell.editor")
        self.setProperty("cell", True)
        field = registry.get(entity_key).fields[cell.field]
        self.setAccessibleName(tr(field.label))
        self.cell = cell
        self.editor = make_editor(field, "cell.value", bench)
        self.editor.load(cell.value, cell.title)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.editor)
        self._problem = QLabel(parent)
        self._problem.setObjectName("cell.problem")
        self._problem.setProperty("role", "tip")
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._closing = False
        for child in (self.editor, *self.editor.findChildren(QWidget)):
            child.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)

    def place(self, area: QRect) -> None:
        """Lie over a cell, a little wider where the cell is too narrow to type in."""
        width = max(area.width(), theme.scaled(_LEAST_WIDTH))
        height = max(area.height(), self.editor.sizeHint().height())
        room = self._room()
        left = min(area.left(), max(0, room - width))
        self.setGeometry(left, area.top() + (area.height() - height) // 2, width, height)
        self.show()
        self.raise_()
        self.editor.setFocus()

    def _room(self) -> int:
        # Asked each time: a viewport may outlive the wrapper the editor was made with.
        ground = self.parentWidget()
        return ground.width() if ground is not None else self.width()

    def begin_with(self, text: str) -> None:
        """Replace the value by what is being typed, or mark it all."""
        line = self.editor.findChild(QLineEdit)
        if line is None or line.isReadOnly():
            return
        if text:
            line.setText(text)
            line.textEdited.emit(text)
        else:
            line.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if self._is_unfolded():
            return False
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.leave()
            return True
        several = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
            if several and self.editor.field.kind is kinds.MULTILINE:
                return False  # a line break of the text
            self.take(key)
            return True
        return super().eventFilter(watched, event)

    def _is_unfolded(self) -> bool:
        return any(combo.view().isVisible() for combo in self.editor.findChildren(QComboBox))

    def take(self, key: Qt.Key = Qt.Key.Key_Enter) -> bool:
        """Check the value and hand it over; a wrong one is said and stays: False."""
        try:
            value = self.editor.value()
        except UserError as error:
            self.show_problem(str(error))
            return False
        self.taken.emit(value, int(key))
        return True

    def leave(self) -> None:
        """Close without saving."""
        self._closing = True
        self.left.emit()

    def show_problem(self, text: str) -> None:
        """Say below the cell what is wrong; the value stays."""
        self._closing = False
        self.editor.mark_error(True)
        self._problem.setText(text)
        wanted = self._problem.fontMetrics().horizontalAdvance(text) + theme.scaled(28)
        self._problem.setFixedWidth(min(wanted, theme.scaled(_PROBLEM_WIDTH)))
        self._problem.adjustSize()
        left = min(self.x(), max(0, self._room() - self._problem.width()))
        self._problem.move(left, self.geometry().bottom() + 2)
        self._problem.show()
        self._problem.raise_()
        self.setAccessibleDescription(text)
        self.editor.setFocus()

    def _focus_moved(self, _old: QWidget | None, now: QWidget | None) -> None:
        """Take the value when the person went on to something else in the window."""
        inside = now is not None and (now is self or self.isAncestorOf(now))
        if self._closing or now is None or inside or now.window() is not self.window():
            return
        if not self.isVisible():
            return
        self._closing = True
        self.take(Qt.Key.Key_unknown)

    def hideEvent(self, event: QHideEvent) -> None:
        """Take the value when the list itself goes out of sight."""
        super().hideEvent(event)
        if not self._closing and not event.spontaneous():
            self._closing = True
            self.take(Qt.Key.Key_unknown)

    def finish(self) -> None:
        """Go away."""
        self._closing = True
        self._problem.deleteLater()
        self.hide()
        self.deleteLater()
