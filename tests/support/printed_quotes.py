"""Quotes to print, made by the same calculation that the product uses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from desktop_crm.services.rules.pricing import (
    NO_DISCOUNT,
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

V21 = Tax(TaxCategory.STANDARD, Decimal(21), "V21")
V11 = Tax(TaxCategory.STANDARD, Decimal(11), "V11")
ZERO = Tax(TaxCategory.ZERO, code="Z")
REVERSE = Tax(TaxCategory.REVERSE_CHARGE, code="AE")

SELLER = Seller(
    name="Atelierul de Lumină SRL",
    address=("Strada Ștefan cel Mare 12", "030167 București", "România"),
    tax_id="RO12345674",
    trade_register="J40/1234/2019",
    phone="+40 21 555 01 23",
    email="oferte@atelier-lumina.example",
    website="atelier-lumina.example",
)
BUYER = Party(
    name="Brânzeturi Țărănești SA",
    address=("Bulevardul Unirii 7, etaj 3", "500123 Brașov", "România"),
    person="Ioana Măgureanu",
    tax_id="RO98765432",
)
SHIP = Party(name="Depozit Făgăraș", address=("Șoseaua Combinatului 44", "505200 Făgăraș"))
TERMS = (
    "Prices hold for the quantities named here.\n"
    "Payment within 30 days of the invoice, delivery two weeks after the order."
)

_WARES = (
    ("Desk lamp Lună, brass", "LN-100-BR", "Dimmable LED, 2700 K, E27, 1.8 m textile cable."),
    ("Floor lamp Vară", "VR-220", ""),
    ("Installation on site", "SRV-INST", "Two fitters, one day, travel included."),
    ("Pendant Pădure, oak and linen", "PD-310", "Diameter 60 cm, made to order."),
)


def wares(
    count: int, taxes: Sequence[Tax] = (V21, V11, V21)
) -> list[tuple[LineInput, PrintedLine]]:
    """As many lines as asked for, with rates in turn."""
    made = []
    for index in range(count):
        title, code, text = _WARES[index % len(_WARES)]
        tax = taxes[index % len(taxes)]
        price = Decimal("49.99") + Decimal(index) * Decimal("13.37")
        typed = LineInput(
            quantity=Decimal(index % 7 + 1),
            unit_price=price,
            discount=Discount(percent=Decimal(10)) if index % 5 == 2 else Discount(),
            tax=tax,
        )
        printed = PrintedLine(
            LineKind.ITEM,
            title,
            str(index + 1),
            code,
            text,
            unit="pcs",
            discount_percent=typed.discount.percent,
        )
        made.append((typed, printed))
    return made


def quote(
    rows: Sequence[tuple[LineInput, PrintedLine]],
    *,
    language: str = "en",
    discount: Discount = NO_DISCOUNT,
    freight: str = "0",
    tax_inclusive: bool = False,
    **changes: object,
) -> QuoteDocument:
    """A calculated quote; ``changes`` replace fields of the document."""
    typed = DocumentInput(
        "EUR",
        tuple(row[0] for row in rows),
        discount=discount,
        freight=Decimal(freight),
        freight_tax=V21 if Decimal(freight) else None,
        tax_inclusive=tax_inclusive,
    )
    sums = totals(typed)
    lines = tuple(
        replace(
            printed,
            kind=line.kind,
            group=line.group,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax_category=line.tax.category,
            tax_rate=line.tax.rate,
            discount=amounts.discount,
            net=amounts.net,
        )
        for (line, printed), amounts in zip(rows, sums.lines, strict=True)
    )
    document = QuoteDocument(
        number="Q-2026-0042",
        revision=0,
        draft=False,
        language=language,
        currency="EUR",
        issued_on=date(2026, 11, 20),
        expires_on=date(2026, 12, 20),
        title="Lighting of the new head office",
        seller=SELLER,
        bill_to=BUYER,
        ship_to=SHIP,
        prepared_by="Andrei Ștefănescu",
        payment_terms="30 days net",
        terms=TERMS,
        banks=(
            Bank("RO49AAAA1B31007593840000", "Banca Exemplu", "EXMPROBU", "RON"),
            Bank("RO09BCYP0000001234567890", "Banca Exemplu", "EXMPROBU", "EUR"),
        ),
        lines=lines,
        taxes=tuple(PrintedTax(g.category, g.rate, g.base, g.tax, g.note) for g in sums.groups),
        totals=PrintedTotals(
            sums.subtotal,
            sums.discount,
            sums.freight,
            sums.base,
            sums.tax,
            sums.total,
            discount.percent,
        ),
        tax_inclusive=tax_inclusive,
        sections=sums.sections,
    )
    return replace(document, **changes)  # type: ignore[arg-type]
