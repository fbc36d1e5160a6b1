"""The tree of a filter: plain frozen values, and the JSON form that is stored with views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

Value = str | int | tuple[str | int, ...] | None
MODES: Final = ("all", "any", "not")
QUANTITIES: Final = ("has", "no", "count", "sum")
COMPARISONS: Final = ("=", "!=", "<", "<=", ">", ">=")
NESTED: Final = 100
"""So many brackets may lie within each other in what is read."""
DEEPEST: Final = 20
"""So many groups may be asked within each other; related records count as five of them."""
MOST: Final = 5_000
"""So many conditions and values a filter may have."""
_RELATED: Final = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on a field.

    Attributes:
        field: Field path, also over links: ``account.city``.
        operator: One of the operators of the field's kind.
        value: Text as typed, an id for a link, or a tuple for ``in`` (any number) and ``between``
            (two, both included).
    """

    field: str
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions under ``all``, ``any`` or ``not`` (none of them)."""

    mode: str
    members: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """A condition on the records that have to do with this one.

    Attributes:
        relation: Name of the relation, see :mod:`.relations`.
        quantity: ``has`` at least one, ``no`` such record, ``count`` or ``sum`` of them.
        filter: What the related records must meet; None takes all.
        operator: How ``count`` and ``sum`` are compared.
        value: With which number.
        field: Field of the related records that is added up.
    """

    relation: str
    quantity: str = "has"
    filter: Node | None = None
    operator: str = ""
    value: str = ""
    field: str = ""


Node = Rule | Group | Related


NEVER: Final = Group("any", ())
"""A condition that holds for nothing; no condition at all, None, holds for everything."""


def normal(node: Node | None) -> Node | None:
    """Return the one form of all trees that mean the same by their shape.

    Groups of one are their member, none of any is none of each, and what always or never holds
    is taken out of its group. The text form is written from it.
    """
    if node is None or isinstance(node, Rule):
        return node
    if isinstance(node, Related):
        return replace(node, filter=normal(node.filter))
    found = [normal(member) for member in node.members]
    decisive = NEVER if node.mode == "all" else None
    if decisive in found:
        return NEVER if node.mode == "not" else decisive
    idle = None if node.mode == "all" else NEVER
    members = tuple(member for member in found if member is not None and member != idle)
    if not members:
        return NEVER if node.mode == "any" else None
    if len(members) == 1 and node.mode != "not":
        return members[0]
    first = members[0]
    if len(members) == 1 and isinstance(first, Group) and first.mode == "any":
        members = first.members
    return Group(node.mode, members)


def both(first: Node | None, second: Node | None) -> Node | None:
    """Join two filters that must both hold."""
    if first is None or second is None:
        return first or second
    return Group("all", (first, second))


def walk(node: Node | None) -> Iterator[Rule | Related]:
    """Every condition of a tree about the record itself; not those on related records."""
    if isinstance(node, Group):
        for member in node.members:
            yield from walk(member)
    elif node is not None:
        yield node


def refuse_huge(node: Node | None) -> None:
    """Refuse a filter that no database answers: too deep for its parser, or too long.

    Raises:
        UserError: Groups lie too deep within each other, or there are too many conditions.
    """
    depth, size = _extent(node)
    if depth > DEEPEST:
        raise UserError(
            N_("The filter has too many groups within each other. Take some of them apart."),
            field="filter",
        )
    if size > MOST:
        raise UserError(
            N_("The filter has {size} conditions and values; it takes at most {most}."),
            field="filter",
            size=size,
            most=MOST,
        )


def _extent(node: Node | None) -> tuple[int, int]:
    """How deep a tree is, and how many conditions and values stand in it."""
    if isinstance(node, Group):
        members = [_extent(member) for member in node.members]
        deepest = max((depth for depth, _ in members), default=0)
        return deepest + 1, sum(size for _, size in members)
    if isinstance(node, Related):
        depth, size = _extent(node.filter)
        return depth + _RELATED, size + 1
    if isinstance(node, Rule) and isinstance(node.value, tuple) and not by_keys(node.value):
        return 0, len(node.value)
    return 0, 1


def by_keys(values: tuple[Any, ...]) -> bool:
    """Whether values are keys of records, which are asked for together."""
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def to_json(node: Node | None) -> dict[str, Any] | None:
    """Plain form that is stored with views."""
    if node is None:
        return None
    if isinstance(node, Rule):
        value = list(node.value) if isinstance(node.value, tuple) else node.value
        return {"field": node.field, "operator": node.operator, "value": value}
    if isinstance(node, Related):
        found: dict[str, Any] = {
            "relation": node.relation,
            "quantity": node.quantity,
            "filter": to_json(node.filter),
        }
        if node.quantity in {"count", "sum"}:
            found |= {"operator": node.operator, "value": node.value, "field": node.field}
        return found
    return {"mode": node.mode, "members": [to_json(member) for member in node.members]}


def from_json(data: Mapping[str, Any] | None) -> Node | None:
    """Read the stored form.

    Raises:
        UserError: It is none: it comes from a file that somebody changed, or from a later version.
    """
    try:
        return _read(data, 0)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(
            N_(
                "The stored filter cannot be read: it was changed by hand or by a later "
                "version. Build it anew and save it."
            )
        ) from None


def _read(data: Mapping[str, Any] | None, depth: int) -> Node | None:
    if not data:
        return None
    if depth > NESTED:
        raise ValueError
    if "mode" in data:
        found = (_read(member, depth + 1) for member in data["members"])
        members = tuple(member for member in found if member is not None)
        return Group(_one_of(MODES, data["mode"]), members)
    if "relation" in data:
        quantity = _one_of(QUANTITIES, data["quantity"])
        inner = _read(data.get("filter"), depth + 1)
        if quantity in {"has", "no"}:
            return Related(str(data["relation"]), quantity, inner)
        operator = _one_of(COMPARISONS, data["operator"])
        field = str(data.get("field") or "")
        return Related(str(data["relation"]), quantity, inner, operator, str(data["value"]), field)
    value = data.get("value")
    if isinstance(value, list):
        value = tuple(_plain(one) for one in value)
    elif value is not None:
        value = _plain(value)
    return Rule(str(data["field"]), str(data["operator"]), value)


def _one_of(known: tuple[str, ...], value: object) -> str:
    if value not in known:
        raise ValueError
    return str(value)


def _plain(value: object) -> str | int:
    if not isinstance(value, str | int):
        raise TypeError
    return value
