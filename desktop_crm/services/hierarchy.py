"""Accounts above and below an account, with the open opportunities of each and of all below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import CTE, Connection, exists, func, literal, select

from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models import Account, Currency, Opportunity
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.query import key_clause

MOST = 500
_DEEP = 50
"""Steps after which a hierarchy is taken for a circle that an import left behind."""
_TABLE = Account.__table__

Sums = tuple[tuple[str, Decimal], ...]
"""Amount by currency code, the largest first; amounts without a currency have an empty code."""


@dataclass(frozen=True, slots=True)
class Node:
    """One account of the tree.

    Attributes:
        id: Key.
        title: Name.
        city: Where it is.
        has_children: There are accounts below it that the user may see.
        own: Open opportunities of the account itself, by currency.
        all: Those of the account and of everything below it.
    """

    id: int
    title: str
    city: str
    has_children: bool
    own: Sums
    all: Sums


def above(actor: Actor, account_id: int, cancel: Cancel | None = None) -> list[Node]:
    """The account and its parents, the topmost first; four statements.

    A parent out of sight ends the way up.
    """
    with actor.db.reading(cancel) as connection:
        start = select(_TABLE.c.id, _TABLE.c.parent_id, literal(0).label("step"))
        chain = start.where(_TABLE.c.id == account_id).cte("chain", recursive=True)
        chain = chain.union_all(
            select(_TABLE.c.id, _TABLE.c.parent_id, chain.c.step + 1).where(
                _TABLE.c.id == chain.c.parent_id, chain.c.step < _DEEP
            )
        )
        ids = connection.execute(select(chain.c.id).order_by(chain.c.step)).scalars().all()
        found = {node.id: node for node in _nodes(actor, connection, list(dict.fromkeys(ids)))}
    way: list[Node] = []
    for key in dict.fromkeys(ids):
        if key not in found:
            break
        way.append(found[key])
    return way[::-1]


def below(actor: Actor, account_id: int, cancel: Cancel | None = None) -> list[Node]:
    """Accounts directly below one, by name; four statements."""
    with actor.db.reading(cancel) as connection:
        ids = connection.execute(
            select(_TABLE.c.id)
            .where(_TABLE.c.parent_id == account_id, _TABLE.c.deleted_at.is_(None))
            .order_by(_TABLE.c.title_key)
            .limit(MOST)
        ).scalars()
        return _nodes(actor, connection, list(ids))


def _nodes(actor: Actor, connection: Connection, ids: Sequence[int]) -> list[Node]:
    """Nodes of some accounts in the order of their names."""
    entity = registry.get("account")
    child = _TABLE.alias("child")
    inner = [child.c.parent_id == _TABLE.c.id, child.c.deleted_at.is_(None)]
    rights = row_clause(actor, entity, child, "read")
    if rights is not None:
        inner.append(rights)
    has_children = exists().where(*inner).correlate(_TABLE)
    statement = (
        select(_TABLE.c.id, _TABLE.c.name, _TABLE.c.city, has_children.label("has_children"))
        .where(key_clause(connection, _TABLE.c.id, ids), _TABLE.c.deleted_at.is_(None))
        .order_by(_TABLE.c.title_key, _TABLE.c.id)
    )
    seen = row_clause(actor, entity, _TABLE, "read")
    if seen is not None:
        statement = statement.where(seen)
    rows = connection.execute(statement).all()
    own, whole = _sums(actor, connection, [row.id for row in rows])
    return [
        Node(row.id, row.name or "", row.city or "", bool(row.has_children),
             own.get(row.id, ()), whole.get(row.id, ()))
        for row in rows
    ]  # fmt: skip


def _sums(
    actor: Actor, connection: Connection, ids: Sequence[int]
) -> tuple[dict[int, Sums], dict[int, Sums]]:
    """Open amounts of accounts by currency: of each alone, and of each with all below."""
    if not ids or not actor.can("opportunity", "read"):
        return {}, {}
    tree = _trees(actor, connection, ids)
    deal, money = Opportunity.__table__, Currency.__table__
    statement = (
        select(tree.c.top, tree.c.id, money.c.code, func.sum(deal.c.amount).label("amount"))
        .select_from(
            tree.join(deal, deal.c.account_id == tree.c.id).outerjoin(
                money, money.c.id == deal.c.currency_id
            )
        )
        .where(
            deal.c.state == OpportunityState.OPEN,
            deal.c.deleted_at.is_(None),
            deal.c.amount.is_not(None),
        )
        .group_by(tree.c.top, tree.c.id, money.c.code)
    )
    rights = row_clause(actor, registry.get("opportunity"), deal, "read")
    if rights is not None:
        statement = statement.where(rights)
    own: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    whole: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for top, key, code, amount in connection.execute(statement):
        whole[top][code or ""] += amount
        if top == key:
            own[top][code or ""] += amount
    return {k: _sorted(v) for k, v in own.items()}, {k: _sorted(v) for k, v in whole.items()}


def _trees(actor: Actor, connection: Connection, ids: Sequence[int]) -> CTE:
    """Every account at and below each of some, once, as far as the user may see."""
    top = select(_TABLE.c.id.label("top"), _TABLE.c.id.label("id"))
    tree = top.where(key_clause(connection, _TABLE.c.id, ids)).cte("tree", recursive=True)
    child = _TABLE.alias("below")
    step = select(tree.c.top, child.c.id).where(
        child.c.parent_id == tree.c.id, child.c.deleted_at.is_(None)
    )
    rights = row_clause(actor, registry.get("account"), child, "read")
    if rights is not None:
        step = step.where(rights)
    # UNION, not UNION ALL: it ends where an older circle closes.
    return tree.union(step)


def _sorted(sums: dict[str, Decimal]) -> Sums:
    return tuple(sorted(sums.items(), key=lambda one: -one[1]))
