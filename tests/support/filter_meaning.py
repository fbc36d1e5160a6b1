"""What a filter means, said in Python over plain values, to compare with what SQL finds."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from desktop_crm.core.text import fold
from desktop_crm.services.filters import Group, Node, Related, Rule

Record = Mapping[str, Any]
"""Values by field name; related records as lists by the name of the relation."""

ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TEXTUAL: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "contains": lambda text, part: part in text,
    "starts": lambda text, part: text.startswith(part),
    "ends": lambda text, part: text.endswith(part),
}
_OPPOSITES: Final = {"not in": "in", "not contains": "contains", "not has": "has"}
_PLACES: Final[dict[str, Callable[[date], tuple[int, ...]]]] = {
    "month": lambda day: (day.year * 12 + day.month - 1,),
    "quarter": lambda day: ((day.year * 12 + day.month - 1) // 3,),
    "year": lambda day: (day.year,),
}
_WHICH: Final = {"last": -1, "this": 0, "next": 1}


class Meaning:
    """Says which records a filter holds for.

    Args:
        today: The present day.
        titles: Fields that are compared folded, as titles are.
        fiscal_start: First month of the fiscal year.
    """

    def __init__(self, today: date, titles: tuple[str, ...], fiscal_start: int = 1) -> None:
        self._today = today
        self._titles = titles
        self._fiscal = fiscal_start

    def holds(self, node: Node | None, row: Record) -> bool:
        """Whether a filter holds for a record."""
        if node is None:
            return True
        if isinstance(node, Group):
            found = [self.holds(member, row) for member in node.members]
            return {"all": all(found), "any": any(found), "not": not any(found)}[node.mode]
        if isinstance(node, Related):
            return self._related(node, row)
        return self._rule(node, row)

    def _related(self, node: Related, row: Record) -> bool:
        found = [one for one in row[node.relation] if self.holds(node.filter, one)]
        if node.quantity in {"has", "no"}:
            return bool(found) == (node.quantity == "has")
        total = Decimal(len(found))
        if node.quantity == "sum":
            total = sum((one[node.field] or Decimal(0) for one in found), Decimal(0))
        return ORDERED[node.operator](total, Decimal(node.value))

    def _rule(self, rule: Rule, row: Record) -> bool:
        value = row[rule.field]
        if rule.operator in {"empty", "not empty"}:
            return (value in (None, "")) == (rule.operator == "empty")
        if rule.operator in _OPPOSITES:
            same = Rule(rule.field, _OPPOSITES[rule.operator], rule.value)
            return not self._rule(same, row)
        if isinstance(rule.value, tuple):
            if rule.operator == "between":
                ends = zip((">=", "<="), rule.value, strict=True)
                return all(self._rule(Rule(rule.field, sign, end), row) for sign, end in ends)
            return any(self._rule(Rule(rule.field, "=", one), row) for one in rule.value)
        wanted = str(rule.value)
        if value is None:
            return rule.operator == "!="
        if rule.field in self._titles:
            return TEXTUAL[rule.operator](fold(value), fold(wanted))
        if isinstance(value, str) and rule.operator in TEXTUAL:
            return TEXTUAL[rule.operator](value.lower(), wanted.lower())
        if isinstance(value, bool):
            return ORDERED[rule.operator](value, wanted == "yes")
        if isinstance(value, date):
            return self._day(rule.operator, value, wanted)
        return ORDERED[rule.operator](Decimal(value), Decimal(wanted))

    def _day(self, sign: str, day: date, text: str) -> bool:
        """Compare with a span: a day is less than it when it lies wholly before it."""
        place = self.place(day, text)
        return ORDERED[sign](place, 0)

    def place(self, day: date, text: str) -> int:
        """-1, 0 or 1: a day lies before, within or behind what a text says."""
        away = (day - self._today).days
        if match := re.fullmatch(r"(\d{4}-\d\d-\d\d)", text):
            return _sign((day - date.fromisoformat(match[1])).days)
        if match := re.fullmatch(r"today([+-]\d+)?", text):
            return _sign(away - int(match[1] or 0))
        if text in {"yesterday", "tomorrow"}:
            return _sign(away - (1 if text == "tomorrow" else -1))
        if match := re.fullmatch(r"(last|next|older than) (\d+) (day|week)s?", text):
            length = int(match[2]) * (7 if match[3] == "week" else 1)
            if match[1] == "older than":
                return 0 if away < -length else 1
            first, last = (1 - length, 0) if match[1] == "last" else (0, length - 1)
            return -1 if away < first else 1 if away > last else 0
        which, _, unit = text.partition(" ")
        return _sign(self._unit(day, unit) - self._unit(self._today, unit) - _WHICH[which])

    def _unit(self, day: date, unit: str) -> int:
        """Number of the week, month, quarter or year a day lies in."""
        if unit == "week":  # of the ISO calendar: weeks begin on Monday
            return (day.toordinal() - day.isoweekday()) // 7
        if unit.startswith("fiscal"):
            months = day.year * 12 + day.month - self._fiscal
            return months // (3 if unit.endswith("quarter") else 12)
        return _PLACES[unit](day)[0]


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
