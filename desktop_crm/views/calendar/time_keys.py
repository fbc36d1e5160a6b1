"""The keyboard of the page of hours; every gesture of the mouse has its keys.

Arrows move the cursor, with Shift they stretch it; Tab goes from event to event; Enter opens the
selected event or creates one at the cursor; Alt with arrows moves the selected event by a quarter
of an hour or a day, Alt+Shift with up and down moves its end; Delete deletes; Escape lets go, and
Tab after Escape leaves the page without going through its events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.views.calendar import gesture
from desktop_crm.views.calendar.gesture import Slots

if TYPE_CHECKING:
    from desktop_crm.views.calendar.time_grid import TimeGrid

ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_PAGES: dict[int, int] = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_DELETE = frozenset({Qt.Key.Key_Delete, Qt.Key.Key_Backspace})


class TimeKeys:
    """Keyboard of a page of hours, kept apart from its painting and its mouse."""

    def __init__(self, grid: TimeGrid) -> None:
        self._grid = grid
        self._leaving = False

    def handle_key(self, event: QKeyEvent) -> bool:
        """Do what a key asks for; whether it was one of ours."""
        key = event.key()
        self._leaving = key == Qt.Key.Key_Escape
        if key in ARROWS:
            self._arrow(ARROWS[key], event.modifiers())
        elif key in _PAGES:
            self._grid.page_requested.emit(_PAGES[key])
        elif key in _ENTER:
            self._enter()
        elif key in _DELETE and self._grid.chosen is not None:
            self._grid.delete_requested.emit(self._grid.chosen)
        elif key == Qt.Key.Key_Escape:
            return self._escape()
        else:
            return False
        return True

    def _arrow(self, step: tuple[int, int], modifiers: Qt.KeyboardModifier) -> None:
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if modifiers & Qt.KeyboardModifier.AltModifier:
            if self._grid.chosen is not None:
                self._change(self._grid.chosen, step, resize=shift)
        elif shift and step[1]:
            self._grid.set_slots(self._grid.slots.stretch(step[1]))
        else:
            self._step(step)

    def _step(self, step: tuple[int, int]) -> None:
        leaving = self._grid.slots.day + step[0]
        if self._grid.chosen is not None:
            self._grid.choose(None)
        if 0 <= leaving < len(self._grid.days):
            self._grid.set_slots(self._grid.slots.step(*step, columns=len(self._grid.days)))
            return
        edge = 0 if step[0] > 0 else len(self._grid.days) - 1
        self._grid.slots = Slots(edge, self._grid.slots.anchor, self._grid.slots.head)
        self._grid.page_requested.emit(step[0])

    def _change(self, event: AgendaEvent, step: tuple[int, int], *, resize: bool) -> None:
        if not event.movable:
            self._grid.move_refused.emit(event)
            return
        start, end = gesture.nudged(event, self._grid.formats.zone, step, resize=resize)
        if (start, end) != (event.start, event.end):
            self._grid.change_requested.emit(event, start, end, event.all_day)

    def _enter(self) -> None:
        if self._grid.chosen is not None:
            self._grid.open_requested.emit(self._grid.chosen)
        else:
            self._grid.create_here()

    def _escape(self) -> bool:
        if self._grid.cancel_drag():
            return True
        if self._grid.chosen is None:
            return False
        self._grid.choose(None)
        return True

    def enter(self) -> None:
        """The page got the focus: Tab goes from event to event again."""
        self._leaving = False

    def choose_next(self, forward: bool) -> bool:
        """Select the next event of the page; False at its end, so that the focus moves on."""
        shown = self._grid.events
        if not shown or self._leaving:
            return False
        keys = [event.key for event in shown]
        if self._grid.chosen is None or self._grid.chosen.key not in keys:
            self._grid.choose(shown[0 if forward else -1])
            return True
        index = keys.index(self._grid.chosen.key) + (1 if forward else -1)
        if 0 <= index < len(shown):
            self._grid.choose(shown[index])
            return True
        self._grid.choose(None)
        return False
