"""Reads candidates by index: few enough of each kind of record to be ranked in memory.

Every kind is one arm of a single statement, with a limit of its own; nothing reads a table
through because somebody types (kinds without a search index have few rows by nature).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    union_all,
)

from desktop_crm.db.engine import Cancel
from desktop_crm.services.context import Actor
from desktop_crm.services.prepared import Prepared
from desktop_crm.services.search import typed as reading
from desktop_crm.services.search.places import Place, rows_of
from desktop_crm.services.search.typed import TRIGRAM, Typed

MOST: Final = 101
"""Candidates read of one kind by one way; one more than are counted."""
LAST: Final = "\U0010ffff"
_SERVER: Final = text(
    # Statistics of a text say little about a part of it: a plan may bet on reading the table
    # until enough is found, and lose. A plan made without the words bets worse.
    "SELECT set_config('enable_seqscan', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)
Run = Callable[[Prepared, Mapping[str, object]], list[tuple[Any, ...]]]


class Candidate(NamedTuple):
    """One record that may be a hit."""

    place: int
    id: int
    opens: int
    title: str
    at: datetime | None
    text: str


class Candidates:
    """Statements of one actor; those made once are kept with the actor."""

    def __init__(self, actor: Actor, places: Sequence[Place], run: Run) -> None:
        self._actor = actor
        self._places = places
        self._run = run
        self._is_sqlite = actor.db.dialect == "sqlite"

    def containing(self, typed: Typed) -> list[Candidate]:
        """Up to 101 records of each kind in which every word stands, the newest first."""
        long = tuple(
            tuple(len(reading.term(word)) >= TRIGRAM for word in words) for words in typed.readings
        )
        if not any(long[0]):
            return self.beginning(typed, self._places)
        late: dict[str, object] = {}
        for r, words in enumerate(typed.readings):
            for n, word in enumerate(words):
                late[f"l{r}_{n}"] = reading.pattern(reading.term(word))
        if self._is_sqlite:
            late["match"] = reading.match(typed)

        def arm(place: Place) -> Select[Any]:
            if place.indexed and self._is_sqlite:
                # The index leaves single letters to be looked for in what it found.
                letters = [[(r, n) for n, is_long in enumerate(words) if not is_long]
                           for r, words in enumerate(long)]  # fmt: skip
                return self._matching(place, _contains(place, letters))
            texts = [[(r, n) for n in range(len(words))] for r, words in enumerate(long)]
            return self._plain(place, _contains(place, texts))

        return self._read(("containing", long), self._places, arm, late)

    def beginning(self, typed: Typed, places: Sequence[Place]) -> list[Candidate]:
        """Up to 101 records of each kind whose title begins as typed, in order of the title."""
        late: dict[str, object] = {"w": typed.text, "e": typed.text + LAST}
        begin, end = bindparam("w", "", String), bindparam("e", "", String)

        def arm(place: Place) -> Select[Any]:
            key = place.entity.table.c.title_key
            found = rows_of(self._actor, place).where(key >= begin, key < end)
            return found.order_by(key, place.entity.table.c.id).limit(MOST)

        titled = [place for place in places if place.has_title_key]
        return self._read(("beginning",), titled, arm, late)

    def by_words(self, typed: Typed, places: Sequence[Place]) -> list[Candidate]:
        """Up to 101 records of each kind in which every word begins a word."""
        words = typed.readings[-1]
        if self._is_sqlite:
            texts = [f" {word}" for word in words if len(word) > 1]
            late: dict[str, object] = {"match": " AND ".join(map(reading.phrase, texts))}
            return self._read(
                ("by words",), places, lambda place: self._matching(place, None), late
            )
        plain = [word for word in words if word.isalnum()]
        if not plain:
            return []
        query = func.to_tsquery(literal_column("'simple'::regconfig"), bindparam("q", "", String))

        def arm(place: Place) -> Select[Any]:
            vector = func.to_tsvector(
                literal_column("'simple'::regconfig"), place.entity.table.c.search_text
            )
            return self._plain(place, vector.op("@@")(query))

        late = {"q": " & ".join(f"{word}:*" for word in plain)}
        return self._read(("by words",), places, arm, late)

    def in_pieces(self, typed: Typed, patterns: Sequence[Sequence[str]]) -> list[Candidate]:
        """Records that hold all texts of one of several patterns; some of each pattern.

        Each pattern is an arm of its own, so that a common one leaves room for the others.
        """
        found: list[Candidate] = []
        indexed = [place for place in self._places if place.indexed]
        few = [place for place in self._places if not place.indexed]
        for texts in patterns:
            late: dict[str, object] = {
                f"l0_{n}": reading.pattern(one) for n, one in enumerate(texts)
            }
            if self._is_sqlite:
                late["match"] = " AND ".join(map(reading.phrase, texts))
            terms = [[(0, n) for n in range(len(texts))]]

            def arm(place: Place, terms: list[list[tuple[int, int]]] = terms) -> Select[Any]:
                if place.indexed and self._is_sqlite:
                    return self._matching(place, None)
                return self._plain(place, _contains(place, terms))

            for group in (indexed, few):
                kept = ("pieces", len(texts), group is few)
                found += self._read(kept, group, arm, late)
        return found

    # --- parts -----------------------------------------------------------------------------

    def _matching(self, place: Place, more: ColumnElement[bool] | None) -> Select[Any]:
        index = table(f"{place.entity.key}_fts", column("rowid", Integer))
        name: ColumnElement[Any] = literal_column(index.name)
        found = rows_of(self._actor, place, before=index)
        found = found.where(name.op("MATCH")(bindparam("match", "", String)))
        if more is not None:
            found = found.where(more)
        return found.order_by(index.c.rowid.desc()).limit(MOST)

    def _plain(self, place: Place, condition: ColumnElement[bool] | None) -> Select[Any]:
        found = rows_of(self._actor, place)
        return (found if condition is None else found.where(condition)).limit(MOST)

    def _read(
        self,
        shape: tuple[object, ...],
        places: Sequence[Place],
        arm: Callable[[Place], Select[Any]],
        late: Mapping[str, object],
    ) -> list[Candidate]:
        if not places:
            return []
        numbers = tuple(place.number for place in places)
        key = ("search", shape, numbers)
        kept = self._actor.statements.get(key)
        if kept is None:
            arms = [select(arm(p).subquery(f"a{n}")) for n, p in enumerate(places)]
            kept = Prepared(self._actor.db, union_all(*arms))
            self._actor.statements[key] = kept
        return [Candidate(*row) for row in self._run(kept, late)]


def _contains(
    place: Place, readings: Sequence[Sequence[tuple[int, int]]]
) -> ColumnElement[bool] | None:
    """Every text of one of the readings stands in the search text."""
    searched = place.entity.table.c.search_text
    found = [
        and_(*(searched.like(bindparam(f"l{r}_{n}", "", String), escape="/") for r, n in texts))
        for texts in readings
        if texts
    ]
    return or_(*found) if len(found) == len(readings) else None


@contextmanager
def opened(actor: Actor, cancel: Cancel | None) -> Iterator[Run]:
    """A way to run statements of search; on a server all in one transaction that reads by index."""
    if actor.db.dialect == "sqlite":
        yield lambda kept, late: kept.tuples(actor.db, cancel, **late)
        return
    with actor.db.reading(cancel) as connection:
        connection.execute(_SERVER)
        yield lambda kept, late: kept.inside(connection, **late)
