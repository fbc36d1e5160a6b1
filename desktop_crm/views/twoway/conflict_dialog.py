"""What both sides changed: both values of each field, and a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QRadioButton, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.sync.twoway import conflicts
from desktop_crm.sync.twoway.conflicts import Conflict, Values
from desktop_crm.sync.twoway.lines import KIND_LABELS
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Card, EmptyState
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import clear, row

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench


_LONGEST: Final = 44
"""Characters of a value that are shown; the rest is in the tip."""


class _Choice(QWidget):
    """One field: its name and the two values, of which one is chosen."""

    changed = Signal()

    def __init__(self, name: str, values: Values) -> None:
        super().__init__()
        self.field = values.field
        self.mine: bool | None = None
        caption = label(values.label, "h3")
        caption.setFixedWidth(theme.scaled(130))
        self._here = self._button(f"{name}.mine", tr("Here: {value}", value=values.mine))
        self._there = self._button(f"{name}.theirs", tr("Mailbox: {value}", value=values.theirs))
        self._here.toggled.connect(lambda on: self._chose(True) if on else None)
        self._there.toggled.connect(lambda on: self._chose(False) if on else None)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.addWidget(row(caption, self._here, self._there, spacing=8))

    @staticmethod
    def _button(name: str, text: str) -> QRadioButton:
        shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        button = QRadioButton(shown.replace("\n", " ").replace("&", "&&"))
        button.setObjectName(name)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setMinimumWidth(theme.scaled(300))
        return button

    def choose(self, mine: bool) -> None:
        """Take one of the values."""
        (self._here if mine else self._there).setChecked(True)

    def _chose(self, mine: bool) -> None:
        self.mine = mine
        self.changed.emit()


class ConflictDialog(Dialog):
    """Everything that waits for a choice; what is not chosen goes on waiting.

    Attributes:
        decided: choices were kept; the next pass writes them.
    """

    decided = Signal()

    def __init__(self, bench: Workbench, mailbox: int | None = None) -> None:
        super().__init__(
            bench.shell.window_widget(),
            "conflicts",
            tr("Changed on both sides"),
            subtitle=tr(
                "Nothing was overwritten. Choose the value that stays; the next synchronisation "
                "writes it to the other side."
            ),
            width=860,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench, self._mailbox = bench, mailbox
        self._choices: list[tuple[Conflict, list[_Choice]]] = []
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 8, 0)
        self._rows.setSpacing(12)
        inside = QWidget()
        inside.setObjectName("scrollbody")
        inside.setLayout(self._rows)
        area = QScrollArea()
        area.setObjectName("conflicts.list")
        area.setAccessibleName(tr("Conflicts"))
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        area.setMinimumHeight(theme.scaled(320))
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.addWidget(area, 1)
        self._mine = push_button("conflicts.mine", tr("All as here"), lambda: self._all(True))
        self._theirs = push_button(
            "conflicts.theirs", tr("All as in the mailbox"), lambda: self._all(False)
        )
        self._keep = push_button("conflicts.keep", tr("Keep choices"), self.keep, kind="primary")
        self._keep.setShortcut("Ctrl+Return")
        self.set_foot(self._mine, self._theirs, None, self.cancel_button(tr("Close")), self._keep)
        self.load()

    def load(self) -> None:
        """Read what waits."""
        self._bench.tasks.read(
            conflicts.open_conflicts, self._bench.actor, self._mailbox,
            done=self.show_conflicts, failed=self.show_error, owner=self, lane="conflicts",
        )  # fmt: skip

    def show_conflicts(self, found: Sequence[Conflict]) -> None:
        """Show what waits for a choice."""
        clear(self._rows)
        self._choices = []
        for number, conflict in enumerate(found):
            title = f"{tr(KIND_LABELS[conflict.kind.value])}: {conflict.title}"
            card = Card(title, name=f"conflicts.{number}")
            fields = []
            for values in conflict.values:
                choice = _Choice(f"conflicts.{number}.{values.field}", values)
                choice.changed.connect(self._update)
                fields.append(choice)
                card.body.addWidget(choice)
            self._choices.append((conflict, fields))
            self._rows.addWidget(card)
        if not found:
            self._rows.addWidget(
                EmptyState(
                    "checkmark", tr("Nothing to decide"),
                    tr("Both sides say the same, or only one of them changed."),
                    name="conflicts.empty",
                )
            )  # fmt: skip
        self._rows.addStretch(1)
        for button in (self._mine, self._theirs):
            button.setEnabled(bool(found))
        self._update()

    def _all(self, mine: bool) -> None:
        for _, fields in self._choices:
            for choice in fields:
                choice.choose(mine)

    def _update(self) -> None:
        chosen = any(c.mine is not None for _, fields in self._choices for c in fields)
        self._keep.setEnabled(chosen)

    def keep(self) -> None:
        """Keep what was chosen."""
        wanted = [
            (conflict, choice)
            for conflict, fields in self._choices
            if (choice := {c.field: c.mine for c in fields if c.mine is not None})
        ]
        self._bench.tasks.write(
            self._store, wanted, done=self._kept, failed=self.show_error, owner=self
        )

    def _store(self, wanted: Sequence[tuple[Conflict, Mapping[str, bool]]]) -> int:
        for conflict, choice in wanted:
            conflicts.choose(self._bench.actor, conflict, choice)
        return len(wanted)

    def _kept(self, count: int) -> None:
        self.notice.say(tr("Kept. The next synchronisation writes it."))
        self.decided.emit()
        self.load()
