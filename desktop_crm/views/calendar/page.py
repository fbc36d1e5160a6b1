"""What every calendar page can be asked and what it asks of its owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop_crm.core.formats import Formats
from desktop_crm.services.calendar.agenda_event import AgendaEvent


class CalendarPage(QWidget):
    """A page of days. It never changes an event: it asks, and shows what it is given.

    Attributes:
        create_requested: start and end (aware), and whether they are whole days.
        open_requested: the event.
        change_requested: the event, its new start and end (aware), and whether they are
            whole days.
        delete_requested: the event.
        move_refused: an event that was dragged but may not be moved.
        page_requested: how many pages forward (negative: back).
        selected: the selected event, or None.
        day_requested: a day to show alone.
        list_requested: a day whose events shall be listed one by one.
    """

    create_requested = Signal(object, object, bool)
    open_requested = Signal(object)
    change_requested = Signal(object, object, object, bool)
    delete_requested = Signal(object)
    move_refused = Signal(object)
    page_requested = Signal(int)
    selected = Signal(object)
    day_requested = Signal(object)
    list_requested = Signal(object)

    def show_days(self, days: Sequence[date], formats: Formats, now: datetime) -> None:
        """Show these days; the events follow by :meth:`show_events`."""
        raise NotImplementedError

    def show_events(self, events: Sequence[AgendaEvent]) -> None:
        """Show these events; the selection is kept when its event is among them."""
        raise NotImplementedError

    def selected_event(self) -> AgendaEvent | None:
        """The event that is selected."""
        raise NotImplementedError

    def go_to(self, day: date) -> None:
        """Put the cursor on a day of the page."""
        raise NotImplementedError
