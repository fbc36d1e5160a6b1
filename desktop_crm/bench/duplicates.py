"""Benchmark 15: the duplicate scan against comparing each with each, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from desktop_crm.bench.ground import Ground
from desktop_crm.bench.planted import truth
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.core.text import fold
from desktop_crm.services.duplicates import scan
from desktop_crm.services.duplicates.candidates import candidates
from desktop_crm.services.list_words import LAST

_SAMPLE: Final = 400
_RUNS: Final = 5
_TIMES: Final = 20
_BY_HAND: Final = 5
_BY_KEY: Final = (
    "SELECT id, name_key FROM contact WHERE name_key >= ? AND name_key < ?"
    " AND deleted_at IS NULL LIMIT 3000"
)
_BY_TITLE: Final = (
    "SELECT id, title_key FROM contact WHERE title_key >= ? AND title_key < ?"
    " AND deleted_at IS NULL LIMIT 3000"
)
_DETAILS: Final = (
    "SELECT c.id, c.full_name, c.job_title, c.city, c.street, c.birthday, a.name_key,"
    " (SELECT min(address) FROM email_address e WHERE e.contact_id = c.id),"
    " (SELECT min(canonical) FROM phone p WHERE p.contact_id = c.id)"
    " FROM contact c LEFT JOIN account a ON a.id = c.account_id WHERE c.id IN (:keys)"
)
RECALL: Final = 0.98
PRECISION: Final = 0.95


def scanned(ground: Ground) -> list[Row]:
    """The scan of 100,000 contacts without the phone key, with recall and precision of all."""
    actor = ground.everything
    operation = "duplicate scan, 100,000 contacts, without the phone key"
    try:
        compare, share = _each_with_each(ground)
    except ImportError as missing:
        return [unmeasured(15, operation, str(missing), ground.database)]

    def ours() -> object:
        return scan.find(actor, "contact", by_phone=False)

    taken, sampled = pair(ours, compare, _RUNS)
    measured = (taken, sampled * share)
    row = compared(15, operation, measured, _TIMES, database=ground.database, at_least=True)
    found = {
        (key, one.first, one.second)
        for key in ("contact", "account")
        for one in scan.find(actor, key, by_phone=False)[0]
    }
    meant = {(key, *ends) for key in ("contact", "account") for ends in truth(ground, key)}
    right = len(found & meant)
    return [
        row,
        _share(ground, "duplicates recall", right, len(meant), RECALL, "planted pairs found"),
        _share(ground, "duplicates precision", right, len(found), PRECISION, "pairs that are one"),
    ]


def _share(ground: Ground, row_id: str, part: int, whole: int, goal: float, operation: str) -> Row:
    share = part / whole if whole else 0.0
    said = f"{operation}: {part:,} of {whole:,}"
    return Row(
        row_id, ground.database, said, None, None, share, goal, ok=share >= goal, at_least=True
    )


def _each_with_each(ground: Ground) -> tuple[Callable[[], object], float]:
    """Comparing a sample of names with all, and how much longer all pairs take."""
    import numpy
    from rapidfuzz import fuzz, process

    names = [text for (text,) in ground.fetch("SELECT title_key FROM contact")]
    sample = names[:: max(1, len(names) // _SAMPLE)]

    def compare() -> object:
        return process.cdist(
            sample, names, scorer=fuzz.ratio, score_cutoff=88, dtype=numpy.uint8, workers=1
        )

    return compare, len(names) / len(sample) / 2


def typed(ground: Ground) -> list[Row]:
    """Candidates of contacts as they are typed, beside the same look-ups by hand."""
    actor = ground.everything
    rows = ground.fetch(
        "SELECT first_name, last_name, city, account_id, email, phone FROM contact"
        " WHERE id IN (17, 5003, 40007, 70001, 99991)"
    )
    names = ("first_name", "last_name", "city", "account", "email", "phone")
    values = [dict(zip(names, row, strict=True)) for row in rows]

    def ours() -> object:
        return [candidates(actor, "contact", one) for one in values]

    def by_hand() -> object:
        return [_looked_up(ground, one) for one in values]

    operation = "possible duplicates of five contacts as they are typed"
    measured = pair(ours, by_hand, _RUNS)
    return [compared("typed", operation, measured, _BY_HAND, database=ground.database)]


def _looked_up(ground: Ground, values: Mapping[str, str]) -> list[tuple[object, ...]]:
    """The same records by hand-written statements: address, number, both ends of the name."""
    from rapidfuzz import fuzz, process

    number = (values["phone"] or "").replace(" ", "")
    near = {
        row[0]
        for row in (
            *ground.fetch(
                "SELECT contact_id FROM email_address WHERE address = ? AND deleted_at IS NULL",
                (values["email"],),
            ),
            *ground.fetch(
                "SELECT contact_id FROM phone WHERE canonical = ? AND deleted_at IS NULL",
                (number,),
            ),
        )
    }
    first, last = fold(values["first_name"]), fold(values["last_name"])
    names: dict[int, str] = {}
    for start in (f"{last} ", f"{first} {last[0]}", f"{first} "):
        for statement in (_BY_KEY, _BY_TITLE):
            names.update(ground.fetch(statement, (start, start + LAST)))
    wanted = f"{first} {last}"
    alike = process.extract(wanted, names, scorer=fuzz.token_sort_ratio, score_cutoff=75, limit=90)
    keys = ", ".join(str(int(key)) for key in {*near, *(one[2] for one in alike)})
    return ground.fetch(_DETAILS.replace(":keys", keys))
