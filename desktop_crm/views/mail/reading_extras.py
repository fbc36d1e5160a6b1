"""Around the text that is read: blocked pictures, folded quotations, the other messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services.mail import lines
from desktop_crm.views import theme
from desktop_crm.views.charts.line_list import ROW, Line, LineList
from desktop_crm.views.forms.sections import FoldButton
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from desktop_crm.services.mail.lines import MessageRow
    from desktop_crm.views.workbench import Workbench

MEMORY: Final = "mail.pictures"
_SHOWN: Final = 4
_LOW: Final = 780
"""Windows lower than this leave the room to the text that is read."""


class PictureBar(QFrame):
    """Says that pictures of the network are blocked, and offers to show them.

    Attributes:
        wanted: The person wants them; True for always from this sender.
    """

    wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self.setProperty("kind", "info")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.addWidget(Glyph("alert", "info"))
        self._text = label(tr("Pictures of the network are blocked."), wrap=True)
        layout.addWidget(self._text, 1)
        for name, text, always in (
            ("mail.pictures.once", tr("Show once"), False),
            ("mail.pictures.always", tr("Always for this sender"), True),
        ):
            button = push_button(name, text, kind="link")
            button.clicked.connect(lambda _checked=False, always=always: self.wanted.emit(always))
            layout.addWidget(button)
        self.hide()


def trusted_senders(bench: Workbench) -> list[str]:
    """Addresses whose pictures the person wants at once, the latest last."""
    found = bench.recall(MEMORY).get("senders", ())
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def always_shown(bench: Workbench, address: str) -> bool:
    """Whether the person wants the pictures of a sender at once."""
    return bool(address) and address.lower() in trusted_senders(bench)


def show_always(bench: Workbench, address: str) -> None:
    """Remember that the pictures of a sender are wanted at once, on this machine."""
    known = [one for one in trusted_senders(bench) if one != address.lower()]
    bench.remember(MEMORY, {"senders": [*known, address.lower()]})


def block_again(bench: Workbench, addresses: Sequence[str]) -> None:
    """Forget that the pictures of some senders are wanted at once."""
    kept = [one for one in trusted_senders(bench) if one not in addresses]
    bench.remember(MEMORY, {"senders": kept})


class ThreadStrip(QWidget):
    """The messages of a conversation, the newest first; hidden when there is only one.

    On a low window it is folded: its head opens it.

    Attributes:
        opened: the message the person wants to read.
    """

    opened = Signal(object)

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("mailThread")
        self._bench = bench
        self._activity = 0
        self._head = FoldButton("mailThread.head", "")
        self._head.toggled.connect(lambda _on: self._fold())
        self._head.folded.connect(self._choose)
        self._chosen: bool | None = None
        self.list = LineList("mailThread.list", tr("Messages of this conversation"))
        self.list.opened.connect(self._open)
        inside = column(self._head, self.list, spacing=2, margins=(14, 4, 12, 4))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inside)
        self.hide()

    def show_for(self, activity: int | None) -> None:
        """Show the conversation of a message."""
        self._activity = activity or 0
        if activity is None:
            self.hide()
            return
        self._bench.tasks.read(
            lines.conversation, self._bench.actor, activity,
            done=self._show, owner=self, lane="thread", failed=lambda _error: self.hide(),
        )  # fmt: skip

    def _show(self, rows: tuple[MessageRow, ...]) -> None:
        self.setVisible(len(rows) > 1)
        if len(rows) < 2:
            return
        said = ntr("{n} message in all", "{n} messages in this conversation", len(rows))
        self._head.setText(said)
        self._head.setAccessibleName(said)
        formats = self._bench.formats
        self.list.show_lines(
            [
                Line(
                    one.id,
                    title=tr("To: {names}", names=one.correspondent)
                    if one.outgoing
                    else one.correspondent or tr("(unknown)"),
                    subtitle=one.preview,
                    right=formats.relative_day(one.at) if one.at else "",
                    icon="mail" if one.id == self._activity else "arrow_reply",
                )
                for one in rows
            ]
        )
        self.list.setFixedHeight(theme.scaled(ROW) * min(len(rows), _SHOWN) + 4)
        high = self.window().height() >= theme.scaled(_LOW)
        self._head.setChecked(high if self._chosen is None else self._chosen)
        self._fold()
        for number, one in enumerate(rows):
            if one.id == self._activity:
                self.list.setCurrentIndex(self.list.model().index(number, 0))

    def _choose(self, folded: bool) -> None:
        self._chosen = not folded

    def _fold(self) -> None:
        self.list.setVisible(self._head.isChecked())

    def _open(self, line: Line) -> None:
        if line.id is not None and line.id != self._activity:
            self.opened.emit(line.id)
