"""Amounts as people type them and as spreadsheets show them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.spelling import read_decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2,000.75", "2000.75"),
        ("2.000,75 RON", "2000.75"),
        ("RON 2.000,75", "2000.75"),
        ("€ 2,000.75", "2000.75"),
        ("2.000,75\u00a0€", "2000.75"),
        ("1.234,50 lei", "1234.50"),
        ("$5", "5"),
        ("-$5", "-5"),
        ("€-5", "-5"),
        ("-5 €", "-5"),
        ("(1,234.50)", "-1234.50"),
        ("(1,234.50 €)", "-1234.50"),
        ("55%", "55"),
    ],
)
def test_amounts_of_spreadsheets_are_read(text: str, value: str) -> None:
    assert read_decimal(text, Formats("en"), None) == Decimal(value)


@pytest.mark.parametrize("text", ["EUR", "%", "€", "()", "5 €€", "5 pieces", "RON RON"])
def test_what_is_no_number_is_not_taken_for_an_empty_one(text: str) -> None:
    with pytest.raises(UserError, match="is not a number"):
        read_decimal(text, Formats("en"), None)


def test_nothing_is_no_number() -> None:
    assert read_decimal(" ", Formats("en"), None) is None
