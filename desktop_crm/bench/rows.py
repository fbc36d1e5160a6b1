"""One line of the bench table, and how two ways to the same result are measured."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from desktop_crm.core import garbage

RUNS: Final = 7


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, beside the fastest known way to the same result.

    Attributes:
        id: Number of the benchmark, or a word for a row of its own.
        database: ``sqlite``, ``postgresql`` or empty where none takes part.
        operation: What was done, in words.
        ours_s: Seconds the product took; None when it could not be measured.
        limit_s: Seconds of the limit; None where there is none.
        ratio: Ours through limit.
        goal: Largest ratio that is good enough; with ``at_least`` the smallest.
        ok: The goal was reached.
        reason: Why not, or why there is no figure.
        unit: What ``ours_s`` and ``limit_s`` are: seconds, or ``MB`` or a count where they are not.
        at_least: The ratio must not be smaller than the goal.
        detail: Ratios of the cases behind the row, where it shows the worst of several.
    """

    id: int | str
    database: str
    operation: str
    ours_s: float | None
    limit_s: float | None
    ratio: float | None
    goal: float | None
    ok: bool
    reason: str = ""
    unit: str = "s"
    at_least: bool = False
    detail: Mapping[str, float] = field(default_factory=dict)


def pair(
    ours: Callable[[], object], limit: Callable[[], object], runs: int = RUNS
) -> tuple[float, float]:
    """Median seconds of both, run in alternation after one run to warm up."""
    ours()
    limit()
    mine: list[float] = []
    theirs: list[float] = []
    gc.collect()
    garbage.rest()
    try:
        for _ in range(runs):
            mine.append(seconds(ours))
            theirs.append(seconds(limit))
    finally:
        garbage.go_on()
    return statistics.median(mine), statistics.median(theirs)


def seconds(work: Callable[[], object]) -> float:
    """Seconds a piece of work takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compared(
    row_id: int | str,
    operation: str,
    measured: tuple[float, float],
    goal: float,
    *,
    database: str = "sqlite",
    at_least: bool = False,
    reason: str = "",
) -> Row:
    """Row of a ratio; ``reason`` is said where the goal is missed."""
    ours, limit = measured
    ratio = limit / ours if at_least else ours / limit
    ok = ratio >= goal if at_least else ratio <= goal
    return Row(
        row_id,
        database,
        operation,
        ours,
        limit,
        ratio,
        goal,
        ok=ok,
        reason="" if ok else reason,
        at_least=at_least,
    )


def unmeasured(row_id: int | str, operation: str, reason: str, database: str = "") -> Row:
    """Row of what could not be measured here."""
    return Row(row_id, database, operation, None, None, None, None, ok=False, reason=reason)
