"""Stars beside the favourites of a list, and lists of marked records kept true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from desktop_crm.models.marking import MarkKind
from desktop_crm.services import shipped_views

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.lists.list_panel import ListPanel

_SHOWN: Final = frozenset({MarkKind.FAVOURITE.value, MarkKind.FOLLOW.value})
_OF_MARKS: Final = frozenset({shipped_views.FAVOURITES, shipped_views.FOLLOWED})


class Stars(QObject):
    """Tells one list which records are favourites."""

    def __init__(self, panel: ListPanel) -> None:
        super().__init__(panel)
        self._panel = panel

    def take_changes(self, changes: ChangeSet) -> None:
        """Follow marks that were put or taken away."""
        kinds = {kind for c in changes.changes if c.entity == "record_mark" for kind in c.fields}
        if kinds & _SHOWN:
            view = self._panel.view
            if view is not None and view.key in _OF_MARKS:
                self._panel.reload()

    def take(self, known: Mapping[MarkKind, frozenset[int]]) -> None:
        """Paint the stars of the favourites that were read."""
        found = known.get(MarkKind.FAVOURITE, frozenset())
        if found != self._panel.model.starred:
            self._panel.model.starred = found
            self._panel.table.viewport().update()
