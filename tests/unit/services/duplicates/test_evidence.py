"""Evidence is weighed in the order of R51, and each reason is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from desktop_crm.core import i18n
from desktop_crm.services.duplicates import traits
from desktop_crm.services.duplicates.declared import ACCOUNT, CONTACT, Identity
from desktop_crm.services.duplicates.evidence import (
    QUEUED,
    SHOWN,
    Reason,
    compare,
    name_likeness,
    said,
)


def words(name: str) -> tuple[str, ...]:
    return traits.name_words(CONTACT, name)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Ion Popescu", "Popescu ION", 1.0),
        ("Ștefan Țuțea", "Stefan Tutea", 1.0),
        ("Ion Popescu", "Ion Popesuc", 0.9),
        ("Ion Popescu", "Ion Popesccu", 0.9),
        ("I. Popescu", "Ion Popescu", 0.9),
        ("Ion Mihai Popescu", "Ion Popescu", 0.8),
        ("Ion Popescu", "Vasile Popescu", 0.0),
        ("Ion Popescu", "Ion Dumitrescu", 0.0),
        ("Popescu", "Ion Popescu", 0.0),
        ("", "Ion", 0.0),
    ],
)
def test_names(one: str, other: str, likeness: float) -> None:
    assert name_likeness(words(one), words(other)) == likeness
    assert name_likeness(words(other), words(one)) == likeness


def test_numbers_in_names_never_differ_by_a_slip() -> None:
    def company(name: str) -> tuple[str, ...]:
        return traits.name_words(ACCOUNT, name)

    assert name_likeness(company("Alfa Lighting 17 SRL"), company("S.C. Alfa Lighting 17")) == 1
    assert name_likeness(company("Alfa Lighting 17"), company("Alfa Lighting 18")) == 0
    assert name_likeness(company("Alfa Lighting"), company("Alfa Lighting 18")) == 0


def score(identity: Identity, one: Mapping[str, object], other: Mapping[str, object]) -> int:
    here, there = (traits.of_values(identity, values) for values in (one, other))
    found = compare(here, there, identity)
    assert compare(there, here, identity).score == found.score
    return found.score


ION = {"first_name": "Ion", "last_name": "Popescu"}


def test_the_order_of_the_evidence() -> None:
    tax = score(ACCOUNT, {"name": "A", "tax_id": "RO 123456"}, {"name": "B", "tax_id": "123456"})
    mail = score(CONTACT, {**ION, "email": "i@alfa.ro"}, {**ION, "email": "I@ALFA.ro"})
    domain = score(ACCOUNT, {"name": "Alfa SRL", "website": "www.alfa.ro"},
                   {"name": "Alfa", "emails": [{"address": "office@alfa.ro"}]})  # fmt: skip
    phone = score(CONTACT, {**ION, "phone": "0722 123 456"}, {**ION, "phone": "+40722123456"})
    city = score(CONTACT, {**ION, "city": "Iași"}, {**ION, "city": "IASI"})
    assert tax == 100
    assert tax > mail > domain > phone > city >= SHOWN
    assert min(tax, mail, domain, phone) >= QUEUED > city


def test_a_shared_mailbox_is_shown_but_a_name_decides() -> None:
    other = {"first_name": "Ana", "last_name": "Dumitru", "email": "office@alfa.ro"}
    shared = score(CONTACT, {**ION, "email": "office@alfa.ro"}, other)
    assert SHOWN <= shared < score(CONTACT, {**ION, "email": "o@a.ro"}, {**ION, "email": "o@a.ro"})


def test_what_speaks_against() -> None:
    born = {"birthday": date(1980, 1, 2)}
    son = {"birthday": date(2005, 1, 2)}
    same = {**ION, "phone": "0722 123 456"}
    assert score(CONTACT, {**same, **born}, {**same, **son}) <= 50
    branch = {"name": "Profi", "city": "Iași"}
    assert score(ACCOUNT, branch, {"name": "Profi", "city": "Cluj"}) < QUEUED
    assert score(ACCOUNT, branch, {"name": "Profi SRL", "city": "Iasi"}) >= QUEUED
    taxed = score(ACCOUNT, {**branch, "tax_id": "RO11111"}, {**branch, "tax_id": "RO22222"})
    assert taxed < SHOWN


def test_reasons_are_said_in_the_language() -> None:
    one = traits.of_values(CONTACT, {**ION, "phone": "0722 123 456", "external_id": "7"})
    other = traits.of_values(
        CONTACT, {"first_name": "Ion", "last_name": "Popesuc", "phone": "0722123456",
                  "external_id": "7"}
    )  # fmt: skip
    reasons = compare(one, other, CONTACT).reasons
    assert reasons == (f"{Reason.KEY}:external_id", Reason.PHONE, Reason.SIMILAR_NAME)
    assert said("contact", reasons) == "same external id, same phone, similar name"
    i18n.use_language("ro")
    assert said("contact", reasons[1:]) == "același telefon, nume asemănător"
