"""Printing the calendar from its pane: every span, whose events, and what stays private."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPageLayout
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QRadioButton, QToolButton

from desktop_crm.core import i18n
from desktop_crm.printing import calendar_pdf
from desktop_crm.views.calendar.spans import Span
from desktop_crm.views.custom.pdf_preview import PdfPreview
from desktop_crm.views.panes.calendar import CalendarPane
from desktop_crm.views.printing import diary
from desktop_crm.views.printing.calendar_dialog import CalendarPrintDialog
from tests.support.company import ZONE, Company, at
from tests.support.windows import child, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench


@pytest.fixture
def pane(bench: Workbench, qtbot: QtBot) -> CalendarPane:
    made = CalendarPane(bench)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.activate()
    settle(qtbot, bench)
    return made


def printed(pane: CalendarPane, qtbot: QtBot, span: Span | None = None) -> str:
    """Print by keyboard; the text of the pages, one after the other."""
    next(one for one in pane.commands() if one.id == "calendar.print").run()
    window = pane.bench.shell.window_widget()
    dialog = child(window, CalendarPrintDialog)
    if span is not None:
        choice = child(dialog, QRadioButton, f"print.{span}")
        choice.setFocus()
        QTest.keyClick(choice, Qt.Key.Key_Space)
    QTest.keyClick(child(dialog, QAbstractButton, "print.show"), Qt.Key.Key_Space)
    settle(qtbot, pane.bench)
    text = read(child(window, PdfPreview)._content)
    for shown in window.findChildren(PdfPreview):
        shown.close()
        shown.setParent(None)
    return text


def read(content: bytes) -> str:
    with pypdfium2.PdfDocument(BytesIO(content)) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


@pytest.mark.parametrize(
    ("span", "title"),
    [
        (Span.DAY, "Wednesday, 25 Nov 2026"),
        (Span.WORK_WEEK, "23 – 27 Nov 2026"),
        (Span.WEEK, "23 – 29 Nov 2026"),
        (Span.MONTH, "November 2026"),
        (Span.AGENDA, "25 Nov – 22 Dec 2026"),
    ],
)
def test_every_span_is_printed(pane: CalendarPane, qtbot: QtBot, span: Span, title: str) -> None:
    text = printed(pane, qtbot, span)
    assert title in text
    assert "My calendar" in text
    assert "Product" in text
    assert "Page 1 of 1" in text
    assert ("Trade fair" in text) is (span is not Span.DAY)


def test_what_colleagues_keep_private_is_busy_on_paper(pane: CalendarPane, qtbot: QtBot) -> None:
    QTest.mouseClick(child(pane, QToolButton, "calendarEverybody"), Qt.MouseButton.LeftButton)
    settle(qtbot, pane.bench)
    for span in (Span.WEEK, Span.MONTH, Span.AGENDA):
        pane.show_day(date(2026, 11, 24))
        settle(qtbot, pane.bench)
        text = printed(pane, qtbot, span)
        assert "Busy" in text
        assert "Dentist" not in text


def test_a_team_is_printed_person_by_person(pane: CalendarPane, qtbot: QtBot) -> None:
    pane.show_day(date(2026, 11, 24))
    pane.show_span(Span.TEAM)
    settle(qtbot, pane.bench)
    text = printed(pane, qtbot)
    assert "Mara Ionescu" in text
    assert "Dan Pop" in text
    assert "Busy" in text
    assert "Dentist" not in text


def test_pages_are_shown_and_printed_as_they_lie(pane: CalendarPane, qtbot: QtBot) -> None:
    made = diary.printed(pane.bench.actor, pane.wanted())
    preview = PdfPreview(None, pane.bench, "week", "week.pdf", calendar_pdf.render(made))
    qtbot.addWidget(preview)
    preview.show()
    settle(qtbot, pane.bench)
    page = child(preview, QLabel, "pdf.preview.page.1")
    assert page.width() > page.height()
    assert page.width() > preview.width() - 80
    preview.print_on_paper()
    printer = child(preview, QPrintDialog).printer()
    assert printer.pageLayout().orientation() is QPageLayout.Orientation.Landscape


def test_of_a_year_the_month_is_printed(pane: CalendarPane, qtbot: QtBot) -> None:
    pane.show_span(Span.YEAR)
    settle(qtbot, pane.bench)
    assert "November 2026" in printed(pane, qtbot)


def document(company: Company, span: Span, day: date) -> calendar_pdf.CalendarDocument:
    read_all = diary.reader(company.actor, {}, shown=lambda event: event)
    return diary.printed(company.actor, diary.Wanted(span, day, "Mara", read_all))


def test_an_agenda_shortens_nothing_and_goes_over_pages(company: Company) -> None:
    titles = [f"{n:02d} " + "întâlnire despre ștanțe și țevi " * 4 for n in range(60)]
    for number, title in enumerate(titles):
        start = at(25, 8) + timedelta(minutes=10 * number)
        company.add(
            "activity", title,
            {"subject": title.strip(), "kind": "appointment", "start_at": start,
             "end_at": start + timedelta(hours=1), "owner": company.actor.user_id},
        )  # fmt: skip
    text = read(calendar_pdf.render(document(company, Span.AGENDA, date(2026, 11, 25))))
    words = " ".join(text.split())
    assert all(title.strip() in words for title in titles)
    assert "Page 2 of" in words


def test_a_day_too_full_for_a_month_says_how_many_more(company: Company) -> None:
    for number in range(30):
        company.add(
            "activity", f"n{number}",
            {"subject": f"Overlapping {number}", "kind": "appointment", "start_at": at(25, 10),
             "end_at": at(25, 11), "owner": company.actor.user_id},
        )  # fmt: skip
    made = document(company, Span.MONTH, date(2026, 11, 25))
    text = read(calendar_pdf.render(made))
    shown = 1 + text.count("Overlapping") + text.count("11:00 Product")  # and the stand-up
    assert shown > 1
    assert re.findall(r"\+(\d+)", text) == [str(32 - shown)]
    day = document(company, Span.DAY, date(2026, 11, 25))
    assert isinstance(day.sheet, calendar_pdf.HourSheet)
    assert len(day.sheet.blocks) == 32
    assert calendar_pdf.render(day).startswith(b"%PDF")


def test_hours_of_a_meeting_over_days(company: Company) -> None:
    company.add(
        "activity", "audit",
        {"subject": "Audit", "kind": "appointment", "start_at": at(24, 22),
         "end_at": at(26, 2), "owner": company.actor.user_id},
    )  # fmt: skip
    made = document(company, Span.AGENDA, date(2026, 11, 24))
    assert isinstance(made.sheet, calendar_pdf.AgendaSheet)
    hours = [
        one.hours for _day, events in made.sheet.days for one in events if one.title == "Audit"
    ]
    assert hours == ["from 22:00", "All day", "until 02:00"]


def test_it_is_printed_in_the_language_of_the_person(pane: CalendarPane, company: Company) -> None:
    i18n.use_language("ro")
    actor = company.actor.speaking("ro")
    read_all = diary.reader(actor, {}, shown=lambda event: event)
    made = diary.printed(actor, diary.Wanted(Span.WEEK, date(2026, 11, 25), "Mara", read_all))
    text = read(calendar_pdf.render(made))
    assert "Miercuri" in text
    assert "Pagina 1 din 1" in text
    assert ZONE.key in text
