"""Notices what administrators change about fields, choices and forms, here and elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Slot

from desktop_crm.core.i18n import tr

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

_EVERY_MS: Final = 30_000


class DefinitionsWatch(QObject):
    """Asks every half minute, off the UI thread, whether another program changed definitions.

    News go over the bus like every change, so that views need to know one way only. An
    administrator's window also looks through older records after a field became searched.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._bench: Workbench | None = None
        self._folding: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setObjectName("definitionsWatch")
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.check)

    def start(self, bench: Workbench) -> None:
        """Watch the database of a workbench."""
        if self._bench is None:
            bench.bus.changed.connect(self._news)
        self._bench = bench
        self._timer.start()
        self._fold()

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.stop()

    @Slot()
    def check(self) -> None:
        """Ask now; costs one statement on a reader's thread."""
        if self._bench is None:
            return
        from desktop_crm.services.customizing import definitions

        self._bench.tasks.read(
            definitions.load,
            self._bench.actor.db,
            done=self._checked,
            failed=lambda _error: None,  # said by whatever the person does next
            owner=self,
            lane="definitions",
        )

    def _checked(self, changed: bool) -> None:
        if changed and self._bench is not None:
            from desktop_crm.services.customizing import definitions

            self._bench.bus.publish(definitions.NEWS)

    @Slot(object)
    def _news(self, changes: ChangeSet) -> None:
        from desktop_crm.services.customizing import definitions

        if changes.touches(*definitions.OWN):
            self._fold()

    def _fold(self) -> None:
        from desktop_crm.services.customizing import definitions

        bench = self._bench
        waiting = definitions.unfolded() - self._folding
        if bench is None or not waiting or not bench.actor.is_admin:
            return
        from desktop_crm.services.customizing import fields

        for entity in waiting:
            self._folding.add(entity)
            bench.tasks.background(
                fields.refold,
                bench.actor,
                entity,
                done=partial(self._folded, entity),
                failed=partial(self._folded, entity),
                owner=self,
                label=tr("Making older records searchable"),
                cancellable=True,
                progressing=True,
            )

    def _folded(self, entity: str, _result: object) -> None:
        # Stopped or failed: it goes on with the next news, or when the window opens again.
        self._folding.discard(entity)
