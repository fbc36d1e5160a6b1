"""Records side by side: one column each, one row a field, differences marked, a choice in each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.widgets.labels import Elide, label
from desktop_crm.views.widgets.layout import clear

if TYPE_CHECKING:
    from desktop_crm.services.duplicates.comparison import Comparison, Line

_LABEL = 150
_LEAST = 150
_ROW = 26
_MARK = 44
_HEIGHT = 230
_STEPS = {
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Left: (0, -1),
}
"""Rows and columns that a key goes."""


class SideBySide(QScrollArea):
    """The grid; Left and Right choose within a row, Up and Down and Tab go from row to row.

    Attributes:
        chosen: Another value or another master was chosen.
        master: Key of the record that stays.
        picks: Field to the key of the record whose value was chosen by the person.
    """

    chosen = Signal()

    def __init__(self, name: str, *, choosing: bool = True) -> None:
        """Build an empty grid; without ``choosing`` it only shows."""
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Records side by side"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._choosing = choosing
        self._body = QWidget()
        self._body.setObjectName("scrollbody")
        self._holder = QVBoxLayout(self._body)
        self._holder.setContentsMargins(0, 0, 10, 0)
        self.setWidget(self._body)
        self._groups: dict[str, QButtonGroup] = {}
        self._rows: list[str] = []
        self._texts: dict[QRadioButton, str] = {}
        self._comparison: Comparison | None = None
        self.master = 0
        self.picks: dict[str, int] = {}
        self._only_differences = True

    def show_comparison(self, comparison: Comparison, master: int) -> None:
        """Show records; choices made before are forgotten."""
        self._comparison = comparison
        self.master = master
        self.picks = {}
        self._build()

    def show_again(self, comparison: Comparison) -> None:
        """Show the same records as they are now, with the choices made before."""
        self._comparison = comparison
        self._build()

    def show_all_fields(self, every: bool) -> None:
        """Show fields in which all records say the same as well."""
        self._only_differences = not every
        self._build()

    def clear(self) -> None:
        """Show nothing."""
        self._comparison = None
        self._texts = {}
        clear(self._holder)

    def focus_first(self) -> None:
        """Put the cursor into the choice of the master."""
        group = self._groups.get("")
        if group is not None and (button := group.checkedButton()) is not None:
            button.setFocus()

    # --- building --------------------------------------------------------------------------

    def _build(self) -> None:
        clear(self._holder)
        for group in self._groups.values():
            group.deleteLater()
        self._groups = {}
        self._rows = []
        self._texts = {}
        found = self._comparison
        if found is None:
            return
        sheet = QWidget()
        grid = QGridLayout(sheet)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnMinimumWidth(0, theme.scaled(_LABEL))
        for place in range(len(found.ids)):
            grid.setColumnStretch(place + 1, 1)
            grid.setColumnMinimumWidth(place + 1, theme.scaled(_LEAST))
        self._head(grid, found)
        shown = [line for line in found.lines if line.differs or not self._only_differences]
        for number, line in enumerate(shown, 1):
            self._row(grid, number, line, found)
        grid.setRowStretch(len(shown) + 1, 1)
        self._holder.addWidget(sheet)
        self._holder.addStretch(1)
        self._fit_texts()

    def _head(self, grid: QGridLayout, found: Comparison) -> None:
        grid.addWidget(label(tr("Keep") if self._choosing else "", "h3"), 0, 0)
        group = QButtonGroup(self)
        for place, record in enumerate(found.records):
            title = record.title or f"{record.id}"
            if not self._choosing:
                grid.addWidget(Elide(title, "strong"), 0, place + 1)
                continue
            button = self._radio(f"{self.objectName()}.master.{record.id}", title)
            button.setAccessibleName(tr("Keep {title}, record {id}", title=title, id=record.id))
            group.addButton(button, found.ids[place])
            button.setChecked(record.id == self.master)
            grid.addWidget(button, 0, place + 1)
        group.idToggled.connect(self._master_chosen)
        self._groups[""] = group
        self._rows.append("")

    def _row(self, grid: QGridLayout, number: int, line: Line, found: Comparison) -> None:
        caption = label(tr(line.label), "h3" if line.differs else "dim", wrap=True)
        grid.addWidget(caption, number, 0)
        grid.setRowMinimumHeight(number, theme.scaled(_ROW))
        if not line.chosen or not self._choosing:
            for place, text in enumerate(line.texts):
                grid.addWidget(self._text(line, text), number, place + 1)
            return
        group = QButtonGroup(self)
        taken = self.picks.get(line.field, found.default_of(line, self.master))
        for place, text in enumerate(line.texts):
            key = found.ids[place]
            button = self._radio(f"{self.objectName()}.{line.field}.{key}", text or "–")
            button.setAccessibleName(f"{tr(line.label)}: {text or tr('empty')}")
            group.addButton(button, key)
            button.setChecked(key == taken)
            grid.addWidget(button, number, place + 1)
        group.idToggled.connect(partial(self._picked, line.field))
        self._groups[line.field] = group
        self._rows.append(line.field)

    def _text(self, line: Line, text: str) -> QWidget:
        made = Elide(text or "–", "body" if line.differs else "dim")
        made.setToolTip(text)
        return made

    def _radio(self, name: str, text: str) -> QRadioButton:
        button = QRadioButton()
        button.setObjectName(name)
        button.setToolTip(text)
        button.setMinimumWidth(theme.scaled(_LEAST))
        button.installEventFilter(self)
        self._texts[button] = " ".join(text.split())
        return button

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(600), theme.scaled(_HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_texts()

    def _fit_texts(self) -> None:
        """Cut texts at the width of a column, with dots; the tool tip has them whole."""
        if self._comparison is None:
            return
        columns = len(self._comparison.ids)
        room = (self.viewport().width() - theme.scaled(_LABEL + 14)) // columns
        room = max(room, theme.scaled(_LEAST)) - theme.scaled(_MARK)
        for button, text in self._texts.items():
            shown = button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
            button.setText(shown.replace("&", "&&"))

    # --- choosing --------------------------------------------------------------------------

    def _master_chosen(self, key: int, checked: bool) -> None:
        if checked:
            self.master = key
            self._show_defaults()
            self.chosen.emit()

    def _show_defaults(self) -> None:
        """Show which values stay now that another record is kept."""
        found = self._comparison
        if found is None:
            return
        for line in found.lines:
            group = self._groups.get(line.field)
            if group is not None and line.field not in self.picks:
                button = group.button(found.default_of(line, self.master))
                group.blockSignals(True)
                button.setChecked(True)
                group.blockSignals(False)

    def _picked(self, field: str, key: int, checked: bool) -> None:
        if checked:
            self.picks[field] = key
            self.chosen.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = Qt.Key(event.key())
            if isinstance(watched, QRadioButton) and key in _STEPS:
                down, right = _STEPS[key]
                self._go(watched, down) if down else self._choose(watched, right)
                return True
        if event.type() == QEvent.Type.FocusIn and isinstance(watched, QWidget):
            self.ensureWidgetVisible(watched)
        return super().eventFilter(watched, event)

    def _choose(self, button: QRadioButton, step: int) -> None:
        beside = button.group().buttons()
        there = beside.index(button) + step
        if 0 <= there < len(beside):
            beside[there].setFocus(Qt.FocusReason.TabFocusReason)
            beside[there].setChecked(True)

    def _go(self, button: QRadioButton, step: int) -> None:
        group = button.group()
        here = next((n for n, f in enumerate(self._rows) if self._groups[f] is group), 0)
        there = here + step
        if 0 <= there < len(self._rows):
            wanted = self._groups[self._rows[there]].checkedButton()
            if wanted is not None:
                wanted.setFocus(Qt.FocusReason.TabFocusReason)
