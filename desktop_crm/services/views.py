"""Changing saved views: personal, the team's or everybody's, and who may.

A view is a record of ``saved_view`` whose ``definition`` is a :class:`ListLayout`. Pinned and
"opens first" are marks of the user, so that a view of everybody can be pinned by each for himself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.text import clean, fold
from desktop_crm.meta import registry
from desktop_crm.models.marking import MarkKind
from desktop_crm.models.office import ViewScope
from desktop_crm.services import list_layout, marks, records
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView, Saved, joined, usable
from desktop_crm.services.operation import operation
from desktop_crm.services.records import Change
from desktop_crm.services.saved_views import ENTITY, load

# --- changing -------------------------------------------------------------------------------------


def create(
    actor: Actor,
    entity_key: str,
    name: str,
    layout: ListLayout,
    scope: ViewScope = ViewScope.PERSONAL,
) -> records.Saved:
    """Save a layout under a new name.

    Raises:
        UserError: No name, or the actor has a view of this name already.
        PermissionDenied: The role does not let him make views.
    """
    values = {
        "name": _free_name(actor, entity_key, name),
        "entity": entity_key,
        "scope": scope.value,
        "definition": list_layout.to_json(layout),
    }
    return records.save(actor, ENTITY, None, None, values)


def update(actor: Actor, view: ListView, layout: ListLayout) -> tuple[ChangeSet, tuple[str, ...]]:
    """Save a view again with another layout.

    Returns:
        What changed, and the fields it named that got lost because the person changed the part
        they stood in.

    Raises:
        PermissionDenied: The view is somebody else's.
        NotFound: It was deleted meanwhile.
    """
    saved = _editable(actor, view)
    kept = joined(saved.stored, view.layout, layout)
    changed = _save(actor, view, {"definition": list_layout.to_json(kept)})
    entity = registry.get(_entity_of(actor, saved.id))
    left = usable(actor, entity, kept)[1]
    return changed, tuple(path for path in saved.missing if path not in left)


def rename(actor: Actor, entity_key: str, view: ListView, name: str) -> ChangeSet:
    """Give a view another name.

    Raises:
        UserError: No name, or the name is taken.
        PermissionDenied: The view is somebody else's.
    """
    _editable(actor, view)
    if clean(name) == view.title:
        return ChangeSet()
    return _save(actor, view, {"name": _free_name(actor, entity_key, name, view.title)})


def share(actor: Actor, view: ListView, scope: ViewScope) -> ChangeSet:
    """Say who sees a view; a view that leaves everybody's sight no longer opens first for them.

    Raises:
        PermissionDenied: The view is somebody else's.
    """
    return _save(actor, view, _scope_values(_editable(actor, view), scope))


def describe(
    actor: Actor, entity_key: str, view: ListView, name: str, scope: ViewScope
) -> ChangeSet:
    """Give a view a name and say who sees it, as one step.

    Raises:
        UserError: No name, or the name is taken.
        PermissionDenied: The view is somebody else's.
    """
    saved = _editable(actor, view)
    values = _scope_values(saved, scope)
    if clean(name) != view.title:
        values["name"] = _free_name(actor, entity_key, name, view.title)
    return _save(actor, view, values)


def _scope_values(saved: Saved, scope: ViewScope) -> dict[str, Any]:
    """A view that leaves everybody's sight cannot open first for them."""
    values: dict[str, Any] = {"scope": scope.value}
    if scope is not ViewScope.PUBLIC and saved.is_everybodys_first:
        values["is_default"] = False
    return values


def copy(actor: Actor, entity_key: str, view: ListView) -> records.Saved:
    """Make a personal view of the same layout, under a name of its own."""
    layout = view.layout if view.saved is None else view.saved.stored
    taken = {fold(one.title) for one in load(actor, entity_key)}
    number, name = 2, tr("{view} (copy)", view=view.title)
    while fold(name) in taken:
        name = tr("{view} (copy {n})", view=view.title, n=number)
        number += 1
    return create(actor, entity_key, name, layout)


def delete(actor: Actor, view: ListView) -> ChangeSet:
    """Put a view into the recycle bin; undo brings it back.

    Raises:
        PermissionDenied: The view is somebody else's.
    """
    return records.delete(actor, ENTITY, [_editable(actor, view).id])


def arrange(actor: Actor, views: Sequence[ListView]) -> ChangeSet:
    """Keep the order of the views the actor may change; one step of undo."""
    moved = [
        Change(view.saved.id, None, {"position": place})
        for place, view in enumerate(views)
        if view.saved is not None and view.saved.can_edit and view.saved.position != place
    ]
    if not moved:
        return ChangeSet()
    return records.save_many(actor, ENTITY, moved).changes


def open_first_for_all(
    actor: Actor, entity_key: str, view: ListView, *, first: bool = True
) -> ChangeSet:
    """Say which view opens first for everybody who chose none; only administrators may.

    Raises:
        PermissionDenied: The actor is no administrator.
        UserError: Not everybody sees the view.
    """
    if not actor.is_admin:
        raise PermissionDenied(
            N_("Only an administrator chooses what opens first for everybody. Nothing was changed.")
        )
    saved = _editable(actor, view)
    if first and saved.scope is not ViewScope.PUBLIC:
        raise UserError(
            N_("“{name}” is not seen by everybody. Share it with everybody first."), name=view.title
        )
    others = [
        one.saved.id
        for one in load(actor, entity_key)
        if one.saved is not None and one.saved.is_everybodys_first and one.saved.id != saved.id
    ]
    with operation(actor) as work:
        work.save_many(ENTITY, [Change(key, None, {"is_default": False}) for key in others])
        work.save_many(ENTITY, [Change(saved.id, None, {"is_default": first})])
    return work.report


def pin(actor: Actor, view: ListView, *, pinned: bool) -> None:
    """Let a saved view stand first in the actor's own tree, or no longer."""
    _mark(actor, MarkKind.PINNED, view, on=pinned)


def open_first(actor: Actor, entity_key: str, view: ListView, *, first: bool = True) -> None:
    """Choose the saved view that opens first for the actor himself."""
    for other in load(actor, entity_key):
        if other.saved is not None and other.saved.is_first and other.key != view.key:
            _mark(actor, MarkKind.FIRST, other, on=False)
    _mark(actor, MarkKind.FIRST, view, on=first)


def _mark(actor: Actor, kind: MarkKind, view: ListView, *, on: bool) -> None:
    if view.saved is None or actor.user_id is None:
        return
    marks.put(actor, kind, ENTITY, [view.saved.id], on=on)


def _save(actor: Actor, view: ListView, values: Mapping[str, Any]) -> ChangeSet:
    assert view.saved is not None  # noqa: S101  asked before
    return records.save(actor, ENTITY, view.saved.id, None, values).changes


def _editable(actor: Actor, view: ListView) -> Saved:
    if view.saved is None:
        raise UserError(
            N_("“{name}” comes with the program and stays as it is. Save it under another name."),
            name=view.title,
        )
    if not view.saved.can_edit:
        raise PermissionDenied(
            N_("“{name}” belongs to {owner}. Save it under another name to have your own."),
            name=view.title,
            owner=view.saved.owner or tr("somebody else"),
        )
    return view.saved


def _entity_of(actor: Actor, key: int) -> str:
    return str(records.get(actor, ENTITY, key).values["entity"])


def _free_name(actor: Actor, entity_key: str, name: str, before: str = "") -> str:
    """The name as it is kept.

    Raises:
        UserError: It is empty, or another of the actor's views has it.
    """
    wanted = clean(name)
    if not wanted:
        raise UserError(N_("Give the view a name. Nothing was saved."), field="name")
    if fold(wanted) != fold(before):
        for view in load(actor, entity_key):
            mine = view.saved is not None and view.saved.owner_id == actor.user_id
            if mine and fold(view.title) == fold(wanted):
                raise UserError(
                    N_("You have a view “{name}” already. Choose another name; nothing was saved."),
                    field="name",
                    name=view.title,
                )
    return wanted
