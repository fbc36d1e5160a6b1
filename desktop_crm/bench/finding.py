"""Search over everything as typed, and the guard that nobody's typing reads a table through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from psycopg import ClientCursor
from sqlalchemy import event

from desktop_crm.bench.data_rows import LOGINS, SEARCHES
from desktop_crm.bench.ground import Ground
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.db.search_index import SEARCHED
from desktop_crm.meta import registry
from desktop_crm.services.search import everything
from desktop_crm.services.search.candidates import MOST
from desktop_crm.services.search.places import places_of

_RANKED: Final = """ ORDER BY CASE WHEN t.@key@ = ? THEN 0 WHEN t.@key@ LIKE ? THEN 1
 WHEN ' ' || t.@key@ LIKE ? THEN 2 WHEN t.@key@ LIKE ? THEN 3
 WHEN t.search_text LIKE ? THEN 4 ELSE 5 END, t.modified_at DESC, t.id DESC LIMIT 5"""
_SHOWN: Final = "SELECT t.id, t.@title@, t.modified_at, t.search_text, count(*) OVER () "
BY_TRIGRAMS: Final = """FROM (SELECT rowid FROM @table@_fts WHERE @table@_fts MATCH ?
 ORDER BY rowid DESC LIMIT 101) m CROSS JOIN "@table@" t ON t.id = m.rowid
 WHERE t.deleted_at IS NULL"""
"""SQLite: the newest matches of the search index, joined to their rows."""
BY_LIKE: Final = """FROM (SELECT id FROM "@table@" WHERE search_text LIKE ?
 AND deleted_at IS NULL LIMIT 101) m JOIN "@table@" t ON t.id = m.id"""
"""Tables without a search index; on PostgreSQL all, as pg_trgm serves LIKE."""
RUNS: Final = 15
_NAMED: Final = re.compile(r"%\((\w+)\)s")
TYPED: Final = ("a", "po", "opoulo", "ana popescu", "0721 234 567", "popesku")


def everywhere(ground: Ground) -> list[Row]:
    """Five words with 0 to 30,000 hits, in every kind of record, ranked and counted."""
    rows: list[Row] = []
    for typed, _, hits in SEARCHES:
        operation = f"find “{typed}” in every kind of record, {hits:,} hits"
        by_hand = raw(ground, typed)

        def ours(typed: str = typed) -> dict[str, int]:
            found = everything.find(ground.everything, typed)
            return {section.entity: section.count for section in found.sections}

        if ours() != by_hand():
            reason = "the two ways count different hits"
            rows.append(unmeasured("find", operation, reason, ground.database))
            continue
        measured = pair(ours, by_hand, RUNS)
        rows.append(compared("find", operation, measured, 3, database=ground.database))
    return rows


def raw(ground: Ground, typed: str) -> Callable[[], dict[str, int]]:
    """The least statements for the same answer, one for each kind of record."""
    statements: list[tuple[str, str, tuple[Any, ...]]] = []
    ranks = (typed, f"{typed}%", f"% {typed}%", f"%{typed}%", f"% {typed}%")
    for place in places_of(ground.everything):
        entity = place.entity
        indexed = ground.database == "sqlite" and entity.key in SEARCHED
        key = "title_key" if "title_key" in entity.fields else "search_text"
        title: Any = registry.get(entity.key).fields[entity.title].column
        text = _SHOWN + (BY_TRIGRAMS if indexed else BY_LIKE) + _RANKED
        for name, value in (("table", entity.table.name), ("title", title.name), ("key", key)):
            text = text.replace(f"@{name}@", value)
        looked = f'"{typed}"' if indexed else f"%{typed}%"
        statements.append((entity.key, text, (looked, *ranks)))

    def run() -> dict[str, int]:
        found: dict[str, int] = {}
        for key, text, values in statements:
            rows = ground.fetch(text, values)
            if rows:
                found[key] = min(rows[0][4], MOST - 1)
        return found

    return run


def plans(ground: Ground) -> list[Row]:
    """Guard: whoever types whatever, no table with a search index is read through.

    The database is asked for the plan of the statements that the product really sends.
    """
    problems: list[str] = []
    asked = 0
    for login in LOGINS:
        actor = ground.actors[login]
        actor.statements.clear()
        with listening(ground) as sent:
            for typed in TYPED:
                everything.find(actor, typed)
                everything.find_similar(actor, typed)
        if ground.database == "sqlite":
            sent = [("", kept.sql, kept.values()) for kept in actor.statements.values()]
        for planned, text, values in sent:
            if text.startswith("SELECT a0."):
                asked += 1
                steps = (
                    _kept_plan(ground, planned, text, values)
                    if planned
                    else ground.plan(text, values)
                )
                problems += [f"{login}: {step.strip()}" for step in steps if reads_through(step)]
    operation = "whatever is typed into the search, no table with a search index is read through"
    if not asked:
        problems.append("no statement of the search was seen")
    reason = "; ".join(dict.fromkeys(problems))
    return [
        Row(
            "typing", ground.database, operation, None, None, None, None,
            ok=not reason, reason=reason,
        )
    ]  # fmt: skip


@contextmanager
def listening(ground: Ground) -> Iterator[list[tuple[str, str, Any]]]:
    """Hear of the statements sent to a server: how they are to be planned, words and values."""
    sent: dict[tuple[str, str], Any] = {}
    told: list[tuple[str, str, Any]] = []
    planned = ""

    def note(*event: Any) -> None:  # noqa: ANN401  SQLAlchemy's
        nonlocal planned
        _connection, _cursor, text, values, *_rest = event
        planned = values.get("planned", planned)
        sent[planned, text] = values

    if ground.database == "sqlite":
        yield told
        return
    event.listen(ground.db.engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(ground.db.engine, "before_cursor_execute", note)
    told += [(*key, values) for key, values in sent.items()]
    ground.raw.execute("SET enable_seqscan = off")


def _kept_plan(ground: Ground, planned: str, text: str, values: Mapping[str, Any]) -> list[str]:
    """Steps a server takes for a statement it keeps: made with its words, or without them."""
    names = list(dict.fromkeys(_NAMED.findall(text)))
    numbered = _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
    ground.raw.execute("SELECT set_config('plan_cache_mode', %s, false)", (planned,))
    ground.raw.execute(f"PREPARE guarded AS {numbered}")
    try:
        holders = ", ".join(["%s"] * len(names))
        told = ClientCursor(ground.raw).execute(
            f"EXPLAIN EXECUTE guarded ({holders})", [values[name] for name in names]
        )
        return [str(row[0]) for row in told]
    finally:
        ground.raw.execute("DEALLOCATE guarded")


def reads_through(step: str) -> bool:
    """Whether a step of a plan reads a whole table that has a search index."""
    names = [word.strip('"') for word in step.replace("(", " ").split()]
    if "SCAN" in names:  # SQLite
        table = names[names.index("SCAN") + 1]
        return table in SEARCHED and "INDEX" not in names
    return "Seq" in names and names[names.index("on") + 1] in SEARCHED
