"""Mailing labels on the usual sheets, and a contact sheet of cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.text import fold
from desktop_crm.printing import fonts
from desktop_crm.printing.flowables import Page, shortened
from desktop_crm.printing.fonts import REGULAR, SEMIBOLD
from desktop_crm.printing.sheet import MILLIMETRE, Sides, written
from desktop_crm.printing.styles import ACCENT, SOFT, Style

_SMALLEST: Final = 6.5
_INNER: Final = 8.0
_LINE: Final = 1.25
_CARD_TITLE: Final = Style(SEMIBOLD, 9.5, 13)
_CARD_TEXT: Final = Style(REGULAR, 8, 11)
_CARD_SOFT: Final = Style(REGULAR, 8, 11, SOFT)
_LETTER: Final = Style(SEMIBOLD, 14, 18, ACCENT)
_HEAD: Final = Style(SEMIBOLD, 13, 17)
_FOOT: Final = Style(REGULAR, 7.5, 10, SOFT)
_MARGIN: Final = 36.0
_GUTTER: Final = 18.0
_CARD_COLUMNS: Final = 2


@dataclass(frozen=True, slots=True)
class LabelSheet:
    """One product of label sheets; all measures in millimetres.

    Attributes:
        key: Stable name.
        name: What stands on the box.
        across: Labels in a row.
        down: Labels in a column.
        width: Width of a label.
        height: Height of a label.
        left: From the sheet's left edge to the first label.
        top: From its upper edge to the first label.
        pitch_x: From one label's left edge to the next one's.
        pitch_y: From one label's upper edge to the next one's.
        letter: On US letter instead of A4.
    """

    key: str
    name: str
    across: int
    down: int
    width: float
    height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float
    letter: bool = False

    @property
    def title(self) -> str:
        """Name and size of a label."""
        return f"{self.name} · {self.width:g} × {self.height:g} mm"

    @property
    def count(self) -> int:
        """Labels on a sheet."""
        return self.across * self.down


SHEETS: Final = (
    LabelSheet("l7160", "Avery L7160", 3, 7, 63.5, 38.1, 7.2, 15.1, 66.0, 38.1),
    LabelSheet("l7159", "Avery L7159", 3, 8, 63.5, 33.9, 7.2, 13.1, 66.0, 33.9),
    LabelSheet("l7163", "Avery L7163", 2, 7, 99.1, 38.1, 4.7, 15.1, 101.6, 38.1),
    LabelSheet("3475", "Zweckform 3475", 3, 8, 70.0, 36.0, 0.0, 4.5, 70.0, 36.0),
    LabelSheet("5160", "Avery 5160", 3, 10, 66.7, 25.4, 4.8, 12.7, 69.8, 25.4, letter=True),
)
"""Sheets that shops have everywhere; measures by their makers."""


def sheet(key: str) -> LabelSheet:
    """Sheet of a key; the first one for an unknown key."""
    return next((one for one in SHEETS if one.key == key), SHEETS[0])


def render_labels(
    labels: Sequence[tuple[str, ...]], form: LabelSheet, skip: int, title: str, day: date
) -> bytes:
    """Sheets of labels, each label the lines of one address.

    Args:
        labels: Lines of each address, the name first.
        form: Sheet they are printed on.
        skip: Labels of the first sheet that are used up already.
        title: Title of the file.
        day: Day of printing.
    """
    sides = Sides.letter() if form.letter else Sides.a4()
    with fonts.LOCK:
        pages: list[Page] = []
        for place, lines in enumerate(labels, skip % form.count):
            if not pages or place % form.count == 0:
                pages.append(Page())
            _label(pages[-1], lines, form, place % form.count, sides)
        return written(pages or [Page()], sides, title, "en", day)


def _label(page: Page, lines: tuple[str, ...], form: LabelSheet, place: int, sides: Sides) -> None:
    row, column = divmod(place, form.across)
    left = (form.left + column * form.pitch_x) * MILLIMETRE + _INNER
    top = sides.height - (form.top + row * form.pitch_y) * MILLIMETRE
    width, height = form.width * MILLIMETRE - 2 * _INNER, form.height * MILLIMETRE
    size = min(10.0, (height - 2 * _INNER) / (_LINE * max(len(lines), 1)))
    longest = max((Style(SEMIBOLD, size, size).width(line) for line in lines), default=0.0)
    size = max(_SMALLEST, size * min(1.0, width / longest if longest else 1.0))
    used = len(lines) * size * _LINE
    baseline = top - (height - used) / 2 - size
    for number, line in enumerate(lines):
        style = Style(SEMIBOLD if number == 0 else REGULAR, size, size)
        page.text(left, baseline, shortened(line, style, width), style)
        baseline -= size * _LINE


@dataclass(frozen=True, slots=True)
class ContactCard:
    """One entry of a contact sheet: who it is and how to reach them."""

    title: str
    subtitle: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Cards in the order they are printed in; a new initial of the title begins with a letter."""

    title: str
    cards: tuple[ContactCard, ...]
    printed_on: date
    company: str
    language: str


def render_contacts(document: ContactSheet) -> bytes:
    """The cards in two columns, page x of y."""
    with fonts.LOCK:
        sides = Sides.a4()
        pages = list(_card_pages(document, sides))
        template = translate(document.language, N_("Page {number} of {count}"))
        for number, page in enumerate(pages, 1):
            page.rule(36, _MARGIN, sides.width - _MARGIN)
            page.text(_MARGIN, 24, document.company, _FOOT)
            said = template.format(number=number, count=len(pages))
            page.text_right(sides.width - _MARGIN, 24, said, _FOOT)
        return written(pages, sides, document.title, document.language, document.printed_on)


def _card_pages(document: ContactSheet, sides: Sides) -> Iterator[Page]:
    width = (sides.width - 2 * _MARGIN - _GUTTER * (_CARD_COLUMNS - 1)) / _CARD_COLUMNS
    page, column = Page(), 0
    page.text(_MARGIN, sides.height - 44, document.title, _HEAD)
    start = top = sides.height - 62
    initial = ""
    for card in document.cards:
        letter = fold(card.title)[:1].upper()
        height = _card_height(card) + (22 if letter != initial else 0)
        if top - height < 48:
            column += 1
            if column == _CARD_COLUMNS:
                yield page
                page, column = Page(), 0
                start = sides.height - 40
            top = start
        x = _MARGIN + column * (width + _GUTTER)
        if letter != initial:
            initial = letter
            page.text(x, top - 14, letter, _LETTER)
            top -= 22
        _draw_card(page, card, x, top, width)
        top -= _card_height(card)
    yield page


def _card_height(card: ContactCard) -> float:
    return 13.0 + 11.0 * (bool(card.subtitle) + len(card.lines)) + 9.0


def _draw_card(page: Page, card: ContactCard, x: float, top: float, width: float) -> None:
    baseline = top - 10
    page.text(x, baseline, shortened(card.title, _CARD_TITLE, width), _CARD_TITLE)
    if card.subtitle:
        baseline -= 11.5
        page.text(x, baseline, shortened(card.subtitle, _CARD_SOFT, width), _CARD_SOFT)
    for line in card.lines:
        baseline -= 11
        page.text(x, baseline, shortened(line, _CARD_TEXT, width), _CARD_TEXT)
