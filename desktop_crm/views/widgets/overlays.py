"""What floats above the window: shadow, toast, progress strip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import Elide, label
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from desktop_crm.views.tasks import Task

TOAST_MS: Final = 6_000
TOAST_UNDO_MS: Final = 10_000
_TOAST_WIDTH: Final = 380
_MARGIN: Final = 24
_FOOT: Final = 48
"""Height of the buttons of a record's window, which a note never covers."""


def drop_shadow(widget: QWidget, *, blur: int = 36, down: int = 10) -> None:
    """Give an overlay its shadow; never use it on whole panes, which it makes slow."""
    effect = QGraphicsDropShadowEffect(widget)
    effect.setBlurRadius(blur)
    effect.setOffset(0, down)
    effect.setColor(theme.color("shadow"))
    widget.setGraphicsEffect(effect)


class Toast(QFrame):
    """A note at the lower right that goes away by itself; it may offer to take back.

    Args:
        parent: Window it floats over.
        title: Few words.
        text: One sentence more.
        undo: What its button does; None shows no button.
        bad: Whether something went wrong.
        home: Window it moves to when its own is closed before it was read.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str = "",
        *,
        undo: Callable[[], object] | None = None,
        bad: bool = False,
        home: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._home = parent if home is None else home
        self.setObjectName("toast")
        self.setAccessibleName(f"{title}. {text}".strip())
        self.setProperty("kind", "bad" if bad else "ok")
        self._room = parent
        layout = self._layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 10, 8, 10)
        layout.setSpacing(10)
        glyph = Glyph("flag", "bad") if bad else Glyph("checkmark_circle", "ok")
        side = Qt.AlignmentFlag.AlignTop if text else Qt.AlignmentFlag.AlignVCenter
        layout.addWidget(glyph, 0, side)
        words: list[QWidget] = [label(title, "strong", wrap=True, name="toast.title")]
        if text:
            words.append(label(text, "dim", wrap=True, name="toast.text"))
        layout.addWidget(column(*words, spacing=2), 1)
        self._undo = undo
        if undo is not None:
            layout.addWidget(push_button("toast.undo", tr("Undo"), self._take_back, kind="flat"))
        layout.addWidget(tool_button("toast.close", tr("Close"), "dismiss", self.dismiss))
        drop_shadow(self, blur=24, down=6)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TOAST_MS if undo is None else TOAST_UNDO_MS)
        self._timer.timeout.connect(self.dismiss)
        self._timer.start()
        parent.installEventFilter(self)
        self._place()
        self.show()
        self.raise_()

    def dismiss(self) -> None:
        """Take the note away."""
        self._timer.stop()
        self.hide()
        self.deleteLater()

    def _take_back(self) -> None:
        undo = self._undo
        self.dismiss()
        if undo is not None:
            undo()

    def _place(self) -> None:
        room = self._room
        width = min(_TOAST_WIDTH, room.width() - 2 * _MARGIN)
        self.setFixedWidth(width)
        self._layout.activate()
        height = max(self._layout.heightForWidth(width), self.sizeHint().height())
        below = (24 if room is self._home else _FOOT) + _MARGIN
        self.setGeometry(
            room.width() - width - _MARGIN, room.height() - height - below, width, height
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._room:
            if event.type() == QEvent.Type.Resize:
                self._place()
            elif event.type() == QEvent.Type.Hide and self._room is not self._home:
                self._go_home()
        return False

    def _go_home(self) -> None:
        """Go on in the window that stays."""
        if not self._timer.isActive():
            return
        self._room.removeEventFilter(self)
        self._room = self._home
        self.setParent(self._home)
        self._home.installEventFilter(self)
        self._place()
        self.show()
        self.raise_()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.start()
        super().leaveEvent(event)


class ProgressStrip(QWidget):
    """What is being worked on, with a bar and a button that stops it; hidden while idle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("progress")
        self.setAccessibleName(tr("Progress"))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(8)
        self._text = Elide("", "cap")
        self._text.setMaximumWidth(260)
        self._bar = QProgressBar()
        self._bar.setObjectName("progress.bar")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(120)
        self._stop = push_button("progress.stop", tr("Stop"), self._cancel, kind="link")
        layout.addWidget(self._text)
        layout.addWidget(self._bar)
        layout.addWidget(self._stop)
        self._tasks: Sequence[Task] = ()
        self.hide()

    def show_tasks(self, tasks: Sequence[Task]) -> None:
        """Show the slow tasks, the first by name; none hides the strip."""
        self._tasks = tasks
        if not tasks:
            self.hide()
            return
        first = tasks[0]
        done, total = first.progress
        self._text.setText(first.label)
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._stop.setVisible(any(task.cancellable for task in tasks))
        self.show()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
