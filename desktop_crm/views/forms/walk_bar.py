"""Previous and next through the list a record was opened from, with the place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import shiboken6
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.views.workbench import Neighbours

_KEYS: Final = (("Ctrl+PgUp", -1), ("Ctrl+PgDown", 1))


class WalkBar(QWidget):
    """Two buttons and “12 of 1,240”; hidden while the record came from no list.

    A record that left the list meanwhile keeps its place: next is the one that moved up to it.

    Attributes:
        wanted: The person wants to see another record; carries its key.
    """

    wanted = Signal(object)

    def __init__(self, window: QWidget, among: Neighbours | None, formats: Formats) -> None:
        super().__init__()
        self._among = among
        self._formats = formats
        self._row = -1
        self._gone = False
        self._text = label("", "dim", name="walk.place")
        self._previous = tool_button(
            "walk.previous",
            tr("Previous record"),
            "chevron_up",
            lambda: self.step(-1),
            tip=tr("Previous record of the list ({keys})", keys=_native("Ctrl+PgUp")),
        )
        self._next = tool_button(
            "walk.next",
            tr("Next record"),
            "chevron_down",
            lambda: self.step(1),
            tip=tr("Next record of the list ({keys})", keys=_native("Ctrl+PgDown")),
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget in (self._text, self._previous, self._next):
            layout.addWidget(widget)
        for keys, by in _KEYS:
            shortcut = QShortcut(QKeySequence(keys), window)
            shortcut.activated.connect(self._step_down if by > 0 else self._step_up)
        if among is not None:
            among.counted.connect(self._counted)
        self.hide()

    def show_record(self, record_id: int | None) -> None:
        """Say which record is in hand; None for a new one."""
        among = self._list()
        row = among.row_of(record_id) if among is not None and record_id is not None else -1
        self._gone = row < 0 and self._row >= 0
        self._row = row if row >= 0 else self._row
        self._update()

    @Slot()
    def _step_up(self) -> None:
        self.step(-1)

    @Slot()
    def _step_down(self) -> None:
        self.step(1)

    def step(self, by: int) -> None:
        """Ask for the record before (-1) or after (1) the one in hand."""
        found = self._neighbour(by)
        if found is not None:
            self.wanted.emit(found)

    def _list(self) -> Neighbours | None:
        """The list, while it is there."""
        among = self._among
        if isinstance(among, QObject) and not shiboken6.isValid(among):
            self._among = among = None
        return among

    def _neighbour(self, by: int) -> int | None:
        among = self._list()
        if among is None or self._row < 0:
            return None
        row = self._row + by if not (self._gone and by > 0) else self._row
        # Rows without a record are titles of groups.
        while 0 <= row < among.rowCount():
            if (found := among.id_at(row)) is not None:
                return found
            row += by
        return None

    @Slot()
    def _counted(self) -> None:
        self._update()

    def _update(self) -> None:
        among = self._list()
        self.setVisible(among is not None and self._row >= 0)
        if among is None or self._row < 0:
            return
        count = self._formats.number(among.rowCount(), 0)
        place = self._formats.number(self._row + 1, 0)
        total = count if among.is_exact else f"{count}+"
        self._text.setText(tr("{place} of {total}", place=place, total=total))
        self._previous.setEnabled(self._neighbour(-1) is not None)
        self._next.setEnabled(self._neighbour(1) is not None)


def _native(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
