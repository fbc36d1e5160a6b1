"""Pages built from blocks: a block knows its height, so pages are counted before one is drawn.

Every text is broken into lines once, while its block is made. Drawing happens afterwards, when the
number of pages is known, and never measures again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from desktop_crm.printing.styles import (
    BOTTOM,
    FIRST_TOP,
    HAIRLINE,
    LEFT,
    NEXT_TOP,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RIGHT,
    WATERMARK,
    Colour,
    Style,
)

_RADIUS: Final = 3.0


@dataclass(slots=True)
class Page:
    """What one page shows: shapes lie below, texts above them in reading order."""

    watermark: str = ""
    _shapes: list[Callable[[Canvas], None]] = field(default_factory=list)
    _texts: list[tuple[float, float, str, Style]] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, style: Style) -> None:
        """Write ``text`` from ``x`` on the baseline ``y``."""
        if text:
            self._texts.append((x, y, text, style))

    def text_right(self, x: float, y: float, text: str, style: Style) -> None:
        """Write ``text`` so that it ends at ``x``."""
        self.text(x - style.width(text), y, text, style)

    def rule(
        self,
        y: float,
        x0: float = LEFT,
        x1: float = RIGHT,
        *,
        colour: Colour = HAIRLINE,
        thickness: float = 0.6,
    ) -> None:
        """Draw a horizontal line."""

        def draw(canvas: Canvas) -> None:
            canvas.setStrokeColorRGB(*colour)
            canvas.setLineWidth(thickness)
            canvas.line(x0, y, x1, y)

        self._shapes.append(draw)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: Colour,
        *,
        radius: float = _RADIUS,
    ) -> None:
        """Fill a rectangle with rounded corners, ``y`` being its lower edge."""

        def draw(canvas: Canvas) -> None:
            canvas.setFillColorRGB(*colour)
            if radius:
                canvas.roundRect(x, y, width, height, radius, stroke=0, fill=1)
            else:
                canvas.rect(x, y, width, height, stroke=0, fill=1)

        self._shapes.append(draw)

    def picture(self, x: float, y: float, width: float, height: float, image: ImageReader) -> None:
        """Draw a picture, ``y`` being its lower edge."""

        def draw(canvas: Canvas) -> None:
            canvas.drawImage(image, x, y, width, height, mask="auto")

        self._shapes.append(draw)

    def show(self, canvas: Canvas) -> None:
        """Put everything on the canvas and end the page."""
        if self.watermark:
            self._show_watermark(canvas)
        for shape in self._shapes:
            shape(canvas)
        self._show_texts(canvas)
        canvas.showPage()

    def _show_watermark(self, canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(PAGE_WIDTH / 2, PAGE_HEIGHT / 2)
        canvas.rotate(52)
        canvas.setFillColorRGB(*WATERMARK.colour)
        canvas.setFont(WATERMARK.font, WATERMARK.size)
        canvas.drawString(-WATERMARK.width(self.watermark) / 2, -38, self.watermark)
        canvas.restoreState()

    def _show_texts(self, canvas: Canvas) -> None:
        run = canvas.beginText()
        font: tuple[str, float] | None = None
        colour: Colour | None = None
        for x, y, text, style in self._texts:
            if font != (style.font, style.size):
                font = (style.font, style.size)
                run.setFont(*font)
            if colour != style.colour:
                colour = style.colour
                run.setFillColorRGB(*colour)
            run.setTextOrigin(x, y)
            run.textLine(text)
        canvas.drawText(run)


Draw = Callable[[Page, float], None]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece that is not divided.

    Attributes:
        height: Space it takes, in points.
        draw: Draws it on a page, given the y of its top.
        keep: Stays on one page with the block after it.
        head: Drawn above it when it comes first on a further page.
    """

    height: float
    draw: Draw
    keep: bool = False
    head: Block | None = None


def space(height: float, *, keep: bool = False) -> Block:
    """Empty space."""
    return Block(height, lambda _page, _top: None, keep)


def paginate(blocks: Sequence[Block]) -> list[list[tuple[Block, float]]]:
    """Put blocks on pages, top to bottom: for each page the blocks and the y of their tops.

    A run of blocks that keep together moves as one unless it is taller than a page.
    """
    pages: list[list[tuple[Block, float]]] = [[]]
    y = FIRST_TOP
    for run in _runs(blocks):
        height = sum(block.height for block in run)
        if y - height < BOTTOM and height <= NEXT_TOP - BOTTOM and pages[-1]:
            y = _turn(pages, run[0])
        for block in run:
            if y - block.height < BOTTOM and pages[-1]:
                y = _turn(pages, block)
            pages[-1].append((block, y))
            y -= block.height
    return pages


def _turn(pages: list[list[tuple[Block, float]]], first: Block) -> float:
    pages.append([])
    if first.head is None:
        return NEXT_TOP
    pages[-1].append((first.head, NEXT_TOP))
    return NEXT_TOP - first.head.height


def _runs(blocks: Iterable[Block]) -> Iterable[list[Block]]:
    run: list[Block] = []
    for block in blocks:
        run.append(block)
        if not block.keep:
            yield run
            run = []
    if run:
        yield run


def wrap(text: str, style: Style, width: float) -> list[str]:
    """Break text into lines no wider than ``width`` points.

    Line breaks of the text are kept. A word wider than a line is broken where it must be.
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines.extend(_wrap_paragraph(paragraph, style, width))
    return lines


def shortened(text: str, style: Style, width: float) -> str:
    """The text, or as much of it as fits with an ellipsis behind."""
    if style.width(text) <= width:
        return text
    while text and style.width(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _wrap_paragraph(text: str, style: Style, width: float) -> list[str]:
    if style.width(text) <= width:
        return [text.strip()]
    lines: list[str] = []
    line, used, gap = "", 0.0, style.width(" ")
    for word in text.split(" "):
        for piece in _pieces(word, style, width):
            size = style.width(piece)
            if line and used + gap + size > width:
                lines.append(line)
                line, used = piece, size
            else:
                used += size + (gap if line else 0.0)
                line = f"{line} {piece}" if line else piece
    lines.append(line)
    return lines


def _pieces(word: str, style: Style, width: float) -> Iterable[str]:
    while style.width(word) > width and len(word) > 1:
        cut = len(word) - 1
        while cut > 1 and style.width(word[:cut]) > width:
            cut -= 1
        yield word[:cut]
        word = word[cut:]
    yield word


def paragraph(
    text: str, style: Style, x: float = LEFT, width: float = RIGHT - LEFT, *, after: float = 0.0
) -> list[Block]:
    """Text that may run over pages, one block for each line; single lines are not left alone."""
    lines = wrap(text, style, width)
    blocks: list[Block] = []
    for index, line in enumerate(lines):
        last = index == len(lines) - 1
        near_an_end = index == 0 or index == len(lines) - 2
        blocks.append(
            Block(
                style.leading + (after if last else 0.0),
                _one_line(x, line, style),
                keep=near_an_end and not last,
            )
        )
    return blocks


def _one_line(x: float, line: str, style: Style) -> Draw:
    def draw(page: Page, top: float) -> None:
        page.text(x, top - style.size, line, style)

    return draw


def fitted_picture(
    data: bytes | None, width: float, height: float
) -> tuple[ImageReader, float, float] | None:
    """The picture and its size inside ``width`` by ``height``; None when it cannot be read."""
    if not data:
        return None
    try:
        image = ImageReader(BytesIO(data))
        across, down = image.getSize()
    except OSError:
        # An unreadable logo must not keep a quote from being printed: the name stands instead.
        return None
    if across <= 0 or down <= 0:
        return None
    scale = min(width / across, height / down)
    return image, across * scale, down * scale
