"""Views as files: written for a colleague or another installation, and taken in again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.files import write_whole
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.text import clean, fold
from desktop_crm.meta import registry
from desktop_crm.services import filters, list_layout, saved_views, views
from desktop_crm.services.context import Actor
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView, usable
from desktop_crm.services.records import Saved

FORMAT: Final = "desktop-crm view"
VERSION: Final = 1
_LARGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """A view that came from a file.

    Attributes:
        saved: The record made of it.
        entity: Key of the entity it lists.
        name: Its name here.
        missing: Fields it named that are not here; they were left out.
    """

    saved: Saved
    entity: str
    name: str
    missing: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What happened, for a person."""
        if not self.missing:
            return tr("The view “{name}” was added.", name=self.name)
        return ntr(
            "The view “{name}” was added without a field that is not here: {fields}.",
            "The view “{name}” was added without fields that are not here: {fields}.",
            len(self.missing),
            name=self.name,
            fields=", ".join(self.missing),
        )


def content(entity_key: str, view: ListView) -> dict[str, Any]:
    """What the file of a view says: the layout whole, its conditions also as text to read."""
    layout = view.layout if view.saved is None else view.saved.stored
    return {
        "format": FORMAT,
        "version": VERSION,
        "entity": entity_key,
        "name": view.title,
        "filter": filters.to_text(layout.filter),
        "layout": list_layout.to_json(layout),
    }


def export(entity_key: str, view: ListView, path: Path) -> Path:
    """Write a view into a ``.json`` file, whole or not at all.

    Returns:
        The file, with its ending.

    Raises:
        EnvironmentProblem: The file cannot be written.
    """
    target = path if path.suffix.lower() == ".json" else path.with_name(f"{path.name}.json")
    text = json.dumps(content(entity_key, view), ensure_ascii=False, indent=2)
    write_whole(target, f"{text}\n".encode())
    return target


def take_in(actor: Actor, path: Path, entity_key: str = "") -> Taken:
    """Make a personal view of a file; what it names that is not here is left out and named.

    Args:
        actor: Whose view it becomes.
        path: File written by :func:`export`; its ``filter`` may have been changed by hand.
        entity_key: Entity it must be about; empty takes any.

    Raises:
        UserError: No view is in the file, it is of a later version, or of another entity.
        EnvironmentProblem: It cannot be read.
    """
    data = _read(path)
    key = str(data["entity"])
    entity = registry.find(key)
    if entity is None:
        raise UserError(
            N_("{file} holds a view of “{entity}”, which there is not here. Nothing was added."),
            file=path.name,
            entity=key,
        )
    if entity_key and key != entity_key:
        raise UserError(
            N_("{file} holds a view of {records}. Add it in their list; nothing was added."),
            file=path.name,
            records=tr(entity.plural).lower(),
        )
    layout, missing = usable(actor, entity, _layout(path, key, data))
    name = _free_name(actor, key, clean(str(data["name"])) or path.stem)
    saved = views.create(actor, key, name, layout)
    return Taken(saved, key, name, missing)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise _no_view(path)
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise _no_view(path) from None
    except OSError as error:
        raise EnvironmentProblem(
            N_("{file} cannot be read: {reason}. Nothing was added."),
            file=path,
            reason=error.strerror or error,
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _no_view(path)
    if not isinstance(data.get("version"), int) or not {"entity", "name", "layout"} <= data.keys():
        raise _no_view(path)
    if data["version"] > VERSION:
        raise UserError(
            N_("{file} was written by a later version of the program. Nothing was added."),
            file=path.name,
        )
    return data


def _no_view(path: Path) -> UserError:
    return UserError(
        N_("{file} holds no view: it was not written by “Export view” or was damaged since. "
           "Nothing was added."),
        file=path.name,
    )  # fmt: skip


def _layout(path: Path, entity_key: str, data: Mapping[str, Any]) -> ListLayout:
    try:
        layout = list_layout.from_json(data["layout"])
        before = filters.to_text(layout.filter)
    except (UserError, ValueError, TypeError, KeyError, AttributeError):
        raise _no_view(path) from None
    text = data.get("filter")
    if isinstance(text, str) and text != before:
        # Changed by hand; a fault in it is told with its place.
        return replace(layout, filter=filters.parse(text, entity_key))
    return layout


def _free_name(actor: Actor, entity_key: str, name: str) -> str:
    taken = {fold(view.title) for view in saved_views.load(actor, entity_key)}
    number, found = 2, name
    while fold(found) in taken:
        found = f"{name} ({number})"
        number += 1
    return found
