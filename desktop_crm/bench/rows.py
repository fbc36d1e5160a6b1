"""One line of the bench table."""

from __future__ import annotations

from dataclasses import dataclass


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
        goal: Largest ratio that is good enough.
        ok: The goal was reached.
        reason: Why not, or why there is no figure.
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
