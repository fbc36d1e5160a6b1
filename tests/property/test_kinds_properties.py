"""What is shown can be typed back, whatever the value and the language."""

from __future__ import annotations

import contextlib
import json
import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.core.errors import UserError
from desktop_crm.core.formats import Formats
from desktop_crm.core.text import clean, fold, storable
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import bind
from desktop_crm.models import Opportunity, Product
from desktop_crm.services.values import decode, encode

FORMATS = st.builds(
    Formats,
    st.sampled_from(["en", "ro"]),
    st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Europe/Bucharest"), ZoneInfo("America/New_York")]),
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
PRODUCT, OPPORTUNITY = bind(Product), bind(Opportunity)


MOMENTS = st.integers(0, 7_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


def decimals(places: int, digits: int) -> st.SearchStrategy[Decimal]:
    """Exact numbers of some decimals."""
    top = 10**digits
    return st.integers(-top, top).map(lambda n: Decimal(n).scaleb(-places))


@given(FORMATS, decimals(6, 17))
def test_quantities_and_percentages(formats: Formats, value: Decimal) -> None:
    for kind in (kinds.QUANTITY, kinds.PERCENT):
        assert kind.parse(kind.display(value, formats), formats) == value


@given(FORMATS, decimals(4, 17))
def test_money(formats: Formats, value: Decimal) -> None:
    shown = kinds.MONEY.display(value, formats)
    assert kinds.MONEY.parse(shown, formats) == value
    assert kinds.MONEY.parse(f"{shown} EUR", formats) == value
    assert kinds.MONEY.parse(shown.replace(",", "\u00a0") if formats.language == "en" else shown,
                             formats) == value  # fmt: skip


@given(FORMATS, st.integers(-(2**31), 2**31))
def test_whole_numbers(formats: Formats, value: int) -> None:
    assert kinds.INTEGER.parse(kinds.INTEGER.display(value, formats), formats) == value


@given(FORMATS, st.dates(date(1000, 1, 1)))
def test_days(formats: Formats, value: date) -> None:
    assert kinds.DATE.parse(kinds.DATE.display(value, formats), formats) == value
    assert kinds.DATE.parse(value.isoformat(), formats) == value


@given(FORMATS, MOMENTS)
def test_moments_to_the_minute(formats: Formats, value: datetime) -> None:
    moment = value.replace(second=0)
    twice = [moment + timedelta(hours=h) for h in (-1, 0, 1)]
    typed = kinds.DATETIME.parse(kinds.DATETIME.display(moment, formats), formats)
    if len({kinds.DATETIME.display(m, formats) for m in twice}) == len(twice):
        assert typed == moment
    else:  # the hour that the clock shows twice in autumn
        assert typed in twice


@given(FORMATS, st.booleans())
def test_yes_and_no(formats: Formats, value: bool) -> None:
    assert kinds.BOOLEAN.parse(kinds.BOOLEAN.display(value, formats), formats) is value


@given(FORMATS, TEXT)
def test_texts(formats: Formats, value: str) -> None:
    for kind in (kinds.TEXT, kinds.PHONE, kinds.URL):
        stored = kind.parse(value, formats)
        assert kind.parse(kind.display(stored, formats), formats) == stored
        assert stored == (clean(value) or None)


@given(FORMATS, st.text(max_size=60))
def test_long_texts(formats: Formats, value: str) -> None:
    stored = kinds.MULTILINE.parse(value, formats)
    assert kinds.MULTILINE.parse(kinds.MULTILINE.display(stored, formats), formats) == stored


@given(FORMATS, st.emails())
def test_addresses(formats: Formats, value: str) -> None:
    try:
        stored = kinds.EMAIL.parse(value, formats)
    except UserError:
        return  # legal by the standard, but not what anybody writes
    assert kinds.EMAIL.parse(kinds.EMAIL.display(stored, formats), formats) == stored


@given(FORMATS)
def test_choices_in_either_language(formats: Formats) -> None:
    for entity in (PRODUCT, OPPORTUNITY):
        for field in entity.fields.values():
            for code, _ in field.choices:
                assert field.parse(field.display(code, formats), formats) == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(string.printable, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(FORMATS, JSON)
def test_structures(formats: Formats, value: object) -> None:
    assert kinds.JSON.parse(kinds.JSON.display(value, formats), formats) == value


@given(st.text(max_size=60))
def test_folding_is_settled_at_once_and_blind_to_case(value: str) -> None:
    assert fold(fold(value)) == fold(value)
    assert fold(f"  {value}  ") == fold(value)


@given(st.text(st.sampled_from("ȘșŞşȚțŢţĂăÂâÎîsStTaAiI "), max_size=20))
def test_romanian_letters_fold_to_plain_ones(value: str) -> None:
    assert fold(value).isascii()
    assert fold(value.upper()) == fold(value.lower()) == fold(value)


@given(st.text(st.characters(), max_size=40))
def test_a_storable_text_goes_into_any_database(value: str) -> None:
    stored = storable(value)
    assert stored.encode("utf-8").decode("utf-8") == stored
    assert "\0" not in stored
    assert storable(stored) == stored


@given(decimals(6, 17), decimals(4, 17), st.dates(), st.datetimes(timezones=st.just(UTC)))
def test_the_audit_trail_keeps_values(
    quantity: Decimal, money: Decimal, day: date, moment: datetime
) -> None:
    for field, value in (
        (OPPORTUNITY.fields["probability"], quantity),
        (OPPORTUNITY.fields["amount"], money),
        (OPPORTUNITY.fields["close_on"], day),
        (OPPORTUNITY.fields["modified_at"], moment),
    ):
        assert decode(field, json.loads(json.dumps(encode(value)))) == value


@pytest.mark.parametrize(
    "text",
    ["1e999", "NaN", "-Infinity", "12,3,4.5.6", "²", "١٢x", "0x10", "1_", "9" * 60],
)
def test_nonsense_numbers_are_refused(text: str) -> None:
    for formats in (Formats("en"), Formats("ro")):
        with pytest.raises(UserError):
            kinds.MONEY.parse(text, formats)


@given(FORMATS, TEXT)
def test_any_typed_text_is_read_or_refused_in_a_sentence(formats: Formats, text: str) -> None:
    for kind in tuple(
        {f.kind.name: f.kind for e in registry.all() for f in e.fields.values()}.values()
    ):
        with contextlib.suppress(UserError):  # anything else is a crash
            kind.parse(text, formats)
