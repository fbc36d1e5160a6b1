"""Reads candidates by index, few of each kind of record, and ranks them by the database.

Nothing reads a table through because somebody types: every kind has a limit of its own, and
kinds without a search index have few rows by nature.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    FromClause,
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
    type_coerce,
    union_all,
)

from desktop_crm.db.engine import Cancel
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import literal_owners
from desktop_crm.services.prepared import Prepared
from desktop_crm.services.search import typed as reading
from desktop_crm.services.search.places import Place, keys_of, rows_of
from desktop_crm.services.search.ranking import Match
from desktop_crm.services.search.typed import TRIGRAM, Typed

MOST: Final = 101
"""Candidates read of one kind by one way; one more than are counted."""
LAST: Final = "\U0010ffff"
_FEW: Final = 2_000
_LETTERS: Final = 2
_SIZES: Final = (1, 3, 12)
_BEST_FIRST: Final = (
    literal_column("r", Integer),
    literal_column("m", Integer).desc(),
    literal_column("k", Integer).desc(),
)
_SERVER: Final = text(
    # Statistics of a text say little about a part of it: a plan may bet on reading the table
    # until enough is found, and lose.
    "SELECT set_config('enable_seqscan', 'off', true),"
    " set_config('plan_cache_mode', :planned, true)"
)
_PLANNED_ONCE: Final = {"planned": "force_generic_plan"}
"""For words the index of trigrams finds, whatever they are: to plan takes longer than to run."""
_PLANNED_AT_EACH: Final = {"planned": "force_custom_plan"}
"""For a letter or two: how many titles begin so decides between reading and sorting."""
Run = Callable[[Prepared, Mapping[str, object]], list[tuple[Any, ...]]]
Keys = dict[int, list[int]]


class Candidate(NamedTuple):
    """One record that may be a hit.

    Attributes:
        id: Its key.
        opens: Key of what opens.
        title: Its title as it is shown.
        at: When it was changed or sent.
        text: Its search text.
        rank: How it matches, see :class:`~.ranking.Match`.
    """

    id: int
    opens: int
    title: str
    at: datetime | None
    text: str
    rank: int = Match.SIMILAR


class Candidates:
    """Statements of one actor for what was typed; those made once are kept with the actor."""

    def __init__(self, actor: Actor, typed: Typed, run: Run) -> None:
        self._actor = actor
        self._run = run
        self._is_sqlite = actor.db.dialect == "sqlite"
        self._readings = tuple(map(_padded, typed.readings))
        self._has_long = _has_long(typed)
        self._shape = (self._has_long, tuple(map(len, self._readings)))
        self._has_words = self._has_long
        if not self._is_sqlite:
            self._has_words = any(word.isalnum() for word in typed.readings[-1])
        self._late = _late(typed, self._readings, match=self._is_sqlite)

    def keys(self, places: Sequence[Place]) -> Keys:
        """Keys of up to 101 records of each kind in which every word stands, by its number.

        One statement; on SQLite the newest come first.
        """

        def make() -> CompoundSelect[Any]:
            return _union([self._containing(place) for place in places])

        if not self._has_long:
            # A single letter is looked for at the beginning of titles alone.
            places = [place for place in places if place.has_title_key]
        numbers = tuple(place.number for place in places)
        if not numbers:
            return {}
        return _by_place(self._read(("search keys", self._shape, numbers), make, self._late))

    def better_keys(self, place: Place) -> list[int]:
        """Keys of records whose words, or whose title, begin as typed; where many match."""

        def make() -> CompoundSelect[Any]:
            ways = [self._by_words(place)] if self._has_words and place.indexed else []
            if place.has_title_key:
                ways.append(self._beginning(place))
            return _union(ways)

        if not place.has_title_key and not (self._has_words and place.indexed):
            return []
        key = ("search better", self._shape, self._has_words, place.number)
        return [found for _, found in self._read(key, make, self._late)]

    def best(self, place: Place, keys: Sequence[int], limit: int) -> list[Candidate]:
        """The first of some records, by match and then by age; one statement."""

        def make() -> Select[Any]:
            rank = _expression(self._rank())
            inner = self._rows(place).subquery("f")
            shown = [inner.c[name] for name in ("k", "o", "t", "m", "s")]
            ranked = select(*shown, rank.label("r")).order_by(*_BEST_FIRST)
            return ranked.limit(bindparam("limit", 0, Integer))

        late = {**self._late, "keys": self._packed(keys), "limit": limit}
        shape = tuple(map(len, self._readings))
        return [Candidate(*r) for r in self._read(("search best", shape, place.number), make, late)]

    def in_pieces(self, places: Sequence[Place], patterns: Sequence[Sequence[str]]) -> Keys:
        """Keys of records that hold all texts of one of several patterns; some of each pattern.

        Each pattern is asked for by itself, so that a common one leaves room for the others.
        """
        found: Keys = {}
        for texts in patterns:
            late: dict[str, object] = {
                f"c0_{n}": reading.pattern(one) for n, one in enumerate(texts)
            }
            if self._is_sqlite:
                late["match"] = " AND ".join(map(reading.phrase, texts))

            def make(count: int = len(texts)) -> CompoundSelect[Any]:
                return _union([self._with_pieces(place, count) for place in places])

            key = ("search pieces", len(texts), tuple(place.number for place in places))
            for number, keys in _by_place(self._read(key, make, late)).items():
                found.setdefault(number, []).extend(keys)
        return {number: list(dict.fromkeys(keys)) for number, keys in found.items()}

    def rows(self, place: Place, keys: Sequence[int]) -> list[Candidate]:
        """Some records as they are, unranked; one statement."""

        def make() -> Select[Any]:
            inner = self._rows(place).subquery("f")
            return select(*(inner.c[name] for name in ("k", "o", "t", "m", "s")))

        late = {"keys": self._packed(keys)}
        return [Candidate(*r) for r in self._read(("search rows", place.number), make, late)]

    # --- ways to find ----------------------------------------------------------------------

    def _containing(self, place: Place) -> Select[Any]:
        if not self._has_long:
            return self._beginning(place)
        if not self._is_sqlite or not place.indexed:
            return self._plain(place)
        few = self._few(place)
        return self._matching(place) if few is None else self._plain(place, few)

    def _plain(self, place: Place, among: FromClause | None = None) -> Select[Any]:
        """Records read one by one: there are few, or a server finds the index by itself."""
        searched = place.entity.table.c.search_text
        holds = or_(
            *(
                and_(*(_like(searched, f"c{r}_{n}") for n in range(len(words))))
                for r, words in enumerate(self._readings)
            )
        )
        return keys_of(self._actor, place, before=among).where(holds).limit(MOST)

    def _beginning(self, place: Place) -> Select[Any]:
        key = place.entity.table.c.title_key
        begin, end = bindparam("w", "", String), bindparam("e", "", String)
        found = keys_of(self._actor, place).where(key >= begin, key < end)
        return found.order_by(key, place.entity.table.c.id).limit(MOST)

    def _by_words(self, place: Place) -> Select[Any]:
        if self._is_sqlite:
            return self._matching(place, "words")
        simple: ColumnElement[Any] = literal_column("'simple'::regconfig")
        vector = func.to_tsvector(simple, place.entity.table.c.search_text)
        query = func.to_tsquery(simple, bindparam("words", "", String))
        return keys_of(self._actor, place).where(vector.op("@@")(query)).limit(MOST)

    def _with_pieces(self, place: Place, count: int) -> Select[Any]:
        if place.indexed and self._is_sqlite:
            return self._matching(place, "pieces")
        searched = place.entity.table.c.search_text
        holds = (_like(searched, f"c0_{n}") for n in range(count))
        return keys_of(self._actor, place).where(*holds).limit(MOST)

    def _matching(self, place: Place, way: str = "match") -> Select[Any]:
        index = table(f"{place.entity.key}_fts", column("rowid", Integer))
        name: ColumnElement[Any] = literal_column(index.name)
        late = bindparam("words" if way == "words" else "match", "", String)
        found = keys_of(self._actor, place, before=index).where(name.op("MATCH")(late))
        if way == "match":
            # The index leaves single letters to be looked for in what it found.
            searched = place.entity.table.c.search_text
            found = found.where(*(_like(searched, f"letter{n}") for n in range(_LETTERS)))
        return found.order_by(index.c.rowid.desc()).limit(MOST)

    def _few(self, place: Place) -> FromClause | None:
        """The records within reach, when reading them all beats the search index.

        How many they are is asked once for an actor: it decides the way, not what is found.
        """
        actor, entity = self._actor, place.entity
        owners = literal_owners(actor, entity, "read")
        if owners is None:
            return None
        # Named, as statistics tell of the average owner and not of this one.
        source = text(
            f'"{entity.table.name}" INDEXED BY ix_{entity.table.name}_live_owner_id_title_key'
        )
        owner: ColumnElement[int] = literal_column("owner_id", Integer)
        of_owner = select(literal_column("id", Integer).label("rowid")).select_from(source)
        of_owner = of_owner.where(owner.in_(owners), text("deleted_at IS NULL"))
        key = ("search", entity.key)
        if key not in actor.reaches:
            some = of_owner.limit(_FEW + 1).subquery()
            counted = Prepared(actor.db, select(func.count()).select_from(some))
            actor.reaches[key] = counted.number(actor.db)
        return of_owner.subquery("few") if actor.reaches[key] <= _FEW else None

    # --- rows and their rank ---------------------------------------------------------------

    def _rows(self, place: Place) -> Select[Any]:
        key = place.entity.table.c.id
        found = rows_of(place)
        if self._is_sqlite:
            listed = func.json_each(bindparam("keys", "[]", String)).table_valued("value")
            return found.where(key.in_(select(listed.c.value)))
        return found.where(key == func.any(bindparam("keys", [], ARRAY(Integer))))

    def _packed(self, keys: Sequence[int]) -> object:
        return json.dumps(list(keys)) if self._is_sqlite else list(keys)

    def _rank(self) -> str:
        """How a row of columns ``h`` (title) and ``s`` (everything) matches, as an expression.

        As text: made of objects it would take longer to put together than to run.
        """
        place = "instr" if self._is_sqlite else "strpos"

        def stands(where: str, prefix: str) -> str:
            readings = (
                " AND ".join(f"{place}({where}, :{prefix}{r}_{n}) > 0" for n in range(len(words)))
                for r, words in enumerate(self._readings)
            )
            return " OR ".join(f"({one})" for one in readings)

        return (
            f"CASE WHEN h = :whole THEN {Match.EQUAL:d}"
            f" WHEN {place}(h, :start) = 1 THEN {Match.BEGINS:d}"
            f" WHEN {stands('h', 'b')} THEN {Match.TITLE_WORDS:d}"
            f" WHEN {stands('h', 'i')} THEN {Match.TITLE:d}"
            f" WHEN {stands('s', 'b')} THEN {Match.WORDS:d}"
            f" ELSE {Match.ANYWHERE:d} END"
        )

    def _read(
        self,
        key: tuple[object, ...],
        make: Callable[[], Select[Any] | CompoundSelect[Any]],
        late: Mapping[str, object],
    ) -> list[tuple[Any, ...]]:
        kept = self._actor.statements.get(key)
        if kept is None:
            kept = self._actor.statements[key] = Prepared(self._actor.db, make())
        return self._run(kept, late)


def _has_long(typed: Typed) -> bool:
    """Whether a word is long enough for the index of trigrams."""
    return any(len(reading.term(word)) >= TRIGRAM for word in typed.words)


def _padded(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words, the first one repeated, so that few statements serve every number of words."""
    size = next(size for size in _SIZES if len(words) <= size)
    return (*words, *(words[:1] * (size - len(words))))


def _late(typed: Typed, padded: Sequence[tuple[str, ...]], *, match: bool) -> dict[str, object]:
    """Values of the statements."""
    found: dict[str, object] = {
        "w": typed.text,
        "e": typed.text + LAST,
        "whole": f" {typed.text} ",
        "start": f" {typed.text}",
    }
    for r, words in enumerate(padded):
        for n, word in enumerate(words):
            term = reading.term(word)
            found[f"b{r}_{n}"] = f" {word}"
            found[f"i{r}_{n}"] = term
            found[f"c{r}_{n}"] = reading.pattern(term)
    last = typed.readings[-1]
    if match:
        letters = [f" {word}" for word in typed.words if len(word) == 1]
        for n in range(_LETTERS):
            found[f"letter{n}"] = reading.pattern(letters[n] if n < len(letters) else "")
        found["match"] = reading.match(typed)
        begins = [reading.phrase(f" {word}") for word in last if len(word) > 1]
        found["words"] = " AND ".join(begins)
    else:
        found["words"] = " & ".join(f"{word}:*" for word in last if word.isalnum())
    return found


def _expression(words: str) -> ColumnElement[int]:
    """A number as an expression in the database's words, with values bound late."""
    made = text(words)
    return type_coerce(made.bindparams(**dict.fromkeys(made._bindparams, "")), Integer)


def _like(searched: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return searched.like(bindparam(name, "", String), escape="/")


def _union(arms: Sequence[Select[Any]]) -> CompoundSelect[Any]:
    return union_all(*(select(arm.subquery(f"a{n}")) for n, arm in enumerate(arms)))


def _by_place(rows: Sequence[tuple[Any, ...]]) -> Keys:
    found: Keys = {}
    for place, key in rows:
        found.setdefault(place, []).append(key)
    return found


@contextmanager
def opened(actor: Actor, typed: Typed, cancel: Cancel | None) -> Iterator[Run]:
    """A way to run statements of search; on a server all in one transaction that reads by index."""
    if actor.db.dialect == "sqlite":
        yield lambda kept, late: kept.tuples(actor.db, cancel, **late)
        return
    with actor.db.reading(cancel) as connection:
        connection.execute(_SERVER, _PLANNED_ONCE if _has_long(typed) else _PLANNED_AT_EACH)
        yield lambda kept, late: kept.inside(connection, **late)
