"""The views of a pane: which there are, which one is shown, and what a person does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPoint, QTimer, Signal, Slot

from desktop_crm.core.i18n import tr
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.services.shipped_views import MARKED
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.lists import views as list_views
from desktop_crm.views.lists.view_dialog import ViewDialog
from desktop_crm.views.lists.views import ViewSet
from desktop_crm.views.panes import view_commands
from desktop_crm.views.widgets.buttons import show_menu, tool_button

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity
    from desktop_crm.models.office import ViewScope
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import Saved
    from desktop_crm.views.lists.list_panel import ListPanel
    from desktop_crm.views.lists.navigation import NavTree
    from desktop_crm.views.workbench import Workbench

_RECOUNT_MS: Final = 800
_SHARE: Final = 20
"""Counting again waits so many times longer than it took, so that it costs little of a machine."""


class PaneViews(QObject):
    """Loads, counts, chooses, saves and changes the views of one list.

    Attributes:
        shown: Another view is shown, or the same one with another layout.
        changed: Whether the list stands as its view says may be another now.
        loaded: The saved views were read again.
        button: Stands in the head of the list while it was changed, and offers to save.
        views: All views.
        view: The one shown.
    """

    shown = Signal(object)
    changed = Signal()
    loaded = Signal()

    def __init__(self, bench: Workbench, entity: Entity, nav: NavTree, parent: QObject) -> None:
        super().__init__(parent)
        self.bench = bench
        self.entity = entity
        self.nav = nav
        self.list: ListPanel | None = None
        self.views = list_views.fixed(bench.actor, entity)
        self.view = self.views.first()
        self.button = tool_button(
            f"list.changed.{entity.key}", tr("Changed"), "chevron_down", self._unfold, tint="line",
            show_text=True, tip=tr("The list was changed. Save the view, or go back to it."),
        )  # fmt: skip
        self.button.hide()
        self._memory = f"pane.{entity.key}"
        self._wanted = ""
        self._is_shown = False
        self._changed = ""
        self._took = 0.0
        self._rows_came = False
        self._is_uncounted = False
        self._is_counting = False
        self._recount = QTimer(self)
        self._recount.setSingleShot(True)
        self._recount.timeout.connect(self._count)
        nav.show_groups(self.views.nav_groups())
        nav.chosen.connect(self.choose)
        nav.menu_wanted.connect(self._menu)
        nav.renamed.connect(self._renamed)
        nav.delete_wanted.connect(lambda key: self._with_saved(key, self.delete))

    def start(self, panel: ListPanel) -> None:
        """Show the first view: what the person lets open first, else what was shown last.

        A saved one is known once the database was asked; a shipped one opens at once.
        """
        self.list = panel
        panel.told.connect(self.update)
        panel.told.connect(self._count_behind_rows)
        panel.table.widths_changed.connect(self.update)
        kept = self.bench.recall(self._memory)
        self._wanted = str(kept.get("first") or kept.get("view") or "")
        found = self.views.find(self._wanted) if self._wanted else None
        if found is not None:
            self._show(found)
        self.load()

    # --- loading ---------------------------------------------------------------------------

    @Slot()
    def load(self) -> None:
        """Read the saved views again, then count."""
        self.bench.tasks.read(
            list_views.load, self.bench.actor, self.entity.key,
            done=self._take, failed=self._failed, owner=self, lane="views", cancellable=True,
        )  # fmt: skip

    def recount(self) -> None:
        """Count again soon; seldom where counting takes long."""
        if not self._recount.isActive():
            self._recount.start(max(_RECOUNT_MS, int(self._took * 1000) * _SHARE))

    def _take(self, views: ViewSet) -> None:
        self._put(views.counted_as(self.views))
        chosen = self.views.chosen()
        if not self._is_shown:
            self._show(chosen or self.views.find(self._wanted) or self.views.first())
        elif self._wanted and (wanted := self.views.find(self._wanted)) is not None:
            self._show(wanted)
        self._wanted = ""
        self._remember(first=chosen.key if chosen is not None else "")
        self.loaded.emit()
        if self._rows_came:
            self._count()
        else:
            self._is_uncounted = True

    @Slot()
    def _count_behind_rows(self) -> None:
        """Count once the first rows are there: nobody waits for numbers before them."""
        self._rows_came = True
        if self._is_uncounted:
            self._is_uncounted = False
            self._count(later=True)

    def _failed(self, error: Exception) -> None:
        if not self._is_shown:
            self._show(self.view)
        self.bench.shell.show_error(error)

    def _put(self, views: ViewSet) -> None:
        """Take another set of views; the one shown may be another now, or gone."""
        if views.nav_groups() != self.views.nav_groups():
            self.nav.show_groups(views.nav_groups())
        self.views = views
        self.nav.show_counts(views.shown_counts(self.bench.formats))
        if not self._is_shown:
            return
        found = views.find(self.view.key)
        if found is None and self.view.saved is not None:
            self._show(views.first())
        elif found is not None and (found.layout, found.title) != (
            self.view.layout, self.view.title,
        ):  # fmt: skip
            self._show(found)
        elif found is not None:
            self.view = found
        if not self.nav.key():
            self.nav.select(self.view.key)

    @Slot()
    def _count(self, *, later: bool = False) -> None:
        started = monotonic()
        self._is_counting = True

        def counted(views: ViewSet) -> None:
            self._is_counting = False
            self._took = monotonic() - started
            # Saved views may have been read again meanwhile: only the counts are taken.
            self._put(self.views.counted_as(views))

        self.bench.tasks.read(
            list_views.counted, self.bench.actor, self.entity.key, self.views,
            done=counted, owner=self, lane="counts", cancellable=True, later=later,
        )  # fmt: skip

    def recount_marked(self) -> None:
        """Count again what the person marked or looked at; these counts cost next to nothing."""
        if self._is_counting:  # what comes was counted before the mark
            self._count()
            return

        def counted(views: ViewSet) -> None:
            counts = {key: n for key, n in views.counts.items() if key in MARKED}
            self._put(replace(self.views, counts={**self.views.counts, **counts}))

        self.bench.tasks.read(
            list_views.counted_again, self.bench.actor, self.entity.key, self.views, MARKED,
            done=counted, owner=self, lane="marked",
        )  # fmt: skip

    # --- choosing --------------------------------------------------------------------------

    @Slot(str)
    def choose(self, key: str) -> None:
        """Show a view by its key."""
        view = self.views.find(key)
        if view is not None:
            self._show(view)
            self._remember(view=key)

    def _remember(self, **values: str) -> None:
        kept = self.bench.recall(self._memory)
        self.bench.remember(self._memory, {**kept, **values})

    def _show(self, view: ListView) -> None:
        if self.list is None:
            return
        self._is_shown = True
        self.view = view
        self.nav.select(view.key)
        self.list.show_view(view)
        if view.note:
            self.list.notice.say(view.note, "warn")
        self.update()
        self.shown.emit(view)

    @Slot()
    def update(self) -> None:
        """Say whether the list stands as its view says."""
        changed = self.view.key if self.is_changed else ""
        if changed == self._changed:
            return
        self._changed = changed
        self.nav.show_changed(changed)
        self.button.setVisible(bool(changed))
        self.changed.emit()

    @property
    def is_changed(self) -> bool:
        """Whether the person changed the list since its view was saved."""
        return self._is_shown and self.list is not None and self.list.is_changed

    # --- commands --------------------------------------------------------------------------

    def actions(self) -> list[Action]:
        """What can be done with the view that is shown, for the menu of the pane."""
        manage = Action("view.manage", tr("Manage views…"), self.manage, "settings", group="manage")
        return [
            Action(
                "view.menu", tr("View"), self.manage, "folder", group="view", place=Place.MORE,
                menu=(*self._saving(), manage),
            )
        ]  # fmt: skip

    def _saving(self) -> list[Action]:
        may = self.view.saved is not None and self.view.saved.can_edit
        made: list[Action] = []
        if may:
            made.append(
                Action(
                    "view.save", tr("Save the view"), self.save, "checkmark",
                    enabled=lambda: self.is_changed,
                )
            )  # fmt: skip
        if self.bench.actor.can("saved_view", "create"):
            made.append(
                Action("view.save_as", tr("Save view as…"), self.save_as, "star")
            )  # fmt: skip
        made.append(
            Action(
                "view.discard", tr("Discard changes of the view"), self.discard, "dismiss",
                enabled=lambda: self.is_changed,
            )
        )  # fmt: skip
        return made

    def _unfold(self) -> None:
        show_menu(self.button, self._saving())

    @Slot(str, object)
    def _menu(self, key: str, place: object) -> None:
        view = self.views.find(key)
        if view is not None:
            at = place if isinstance(place, QPoint) else None
            show_menu(self.nav, view_commands.actions(self, view), at=at)

    @Slot(str, str)
    def _renamed(self, key: str, name: str) -> None:
        self._with_saved(key, partial(view_commands.rename, self, name=name))

    def _with_saved(self, key: str, run: Callable[[ListView], object]) -> None:
        view = self.views.find(key)
        if view is not None and view.saved is not None and view.saved.can_edit:
            run(view)

    def save(self) -> None:
        """Save the view with the list as it stands."""
        assert self.list is not None  # noqa: S101  a view is shown
        layout = self.list.list_layout()
        view_commands.save(self, self.view, layout)

    def saved(self, view: ListView, layout: ListLayout) -> None:
        """Show the view as it was saved, with nothing changed."""
        if self.list is None or view.key != self.view.key:
            return
        self.view = replace(view, layout=layout)
        self.list.show_view(self.view)
        self._forget()

    def discard(self) -> None:
        """Go back to the view as it was saved."""
        self._forget()

    def _forget(self) -> None:
        assert self.list is not None  # noqa: S101  a view is shown
        if self.list.condition is not None:
            self.list.filter_by(None)
        self.list.forget_changes()
        self.update()

    def save_as(self) -> None:
        """Ask for a name and save the list as it stands as a view of its own."""
        assert self.list is not None  # noqa: S101  a view is shown
        layout = self.list.list_layout()
        name = self.view.title if self.view.saved is None else ""
        dialog = ViewDialog(
            self.bench.shell.window_widget(),
            tr("Save view"),
            name,
            subtitle=tr("Columns, order, filter and formats of the list under a name."),
        )
        dialog.taken.connect(partial(self._create, dialog, layout))
        dialog.open()

    def _create(self, dialog: ViewDialog, layout: ListLayout, name: str, scope: ViewScope) -> None:
        from desktop_crm.services import views as saved_views

        def done(saved: Saved) -> None:
            dialog.accept()
            self._forget()
            self.show_new(saved)

        self.bench.tasks.write(
            saved_views.create, self.bench.actor, self.entity.key, name, layout, scope,
            done=done, failed=dialog.refuse, owner=dialog, label=tr("Saving"),
        )  # fmt: skip

    def show_new(self, saved: Saved) -> None:
        """Show a view that was just made, once it was read."""
        self._wanted = f"saved:{saved.id}"
        self._remember(view=self._wanted)
        self.bench.bus.publish(saved.changes)
        self.load()

    def delete(self, view: ListView) -> None:
        """Delete a saved view; undo brings it back."""
        view_commands.delete(self, view)

    def manage(self) -> None:
        """Open the dialog that lists all saved views of the list."""
        from desktop_crm.views.panes.manage_views import ManageViews

        dialog = ManageViews(self)
        dialog.open()

    def take_changes(self, changes: ChangeSet) -> None:
        """Follow what was changed anywhere."""
        if changes.touches("saved_view", "custom_field", "choice_option"):
            self.load()
        elif changes.touches(self.entity.key):
            self.recount()
        elif changes.touches("record_mark"):
            self.recount_marked()
