"""Keeps a letter through a crash, as forms are kept: a file of this machine, while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from desktop_crm.core import clock
from desktop_crm.core.identity import new_uid
from desktop_crm.services.form_drafts import FormDraft
from desktop_crm.views.forms.draft_keeper import database_of

if TYPE_CHECKING:
    from desktop_crm.views.mail.written import Written
    from desktop_crm.views.workbench import Workbench

_REST_MS: Final = 800


class DraftFile(QObject):
    """The draft file of one letter.

    Args:
        bench: The workbench; without its drafts nothing is kept.
        owner: The window.
        now: The letter as it stands.
    """

    def __init__(self, bench: Workbench, owner: QObject, now: Callable[[], Written]) -> None:
        super().__init__(owner)
        self._bench = bench
        self._now = now
        self._key = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.write)

    def write_soon(self) -> None:
        """Write when the person pauses."""
        if self._bench.drafts is not None:
            self._rest.start()

    def write(self) -> None:
        """Write down what stands in the window now."""
        keeper = self._bench.drafts
        if keeper is None:
            return
        keeper.hold()
        self._key = self._key or new_uid()
        written = self._now()
        draft = FormDraft(
            self._key,
            keeper.files.session,
            database_of(self._bench),
            self._bench.actor.login,
            "mail_message",
            None,
            0,
            written.subject,
            clock.now().isoformat(),
            written.kept(),
        )
        self._bench.tasks.write(keeper.files.write, draft, owner=self)

    def replaces(self, draft: FormDraft) -> None:
        """The file of an earlier run goes once this letter has one of its own."""
        if self._bench.drafts is not None:
            QTimer.singleShot(_REST_MS, self, self.write)
            files = self._bench.drafts.files
            QTimer.singleShot(2 * _REST_MS, self, lambda: files.remove(draft.key))

    def forget(self) -> None:
        """Nothing is to be kept any more."""
        self._rest.stop()
        if self._key and self._bench.drafts is not None:
            self._bench.drafts.files.remove(self._key)
            self._key = ""
