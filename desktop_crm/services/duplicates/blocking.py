"""Which pairs of a whole table are worth comparing: those that share a key and a word of the name.

A pair is only put up for review with something beside the name, so records are first brought
together by what they share: an address, a number, a company, a domain, a birthday, a street, a
natural key. Where many share it, two names that are alike have a whole word in common, or are one
word each; and what is left of them begins or ends alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

Words = tuple[str, ...]

FEW: Final = 4
"""Records that are compared each with each."""
MANY: Final = 60
"""Larger groups are parted once more."""
_WINDOW: Final = 8
_ENDS: Final = 2


def pairs(
    groups: Iterable[list[int]], words: Sequence[Words], *, tick: Iterator[None]
) -> set[tuple[int, int]]:
    """Pairs of places worth comparing, the smaller place first.

    Args:
        groups: Places of records that share something.
        words: Words of each record's name by place.
        tick: Advanced after each group, so that the work can be watched and stopped.
    """
    found: set[tuple[int, int]] = set()
    seen: set[tuple[int, ...]] = set()
    for members in groups:
        next(tick)
        if len(members) <= FEW:
            found.update(_each_with_each(members))
            continue
        same = tuple(members)  # a company and its domain often are the same people
        if same not in seen:
            seen.add(same)
            found.update(_of_group(members, words))
    return found


def _of_group(members: list[int], words: Sequence[Words]) -> Iterator[tuple[int, int]]:
    by_word: dict[str, list[int]] = defaultdict(list)
    for place in members:
        own = words[place]
        for word in own if len(own) > 1 else (*own, ""):
            by_word[word].append(place)
    for word, sharing in by_word.items():
        if len(sharing) > MANY:
            yield from _parted(sharing, words, word)
        elif len(sharing) > 1:
            yield from _each_with_each(sharing)


def _parted(members: list[int], words: Sequence[Words], shared: str) -> Iterator[tuple[int, int]]:
    """Part a group by how the other words begin and end: one slip leaves one of both."""
    parts: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for place in members:
        for word in words[place]:
            if word != shared:
                parts[True, word[:_ENDS]].append(place)
                parts[False, word[-_ENDS:]].append(place)
    for part in parts.values():
        if len(part) > MANY:
            yield from _side_by_side(part, words)
        elif len(part) > 1:
            yield from _each_with_each(part)


def _side_by_side(members: list[int], words: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Of very many, compare those that stand together when sorted by name."""
    ordered = sorted(set(members), key=lambda place: sorted(words[place]))
    for n, place in enumerate(ordered):
        for other in ordered[n + 1 : n + 1 + _WINDOW]:
            yield (place, other) if place < other else (other, place)


def _each_with_each(members: list[int]) -> Iterator[tuple[int, int]]:
    for n, place in enumerate(members):
        for other in members[n + 1 :]:
            if place != other:
                yield (place, other) if place < other else (other, place)
