"""The words a list is searched for, as its statement takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    column,
    literal_column,
    or_,
    select,
    table,
)

from desktop_crm.db.search_index import SEARCHED
from desktop_crm.meta import registry
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Rule
from desktop_crm.services.record_query import RecordQuery, asks_by_link
from desktop_crm.services.search import typed

LAST: Final = "\U0010ffff"
"""Behind every text that begins with another."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is searched for: every word stands somewhere, two letters begin a word.

    Attributes:
        begin: A single letter that the title begins with, where nothing longer was typed.
        readings: Texts that stand anywhere, where no index takes them as a phrase; any of the
            readings will do.
        phrase: The texts as SQLite's search index wants them.
    """

    begin: str = ""
    readings: tuple[tuple[str, ...], ...] = ()
    phrase: str = ""

    @classmethod
    def of(cls, actor: Actor, query: RecordQuery) -> Words:
        """Read the words of a query."""
        if not query.search:
            return NO_WORDS
        found = typed.read(query.search)
        texts = tuple(tuple(map(typed.term, words)) for words in found.readings)
        if not texts:
            return NO_WORDS
        begin = ""
        if all(len(text) < typed.TRIGRAM for text in texts[0]):
            if "title_key" in registry.get(query.entity).fields:
                begin, texts = found.words[0], (texts[0][1:],)
            return cls(begin, texts)
        if actor.db.dialect != "sqlite" or query.entity not in SEARCHED:
            return cls("", texts)
        letters = tuple(text for text in texts[0] if len(text) < typed.TRIGRAM)
        return cls("", (letters,) if letters else (), typed.match(found))

    @property
    def shape(self) -> tuple[bool, tuple[int, ...], bool]:
        """What the statement depends on."""
        return (bool(self.begin), tuple(map(len, self.readings)), bool(self.phrase))

    def late(self, query: RecordQuery) -> dict[str, object]:
        """Values of the statement."""
        found: dict[str, object] = {}
        if isinstance(query.filter, Rule) and asks_by_link(query):
            found["link"] = query.filter.value
        if self.begin:
            found |= {"w0": self.begin, "e0": self.begin + LAST}
        for r, texts in enumerate(self.readings):
            for n, text in enumerate(texts):
                found[f"l{r}_{n}"] = typed.pattern(text)
        if self.phrase:
            found["match"] = self.phrase
        return found


NO_WORDS: Final = Words()


def standing(words: Words, searched: ColumnElement[Any]) -> ColumnElement[bool] | None:
    """Clause for a text in which one of the readings stands, bound late; None without any."""
    readings = [
        and_(
            *(
                searched.like(bindparam(f"l{r}_{n}", "", String), escape="/")
                for n in range(len(texts))
            )
        )
        for r, texts in enumerate(words.readings)
        if texts
    ]
    return or_(*readings) if readings else None


def matches(entity: str) -> Select[Any]:
    """Keys that SQLite's search index finds for a phrase, which is bound late."""
    index = table(f"{entity}_fts", column("rowid", Integer))
    name: ColumnElement[Any] = literal_column(index.name)
    return select(index.c.rowid).where(name.op("MATCH")(bindparam("match", "", String)))
