"""Benchmarks 1, 3 and 4: first pages, pages by key, sorts; the limits are written by hand."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from desktop_crm.bench.data_rows import LOGINS, SEED, TEAM
from desktop_crm.bench.ground import COLUMNS, PAGE, Ground
from desktop_crm.bench.rows import Row, compared, pair, seconds, unmeasured
from desktop_crm.meta import kinds, registry
from desktop_crm.services import query
from desktop_crm.services.context import Actor
from desktop_crm.services.query import Order, RecordQuery

Way = Callable[[], Sequence[Any]]

CONTACTS: Final = RecordQuery("contact", COLUMNS)

_SHOWN: Final = """SELECT c.id, c.version, c.deleted_at, c.full_name, a.name, c.job_title,
 c.email, c.phone, c.city, u.name"""
_LINKED: Final = """LEFT JOIN account a ON a.id = c.account_id @reach@
 LEFT JOIN "user" u ON u.id = c.owner_id"""
ALL: Final = """@shown@ FROM contact c @linked@
 WHERE c.deleted_at IS NULL ORDER BY c.title_key, c.id LIMIT 200"""
OWN: Final = """@shown@ FROM contact c @linked@
 WHERE c.deleted_at IS NULL AND c.owner_id = @owner@ ORDER BY c.title_key, c.id LIMIT 200"""
TEAM_ARM: Final = "SELECT id, title_key FROM contact WHERE deleted_at IS NULL AND owner_id = @"
TEAM_PAGE: Final = """@shown@
 FROM (SELECT * FROM (@arms@ ORDER BY title_key, id LIMIT 200) m) k
 JOIN contact c ON c.id = k.id @linked@ ORDER BY k.title_key, k.id"""
BY_COLUMN: Final = """@shown@ FROM contact c @linked@
 WHERE c.deleted_at IS NULL ORDER BY c.@column@ NULLS LAST, c.id LIMIT 200"""
BY_COLUMN_KEYS_FIRST: Final = """@shown@ FROM (
 SELECT id, @column@ AS k FROM contact WHERE deleted_at IS NULL
 ORDER BY @column@ NULLS LAST, id LIMIT 200) s
 JOIN contact c ON c.id = s.id @linked@ ORDER BY s.k NULLS LAST, s.id"""
BY_ACCOUNT: Final = {
    "sqlite": """@shown@ FROM (SELECT * FROM (
 SELECT * FROM (SELECT NULL AS k, id FROM contact
 WHERE deleted_at IS NULL AND account_id IS NULL ORDER BY id LIMIT 200)
 UNION ALL SELECT a.title_key, c.id FROM account a CROSS JOIN contact c ON c.account_id = a.id
 WHERE a.deleted_at IS NULL AND c.deleted_at IS NULL
 UNION ALL SELECT a.title_key, c.id FROM account a CROSS JOIN contact c ON c.account_id = a.id
 WHERE a.deleted_at IS NOT NULL AND c.deleted_at IS NULL
 ORDER BY 1 NULLS LAST, 2 LIMIT 200)) s
 JOIN contact c ON c.id = s.id @linked@ ORDER BY s.k NULLS LAST, s.id""",
    # A server sorts what is united: each part brings its own first ones.
    "postgresql": """@shown@ FROM (SELECT * FROM (
 (SELECT a.title_key AS k, c.id FROM account a JOIN contact c ON c.account_id = a.id
 WHERE a.deleted_at IS NULL AND c.deleted_at IS NULL ORDER BY a.title_key, c.id LIMIT 200)
 UNION ALL (SELECT a.title_key, c.id FROM account a JOIN contact c ON c.account_id = a.id
 WHERE a.deleted_at IS NOT NULL AND c.deleted_at IS NULL ORDER BY a.title_key, c.id LIMIT 200)
 UNION ALL (SELECT NULL, id FROM contact
 WHERE deleted_at IS NULL AND account_id IS NULL ORDER BY id LIMIT 200)) m
 ORDER BY k NULLS LAST, id LIMIT 200) s
 JOIN contact c ON c.id = s.id @linked@ ORDER BY s.k NULLS LAST, s.id""",
}
SNAPSHOT: Final = "SELECT id FROM contact WHERE deleted_at IS NULL ORDER BY title_key, id"
_FAR: Final = 900_000
_NEAR: Final = 1_000
_PAGES: Final = 60
_SCREENED: Final = 3


def first_pages(ground: Ground, little: Ground) -> list[Row]:
    """Benchmark 1: a page of 200 for four actors, and the same on a file of 1,000."""
    rows: list[Row] = []
    for login in LOGINS:
        actor, less = ground.actors[login], little.actors[login]
        limit = _page_of(login)
        database = ground.database
        shown = shown_by_us(query.first_page(actor, CONTACTS, PAGE))
        operation = f"contact list, page of {PAGE}, {login.removeprefix('bench_')}"
        if shown != shown_by_hand(ground.fetch(limit)):
            rows.append(unmeasured(1, operation, "the two ways give different rows", database))
            continue

        def ours(actor: Actor = actor) -> object:
            return query.first_page(actor, CONTACTS, PAGE)

        def by_hand(limit: str = limit) -> object:
            return ground.fetch(limit)

        def on_small(less: Actor = less) -> object:
            return query.first_page(less, CONTACTS, PAGE)

        rows.append(compared(1, operation, pair(ours, by_hand, 25), 3, database=database))
        beside = f"{operation}: 1,000,000 against 1,000 contacts"
        rows.append(compared(1, beside, pair(ours, on_small, 25), 2, database=database))
    return rows


def _page_of(login: str) -> str:
    """The best statement known for an actor; owners stand in it as literals."""
    arms = " UNION ALL ".join(TEAM_ARM.replace("@", str(owner)) for owner in sorted(TEAM))
    team = ",".join(str(owner) for owner in sorted(TEAM))
    statements = {
        LOGINS[0]: _spelled(ALL),
        LOGINS[1]: _spelled(TEAM_PAGE, "AND a.owner_id IN (@)".replace("@", team)),
        LOGINS[2]: _spelled(OWN, "AND a.owner_id = 3"),
        LOGINS[3]: _spelled(OWN, "AND a.owner_id = 4"),
    }
    return statements[login].replace("@arms@", arms).replace("@owner@", login_owner(login))


def page_of_everything() -> str:
    """The best statement known for the first page of the actor who sees every record."""
    return _spelled(ALL)


def login_owner(login: str) -> str:
    """Key of the user of a login, as text."""
    return str(LOGINS.index(login) + 1)


def _spelled(statement: str, reach: str = "") -> str:
    """A statement with its columns, its joins and what may be seen of the accounts."""
    whole = statement.replace("@shown@", _SHOWN).replace("@linked@", _LINKED)
    return whole.replace("@reach@", reach)


def pages_by_key(ground: Ground) -> list[Row]:
    """Benchmark 3: random pages far down against random pages near the top; the snapshot."""
    actor = ground.everything
    keys = query.keys(actor, CONTACTS)
    database = ground.database

    def by_hand() -> array[int]:
        return array("q", chain.from_iterable(ground.run(SNAPSHOT)))

    if keys != by_hand():
        return [unmeasured(3, "key snapshot", "the two ways give different keys", database)]
    chance = random.Random(SEED)

    def page_near(row: int) -> Callable[[], object]:
        def read() -> object:
            start = row + chance.randrange(-900, 900)
            return query.rows(actor, CONTACTS, keys[start : start + PAGE])

        return read

    measured = pair(page_near(_FAR), page_near(_NEAR), _PAGES)
    operation = f"random pages by key around row {_FAR:,} against row {_NEAR:,}"
    rows = [compared(3, operation, measured, 1.3, database=database)]
    measured = pair(lambda: query.keys(actor, CONTACTS), by_hand)
    operation = f"key snapshot of {len(keys):,} contacts"
    rows.append(compared(3, operation, measured, 1.5, database=database))
    return rows


@dataclass(frozen=True, slots=True)
class _Sort:
    """One column: its name and the seconds of both ways."""

    name: str
    ours: float
    limit: float

    @property
    def ratio(self) -> float:
        return self.ours / self.limit


def sorts(ground: Ground) -> list[Row]:
    """Benchmark 4: the worst local column of each class, and one linked title."""
    local = local_columns()
    indexed = [name for name in local if is_indexed(name)]
    others = [name for name in local if name not in indexed]
    fast, slow = _measured(ground, indexed), _measured(ground, others)
    rows = [
        _worst_of(ground, fast, f"first page sorted by an indexed column, worst of {len(fast)}"),
        _worst_of(ground, slow, f"first page sorted by an unindexed column, worst of {len(slow)}"),
    ]
    linked = _pair_of(ground, "account")
    database = ground.database
    operation = "first page sorted by the title of a link, account"
    rows.append(compared(4, operation, linked, 1.5, database=database))
    slowest = max(linked[0], *(sort.ours for sort in fast))
    raw = min(sort.limit for sort in slow)
    operation = "slowest indexed sort against the fastest unindexed raw sort"
    rows.append(compared(4, operation, (slowest, raw), 20, database=database, at_least=True))
    return rows


def local_columns() -> list[str]:
    """Columns of the contact itself that a person may choose."""
    fields = registry.get("contact").fields.values()
    return [
        f.name for f in fields if f.column is not None and not f.hidden and f.kind != kinds.LINK
    ]


def is_indexed(name: str) -> bool:
    """Whether an index of the contact begins with what sorts this column."""
    entity = registry.get("contact")
    column = "title_key" if name == entity.title else name
    return any(next(iter(index.columns)).name == column for index in entity.table.indexes)


def _measured(ground: Ground, names: list[str]) -> list[_Sort]:
    """Every column twice; the three that look worst again, in full."""
    found = []
    for name in names:
        ours, by_hand = _checked_ways(ground, name)
        times = [(seconds(ours), seconds(by_hand)) for _ in range(2)]
        found.append(_Sort(name, min(t[0] for t in times), min(t[1] for t in times)))
    found.sort(key=lambda sort: sort.ratio, reverse=True)
    again = [_Sort(sort.name, *_pair_of(ground, sort.name)) for sort in found[:_SCREENED]]
    return [*again, *found[_SCREENED:]]


def _worst_of(ground: Ground, found: list[_Sort], operation: str) -> Row:
    worst = max(found, key=lambda sort: sort.ratio)
    measured = (worst.ours, worst.limit)
    operation = f"{operation}: {worst.name}"
    row = compared(4, operation, measured, 1.5, database=ground.database)
    return replace(row, detail={sort.name: round(sort.ratio, 2) for sort in found})


def _pair_of(ground: Ground, name: str) -> tuple[float, float]:
    runs = 25 if name == "account" or is_indexed(name) else 5  # short ones differ more
    return pair(*_checked_ways(ground, name), runs)


def _checked_ways(ground: Ground, name: str) -> tuple[Way, Way]:
    ours, by_hand = ways(ground, name)
    if shown_by_us(ours()) != shown_by_hand(by_hand()):
        raise AssertionError(f"sorted by {name}, the two ways give different rows")
    return ours, by_hand


def ways(ground: Ground, name: str) -> tuple[Way, Way]:
    """The product's way to the first page in an order, and the one by hand."""
    asked = RecordQuery("contact", COLUMNS, order=(Order(name),))
    statement = sort_by_hand(name, ground.database)
    actor = ground.everything
    return lambda: query.first_page(actor, asked, PAGE), lambda: ground.fetch(statement)


def shown_by_us(rows: Sequence[Any]) -> list[tuple[object, ...]]:
    """Key and values of the product's rows."""
    return [(row.id, *row.values) for row in rows]


def shown_by_hand(rows: Sequence[Any]) -> list[tuple[object, ...]]:
    """The same of the driver's rows; version and deletion mark stand between."""
    return [(row[0], *row[3:]) for row in rows]


def sort_by_hand(name: str, database: str) -> str:
    """The best statement known for an order."""
    if name == "account":
        statement = BY_ACCOUNT[database]
    elif name == registry.get("contact").title:
        statement = ALL
    else:
        statement = BY_COLUMN if is_indexed(name) else BY_COLUMN_KEYS_FIRST
    return _spelled(statement).replace("@column@", name)
