"""The form as a plan: sections with rows of fields that are dragged, or moved by keyboard."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMimeData, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.customizing.arranging import DOWN, LEFT, RIGHT, UP, Place
from desktop_crm.services.customizing.layout import Layout, Part
from desktop_crm.views import theme
from desktop_crm.views.widgets.labels import Elide, label
from desktop_crm.views.widgets.layout import clear

MIME: Final = "application/x-desktop-crm-field"
_KEYS: Final = {
    Qt.Key.Key_Left: LEFT,
    Qt.Key.Key_Right: RIGHT,
    Qt.Key.Key_Up: UP,
    Qt.Key.Key_Down: DOWN,
}


class FieldTile(QFrame):
    """One field of the plan: Alt and an arrow move it, Delete hides it.

    Attributes:
        focused: The cursor came to it; carries its name.
        move_wanted: Name and direction.
        hide_wanted: Its name.
    """

    focused = Signal(str)
    move_wanted = Signal(str, str)
    hide_wanted = Signal(str)

    def __init__(self, field: BoundField) -> None:
        super().__init__()
        self.name = field.name
        self.setObjectName(f"tile.{field.name}")
        self.setProperty("tile", True)
        self.setAccessibleName(tr(field.label))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setMinimumHeight(theme.scaled(34))
        self.setMinimumWidth(60)
        self._pressed: QPoint | None = None
        text = tr(field.label) + (" *" if field.required else "")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.addWidget(Elide(text))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        key = Qt.Key(event.key())
        if alt and key in _KEYS:
            self.move_wanted.emit(self.name, _KEYS[key])
        elif key == Qt.Key.Key_Delete:
            self.hide_wanted.emit(self.name)
        elif key in {Qt.Key.Key_Up, Qt.Key.Key_Left}:
            self.focusPreviousChild()
        elif key in {Qt.Key.Key_Down, Qt.Key.Key_Right}:
            self.focusNextChild()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit(self.name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        start = self._pressed
        here = event.position().toPoint()
        far = QApplication.startDragDistance()
        if start is None or (here - start).manhattanLength() < far:
            return
        self._pressed = None
        drag_field(self, self.name, start)


def drag_field(source: QWidget, name: str, at: QPoint) -> None:
    """Begin to drag a field."""
    drag = QDrag(source)
    data = QMimeData()
    data.setData(MIME, name.encode())
    data.setText(name)
    drag.setMimeData(data)
    drag.setPixmap(source.grab())
    drag.setHotSpot(at)
    drag.exec(Qt.DropAction.MoveAction)


class _Section(QFrame):
    """One section of the plan."""

    def __init__(self, number: int, part: Part) -> None:
        super().__init__()
        self.number = number
        self.rows: list[list[FieldTile]] = []
        self.setObjectName(f"plan.section.{number}")
        self.setProperty("plan", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 12)
        layout.setSpacing(6)
        layout.addWidget(Elide(tr(part.label), "h3"))
        self._body = layout

    def add_row(self, tiles: list[FieldTile]) -> None:
        line = QHBoxLayout()
        line.setSpacing(6)
        for tile in tiles:
            line.addWidget(tile, 1)
        self.rows.append(tiles)
        self._body.addLayout(line)

    def say_empty(self) -> None:
        self._body.addWidget(label(tr("Drag fields here"), "dim"))


class FormCanvas(QScrollArea):
    """Plan of one tab of a form.

    Attributes:
        chosen: A field is current; carries its name.
        move_wanted: A field shall move a step; carries name and direction.
        hide_wanted: A field shall be hidden; carries its name.
        dropped: A field was dropped; carries name, place, and whether it takes a row of its own.
    """

    chosen = Signal(str)
    move_wanted = Signal(str, str)
    hide_wanted = Signal(str)
    dropped = Signal(str, object, bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("designer.plan")
        self.setAccessibleName(tr("Plan of the form"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plan = _Plan(self)
        self.setWidget(self._plan)

    def show_tab(self, layout: Layout, tab: int, fields: dict[str, BoundField]) -> None:
        """Show a tab of a form; the current field stays current."""
        self._plan.show_tab(layout, tab, fields)

    def focus_field(self, name: str) -> None:
        """Put the cursor on a field."""
        tile = self.findChild(FieldTile, f"tile.{name}")
        if tile is not None:
            tile.setFocus()
            self.ensureWidgetVisible(tile)


class _Plan(QWidget):
    """What scrolls: the sections, and the line that shows where a field would land."""

    def __init__(self, canvas: FormCanvas) -> None:
        super().__init__()
        self.setObjectName("scrollbody")
        self.setAcceptDrops(True)
        self._canvas = canvas
        self._tab = 0
        self._sections: list[_Section] = []
        self._mark = QRect()
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(2, 2, 8, 8)
        self._body.setSpacing(8)

    def show_tab(self, layout: Layout, tab: int, fields: dict[str, BoundField]) -> None:
        clear(self._body)
        self._tab = tab
        self._sections = []
        for number, part in enumerate(layout.tabs[tab].parts):
            section = _Section(number, part)
            for names in part.rows:
                section.add_row([self._tile(fields[name]) for name in names if name in fields])
            if not part.rows:
                section.say_empty()
            self._sections.append(section)
            self._body.addWidget(section)
        self._body.addStretch(1)

    def _tile(self, field: BoundField) -> FieldTile:
        tile = FieldTile(field)
        tile.focused.connect(self._canvas.chosen)
        tile.move_wanted.connect(self._canvas.move_wanted)
        tile.hide_wanted.connect(self._canvas.hide_wanted)
        return tile

    # --- dropping --------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        found = self._place(event.position().toPoint())
        self._mark = found[2] if found else QRect()
        self.update()
        if found:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark = QRect()
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        found = self._place(event.position().toPoint())
        self._mark = QRect()
        self.update()
        if found:
            name = bytes(event.mimeData().data(MIME).data()).decode()
            event.acceptProposedAction()
            self._canvas.dropped.emit(name, found[0], found[1])

    def _place(self, at: QPoint) -> tuple[Place, bool, QRect] | None:
        """Place below the mouse, whether it is a row of its own, and the line that shows it."""
        for section in self._sections:
            if not section.geometry().contains(at):
                continue
            inner = section.mapFrom(self, at)
            for number, tiles in enumerate(section.rows):
                found = self._in_row(section, number, tiles, inner)
                if found is not None:
                    return found
            last = len(section.rows)
            bottom = section.geometry().bottom() - 6
            line = QRect(section.x() + 12, bottom, section.width() - 24, 2)
            return Place(self._tab, section.number, last), True, line
        return None

    def _in_row(
        self, section: _Section, number: int, tiles: list[FieldTile], at: QPoint
    ) -> tuple[Place, bool, QRect] | None:
        if not tiles or at.y() > tiles[0].geometry().bottom():
            return None
        first = tiles[0].geometry()
        if at.y() < first.top() + first.height() // 4:
            y = section.y() + first.top() - 4
            line = QRect(section.x() + 12, y, section.width() - 24, 2)
            return Place(self._tab, section.number, number), True, line
        column = sum(at.x() > tile.geometry().center().x() for tile in tiles)
        edge = (
            tiles[column].geometry().left() - 4
            if column < len(tiles)
            else (tiles[-1].geometry().right() + 3)
        )
        line = QRect(section.x() + edge, section.y() + first.top(), 2, first.height())
        return Place(self._tab, section.number, number, column), False, line

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._mark.isNull():
            painter = QPainter(self)
            painter.setPen(QPen(theme.color("line"), 2))
            painter.setBrush(theme.color("line"))
            painter.drawRect(self._mark)
