"""The arithmetic of a quote, with the numbers that other programs got wrong."""

from dataclasses import replace
from decimal import Decimal

import pytest

from desktop_crm.core.errors import ValidationFailed
from desktop_crm.core.money import Rounding
from desktop_crm.services.rules.pricing import (
    Discount,
    DocumentInput,
    DocumentTotals,
    LineInput,
    LineKind,
    Tax,
    TaxCategory,
    TaxRounding,
    totals,
)

D = Decimal


def vat(rate: str) -> Tax:
    return Tax(TaxCategory.STANDARD, D(rate), f"V{rate}")


def percent(value: str) -> Discount:
    return Discount(percent=D(value))


def amount(value: str) -> Discount:
    return Discount(amount=D(value))


def line(quantity: str, price: str, tax: Tax | None = None, discount: str = "") -> LineInput:
    return LineInput(
        D(quantity), D(price), percent(discount) if discount else Discount(), tax=tax or vat("19")
    )


def nets(result: DocumentTotals) -> list[str]:
    return [str(item.net) for item in result.lines]


def bases(result: DocumentTotals) -> list[str]:
    return [str(group.base) for group in result.groups]


def taxes(result: DocumentTotals) -> list[str]:
    return [str(group.tax) for group in result.groups]


VECTOR_A = DocumentInput("EUR", (line("1", "97.50"), line("1", "65.00"), line("1", "32.50")))
VECTOR_B = DocumentInput(
    "EUR",
    (
        line("3", "33.33", vat("21"), discount="10"),
        line("1", "49.99", vat("11")),
        line("2", "15.005", vat("21")),
        line("1", "100.00", Tax(TaxCategory.ZERO)),
    ),
    discount=percent("5"),
    freight=D("12.00"),
    freight_tax=vat("21"),
)


def test_the_tax_is_rounded_once_per_rate() -> None:
    assert totals(VECTOR_A).tax == D("37.05")


def test_the_tax_can_be_rounded_per_line_instead() -> None:
    per_line = totals(replace(VECTOR_A, tax_rounding=TaxRounding.PER_LINE))
    assert per_line.tax == D("37.06")
    assert [str(item.tax) for item in per_line.lines] == ["18.53", "12.35", "6.18"]


def test_rates_discount_and_freight_together() -> None:
    result = totals(VECTOR_B)
    assert nets(result) == ["89.99", "49.99", "30.01", "100.00"]
    assert result.subtotal == D("269.99")
    assert result.discount == D("13.50")
    assert [str(group.discount) for group in result.groups] == ["6.00", "2.50", "5.00"]
    assert bases(result) == ["126.00", "47.49", "95.00"]
    assert taxes(result) == ["26.46", "5.22", "0.00"]
    assert str(result.total) == "300.17"


def test_an_amount_is_rounded_half_up_not_cut() -> None:
    assert str(totals(DocumentInput("RON", (line("9.5", "124.75"),))).subtotal) == "1185.13"


def test_a_fixed_discount_stays_what_was_typed() -> None:
    free = Tax(TaxCategory.EXEMPT)
    document = DocumentInput("EUR", (line("1", "84000", free),), discount=amount("70000"))
    assert str(totals(document).total) == "14000.00"


def test_stacked_discounts_multiply() -> None:
    stacked = replace(line("1", "100"), volume=percent("10"), discount=percent("5"))
    assert nets(totals(DocumentInput("EUR", (stacked,)))) == ["85.50"]


def test_a_volume_discount_is_per_unit_and_a_manual_one_per_line() -> None:
    both = replace(line("10", "12.50"), volume=amount("0.25"), discount=amount("2.50"))
    result = totals(DocumentInput("EUR", (both,)))
    assert (result.lines[0].gross, result.lines[0].net) == (D("125.00"), D("120.00"))
    assert result.line_discount == D("5.00")


def test_equal_bases_share_a_discount_by_rate_order() -> None:
    lines = tuple(line("1", "100", vat(rate)) for rate in ("5", "21", "11"))
    result = totals(DocumentInput("EUR", lines, discount=amount("10.00")))
    assert [(str(g.rate), str(g.discount)) for g in result.groups] == [
        ("21", "3.34"),
        ("11", "3.33"),
        ("5", "3.33"),
    ]


@pytest.mark.parametrize("rounding", list(TaxRounding))
def test_prices_that_include_the_tax_stay_the_masters(rounding: TaxRounding) -> None:
    document = DocumentInput(
        "EUR", (line("1", "2500.00", vat("8")),), tax_inclusive=True, tax_rounding=rounding
    )
    result = totals(document)
    assert (result.base, result.tax, result.total) == (D("2314.81"), D("185.19"), D("2500.00"))


def test_inclusive_prices_with_discount_and_freight_end_on_the_gross_sum() -> None:
    result = totals(replace(VECTOR_B, tax_inclusive=True))
    assert result.total == D("269.99") - D("13.50") + D("12.00")
    assert result.base + result.tax == result.total


def test_a_whole_discount_leaves_exactly_nothing() -> None:
    document = replace(VECTOR_B, discount=percent("100"), freight=D(0), freight_tax=None)
    result = totals(document)
    assert str(result.total) == "0.00"
    assert bases(result) == ["0.00"] * 3
    whole_line = totals(DocumentInput("EUR", (line("7", "0.333333", discount="100"),)))
    assert str(whole_line.total) == "0.00"


def test_zero_percent_is_told_apart_by_its_reason() -> None:
    lines = tuple(
        line("1", "10", Tax(category, D(0), category.value, f"note {category}"))
        for category in (
            TaxCategory.OUT_OF_SCOPE,
            TaxCategory.REVERSE_CHARGE,
            TaxCategory.EXEMPT,
            TaxCategory.ZERO,
        )
    )
    result = totals(DocumentInput("EUR", (*lines, line("1", "10", vat("0")))))
    assert [group.category.value for group in result.groups] == ["S", "Z", "E", "AE", "O"]
    assert result.groups[3].note == "note AE"
    assert result.tax == 0


def test_codes_of_one_rate_are_rounded_together() -> None:
    goods, services = Tax(rate=D(19), category=TaxCategory.STANDARD, code="G"), vat("19")
    result = totals(DocumentInput("EUR", (line("1", "0.37", goods), line("1", "0.37", services))))
    assert [group.codes for group in result.groups] == [("G", "V19")]
    assert result.tax == D("0.14")


def test_rows_that_are_no_items_stay_out_of_the_totals() -> None:
    rows = (
        line("1", "100"),
        replace(line("1", "40"), kind=LineKind.OPTIONAL),
        LineInput(kind=LineKind.TEXT),
        LineInput(kind=LineKind.SUBTOTAL),
        replace(line("1", "90"), kind=LineKind.ALTERNATIVE),
        line("2", "10"),
        LineInput(kind=LineKind.SUBTOTAL),
    )
    result = totals(DocumentInput("EUR", rows))
    assert result.subtotal == D("120.00")
    assert result.total == D("142.80")
    assert nets(result) == ["100.00", "40.00", "0", "100.00", "90.00", "20.00", "20.00"]
    assert [item.included for item in result.lines] == [
        True,
        False,
        False,
        False,
        False,
        True,
        False,
    ]


def test_named_groups_have_the_sum_of_their_lines() -> None:
    rows = (
        replace(line("1", "10"), group="Setup"),
        replace(line("1", "20"), group="Service"),
        replace(line("1", "5"), group="Setup"),
        replace(line("1", "99"), group="Setup", kind=LineKind.OPTIONAL),
    )
    result = totals(DocumentInput("EUR", rows, discount=percent("10")))
    assert result.sections == (("Setup", D("15.00")), ("Service", D("20.00")))


def test_freight_without_a_tax_of_its_own_follows_the_goods() -> None:
    rows = (line("1", "100", vat("21")), line("1", "50", vat("11")))
    result = totals(DocumentInput("EUR", rows, freight=D("10.00")))
    assert [str(group.freight) for group in result.groups] == ["6.67", "3.33"]
    assert result.base == D("160.00")


def test_freight_of_free_goods_is_still_divided() -> None:
    rows = (line("1", "30", vat("21")), line("1", "10", vat("11")))
    free = DocumentInput("EUR", rows, discount=percent("100"), freight=D("8.00"))
    assert [str(group.freight) for group in totals(free).groups] == ["6.00", "2.00"]
    nothing = DocumentInput("EUR", (line("1", "0", vat("21")),), freight=D("8.00"))
    assert totals(nothing).base == D("8.00")


def test_freight_may_open_a_rate_of_its_own() -> None:
    result = totals(DocumentInput("EUR", (), freight=D("10"), freight_tax=vat("21")))
    assert (bases(result), str(result.total)) == (["10.00"], "12.10")


def test_a_credit_line_mirrors_a_sale() -> None:
    sale = totals(DocumentInput("EUR", (line("3", "33.33", discount="10"),)))
    credit = totals(DocumentInput("EUR", (line("-3", "33.33", discount="10"),)))
    assert credit.total == -sale.total
    fixed = replace(line("-1", "20"), discount=amount("-5"))
    assert nets(totals(DocumentInput("EUR", (fixed,)))) == ["-15.00"]


def test_the_currency_decides_the_decimals() -> None:
    yen = totals(DocumentInput("JPY", (line("1", "333", vat("10")),)))
    dinar = totals(DocumentInput("BHD", (line("1", "1.2345", vat("10")),)))
    assert (str(yen.total), str(dinar.total)) == ("366", "1.359")


def test_half_even_is_a_choice() -> None:
    document = DocumentInput("EUR", (line("1", "0.125"),))
    assert nets(totals(document)) == ["0.13"]
    assert nets(totals(replace(document, rounding=Rounding.HALF_EVEN))) == ["0.12"]


def test_a_margin_needs_the_cost_of_every_item() -> None:
    rows = (replace(line("2", "10"), unit_cost=D("6")), line("1", "5"))
    assert totals(DocumentInput("EUR", rows)).margin is None
    known = totals(DocumentInput("EUR", (rows[0], replace(rows[1], unit_cost=D(1)))))
    assert (known.cost, known.margin) == (D("13.00"), D("12.00"))
    assert totals(DocumentInput("EUR")).margin is None


def test_the_lines_share_the_tax_of_their_group_exactly() -> None:
    result = totals(VECTOR_A)
    assert [str(item.tax) for item in result.lines] == ["18.53", "12.35", "6.17"]
    assert sum(item.total for item in result.lines) == result.total


@pytest.mark.parametrize(
    ("bad", "field", "row"),
    [
        (replace(line("1", "10"), discount=amount("10.01")), "discount_amount", 1),
        (replace(line("1", "10"), discount=amount("-1")), "discount_amount", 1),
        (replace(line("-1", "10"), discount=amount("1")), "discount_amount", 1),
        (replace(line("1", "10"), volume=amount("11")), "volume_amount", 1),
        (line("1", "10", discount="101"), "discount_percent", 1),
        (replace(line("1", "10"), volume=percent("-1")), "volume_percent", 1),
        (line("1.0000001", "10"), "quantity", 1),
        (line("1", "10.1234567"), "unit_price", 1),
        (line("1", "10", Tax(TaxCategory.EXEMPT, D(19))), "tax_code", 1),
    ],
)
def test_a_line_that_cannot_be_is_named(bad: LineInput, field: str, row: int) -> None:
    with pytest.raises(ValidationFailed) as caught:
        totals(DocumentInput("EUR", (line("1", "10"), bad)))
    first = caught.value.errors[0]
    assert (first.field, first.row) == (field, row)
    assert first.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"discount": amount("10.01")}, "discount_amount"),
        ({"discount": percent("100.5")}, "discount_percent"),
        ({"freight": D(-1)}, "freight_amount"),
        ({"freight": D(1), "lines": ()}, "freight_tax_code"),
        ({"freight": D(1), "freight_tax": Tax(TaxCategory.ZERO, D(5))}, "freight_tax_code"),
    ],
)
def test_a_document_that_cannot_be_is_named(change: dict[str, object], field: str) -> None:
    document = DocumentInput("EUR", (line("1", "10"),))
    with pytest.raises(ValidationFailed) as caught:
        totals(replace(document, **change))  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == [field]


def test_what_is_no_item_is_not_checked() -> None:
    text = replace(line("1", "10"), kind=LineKind.TEXT, discount=amount("99"))
    assert totals(DocumentInput("EUR", (text,))).total == 0


def test_a_discount_is_one_or_the_other() -> None:
    with pytest.raises(ValueError, match="percentage or an amount"):
        Discount(percent=D(1), amount=D(1))
