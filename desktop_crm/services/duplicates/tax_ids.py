"""Who has a tax id already: the one likeness that decides alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from desktop_crm.core.sameness import same_tax, tax_key
from desktop_crm.meta import registry
from desktop_crm.models import Account
from desktop_crm.services.context import Actor
from desktop_crm.services.permissions import row_clause


def tax_holders(connection: Connection, written: Iterable[str]) -> dict[str, dict[int, str]]:
    """Living accounts by the tax id they share, whoever may see them: key and title.

    One statement for all ids.
    """
    numbers: dict[str, list[str]] = defaultdict(list)
    for text in written:
        if number := tax_key(text):
            numbers[number].append(text)
    if not numbers:
        return {}
    table = Account.__table__
    statement = select(table.c.id, table.c.name, table.c.tax_id, table.c.tax_key).where(
        table.c.tax_key.in_(sorted(numbers)), table.c.deleted_at.is_(None)
    )
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for key, title, stored, number in connection.execute(statement):
        for text in numbers[number]:
            if same_tax(text, stored or ""):
                found[text][key] = title
    return found


def visible_accounts(connection: Connection, actor: Actor, ids: Iterable[int]) -> set[int]:
    """Which of these accounts the actor may see; one statement."""
    entity = registry.get("account")
    statement = select(entity.table.c.id).where(entity.table.c.id.in_(sorted(ids)))
    rights = row_clause(actor, entity, entity.table, "read")
    if rights is not None:
        statement = statement.where(rights)
    return set(connection.execute(statement).scalars())
