"""Files dragged or pasted from elsewhere: mail, meetings and contact cards become records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

from desktop_crm.core.i18n import ntr, tr

if TYPE_CHECKING:
    from desktop_crm.sync.taking_in import Taken
    from desktop_crm.views.workbench import Workbench

_TAKEN: Final = frozenset({".eml", ".msg", ".ics", ".pst"})
CARD: Final = ".vcf"
_TOLD: Final = 3
"""Files a note names; of the others it tells how many there are."""


def files_of(data: QMimeData) -> list[Path]:
    """Files that become records."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in _TAKEN | {CARD}]


class DropTaker(QObject):
    """Takes such files wherever they are dropped or pasted on a widget.

    Args:
        widget: Where they may be dropped.
        bench: The workbench.
        regarding: Records they then belong to.
    """

    def __init__(
        self,
        widget: QWidget,
        bench: Workbench,
        regarding: Callable[[], Sequence[tuple[str, int]]] = tuple,
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._bench = bench
        self._regarding = regarding
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent | QDragMoveEvent | QDropEvent):
            paths = files_of(event.mimeData())
            if not paths:
                return False
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self.take(paths)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if not event.matches(QKeySequence.StandardKey.Paste):
                return False
            paths = files_of(QApplication.clipboard().mimeData())
            if paths:
                self.take(paths)
            return bool(paths)
        return False

    def take(self, paths: Sequence[Path]) -> None:
        """Take files in; cards open in the form for business cards or in the import."""
        from desktop_crm.sync import taking_in

        cards = [path for path in paths if path.suffix.lower() == CARD]
        others = [path for path in paths if path not in cards]
        if others and self._bench.actor.can("activity", "create"):
            taken = taking_in.Taken()
            self._bench.tasks.background(
                taking_in.take_in, self._bench.actor, others, list(self._regarding()), taken,
                done=self._taken, owner=self, failed=partial(self._failed, taken),
                label=tr("Taking in the files"), cancellable=True, progressing=True,
            )  # fmt: skip
        for path in cards:
            self._take_card(path)

    def _failed(self, taken: Taken, error: Exception) -> None:
        """What came in before it ended stays; it is told, and can be taken back."""
        if taken.created or taken.known:
            self._taken(taken)
        self._bench.shell.show_error(error)

    def _taken(self, taken: Taken) -> None:
        bench = self._bench
        bench.bus.publish(taken.changes)
        new, known = len(taken.created), len(taken.known)
        said = []
        if new:
            said.append(ntr("{n} item taken in", "{n} items taken in", new))
        if known:
            said.append(ntr("{n} was here already", "{n} were here already", known))
        notes = [
            tr("Not taken in: {name}. {reason}", name=name, reason=reason)
            for name, reason in taken.refused
        ]
        notes += [f"{name}: {remark}" for name, remark in taken.remarked]
        said += notes[:_TOLD]
        more = len(notes) - _TOLD
        if more > 0:
            said.append(ntr("… and {n} more", "… and {n} more", more))
        take_back = partial(self._take_back, list(taken.created)) if new else None
        bench.shell.toast(
            tr("Files taken in") if new or known else tr("Nothing was taken in"),
            "\n".join(said), bad=not (new or known), take_back=take_back,
        )  # fmt: skip

    def _take_back(self, activities: list[int]) -> None:
        from desktop_crm.services import records

        self._bench.tasks.write(
            records.delete, self._bench.actor, "activity", activities,
            done=self._bench.bus.publish, owner=self, failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _take_card(self, path: Path) -> None:
        self._bench.tasks.read(
            _card_text, path, done=partial(self._open_card, path), owner=self,
            failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _open_card(self, path: Path, text: str) -> None:
        from desktop_crm.services import contact_text
        from desktop_crm.views.dialogs.business_card import open_business_card
        from desktop_crm.views.dialogs.import_wizard import ImportWizard

        window = self._bench.shell.window_widget()
        if text:
            open_business_card(self._bench, window).fill(contact_text.read(text))
        else:
            wizard = ImportWizard(window, self._bench, "contact")
            wizard.path.setText(str(path))
            wizard.open()


def _card_text(path: Path) -> str:
    """The one card of a file as text; empty when the file holds several."""
    from desktop_crm.services.imports import encoding

    data = path.read_bytes()
    text = data.decode(encoding.detect(data), errors="replace")
    return text if text.upper().count("BEGIN:VCARD") == 1 else ""
