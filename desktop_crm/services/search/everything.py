"""One search over every kind of record the actor may read, as somebody types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from desktop_crm.db import search_text
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services import query
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import knows
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.search import ranking, similar
from desktop_crm.services.search import typed as reading
from desktop_crm.services.search.candidates import MOST, Candidate, Candidates, opened
from desktop_crm.services.search.places import MAIL, Place, places_of
from desktop_crm.services.search.ranking import Match, Range
from desktop_crm.services.search.typed import Typed

SHOWN: Final = 5
COUNTED: Final = MOST - 1
FEW: Final = 3
"""Fewer hits than this in all, and similar spellings are worth a look."""
NO_RANGES: tuple[Range, ...] = ()
Words = tuple[str, ...]
_SUBTITLES: Final = {MAIL: ("from_name",), "document": ("account",)}


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that was found.

    Attributes:
        entity: Its kind.
        id: Its key.
        title: Its title, and where the words stand in it.
        subtitle: What stands beside the title.
        snippet: What else was found, when the title does not show every word.
        match: How it matches.
        at: When it was changed last, or sent.
        opens: Kind and key of what opens: of a message, its activity.
    """

    entity: str
    id: int
    title: str
    title_ranges: tuple[Range, ...]
    subtitle: str
    snippet: str
    snippet_ranges: tuple[Range, ...]
    match: Match
    at: datetime | None
    opens: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Section:
    """Hits of one kind of record.

    Attributes:
        entity: The kind.
        hits: The best of them.
        count: How many there are, as far as they are counted.
        is_more: There are more than were counted.
    """

    entity: str
    hits: tuple[Hit, ...]
    count: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Answer of one search; `is_similar` when the words were not found as they were typed."""

    text: str
    sections: tuple[Section, ...]
    is_similar: bool = False

    @property
    def count(self) -> int:
        """Hits counted in all sections."""
        return sum(section.count for section in self.sections)

    @property
    def is_few(self) -> bool:
        """Whether a look at similar spellings is worth while."""
        return self.count < FEW


def find(
    actor: Actor,
    text: str,
    *,
    entities: Iterable[str] = (),
    shown: int = SHOWN,
    cancel: Cancel | None = None,
) -> Found:
    """Find records in which every typed word stands.

    One statement reads keys of up to 101 candidates of every kind by index. Each kind with hits
    takes two more: one ranks them, one reads what is shown; where there are more than 101, one
    looks for those that begin as typed.

    Args:
        actor: Who searches.
        text: What was typed.
        entities: Kinds to look in; empty: all.
        shown: Hits in each section.
        cancel: Stops it.

    Raises:
        Cancelled: The token was used.
    """
    typed = reading.read(text)
    if not typed.words:
        return Found(text, ())
    places = _places(actor, entities)
    sections = []
    with opened(actor, typed, cancel) as run:
        ask = Candidates(actor, typed, run)
        keys = ask.keys(places)
        for place in places:
            found = keys.get(place.number)
            if not found:
                continue
            if cancel is not None:
                cancel.check()
            if len(found) >= MOST:
                found += ask.better_keys(place)
            best = [(one, _found(typed, one)) for one in ask.best(place, found, shown)]
            sections.append(_section(actor, place, best, len(found)))
    return Found(text, _in_order(sections))


def find_similar(
    actor: Actor,
    text: str,
    *,
    entities: Iterable[str] = (),
    shown: int = SHOWN,
    cancel: Cancel | None = None,
) -> Found:
    """Find records with words spelled almost as typed; for when :func:`find` finds few.

    Takes and raises what :func:`find` does.
    """
    typed = reading.read(text)
    patterns = similar.patterns(typed)
    if not patterns:
        return Found(text, (), is_similar=True)
    places = _places(actor, entities)
    sections: list[tuple[float, Section]] = []
    with opened(actor, typed, cancel) as run:
        ask = Candidates(actor, typed, run)
        keys = ask.in_pieces(places, patterns)
        for place in places:
            if cancel is not None:
                cancel.check()
            if place.number not in keys:
                continue
            near = [
                (*similar.nearest(typed, one.text), one)
                for one in ask.rows(place, keys[place.number])
            ]
            near = sorted((one for one in near if one[0]), key=_nearest)
            if near:
                best = [(one, words) for _, words, one in near[:shown]]
                sections.append((near[0][0], _section(actor, place, best, len(near))))
    sections.sort(key=lambda pair: -pair[0])
    return Found(text, tuple(section for _, section in sections), is_similar=True)


def _nearest(found: tuple[float, tuple[str, ...], Candidate]) -> tuple[float, float]:
    score, _, one = found
    return -score, 0.0 if one.at is None else -one.at.timestamp()


def _found(typed: Typed, one: Candidate) -> Words:
    """Words of the reading that a record has."""
    for words in typed.readings:
        if all(reading.term(word) in one.text for word in words):
            return words
    return typed.words


def _places(actor: Actor, entities: Iterable[str]) -> tuple[Place, ...]:
    wanted = frozenset(entities)
    return tuple(p for p in places_of(actor) if not wanted or p.entity.key in wanted)


def _in_order(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Sections with a hit in the title before those without; else in menu order."""
    return tuple(sorted(sections, key=lambda s: s.hits[0].match > Match.TITLE))


def _section(
    actor: Actor, place: Place, best: Sequence[tuple[Candidate, Words]], count: int
) -> Section:
    """Section of some records, each with the words that were found in it."""
    entity = place.entity
    values = _values(actor, entity, [one.id for one, _ in best])
    texts = {
        one.id: [str(row[f.name]) for f in entity.search_fields if row.get(f.name)]
        for one, _ in best
        for row in (values.get(one.id, {}),)
    }
    elsewhere = [
        one.id
        for one, words in best
        if any(not ranking.ranges(" ".join([one.title or "", *texts[one.id]]), (w,)) for w in words)
    ]
    for key, more in _line_texts(actor, entity, elsewhere).items():
        texts[key] += more
    hits = [
        _hit(actor, entity, one, words, values.get(one.id, {}), texts[one.id])
        for one, words in best
    ]
    return Section(entity.key, tuple(hits), min(count, COUNTED), count > COUNTED)


def _line_texts(actor: Actor, entity: Entity, ids: Sequence[int]) -> dict[int, list[str]]:
    """What is searched in the child rows of some records; a statement for each kind of rows."""
    if not ids or not search_text.searched_lines(entity):
        return {}
    with actor.db.reading() as connection:
        found = search_text.lines_of(connection, entity, ids)
    return {
        key: [str(value) for rows in lines.values() for row in rows
              for name, value in row.items() if value and name != "via"]
        for key, lines in found.items()
    }  # fmt: skip


def _hit(
    actor: Actor,
    entity: Entity,
    one: Candidate,
    words: Words,
    row: Mapping[str, Any],
    texts: Sequence[str],
) -> Hit:
    title = str(one.title or "")
    left = ranking.unseen(title, words)
    snippet, marked = ranking.snippet([*texts, one.text], left) if left else ("", NO_RANGES)
    subtitle = (_shown(actor, entity.fields[name], row.get(name)) for name in _subtitles(entity))
    return Hit(
        entity=entity.key,
        id=one.id,
        title=title,
        title_ranges=ranking.ranges(title, words),
        subtitle=" · ".join(text for text in subtitle if text and text != snippet),
        snippet=snippet,
        snippet_ranges=marked,
        match=Match(one.rank),
        at=one.at,
        opens=("activity" if entity.key == MAIL else entity.key, one.opens),
    )


def _shown(actor: Actor, field: BoundField, value: object) -> str:
    if value is None or value == "":
        return ""
    # Of a link the title is read.
    return str(value) if field.kind is kinds.LINK else field.display(value, actor.formats)


def _subtitles(entity: Entity) -> tuple[str, ...]:
    given = _SUBTITLES.get(entity.key)
    if given is not None:
        return given
    names = [entity.subtitle] if entity.subtitle else []
    if "account" in entity.fields and "account" not in names:
        names.append("account")
    return tuple(names)


def _values(actor: Actor, entity: Entity, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is shown of some records and searched in them, by key; one statement."""
    names = dict.fromkeys((*_subtitles(entity), *(f.name for f in entity.search_fields)))
    known = tuple(name for name in names if knows(actor, entity.fields[name]))
    rows = query.rows(actor, RecordQuery(entity.key, known), ids)
    return {row.id: dict(zip(known, row.values, strict=True)) for row in rows}


def make_ready(actor: Actor, cancel: Cancel | None = None) -> None:
    """Make the statements that the first letters need, before somebody types them."""
    for text in ("zq", "zqx"):
        find(actor, text, cancel=cancel)
