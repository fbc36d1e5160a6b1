"""What every printed file has in common: page size, embedded fonts, title and creation date."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Final

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.printing import fonts
from desktop_crm.printing.flowables import Page
from desktop_crm.printing.styles import PAGE_HEIGHT, PAGE_WIDTH, SOFT, Style

# Streams as bytes, not as printable text: a fifth smaller, and every reader takes them.
rl_config.useA85 = 0

MILLIMETRE = 72 / 25.4
_LEFT: Final = 36.0
_FOOT: Final = Style(fonts.REGULAR, 7.5, 10, SOFT)


@dataclass(frozen=True, slots=True)
class Sides:
    """Width and height of a page in points."""

    width: float
    height: float

    @classmethod
    def a4(cls, *, lying: bool = False) -> Sides:
        """A4, upright or on its side."""
        return cls(PAGE_HEIGHT, PAGE_WIDTH) if lying else cls(PAGE_WIDTH, PAGE_HEIGHT)

    @classmethod
    def letter(cls) -> Sides:
        """US letter, upright."""
        return cls(612.0, 792.0)


def make_canvas(target: BytesIO, sides: Sides, title: str, language: str, day: date) -> Canvas:
    """A canvas with both typefaces; the same content always gives the same bytes.

    Args:
        target: Where the file goes.
        sides: Size of its pages.
        title: Shown by readers.
        language: For screen readers.
        day: Becomes the creation date: there is no clock here to ask.
    """
    canvas = Canvas(
        target,
        pagesize=(sides.width, sides.height),
        invariant=1,
        pageCompression=1,
        initialFontName=fonts.face(fonts.REGULAR).name,  # type: ignore[arg-type]  # wrong stub
        lang=language,
    )
    fonts.face(fonts.SEMIBOLD)
    canvas.setTitle(title)
    canvas.setCreator("Desktop CRM")
    stamp = canvas._doc._timeStamp  # type: ignore[attr-defined]  # no public way
    stamp.t = timegm((day.year, day.month, day.day, 0, 0, 0))
    stamp.lt = time.gmtime(stamp.t)
    stamp.YMDhms = tuple(stamp.lt)[:6]
    return canvas


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands below every page: whose paper it is, and when it was printed."""

    who: tuple[str, ...]
    day: date
    language: str

    def put(self, page: Page, sides: Sides, number: int, count: int) -> None:
        """Write it, and which page of how many this is."""
        right = sides.width - _LEFT
        page.rule(36, _LEFT, right)
        said = " · ".join(
            text for text in (*self.who, Formats(self.language).date(self.day)) if text
        )
        page.text(_LEFT, 24, said, _FOOT)
        template = translate(self.language, N_("Page {number} of {count}"))
        page.text_right(right, 24, template.format(number=number, count=count), _FOOT)


def written(pages: Sequence[Page], sides: Sides, title: str, language: str, day: date) -> bytes:
    """The file of some finished pages."""
    target = BytesIO()
    canvas = make_canvas(target, sides, title, language, day)
    for page in pages:
        page.show(canvas)
    canvas.save()
    return target.getvalue()
