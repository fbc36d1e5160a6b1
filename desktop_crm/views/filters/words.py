"""A filter in the words of the interface: what its parts are called, and a sentence for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta import kinds, registry
from desktop_crm.services.filters import Group, Node, Related, relations, resolve

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField, Entity
    from desktop_crm.meta.kinds import Kind

Titles = Mapping[tuple[str, int], str]

_OPERATORS: Final = {
    "contains": N_("contains"),
    "not contains": N_("does not contain"),
    "starts": N_("starts with"),
    "ends": N_("ends with"),
    "=": N_("is"),
    "!=": N_("is not"),
    "in": N_("is one of"),
    "not in": N_("is none of"),
    "between": N_("is between"),
    "empty": N_("is empty"),
    "not empty": N_("is not empty"),
    "has": N_("has"),
    "not has": N_("does not have"),
    "recurs": N_("comes round in"),
}
_OF_DATES: Final = {
    "<": N_("before"),
    "<=": N_("on or before"),
    ">": N_("after"),
    ">=": N_("on or after"),
}
_OF_NUMBERS: Final = {"=": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
COMPARISONS: Final = tuple(_OF_NUMBERS.items())
MODES: Final = {
    "all": N_("All of these are true"),
    "any": N_("At least one of these is true"),
    "not": N_("None of these is true"),
}
QUANTITIES: Final = {
    "has": N_("Has"),
    "no": N_("Has no"),
    "count": N_("Number of"),
    "sum": N_("Sum of"),
}
PERIODS: Final = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "tomorrow": N_("Tomorrow"),
    "this week": N_("This week"),
    "last week": N_("Last week"),
    "next week": N_("Next week"),
    "this month": N_("This month"),
    "last month": N_("Last month"),
    "next month": N_("Next month"),
    "this quarter": N_("This quarter"),
    "last quarter": N_("Last quarter"),
    "next quarter": N_("Next quarter"),
    "this year": N_("This year"),
    "last year": N_("Last year"),
    "next year": N_("Next year"),
    "this fiscal quarter": N_("This fiscal quarter"),
    "last fiscal quarter": N_("Last fiscal quarter"),
    "next fiscal quarter": N_("Next fiscal quarter"),
    "this fiscal year": N_("This fiscal year"),
    "last fiscal year": N_("Last fiscal year"),
    "next fiscal year": N_("Next fiscal year"),
}
COUNTED: Final = {
    "last": N_("Last …"),
    "next": N_("Next …"),
    "older than": N_("Longer ago than …"),
    "today-": N_("… days ago"),
    "today+": N_("In … days"),
}
_PERSON: Final = {
    ("=", "me"): N_("{field} is me"),
    ("!=", "me"): N_("{field} is not me"),
    ("=", "my team"): N_("{field} is my team"),
    ("!=", "my team"): N_("{field} is not my team"),
}
"""Whole, since not every language says such a sentence with a verb."""
_MOVED: Final = re.compile(r"today\s*([+-])\s*(\d+)$", re.IGNORECASE)
_SPAN: Final = re.compile(r"(last|next|older than)\s+(\d+)\s+([a-z]+?)s?$", re.IGNORECASE)


def operator_text(operator: str, kind: Kind) -> str:
    """What an operator is called for a kind of field."""
    if kind in {kinds.DATE, kinds.DATETIME} and operator in _OF_DATES:
        return tr(_OF_DATES[operator])
    if kind.align == "right" and operator in _OF_NUMBERS:
        return _OF_NUMBERS[operator]
    return tr(_OPERATORS.get(operator, operator))


def field_text(entity: Entity, path: str) -> str:
    """Label of a field path, with the links it leads through; the path when it leads nowhere."""
    labels: list[str] = []
    here: Entity | None = entity
    for name in path.split("."):
        field = here.fields.get(name) if here is not None else None
        if field is None:
            return path
        labels.append(tr(field.label))
        here = registry.find(field.target)
    return " · ".join(labels)


def unit_text(unit: str, number: int) -> str:
    """So many days, weeks, months, quarters or years."""
    return {
        "day": ntr("{n} day", "{n} days", number),
        "week": ntr("{n} week", "{n} weeks", number),
        "month": ntr("{n} month", "{n} months", number),
        "quarter": ntr("{n} quarter", "{n} quarters", number),
        "year": ntr("{n} year", "{n} years", number),
    }.get(unit, f"{number} {unit}")


def _when(text: str, formats: Formats) -> str:
    plain = " ".join(text.lower().split())
    if plain in PERIODS:
        return _lower(tr(PERIODS[plain]))
    if match := _MOVED.match(plain):
        number = int(match[2])
        if match[1] == "-":
            return ntr("{n} day ago", "{n} days ago", number)
        return ntr("in {n} day", "in {n} days", number)
    if match := _SPAN.match(plain):
        span = unit_text(match[3], int(match[2]))
        if match[1] == "last":
            return tr("within the last {span}", span=span)
        if match[1] == "next":
            return tr("within the next {span}", span=span)
        return tr("longer ago than {span}", span=span)
    try:
        return formats.date(formats.parse_date(text)) if ":" not in text else text
    except UserError:
        return text


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def value_text(field: BoundField, value: object, formats: Formats, titles: Titles) -> str:
    """Show one value of a condition; a link's target by its title."""
    if isinstance(value, int) and field.target:
        return titles.get((field.target, value), f"#{value}")
    text = str(value or "")
    if field.kind in {kinds.DATE, kinds.DATETIME}:
        return _when(text, formats)
    if field.target == "user" and text in {"me", "my team"}:
        return tr("me") if text == "me" else tr("my team")
    if field.kind in {kinds.CHOICE, kinds.BOOLEAN} or field.kind.align == "right":
        try:
            return field.display(field.parse(text, formats), formats)
        except UserError:
            return text
    return text


def describe(node: Node, entity: Entity, formats: Formats, titles: Titles) -> str:
    """Say a filter in the words of the interface, as a sentence begins.

    Args:
        node: The filter.
        entity: Whose records it filters.
        formats: How the reader writes values.
        titles: Titles of the records it names, by entity and key; others show their key.
    """
    said = _said(node, entity, formats, titles)
    return said[:1].upper() + said[1:]


def _said(node: Node, entity: Entity, formats: Formats, titles: Titles) -> str:
    if isinstance(node, Group):
        parts = [_bracketed(member, entity, formats, titles) for member in node.members]
        if node.mode == "not":
            return tr("none of: {conditions}", conditions="; ".join(parts))
        return (tr(" and ") if node.mode == "all" else tr(" or ")).join(parts)
    if isinstance(node, Related):
        return _related(node, entity, formats, titles)
    try:
        field = resolve(entity, node.field)
    except UserError:
        return f"{node.field} {node.operator}"
    if field.target == "user" and (node.operator, str(node.value)) in _PERSON:
        return tr(_PERSON[node.operator, str(node.value)], field=field_text(entity, node.field))
    words = [field_text(entity, node.field), operator_text(node.operator, field.kind)]
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    shown = [value_text(field, value, formats, titles) for value in values]
    if node.operator == "between":
        words.append(tr(" and ").join(shown))
    elif node.operator not in {"empty", "not empty"}:
        words.append(", ".join(shown))
    return " ".join(words)


def _bracketed(node: Node, entity: Entity, formats: Formats, titles: Titles) -> str:
    text = _said(node, entity, formats, titles)
    return f"({text})" if isinstance(node, Group) else text


def _related(node: Related, entity: Entity, formats: Formats, titles: Titles) -> str:
    relation = relations.relations(entity).get(node.relation)
    target = registry.find(relation.entity) if relation is not None else None
    name = _lower(relation.title) if relation is not None else node.relation
    text = f"{_lower(tr(QUANTITIES[node.quantity]))} {name}"
    if node.quantity == "sum" and target is not None:
        text += f" · {field_text(target, node.field)}"
    if node.filter is not None and target is not None:
        text += f" ({_said(node.filter, target, formats, titles)})"
    if node.quantity in {"count", "sum"}:
        text += f" {_OF_NUMBERS.get(node.operator, node.operator)} {node.value}"
    return text
