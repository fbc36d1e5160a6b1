"""A calendar on paper: hours of days side by side, a month, or an agenda day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from desktop_crm.printing import fonts
from desktop_crm.printing.flowables import Page, shortened, wrap
from desktop_crm.printing.fonts import REGULAR, SEMIBOLD
from desktop_crm.printing.sheet import Foot, Sides, written
from desktop_crm.printing.styles import ACCENT, HAIRLINE, PANEL, SOFT, Colour, Style

_LEFT: Final = 36.0
_BOTTOM: Final = 46.0
_TITLE: Final = Style(SEMIBOLD, 15, 19)
_SUBTITLE: Final = Style(REGULAR, 8.5, 12, SOFT)
_CAPTION: Final = Style(SEMIBOLD, 9, 12)
_HOUR: Final = Style(REGULAR, 7, 9, SOFT)
_NAME: Final = Style(SEMIBOLD, 7.5, 9.5)
_SMALL: Final = Style(REGULAR, 6.5, 8.5, SOFT)
_TINY: Final = Style(SEMIBOLD, 5.5, 6.5)
_DAY: Final = Style(SEMIBOLD, 8, 10)
_OUTSIDE: Final = Style(REGULAR, 8, 10, SOFT)
_HEADING: Final = Style(SEMIBOLD, 10.5, 14)
_SUBJECT: Final = Style(SEMIBOLD, 9, 12)
_TEXT: Final = Style(REGULAR, 8.5, 11.5, SOFT)
_CAPTION_ROW: Final = 20.0
_BAR: Final = 12.0
_LINE: Final = 10.5
_MOST_BARS: Final = 10
"""Rows of bars above the hours; what does not fit is counted, and the agenda names all."""
_GUTTER: Final = 34.0
_WEEK: Final = 20.0
_TINT: Final = 0.14
_EDGE: Final = 2.2
_HOURS: Final = 92.0


@dataclass(frozen=True, slots=True)
class PrintedEvent:
    """One event, in the words that may be shown of it.

    Attributes:
        title: Subject, or the word for what is private.
        hours: When, as text; empty where its place on the page says it.
        details: Whose it is, where and what it is about.
        tone: Colour of its edge.
    """

    title: str
    hours: str
    details: str
    tone: Colour


@dataclass(frozen=True, slots=True)
class PrintedBlock:
    """An event between the hours of a column: minutes from midnight, and its share of the width."""

    event: PrintedEvent
    day: int
    top: int
    bottom: int
    lane: int
    lanes: int


@dataclass(frozen=True, slots=True)
class PrintedBar:
    """An event over whole columns, first to last, in a row."""

    event: PrintedEvent
    first: int
    last: int
    row: int


@dataclass(frozen=True, slots=True)
class HourSheet:
    """Days or people side by side.

    Attributes:
        captions: Above each column.
        bars: Above the hours.
        blocks: Between them.
        hours: First hour and the one after the last.
    """

    captions: tuple[str, ...]
    bars: tuple[PrintedBar, ...]
    blocks: tuple[PrintedBlock, ...]
    hours: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PrintedWeek:
    """One week of a month: its number, its days (a number and whether of this month), its bars."""

    number: str
    days: tuple[tuple[str, bool], ...]
    bars: tuple[PrintedBar, ...]


@dataclass(frozen=True, slots=True)
class MonthSheet:
    """A month; where a day has more events than its cell holds, their number is said."""

    captions: tuple[str, ...]
    weeks: tuple[PrintedWeek, ...]


@dataclass(frozen=True, slots=True)
class AgendaSheet:
    """Events under their days, on as many pages as they need; nothing is shortened."""

    days: tuple[tuple[str, tuple[PrintedEvent, ...]], ...]
    nothing: str


@dataclass(frozen=True, slots=True)
class CalendarDocument:
    """A calendar as it stood when it was printed; all texts are shown forms.

    Attributes:
        title: The days.
        subtitle: Whose, and how many events.
        sheet: How they lie.
        printed_on: Day on the paper.
        printed_by: Who printed it.
        company: Own company, in the foot.
        language: Of the words around it.
    """

    title: str
    subtitle: str
    sheet: HourSheet | MonthSheet | AgendaSheet
    printed_on: date
    printed_by: str
    company: str
    language: str


def render(document: CalendarDocument) -> bytes:
    """The calendar on A4: one page, lying where there are several columns; an agenda on several.

    Safe to call from several threads; they take turns.
    """
    sheet = document.sheet
    upright = isinstance(sheet, AgendaSheet) or (
        isinstance(sheet, HourSheet) and len(sheet.captions) == 1
    )
    with fonts.LOCK:
        sides = Sides.a4(lying=not upright)
        if isinstance(sheet, HourSheet):
            pages = [_Hours(document, sheet, sides).page()]
        elif isinstance(sheet, MonthSheet):
            pages = [_Month(document, sheet, sides).page()]
        else:
            pages = list(_Agenda(document, sheet, sides).pages())
        who = (document.company, document.printed_by)
        foot = Foot(who, document.printed_on, document.language)
        for number, page in enumerate(pages, 1):
            foot.put(page, sides, number, len(pages))
        return written(pages, sides, document.title, document.language, document.printed_on)


def tinted(tone: Colour) -> Colour:
    """A tone laid thinly over white paper."""
    red, green, blue = (1 - _TINT + part * _TINT for part in tone)
    return red, green, blue


def _columns(left: float, right: float, count: int) -> list[tuple[float, float]]:
    width = (right - left) / count
    return [(left + width * n, left + width * (n + 1)) for n in range(count)]


class _Sheet:
    """What the sheets share: the head, and the boxes of events."""

    def __init__(self, document: CalendarDocument, sides: Sides) -> None:
        self._document = document
        self._right = sides.width - _LEFT
        self._height = sides.height
        self._page = Page()
        self._top = 0.0

    def _begin(self, *, first: bool) -> None:
        self._page = Page()
        self._top = self._height - 40
        if first:
            self._page.text(_LEFT, self._top - 6, self._document.title, _TITLE)
            self._top -= 22
            room = self._right - _LEFT
            subtitle = shortened(self._document.subtitle, _SUBTITLE, room)
            self._page.text(_LEFT, self._top - 4, subtitle, _SUBTITLE)
            self._top -= 18

    def _captions(self, edges: list[tuple[float, float]], captions: tuple[str, ...]) -> None:
        self._page.box(
            _LEFT, self._top - _CAPTION_ROW, self._right - _LEFT, _CAPTION_ROW - 2, PANEL
        )
        for (left, right), caption in zip(edges, captions, strict=True):
            text = shortened(caption, _CAPTION, right - left - 8)
            self._page.text(left + 4, self._top - 13, text, _CAPTION)
        self._top -= _CAPTION_ROW

    def _shape(self, x: float, top: float, width: float, height: float, tone: Colour) -> None:
        self._page.box(x, top - height, width, height, tinted(tone), radius=1.5)
        self._page.box(x, top - height, _EDGE, height, tone, radius=0)

    def _bar(self, x: float, top: float, width: float, bar: PrintedBar) -> None:
        self._shape(x, top, width, _BAR - 1.5, bar.event.tone)
        words = " ".join(text for text in (bar.event.hours, bar.event.title) if text)
        text = shortened(words, _NAME, width - 8)
        self._page.text(x + 5, top - 8, text, _NAME)

    def _upright(self, x: float, top: float, bottom: float) -> None:
        self._page.box(x, bottom, 0.5, top - bottom, HAIRLINE, radius=0)

    def _more(self, x: float, y: float, count: int) -> None:
        self._page.text(x, y, f"+{count}", Style(SEMIBOLD, 7, 9, ACCENT))


class _Hours(_Sheet):
    def __init__(self, document: CalendarDocument, sheet: HourSheet, sides: Sides) -> None:
        super().__init__(document, sides)
        self._sheet = sheet
        self._edges = _columns(_LEFT + _GUTTER, self._right, len(sheet.captions))

    def page(self) -> Page:
        """The one page."""
        self._begin(first=True)
        self._captions(self._edges, self._sheet.captions)
        top = self._top
        self._bars()
        self._hours()
        for left, _right in self._edges:
            self._upright(left, top, _BOTTOM)
        return self._page

    def _bars(self) -> None:
        rows = min(_MOST_BARS, max((bar.row for bar in self._sheet.bars), default=-1) + 1)
        hidden = [0] * len(self._edges)
        for bar in self._sheet.bars:
            if bar.row < rows:
                left, right = self._edges[bar.first][0] + 2, self._edges[bar.last][1] - 3
                self._bar(left, self._top - 2 - bar.row * _BAR, right - left, bar)
                continue
            for day in range(bar.first, bar.last + 1):
                hidden[day] += 1
        self._top -= rows * _BAR + (4 if rows else 0)
        if any(hidden):
            for (left, _right), count in zip(self._edges, hidden, strict=True):
                if count:
                    self._more(left + 4, self._top - 7, count)
            self._top -= 10
        self._page.rule(self._top, _LEFT, self._right, colour=SOFT, thickness=0.8)

    def _hours(self) -> None:
        first, last = self._sheet.hours
        minute = (self._top - _BOTTOM) / ((last - first) * 60)
        for hour in range(first, last):
            y = self._top - (hour - first) * 60 * minute
            self._page.rule(y, _LEFT + _GUTTER, self._right, colour=HAIRLINE, thickness=0.4)
            self._page.text_right(_LEFT + _GUTTER - 5, y - 8, f"{hour:02}:00", _HOUR)
        for block in self._sheet.blocks:
            left, right = self._edges[block.day]
            share = (right - left - 5) / block.lanes
            x = left + 2 + share * block.lane
            top = self._top - (block.top - first * 60) * minute
            height = (block.bottom - block.top) * minute
            self._shape(x, top, share - 1.5, height - 1, block.event.tone)
            self._words(x + _EDGE + 2, top, share - _EDGE - 5, height - 1, block.event)

    def _words(
        self, x: float, top: float, width: float, height: float, event: PrintedEvent
    ) -> None:
        """As much of an event as its box holds: the title on several lines, hours, details."""
        if width < 10:
            return
        name = _NAME if height >= _NAME.leading + 1 else _TINY
        y = top - name.size - 1
        left = height - 2
        for style, text in ((name, event.title), (_SMALL, event.hours), (_SMALL, event.details)):
            lines = wrap(text, style, width)
            # A short meeting has its title nevertheless.
            room = max(1 if left == height - 2 else 0, int((left - 1) // style.leading))
            if len(lines) > room and room:
                rest = " ".join(lines[room - 1 :])
                lines = [*lines[: room - 1], shortened(rest, style, width)]
            for line in lines[:room]:
                self._page.text(x, y, line, style)
                y -= style.leading
                left -= style.leading


class _Month(_Sheet):
    def __init__(self, document: CalendarDocument, sheet: MonthSheet, sides: Sides) -> None:
        super().__init__(document, sides)
        self._sheet = sheet
        self._edges = _columns(_LEFT + _WEEK, self._right, 7)

    def page(self) -> Page:
        """The one page."""
        self._begin(first=True)
        self._captions(self._edges, self._sheet.captions)
        top = self._top
        height = (top - _BOTTOM) / len(self._sheet.weeks)
        for index, week in enumerate(self._sheet.weeks):
            self._week(week, top - index * height, height)
        for left, _right in self._edges:
            self._upright(left, top, _BOTTOM)
        return self._page

    def _week(self, week: PrintedWeek, top: float, height: float) -> None:
        self._page.rule(top, _LEFT, self._right, colour=HAIRLINE)
        self._page.text_right(_LEFT + _WEEK - 5, top - 10, week.number, _HOUR)
        for (left, _right), (text, inside) in zip(self._edges, week.days, strict=True):
            self._page.text(left + 4, top - 10, text, _DAY if inside else _OUTSIDE)
        rows = max(1, int((height - 14) // _BAR))
        used = [0] * 7
        for bar in week.bars:
            for day in range(bar.first, bar.last + 1):
                used[day] = max(used[day], bar.row + 1)
        room = [rows - 1 if count > rows else rows for count in used]
        hidden = [0] * 7
        for bar in week.bars:
            if bar.row < min(room[bar.first : bar.last + 1]):
                left, right = self._edges[bar.first][0] + 2, self._edges[bar.last][1] - 3
                self._bar(left, top - 13 - bar.row * _BAR, right - left, bar)
                continue
            for day in range(bar.first, bar.last + 1):
                hidden[day] += 1
        for (left, _right), count in zip(self._edges, hidden, strict=True):
            if count:
                self._more(left + 4, top - 13 - (rows - 1) * _BAR - 8, count)


class _Agenda(_Sheet):
    def __init__(self, document: CalendarDocument, sheet: AgendaSheet, sides: Sides) -> None:
        super().__init__(document, sides)
        self._sheet = sheet

    def pages(self) -> Iterator[Page]:
        """Every page; a heading stays with its first event."""
        self._begin(first=True)
        if not self._sheet.days:
            self._page.text(_LEFT, self._top - 14, self._sheet.nothing, _TEXT)
        for heading, events in self._sheet.days:
            for index, event in enumerate(events):
                titles = wrap(event.title, _SUBJECT, self._right - _LEFT - _HOURS)
                texts = wrap(event.details, _TEXT, self._right - _LEFT - _HOURS)
                height = len(titles) * _SUBJECT.leading + len(texts) * _TEXT.leading + 7
                above = 26 if index == 0 else 0
                if self._top - above - height < _BOTTOM:
                    yield self._page
                    self._begin(first=False)
                if index == 0:
                    self._page.text(_LEFT, self._top - 18, heading, _HEADING)
                    self._page.rule(self._top - 23, _LEFT, self._right, colour=SOFT, thickness=0.6)
                    self._top -= 26
                self._event(event, titles, texts, height)
        yield self._page

    def _event(
        self, event: PrintedEvent, titles: list[str], texts: list[str], height: float
    ) -> None:
        x = _LEFT + _HOURS
        self._page.text(_LEFT, self._top - 11, event.hours, _TEXT)
        self._page.box(x - 9, self._top - height + 3, _EDGE, height - 5, event.tone, radius=0)
        y = self._top - 11
        for style, lines in ((_SUBJECT, titles), (_TEXT, texts)):
            for line in lines:
                self._page.text(x, y, line, style)
                y -= style.leading
        self._top -= height
        self._page.rule(self._top, x, self._right, colour=HAIRLINE, thickness=0.4)
