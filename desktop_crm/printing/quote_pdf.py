"""A quote as PDF: the same document always gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final

from reportlab.pdfgen.canvas import Canvas

from desktop_crm.core.i18n import N_
from desktop_crm.printing import fonts
from desktop_crm.printing.flowables import (
    Block,
    Page,
    fitted_picture,
    paginate,
    paragraph,
    shortened,
    space,
    wrap,
)
from desktop_crm.printing.quote_lines import line_blocks
from desktop_crm.printing.sheet import Sides, make_canvas
from desktop_crm.printing.styles import (
    ACCENT,
    BODY,
    COMPANY,
    HEAD,
    LABEL,
    LEFT,
    LONG_COMPANY,
    NAME,
    NEXT_TOP,
    NUMBER,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PANEL,
    RIGHT,
    SMALL,
    SOFT_BODY,
    STRONG,
    SUBJECT,
    TITLE,
    TOTAL,
    WIDTH,
    Style,
)
from desktop_crm.printing.wording import Wording
from desktop_crm.services.rules.quote_document import Bank, Party, QuoteDocument, Seller

TEMPLATE_VERSION: Final = "quote-1"
"""Stored with each PDF; raised when the looks or the content of the page change."""

_LOGO_WIDTH: Final = 170.0
_LOGO_HEIGHT: Final = 52.0
_TOTALS_WIDTH: Final = 214.0
_TOTALS_LEFT: Final = RIGHT - _TOTALS_WIDTH
_PAD: Final = 6.0
_NAME_LINES: Final = 2


def render(document: QuoteDocument) -> bytes:
    """The quote on A4 pages with embedded fonts.

    Safe to call from several threads; they take turns.
    """
    with fonts.LOCK:
        words = Wording(document.language, document.currency)
        pages = paginate(list(_blocks(document, words)))
        target = BytesIO()
        canvas = _canvas(target, document, words)
        for index, placed in enumerate(pages):
            page = Page(words(N_("DRAFT")) if document.draft else "")
            if index:
                _running_head(page, document, words)
            for block, top in placed:
                block.draw(page, top)
            _running_foot(page, document.seller, index + 1, len(pages), words)
            page.show(canvas)
        canvas.save()
        return target.getvalue()


def _canvas(target: BytesIO, document: QuoteDocument, words: Wording) -> Canvas:
    title = _title(document, words)
    sides = Sides(PAGE_WIDTH, PAGE_HEIGHT)
    canvas = make_canvas(target, sides, title, document.language, document.issued_on)
    canvas.setAuthor(document.seller.name)
    canvas.setSubject(document.title or title)
    return canvas


def _title(document: QuoteDocument, words: Wording) -> str:
    return f"{words(N_('Quote'))} {document.label}".strip()


def _blocks(document: QuoteDocument, words: Wording) -> Iterable[Block]:
    yield _masthead(document, words)
    yield _parties(document, words)
    yield from _facts(document, words)
    if document.title:
        yield from paragraph(document.title, SUBJECT, after=8)
    if document.lines:
        yield from line_blocks(document, words)
    yield space(12, keep=True)
    yield _sums(document, words)
    yield from _closing(document, words)


def _masthead(document: QuoteDocument, words: Wording) -> Block:
    logo = fitted_picture(document.seller.logo, _LOGO_WIDTH, _LOGO_HEIGHT)
    title = words(N_("Quote"))
    style, name = _fitted_name(document.seller.name)

    def draw(page: Page, top: float) -> None:
        if logo:
            image, width, height = logo
            page.picture(LEFT, top - height, width, height, image)
        else:
            for row, line in enumerate(name):
                page.text(LEFT, top - 19 - row * style.leading, line, style)
        page.text_right(RIGHT, top - 20, title, TITLE)
        page.text_right(RIGHT, top - 38, document.label or words(N_("Draft")), NUMBER)
        page.rule(top - 66, thickness=0.8)
        page.rule(top - 66, LEFT, LEFT + 56, colour=ACCENT, thickness=2)

    return Block(84, draw)


def _fitted_name(name: str) -> tuple[Style, list[str]]:
    """The company's name beside the title: smaller when it is long."""
    lines = wrap(name, COMPANY, WIDTH - 220)
    if len(lines) <= _NAME_LINES:
        return COMPANY, lines
    return LONG_COMPANY, wrap(name, LONG_COMPANY, WIDTH - 220)[: _NAME_LINES + 1]


def _parties(document: QuoteDocument, words: Wording) -> Block:
    columns = [
        (words(N_("From")), _seller_lines(document.seller, words)),
        (words(N_("Bill to")), _party_lines(document.bill_to, words)),
    ]
    if document.ship_to is not None:
        columns.append((words(N_("Ship to")), _party_lines(document.ship_to, words)))
    step = WIDTH / len(columns)
    wrapped = [
        (LEFT + index * step, label, _wrapped(lines, step - 16))
        for index, (label, lines) in enumerate(columns)
    ]
    height = max(sum(style.leading for _, style in lines) for _, _, lines in wrapped)

    def draw(page: Page, top: float) -> None:
        for x, label, lines in wrapped:
            page.text(x, top - 8, label, LABEL)
            y = top - 23
            for text, style in lines:
                page.text(x, y, text, style)
                y -= style.leading

    return Block(height + 32, draw)


def _wrapped(lines: Iterable[tuple[str, Style]], width: float) -> list[tuple[str, Style]]:
    return [(part, style) for text, style in lines for part in wrap(text, style, width)]


def _seller_lines(seller: Seller, words: Wording) -> Iterable[tuple[str, Style]]:
    yield seller.name, NAME
    for line in seller.address:
        yield line, SOFT_BODY
    if seller.tax_id:
        yield words(N_("Tax id: {value}"), value=seller.tax_id), SOFT_BODY
    if seller.trade_register:
        yield words(N_("Trade register: {value}"), value=seller.trade_register), SOFT_BODY


def _party_lines(party: Party, words: Wording) -> Iterable[tuple[str, Style]]:
    yield party.name, NAME
    if party.person:
        yield party.person, SOFT_BODY
    for line in party.address:
        yield line, SOFT_BODY
    if party.tax_id:
        yield words(N_("Tax id: {value}"), value=party.tax_id), SOFT_BODY
    if party.trade_register:
        yield words(N_("Trade register: {value}"), value=party.trade_register), SOFT_BODY


def _facts(document: QuoteDocument, words: Wording) -> Iterable[Block]:
    facts = [(words(N_("Date")), words.day(document.issued_on))]
    if document.expires_on:
        facts.append((words(N_("Valid until")), words.day(document.expires_on)))
    if document.payment_terms:
        facts.append((words(N_("Payment terms")), document.payment_terms))
    if document.prepared_by:
        facts.append((words(N_("Prepared by")), document.prepared_by))
    step = (WIDTH - 20) / len(facts)
    cells = [
        (LEFT + 10 + index * step, label, wrap(value, STRONG, step - 10)[:2])
        for index, (label, value) in enumerate(facts)
    ]
    rows = max(len(lines) for _, _, lines in cells)
    height = 26 + rows * STRONG.leading

    def draw(page: Page, top: float) -> None:
        page.box(LEFT, top - height, WIDTH, height, PANEL)
        for x, label, lines in cells:
            page.text(x, top - 15, label, LABEL)
            for row, text in enumerate(lines):
                page.text(x, top - 28 - row * STRONG.leading, text, STRONG)

    yield Block(height + 18, draw)


def _sums(document: QuoteDocument, words: Wording) -> Block:
    right = _sum_rows(document, words)
    left = _tax_rows(document, words)
    notes = _tax_notes(document, words, _TOTALS_LEFT - LEFT - 30)
    taxes_height = 22.0 + 17.0 * len(left) + (8.0 + SMALL.leading * len(notes) if notes else 0.0)
    sums_height = 17.0 * len(right) + 37.0 + _included_height(document)

    def draw(page: Page, top: float) -> None:
        _draw_taxes(page, top, left, notes, words)
        _draw_sums(page, top, right, document, words)

    return Block(max(taxes_height, sums_height) + 16, draw)


def _sum_rows(document: QuoteDocument, words: Wording) -> list[tuple[str, str]]:
    totals = document.totals
    gross = document.tax_inclusive
    subtotal = words(N_("Subtotal with VAT")) if gross else words(N_("Subtotal"))
    rows = [(subtotal, words.amount(totals.subtotal))]
    if totals.discount:
        label = words(N_("Discount"))
        if totals.discount_percent:
            label = f"{label} {words.percent(totals.discount_percent)}"
        rows.append((label, words.amount(-totals.discount)))
    if totals.freight:
        rows.append((words(N_("Freight")), words.amount(totals.freight)))
    if not gross:
        if totals.discount or totals.freight:
            rows.append((words(N_("Net amount")), words.amount(totals.base)))
        rows.append((words(N_("VAT")), words.amount(totals.tax)))
    return rows


def _included_height(document: QuoteDocument) -> float:
    return 34.0 if document.tax_inclusive else 0.0


def _draw_sums(
    page: Page,
    top: float,
    rows: list[tuple[str, str]],
    document: QuoteDocument,
    words: Wording,
) -> None:
    y = top - 14
    for label, amount in rows:
        page.text(_TOTALS_LEFT + 10, y, label, SOFT_BODY)
        page.text_right(RIGHT - _PAD, y, amount, BODY)
        y -= 17
    y -= 5
    page.box(_TOTALS_LEFT, y - 16, _TOTALS_WIDTH, 27, ACCENT)
    page.text(_TOTALS_LEFT + 10, y - 6.5, words(N_("Total")), TOTAL)
    page.text_right(RIGHT - _PAD, y - 6.5, words.money(document.totals.total), TOTAL)
    if document.tax_inclusive:
        y -= 32
        for label, part in (
            (words(N_("Net amount included")), document.totals.base),
            (words(N_("VAT included")), document.totals.tax),
        ):
            page.text(_TOTALS_LEFT + 10, y, label, SMALL)
            page.text_right(RIGHT - _PAD, y, words.amount(part), SMALL)
            y -= 14


def _tax_rows(document: QuoteDocument, words: Wording) -> list[tuple[str, str, str]]:
    return [
        (
            words.tax_name(tax.category, tax.rate),
            words.amount(tax.base),
            words.amount(tax.tax),
        )
        for tax in document.taxes
    ]


def _tax_notes(document: QuoteDocument, words: Wording, width: float) -> list[str]:
    notes: dict[str, None] = {}
    for tax in document.taxes:
        if note := words.tax_note(tax.category, tax.note):
            notes[note] = None
    return [line for note in notes for line in wrap(note, SMALL, width)]


def _draw_taxes(
    page: Page,
    top: float,
    rows: list[tuple[str, str, str]],
    notes: list[str],
    words: Wording,
) -> None:
    if not rows:
        return
    end = _TOTALS_LEFT - 30
    first, second = end - 74, end - _PAD
    y = top - 14
    page.text(LEFT + _PAD, y, words(N_("VAT by rate")), HEAD)
    page.text_right(first, y, words(N_("Net amount")), HEAD)
    page.text_right(second, y, words(N_("VAT")), HEAD)
    page.rule(y - 7, LEFT, end)
    y -= 19
    for name, base, tax in rows:
        page.text(LEFT + _PAD, y, name, SOFT_BODY)
        page.text_right(first, y, base, BODY)
        page.text_right(second, y, tax, BODY)
        y -= 17
    y -= 3
    for note in notes:
        page.text(LEFT + _PAD, y, note, SMALL)
        y -= SMALL.leading


def _closing(document: QuoteDocument, words: Wording) -> Iterable[Block]:
    parts: list[tuple[str, str]] = []
    if document.delivery:
        parts.append((words(N_("Delivery")), document.delivery))
    if document.terms:
        parts.append((words(N_("Terms")), document.terms))
    if document.banks:
        lines = (_bank_line(bank) for bank in document.banks)
        parts.append((words(N_("Bank accounts")), "\n".join(lines)))
    for label, text in parts:
        yield from _headed(paragraph(label, STRONG, after=2))
        yield from paragraph(text, SOFT_BODY, after=12)
    if document.expires_on:
        sentence = words(N_("This quote is valid until {day}."), day=words.day(document.expires_on))
        yield from paragraph(sentence, BODY)


def _headed(blocks: Iterable[Block]) -> Iterable[Block]:
    for block in blocks:
        yield Block(block.height, block.draw, keep=True)


def _bank_line(bank: Bank) -> str:
    bare = bank.iban.replace(" ", "")
    iban = "\u00a0".join(bare[start : start + 4] for start in range(0, len(bare), 4))
    return " · ".join(part for part in (bank.bank, iban, bank.swift, bank.currency) if part)


def _running_head(page: Page, document: QuoteDocument, words: Wording) -> None:
    y = NEXT_TOP + 22
    right = f"{_title(document, words)} · {words.day(document.issued_on)}"
    page.text(LEFT, y, shortened(document.seller.name, HEAD, WIDTH - SMALL.width(right) - 20), HEAD)
    page.text_right(RIGHT, y, right, SMALL)
    page.rule(y - 8)


def _running_foot(page: Page, seller: Seller, number: int, count: int, words: Wording) -> None:
    page.rule(52)
    identity = (seller.name, seller.tax_id, seller.trade_register)
    contact = (seller.phone, seller.email, _bare(seller.website))
    shown = words(N_("Page {number} of {count}"), number=number, count=count)
    page.text(LEFT, 39, _joined(identity), SMALL)
    page.text(LEFT, 28, _joined(contact), SMALL)
    page.text_right(RIGHT, 39, shown, SMALL)


def _bare(website: str) -> str:
    """A web address as it is said: without its scheme and the last slash."""
    return website.removeprefix("https://").removeprefix("http://").rstrip("/")


def _joined(parts: Iterable[str]) -> str:
    return shortened(" · ".join(part for part in parts if part), SMALL, WIDTH - 90)
