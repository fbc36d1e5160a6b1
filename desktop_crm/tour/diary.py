"""Pictures of the calendar: the team above one another, and what opens over its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.services.calendar.agenda_event import AgendaEvent
    from desktop_crm.views.panes.calendar import CalendarPane
    from desktop_crm.views.workbench import Workbench

Step = tuple[str, str, Callable[[], object]]
Maker = tuple[str, str, Callable[[], "QWidget"]]


def in_window(pane: Callable[[], CalendarPane], settle: Callable[[], None]) -> Iterator[Step]:
    """What changes the window itself.

    Args:
        pane: The calendar.
        settle: Waits until its events are there.
    """
    yield "calendar-team-above", "colleagues above one another", lambda: _beside(pane(), on=False)
    yield "calendar-selected", "an event selected", lambda: _selected(pane(), settle)


def _beside(pane: CalendarPane, *, on: bool) -> None:
    from desktop_crm.views.calendar.spans import Span

    pane.show_span(Span.TEAM)
    pane.side.show_beside(on=on)


def _selected(pane: CalendarPane, settle: Callable[[], None]) -> None:
    from desktop_crm.views.calendar.spans import Span

    pane.side.show_beside(on=True)
    pane.show_span(Span.WEEK)
    settle()
    pane.time_view.grid.choose(_meeting(pane))


def _meeting(pane: CalendarPane) -> AgendaEvent | None:
    events = pane.time_view.grid.events
    return next((one for one in events if one.regarding and not one.series), None)


def dialogs(bench: Workbench, pane: Callable[[], CalendarPane]) -> Iterator[Maker]:
    """What opens above the window."""
    from desktop_crm.views.calendar.ended_bar import NotesDialog
    from desktop_crm.views.calendar.spans import Span
    from desktop_crm.views.dialogs.find_time import FindTimeDialog
    from desktop_crm.views.dialogs.recurrence_dialog import RecurrenceDialog
    from desktop_crm.views.errors import MessageDialog
    from desktop_crm.views.panes.calendar_edits import reach_answers
    from desktop_crm.views.printing.calendar_dialog import CalendarPrintDialog
    from desktop_crm.views.reminder_window import ReminderWindow

    window = bench.shell.window_widget()

    def shown(make: Callable[[], QWidget]) -> QWidget:
        dialog = make()
        dialog.show()
        return dialog

    def print_dialog() -> QWidget:
        return CalendarPrintDialog(bench, pane().wanted())

    def recurrence() -> QWidget:
        from desktop_crm.services.calendar import series_facts

        series = next(one for one in _events(bench) if one.series and not one.changed)
        facts = series_facts.read(bench.actor, series.id, series.original)
        return RecurrenceDialog(window, bench, facts)

    def question() -> QWidget:
        title = tr("Move this event?")
        text = tr(
            "“{title}” repeats. What shall be moved to {when}?", title="Stand-up", when="9:45"
        )
        return MessageDialog(window, title, text, reach_answers("primary"))

    def notes() -> QWidget:
        return NotesDialog(window, bench, next(one for one in _events(bench) if one.regarding))

    def reminders() -> QWidget:
        from desktop_crm.services.calendar.reminders import Reminder

        made = ReminderWindow(window, bench)
        found = [
            Reminder(one.id, one.title, one.start, one.kind, one.place)
            for one in _events(bench)
            if one.start.date() == clock.now().date()
        ]
        made.show_reminders(tuple(found))
        return made

    yield "calendar-print", "a week about to be printed", partial(shown, print_dialog)
    for span in (Span.WEEK, Span.MONTH, Span.AGENDA):
        yield f"calendar-pages-{span}", "its pages", partial(_pages, bench, pane, span)
    yield "find-time", "times that suit", partial(shown, lambda: FindTimeDialog(window, bench))
    yield "recurrence", "how often a meeting repeats", partial(shown, recurrence)
    yield "calendar-question", "how much of a series is meant", partial(shown, question)
    yield "meeting-notes", "notes of a meeting", partial(shown, notes)
    yield "reminders", "what is due", partial(shown, reminders)


def _events(bench: Workbench) -> tuple[AgendaEvent, ...]:
    """The viewer's week."""
    from datetime import timedelta

    from desktop_crm.services.calendar import agenda

    now = clock.now()
    return agenda.events(bench.actor, now - timedelta(days=3), now + timedelta(days=5))


def _pages(bench: Workbench, pane: Callable[[], CalendarPane], span: str) -> QWidget:
    from dataclasses import replace

    from desktop_crm.printing import calendar_pdf
    from desktop_crm.views.calendar.spans import Span
    from desktop_crm.views.custom.pdf_preview import PdfPreview
    from desktop_crm.views.printing import diary

    wanted = replace(pane().wanted(), span=Span(span), lanes=())
    document = diary.printed(bench.actor, wanted)
    content = calendar_pdf.render(document)
    window = bench.shell.window_widget()
    preview = PdfPreview(window, bench, document.title, "calendar.pdf", content)
    preview.show()
    return preview
