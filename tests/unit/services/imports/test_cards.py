"""Contact cards of three versions and many programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
import vobject

from desktop_crm.core.errors import UserError
from desktop_crm.services.excel.table import ChildRows
from desktop_crm.services.imports import cards, vcard


def values(text: str | bytes) -> list[Mapping[str, object]]:
    data = text.encode() if isinstance(text, str) else text
    table = cards.read(data, "c.vcf")
    return [dict(zip(table.header, row.cells, strict=True)) for row in table.rows]


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


def child(value: object, name: str) -> list[object]:
    assert isinstance(value, ChildRows)
    return [row[name] for row in value.rows]


def test_every_card_of_the_samples_is_read(samples: Path) -> None:
    for path in sorted((samples / "vcard").glob("*.vcf")):
        table = cards.read(path.read_bytes(), path.name)
        assert [row.problem for row in table.rows] == [None], path.name


@pytest.mark.parametrize("name", ["John_Doe_EVOLUTION", "John_Doe_GMAIL"])
def test_a_second_opinion_agrees(samples: Path, name: str) -> None:
    data = (samples / "vcard" / f"{name}.vcf").read_bytes()
    oracle = vobject.readOne(data.decode())

    (found,) = values(data)

    assert found["last_name"] == oracle.n.value.family
    assert found["first_name"] == oracle.n.value.given
    assert found["job_title"] == oracle.title.value
    assert child(found["phones"], "number") == [t.value for t in oracle.contents["tel"]]
    assert child(found["emails"], "address") == [e.value for e in oracle.contents["email"]]


def test_folded_lines_and_escapes_of_version_3() -> None:
    (found,) = values(
        card("N:Pop;Ana Ma", " ria;;Dr.;", "NOTE:one\\, two\\; three\\nfour\\\\", "ORG:A\\;B;Sales")
    )
    assert (found["first_name"], found["last_name"]) == ("Ana Maria", "Pop")
    assert found["salutation"] == "Dr."
    assert found["description"] == "one, two; three\nfour\\"
    assert (found["account"], found["department"]) == ("A;B", "Sales")


def test_quoted_printable_in_another_encoding_of_version_2() -> None:
    (found,) = values(
        card(
            "N;CHARSET=ISO-8859-2;ENCODING=QUOTED-PRINTABLE:Ionescu;=AAtefan",
            "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Prima linie=0D=0A=",
            "a doua =C8=99i gata",
            "TEL;CELL;PREF:0722 333 444",
            version="2.1",
        )
    )
    assert found["first_name"] == "Ştefan"
    assert found["description"] == "Prima linie\na doua și gata"
    assert child(found["phones"], "type") == ["mobile"]


def test_groups_types_and_preference() -> None:
    (found,) = values(
        card(
            "FN:Ana Pop",
            "TEL;TYPE=home,voice:111",
            'TEL;TYPE="work,fax":222',
            "item1.TEL:333",
            "item1.X-ABLabel:Assistant",
            "TEL;TYPE=cell;TYPE=pref:444",
            "EMAIL;TYPE=home:ana@home.example",
            "EMAIL;PREF=1:ANA@Work.example",
            version="4.0",
        )
    )
    assert child(found["phones"], "number") == ["444", "111", "222", "333"]
    assert child(found["phones"], "type") == ["mobile", "home", "fax", "other"]
    assert child(found["phones"], "is_primary") == [True, False, False, False]
    assert child(found["emails"], "address") == ["ana@work.example", "ana@home.example"]


def test_numbers_written_as_links() -> None:
    (found,) = values(card("FN:A B", "TEL;VALUE=uri:tel:+40-21-555;ext=102", version="4.0"))
    assert child(found["phones"], "number") == ["+40-21-555 ext. 102"]


@pytest.mark.parametrize(
    ("line", "day", "note"),
    [
        ("BDAY:1980-03-22", date(1980, 3, 22), None),
        ("BDAY:19800322", date(1980, 3, 22), None),
        ("BDAY:1980-03-22T00:00:00Z", date(1980, 3, 22), None),
        ("BDAY:--0203", None, "Birthday: 03.02. (no year)"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-03", None, "Birthday: 03.02. (no year)"),
        ("BDAY;VALUE=text:about 1960", None, "Birthday: about 1960"),
        ("BDAY:19801332", None, "Birthday: 19801332"),
    ],
)
def test_birthdays(line: str, day: date | None, note: str | None) -> None:
    (found,) = values(card("FN:A B", line))
    assert found["birthday"] == day
    assert found["description"] == note


def test_pictures_and_unknown_lines_do_no_harm() -> None:
    (found,) = values(
        card(
            "FN:A B", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", " SkZJRg==", "X-WHAT:ever", "no colon"
        )
    )
    assert found["last_name"] == "B"


def test_a_broken_card_does_not_disturb_the_next() -> None:
    text = "BEGIN:VCARD\nFN:Lost One\n" + card("FN:Found One") + card("NOTE:nobody") + "junk\n"

    table = cards.read(text.encode(), "c.vcf")

    assert [row.problem for row in table.rows] == [
        "The card has no end (END:VCARD is missing).",
        None,
        "The card has no name.",
        "Text outside a card.",
    ]


def test_an_invalid_address_goes_into_the_notes() -> None:
    (found,) = values(card("FN:A B", "EMAIL:not an address"))
    assert found["emails"] is None
    assert found["description"] == "E-mail, not valid: not an address"


def test_a_card_inside_a_card_is_the_agents_and_not_the_persons() -> None:
    inner = "AGENT:\nBEGIN:VCARD\nFN:Agent Smith\nTEL:999\nEND:VCARD"
    (found,) = values(card("FN:A B", *inner.split("\n"), "TEL:111"))
    assert found["last_name"] == "B"
    assert child(found["phones"], "number") == ["111"]


def test_a_large_picture_takes_no_time_to_unfold() -> None:
    lines = "\r\n ".join(["PHOTO;ENCODING=b:"] + ["A" * 75] * 60_000)
    (found,) = values(card("FN:A B", lines))
    assert found["last_name"] == "B"


def test_a_file_without_cards_is_refused() -> None:
    with pytest.raises(UserError, match="no contact card"):
        cards.read(b"just text\nmore text\n", "c.vcf")


def test_a_quoted_colon_does_not_end_the_parameters() -> None:
    (parsed,) = vcard.cards(card('TEL;X-LABEL="a:b;c";TYPE=work:123').encode())
    found = parsed.first("TEL")
    assert found is not None
    assert found.value == "123"
    assert found.params["X-LABEL"] == "a:b;c"
