"""Rows of arranged lists: columns of linked records, groups and totals against raw SQL."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from desktop_crm.bench.ground import PAGE, Ground
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.meta.types import MONEY_SCALE
from desktop_crm.services import query, totals
from desktop_crm.services.list_layout import Summary
from desktop_crm.services.query import Order, RecordQuery

GOAL: Final = 2
_RUNS: Final = 5
_FAR: Final = 900_000
_LINKED: Final = ("full_name", "email", "account.city", "account.industry", "account.owner")
_SHOWN: Final = """SELECT c.id, c.version, c.deleted_at, c.full_name, c.email,
 a.city, a.industry, u.name"""
_JOINS: Final = """LEFT JOIN account a ON a.id = c.account_id
 LEFT JOIN "user" u ON u.id = a.owner_id"""
_PAGE: Final = """@shown@ FROM contact c @joins@
 WHERE c.deleted_at IS NULL ORDER BY c.title_key, c.id LIMIT 200"""
_BY_CITY: Final = """@shown@ FROM (SELECT c.id, a.city AS k FROM contact c
 LEFT JOIN account a ON a.id = c.account_id WHERE c.deleted_at IS NULL
 ORDER BY a.city NULLS LAST, c.id LIMIT 200) s
 JOIN contact c ON c.id = s.id @joins@ ORDER BY s.k NULLS LAST, s.id"""
_BY_KEYS: Final = {
    "sqlite": "@shown@ FROM contact c @joins@ WHERE c.id IN (SELECT value FROM json_each(?))",
    "postgresql": "@shown@ FROM contact c @joins@ WHERE c.id = ANY(?)",
}
_CITIES: Final = """SELECT city, count(*) FROM contact WHERE deleted_at IS NULL
 GROUP BY city ORDER BY city NULLS LAST"""
_KEYS_BY_CITY: Final = """SELECT id FROM contact WHERE deleted_at IS NULL
 ORDER BY city NULLS LAST, title_key, id"""
_ACCOUNTS: Final = """SELECT a.id, q.n FROM (SELECT account_id, count(*) AS n FROM contact
 WHERE deleted_at IS NULL GROUP BY account_id) q
 LEFT JOIN account a ON a.id = q.account_id ORDER BY a.title_key NULLS LAST, a.id"""
_KEYS_BY_ACCOUNT: Final = """SELECT c.id FROM contact c LEFT JOIN account a ON a.id = c.account_id
 WHERE c.deleted_at IS NULL ORDER BY a.title_key NULLS LAST, a.id, c.title_key, c.id"""
_MONTHS: Final = """SELECT @month@ AS g, count(*) FROM opportunity WHERE deleted_at IS NULL
 GROUP BY g ORDER BY g NULLS LAST"""
_KEYS_BY_MONTH: Final = """SELECT id FROM opportunity WHERE deleted_at IS NULL
 ORDER BY @month@ NULLS LAST, title_key, id"""
_MONTH: Final = {
    "sqlite": "substr(close_on, 1, 7)",
    "postgresql": "to_char(close_on, 'YYYY-MM')",
}


def linked(ground: Ground) -> list[Row]:
    """Lists with three columns of linked records: pages by title, by a linked column, by key."""
    actor = ground.everything
    rows: list[Row] = []
    for name, order, statement in (
        ("the first page", (), _PAGE),
        ("the first page sorted by one of them", (Order("account.city"),), _BY_CITY),
    ):
        asked = RecordQuery("contact", _LINKED, order=order)
        operation = f"three columns of linked records, {name}"

        def ours(asked: RecordQuery = asked) -> Sequence[Any]:
            return query.first_page(actor, asked, PAGE)

        def by_hand(statement: str = statement) -> Sequence[Any]:
            return ground.fetch(_spelled(ground, statement))

        rows.append(
            _row(
                ground,
                "linked",
                operation,
                ours,
                by_hand,
                shown=_listed,
                shown_by_hand=_listed_by_hand,
            )
        )
    return [*rows, _by_keys(ground)]


def _by_keys(ground: Ground) -> Row:
    """A page by key around row 900,000 against the same rows by hand."""
    actor = ground.everything
    asked = RecordQuery("contact", _LINKED)
    keys = query.keys(actor, asked)[_FAR : _FAR + PAGE]
    packed: object = str(list(keys)) if ground.database == "sqlite" else list(keys)
    places = {key: place for place, key in enumerate(keys)}

    def by_hand() -> Sequence[Any]:
        found = ground.fetch(_spelled(ground, _BY_KEYS[ground.database]), (packed,))
        return sorted(found, key=lambda row: places[row[0]])

    operation = "three columns of linked records, a page by key"
    return _row(
        ground, "linked", operation, lambda: query.rows(actor, asked, keys), by_hand,
        shown=_listed, shown_by_hand=_listed_by_hand, runs=25,
    )  # fmt: skip


def _spelled(ground: Ground, statement: str) -> str:
    """A statement with its columns, its joins and the database's way to a month."""
    whole = statement.replace("@shown@", _SHOWN).replace("@joins@", _JOINS)
    return whole.replace("@month@", _MONTH[ground.database])


def _listed(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(row.id, *row.values) for row in rows]


def _listed_by_hand(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(row[0], *row[3:]) for row in rows]


def groups(ground: Ground) -> list[Row]:
    """Grouping: the groups with their sizes, and every key in the order of the groups."""
    actor = ground.everything
    rows: list[Row] = []
    for name, asked, counted, ordered in (
        (
            "1,000,000 contacts by city",
            RecordQuery("contact", ("full_name",), group="city"),
            _CITIES,
            _KEYS_BY_CITY,
        ),
        (
            "1,000,000 contacts by account",
            RecordQuery("contact", ("full_name",), group="account"),
            _ACCOUNTS,
            _KEYS_BY_ACCOUNT,
        ),
        (
            "200,000 opportunities by month",
            RecordQuery("opportunity", ("name",), group="close_on@month"),
            _spelled(ground, _MONTHS),
            _spelled(ground, _KEYS_BY_MONTH),
        ),
    ):

        def ours(asked: RecordQuery = asked) -> Sequence[Any]:
            return totals.groups(actor, asked, {}).groups

        def by_hand(statement: str = counted) -> Sequence[Any]:
            return ground.fetch(statement)

        def keys(asked: RecordQuery = asked) -> Sequence[int]:
            return query.keys(actor, asked)

        def keys_by_hand(statement: str = ordered) -> Sequence[int]:
            return array("q", chain.from_iterable(ground.run(statement)))

        rows.append(
            _row(
                ground,
                "group",
                f"groups of {name}",
                ours,
                by_hand,
                shown=_sizes,
                shown_by_hand=_plain,
            )
        )
        rows.append(
            _row(ground, "group", f"keys of {name}, group by group", keys, keys_by_hand,
                 shown=_plain, shown_by_hand=_plain)
        )  # fmt: skip
    return rows


def _sizes(groups: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(group.value, group.totals.count) for group in groups]


def _plain(rows: Sequence[Any]) -> list[Any]:
    return list(rows)


def summed(ground: Ground) -> list[Row]:
    """The totals row: sums by currency, and counts and bounds of a long list."""
    actor = ground.everything
    money = {"amount": Summary.SUM}
    amounts = RecordQuery("opportunity", ("name", "amount"))
    by_currency = """SELECT y.code, q.n, q.s FROM (SELECT currency_id, count(*) AS n,
 sum(amount) AS s FROM opportunity WHERE deleted_at IS NULL GROUP BY currency_id) q
 LEFT JOIN currency y ON y.id = q.currency_id"""
    bounds = {
        "email": Summary.COUNT,
        "account.city": Summary.COUNT,
        "created_at": Summary.GREATEST,
    }
    contacts = RecordQuery("contact", ("full_name",))
    counted = """SELECT count(*), count(a.city), max(c.created_at), count(c.email)
 FROM contact c LEFT JOIN account a ON a.id = c.account_id WHERE c.deleted_at IS NULL"""
    return [
        _row(
            ground, "totals", "sums of 200,000 opportunities, each currency by itself",
            lambda: totals.totals(actor, amounts, money), lambda: ground.fetch(by_currency),
            shown=lambda found: sorted((c, s) for c, s in found.of["amount"]),
            shown_by_hand=lambda rows: sorted(
                (row[0] or "", _decimal(ground, row[2])) for row in rows if row[2]
            ),
        ),
        _row(
            ground, "totals", "counts and greatest of 1,000,000 contacts, one over a link",
            lambda: totals.totals(actor, contacts, bounds), lambda: ground.fetch(counted),
            shown=lambda found: (
                found.count, *(found.of[path][0][1] for path in ("account.city", "email"))
            ),
            shown_by_hand=lambda rows: (rows[0][0], rows[0][1], rows[0][3]),
        ),
    ]  # fmt: skip


def _decimal(ground: Ground, value: Any) -> Decimal:  # noqa: ANN401  a driver's number
    return Decimal(value).scaleb(-MONEY_SCALE) if ground.database == "sqlite" else value


def _row(
    ground: Ground,
    row_id: str,
    operation: str,
    ours: Callable[[], Any],
    by_hand: Callable[[], Any],
    *,
    shown: Callable[[Any], Any],
    shown_by_hand: Callable[[Any], Any],
    runs: int = _RUNS,
) -> Row:
    """Compare two ways, which must give the same."""
    if shown(ours()) != shown_by_hand(by_hand()):
        return unmeasured(row_id, operation, "the two ways give different rows", ground.database)
    measured = pair(ours, by_hand, runs)
    return compared(row_id, operation, measured, GOAL, database=ground.database)
