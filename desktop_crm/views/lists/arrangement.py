"""How one list stands on the screen: what its view says, and what the person changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from desktop_crm.services.list_layout import PLAIN, ListLayout, from_json, to_json

if TYPE_CHECKING:
    from desktop_crm.services.list_view import ListView
    from desktop_crm.views.workbench import Workbench


class Arrangement:
    """Layout of a view with the person's changes over it, kept on this machine.

    A saved view remembers its changes by itself. The other views of a list share one memory, but
    for what such a view says of its own, e.g. the order of "Recently changed".
    """

    def __init__(self, bench: Workbench, entity_key: str) -> None:
        self._bench = bench
        self._shared = f"list.{entity_key}"
        self._own = ""
        self._saved = False
        self._base = PLAIN
        self._said: frozenset[str] = frozenset()
        self._layout: ListLayout | None = None

    def show(self, view: ListView) -> None:
        """Take the layout of another view."""
        self._own = f"{self._shared}.{view.key}"
        self._saved = view.saved_id is not None
        self._base = view.layout
        plain = to_json(PLAIN)
        said = to_json(view.layout).items()
        self._said = frozenset(key for key, value in said if value != plain[key])
        self._layout = None

    @property
    def layout(self) -> ListLayout:
        """The present layout; one value until something changes."""
        if self._layout is None:
            try:
                self._layout = from_json({**to_json(self._base), **self._changes()})
            except (ValueError, TypeError, AttributeError):
                # Settings written by hand or by another version: the view alone is shown.
                self._layout = self._base
        return self._layout

    @property
    def is_changed(self) -> bool:
        """Whether the person changed what the view itself says."""
        said = to_json(self._base)
        return any(said.get(key) != value for key, value in self._kept(self._own).items())

    @property
    def stands_apart(self) -> bool:
        """Whether the list stands otherwise than its view says, also by what views share."""
        return self.layout != self._base

    def change(self, **values: object) -> None:
        """Remember changes.

        Args:
            values: Parts of the stored form of a layout, e.g. ``columns=["name"]``.
        """
        for memory, keys in self._split(values).items():
            if keys:
                kept = self._kept(memory)
                self._bench.remember(memory, {**kept, **{key: values[key] for key in keys}})
        self._layout = None

    def forget(self) -> None:
        """Drop the person's changes, e.g. once the view itself was saved with them."""
        for memory in (self._own,) if self._saved else (self._own, self._shared):
            if self._kept(memory):
                self._bench.remember(memory, {})
        self._layout = None

    def _changes(self) -> Mapping[str, Any]:
        own = self._kept(self._own)
        if self._saved:
            return own
        shared = {k: v for k, v in self._kept(self._shared).items() if k not in self._said}
        return {**shared, **own}

    def _split(self, values: Mapping[str, object]) -> dict[str, list[str]]:
        if self._saved:
            return {self._own: list(values)}
        own = [key for key in values if key in self._said]
        return {self._own: own, self._shared: [key for key in values if key not in own]}

    def _kept(self, memory: str) -> dict[str, Any]:
        return {k: v for k, v in self._bench.recall(memory).items() if k != "filter"}
