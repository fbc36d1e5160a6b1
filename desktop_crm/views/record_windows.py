"""Opens records in windows of their own; a record that is open already comes to the front."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import shiboken6
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from desktop_crm.views.forms.draft_keeper import DraftKeeper, database_of

if TYPE_CHECKING:
    from desktop_crm.services.form_drafts import FormDraft
    from desktop_crm.views.workbench import Neighbours, Workbench

log = logging.getLogger(__name__)

_GENERIC: Final = "desktop_crm.views.forms.form_dialog:FormDialog"
_CUSTOM: Final[Mapping[str, str]] = {
    "quote": "desktop_crm.views.custom.quote_form:QuoteDialog",
}
"""Entities whose form is more than fields."""

_WRITTEN: Final[Mapping[str, str]] = {
    "mail_message": "desktop_crm.views.mail.compose:ComposeWindow",
}
"""What is written in a window of its own instead of filled in."""


class RecordWindows:
    """The open record windows of one main window.

    Attributes:
        drafts: What is typed into them and not saved yet.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._open: list[QDialog] = []
        self.drafts = DraftKeeper()

    def open(
        self,
        bench: Workbench,
        entity: str,
        record_id: int | None,
        defaults: Mapping[str, Any] | None = None,
        saved: Callable[[int], object] | None = None,
        among: Neighbours | None = None,
    ) -> QDialog:
        """Open the form of a record, or of a new one when no id is given.

        Args:
            bench: The workbench.
            entity: Key of the entity.
            record_id: Key of the record.
            defaults: Field values of a new record.
            saved: Called with the record's id each time it was saved.
            among: The list it was opened from, for next and previous.
        """
        known = self._showing(entity, record_id) if record_id is not None else None
        if known is not None:
            known.raise_()
            known.activateWindow()
            return known
        place = _CUSTOM.get(entity, _GENERIC)
        if record_id is None:
            place = _WRITTEN.get(entity, place)
        path, _colon, name = place.partition(":")
        make = getattr(import_module(path), name)
        dialog: QDialog = make(
            self._parent, entity, bench, record_id=record_id, defaults=defaults, saved=saved,
            among=among,
        )  # fmt: skip
        # Nothing else holds it: a window of its own has no parent.
        self._open.append(dialog)
        if record_id is not None:
            note_viewed(bench, entity, record_id)
        dialog.show()
        return dialog

    def _showing(self, entity: str, record_id: int) -> QDialog | None:
        """The window that shows a record now; a window may have walked on to it."""
        own = (d for d in self._windows() if getattr(d, "shows", None) == (entity, record_id))
        return next(own, None)

    def _windows(self) -> list[QDialog]:
        self._open = [d for d in self._open if shiboken6.isValid(d) and d.isVisible()]
        return list(self._open)

    def in_front(self) -> QDialog | None:
        """The record window a person works in now, also through a dialog over it."""
        known = self._windows()
        window: QWidget | None = QApplication.activeWindow()
        while window is not None and window not in known:
            above = window.parentWidget()
            window = None if above is None else above.window()
        return window if isinstance(window, QDialog) else None

    def shown(self) -> list[QDialog]:
        """Windows that are open now, and dialogs in front of the main window."""
        inner = [dialog for dialog in self._parent.findChildren(QDialog) if dialog.isVisible()]
        return [*self._windows(), *inner]

    def close_all(self) -> bool:
        """Close every window; False when one of them stays because of unsaved changes."""
        return all(dialog.close() for dialog in self.shown())

    def offer_drafts(self, bench: Workbench) -> None:
        """Ask what to do with forms that an earlier run of the program left unsaved."""

        def found(drafts: list[FormDraft]) -> None:
            if drafts and shiboken6.isValid(self._parent):
                from desktop_crm.views.forms.left_drafts import LeftDraftsDialog

                LeftDraftsDialog(self._parent, bench, drafts, self).open()

        bench.tasks.read(
            self.drafts.left_behind,
            database_of(bench),
            bench.actor.login,
            done=found,
            owner=self._parent,
            lane="drafts",
            later=True,
        )


def note_viewed(bench: Workbench, entity: str, record_id: int) -> None:
    """Remember off the UI thread that the person looked at a record, and tell the lists."""
    from desktop_crm.services import viewed

    # A database that cannot be written says so when somebody writes, not for having looked.
    bench.tasks.write(
        viewed.note, bench.actor, entity, record_id, done=bench.bus.publish, failed=_not_noted
    )


def _not_noted(error: Exception) -> None:
    log.info("What was viewed was not noted", exc_info=error)
