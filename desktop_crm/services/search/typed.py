"""What a person typed into a search box, read as words that must all stand in a record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from desktop_crm.core.text import fold, storable

TRIGRAM: Final = 3
"""Fewest characters that an index of trigrams finds."""
_NUMBER: Final = re.compile(r"[\d().\-/+]+")
_TRUNK: Final = re.compile(r"^((?:\+|00)\d{1,3})\(0\)")
_FEWEST_DIGITS: Final = 5
_MOST_WORDS: Final = 12


@dataclass(frozen=True, slots=True)
class Typed:
    """Folded words of a search.

    Attributes:
        text: Everything, folded.
        words: Its words.
        readings: Sets of words, any of which is meant: the words as they stand, and the words
            with what looks like a telephone number as bare digits.
    """

    text: str
    words: tuple[str, ...]
    readings: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=64)
def read(text: str) -> Typed:
    """Read what was typed; the twelve first words count."""
    folded = fold(storable(text))
    words = tuple(folded.split()[:_MOST_WORDS])
    joined = _with_digits(words)
    readings = (words,) if joined == words else (words, joined)
    return Typed(folded, words, readings if words else ())


def _with_digits(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words with each run that looks like a telephone number as its digits."""
    found: list[str] = []
    run: list[str] = []
    for word in (*words, ""):
        if _NUMBER.fullmatch(word) and (run or any(map(str.isdecimal, word))):
            run.append(word)
            continue
        found += _digits(run)
        run = []
        if word:
            found.append(word)
    return tuple(found)


def _digits(run: list[str]) -> list[str]:
    written = _TRUNK.sub(r"\1", "".join(run))
    digits = "".join(c for c in written if c.isdecimal())
    if len(digits) < _FEWEST_DIGITS:
        return run
    return [digits[2:] if digits.startswith("00") else digits]


def term(word: str) -> str:
    """Text to look for: two letters only where a word begins, one or more anywhere."""
    return word if len(word) >= TRIGRAM else f" {word}"


def match(typed: Typed) -> str:
    """Expression of FTS5 for the words that trigrams find; empty when there are none."""
    readings = []
    for words in typed.readings:
        texts = [text for word in words if len(text := term(word)) >= TRIGRAM]
        if texts:
            readings.append(" AND ".join(map(phrase, texts)))
    return readings[0] if len(readings) == 1 else " OR ".join(f"({r})" for r in readings)


def phrase(text: str) -> str:
    """A text as FTS5 takes it."""
    return '"' + text.replace('"', '""') + '"'


def pattern(text: str) -> str:
    """Pattern of LIKE for a text anywhere; ``/`` is the escape character."""
    for special in ("/", "%", "_"):
        text = text.replace(special, "/" + special)
    return f"%{text}%"
