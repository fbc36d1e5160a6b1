"""Texts are compared as people read them."""

from __future__ import annotations

import pytest

from desktop_crm.core import text


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ștefan ȚUȚEA", "stefan tutea"),
        ("Ştefan Ţuţea", "stefan tutea"),
        ("STRAẞE Straße", "strasse strasse"),
        ("Łódź Øst Æra", "lodz ost aera"),
        ("A\u00a0\u200bB\t\nC", "a b c"),
        ("ﬁn", "fin"),
        ("", ""),
        ("  \0 ", ""),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert text.fold(written) == folded


def test_company_names_without_their_legal_form() -> None:
    forms = ["Alfa SRL", "S.C. Alfa S.R.L.", "ALFA srl.", "Alfa GmbH", "Alfa, Inc."]
    assert {text.fold_company(name).removeprefix("s c ") for name in forms} == {"alfa"}


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (" Ana.Pop@Example.COM ", "ana.pop@example.com"),
        ("<ana@example.com>", "ana@example.com"),
        ("mailto:ana@example.com", "ana@example.com"),
        ("ana@ștefan.example", "ana@xn--tefan-e9b.example"),
        ("ana", None),
        ("ana@example", None),
        ("ana@@example.com", None),
        ("ana pop@example.com", None),
        ("", None),
    ],
)
def test_addresses(written: str, address: str | None) -> None:
    assert text.canonical_email(written) == address


def test_domains() -> None:
    assert text.email_domain("ana@Example.COM") == "example.com"
    assert text.email_domain("ana") == ""


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0722 123 456", "+40722123456"),
        ("+49 (30) 901820", "+4930901820"),
        ("0040 722 123 456", "+40722123456"),
        ("12", None),
        ("call me", None),
    ],
)
def test_phone_numbers(written: str, number: str | None) -> None:
    assert text.canonical_phone(written) == number


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Pop", "AP"),
        ("Ana-Maria Pop", "AP"),
        ("Ana", "AN"),
        ("ș t", "ȘT"),
        (" ", "?"),
        ("", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert text.initials(name) == letters


def test_cleaning() -> None:
    assert text.clean(" a\u00a0\u200b b\r\n\tc\ufeff\0 ") == "a b c"
    assert text.storable("a\0\ud83d\ude00\udc00") == "a😀\ufffd"
