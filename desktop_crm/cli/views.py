"""``view``: the views of lists, shown, written into files and taken in from them."""

from __future__ import annotations

from pathlib import Path

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.services import filters, saved_views, view_files
from desktop_crm.services.list_view import ListView
from desktop_crm.services.query import entity_query
from desktop_crm.services.shipped_views import shipped


@click.group("view", help=tr("Show the views of lists and pass them on as files."))
def group() -> None:
    """Commands about views."""


@group.command("list", help=tr("Show the views of a kind of record."))
@click.argument("entity")
@common
def show_all(call: Call, entity: str) -> int:
    """Show saved views, then those that come with the program."""
    key = entity_query(entity).entity
    with call.signed_in() as actor:
        found = (*saved_views.load(actor, key), *shipped(actor, registry.get(key)))
    if call.as_json:
        emit([_facts(view) for view in found])
        return Code.DONE
    rows = [
        [str(facts[name]) for name in ("key", "name", "scope", "owner")]
        for facts in map(_facts, found)
    ]
    say(table([tr("Key"), tr("Name"), tr("Who sees it"), tr("Owner")], rows, [False] * 4))
    return Code.DONE


def _facts(view: ListView) -> dict[str, object]:
    saved = view.saved
    return {
        "key": view.key,
        "name": view.title,
        "scope": "" if saved is None else saved.scope.value,
        "owner": "" if saved is None else saved.owner,
        "pinned": saved is not None and saved.is_pinned,
        "filter": filters.to_text(view.filter),
    }


@group.command("show", help=tr("Show what a view says."))
@click.argument("entity")
@click.argument("name")
@common
def show(call: Call, entity: str, name: str) -> int:
    """Show columns, order and conditions of one view."""
    key = entity_query(entity).entity
    with call.signed_in() as actor:
        view = saved_views.find(actor, key, name)
    if call.as_json:
        emit(view_files.content(key, view))
        return Code.DONE
    layout = view.layout
    order = ", ".join(f"{'-' if o.descending else ''}{o.field}" for o in layout.order)
    for label, text in (
        (tr("Name"), view.title),
        (tr("Columns"), ", ".join(layout.columns)),
        (tr("Order"), order),
        (tr("Filter"), filters.to_text(layout.filter)),
        (tr("Group by"), layout.group),
        (tr("Board"), layout.board),
    ):
        if text:
            say(f"{label}: {text}")
    if view.note:
        say(view.note)
    return Code.DONE


@group.command("export", help=tr("Write a view into a .json file."))
@click.argument("entity")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@common
def export(call: Call, entity: str, name: str, file: Path) -> int:
    """Write one view, shipped or saved."""
    key = entity_query(entity).entity
    with call.signed_in() as actor:
        view = saved_views.find(actor, key, name)
        path = view_files.export(key, view, file)
    return call.answer(
        {"entity": key, "view": view.title, "file": str(path)},
        tr("The view “{name}” is in {file}.", name=view.title, file=path),
    )


@group.command("import", help=tr("Make a view of a .json file."))
@click.argument("file", type=click.Path(path_type=Path))
@common
def take_in(call: Call, file: Path) -> int:
    """Add a personal view; what it names that is not here is left out and named."""
    with call.signed_in() as actor:
        taken = view_files.take_in(actor, file)
    return call.answer(
        {"entity": taken.entity, "view": taken.name, "missing": list(taken.missing)},
        taken.sentence,
    )
