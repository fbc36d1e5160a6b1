"""Reading lists: the first page, the key snapshot and rows by key.

Reads go through Core and return plain tuples. Rights are literal owner ids in the same statement,
so that a list costs one statement whoever opens it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, text

from desktop_crm import models  # noqa: F401  registers the entities
from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold, storable
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.models.activity import ActivityKind
from desktop_crm.services import list_plan
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Group, Rule, both, parse
from desktop_crm.services.list_plan import Plan
from desktop_crm.services.list_words import LAST, Words
from desktop_crm.services.prepared import Prepared, Row
from desktop_crm.services.record_query import Order, RecordQuery, asks_by_link
from desktop_crm.services.values import LARGEST_INTEGER

__all__ = [
    "PAGE",
    "Order",
    "RecordQuery",
    "Row",
    "Suggestion",
    "count",
    "entity_query",
    "first_page",
    "key_clause",
    "keys",
    "objects",
    "prepared",
    "rows",
    "suggest",
]

PAGE: Final = 256
_KEPT: Final = 200


class Suggestion(NamedTuple):
    """One hit of type-ahead."""

    id: int
    title: str
    subtitle: str


def entity_query(
    name: str, columns: Sequence[str] = (), filter_text: str = "", search: str = ""
) -> RecordQuery:
    """Make a query from names as a person writes them.

    ``task``, ``phone_call``, ``appointment``, ``email`` and ``note`` mean activities of that kind.

    Raises:
        UserError: Unknown entity, field or filter.
    """
    key, preset = name, None
    if name in set(ActivityKind):
        key, preset = "activity", Rule("kind", "=", name)
    entity = registry.find(key)
    if entity is None:
        raise UserError(
            N_("There are no “{name}” records. Known: {known}."),
            name=name,
            known=", ".join(e.key for e in registry.all()),
        )
    wanted = tuple(columns) or entity.columns
    return RecordQuery(key, wanted, both(preset, parse(filter_text, key)), (), search)


def first_page(
    actor: Actor, query: RecordQuery, limit: int = PAGE, cancel: Cancel | None = None
) -> list[Row]:
    """Return the first rows in order; one statement, two when words are searched for."""
    words = Words.of(actor, query)
    if not words.phrase:
        return prepared(actor, query, f"page {limit}", lambda plan: plan.page(limit)).rows(
            actor.db, cancel, **words.late(query)
        )
    late = words.late(query)
    hits = prepared(actor, query, "hits", lambda plan: plan.hits()).keys(
        actor.db, cancel, match=words.phrase
    )
    if not hits:
        return []
    if len(hits) > list_plan.FEW_HITS:
        many = prepared(actor, query, f"many {limit}", lambda plan: plan.page_of_many(limit))
        return many.rows(actor.db, cancel, **late)
    few = prepared(actor, query, f"few {limit}", lambda plan: plan.page_of_few(limit))
    packed = packed_keys(actor.db.dialect, hits)
    return few.rows(actor.db, cancel, keys=packed, **late)


def keys(actor: Actor, query: RecordQuery, cancel: Cancel | None = None) -> array[int]:
    """Return every key in order; one statement, 8 bytes a record."""
    words = Words.of(actor, query)
    found = prepared(actor, query, "keys", lambda plan: plan.snapshot(), whole=True)
    return found.keys(actor.db, cancel, **words.late(query))


def rows(
    actor: Actor, query: RecordQuery, ids: Sequence[int], cancel: Cancel | None = None
) -> list[Row]:
    """Return the rows with these keys in the order of the keys; vanished ones are missing.

    One statement; deleted records come back marked, so that an open list can grey them.
    """
    if not ids:
        return []
    plain = replace(query, filter=None, search="", order=(), deleted=False, group="", starts="")
    read = prepared(actor, plain, "rows", lambda plan: plan.by_keys())
    found = read.rows(actor.db, cancel, keys=packed_keys(actor.db.dialect, ids))
    by_id = {row.id: row for row in found}
    return [by_id[key] for key in ids if key in by_id]


def count(actor: Actor, query: RecordQuery, cancel: Cancel | None = None, most: int = 0) -> int:
    """Count the records; one statement that reads every match.

    Args:
        actor: Who asks.
        query: What to count.
        cancel: Stops the statement.
        most: Stop counting there; one more is told when there are more. 0 counts all.
    """
    words = Words.of(actor, query)
    found = prepared(actor, query, f"count {most}", lambda plan: plan.count(most), whole=most == 0)
    return found.number(actor.db, cancel, **words.late(query))


def counts(
    actor: Actor, queries: Sequence[RecordQuery], cancel: Cancel | None = None, most: int = 0
) -> list[int]:
    """Count several lists without words by one statement.

    Args:
        actor: Who asks.
        queries: What to count.
        cancel: Stops the statement.
        most: As for :func:`count`.
    """
    if not queries:
        return []
    numbers: list[ColumnElement[Any]] = []
    for n, asked in enumerate(queries):
        # Not as the only rule: its key would be bound late, under one name for all of them.
        node = None if asked.filter is None else Group("all", (asked.filter,))
        plan = Plan(actor, replace(asked, filter=node), whole=most == 0)
        numbers.append(plan.count(most).scalar_subquery().label(f"n{n}"))
    (found,) = Prepared(actor.db, select(*numbers)).tuples(actor.db, cancel)
    return [int(number) for number in found]


def objects(actor: Actor, query: RecordQuery, limit: int | None = None) -> list[dict[str, Any]]:
    """Return records as plain mappings, ``id`` first, for scripts."""
    found = first_page(actor, query, -1 if limit is None else limit)
    return [{"id": row.id, **dict(zip(query.columns, row.values, strict=True))} for row in found]


def suggest(
    actor: Actor, entity_key: str, typed: str, limit: int = 20, cancel: Cancel | None = None
) -> list[Suggestion]:
    """Offer records whose title starts with, then those that contain, what was typed."""
    entity = registry.get(entity_key)
    subtitle = entity.subtitle or "id"
    query = RecordQuery(entity_key, (entity.title, subtitle))
    folded = fold(storable(typed))
    if "title_key" not in entity.fields:
        return []
    begins = prepared(actor, query, f"begins {limit}", lambda plan: plan.begins(limit))
    found = begins.rows(actor.db, cancel, w0=folded, e0=folded + LAST)
    if folded and len(found) < limit:
        known = {row.id for row in found}
        more = first_page(actor, replace(query, search=typed), limit, cancel)
        found += [row for row in more if row.id not in known][: limit - len(found)]
    shown = [entity.fields[subtitle]] if subtitle != "id" else []
    return [
        Suggestion(
            row.id,
            str(row.values[0] or ""),
            shown[0].display(row.values[1], actor.formats) if shown else "",
        )
        for row in found
    ]


def prepared(
    actor: Actor,
    query: RecordQuery,
    purpose: str,
    make: Callable[[Plan], Select[Any]],
    *,
    whole: bool = False,
) -> Prepared:
    """Statement of a query, kept with the actor whose rights stand in it.

    Args:
        actor: Who asks.
        query: What for.
        purpose: What the statement does, one name for each way of making it.
        make: Makes it.
        whole: Every record is looked at, not only the first ones.

    Filters are made anew each time: they may depend on the day. The lists of what points to a
    record are an exception: its key is bound late.
    """
    words = Words.of(actor, query)
    if query.filter is not None and not asks_by_link(query):
        return Prepared(actor.db, make(Plan(actor, query, words, whole=whole)), whole=whole)
    shape = replace(query.filter, value=0) if isinstance(query.filter, Rule) else None
    # Marks may depend on the day as filters do, but every page that is read asks for them.
    day = clock.today(actor.formats.zone) if query.marks or query.group else None
    key = (replace(query, search="", filter=shape), words.shape, purpose, day)
    found = actor.statements.get(key)
    if found is None:
        found = Prepared(actor.db, make(Plan(actor, query, words, whole=whole)), whole=whole)
        if len(actor.statements) >= _KEPT:
            actor.statements.clear()
        actor.statements[key] = found
    return found


def packed_keys(dialect: str, ids: Sequence[int]) -> object:
    """Many keys as one value."""
    # SQLite reads one text by json_each: no limit of 32,766, and one statement for any count.
    # Larger than a key column holds: there is no such record, and a server would refuse it.
    fitting = [key for key in ids if -LARGEST_INTEGER <= key <= LARGEST_INTEGER]
    return str(fitting) if dialect == "sqlite" else fitting


def key_clause(
    connection: Connection, key: ColumnElement[Any], ids: Sequence[int] | Sequence[str]
) -> ColumnElement[bool]:
    """Clause for many keys as one parameter, so that the statement stays the same for any count."""
    if connection.dialect.name == "sqlite":
        # json_each reads one text: no 32,766 parameter limit, and the statement cache hits.
        listed = text("SELECT value FROM json_each(:keys)").bindparams(
            bindparam("keys", json.dumps(list(ids)), unique=True)
        )
        return key.in_(listed)
    return key == func.any(list(ids))
