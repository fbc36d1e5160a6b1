"""Words, numbers and dates of a document, in the language of whoever receives it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, translate
from desktop_crm.core.money import exponent
from desktop_crm.services.rules.pricing import TaxCategory

_TAX_NAMES = {
    TaxCategory.EXEMPT: N_("VAT exempt"),
    TaxCategory.REVERSE_CHARGE: N_("Reverse charge"),
    TaxCategory.OUT_OF_SCOPE: N_("Not subject to VAT"),
}

_USUAL_NOTES = {
    TaxCategory.STANDARD: "",
    TaxCategory.ZERO: N_("Supply taxed at the zero rate of VAT."),
    TaxCategory.EXEMPT: N_("Supply exempt from VAT."),
    TaxCategory.REVERSE_CHARGE: N_(
        "Reverse charge: the recipient accounts for the VAT (Directive 2006/112/EC, Article 196)."
    ),
    TaxCategory.OUT_OF_SCOPE: N_("Supply outside the scope of VAT."),
}


class Wording:
    """How one document speaks: language, currency and number formats together."""

    def __init__(self, language: str, currency: str) -> None:
        self._language = language
        self._currency = currency
        self._places = exponent(currency)
        self._formats = Formats(language)

    def __call__(self, text: str, /, **params: object) -> str:
        """The text in the document's language."""
        return translate(self._language, text, **params)

    def amount(self, value: Decimal) -> str:
        """An amount with the decimals of the currency."""
        return self._formats.number(value, self._places)

    def money(self, value: Decimal) -> str:
        """An amount with the currency's code."""
        return f"{self.amount(value)} {self._currency}"

    def price(self, value: Decimal) -> str:
        """A unit price with all the decimals it has, and at least those of the currency."""
        exponent_ = value.normalize().as_tuple().exponent
        own = -exponent_ if isinstance(exponent_, int) else 0
        return self._formats.number(value, max(self._places, own))

    def quantity(self, value: Decimal, unit: str = "") -> str:
        """A quantity and its unit; the units every database starts with are translated."""
        number = self._formats.number(value)
        return f"{number} {translate(self._language, unit)}" if unit else number

    def percent(self, value: Decimal) -> str:
        """A percentage: 19 is shown as 19 %."""
        return self._formats.percent(value)

    def day(self, value: date) -> str:
        """A day of the calendar."""
        return self._formats.date(value)

    def tax_name(self, category: TaxCategory, rate: Decimal) -> str:
        """What a tax group is called: the rate, or why there is none."""
        name = _TAX_NAMES.get(category)
        return self(name) if name else self(N_("VAT {rate}"), rate=self.percent(rate))

    def tax_note(self, category: TaxCategory, note: str) -> str:
        """The legal wording of a tax group: its own, else the usual one of the category."""
        return note or (self(_USUAL_NOTES[category]) if _USUAL_NOTES[category] else "")
