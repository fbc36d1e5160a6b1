"""Names, tax ids and domains are compared as people mean them (R51)."""

from __future__ import annotations

import pytest

from desktop_crm.core import sameness


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("RO 1234567", ("ro", "1234567")),
        ("ro1234567", ("ro", "1234567")),
        ("1 234 567", ("", "1234567")),
        ("CUI: RO 1234567", ("ro", "1234567")),
        ("DE 136 695 976", ("de", "136695976")),
        ("CHE-123.456.789 MWST", ("ch", "123456789")),
        ("EL094259216", ("gr", "094259216")),
        ("B12345678", ("", "B12345678")),
        ("n/a", ("", "")),
        ("0000", ("", "")),
        ("", ("", "")),
    ],
)
def test_tax_ids(written: str, parts: tuple[str, str]) -> None:
    assert sameness.tax_parts(written) == parts


def test_two_countries_tell_equal_numbers_apart() -> None:
    assert sameness.same_tax("RO 1234567", "1234567")
    assert sameness.same_tax("RO1234567", "ro 1234567")
    assert not sameness.same_tax("RO1234567", "BG1234567")
    assert not sameness.same_tax("", "")


@pytest.mark.parametrize(
    "written",
    ["S.C. ȘTEFAN & FIII S.R.L.", "Ştefan & Fiii SRL", "stefan fiii s.r.l.-d", "Stefan-Fiii Ltd."],
)
def test_companies(written: str) -> None:
    assert sameness.company_key(written) == "stefan fiii"


def test_a_name_of_nothing_but_a_legal_form_stays() -> None:
    assert sameness.company_key("S.A.") == "s a"
    assert sameness.company_key("SC") == "sc"


def test_people_are_sought_by_the_last_name() -> None:
    assert sameness.person_key("Ana-Maria  Țuțea") == "tutea ana maria"
    assert sameness.person_key("Cher") == "cher"
    assert sameness.person_key("") == ""


def test_public_domains_say_nothing() -> None:
    assert "gmail.com" in sameness.public_domains()
    assert sameness.domain_of("https://www.alfa.ro/contact") == "alfa.ro"
