"""Benchmark 15: the duplicate scan against comparing each with each, and what it finds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Final

from desktop_crm.bench.ground import Ground
from desktop_crm.bench.planted import truth
from desktop_crm.bench.rows import Row, compared, pair, seconds, unmeasured
from desktop_crm.services.duplicates import scan
from desktop_crm.services.duplicates.candidates import candidates

_SAMPLE: Final = 400
_RUNS: Final = 5
_TIMES: Final = 20
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
    """Candidates of one contact as it is typed, at a million, beside a tenth of a second."""
    actor = ground.everything
    rows = ground.fetch("SELECT first_name, last_name, city, account_id, email, phone FROM contact"
                        " WHERE id IN (17, 5003, 40007, 70001, 99991)")  # fmt: skip
    names = ("first_name", "last_name", "city", "account", "email", "phone")
    values = [dict(zip(names, row, strict=True)) for row in rows]
    for one in values:
        candidates(actor, "contact", one)
    worst = max(
        statistics.median(seconds(partial(candidates, actor, "contact", one)) for _ in range(_RUNS))
        for one in values
    )
    return [
        compared(
            "typed", "possible duplicates of a contact as it is typed", (worst, 0.1), 1.0,
            database=ground.database,
        )
    ]  # fmt: skip
