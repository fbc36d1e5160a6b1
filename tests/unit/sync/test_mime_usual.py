"""The fast reader says exactly what the tolerant one says, or leaves the message to it."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_crm.sync.formats import mime
from desktop_crm.sync.formats.mime_usual import read_usual
from desktop_crm.sync.port import MailItem

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60
)
NAMES = st.sampled_from(["Ofertă.pdf", "plan.docx", 'odd"name.txt', "a b.png", "x" * 90 + ".zip"])


def both(data: bytes) -> tuple[MailItem, MailItem]:
    """The message as it is read, and as the tolerant reader alone reads it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mime, "read_usual", lambda _data: None)
        tolerant = mime.read_message(data)
    return mime.read_message(data), tolerant


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    made = EmailMessage()
    made["Message-ID"] = "<m1@x.example>"
    made["From"] = f"{draw(st.sampled_from(['Ion Pop', 'Șerban Țugui', '']))} <ion@client.example>"
    made["To"] = "ana@firma.example, Ștefan <stefan@firma.example>"
    made["Subject"] = draw(WORDS)
    made["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    encoding = draw(st.sampled_from(["7bit", "8bit", "quoted-printable", "base64", None]))
    text = "\n".join(draw(st.lists(WORDS, min_size=1, max_size=8)))
    try:
        made.set_content(text, cte=encoding)
    except ValueError:
        made.set_content(text)
    if draw(st.booleans()):
        html = f"<p>{draw(WORDS)}</p><img src='cid:pic@x'>"
        made.add_alternative(html, subtype="html", cte="quoted-printable")
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.booleans()):
            made.add_attachment(text, filename=draw(NAMES))
            continue
        content = draw(st.binary(max_size=200))
        made.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=draw(NAMES)
        )
    for number, part in enumerate(made.walk()):
        if part.is_multipart():
            part.set_boundary(f"===cut{number}===")
    ending = draw(st.sampled_from([policy.SMTP, policy.default]))
    return made.as_bytes(policy=ending)


@given(messages())
@settings(max_examples=120, deadline=None)
def test_generated_messages_are_read_alike(data: bytes) -> None:
    fast, tolerant = both(data)
    assert fast == tolerant


def test_the_usual_message_takes_the_fast_way() -> None:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "ion@client.example"
    made["Subject"] = "Ofertă"
    made.set_content("Bună ziua", cte="quoted-printable")
    made.add_alternative("<p>Bună ziua</p>", subtype="html", cte="base64")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    usual = read_usual(made.as_bytes())
    assert usual is not None
    assert [leaf.kind for leaf in usual[1]] == ["text/plain", "text/html", "application/pdf"]


@pytest.mark.parametrize(
    "data",
    [
        b"From: a@b.example\nSubject: raw \xc3\xa4\n\nText",
        b"From: a@b.example\nno header\n\nText",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nText\n",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nText\n--x--y\n",
        b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n*not base64*",
        b"From: a@b.example\nContent-Type: text/plain; name*=utf-8''x\n\nText",
        b"From: a@b.example\nContent-Type: message/rfc822\n\nFrom: b@c.example\n\nText",
        b"From: a@b.example\nContent-Type: multipart/encrypted; boundary=x\n\n--x\n\n--x--",
        b"From: a@b.example\nContent-Type: text/plain\nContent-Type: text/html\n\nText",
    ],
)
def test_odd_messages_are_left_to_the_tolerant_reader(data: bytes) -> None:
    assert read_usual(data) is None
    fast, tolerant = both(data)
    assert fast == tolerant
