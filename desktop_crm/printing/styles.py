"""Sizes, colours and text styles of printed documents, in points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from desktop_crm.printing.fonts import REGULAR, SEMIBOLD, face

Colour: TypeAlias = tuple[float, float, float]

PAGE_WIDTH: Final = 595.276
PAGE_HEIGHT: Final = 841.89
LEFT: Final = 48.0
RIGHT: Final = PAGE_WIDTH - 48.0
WIDTH: Final = RIGHT - LEFT
FIRST_TOP: Final = PAGE_HEIGHT - 44.0
NEXT_TOP: Final = PAGE_HEIGHT - 76.0
"""Where content begins on the pages after the first, below their running head."""
BOTTOM: Final = 74.0
"""Where content ends, above the running foot."""

INK: Final[Colour] = (0.106, 0.114, 0.129)
SOFT: Final[Colour] = (0.337, 0.361, 0.400)
FAINT: Final[Colour] = (0.420, 0.445, 0.490)
ACCENT: Final[Colour] = (0.059, 0.361, 0.659)
WHITE: Final[Colour] = (1.0, 1.0, 1.0)
HAIRLINE: Final[Colour] = (0.855, 0.871, 0.890)
PANEL: Final[Colour] = (0.953, 0.961, 0.973)
MARK: Final[Colour] = (0.940, 0.946, 0.955)


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text looks; ``leading`` is the distance between baselines."""

    font: str
    size: float
    leading: float
    colour: Colour = INK

    def width(self, text: str) -> float:
        """Width of ``text`` in points."""
        return face(self.font).width(text, self.size)


TITLE: Final = Style(SEMIBOLD, 23, 28)
NUMBER: Final = Style(REGULAR, 11, 15, SOFT)
COMPANY: Final = Style(SEMIBOLD, 17, 21, ACCENT)
LONG_COMPANY: Final = Style(SEMIBOLD, 12, 15.5, ACCENT)
SUBJECT: Final = Style(SEMIBOLD, 13, 17)
LABEL: Final = Style(REGULAR, 7.5, 10, FAINT)
NAME: Final = Style(SEMIBOLD, 9.5, 13)
BODY: Final = Style(REGULAR, 9, 12.5)
SOFT_BODY: Final = Style(REGULAR, 9, 12.5, SOFT)
STRONG: Final = Style(SEMIBOLD, 9, 12.5)
SMALL: Final = Style(REGULAR, 8, 11, FAINT)
HEAD: Final = Style(SEMIBOLD, 8, 11, SOFT)
TOTAL: Final = Style(SEMIBOLD, 12, 16, WHITE)
WATERMARK: Final = Style(SEMIBOLD, 110, 110, MARK)
