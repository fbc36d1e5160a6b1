"""Signatures as people write them in four languages, and what is no signature."""

from __future__ import annotations

import pytest

from desktop_crm.services.mail import signature as mail_signature

ENGLISH = """Hello Mara,

thanks for the call. Could you send the drawings?

Kind regards,

Sarah O'Connor
Procurement Manager
Shannon Software Ltd
12 Harbour Road, Limerick
Phone: +353 61 123 456 | Mobile: +353 87 765 4321
www.shannon-software.example

On Mon, 23 Nov 2026 at 10:12, Mara Ionescu <mara@firm.example> wrote:
> Dear Sarah,
> Kind regards
> Mara Ionescu
> Sales
"""
ROMANIAN = """Bună ziua,

Vă rog să ne trimiteți oferta până vineri.

Cu stimă,
Ioana Ștefănescu
Director Achiziții
S.C. Dumbrava Mobilă S.R.L.
Str. Fabricii nr. 4, 545300 Reghin, România
Tel: 0265 512 345
Mobil: 0722 123 456

Acest mesaj este confidențial și este destinat numai persoanei căreia îi este adresat.

Pe lun., 23 nov. 2026 la 10:12, Mara Ionescu a scris:
> Stimată doamnă
"""
GERMAN = """Guten Tag Frau Ionescu,

anbei unsere Fragen.

Mit freundlichen Grüßen

Dr. Jonas Müller
Leiter Einkauf

Müller Maschinenbau GmbH
Industriestraße 12
70565 Stuttgart
T: +49 711 2345 678
M: +49 170 1234567
jonas.mueller@mueller-maschinenbau.example

Am 23.11.2026 um 10:12 schrieb Mara Ionescu <mara@firm.example>:
> Sehr geehrter Herr Müller
"""
FRENCH = """Bonjour,

Nous souhaitons recevoir un devis.

Bien cordialement,
Élodie Lefèvre
Responsable des achats
Atelier Lumière SARL
14 rue des Tanneurs, 69001 Lyon, France
Tél. : +33 4 72 12 34 56

Le lun. 23 nov. 2026 à 10:12, Mara Ionescu <mara@firm.example> a écrit :
> Madame
"""


@pytest.mark.parametrize(
    ("text", "name", "first", "last", "job", "company", "city", "phones"),
    [
        (ENGLISH, "Sarah O'Connor", "Sarah", "O'Connor", "Procurement Manager",
         "Shannon Software Ltd", "Limerick", ["+353 61 123 456", "+353 87 765 4321"]),
        (ROMANIAN, "Ștefănescu, Ioana", "Ioana", "Ștefănescu", "Director Achiziții",
         "S.C. Dumbrava Mobilă S.R.L.", "Reghin", ["0265 512 345", "0722 123 456"]),
        (GERMAN, "Jonas Müller", "Jonas", "Müller", "Leiter Einkauf",
         "Müller Maschinenbau GmbH", "Stuttgart", ["+49 711 2345 678", "+49 170 1234567"]),
        (FRENCH, "Élodie Lefèvre", "Élodie", "Lefèvre", "Responsable des achats",
         "Atelier Lumière SARL", "Lyon", ["+33 4 72 12 34 56"]),
    ],
    ids=["English", "Romanian", "German", "French"],
)  # fmt: skip
def test_a_signature_is_understood(
    text: str, name: str, first: str, last: str, job: str, company: str, city: str,
    phones: list[str],
) -> None:  # fmt: skip
    found = mail_signature.read(text, name, "sender@example.example")
    contact, account = found.contact, found.account
    assert (contact["first_name"], contact["last_name"]) == (first, last)
    assert contact["job_title"] == job
    assert account["name"] == company
    assert account.get("city", "") == city
    assert [row["number"] for row in contact["phones"]] == phones
    assert contact["emails"][0] == {
        "address": "sender@example.example", "type": "work", "is_primary": True,
    }  # fmt: skip


def test_the_quoted_signature_is_not_the_senders() -> None:
    block = mail_signature.signature(ENGLISH, "Sarah O'Connor")
    assert "Mara" not in block
    assert block.splitlines()[0] == "Sarah O'Connor"


def test_a_notice_of_the_lawyers_ends_it() -> None:
    assert "confidențial" not in mail_signature.signature(ROMANIAN, "Ioana Ștefănescu")


def test_without_a_greeting_it_begins_at_the_name() -> None:
    text = "Please call me.\n\nJonas Müller\nSales Engineer\n+49 170 1234567\n"
    assert mail_signature.signature(text, "Müller, Jonas") == (
        "Jonas Müller\nSales Engineer\n+49 170 1234567"
    )


def test_without_a_signature_the_header_tells_the_name() -> None:
    found = mail_signature.read("See you on Monday.", "Pop, Dan", "dan.pop@firma.example")
    assert (found.contact["first_name"], found.contact["last_name"]) == ("Dan", "Pop")
    found = mail_signature.read("See you.", "", "dan.pop@firma.example")
    assert (found.contact["first_name"], found.contact["last_name"]) == ("Dan", "Pop")
    assert found.account == {"domain": "firma.example"}


def test_a_signature_of_somebody_else_does_not_name_the_sender() -> None:
    text = "For Ms Stein:\n\nBest regards\nAda Stein\nCEO\n"
    found = mail_signature.read(text, "Front Office", "office@stein.example")
    assert found.contact["last_name"] == "Office"


def test_a_lead_takes_the_same() -> None:
    found = mail_signature.read(GERMAN, "Jonas Müller", "jonas.mueller@mueller.example")
    values = mail_signature.lead_values(found)
    assert values["company"] == "Müller Maschinenbau GmbH"
    assert values["last_name"] == "Müller"
    assert values["emails"][0]["address"] == "jonas.mueller@mueller.example"
    assert len(values["phones"]) == 2


@pytest.mark.parametrize("text", ["", "\n\n", "-- \n", "Kind regards", ">" * 5_000, "a" * 200_000])
def test_hostile_texts_give_nothing(text: str) -> None:
    assert mail_signature.signature(text, "") == ""
