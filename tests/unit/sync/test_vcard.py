"""Contact cards are read in every version and written without loss."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import vobject

from desktop_crm.core.errors import UserError
from desktop_crm.sync.formats.ical_values import Unreadable
from desktop_crm.sync.formats.vcard import own_key_of, read_contact, write_contact
from desktop_crm.sync.port import Address, ContactItem, PostalAddress, Sensitivity

FULL = ContactItem(
    uid="u-1",
    full_name="Dr. Ștefan-Andrei Țiriac, jr.",
    first_name="Ștefan",
    last_name="Țiriac; de Sus",
    middle_name="Andrei",
    prefix="Dr.",
    suffix="jr.",
    company="Client, Fiii & Co; SRL",
    job_title="Director",
    department="Vânzări",
    emails=(Address("stefan@client.example"), Address("acasa@client.example")),
    phones=(("mobile", "+40 722 000 111"), ("fax", "021 000"), ("other", "1")),
    addresses=(
        PostalAddress("work", "Str. Lungă 1, et. 2", "010101", "București", "B", "România"),
        PostalAddress("home", "Acasă", "", "Cluj", "", ""),
    ),
    website="https://client.example/a,b",
    birthday=dt.date(1980, 2, 29),
    text="Prima linie\nA doua; cu \\ și, virgulă" + " lung" * 40,
    categories=("Client", "a,b"),
    sensitivity=Sensitivity.PRIVATE,
)


def told(item: ContactItem) -> ContactItem:
    return replace(item, modified_at=None)


def test_a_contact_is_read_as_it_was_written() -> None:
    data = write_contact(FULL, "key-1")
    assert told(read_contact(data)) == FULL
    assert own_key_of(data) == "key-1"
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))


def test_another_library_reads_the_same() -> None:
    card = vobject.readOne(write_contact(FULL, "").decode())
    assert card.fn.value == FULL.full_name
    assert (card.n.value.family, card.n.value.given) == (FULL.last_name, FULL.first_name)
    assert card.org.value == [FULL.company, FULL.department]
    assert card.note.value == FULL.text
    assert card.adr.value.street == FULL.addresses[0].street


OLD = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C8=9Airiac;=C8=98tef=\r\n"
    "an\r\nTEL;CELL;VOICE:0722\r\nEMAIL;INTERNET:A@Client.Example\r\nBDAY:19800229\r\nEND:VCARD\r\n"
)
NEW = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:u-2\r\nFN:Ion Pop\r\nN:Pop;Ion;;;\r\n"
    'TEL;VALUE=uri;TYPE="cell,voice":tel:+40-722\r\nitem1.EMAIL;PREF=1:ion@client.example\r\n'
    "item1.X-ABLabel:Birou\r\nPHOTO:data:image/png;base64,AAAA\r\nBDAY:--0229\r\n"
    "X-SOCIALPROFILE;TYPE=x:y\r\nREV:20260101T000000Z\r\nEND:VCARD\r\n"
)


def test_version_two_is_read_and_not_rewritten() -> None:
    item = read_contact(OLD.encode())
    assert (item.last_name, item.first_name, item.full_name) == (
        "Țiriac",
        "Ștefan",
        "Ștefan Țiriac",
    )
    assert item.phones == (("mobile", "0722"),)
    assert item.emails[0].address.lower() == "a@client.example"
    assert item.birthday == dt.date(1980, 2, 29)
    with pytest.raises(UserError, match=r"version 2\.1"):
        write_contact(item, "k", OLD.encode())


def test_what_is_not_known_stays_and_what_still_holds_stays_as_it_is() -> None:
    item = read_contact(NEW.encode())
    assert item.uid == "u-2"
    assert item.birthday is None
    assert item.phones == (("mobile", "+40-722"),)
    changed = replace(item, job_title="Șef", phones=(*item.phones, ("work", "021")))
    data = write_contact(changed, "k", NEW.encode()).decode()
    for line in (
        "VERSION:4.0", "item1.EMAIL;PREF=1:ion@client.example", "item1.X-ABLabel:Birou",
        "PHOTO:data:image/png;base64,AAAA", "X-SOCIALPROFILE;TYPE=x:y", "UID:urn:uuid:u-2",
        'TEL;VALUE=uri;TYPE="cell,voice":tel:+40-722', "TEL;TYPE=WORK:021", "TITLE:Șef",
    ):  # fmt: skip
        assert data.splitlines().count(line) == 1, line
    assert told(read_contact(data.encode())) == told(changed)
    less = write_contact(replace(changed, emails=(), job_title=""), "k", data.encode()).decode()
    assert "EMAIL" not in less
    assert "TITLE" not in less


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no card",
        b"BEGIN:VCARD\r\nFN:x\r\n",
        b"BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nFN:All\r\nEND:VCARD\r\n",
    ],
)
def test_what_is_no_person_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_contact(data)
