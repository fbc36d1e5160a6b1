"""How well a record answers what was typed, and where the words stand in a shown text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Final

from desktop_crm.core.text import fold, fold_places
from desktop_crm.services.search.typed import TRIGRAM, term

Range = tuple[int, int]
_AROUND: Final = 30
_SNIPPET: Final = 96
_DIGITS: Final = 5


class Match(IntEnum):
    """How a record matches; the smaller the better."""

    EQUAL = 0
    BEGINS = 1
    TITLE_WORDS = 2
    TITLE = 3
    WORDS = 4
    ANYWHERE = 5
    SIMILAR = 6


def ranges(text: str, words: Iterable[str]) -> tuple[Range, ...]:
    """Return where folded words stand in a shown text, in order and without overlap.

    Short words count only where a word begins; of a telephone number the digits alone are
    compared.
    """
    folded, places = fold_places(text)
    found: list[Range] = []
    for word in words:
        found += _of_word(folded, places, word)
        if not found and len(word) >= _DIGITS and word.isdecimal():
            found += _of_digits(folded, places, word)
    return _merged(found)


def _of_word(folded: str, places: Sequence[int], word: str) -> list[Range]:
    found: list[Range] = []
    start = folded.find(word)
    while start >= 0:
        whole = len(word) >= TRIGRAM or start == 0 or not folded[start - 1].isalnum()
        if whole:
            found.append((places[start], places[start + len(word) - 1] + 1))
        start = folded.find(word, start + 1)
    return found


def _of_digits(folded: str, places: Sequence[int], word: str) -> list[Range]:
    at = [n for n, c in enumerate(folded) if c.isdecimal()]
    digits = "".join(folded[n] for n in at)
    start = digits.find(word)
    if start >= 0:
        return [(places[at[start]], places[at[start + len(word) - 1]] + 1)]
    bare = digits.lstrip("0")
    if len(bare) > _DIGITS and (bare in word or word.lstrip("0") in digits):
        return [(places[at[0]], places[at[-1]] + 1)]
    return []


def _merged(found: list[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def snippet(texts: Iterable[str], words: Sequence[str]) -> tuple[str, tuple[Range, ...]]:
    """Return the parts of some texts that hold the words, and where the words stand in them.

    Args:
        texts: Shown values, in the order of their worth.
        words: Folded words that the title does not show.
    """
    parts: list[str] = []
    missing = list(words)
    for text in texts:
        flat = " ".join(text.split())
        held = [word for word in missing if ranges(flat, (word,))]
        if held:
            parts.append(_window(flat, ranges(flat, held)[0]))
            missing = [word for word in missing if word not in held]
        if not missing:
            break
    shown = " · ".join(dict.fromkeys(parts))
    return shown, ranges(shown, words)


def _window(text: str, at: Range) -> str:
    if len(text) <= _SNIPPET:
        return text
    start = max(0, at[0] - _AROUND)
    if start:
        start = text.find(" ", start, at[0]) + 1 or start
    end = min(len(text), start + _SNIPPET)
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) else ''}"


def unseen(title: str, words: Iterable[str]) -> tuple[str, ...]:
    """Words that a shown title does not hold."""
    shown = f" {fold(title)} "
    return tuple(word for word in words if term(word) not in shown)


def spread(found: Sequence[Range], length: int) -> tuple[tuple[int, int, bool], ...]:
    """Cut a text of some length into parts, each with whether it is highlighted."""
    edges = sorted({0, length, *(edge for one in found for edge in one)})
    marked = {start for start, _ in found}
    return tuple(
        (start, end, any(s <= start < e for s, e in found) or start in marked)
        for start, end in pairwise(edges)
        if start < end <= length
    )
