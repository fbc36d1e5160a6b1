"""Commands on one view: rename, share, pin, let it open first, copy, export, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.views.actions import Action
from desktop_crm.views.lists.view_dialog import ViewDialog

if TYPE_CHECKING:
    from desktop_crm.models.office import ViewScope
    from desktop_crm.services.records import Saved
    from desktop_crm.services.view_files import Taken
    from desktop_crm.views.panes.pane_views import PaneViews


def actions(pane: PaneViews, view: ListView) -> list[Action]:
    """What can be done with a view; a shipped one is copied and exported only."""
    actor = pane.bench.actor
    saved = view.saved
    made: list[Action] = []
    if saved is not None:
        pinned = tr("Unpin") if saved.is_pinned else tr("Pin to the top")
        first = tr("No longer open first") if saved.is_first else tr("Open first")
        made += [
            Action("view.pin", pinned, partial(pin, pane, view), "star", group="own"),
            Action("view.first", first, partial(open_first, pane, view), "home", group="own"),
        ]
        if actor.is_admin and saved.can_edit:
            whole = (
                tr("No longer open first for everybody")
                if saved.is_everybodys_first
                else tr("Open first for everybody")
            )
            made.append(
                Action("view.first_for_all", whole, partial(open_first_for_all, pane, view),
                       "people", group="own")
            )  # fmt: skip
    if saved is not None and saved.can_edit:
        made += [
            Action("view.rename", tr("Rename"), partial(pane.nav.rename, view.key), "edit",
                   shortcut="F2", group="change"),
            Action("view.share", tr("Name and who sees it…"), partial(share, pane, view),
                   "people", group="change"),
        ]  # fmt: skip
    if actor.can("saved_view", "create"):
        made.append(Action("view.copy", tr("Copy"), partial(copy, pane, view), "note",
                           group="copy"))  # fmt: skip
    made.append(Action("view.export", tr("Export view…"), partial(export, pane, view),
                       "arrow_download", group="copy"))  # fmt: skip
    if saved is not None and saved.can_edit:
        made.append(Action("view.delete", tr("Delete"), partial(delete, pane, view), "delete",
                           shortcut="Del", group="delete"))  # fmt: skip
    return made


def save(pane: PaneViews, view: ListView, layout: ListLayout) -> None:
    """Save a view with another layout, and say which missing fields it lost by that."""
    from desktop_crm.services import views

    def done(answer: tuple[ChangeSet, tuple[str, ...]]) -> None:
        changes, lost = answer
        pane.saved(view, layout)
        pane.bench.bus.publish(changes)
        text = (
            ntr(
                "A field that is not there was left out: {fields}.",
                "Fields that are not there were left out: {fields}.",
                len(lost),
                fields=", ".join(lost),
            )
            if lost
            else ""
        )
        title = tr("“{name}” was saved", name=view.title)
        pane.bench.shell.toast(title, text, undo=True, bad=bool(lost))

    _write(pane, partial(views.update, pane.bench.actor, view, layout), done)


def rename(pane: PaneViews, view: ListView, name: str) -> None:
    """Give a view another name."""
    from desktop_crm.services import views

    def failed(error: Exception) -> None:
        pane.bench.shell.show_error(error)
        pane.nav.rename(view.key, name)  # what was typed is there to be changed

    pane.bench.tasks.write(
        views.rename, pane.bench.actor, pane.entity.key, view, name,
        done=pane.bench.bus.publish, failed=failed, owner=pane, label=tr("Saving"),
    )  # fmt: skip


def share(pane: PaneViews, view: ListView) -> None:
    """Ask for name and circle of a view."""
    if view.saved is None:
        return
    dialog = ViewDialog(pane.bench.shell.window_widget(), tr("View"), view.title, view.saved.scope)
    dialog.taken.connect(partial(_share, pane, view, dialog))
    dialog.open()


def _share(
    pane: PaneViews, view: ListView, dialog: ViewDialog, name: str, scope: ViewScope
) -> None:
    from desktop_crm.services import views

    def done(changes: ChangeSet) -> None:
        dialog.accept()
        pane.bench.bus.publish(changes)

    pane.bench.tasks.write(
        partial(views.describe, pane.bench.actor, pane.entity.key, view, name, scope),
        done=done, failed=dialog.refuse, owner=dialog, label=tr("Saving"),
    )  # fmt: skip


def pin(pane: PaneViews, view: ListView) -> None:
    """Pin a saved view to the top, or let it go back among the others."""
    from desktop_crm.services import views

    on = view.saved is not None and not view.saved.is_pinned
    _write(pane, partial(views.pin, pane.bench.actor, view, pinned=on), lambda _none: pane.load())


def open_first(pane: PaneViews, view: ListView) -> None:
    """Let a view open first for oneself, or no longer."""
    from desktop_crm.services import views

    on = view.saved is not None and not view.saved.is_first
    _write(
        pane,
        partial(views.open_first, pane.bench.actor, pane.entity.key, view, first=on),
        lambda _none: pane.load(),
    )


def open_first_for_all(pane: PaneViews, view: ListView) -> None:
    """Let a view open first for everybody, or no longer."""
    from desktop_crm.services import views

    on = view.saved is not None and not view.saved.is_everybodys_first
    _write(
        pane,
        partial(views.open_first_for_all, pane.bench.actor, pane.entity.key, view, first=on),
        pane.bench.bus.publish,
    )


def copy(pane: PaneViews, view: ListView) -> None:
    """Make a personal view of the same layout and show it."""
    from desktop_crm.services import views

    def done(saved: Saved) -> None:
        pane.show_new(saved)

    _write(pane, partial(views.copy, pane.bench.actor, pane.entity.key, view), done)


def delete(pane: PaneViews, view: ListView) -> None:
    """Put a view into the recycle bin."""
    from desktop_crm.services import views

    def done(changes: ChangeSet) -> None:
        pane.bench.bus.publish(changes)
        pane.bench.shell.toast(tr("“{name}” was deleted", name=view.title), undo=True)

    _write(pane, partial(views.delete, pane.bench.actor, view), done)


def export(pane: PaneViews, view: ListView) -> None:
    """Write a view into a file the person chooses."""
    from desktop_crm.services import view_files

    window = pane.bench.shell.window_widget()
    plain = view.title.replace("/", "-")
    name, _kind = QFileDialog.getSaveFileName(
        window, tr("Export view"), str(Path.home() / f"{plain}.json"), tr("Views (*.json)")
    )
    if name:
        pane.bench.tasks.background(
            partial(view_files.export, pane.entity.key, view, Path(name)),
            done=lambda path: pane.bench.shell.toast(
                tr("“{name}” was exported", name=view.title), str(path)
            ),
            failed=pane.bench.shell.show_error, owner=pane, label=tr("Exporting"),
        )  # fmt: skip


def take_in(pane: PaneViews) -> None:
    """Make a view of a file the person chooses, and show it."""
    from desktop_crm.services import view_files

    window = pane.bench.shell.window_widget()
    name, _kind = QFileDialog.getOpenFileName(
        window, tr("Import view"), str(Path.home()), tr("Views (*.json)")
    )
    if not name:
        return

    def done(taken: Taken) -> None:
        pane.show_new(taken.saved)
        pane.bench.shell.toast(tr("View imported"), taken.sentence, bad=bool(taken.missing))

    _write(pane, partial(view_files.take_in, pane.bench.actor, Path(name), pane.entity.key), done)


def _write(pane: PaneViews, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
    pane.bench.tasks.write(
        work,
        done=lambda answer: (done(answer), None)[1],
        failed=pane.bench.shell.show_error,
        owner=pane,
        label=tr("Saving"),
    )
