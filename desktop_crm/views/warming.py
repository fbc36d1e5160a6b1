"""The code of panes, forms and the palette, imported beside the window before it is asked for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from desktop_crm.core import turns

_PATHS: Final = (
    "panes.record_pane", "forms.form_dialog", "panes.mail", "panes.calendar", "panes.settings",
    "palette",
)  # fmt: skip

_wanted = threading.Event()
"""Set for good once the window itself loads a module: it may need what is being imported."""


class _BetweenModules(MetaPathFinder):
    """Finds nothing; asked for each module that is imported, it lets the window go first."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Wait while the window is at work."""
        if threading.get_ident() == self._thread and not _wanted.is_set():
            turns.give_way()
        return None


def warm_up() -> None:
    """Import the code of panes and forms; may run on any thread, it makes no widget.

    It takes a third of a second of work, and the window goes first between two modules.
    """
    finder = _BetweenModules()
    sys.meta_path.insert(0, finder)
    try:
        for path in _PATHS:
            import_module(f"desktop_crm.views.{path}")
    finally:
        sys.meta_path.remove(finder)


def load(path: str) -> ModuleType:
    """Import what the window needs now; on its thread.

    What is imported beside it may be the same module, half done and waiting for the window: it
    goes on at once.
    """
    if any(isinstance(finder, _BetweenModules) for finder in sys.meta_path):
        _wanted.set()
        turns.end()
    return import_module(path)
