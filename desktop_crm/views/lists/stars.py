"""Stars beside the favourites of a list, and lists of marked records kept true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from desktop_crm.models.marking import MarkKind
from desktop_crm.services import shipped_views

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.lists.list_panel import ListPanel
    from desktop_crm.views.workbench import Workbench

_OF_MARKS: Final = frozenset({shipped_views.FAVOURITES, shipped_views.FOLLOWED})


def _favourites(actor: Actor, entity: str) -> frozenset[int]:
    """Keys of the user's favourites; runs on a reader thread, which loads the code for it."""
    from desktop_crm.services import marks

    return frozenset(marks.keys(actor, MarkKind.FAVOURITE, entity))


class Stars(QObject):
    """Tells one list which records are favourites."""

    def __init__(self, panel: ListPanel, bench: Workbench) -> None:
        super().__init__(panel)
        self._panel = panel
        self._bench = bench

    def load(self) -> None:
        """Read the favourites and paint their stars."""
        self._bench.tasks.read(
            _favourites, self._bench.actor, self._panel.entity.key,
            done=self._take, owner=self, lane="stars",
        )  # fmt: skip

    def take_changes(self, changes: ChangeSet) -> None:
        """Follow marks that were put or taken away."""
        if changes.touches("record_mark"):
            self.load()
            view = self._panel.view
            if view is not None and view.key in _OF_MARKS:
                self._panel.reload()

    def _take(self, found: frozenset[int]) -> None:
        if found != self._panel.model.starred:
            self._panel.model.starred = found
            self._panel.table.viewport().update()
