"""A message built here reads back as it was written, and is one any server takes."""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes, policy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_crm.core.errors import UserError
from desktop_crm.core.text import clean, storable
from desktop_crm.sync.compose import Answered, Letter, build, build_draft
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.port import Address, Attachment, MailItem
from desktop_crm.sync.writes import Ref
from tests.unit.sync.conftest import AT

ANA = Address("ana@firma.example", "Ana Țîrlea, director")
ION = Address("ion@client.example", 'Ion "Nelu" Pop')
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40


def letter(**changes: object) -> Letter:
    values: dict[str, object] = {
        "sender": ANA, "to": (ION,), "subject": "Ofertă", "text": "Bună ziua",
    }  # fmt: skip
    return Letter(**{**values, **changes})  # type: ignore[arg-type]


def read(**changes: object) -> MailItem:
    return read_message(build(letter(**changes), AT).mime)


def test_it_reads_back_as_it_was_written() -> None:
    sent = build(letter(cc=(Address("lia@nou.example"),), importance="high"), AT)
    item = read_message(sent.mime)
    assert item.message_id == sent.message_id == f"{sent.own_key}@firma.example"
    assert item.own_key == sent.own_key
    assert item.sender == ANA
    assert item.to == (ION,)
    assert item.cc == (Address("lia@nou.example"),)
    assert (item.subject, item.text, item.html) == ("Ofertă", "Bună ziua", "")
    assert item.sent_at == AT
    assert item.importance == "high"
    assert item.remarks == ()
    assert (sent.sender, sent.recipients) == (
        "ana@firma.example",
        ("ion@client.example", "lia@nou.example"),
    )


def test_blind_copies_get_it_and_nobody_reads_who_they_are() -> None:
    boss = Address("boss@firma.example", "Șefa")
    sent = build(letter(bcc=(boss, ION)), AT)
    assert sent.recipients == ("ion@client.example", "boss@firma.example")
    assert b"boss" not in sent.mime
    assert b"bcc" not in sent.mime.lower()
    alone = build(letter(to=(), bcc=(boss,)), AT)
    assert b"To: undisclosed-recipients:;" in alone.mime
    assert read_message(alone.mime).to == ()


def test_an_answer_stands_in_its_thread_whatever_the_identifiers_look_like() -> None:
    outlook = f"DB7PR04MB4123{'A' * 60}@DB7PR04MB4123.eurprd04.prod.outlook.com"
    known = ("first@x", outlook, "bad id@x", "ș@x")
    item = read(answers=Answered("last@x", known))
    assert item.in_reply_to == "last@x"
    assert item.references == ("first@x", outlook, "last@x")
    many = read(answers=Answered("last@x", tuple(f"m{n}@x" for n in range(200))))
    assert len(many.references) == 30
    assert (many.references[0], many.references[-1]) == ("m0@x", "last@x")
    none = read(answers=Answered(""))
    assert (none.in_reply_to, none.references) == ("", ())


def test_pictures_stand_in_the_html_and_files_beside_it() -> None:
    html = '<p>Bună <img src="cid:logo"></p>'
    files = (
        Attachment("Ofertă ștampilată.pdf", "application/pdf", 3, b"PDF"),
        Attachment("note.txt", "text/plain", 4, "ță".encode()),
        Attachment("Mesaj", "message/rfc822", 5, b"From: a@b.example\r\n\r\nx\xff"),
        Attachment("odd", "", 1, b"\x00"),
    )
    item = read(text="", html=html, files=files, pictures=(
        Attachment("logo.png", "image/png", len(PNG), PNG, "logo"),
    ))  # fmt: skip
    assert item.text == "Bună"
    assert "data:image/png;base64," in item.html
    found = {a.name: a.content for a in item.attachments}
    assert found == {
        "logo.png": PNG,
        "Ofertă ștampilată.pdf": b"PDF",
        "note.txt": "ță".encode(),
        "Mesaj.eml": b"From: a@b.example\r\n\r\nx\xff",
        "odd": b"\x00",
    }
    parsed = message_from_bytes(
        build(letter(html=html, files=files), AT).mime, policy=policy.default
    )
    assert parsed.get_content_type() == "multipart/mixed"
    assert next(parsed.iter_parts()).get_content_type() == "multipart/alternative"


def test_nothing_typed_becomes_a_header_of_its_own() -> None:
    evil = "x\r\nBcc: spy@evil.example\r\n\r\nbody"
    sent = build(
        letter(
            subject=evil,
            to=(Address("ion@client.example", evil),),
            files=(Attachment(evil, "text/plain\r\nX-Evil: 1", 1, b"x"),),
        ),
        AT,
    )
    parsed = message_from_bytes(sent.mime, policy=policy.compat32)
    assert "bcc" not in {name.lower() for name in parsed.keys()}  # noqa: SIM118  a message
    assert "x-evil" not in {n.lower() for part in parsed.walk() for n in part.keys()}  # noqa: SIM118
    assert "spy@evil.example" not in sent.recipients


def test_the_date_shows_the_senders_clock() -> None:
    local = AT.astimezone(ZoneInfo("Europe/Bucharest"))
    sent = build(letter(), local)
    assert b"Date: Mon, 02 Mar 2026 10:00:00 +0200\r\n" in sent.mime
    assert read_message(sent.mime).sent_at == AT


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": ()}, "to"),
        ({"to": (Address("Ion", readable=False),)}, "to"),
        ({"cc": (Address("ș@client.example"),)}, "to"),
        ({"bcc": (Address("nobody"),)}, "bcc"),
        ({"files": (Attachment("a", "text/plain", 3),)}, "files"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_control(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(UserError) as refused:
        build(letter(**changes), AT)
    assert refused.value.field == field


def test_a_draft_keeps_its_blind_copies_and_may_have_nobody_yet() -> None:
    boss = Address("boss@firma.example", "Șefa")
    ref = Ref("Drafts", "d")
    draft = build_draft(letter(to=(), bcc=(boss,)), AT, ref)
    item = read_message(draft.mime)
    assert (item.is_draft, item.bcc, item.own_key) == (True, (boss,), draft.own_key)
    assert draft.ref == ref


def test_international_domains_go_out_in_ascii() -> None:
    sent = build(letter(to=(Address("info@müller.example"),)), AT)
    assert sent.recipients == ("info@xn--mller-kva.example",)
    sent.mime.decode("ascii")


LINES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")), max_size=300
)


@settings(deadline=None, max_examples=150)
@given(subject=LINES, name=LINES, text=st.lists(LINES, max_size=8), file=LINES)
def test_words_of_any_language_survive(subject: str, name: str, text: list[str], file: str) -> None:
    body = "\n".join(text)
    files = (Attachment(f"{file[:60]}.bin", "application/octet-stream", 1, b"x"),)
    sent = build(
        letter(subject=subject, text=body, to=(Address("a@b.example", name),), files=files), AT
    )
    assert all(len(line) <= 998 for line in sent.mime.split(b"\r\n"))
    sent.mime.decode("ascii")
    item = read_message(sent.mime)
    assert item.subject == clean(storable(subject))
    assert item.text.split() == body.split()
    assert len(item.attachments) == 1
    assert item.attachments[0].content == b"x"
    assert item.to[0].address == "a@b.example"


@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=500), moment=st.datetimes(
    dt.datetime(1971, 1, 1), dt.datetime(2199, 1, 1), timezones=st.just(dt.UTC)  # noqa: DTZ001
))  # fmt: skip
def test_bytes_of_files_survive(content: bytes, moment: dt.datetime) -> None:
    files = (Attachment("a.bin", "application/octet-stream", len(content), content),
             Attachment("b.txt", "text/plain", len(content), content))  # fmt: skip
    item = read_message(build(letter(files=files), moment).mime)
    assert [a.content for a in item.attachments] == [content, content]
    assert item.sent_at == moment.replace(microsecond=0)


# --- what somebody may try to slip in ----------------------------------------------------------

_EVIL = "\r\nBcc: evil@x.example\r\nX-Evil: 1\n\nbody\u2028X-Evil: 2\x85X-Evil: 3"
SLIPPED: dict[str, dict[str, Any]] = {
    "subject": {"subject": f"a{_EVIL}"},
    "name": {"to": (Address("b@y.example", f"N{_EVIL}"),)},
    "name that looks like another": {"to": (Address("b@y.example", 'N" <evil@x.example>, "'),)},
    "name in code": {"to": (Address("b@y.example", "=?utf-8?q?=0D=0AX-Evil:_1?="),)},
    "sender": {"sender": Address("ana@firma.example", f"Ana{_EVIL}")},
    "file": {"files": (Attachment(f'a"{_EVIL}.txt', f"text/plain{_EVIL}", 1, b"x"),)},
    "thread": {"answers": Answered(f"a@b>{_EVIL}", (f"c@d{_EVIL}", "ok@id"))},
    "importance": {"importance": f"high{_EVIL}"},
}


@pytest.mark.parametrize("case", SLIPPED)
def test_no_line_is_slipped_into_the_header(case: str) -> None:
    written = {"to": (Address("b@y.example"),), **SLIPPED[case]}
    deed = build(letter(**written), AT)
    assert deed.recipients == ("b@y.example",)
    found = message_from_bytes(deed.mime, policy=policy.SMTP)
    assert not {"x-evil", "bcc"} & {name.lower() for part in found.walk() for name in part}
    assert [a.addr_spec for a in found["to"].addresses] == ["b@y.example"]


@pytest.mark.parametrize(
    "written",
    ["<b@y.example>", "mailto:b@y.example", "'b@y.example'", "b@y.example.", "b\u200b@y.example"],
)
def test_an_address_leaves_without_what_was_copied_along(written: str) -> None:
    deed = build(letter(to=(Address(written),)), AT)
    assert deed.recipients == ("b@y.example",)
    assert b"\r\nTo: b@y.example\r\n" in deed.mime


@pytest.mark.parametrize(
    "written",
    [f"b@y.example{_EVIL}", "b@y.example, c@y.example", "b@y.example>, <c@y", "b\x01@y.example"],
)
def test_two_addresses_or_none_are_refused(written: str) -> None:
    with pytest.raises(UserError, match="nothing was sent"):
        build(letter(to=(Address(written),)), AT)
