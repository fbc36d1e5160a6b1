from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

import pytest

from desktop_crm.sync.formats import mail_header
from desktop_crm.sync.formats.mail_body import clean_html, text_of
from desktop_crm.sync.formats.mime import Unusable, read_message
from desktop_crm.sync.port import Sensitivity

UTC = dt.UTC


def message(*lines: str | bytes) -> bytes:
    return b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines)


# --- real messages -----------------------------------------------------------------------------


def test_every_sample_is_read(samples: Path) -> None:
    files = sorted((samples / "mail").glob("*.eml"))
    assert len(files) >= 50
    for path in files:
        item = read_message(path.read_bytes())
        assert item.message_id, path.name
        assert "\x00" not in item.text + item.html + item.subject, path.name
        for person in item.participants:
            person.address.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rfc2822__example13", ("Saying Hello", "jdoe@machine.example")),
        ("plain_emails__raw_email_incorrect_header", (None, "xxx@xxx.xxx")),
        ("multi_charset__japanese_iso_2022", ("まみむめも", "raasdnil@gmail.com")),
        ("mime_emails__two_from_in_message", (None, "tester1@test.com")),
        ("rfc6532__utf8_headers", ("Säying Hello", "jdöe@xn--mchine-bua.example")),
        ("attachment_emails__attachment_with_quoted_filename", ("Eelanalüüsi päring", None)),
    ],
)
def test_headers_of_samples(
    samples: Path, name: str, expected: tuple[str | None, str | None]
) -> None:
    item = read_message((samples / "mail" / f"{name}.eml").read_bytes())
    subject, sender = expected
    assert subject is None or item.subject == subject
    assert sender is None or (item.sender is not None and item.sender.address == sender)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("attachment_nonascii_filename", "ciële.txt"),
        ("attachment_with_base64_encoded_name", "This is a test.pdf"),
        ("attachment_message_rfc822", "ForwardedMessage.eml"),
        ("attachment_pdf", "broken.pdf"),
    ],
)
def test_attachments_of_samples(samples: Path, name: str, file: str) -> None:
    path = samples / "mail" / f"attachment_emails__{name}.eml"
    item = read_message(path.read_bytes())
    assert file in [part.name for part in item.attachments]


# --- what is no message ------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b" \r\n\r\n", b"%PDF-1.7\n\n\x00\x01", b"PK\x03\x04 zip"])
def test_bytes_that_are_no_message(data: bytes) -> None:
    with pytest.raises(Unusable):
        read_message(data)


def test_a_body_without_an_empty_line_before_it() -> None:
    item = read_message(b"From: a@b.example\nSubject: Hi\nThis is the body.\nAnd more: really.\n")
    assert item.subject == "Hi"
    assert item.text.startswith("This is the body.")


def test_parts_nested_without_end() -> None:
    deep = b"From: a@b.example\r\n"
    for n in range(200):
        deep += b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
    assert read_message(deep + b"\r\nend").sender is not None


# --- header ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        ("Ion Pop <ION@Client.Example>", "ion@client.example", "Ion Pop"),
        ('"Pop, Ion" <ion@c.example>', "ion@c.example", "Pop, Ion"),
        ("ion@c.example (Ion Pop)", "ion@c.example", "Ion Pop"),
        ("<ion@c.example>", "ion@c.example", ""),
        ("=?UTF-8?B?SW9uIMiY?= <ion@c.example>", "ion@c.example", "Ion Ș"),
        ("=?utf-8?Q?Ion_=3Cion@c.example=3E?=", "ion@c.example", "Ion"),
        ("Ion ion@c.example", "ion@c.example", ""),
        ("ion@țară.example", "ion@xn--ar-xka4v.example", ""),
        ("jdoe@test  . example", "jdoe@test.example", ""),
    ],
)
def test_addresses(written: str, address: str, name: str) -> None:
    (found,) = mail_header.addresses(written)
    if "xn--" in address:
        assert found.address.startswith("ion@xn--")
    else:
        assert found.address == address
    assert found.name == name
    assert found.readable


def test_lists_groups_and_unreadable_addresses() -> None:
    found = mail_header.addresses("Team: a@x.example, B <b@x.example>;, nobody, undisclosed:;")
    assert [(a.address, a.readable) for a in found] == [
        ("a@x.example", True),
        ("b@x.example", True),
        ("nobody", False),
    ]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Mon, 2 Mar 2026 10:00:00 +0200", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2 Mar 2026 08:00:00 GMT (comment)", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("Mon, 2 Mar 2026 8 : 00 : 00 -0000", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T08:00:00Z", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("Mon, 30 Jun 3609 15:33:50 +0600", None),
        ("Pn, 29 paX 2007 21:13:00 +0100", None),
        ("", None),
        ("0", None),
        ("Mon, 99 Mar 2026 25:61:00 +9999", None),
    ],
)
def test_dates(written: str, moment: dt.datetime | None) -> None:
    assert mail_header.moment(written) == moment


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("=?ISO-8859-2?Q?=BAedin=FE=E3?=", "şedinţă"),
        ("=?utf-8?B?yJg=?= =?utf-8?B?yJo=?=", "ȘȚ"),
        ("=?utf-8?Q?=C8?= =?utf-8?Q?=98?=", "Ș"),
        ("=?utf-8?B?broken?= tail", None),
        ("=?no-such-charset?Q?abc?=", "abc"),
        ("plain  text", "plain text"),
    ],
)
def test_encoded_words(written: str, text: str | None) -> None:
    found = mail_header.decode_words(written)
    assert text is None or found == text


def test_message_ids() -> None:
    assert mail_header.message_id("<a@b>") == "a@b"
    assert mail_header.message_id("<1234   @   local(blah)  .machine .example>") == (
        "1234@local.machine.example"
    )
    assert mail_header.message_id("no-brackets") == "no-brackets"
    assert mail_header.message_ids("<a@b> junk <c@d>\r\n <a@b>") == ("a@b", "c@d")
    assert mail_header.message_ids("Your message of Monday") == ()


def test_a_message_without_an_id_is_known_by_what_it_says() -> None:
    first = message("From: a@b.example", "Date: Mon, 2 Mar 2026 08:00:00 +0000", "", "Text")
    again = message("from: A@B.EXAMPLE", "date: Mon, 2 Mar 2026 10:00:00 +0200", "", "Text", "")
    other = message("From: a@b.example", "Date: Mon, 2 Mar 2026 08:00:00 +0000", "", "Other")
    ids = [read_message(data) for data in (first, again, other)]
    assert ids[0].message_id == ids[1].message_id != ids[2].message_id
    assert not ids[0].has_message_id


def test_the_headers_the_rules_ask_for_are_kept() -> None:
    item = read_message(
        message(
            "From: a@b.example",
            "Auto-Submitted: auto-replied",
            "List-Id: <x>",
            "Sensitivity: Company-Confidential",
            "Importance: High",
            "Keywords: Client, Ofert=?x?=",
            "X-Unknown: gone",
            "",
            "",
        )
    )
    assert item.header("auto-submitted") == "auto-replied"
    assert item.header("list-id") == "<x>"
    assert item.header("x-unknown") == ""
    assert item.sensitivity is Sensitivity.CONFIDENTIAL
    assert item.importance == "high"
    assert item.categories == ()  # it is the sender who said that


# --- body --------------------------------------------------------------------------------------


def test_html_is_harmless_and_loads_nothing() -> None:
    html = clean_html(
        '<html><head><title>t</title><style>p{}</style></head><body onload="x()">'
        "<script>alert(1)</script><p style=\"color:red;background:url('http://a/b')\">Hi"
        '<img src="http://track.example/p.png"><a href="javascript:x()">j</a>'
        '<a href="https://ok.example">ok</a><form action="/x"><input></form>'
        '<table background="http://a/t.png"><tr><td width="5">c</td></tr></table></p></body>'
    )
    assert '<img src="remote:http://track.example/p.png">' in html  # no viewer loads that
    for word in (
        "script",
        "onload",
        'src="http',
        "url(",
        "javascript",
        "form",
        "background=",
        "title",
    ):
        assert word not in html, word
    assert 'href="https://ok.example"' in html
    assert "color:red" in html.replace(" ", "")


def test_pictures_that_came_with_the_message_are_in_the_body() -> None:
    item = read_message(
        message(
            "From: a@b.example",
            "MIME-Version: 1.0",
            'Content-Type: multipart/related; boundary="b"',
            "",
            "--b",
            "Content-Type: text/html; charset=utf-8",
            "",
            '<p>Hi <img src="cid:logo@x"><img src="cid:other"><img src="data:text/html,x"></p>',
            "--b",
            "Content-Type: image/png",
            "Content-ID: <logo@x>",
            "Content-Transfer-Encoding: base64",
            "",
            "aGVsbG8=",
            "--b--",
            "",
        )
    )
    assert item.html.count('src="data:image/png;base64,aGVsbG8="') == 1
    assert item.html.count("src=") == 1
    assert item.text == "Hi"


def test_text_is_made_from_html() -> None:
    assert text_of("<p>One</p><ul><li>Two</li></ul>").split() == ["One", "*", "Two"]
    assert text_of("") == ""
    assert text_of("<?xml version='1.0' encoding='utf-8'?><p>x</p>") == "x"


@pytest.mark.parametrize(
    ("charset", "data"),
    [
        ("iso-8859-2", "ședință".replace("ș", "ş").replace("ț", "ţ").encode("iso-8859-2")),
        ("utf-8", "ședință".encode()),
        ("", "ședință".encode()),
        ("us-ascii", "ședință".encode()),
        ("windows-1250", "şedinţă".encode("cp1250")),
    ],
)
def test_bodies_in_any_charset(charset: str, data: bytes) -> None:
    kind = f"Content-Type: text/plain; charset={charset}" if charset else "X-A: b"
    item = read_message(message("From: a@b.example", kind, "", data))
    assert item.text.replace("ş", "ș").replace("ţ", "ț") == "ședință"


def test_a_broken_boundary_leaves_the_text() -> None:
    item = read_message(
        message("From: a@b.example", 'Content-Type: multipart/mixed; boundary="no"', "", "Text")
    )
    assert item.text == "Text"
    assert item.remarks


@pytest.mark.parametrize(
    "head",
    [
        'Content-Type: multipart/encrypted; boundary="b"',
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data",
        "Content-Type: application/x-pkcs7-mime; name=smime.p7m",
    ],
)
def test_encrypted_messages_say_so(head: str) -> None:
    item = read_message(message("From: a@b.example", "Subject: S", head, "", "secret"))
    assert item.encrypted
    assert (item.text, item.attachments) == ("", ())


def test_pgp_in_the_text_is_encrypted_too() -> None:
    item = read_message(message("From: a@b.example", "", "-----BEGIN PGP MESSAGE-----", "x"))
    assert item.encrypted


def test_a_file_name_leads_nowhere() -> None:
    item = read_message(
        message(
            "From: a@b.example",
            "Content-Type: application/octet-stream",
            'Content-Disposition: attachment; filename="..\\\\..\\\\etc/pass|wd"',
            "",
            "x",
        )
    )
    assert item.attachments[0].name == "pass_wd"


# --- messages made to do harm ------------------------------------------------------------------

DEEP = 30_000
HARMFUL = {
    "tags within tags": "<div>" * DEEP,
    "lists within lists": "<ul><li>" * DEEP,
    "quotations": "<blockquote>" * DEEP,
    "attributes that look like ends": "<div title='</div>'>" * DEEP,
    "formatting opened anew in each paragraph": "".join(f"<p><b class={n}>" for n in range(DEEP)),
    "scripts without an end": "<div>" * DEEP + "<script>" * DEEP,
}


@pytest.mark.parametrize("case", HARMFUL)
def test_html_nested_without_end_is_read_in_one_go(case: str) -> None:
    """Its sanitiser alone would take minutes for each of them."""
    head = ("From: a@x.example", "Message-ID: <m@x>", "Content-Type: text/html", "", "")
    before = time.process_time()
    item = read_message(message(*head, f"before{HARMFUL[case]}after"))
    assert time.process_time() - before < 10
    assert item.text.startswith("before")
    assert len(item.html) < 4_000_000


def test_a_long_page_is_sanitised_like_a_short_one() -> None:
    rows = "".join(
        f"<tr><td>Row {n} &lt;<b>bold</b> <img src='https://x.example/{n}.png'>"
        f"<script>alert({n})</script><a href='javascript:x'>y</a></td></tr>"
        for n in range(600)
    )
    html = clean_html(f"<?xml version='1.0'?><html><body><table>{rows}</table></body></html>")
    assert html.count("<td>") == html.count('src="remote:https://x.example/') == 600
    assert "Row 599 &lt;<b>bold</b>" in html
    for word in ("script", "alert", "html>", "<body"):
        assert word not in html


def test_a_text_too_deep_for_its_layout_is_read_all_the_same() -> None:
    page = "<head><title>no</title></head><style>p{}</style>" + "<div>" * 400 + "deep &amp; dark"
    assert text_of(page) == "deep & dark"


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Type: multipart/mixed; boundary=b", "", *("--b", "") * 1_000, "--b--"),
        tuple(
            line
            for n in range(1_000)
            for line in (f"Content-Type: multipart/mixed; boundary=b{n}", "", f"--b{n}")
        ),
        ("Content-Type: message/rfc822", "") * 1_000,
        (f"Subject: {'x' * 5_000_000}", "", "text"),
        (f"Cc: {'(' * 100_000}a@b.example", "", "text"),
        (f"References: {'<a@b> ' * 100_000}", "", "text"),
        (f"Date: {'1 ' * 20_000}", "", "text"),
        ("Content-Type: text/plain; charset=zlib_codec", "", "text"),
        ("Content-Type: text/plain; charset=unicode_escape", "", "\\ud800"),
    ],
)
def test_a_message_made_to_break_its_reader_is_read(lines: tuple[str, ...]) -> None:
    item = read_message(message("From: a@x.example", "Message-ID: <m@x>", *lines, ""))
    assert item.message_id == "m@x"


@pytest.mark.parametrize(
    "html",
    [
        "<img src='https://x.example/p.gif?u=1' width=1 height=1>",
        "<img srcset='https://x.example/p.gif 1x'>",
        "<p style='background:url(https://x.example/p)'>a</p>",
        "<p style='width: 1px; background-image: url(https://x.example/p)'>a</p>",
        "<p style='border: 1px url(https://x.example/p)'>a</p>",
        "<style>@import url(https://x.example/p);</style>",
        "<link rel=stylesheet href=https://x.example/p>",
        "<meta http-equiv=refresh content='0;url=https://x.example/p'>",
        "<base href='https://x.example/'><img src='p.gif'>",
        "<table background='https://x.example/p'><tr><td>a</td></tr></table>",
        "<svg><image href='https://x.example/p'/></svg>",
        "<svg onload='x()'><use href='https://x.example/p#a'/></svg>",
        "<video src='https://x.example/p' poster='https://x.example/p'></video>",
        "<iframe src='https://x.example/p'></iframe><object data='https://x.example/p'></object>",
        "<form action='https://x.example/p'><input name=a><button>b</button></form>",
        "<a href='javascript:x.example'>a</a><a href='data:text/html,x.example'>b</a>",
        "<a href='file:///x.example'>a</a><a href='\\\\x.example\\p'>b</a>",
        "<a href='//x.example/p'>a</a><img src='//x.example/p'>",
        "<img src='file://x.example/p.gif'><img src='\\\\x.example\\p.gif'>",
        "<img src='data:image/svg+xml,<svg xmlns=a><image href=https://x.example/p /></svg>'>",
        "<img src=' \thttps://x.example/p'><img src='ht\ntps://x.example/p'>",
        "<p onclick='x()' onmouseover='https://x.example'>a</p>",
    ],
)
def test_nothing_in_a_message_reaches_for_the_network(html: str) -> None:
    """Of remote pictures the address stays, in a form no viewer loads."""
    cleaned = clean_html(html)
    assert "x.example" not in re.sub(r'src="remote:https://x\.example/[^"]*"', "", cleaned)
    for word in ("url(", "javascript", "<form", "<meta", "<svg", "<link", "<base", "onload"):
        assert word not in cleaned


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?b?aW52b2ljZeKArmZkcC5leGU=?=", "invoicefdp.exe"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\start.lnk", "start.lnk"),
        (f"{'x' * 300}.pdf.exe", f"{'x' * 192}.pdf.exe"),
        ("a.pdf. . .", "a.pdf"),
        ("a.pdf::$DATA", "a.pdf__$DATA"),
    ],
)
def test_a_file_is_called_what_it_is(written: str, read: str) -> None:
    """No way out of a folder, no letters that turn around, and the ending that counts."""
    part = (
        "Content-Type: application/x-thing",
        f'Content-Disposition: attachment; filename="{written}"',
    )
    item = read_message(message("From: a@x.example", "Message-ID: <m@x>", *part, "", "bytes"))
    assert [file.name for file in item.attachments] == [read]


def test_nobody_turns_the_letters_of_a_name_or_subject_around() -> None:
    head = ("From: =?utf-8?b?4oCudHNlVA==?= <a@x.example>", "Subject: =?utf-8?b?4oGmYeKBqQ==?=")
    item = read_message(message(*head, "Message-ID: <m@x>", "", ""))
    assert item.sender is not None
    assert (item.sender.name, item.subject) == ("tseT", "a")
