"""Spellings almost like the typed ones: what to look for, and how near a record comes.

One wrong letter, one too many, one too few or two swapped leave what stands before and behind
them whole, and that is found by an index.
"""

from __future__ import annotations

from typing import Final

from desktop_crm.services.search.typed import TRIGRAM, Typed

_SHORTEST: Final = 4
_LONG: Final = 8
_MOST_PATTERNS: Final = 24
_BROAD: Final = 4
_UNFINISHED: Final = 0.25
"""A word that goes on behind the typed letters is a little farther than one that ends there."""


def patterns(typed: Typed) -> tuple[tuple[str, ...], ...]:
    """Texts that stand together in a record whose spelling differs in one place.

    Each pattern assumes the slip in one word; the other words stand as typed. The most telling
    patterns come first.
    """
    found: dict[tuple[str, ...], int] = {}
    for n, word in enumerate(typed.words):
        others = tuple(
            text
            for m, other in enumerate(typed.words)
            if m != n and len(text := other if len(other) >= TRIGRAM else f" {other}") >= TRIGRAM
        )
        if len(word) < _SHORTEST or word.isdecimal():
            continue
        for pieces in _pieces(word):
            weight = sum(map(len, pieces))
            found[(*pieces, *others)] = weight + sum(map(len, others))
            if others and weight > len(word) // 2 + 1:
                found[pieces] = weight
    ordered = sorted(found, key=lambda pattern: -found[pattern])
    return tuple(ordered[:_MOST_PATTERNS])


def _pieces(word: str) -> list[tuple[str, ...]]:
    """What is left of a word around each slip, as far as trigrams find it.

    What two swapped letters leave stands beside every other slip there as well; in a short word
    it says too little, so that the other slips are looked for on their own.
    """
    found: dict[tuple[str, ...], None] = {}
    for at in range(len(word)):
        for behind in (word[at + 2 :], word[at + 1 :], word[at:]):
            before = f" {word[:at]}" if at > 1 else ""
            end = f"{behind} " if 1 < len(behind) < TRIGRAM else behind
            texts = tuple(text for text in (before, end) if len(text) >= TRIGRAM)
            if texts == (word,) or sum(map(len, texts)) < _BROAD:
                continue
            found[texts] = None
            if len(word) >= _LONG:
                break
    return list(found)


def nearest(typed: Typed, text: str) -> tuple[float, tuple[str, ...]]:
    """How near a record comes, above 0 to 1, and its words that are meant; 0 when one has none."""
    from rapidfuzz.distance import OSA

    words = text.split()
    total = 0.0
    meant: list[str] = []
    for word in typed.words:
        if word in text:
            total += 1
            meant.append(word)
            continue
        allowed = 0 if len(word) < _SHORTEST else 1 if len(word) < _LONG else 2
        best, found = allowed + 1.0, ""
        for other in words:
            for length in (len(other), len(word) - 1, len(word), len(word) + 1):
                if abs(length - len(word)) <= allowed and length <= len(other):
                    near = OSA.distance(word, other[:length], score_cutoff=int(best) + 1)
                    distance = near + (_UNFINISHED if length < len(other) else 0)
                    if distance < best:
                        best, found = distance, other[:length]
        if best > allowed + _UNFINISHED or not allowed:
            return 0, ()
        total += 1 - best / len(word)
        meant.append(found)
    return total / len(typed.words), tuple(meant)
