"""Folding and telephone numbers: what search relies on holds for every text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.core.text import fold, fold_places, phone_digits, search_text
from desktop_crm.services.search import ranking
from desktop_crm.services.search import typed as reading

texts = st.text(max_size=60)


@given(texts)
def test_the_places_of_folded_letters_give_the_folded_text(text: str) -> None:
    folded, places = fold_places(text)
    assert folded == fold(text)
    assert len(places) == len(folded)
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)


@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.lists(texts, max_size=5))
def test_every_word_of_a_record_stands_between_blanks_in_its_search_text(pieces: list[str]) -> None:
    stored = search_text(pieces)
    for piece in pieces:
        for word in fold(piece).split():
            assert f" {word} " in stored
    assert "  " not in stored
    assert search_text([stored]) == stored


@given(texts, st.data())
def test_marked_parts_fold_to_the_word(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded)))
    word = folded[start : start + data.draw(st.integers(3, 8))].strip()
    if len(word) < reading.TRIGRAM or " " in word:
        return
    found = ranking.ranges(text, (word,))
    assert found
    assert any(word in fold(text[start:end]) for start, end in found)


@given(texts, st.lists(texts, min_size=1, max_size=3))
def test_marked_parts_are_in_order_and_apart(text: str, words: list[str]) -> None:
    found = ranking.ranges(text, [word for one in words for word in fold(one).split()])
    edges = [edge for one in found for edge in one]
    assert edges == sorted(edges)
    assert all(start < end for start, end in found)
    parts = ranking.spread(found, len(text))
    assert "".join(text[start:end] for start, end, _ in parts) == text
    assert [(start, end) for start, end, marked in parts if marked] == list(found)


signs = st.sampled_from(["", " ", "-", ".", " - ", "  "])


@given(st.integers(210_000_000, 799_999_999), st.lists(signs, min_size=9, max_size=9), st.data())
def test_a_number_is_found_in_any_writing(
    number: int, between: list[str], data: st.DataObject
) -> None:
    digits = str(number)
    stored = search_text(["Ana", f"+40{digits}", *phone_digits(f"+40{digits}", "RO")])
    spread = "".join(sign + digit for sign, digit in zip(["", *between], digits, strict=False))
    prefix = data.draw(st.sampled_from(["0", "+40", "+40 ", "0040", "0040 ", "(0)", "+40 (0)"]))
    last = digits[-data.draw(st.integers(6, 9)) :]
    for typed in (f"{prefix}{spread}", last, f"ana {prefix}{spread}"):
        found = reading.read(typed)
        assert any(
            all(reading.term(word) in stored for word in words) for words in found.readings
        ), typed


@given(texts)
def test_reading_what_was_typed_never_fails(text: str) -> None:
    found = reading.read(text)
    assert found.text == fold(text)
    for words in found.readings:
        assert words
        assert all(word and " " not in word for word in words)
    match = reading.match(found)
    assert match.count('"') % 2 == 0
