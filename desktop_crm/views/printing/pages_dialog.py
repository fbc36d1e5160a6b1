"""What every dialog that prints has in common: pages made off the UI thread, then shown."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QRadioButton

from desktop_crm.core.errors import Cancelled
from desktop_crm.core.i18n import tr
from desktop_crm.views.custom.pdf_preview import PdfPreview
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench


class PagesDialog(Dialog):
    """Asks how something shall be printed; subclasses say what is made and take what was."""

    def __init__(self, bench: Workbench, name: str, title: str, subtitle: str) -> None:
        super().__init__(bench.shell.window_widget(), name, title, subtitle=subtitle, width=520)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._task: Task | None = None
        self._cancel = push_button("print.cancel", tr("Cancel"), self._stop_or_close)
        self._show = push_button("print.show", tr("Show the pages"), self.begin, kind="primary")
        self._show.setDefault(True)
        self.set_foot(None, self._cancel, self._show)

    @abstractmethod
    def work(self) -> Callable[..., Any]:
        """What makes the pages, off the UI thread; it takes ``cancel``."""

    @abstractmethod
    def take(self, made: Any) -> None:  # noqa: ANN401  what work() gives
        """Show what was made."""

    def begin(self) -> None:
        """Make the pages off the UI thread."""
        self.notice.say("")
        self._show.setEnabled(False)
        self._cancel.setText(tr("Stop"))
        self._task = self._bench.tasks.background(
            self.work(), done=self._made, failed=self._failed, owner=self,
            label=tr("Printing"), cancellable=True,
        )  # fmt: skip

    def _settle(self) -> None:
        self._task = None
        self._show.setEnabled(True)
        self._cancel.setText(tr("Close"))

    def _made(self, made: Any) -> None:  # noqa: ANN401  what work() gives
        self._settle()
        self.take(made)

    def show_pages(self, title: str, content: bytes) -> None:
        """Open the pages under a title, which is the proposed file name as well."""
        name = f"{title}.pdf".replace("/", "-")
        PdfPreview(self._bench.shell.window_widget(), self._bench, title, name, content).show()

    def _failed(self, error: Exception) -> None:
        self._settle()
        if isinstance(error, Cancelled):
            self.notice.say(tr("Stopped; nothing was printed."), "warn")
        else:
            self.show_error(error)

    def _stop_or_close(self) -> None:
        if self._task is not None:
            self._task.stop()
        else:
            self.reject()


def radio(name: str, text: str) -> QRadioButton:
    """One choice of several."""
    made = QRadioButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text)
    return made
