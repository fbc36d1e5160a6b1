"""The embedded typefaces: registered once, measured without the PDF library's detours."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from desktop_crm.core import paths

REGULAR: Final = "Inter-Regular"
SEMIBOLD: Final = "Inter-SemiBold"

LOCK: Final = threading.Lock()
"""Held while a document is built: a registered font keeps state of the document it is used in."""


@dataclass(frozen=True, slots=True)
class Face:
    """Advance widths of one typeface in thousandths of the font size."""

    name: str
    widths: dict[int, float]
    default: float
    _words: dict[str, float] = field(default_factory=dict)

    def width(self, text: str, size: float) -> float:
        """Width of ``text`` in points."""
        known = self._words.get(text)
        if known is None:
            get, default = self.widths.get, self.default
            known = sum([get(ord(char), default) for char in text])
            if len(self._words) < _CACHED_WORDS:
                self._words[text] = known
        return known * size / 1000


_CACHED_WORDS: Final = 20_000


@lru_cache(maxsize=4)
def face(name: str) -> Face:
    """Register the typeface on first use and return its measures."""
    # Only the glyphs that occur are embedded: not all of ASCII for the sake of readable streams.
    font = TTFont(name, str(paths.resource("fonts", f"{name}.ttf")), asciiReadable=False)
    pdfmetrics.registerFont(font)
    return Face(name, font.face.charWidths, font.face.defaultWidth)
