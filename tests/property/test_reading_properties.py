"""Whatever bytes a file holds: a table comes out, or one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.core.errors import UserError
from desktop_crm.services.excel.formulas import neutralise, restore
from desktop_crm.services.excel.table import Table
from desktop_crm.services.imports import cards, delimited, encoding, signature

SCRAPS = st.sampled_from(
    [
        b"BEGIN:VCARD\n", b"END:VCARD\n", b"AGENT:\n", b"N:a;b\n", b"FN", b":", b";", b"=\n",
        b"\n ",
        b"ENCODING=QUOTED-PRINTABLE", b"CHARSET=x", b'"', b"\xff\xfe", b"\x00", b",", b"\r", b"\t",
        b"\xe3", "ș".encode(), b"sep=;\n", b"BDAY:--99", b"TEL;TYPE=,:1", b"\\", b"^n", b"a,b\n",
    ]
)  # fmt: skip
FILES = st.one_of(st.binary(max_size=400), st.lists(SCRAPS, max_size=40).map(b"".join))


def outcome(read: Callable[[], object]) -> object:
    """What reading gives, or the sentence that refuses it; any other exception fails the test."""
    try:
        return read()
    except UserError as error:
        return str(error)


@given(FILES)
def test_any_bytes_are_a_table_or_a_sentence(data: bytes) -> None:
    for read in (cards.read, delimited.read):
        found = outcome(partial(read, data, "any"))
        if isinstance(found, Table):
            assert all(len(row.cells) == len(found.header) for row in found.rows)
        else:
            assert "any" in str(found)


@given(FILES)
def test_the_kind_of_any_bytes_is_known_or_refused(data: bytes) -> None:
    found = str(outcome(lambda: signature.kind_of(data, "any.csv")))
    assert found in {"csv", "vcf", "xlsx"} or "any.csv" in found


@given(st.text(alphabet="aăâîșțАбв ,;\n", max_size=80))
def test_unicode_text_is_never_misread(text: str) -> None:
    for name in ("utf-8", "utf-8-sig", "utf-16"):
        data = text.encode(name)
        assert encoding.decode(data, encoding.detect(data)).removeprefix("\ufeff") == text


@given(st.text(max_size=40))
def test_harmless_text_comes_back(text: str) -> None:
    assert restore(neutralise(text)) == text
