"""Opens records in windows of their own; a record that is open already comes to the front."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import shiboken6
from PySide6.QtWidgets import QDialog, QWidget

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_GENERIC: Final = "desktop_crm.views.forms.form_dialog:FormDialog"
_CUSTOM: Final[Mapping[str, str]] = {
    "quote": "desktop_crm.views.custom.quote_form:QuoteDialog",
}
"""Entities whose form is more than fields."""


class RecordWindows:
    """The open record windows of one main window."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._open: dict[tuple[str, int], QDialog] = {}

    def open(
        self,
        bench: Workbench,
        entity: str,
        record_id: int | None,
        defaults: Mapping[str, Any] | None = None,
        saved: Callable[[int], object] | None = None,
    ) -> QDialog:
        """Open the form of a record, or of a new one when no id is given."""
        if record_id is not None:
            known = self._open.get((entity, record_id))
            if known is not None and shiboken6.isValid(known) and known.isVisible():
                known.raise_()
                known.activateWindow()
                return known
        path, _colon, name = _CUSTOM.get(entity, _GENERIC).partition(":")
        make = getattr(import_module(path), name)
        dialog: QDialog = make(
            self._parent, entity, bench, record_id=record_id, defaults=defaults, saved=saved
        )
        if record_id is not None:
            self._open[entity, record_id] = dialog
        dialog.show()
        return dialog

    def shown(self) -> list[QDialog]:
        """Windows that are open now."""
        self._open = {key: d for key, d in self._open.items() if shiboken6.isValid(d)}
        return [dialog for dialog in self._parent.findChildren(QDialog) if dialog.isVisible()]

    def close_all(self) -> bool:
        """Close every window; False when one of them stays because of unsaved changes."""
        return all(dialog.close() for dialog in self.shown())
