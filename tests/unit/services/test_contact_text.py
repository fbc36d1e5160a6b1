"""Pasted signatures and contact cards: what is a name, a job, a company, a number, an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.core.errors import UserError
from desktop_crm.services.contact_text import ContactText, read

ROMANIAN = """Cu stimă,
Ioana Mărginean
Director Achiziții
Dumbrava Mobilă SRL
Str. Fabricii nr. 12, 545300 Reghin, România
Tel: 0265 512 340 | Mobil: +40 722 123 456
ioana.marginean@dumbrava-mobila.example
www.dumbrava-mobila.example
CUI: RO 12345678, J26/123/2004"""
FRENCH = """--
Claire Dubois, Head of Purchasing
Atelier Lumière
14 rue des Tanneurs, 69001 Lyon, France
M +33 6 12 34 56 78
E claire.dubois@atelier-lumiere.example  W https://www.atelier-lumiere.example/"""
GERMAN = """Dr. JONAS MÜLLER
Leiter Einkauf
Helvetia Präzision AG
Bahnhofstrasse 5
8001 Zürich
Schweiz
Tel. +41 44 123 45 67 · Fax +41 44 123 45 68 · jonas.mueller@helvetia.example"""
CARD = """BEGIN:VCARD
VERSION:3.0
N:Popescu;Andrei;;ing.;
ORG:Moara Știubei SRL;Producție
TITLE:Inginer
TEL;TYPE=CELL:+40 722 000 111
TEL;TYPE=WORK:0243 555 111
EMAIL:andrei@moara.example
ADR;TYPE=WORK:;;Calea Brăilei 4;Slobozia;;920001;România
URL:https://moara.example
END:VCARD"""


def person(found: ContactText) -> tuple[object, ...]:
    return tuple(found.contact.get(n) for n in ("first_name", "last_name", "job_title"))


def numbers(found: ContactText) -> list[tuple[str, str]]:
    return [(row["type"], row["number"]) for row in found.contact.get("phones", ())]


def place(found: ContactText) -> tuple[object, ...]:
    return tuple(found.account.get(n) for n in ("street", "postal_code", "city", "country"))


def test_a_romanian_signature() -> None:
    found = read(ROMANIAN)
    assert person(found) == ("Ioana", "Mărginean", "Director Achiziții")
    assert found.account["name"] == "Dumbrava Mobilă SRL"
    assert place(found) == ("Str. Fabricii nr. 12", "545300", "Reghin", "România")
    assert numbers(found) == [("work", "0265 512 340"), ("mobile", "+40 722 123 456")]
    assert found.account["tax_id"] == "RO12345678"
    assert found.account["trade_register"] == "J26/123/2004"
    assert found.account["website"] == "www.dumbrava-mobila.example"
    assert found.account["domain"] == "dumbrava-mobila.example"
    assert found.left == ()


def test_name_and_job_in_one_line_and_a_company_known_by_its_domain() -> None:
    found = read(FRENCH)
    assert person(found) == ("Claire", "Dubois", "Head of Purchasing")
    assert found.account["name"] == "Atelier Lumière"
    assert place(found) == ("14 rue des Tanneurs", "69001", "Lyon", "France")
    assert numbers(found) == [("mobile", "+33 6 12 34 56 78")]


def test_capitals_titles_and_a_fax() -> None:
    found = read(GERMAN)
    assert person(found) == ("Jonas", "Müller", "Leiter Einkauf")
    assert found.contact["salutation"] == "Dr."
    assert place(found) == ("Bahnhofstrasse 5", "8001", "Zürich", "Schweiz")
    assert [kind for kind, _number in numbers(found)] == ["work", "fax"]


def test_a_contact_card() -> None:
    found = read(CARD)
    assert person(found) == ("Andrei", "Popescu", "Inginer")
    assert found.account["name"] == "Moara Știubei SRL"
    assert place(found) == ("Calea Brăilei 4", "920001", "Slobozia", "România")
    assert found.contact["department"] == "Producție"
    assert "addresses" not in found.contact


def test_an_address_of_a_public_provider_names_no_company() -> None:
    found = read("Ana Pop\nana.pop@gmail.com\n0722-123-456")
    assert found.account == {}
    assert person(found) == ("Ana", "Pop", None)


def test_a_company_alone_keeps_its_numbers() -> None:
    found = read("Ceramica Văratec SRL\noffice@varatec.example\nTel 0233 740 100")
    assert found.contact == {}
    assert (found.account["email"], found.account["phone"]) == (
        "office@varatec.example",
        "0233 740 100",
    )


def test_the_sender_is_told_from_others_by_the_address() -> None:
    found = read("Maria Enescu\nIoana Mărginean\nioana.marginean@dumbrava.example")
    assert person(found)[:2] == ("Ioana", "Mărginean")
    assert found.left == ("Maria Enescu",)


@pytest.mark.parametrize("text", ["hello there", "", "Best regards,\n--", "BEGIN:VCARD\nEND:VCARD"])
def test_a_text_that_says_nothing_is_refused_with_a_way_on(text: str) -> None:
    with pytest.raises(UserError, match="Nothing was filled in"):
        read(text)


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = read(text)
    except UserError:
        return
    assert found.account or found.contact
