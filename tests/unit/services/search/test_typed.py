"""Reading what was typed, and spellings almost like it."""

from __future__ import annotations

import pytest

from desktop_crm.services.search import similar, typed


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("", ()),
        ("   ", ()),
        ("Ștefan  POP", (("stefan", "pop"),)),
        ("0721 234 567", (("0721", "234", "567"), ("0721234567",))),
        ("(0721)234567", (("(0721)234567",), ("0721234567",))),
        ("+40 721-234-567", (("+40", "721-234-567"), ("40721234567",))),
        ("0040721234567", (("0040721234567",), ("40721234567",))),
        ("+40(0)721.234.567 ana", (("+40(0)721.234.567", "ana"), ("40721234567", "ana"))),
        ("12 ana 34", (("12", "ana", "34"),)),
        ("q-2026-0012", (("q-2026-0012",),)),
        ("2026-0012", (("2026-0012",), ("20260012",))),
    ],
)
def test_what_was_typed_is_read_as_words_and_numbers(
    text: str, readings: tuple[tuple[str, ...], ...]
) -> None:
    assert typed.read(text).readings == readings


def test_two_letters_begin_a_word_and_one_is_left_to_the_rows() -> None:
    assert typed.match(typed.read("po")) == '" po"'
    assert typed.match(typed.read("ana p")) == '"ana"'
    assert typed.match(typed.read("p")) == ""
    assert typed.match(typed.read('a"b"c')) == '"a""b""c"'
    assert typed.match(typed.read("0721 234")) == '("0721" AND "234") OR ("0721234")'


def test_twelve_words_are_enough() -> None:
    assert len(typed.read("a b c d e f g h i j k l m n").words) == 12


@pytest.mark.parametrize(
    ("slip", "text"),
    [
        ("popesku", " ana popescu "),  # another letter
        ("popecu", " ana popescu "),  # one too few
        ("poppescu", " ana popescu "),  # one too many
        ("popsecu", " ana popescu "),  # two swapped
        ("ana popesku", " ana popescu "),
        ("ane popescu", " ana popescu "),
        ("ionesu", " ionescu "),
        ("bucruesti", " firma bucuresti "),
        ("kowalzcewski", " anna kowalczewski "),
    ],
)
def test_one_slip_is_looked_for_and_accepted(slip: str, text: str) -> None:
    read = typed.read(slip)
    if slip != "ane popescu":  # three letters are too few to tell a slip from another word
        patterns = similar.patterns(read)
        assert any(all(piece in text for piece in pattern) for pattern in patterns)
        assert similar.nearest(read, text)[0] > 0.7
    else:
        assert similar.nearest(read, text) == (0, ())


def test_other_words_are_not_similar() -> None:
    assert similar.nearest(typed.read("popescu"), " ana ionescu ")[0] == 0
    assert similar.patterns(typed.read("ana")) == ()
    assert similar.patterns(typed.read("0721234567")) == ()


def test_the_word_that_is_meant_is_given() -> None:
    score, words = similar.nearest(typed.read("ana popesku"), " ana popescu ")
    assert words == ("ana", "popescu")
    whole, _ = similar.nearest(typed.read("popesku"), " popescu ")
    begun, _ = similar.nearest(typed.read("popesku"), " popescuoiu ")
    assert score > whole > begun > 0
