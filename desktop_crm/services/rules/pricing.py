"""Totals of a quote: one pure calculation for the form, the stored record and the printed page.

Nothing here reads a database or a clock. What a person typed goes in as :class:`DocumentInput`;
out comes a frozen :class:`DocumentTotals` in which every part sums to the whole exactly.

The order of discounts is fixed: price list, volume, manual, document. They multiply, they do not
add. A document is rounded either once per rate or once per line, never both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Final

from desktop_crm.core.errors import FieldError, ValidationFailed
from desktop_crm.core.i18n import N_
from desktop_crm.core.money import EXACT, allocate, round_amount
from desktop_crm.services.rules.pricing_values import (
    NO_DISCOUNT,
    NO_TAX,
    Discount,
    DocumentInput,
    DocumentTotals,
    LineInput,
    LineKind,
    LineTotals,
    Tax,
    TaxCategory,
    TaxGroup,
    TaxRounding,
)

__all__ = [
    "NO_DISCOUNT",
    "NO_TAX",
    "Discount",
    "DocumentInput",
    "DocumentTotals",
    "LineInput",
    "LineKind",
    "LineTotals",
    "Tax",
    "TaxCategory",
    "TaxGroup",
    "TaxRounding",
    "totals",
]

INPUT_PLACES: Final = 6
"""Decimals that quantities and unit prices may have."""

_ZERO: Final = Decimal(0)
_HUNDRED: Final = Decimal(100)


_CATEGORY_ORDER: Final = tuple(TaxCategory)
_PRICED: Final = frozenset({LineKind.ITEM, LineKind.OPTIONAL, LineKind.ALTERNATIVE})


def totals(document: DocumentInput) -> DocumentTotals:
    """Calculate the document by the rules of sale documents.

    Line amounts are rounded first; the document's discount is divided among the tax groups by
    largest remainder; freight is added; the tax is rounded per group or per line.

    Raises:
        ValidationFailed: A discount exceeds what it reduces, a number has too many decimals, or a
            rate contradicts its category. All errors at once, with ``row`` the index of the line.
    """
    with localcontext(EXACT):
        _validate_lines(document)
        return _Calculation(document).result()


@dataclass(slots=True)
class _Part:
    """A line's or the freight's share of a group; ``line`` is None for freight."""

    line: int | None
    amount: Decimal
    discount: Decimal = _ZERO
    tax: Decimal = _ZERO

    @property
    def value(self) -> Decimal:
        return self.amount - self.discount


@dataclass(slots=True)
class _Group:
    category: TaxCategory
    rate: Decimal
    note: str
    codes: set[str] = field(default_factory=set)
    parts: list[_Part] = field(default_factory=list)
    discount: Decimal = _ZERO
    freight: Decimal = _ZERO

    @property
    def lines(self) -> Decimal:
        return _sum(part.amount for part in self.parts if part.line is not None)

    @property
    def value(self) -> Decimal:
        return self.lines - self.discount + self.freight

    @property
    def tax(self) -> Decimal:
        return _sum(part.tax for part in self.parts)


class _Calculation:
    def __init__(self, document: DocumentInput) -> None:
        self._doc = document
        self._lines = [self._line(line) for line in document.lines]
        self._included = [
            index for index, line in enumerate(document.lines) if line.kind is LineKind.ITEM
        ]
        self._groups: dict[tuple[TaxCategory, Decimal, str], _Group] = {}

    def result(self) -> DocumentTotals:
        doc = self._doc
        for index in self._included:
            group = self._group(doc.lines[index].tax)
            group.parts.append(_Part(index, self._lines[index].net))
        subtotal = _sum(self._lines[index].net for index in self._included)
        discount = self._round(doc.discount.taken_from(subtotal))
        _validate_document(doc, subtotal, discount, has_groups=bool(self._groups))
        groups = self._discounted(discount)
        self._add_freight(groups)
        groups = self._ordered()
        for group in groups:
            self._tax(group)
        self._spread()
        frozen = tuple(self._frozen(group) for group in groups)
        base = _sum(group.base for group in frozen)
        tax = _sum(group.tax for group in frozen)
        return DocumentTotals(
            currency=doc.currency,
            lines=tuple(self._with_subtotals()),
            groups=frozen,
            sections=self._sections(),
            subtotal=self._round(subtotal),
            line_discount=self._round(_sum(self._lines[i].discount for i in self._included)),
            discount=discount,
            freight=self._round(doc.freight),
            base=self._round(base),
            tax=self._round(tax),
            total=self._round(base + tax),
            cost=self._cost(),
        )

    def _round(self, value: Decimal) -> Decimal:
        return round_amount(value, self._doc.currency, self._doc.rounding)

    def _line(self, line: LineInput) -> LineTotals:
        if line.kind not in _PRICED:
            return LineTotals(_ZERO, _ZERO, _ZERO, _ZERO, _ZERO, included=False)
        exact = line.quantity * line.unit_price
        gross, net = self._round(exact), self._round(exact - _line_discount(line))
        return LineTotals(gross, gross - net, net, _ZERO, _ZERO, line.kind is LineKind.ITEM)

    def _group(self, tax: Tax) -> _Group:
        key = (tax.category, tax.rate, tax.note)
        group = self._groups.setdefault(key, _Group(*key))
        group.codes.add(tax.code)
        return group

    def _ordered(self) -> list[_Group]:
        return sorted(
            self._groups.values(),
            key=lambda g: (-g.rate, _CATEGORY_ORDER.index(g.category), g.note),
        )

    def _discounted(self, discount: Decimal) -> list[_Group]:
        groups = self._ordered()
        shares = self._allocate(discount, [group.lines for group in groups])
        for group, share in zip(groups, shares, strict=True):
            group.discount = share
            parts = self._allocate(share, [part.amount for part in group.parts])
            for part, taken in zip(group.parts, parts, strict=True):
                part.discount = taken
        return groups

    def _add_freight(self, groups: Sequence[_Group]) -> None:
        freight = self._round(self._doc.freight)
        if not freight:
            return
        if self._doc.freight_tax is not None:
            shares = [(self._group(self._doc.freight_tax), freight)]
        else:
            weights = _weights([g.value for g in groups], [g.lines for g in groups])
            shares = list(zip(groups, self._allocate(freight, weights), strict=True))
        for group, share in shares:
            group.freight = share
            group.parts.append(_Part(None, share))

    def _allocate(self, total: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
        return allocate(total, weights, self._doc.currency)

    def _tax(self, group: _Group) -> None:
        if self._doc.tax_rounding is TaxRounding.PER_LINE:
            for part in group.parts:
                part.tax = self._tax_of(part.value, group.rate)
            return
        weights = [part.value for part in group.parts]
        shares = self._allocate(self._tax_of(group.value, group.rate), weights)
        for part, share in zip(group.parts, shares, strict=True):
            part.tax = share

    def _tax_of(self, value: Decimal, rate: Decimal) -> Decimal:
        divisor = _HUNDRED + rate if self._doc.tax_inclusive else _HUNDRED
        return self._round(value * rate / divisor)

    def _spread(self) -> None:
        for group in self._groups.values():
            for part in group.parts:
                if part.line is None:
                    continue
                line = self._lines[part.line]
                base = self._base(part.value, part.tax)
                self._lines[part.line] = LineTotals(
                    line.gross, line.discount, line.net, base, part.tax, included=True
                )

    def _base(self, value: Decimal, tax: Decimal) -> Decimal:
        return value - tax if self._doc.tax_inclusive else value

    def _frozen(self, group: _Group) -> TaxGroup:
        return TaxGroup(
            category=group.category,
            rate=group.rate,
            note=group.note,
            codes=tuple(sorted(group.codes - {""})),
            lines=self._round(group.lines),
            discount=group.discount,
            freight=group.freight,
            base=self._round(self._base(group.value, group.tax)),
            tax=self._round(group.tax),
        )

    def _with_subtotals(self) -> Iterable[LineTotals]:
        running = _ZERO
        for line, amounts in zip(self._doc.lines, self._lines, strict=True):
            if line.kind is LineKind.SUBTOTAL:
                shown = self._round(running)
                yield LineTotals(_ZERO, _ZERO, shown, _ZERO, _ZERO, included=False)
                running = _ZERO
            else:
                running += amounts.net if amounts.included else _ZERO
                yield amounts

    def _sections(self) -> tuple[tuple[str, Decimal], ...]:
        sums: dict[str, Decimal] = {}
        for index in self._included:
            name = self._doc.lines[index].group
            if name:
                sums[name] = sums.get(name, _ZERO) + self._lines[index].net
        return tuple(sums.items())

    def _cost(self) -> Decimal | None:
        items = [self._doc.lines[index] for index in self._included]
        known = [line.quantity * line.unit_cost for line in items if line.unit_cost is not None]
        return self._round(_sum(known)) if items and len(known) == len(items) else None


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)


def _weights(*candidates: list[Decimal]) -> list[Decimal]:
    """The first list that can divide something, else equal parts."""
    for weights in candidates:
        if _sum(weights):
            return weights
    return [Decimal(1)] * len(candidates[0])


def _line_discount(line: LineInput) -> Decimal:
    gross = line.quantity * line.unit_price
    return _volume_discount(line) + line.discount.taken_from(gross - _volume_discount(line))


def _volume_discount(line: LineInput) -> Decimal:
    if line.volume.amount is not None:
        return line.volume.amount * line.quantity
    return line.volume.taken_from(line.quantity * line.unit_price)


def _validate_lines(document: DocumentInput) -> None:
    errors: list[FieldError] = []
    for row, line in enumerate(document.lines):
        if line.kind in _PRICED:
            errors.extend(_line_errors(line, row))
    if errors:
        raise ValidationFailed(tuple(errors))


def _line_errors(line: LineInput, row: int) -> Iterable[FieldError]:
    for name, value in (("quantity", line.quantity), ("unit_price", line.unit_price)):
        if _places(value) > INPUT_PLACES:
            yield FieldError(
                name,
                N_("A number may have at most {places} decimals."),
                (("places", INPUT_PLACES),),
                row,
            )
    yield from _percent_errors("discount_percent", line.discount, row)
    yield from _percent_errors("volume_percent", line.volume, row)
    gross = line.quantity * line.unit_price
    if not _within(_volume_discount(line), gross):
        yield FieldError(
            "volume_amount", N_("The volume discount is larger than the price."), (), row
        )
    elif not _within(_line_discount(line), gross):
        yield FieldError(
            "discount_amount", N_("The discount is larger than the line's amount."), (), row
        )
    yield from _tax_errors("tax_code", line.tax, row)


def _percent_errors(name: str, discount: Discount, row: int | None) -> Iterable[FieldError]:
    if discount.percent is not None and not _ZERO <= discount.percent <= _HUNDRED:
        yield FieldError(name, N_("A discount is between 0 and 100 percent."), (), row)


def _tax_errors(name: str, tax: Tax, row: int | None) -> Iterable[FieldError]:
    if tax.rate < 0 or (tax.rate and tax.category is not TaxCategory.STANDARD):
        yield FieldError(
            name,
            N_("Tax category {category} does not go with a rate of {rate} percent."),
            (("category", tax.category.value), ("rate", tax.rate)),
            row,
        )


def _validate_document(
    document: DocumentInput, subtotal: Decimal, discount: Decimal, *, has_groups: bool
) -> None:
    errors = list(_percent_errors("discount_percent", document.discount, None))
    if not errors and not _within(discount, subtotal):
        errors.append(
            FieldError("discount_amount", N_("The discount is larger than the sum of the lines."))
        )
    if document.freight < 0:
        errors.append(FieldError("freight_amount", N_("The freight cannot be negative.")))
    if document.freight_tax is not None:
        errors.extend(_tax_errors("freight_tax_code", document.freight_tax, None))
    elif document.freight and not has_groups:
        errors.append(
            FieldError(
                "freight_tax_code", N_("Choose a tax code for the freight: there are no lines.")
            )
        )
    if errors:
        raise ValidationFailed(tuple(errors))


def _within(part: Decimal, whole: Decimal) -> bool:
    """The part has the sign of the whole, or is zero, and is not larger."""
    return _ZERO <= part <= whole if whole >= 0 else whole <= part <= _ZERO


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
