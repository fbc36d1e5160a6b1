"""Shows an error in the way its kind asks for: a note, a question to try again, a report."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

import desktop_crm
from desktop_crm.core.errors import Cancelled, CrmError, EnvironmentProblem
from desktop_crm.core.i18n import tr
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import frame, row

log = logging.getLogger(__name__)


class MessageDialog(QDialog):
    """A title, one sentence, optionally a report, and buttons; Esc is the safe answer.

    Attributes:
        chosen: Name of the button that closed it; empty after Esc.
    """

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        text: str,
        buttons: tuple[tuple[str, str, str], ...],
        *,
        report: str = "",
        drawing: str = "question_circle",
        tint: str = "info",
    ) -> None:
        """Build the dialog.

        Args:
            parent: Window above which it opens.
            title: Few words.
            text: What happened, what was kept, what to do.
            buttons: (name, text, kind) from left to right; the last one is the default.
            report: Technical detail that can be copied.
            drawing: Icon.
            tint: Colour token of the icon.
        """
        super().__init__(parent)
        self.setObjectName("message")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setMinimumWidth(440)
        self.chosen = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        words = QVBoxLayout()
        words.setSpacing(8)
        words.addWidget(label(title, "h2", wrap=True, name="message.title"))
        sentence = label(text, wrap=True, name="message.text")
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        sentence.setMinimumWidth(360)
        words.addWidget(sentence)
        if report:
            self._report = QPlainTextEdit(report)
            self._report.setObjectName("message.report")
            self._report.setAccessibleName(tr("Report"))
            self._report.setReadOnly(True)
            self._report.setMinimumSize(560, 220)
            words.addWidget(self._report)
        words.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.setContentsMargins(24, 20, 24, 20)
        head.setSpacing(14)
        head.addWidget(Glyph(drawing, tint, 24), 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        layout.addLayout(head, 1)
        made = [
            push_button(f"message.{name}", shown, self._closer(name), kind=kind)
            for name, shown, kind in buttons
        ]
        made[-1].setDefault(True)
        foot = frame("dialogfoot", row(None, *made, spacing=8, margins=(24, 12, 24, 12)))
        layout.addWidget(foot)
        made[-1].setFocus()

    def _closer(self, name: str) -> Callable[[], None]:
        def close() -> None:
            self.chosen = name
            self.accept()

        return close


def ask(
    parent: QWidget | None,
    title: str,
    text: str,
    buttons: tuple[tuple[str, str, str], ...],
) -> str:
    """Ask a question and wait; the answer is the name of a button, empty after Esc.

    Args:
        parent: Window above which it opens.
        title: Few words.
        text: The question and what the answers do.
        buttons: (name, text, kind); the last one is the default.
    """
    dialog = MessageDialog(parent, title, text, buttons)
    dialog.exec()
    chosen = dialog.chosen
    dialog.deleteLater()
    return chosen


def report_of(error: BaseException) -> str:
    """What a bug report needs: versions and the trace; no data, no names of people."""
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return (
        f"Desktop CRM {desktop_crm.__version__}\n"
        f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()} "
        f"{platform.release()}\n\n{trace}"
    )


class ErrorPresenter(QObject):
    """Shows errors above a window; the same sentence is not shown twice in one second.

    Args:
        window: Parent of the dialogs.
        note: Shows a short note that goes away (title, text).
    """

    _from_thread = Signal(object)

    def __init__(self, window: QWidget, note: Callable[[str, str], None]) -> None:
        super().__init__(window)
        self._window = window
        self._note = note
        self._recent: set[str] = set()
        self._open: list[QDialog] = []
        self._from_thread.connect(self.show, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def show(self, error: Exception, retry: Callable[[], None] | None = None) -> None:
        """Show an error: a note, a dialog with "Try again", or a report of a bug."""
        if isinstance(error, Cancelled):
            return
        app = QApplication.instance()
        if app is not None and QThread.currentThread() is not app.thread():
            self._from_thread.emit(error)
            return
        sentence = str(error)
        if sentence in self._recent:
            return
        self._recent.add(sentence)
        QTimer.singleShot(1000, self, lambda: self._recent.discard(sentence))
        if isinstance(error, EnvironmentProblem):
            self._show_environment(error, retry)
        elif isinstance(error, CrmError):
            log.info("Shown to the user: %s", error.template)
            self._note(tr("That did not work"), sentence)
        else:
            self._show_bug(error)

    def _show_environment(
        self, error: EnvironmentProblem, retry: Callable[[], None] | None
    ) -> None:
        log.warning("Environment problem", exc_info=error)
        buttons: tuple[tuple[str, str, str], ...] = (("close", tr("Close"), ""),)
        if retry is not None and error.retryable:
            buttons = (*buttons, ("retry", tr("Try again"), "primary"))
        dialog = MessageDialog(
            self._window,
            tr("That did not work"),
            str(error),
            buttons,
            drawing="flag",
            tint="bad",
        )
        self._open_dialog(dialog, {"retry": retry} if retry else {})

    def _show_bug(self, error: Exception) -> None:
        log.error("Unexpected error", exc_info=error)
        report = report_of(error)
        dialog = MessageDialog(
            self._window,
            tr("Unexpected error"),
            tr(
                "Something happened that the program was not prepared for. What you saved "
                "before is kept. You can go on working; the report below helps to mend it."
            ),
            (("copy", tr("Copy report"), ""), ("close", tr("Close"), "primary")),
            report=report,
            drawing="flag",
            tint="bad",
        )
        self._open_dialog(dialog, {"copy": lambda: QGuiApplication.clipboard().setText(report)})

    def _open_dialog(self, dialog: MessageDialog, answers: dict[str, Callable[[], None]]) -> None:
        """Open without blocking, so that errors of threads never nest event loops."""
        self._open.append(dialog)

        def closed() -> None:
            if dialog not in self._open:
                return
            self._open.remove(dialog)
            answer = answers.get(dialog.chosen)
            dialog.deleteLater()
            if answer is not None:
                answer()

        dialog.finished.connect(lambda _result: closed())
        dialog.open()

    def install(self) -> None:
        """Take over what nobody caught, in slots and event handlers too."""
        sys.excepthook = self._uncaught

    def _uncaught(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        self.show(error.with_traceback(trace))
