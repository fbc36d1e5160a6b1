"""Benchmark 12: a quote of three pages, against a bare Platypus story with the same content."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Final

import pypdfium2
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from desktop_crm.bench.rows import Row
from desktop_crm.printing import fonts
from desktop_crm.printing.quote_pdf import render
from desktop_crm.services.rules.pricing import (
    Discount,
    DocumentInput,
    LineInput,
    LineKind,
    Tax,
    TaxCategory,
    totals,
)
from desktop_crm.services.rules.quote_document import (
    Bank,
    Party,
    PrintedLine,
    PrintedTax,
    PrintedTotals,
    QuoteDocument,
    Seller,
)

GOAL: Final = 1.2
LINES: Final = 38
PAGES: Final = 3
_ROUNDS: Final = 15

_STANDARD: Final = Tax(TaxCategory.STANDARD, Decimal(21), "S21")
_REDUCED: Final = Tax(TaxCategory.STANDARD, Decimal(11), "S11")
_WIDTHS: Final = (24, 237, 50, 52, 46, 34, 56)
_MARGIN: Final = 48


def run() -> list[Row]:
    """Measure both in alternation, once warm; medians of fifteen builds each."""
    document = sample()
    pages = (_pages(render(document)), _pages(bare_story(document)))
    if pages != (PAGES, PAGES):
        reason = f"the documents have {pages[0]} and {pages[1]} pages instead of {PAGES}"
        return [Row(12, "", _operation(), None, None, None, GOAL, ok=False, reason=reason)]
    ours: list[float] = []
    limit: list[float] = []
    for _ in range(_ROUNDS):
        ours.append(_seconds(lambda: render(document)))
        limit.append(_seconds(lambda: bare_story(document)))
    ours_s, limit_s = statistics.median(ours), statistics.median(limit)
    ratio = ours_s / limit_s
    return [Row(12, "", _operation(), ours_s, limit_s, ratio, GOAL, ok=ratio <= GOAL)]


def sample() -> QuoteDocument:
    """A quote that fills three pages, with two rates and Romanian letters."""
    typed = tuple(
        LineInput(
            quantity=Decimal(index % 9 + 1),
            unit_price=Decimal("49.99") + index * Decimal("13.37"),
            discount=Discount(percent=Decimal(10)) if index % 5 == 0 else Discount(),
            tax=_REDUCED if index % 3 == 0 else _STANDARD,
        )
        for index in range(LINES)
    )
    sums = totals(DocumentInput("EUR", typed, discount=Discount(percent=Decimal(5))))
    lines = tuple(
        PrintedLine(
            kind=LineKind.ITEM,
            title=f"Corp de iluminat Lună, seria {index}",
            position=str(index + 1),
            code=f"LN-{1000 + index}",
            description="Alamă și stejar, LED 2700 K, cablu textil de 1,8 m.",
            quantity=line.quantity,
            unit="buc",
            unit_price=line.unit_price,
            discount_percent=line.discount.percent,
            tax_category=line.tax.category,
            tax_rate=line.tax.rate,
            net=amounts.net,
        )
        for index, (line, amounts) in enumerate(zip(typed, sums.lines, strict=True))
    )
    return QuoteDocument(
        number="Q-2026-0042",
        revision=0,
        draft=False,
        language="en",
        currency="EUR",
        issued_on=date(2026, 11, 20),
        expires_on=date(2026, 12, 20),
        title="Lighting of the new head office",
        seller=Seller(
            "Atelierul de Lumină SRL",
            ("Strada Ștefan cel Mare 12", "030167 București"),
            "RO12345674",
            "J40/1234/2019",
            "+40 21 555 01 23",
            "oferte@atelier-lumina.example",
        ),
        bill_to=Party("Brânzeturi Țărănești SA", ("Bulevardul Unirii 7", "500123 Brașov")),
        ship_to=Party("Depozit Făgăraș", ("Șoseaua Combinatului 44", "505200 Făgăraș")),
        payment_terms="30 days net",
        prepared_by="Andrei Ștefănescu",
        terms="Prices hold for the quantities named here.\nPayment within 30 days.",
        banks=(Bank("RO49AAAA1B31007593840000", "Banca Exemplu", "EXMPROBU", "EUR"),),
        lines=lines,
        taxes=tuple(PrintedTax(g.category, g.rate, g.base, g.tax) for g in sums.groups),
        totals=PrintedTotals(
            sums.subtotal,
            sums.discount,
            sums.freight,
            sums.base,
            sums.tax,
            sums.total,
            Decimal(5),
        ),
    )


def bare_story(document: QuoteDocument) -> bytes:
    """The limit: the same content as one plain story, page numbers without a count."""
    target = BytesIO()
    body = ParagraphStyle("body", fontName=fonts.REGULAR, fontSize=9, leading=12.5)
    large = ParagraphStyle("large", fontName=fonts.SEMIBOLD, fontSize=14, leading=18)
    template = SimpleDocTemplate(
        target,
        pagesize=A4,
        invariant=1,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=74,
    )
    story: list[Flowable] = [
        Paragraph(document.seller.name, large),
        Paragraph(f"Quote {document.number}", large),
        Spacer(1, 12),
        _parties(document, body),
        Spacer(1, 40),
        Paragraph(document.title, large),
        _lines(document, body),
        Spacer(1, 12),
        _sums(document),
        Spacer(1, 12),
        *(Paragraph(line, body) for line in document.terms.splitlines()),
        *(Paragraph(f"{bank.bank} {bank.iban} {bank.swift}", body) for bank in document.banks),
    ]
    template.build(story, onFirstPage=_foot, onLaterPages=_foot)
    return target.getvalue()


def _operation() -> str:
    return f"quote PDF, {PAGES} pages, page x of y, against bare Platypus"


def _parties(document: QuoteDocument, style: ParagraphStyle) -> Table:
    ship = document.ship_to or document.bill_to
    cells = [
        Paragraph("<br/>".join((party.name, *party.address)), style)
        for party in (document.seller, document.bill_to, ship)
    ]
    return Table([cells])


def _lines(document: QuoteDocument, style: ParagraphStyle) -> Table:
    rows: list[list[str | Paragraph]] = [
        ["", "Description", "Quantity", "Unit price", "Discount", "VAT", "Amount"]
    ]
    rows.extend(
        [
            line.position,
            Paragraph(f"{line.title}<br/>{line.code} · {line.description}", style),
            f"{line.quantity} {line.unit}",
            f"{line.unit_price:,.2f}",
            f"{line.discount_percent}%" if line.discount_percent else "",
            f"{line.tax_rate}%",
            f"{line.net:,.2f}",
        ]
        for line in document.lines
    )
    table = Table(rows, colWidths=_WIDTHS, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), fonts.REGULAR, 9),
                ("FONT", (0, 0), (-1, 0), fonts.SEMIBOLD, 8),
                ("ALIGN", (2, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.6, colors.lightgrey),
            ]
        )
    )
    return table


def _sums(document: QuoteDocument) -> Table:
    sums = document.totals
    rows = [[f"VAT {tax.rate}%", f"{tax.base:,.2f}", f"{tax.tax:,.2f}"] for tax in document.taxes]
    rows.extend(
        ["", label, f"{amount:,.2f}"]
        for label, amount in (
            ("Subtotal", sums.subtotal),
            ("Discount", -sums.discount),
            ("Net amount", sums.base),
            ("VAT", sums.tax),
            ("Total", sums.total),
        )
    )
    table = Table(rows, hAlign="RIGHT")
    table.setStyle(TableStyle([("FONT", (0, 0), (-1, -1), fonts.REGULAR, 9)]))
    return table


def _foot(canvas: Canvas, template: BaseDocTemplate) -> None:
    canvas.setFont(fonts.REGULAR, 8)
    canvas.drawRightString(A4[0] - _MARGIN, 39, f"Page {template.page}")


def _pages(pdf: bytes) -> int:
    with pypdfium2.PdfDocument(pdf) as opened:
        return len(opened)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
