"""Colours of tags for painting: read once, and again when the list of tags changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop_crm.core.text import fold

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

_tones: dict[str, str] = {}


def _read(actor: Actor) -> Mapping[str, str]:
    """Colours by folded name; runs on a reader thread, which loads the code for it."""
    from desktop_crm.services import tag_list

    return tag_list.tones(actor)


def tone(word: str) -> str:
    """Colour of a tag; grey while it is not known."""
    return _tones.get(fold(word), "neutral")


class TagTones(QObject):
    """Keeps the colours true for one window.

    Attributes:
        changed: Other colours are in force; what shows tags paints again.
    """

    changed = Signal()

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        bench.bus.changed.connect(self._look)
        self.load()

    def load(self) -> None:
        """Read the colours."""
        self._bench.tasks.read(_read, self._bench.actor, done=self._take, owner=self, lane="tones")

    def _look(self, changes: ChangeSet) -> None:
        if changes.touches("tag"):
            self.load()

    def _take(self, found: Mapping[str, str]) -> None:
        if found != _tones:
            _tones.clear()
            _tones.update(found)
            self.changed.emit()
