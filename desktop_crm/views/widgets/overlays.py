"""What floats above the window: shadow, toast, progress strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QEnterEvent, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QWidget,
)

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import Elide, label
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from desktop_crm.views.tasks import Task

TOAST_MS: Final = 6_000
TOAST_LONG_MS: Final = 10_000
"""For what can be taken back, and for what went wrong and says what to do."""
UNDO_KEYS: Final = "Ctrl+Z"
_TICK_MS: Final = 200
"""How often a countdown looks at the clock; its seconds then go by evenly."""
_TOAST_WIDTH: Final = 380
_TOAST_WIDE: Final = 560
_MANY_WORDS: Final = 160
_GAP: Final = 8
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


@dataclass(frozen=True, slots=True)
class Countdown:
    """How long something can still be taken back.

    Attributes:
        until: The moment it no longer can, aware.
        says: The sentence for so many seconds left.
    """

    until: datetime
    says: Callable[[int], str]

    @property
    def left(self) -> int:
        """Seconds left, the one that runs counted whole; 0 when it is over."""
        return max(0, math.ceil((self.until - clock.now()).total_seconds()))


class Toast(QFrame):
    """A note at the lower right that goes away by itself; it may offer to take back.

    Args:
        parent: Window it floats over.
        title: Few words.
        text: One sentence more.
        undo: What its button does; None shows no button.
        bad: Whether something went wrong.
        home: Window it moves to when its own is closed before it was read.
        countdown: How long its button means something; the note stays just as long and says so.
        above: A note that stays, which this one must not cover.

    Attributes:
        offers_own_way_back: Its button does something else than undo the last recorded step.
    """

    offers_own_way_back = False

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str = "",
        *,
        undo: Callable[[], object] | None = None,
        bad: bool = False,
        home: QWidget | None = None,
        countdown: Countdown | None = None,
        above: Toast | None = None,
    ) -> None:
        super().__init__(parent)
        self._home = parent if home is None else home
        self._countdown = countdown
        self._above = above
        if countdown is not None:
            text = countdown.says(countdown.left)
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
        self._text = label(text, "dim", wrap=True, name="toast.text") if text else None
        if self._text is not None:
            words.append(self._text)
        layout.addWidget(column(*words, spacing=2), 1)
        self._undo = undo
        if undo is not None:
            self._button = push_button("toast.undo", tr("Undo"), self.take_back, kind="flat")
            self.show_key(meant=True)
            layout.addWidget(self._button)
        layout.addWidget(tool_button("toast.close", tr("Close"), "dismiss", self.dismiss))
        drop_shadow(self, blur=24, down=6)
        self._timer = QTimer(self)
        self._timer.setSingleShot(countdown is None)
        if countdown is None:
            is_long = bad or undo is not None
            self._timer.setInterval(TOAST_LONG_MS if is_long else TOAST_MS)
            self._timer.timeout.connect(self.dismiss)
        else:
            self._timer.setInterval(_TICK_MS)
            self._timer.timeout.connect(self._count)
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

    @property
    def offers_to_take_back(self) -> bool:
        """Whether it has a button for that."""
        return self._undo is not None

    @property
    def is_counting(self) -> bool:
        """Whether it stays until its countdown is over."""
        return self._countdown is not None

    def _count(self) -> None:
        left = self._countdown.left if self._countdown is not None else 0
        if self._countdown is None or left == 0:
            self.dismiss()
        elif self._text is not None:
            self._text.setText(self._countdown.says(left))

    def show_key(self, *, meant: bool) -> None:
        """Say, or no longer say, that the key for undo does what the button does."""
        keys = QKeySequence(UNDO_KEYS).toString(QKeySequence.SequenceFormat.NativeText)
        self._button.setText(f"{tr('Undo')} ({keys})" if meant else tr("Undo"))

    def take_back(self) -> None:
        """Do what its button does."""
        undo = self._undo
        self.dismiss()
        if undo is not None:
            undo()

    def _place(self) -> None:
        room = self._room
        is_long = self._text is not None and len(self._text.text()) > _MANY_WORDS
        wanted = _TOAST_WIDE if is_long else _TOAST_WIDTH
        width = min(wanted, room.width() - 2 * _MARGIN)
        self.setFixedWidth(width)
        self._layout.activate()
        height = max(self._layout.heightForWidth(width), self.sizeHint().height())
        foot = room.height() - (24 if room is self._home else _FOOT) - _MARGIN
        if self._above is not None and shiboken6.isValid(self._above) and self._above.isVisible():
            foot = self._above.y() - _GAP
        self.setGeometry(room.width() - width - _MARGIN, foot - height, width, height)

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
        if not self.is_counting:
            self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.is_counting:
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
