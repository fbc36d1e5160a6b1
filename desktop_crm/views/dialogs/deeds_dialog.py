"""What the user did last, as a list: each step can be taken back, or done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget

from desktop_crm.core.i18n import N_, tr
from desktop_crm.services import deeds, undo
from desktop_crm.services.deeds import Deed, DeedState
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.panes.history_page import SOURCES
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

_STATES: Final = {
    DeedState.DONE: (N_("Done"), "ok"),
    DeedState.TAKEN_BACK: (N_("Undone"), "neutral"),
    DeedState.PARTLY: (N_("Undone in part"), "warn"),
    DeedState.BLOCKED: (N_("Stays"), "warn"),
}


class DeedsDialog(Dialog):
    """The last steps; Enter takes the chosen one back or does it again.

    Attributes:
        table: The steps, the latest first.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench.shell.window_widget(), "deeds", tr("My recent steps"),
            subtitle=tr("A step can be undone as long as nobody has changed its records since."),
            width=820,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self.table = FactTable(
            "deeds.table",
            tr("Steps"),
            (
                Heading(tr("What")),
                Heading(tr("When"), 160),
                Heading(tr("Records"), 90, is_number=True),
                Heading(tr("State"), 130),
            ),
        )
        self.empty = EmptyState(
            "clock", tr("Nothing yet"), tr("What you create, change and delete stands here."),
            name="deeds.empty",
        )  # fmt: skip
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.table)
        self._pages.setMinimumHeight(theme.scaled(360))
        self._was_seen = False
        self._reason = label("", "dim", wrap=True, name="deeds.reason")
        self._act = push_button("deeds.act", tr("Undo"), self.act, kind="primary")
        self.body.addWidget(self._pages, 1)
        self.body.addWidget(self._reason)
        self._redo = push_button("deeds.redo", tr("Redo"), self.redo)
        self.set_foot(self._redo, None, self.cancel_button(tr("Close")), self._act)
        self.table.opened.connect(lambda _deed: self.act())
        self.table.chosen.connect(self._update)
        bench.bus.changed.connect(lambda _changes: self.load())
        self._show([])
        self.load()

    def load(self) -> None:
        """Read the list again."""
        self._bench.tasks.read(
            deeds.deeds, self._bench.actor,
            done=self._show, owner=self, lane="deeds", failed=self.show_error,
        )  # fmt: skip

    def _show(self, found: list[Deed]) -> None:
        formats = self._bench.formats
        facts = []
        for deed in found:
            text, tone = _STATES[deed.state]
            facts.append(
                Fact(
                    (
                        deed_text(deed),
                        formats.datetime(deed.step.at),
                        formats.number(deed.step.count, 0),
                        tr(text),
                    ),
                    deed,
                    icon=icons.entity_icon(deed.step.entity),
                    pill=3,
                    tone=tone,
                    is_dim=deed.state is DeedState.TAKEN_BACK,
                )
            )
        self.table.show_facts(facts)
        self._pages.setCurrentWidget(self.table if found else self.empty)
        if found and not self._was_seen:
            self._was_seen = True
            self.table.setFocus()
        self._update()

    def current(self) -> Deed | None:
        """The chosen step."""
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], Deed) else None

    def _update(self) -> None:
        deed = self.current()
        state = deed.state if deed is not None else None
        texts = {DeedState.TAKEN_BACK: tr("Redo"), DeedState.PARTLY: tr("Undo the rest")}
        self._redo.setVisible(state is DeedState.PARTLY)
        self._act.setText(texts[state] if state in texts else tr("Undo"))
        self._act.setAccessibleName(self._act.text())
        self._act.setEnabled(deed is not None and deed.state is not DeedState.BLOCKED)
        self._reason.setText(deed.reason if deed is not None else "")

    def act(self) -> None:
        """Take the chosen step back, or do it again."""
        deed = self.current()
        if deed is None or deed.state is DeedState.BLOCKED:
            return
        self._run(deed, again=deed.state is DeedState.TAKEN_BACK)

    def redo(self) -> None:
        """Do again what was taken back of a step, where its undo ended in the middle."""
        deed = self.current()
        if deed is not None:
            self._run(deed, again=True)

    def _run(self, deed: Deed, *, again: bool) -> None:
        self._bench.tasks.write(
            undo.redo if again else undo.undo,
            self._bench.actor,
            deed.taken_by if again else deed.step.operation,
            done=self._done, owner=self, failed=self.show_error,
            label=tr("Redo") if again else tr("Undo"),
        )  # fmt: skip

    def _done(self, changes: ChangeSet) -> None:
        self.notice.say(undo.describe(changes))
        self._bench.bus.publish(changes)


def deed_text(deed: Deed) -> str:
    """A step in words: what, which record, and the way in where it was no form."""
    source = tr(SOURCES[deed.source]) if deed.source in SOURCES else ""
    return " · ".join(part for part in (deed.step.text, deed.title, source) if part)
