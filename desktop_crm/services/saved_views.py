"""Reading saved views: what the tree beside a list shows; nothing here loads the writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import fold
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import RecordMark
from desktop_crm.models.marking import MarkKind
from desktop_crm.models.office import ViewScope
from desktop_crm.services import list_layout, query
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Group, Node, Rule, both
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView, Saved, called, usable
from desktop_crm.services.query import Order, RecordQuery
from desktop_crm.services.shipped_views import shipped

ENTITY: Final = "saved_view"
_MOST: Final = 500
_READ: Final = (
    "name", "definition", "scope", "is_default", "position", "owner.id", "owner", "version",
)  # fmt: skip


def load(actor: Actor, entity_key: str, cancel: Cancel | None = None) -> tuple[ListView, ...]:
    """Saved views of an entity that the actor may use, pinned ones first; two statements.

    What colleagues keep for themselves is never among them, whatever the role.
    """
    if not actor.can(ENTITY, "read"):
        return ()
    entity = registry.get(entity_key)
    shown = _shown_to(actor)
    asked = RecordQuery(
        ENTITY,
        _READ,
        Group("all", (Rule("entity", "=", entity_key), shown)),
        (Order("position"), Order("name")),
    )
    rows = query.first_page(actor, asked, _MOST, cancel)
    own_marks = _marks(actor, cancel)
    found = [
        _view(actor, entity, row.id, dict(zip(_READ, row.values, strict=True)), own_marks)
        for row in rows
    ]
    return tuple(sorted(found, key=lambda view: view.saved is None or not view.saved.is_pinned))


def find(actor: Actor, entity_key: str, name: str) -> ListView:
    """A view by its key or title, saved ones before those that come with the program.

    Raises:
        UserError: There is none of this name; the sentence names those there are.
    """
    known = (*load(actor, entity_key), *shipped(actor, registry.get(entity_key)))
    wanted = fold(name)
    for view in known:
        if name == view.key or wanted == fold(view.title):
            return view
    raise UserError(
        N_("There is no view “{name}” of {records}. Known: {known}."),
        name=name,
        records=tr(registry.get(entity_key).plural).lower(),
        known=", ".join(view.title for view in known),
    )


def narrowed(asked: RecordQuery, view: ListView, *, columns: bool = True) -> RecordQuery:
    """A question about records as a view asks it: its conditions too, its order and columns.

    Args:
        asked: The question without the view.
        view: The view.
        columns: Whether to take its columns where it names any.
    """
    layout = view.layout
    shown = layout.columns if columns and layout.columns else asked.columns
    return replace(
        asked, columns=shown, filter=both(layout.filter, asked.filter), order=layout.order
    )


def _shown_to(actor: Actor) -> Group:
    """Own, public and the team's views; an administrator's rights reach further than wanted."""
    ways: list[Node] = [Rule("scope", "=", ViewScope.PUBLIC.value)]
    if actor.user_id is not None:
        ways.append(Rule("owner", "=", actor.user_id))
    if actor.team_ids:
        mates = Rule("owner", "in", tuple(sorted(actor.team_ids)))
        ways.append(Group("all", (Rule("scope", "=", ViewScope.TEAM.value), mates)))
    return Group("any", tuple(ways))


def _marks(actor: Actor, cancel: Cancel | None) -> frozenset[tuple[str, int]]:
    mark = RecordMark.__table__.c
    statement = select(mark.kind, mark.record_id).where(
        mark.user_id == actor.user_id, mark.record_type == ENTITY
    )
    with actor.db.reading(cancel) as connection:
        return frozenset((row.kind, row.record_id) for row in connection.execute(statement))


def _view(
    actor: Actor,
    entity: Entity,
    key: int,
    row: Mapping[str, Any],
    own_marks: frozenset[tuple[str, int]],
) -> ListView:
    damaged = False
    try:
        stored = list_layout.from_json(row["definition"] or {})
        layout, missing = usable(actor, entity, stored)
    except (UserError, ValueError, TypeError, KeyError, AttributeError):
        # Written by a program that knew another form: the others must open all the same.
        stored, missing, damaged = ListLayout(), (), True
        layout = stored
    scope = ViewScope(row["scope"])
    own = actor.user_id is not None and row["owner.id"] == actor.user_id
    saved = Saved(
        id=key,
        version=row["version"],
        scope=scope,
        owner_id=row["owner.id"],
        owner=str(row["owner"] or ""),
        is_pinned=(MarkKind.PINNED.value, key) in own_marks,
        is_first=(MarkKind.FIRST.value, key) in own_marks,
        is_everybodys_first=bool(row["is_default"]),
        can_edit=own or (actor.is_admin and scope is not ViewScope.PERSONAL),
        position=row["position"] or 0,
        stored=stored,
        missing=missing,
        missing_names=tuple(called(entity, path) for path in missing),
        damaged=damaged,
    )
    return ListView(f"saved:{key}", str(row["name"]), "star", layout, saved)
