"""Asks how a calendar shall be printed, and shows its pages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from desktop_crm.core.i18n import tr
from desktop_crm.views.calendar.spans import NAMES, Span
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.printing import diary
from desktop_crm.views.printing.pages_dialog import PagesDialog, radio
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.printing.diary import Wanted
    from desktop_crm.views.workbench import Workbench


class CalendarPrintDialog(PagesDialog):
    """A day, a week, a month or an agenda around the day one is at; the pages are shown first."""

    def __init__(self, bench: Workbench, wanted: Wanted) -> None:
        super().__init__(bench, "calendarPrint", tr("Print the calendar"), wanted.whose)
        self._wanted = wanted
        self._choices = {
            span: radio(f"print.{span}", tr(name))
            for span, name, _command in NAMES
            if span is not Span.YEAR and (span is not Span.TEAM or wanted.span is Span.TEAM)
        }
        # A year is not printed: its month is.
        chosen = self._choices[Span.MONTH if wanted.span is Span.YEAR else wanted.span]
        chosen.setChecked(True)
        self.body.addWidget(Labelled(tr("What"), column(*self._choices.values(), spacing=2)))
        chosen.setFocus()

    def work(self) -> Callable[..., tuple[str, bytes]]:
        span = next(span for span, button in self._choices.items() if button.isChecked())
        lanes = self._wanted.lanes if span is Span.TEAM else ()
        return partial(_made, self._bench.actor, replace(self._wanted, span=span, lanes=lanes))

    def take(self, made: tuple[str, bytes]) -> None:
        self.show_pages(*made)
        self.accept()


def _made(actor: Actor, wanted: Wanted, cancel: Cancel | None = None) -> tuple[str, bytes]:
    from desktop_crm.printing import calendar_pdf

    document = diary.printed(actor, wanted, cancel)
    return document.title, calendar_pdf.render(document)
