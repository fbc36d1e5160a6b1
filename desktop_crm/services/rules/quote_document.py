"""A quote as it goes on paper: every value already read, calculated and put in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from desktop_crm.services.rules.pricing import LineKind, TaxCategory


@dataclass(frozen=True, slots=True)
class Seller:
    """The own company as its documents show it."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    trade_register: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Who is billed or where goods go; ``person`` is a contact's name."""

    name: str
    address: tuple[str, ...] = ()
    person: str = ""
    tax_id: str = ""
    trade_register: str = ""


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank account to pay to."""

    iban: str
    bank: str = ""
    swift: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One row of the quote, with the amounts that were stored."""

    kind: LineKind
    title: str
    position: str = ""
    code: str = ""
    description: str = ""
    group: str = ""
    quantity: Decimal = Decimal(0)
    unit: str = ""
    unit_price: Decimal = Decimal(0)
    discount_percent: Decimal | None = None
    discount: Decimal = Decimal(0)
    tax_category: TaxCategory = TaxCategory.OUT_OF_SCOPE
    tax_rate: Decimal = Decimal(0)
    net: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PrintedTax:
    """One row of the table of taxes; ``note`` is the legal wording, empty for the usual one."""

    category: TaxCategory
    rate: Decimal
    base: Decimal
    tax: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class PrintedTotals:
    """The sums below the lines, as stored with the quote."""

    subtotal: Decimal
    discount: Decimal
    freight: Decimal
    base: Decimal
    tax: Decimal
    total: Decimal
    discount_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QuoteDocument:
    """Everything a printed quote says.

    Attributes:
        number: Without its revision; empty while a draft has none.
        revision: 0 for the first; later ones are printed beside the number.
        draft: Not activated: marked as a draft on each page.
        language: Of the customer, ``en`` or ``ro``.
        currency: ISO 4217 code of all amounts.
        issued_on: The day on the paper, also the document's creation date.
        tax_inclusive: Line amounts include the tax.
    """

    number: str
    revision: int
    draft: bool
    language: str
    currency: str
    issued_on: date
    seller: Seller
    bill_to: Party
    lines: tuple[PrintedLine, ...]
    taxes: tuple[PrintedTax, ...]
    totals: PrintedTotals
    title: str = ""
    ship_to: Party | None = None
    expires_on: date | None = None
    prepared_by: str = ""
    payment_terms: str = ""
    delivery: str = ""
    terms: str = ""
    banks: tuple[Bank, ...] = ()
    tax_inclusive: bool = False
    sections: tuple[tuple[str, Decimal], ...] = ()

    @property
    def label(self) -> str:
        """Number and revision as people quote them: ``Q-2026-0042 Rev 2``."""
        return f"{self.number} Rev {self.revision}" if self.revision else self.number
