"""How the texts of one column are to be read: decimal mark and order of dates, by statistics.

One value such as 1.234 or 03/04/2026 can be read two ways; a whole column rarely can. What was
found is part of the plan, so that a person sees it and can say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from desktop_crm.services.excel.table import Cell, Table

DMY: Final = "dmy"
MDY: Final = "mdy"
YMD: Final = "ymd"

_NUMBER: Final = re.compile(r"[-+(]?\s*(\d[\d.,\s']*)\s*\)?")
_DATE: Final = re.compile(r"(\d{1,4})[./\-](\d{1,2})[./\-](\d{1,4})(?![\d.])")
_SAMPLE: Final = 20_000
_GROUP: Final = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """How one column is read.

    Attributes:
        decimal: ``.`` or ``,``; empty when the column decides nothing and the language does.
        dates: ``dmy``, ``mdy`` or ``ymd``; empty when no value looks like a date.
        sure: False when every value could be read another way.
        fractions: Every number lies between 0 and 1 and some are no whole numbers, as
            percentages are in workbooks.
        numeric: Some cells are numbers, not texts; leading zeros of codes may be lost.
    """

    decimal: str = ""
    dates: str = ""
    sure: bool = True
    fractions: bool = False
    numeric: bool = False


def profiles(table: Table, *, dates: str = "", decimal: str = "") -> tuple[Profile, ...]:
    """Read the habits of every column.

    Args:
        table: The file.
        dates: Order that a person chose; overrides the statistics.
        decimal: Decimal mark that a person chose; overrides the statistics.
    """
    rows = [row.cells for row in table.rows[:_SAMPLE] if row.problem is None]
    found = [profile(row[i] for row in rows) for i in range(len(table.header))]
    # Columns of one file come from one program: what one of them shows settles the others.
    known_order = dates or _shared({p.dates for p in found if p.dates and p.sure} - {YMD})
    known_mark = decimal or _shared({p.decimal for p in found if p.decimal})
    return tuple(_settled(p, known_order, known_mark, dates, decimal) for p in found)


def profile(cells: Iterable[Cell]) -> Profile:
    """Read the habits of one column."""
    values = [cell for cell in cells if cell is not None]
    texts = [cell for cell in values if isinstance(cell, str)]
    order, sure = _date_order(texts)
    return Profile(
        decimal=_decimal_mark(texts),
        dates=order,
        sure=sure,
        fractions=_are_fractions(values),
        numeric=any(isinstance(c, int) and not isinstance(c, bool) for c in values),
    )


def _settled(own: Profile, order: str, mark: str, dates: str, decimal: str) -> Profile:
    if own.dates and own.dates != YMD and (dates or (not own.sure and order)):
        own = replace(own, dates=order, sure=True)
    if decimal or (mark and not own.decimal):
        own = replace(own, decimal=mark)
    return own


def _shared(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _decimal_mark(texts: Sequence[str]) -> str:
    votes = {".": 0, ",": 0}
    for text in texts:
        match = _NUMBER.search(text)
        if match is None or _DATE.search(text):
            continue
        number = match[1].strip(" .,'")
        dot, comma = number.rfind("."), number.rfind(",")
        if dot >= 0 and comma >= 0:
            votes["." if dot > comma else ","] += 1
            continue
        mark = "." if dot >= 0 else ","
        if number.count(mark) == 1:
            behind = len(number) - max(dot, comma) - 1
            votes[mark] += behind != _GROUP or number.startswith(f"0{mark}")
        elif number.count(mark) > 1:
            votes["," if mark == "." else "."] += 1
    if votes["."] == votes[","]:
        return ""
    return "." if votes["."] > votes[","] else ","


def _date_order(texts: Sequence[str]) -> tuple[str, bool]:
    day_first = month_first = year_first = either = 0
    for text in texts:
        match = _DATE.match(text)
        if match is None:
            continue
        first, second = int(match[1]), int(match[2])
        if len(match[1]) == 4:
            year_first += 1
        elif first > 12 >= second:
            day_first += 1
        elif second > 12 >= first:
            month_first += 1
        elif first <= 12:
            either += 1
    if year_first >= max(1, day_first + month_first + either):
        return YMD, True
    if day_first or month_first:
        return (DMY, True) if day_first >= month_first else (MDY, True)
    return (DMY, False) if either else ("", True)


def _are_fractions(values: Sequence[Cell]) -> bool:
    numbers = [v for v in values if isinstance(v, int | Decimal) and not isinstance(v, bool)]
    return (
        len(numbers) == len(values)
        and any(0 < n < 1 for n in numbers)
        and all(0 <= n <= 1 for n in numbers)
    )
