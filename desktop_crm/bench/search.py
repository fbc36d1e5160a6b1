"""Benchmark 2: substring search, and the guard that short words use an index of beginnings."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from desktop_crm.bench.data_rows import LOGINS, SEARCHES
from desktop_crm.bench.ground import COLUMNS, PAGE, Ground
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.services import query
from desktop_crm.services.query import RecordQuery

_SHOWN: Final = "SELECT c.id, c.full_name, a.name, c.job_title, c.email, c.phone, c.city, u.name"
_LINKED: Final = """LEFT JOIN account a ON a.id = c.account_id
 LEFT JOIN "user" u ON u.id = c.owner_id"""
FROM_MATCHES: Final = """@shown@ FROM contact_fts CROSS JOIN contact c ON c.id = contact_fts.rowid
 @linked@ WHERE contact_fts MATCH ? AND c.deleted_at IS NULL
 ORDER BY c.title_key, c.id LIMIT 200"""
"""Best where few match: the matches are sorted."""
FROM_ORDER: Final = """@shown@ FROM contact c INDEXED BY ix_contact_live_title_key @linked@
 WHERE c.deleted_at IS NULL
 AND c.id IN (SELECT rowid FROM contact_fts WHERE contact_fts MATCH ?)
 ORDER BY c.title_key, c.id LIMIT 200"""
"""Best where many match: the list is walked in order until 200 matches are found."""
BY_LIKE: Final = """@shown@ FROM contact c NOT INDEXED @linked@
 WHERE c.search_text LIKE ? AND c.deleted_at IS NULL ORDER BY c.title_key, c.id LIMIT 200"""
"""Without the search index; told not to walk the list, which takes ten times as long."""
_FEW_ON_SERVER: Final = """WITH m AS MATERIALIZED (SELECT id FROM contact
 WHERE search_text LIKE ? AND deleted_at IS NULL)
 @shown@ FROM m JOIN contact c ON c.id = m.id @linked@ ORDER BY c.title_key, c.id LIMIT 200"""
_MANY_ON_SERVER: Final = """@shown@ FROM contact c @linked@
 WHERE c.search_text LIKE ? AND c.deleted_at IS NULL ORDER BY c.title_key, c.id LIMIT 200"""
_LIKE_ON_SERVER: Final = """WITH m AS MATERIALIZED (SELECT id FROM contact
 WHERE search_text || '' LIKE ? AND deleted_at IS NULL)
 @shown@ FROM m JOIN contact c ON c.id = m.id @linked@ ORDER BY c.title_key, c.id LIMIT 200"""
"""The text is made anew, so that the index of its trigrams cannot serve."""
_MANY: Final = 2000
_WHOLE: Final = ("SCAN contact", "SCAN c ")
_MATCHED: Final = re.compile(r"SCAN \w+_fts VIRTUAL TABLE INDEX \d+:M")
"""A step that reads matches of the search index."""
_LIKE_RUNS: Final = 5


def typed_words(ground: Ground) -> list[Row]:
    """Benchmark 2: five words with 0 to 30,000 hits against the best statement for each."""
    rows: list[Row] = []
    database = ground.database
    for typed, _, hits in SEARCHES:
        operation = f"search “{typed}” to {PAGE} rows in list order, {hits:,} hits"
        asked = RecordQuery("contact", COLUMNS, search=typed)
        limit, like = _by_hand(ground, hits)
        indexed = f'"{typed}"' if ground.database == "sqlite" else f"%{typed}%"

        def ours(asked: RecordQuery = asked) -> list[tuple[Any, ...]]:
            found = query.first_page(ground.everything, asked, PAGE)
            return [(row.id, *row.values) for row in found]

        def by_hand(limit: str = limit, indexed: str = indexed) -> list[tuple[Any, ...]]:
            return ground.fetch(spelled(limit), (indexed,))

        if ours() != by_hand():
            rows.append(unmeasured(2, operation, "the two ways give different rows", database))
            continue
        rows.append(compared(2, operation, pair(ours, by_hand, 11), 3, database=database))
        if hits > PAGE:
            continue

        def by_like(typed: str = typed, like: str = like) -> object:
            return ground.fetch(spelled(like), (f"%{typed}%",))

        measured = pair(ours, by_like, _LIKE_RUNS)
        operation = f"{operation}, against LIKE"
        rows.append(compared(2, operation, measured, 50, database=database, at_least=True))
    return rows


def _by_hand(ground: Ground, hits: int) -> tuple[str, str]:
    """The best statement known for so many hits, and the one without an index of words."""
    if ground.database == "sqlite":
        return FROM_ORDER if hits > _MANY else FROM_MATCHES, BY_LIKE
    return _MANY_ON_SERVER if hits > _MANY else _FEW_ON_SERVER, _LIKE_ON_SERVER


def spelled(statement: str) -> str:
    """A statement with its columns and joins."""
    return statement.replace("@shown@", _SHOWN).replace("@linked@", _LINKED)


def read_through(steps: list[str]) -> list[str]:
    """Steps of SQLite's plan that read a whole table.

    A list walked in order until the matches of the search index fill a page does not.
    """
    if any(_MATCHED.match(step) for step in steps):
        return []
    return [step for step in steps if step.startswith(_WHOLE)]


def short_words(ground: Ground) -> list[Row]:
    """Guard: searches of one or two letters, and lists of selective actors, read an index.

    SQLite is asked for the plan of the statements that the product really sends.
    """
    problems: list[str] = []
    plain = RecordQuery("contact", COLUMNS)
    for login in LOGINS:
        actor = ground.actors[login]
        lists = [replace(plain, search=typed) for typed in ("a", "po")]
        if login != LOGINS[0]:  # who sees everything reads the first rows of everything
            lists.append(plain)
        for asked in lists:
            actor.statements.clear()
            query.first_page(actor, asked, PAGE)
            query.keys(actor, asked)
            for prepared in actor.statements.values():
                steps = ground.plan(prepared.sql, prepared.values())
                problems += [f"{login}: {step}" for step in read_through(steps)]
    operation = "one or two letters, and lists of selective actors, are read by an index"
    reason = "; ".join(dict.fromkeys(problems))
    return [Row("short", "sqlite", operation, None, None, None, None, ok=not reason, reason=reason)]
