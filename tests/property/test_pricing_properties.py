"""What holds for every quote: parts sum to the whole, and the order of lines does not matter."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.services.rules.pricing import (
    Discount,
    DocumentInput,
    LineInput,
    LineKind,
    Tax,
    TaxCategory,
    TaxRounding,
    totals,
)

TAXES = (
    Tax(TaxCategory.STANDARD, Decimal(21), "V21"),
    Tax(TaxCategory.STANDARD, Decimal(11), "V11"),
    Tax(TaxCategory.STANDARD, Decimal("5.5"), "V5"),
    Tax(TaxCategory.ZERO),
    Tax(TaxCategory.REVERSE_CHARGE, note="Reverse charge"),
)

percents = st.decimals(0, 100, places=2)
quantities = st.decimals(0, 500, places=3)
prices = st.decimals(0, 5000, places=4)
lines = st.builds(
    LineInput,
    quantity=quantities,
    unit_price=prices,
    discount=st.builds(Discount, percent=st.none() | percents),
    volume=st.builds(Discount, percent=st.none() | percents),
    tax=st.sampled_from(TAXES),
    kind=st.sampled_from([LineKind.ITEM, LineKind.ITEM, LineKind.OPTIONAL]),
)
documents = st.builds(
    DocumentInput,
    currency=st.sampled_from(["EUR", "JPY", "BHD"]),
    lines=st.lists(lines, max_size=8).map(tuple),
    discount=st.builds(Discount, percent=st.none() | percents),
    freight=st.decimals(0, 100, places=0),
    freight_tax=st.sampled_from(TAXES),
    tax_inclusive=st.booleans(),
    tax_rounding=st.sampled_from(list(TaxRounding)),
)


@given(document=documents)
def test_every_column_adds_up(document: DocumentInput) -> None:
    result = totals(document)
    items = [item for item in result.lines if item.included]
    assert result.total == result.base + result.tax
    assert result.base == sum(group.base for group in result.groups)
    assert result.tax == sum(group.tax for group in result.groups)
    assert result.discount == sum(group.discount for group in result.groups)
    assert result.freight == sum(group.freight for group in result.groups)
    assert result.subtotal == sum(item.net for item in items)
    assert result.line_discount == sum(item.gross - item.net for item in items)
    gross = result.subtotal - result.discount + result.freight
    assert gross == (result.total if document.tax_inclusive else result.base)


@given(document=documents.filter(lambda doc: not doc.freight))
def test_the_lines_carry_the_whole_document_when_there_is_no_freight(
    document: DocumentInput,
) -> None:
    result = totals(document)
    assert sum(item.base for item in result.lines) == result.base
    assert sum(item.tax for item in result.lines) == result.tax


@given(document=documents, random=st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_no_amount(document: DocumentInput, random: object) -> None:
    shuffled = list(document.lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    before, after = totals(document), totals(replace(document, lines=tuple(shuffled)))
    assert (before.total, before.tax, before.groups) == (after.total, after.tax, after.groups)


@given(document=documents)
def test_a_whole_discount_is_exactly_zero(document: DocumentInput) -> None:
    free = replace(document, discount=Discount(percent=Decimal(100)), freight=Decimal(0))
    result = totals(free)
    assert not result.total
    assert not result.tax
    assert not result.base
    assert not any(value.is_signed() for value in (result.total, result.tax, result.base))


@given(document=documents)
def test_the_tax_of_a_rate_is_its_base_times_the_rate(document: DocumentInput) -> None:
    per_rate = replace(document, tax_inclusive=False, tax_rounding=TaxRounding.PER_RATE)
    for group in totals(per_rate).groups:
        unit = Decimal(1).scaleb(group.tax.as_tuple().exponent)  # type: ignore[arg-type]
        assert abs(group.tax - group.base * group.rate / 100) <= unit / 2
