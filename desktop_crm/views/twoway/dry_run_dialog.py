"""What a synchronisation would do, line by line, before it does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QProgressBar

from desktop_crm.core.errors import Cancelled
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.core.text import fold
from desktop_crm.services.mail import mailbox_kinds, mailboxes
from desktop_crm.sync import scheduler
from desktop_crm.sync.twoway import strikes
from desktop_crm.sync.twoway.lines import (
    KIND_LABELS,
    MESSAGE,
    SIDE_LABELS,
    WHAT_LABELS,
    Consent,
    Line,
)
from desktop_crm.sync.twoway.preview import Seen
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.twoway.conflict_dialog import ConflictDialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row
from desktop_crm.views.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.mail.mailboxes import MailboxRow
    from desktop_crm.sync.results import SyncResult
    from desktop_crm.sync.twoway.preview import Tell
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

_TONES: Final = {
    "create": "ok",
    "change": "info",
    "cancel": "warn",
    "delete": "bad",
    "send": "info",
    "conflict": "warn",
    "refused": "bad",
}
_ICONS: Final = {
    "message": "mail",
    "meeting": "calendar_ltr",
    "task": "task_list_square_ltr",
    "contact": "people",
    "folder": "folder",
}
_WAITS: Final = ("", "")
"""Where it is counted what waits for a word."""

MOST: Final = 5_000
"""Lines beside those of mail that the table shows at once; the filter reaches the others."""


def dry_run(actor: Actor, mailbox: int, cancel: Cancel, tell: Tell) -> SyncResult:
    """A pass that writes nothing; `tell` is told what it finds."""
    return scheduler.sync_once(actor, mailbox, dry_run=True, cancel=cancel, tell=tell)


def carry_out(
    actor: Actor,
    mailbox: int,
    decided: tuple[Sequence[Line], Sequence[Line], Consent],
    cancel: Cancel,
) -> SyncResult:
    """Remember what was struck and allowed, then do the pass."""
    struck, let, consent = decided
    strikes.strike(actor, mailbox, struck)
    strikes.let(actor, mailbox, let)
    return scheduler.sync_once(actor, mailbox, cancel=cancel, consent=consent)


def write_too(actor: Actor, mailbox: int, *, on: bool) -> object:
    """Have the mailbox written to, or only read."""
    return mailboxes.set_two_way(actor, mailbox, on=on)


class DryRunDialog(Dialog):
    """Every line with its reason; Space strikes, Ctrl+Enter does the rest, Esc does nothing.

    Attributes:
        table: the lines.
        finished_pass: the pass was done; tells its result.
    """

    finished_pass = Signal(object)

    def __init__(self, bench: Workbench, box: MailboxRow) -> None:
        super().__init__(
            bench.shell.window_widget(),
            "dryRun",
            tr("What synchronising {mailbox} would do", mailbox=box.name),
            subtitle=tr(
                "Nothing has been changed. Untick what is not to be done; it is not asked again "
                "until it changes."
            ),
            width=980,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench, self._box = bench, box
        self._lines: list[Line] = []
        self._seen = Seen(())
        self._look: Task | None = None
        self._labels = dict((*_labels(WHAT_LABELS), *_labels(SIDE_LABELS)))
        self._others = 0
        self._tally: Counter[tuple[str, str]] = Counter()
        self._ticked: set[str] = set()
        self._told: set[str] = set()
        self.search = SearchBox("dryRun.search", tr("Filter the lines"))
        self.search.searched.connect(lambda _text: self._show())
        self.side = self._choice(
            "dryRun.side", tr("Where"), [("", tr("On both sides")), *_labels(SIDE_LABELS)]
        )
        self.what = self._choice(
            "dryRun.what", tr("What"), [("", tr("Everything")), *_labels(WHAT_LABELS)]
        )
        self.state = label("", "dim", wrap=True, name="dryRun.state")
        self.counts = label("", "dim", wrap=True, name="dryRun.counts")
        self.table = FactTable(
            "dryRun.table",
            tr("What would be done"),
            (
                Heading(tr("Subject")),
                Heading(tr("What"), 130),
                Heading(tr("Where"), 140),
                Heading(tr("Why"), 330),
            ),
            many=True,
        )
        self.table.setMinimumHeight(theme.scaled(250))
        self.search.left.connect(self.table.setFocus)
        self.table.ticked.connect(self._toggle)
        self.table.chosen.connect(self._show_detail)
        self.nothing = label("", "dim", wrap=True, name="dryRun.nothing")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.detail = label("", "", wrap=True, name="dryRun.detail")
        self.tell = QCheckBox()
        self.tell.setObjectName("dryRun.tell")
        self.tell.clicked.connect(self._tell)
        self.both = QCheckBox(tr("Write meetings and tasks made here to the mailbox, too"))
        self.both.setObjectName("dryRun.both")
        self.both.setAccessibleName(self.both.text())
        self.both.setVisible(mailbox_kinds.goes_both_ways(box.kind))
        self.both.clicked.connect(self._write_too)
        self._bar = QProgressBar()
        self._bar.setObjectName("dryRun.progress")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._conflicts = push_button("dryRun.conflicts", tr("Conflicts…"), self._open_conflicts)
        self._go = push_button("dryRun.go", tr("Synchronise now"), self.go, kind="primary")
        self._go.setShortcut("Ctrl+Return")
        self.body.addWidget(row(self.search, self.side, self.what, spacing=8))
        self.body.addWidget(self.counts)
        self.body.addWidget(self.state)
        self.body.addWidget(self._bar)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.nothing)
        self.body.addWidget(self.detail)
        self.body.addWidget(self.tell)
        self.body.addWidget(self.both)
        self.set_foot(self._conflicts, None, self.cancel_button(tr("Do nothing")), self._go)
        for part in (self.detail, self.tell, self.nothing):
            part.hide()
        self.finished.connect(self._stop_look)
        self.table.setFocus()
        self.load()

    def _choice(self, name: str, title: str, entries: Sequence[tuple[str, str]]) -> QComboBox:
        box = QComboBox()
        box.setObjectName(name)
        box.setAccessibleName(title)
        for key, text in entries:
            box.addItem(text, key)
        box.currentIndexChanged.connect(lambda _row: self._show())
        return box

    # --- reading --------------------------------------------------------------------------

    def load(self) -> None:
        """Ask the mailbox what a pass would do; the lines come while it is looked through."""
        self._stop_look()
        self._begin(two_way=self.both.isChecked())
        self._work(True)
        self._look = self._bench.tasks.background(
            partial(dry_run, self._bench.actor, self._box.id),
            done=self._read, failed=self._not_read, owner=self,
            label=tr("Looking what would be done"), cancellable=True, telling=self._take,
        )  # fmt: skip
        self._tell_state()
        self._tell_nothing()

    def _begin(self, *, two_way: bool) -> None:
        self._lines, self._ticked, self._seen = [], set(), Seen(())
        self.both.setChecked(two_way)
        self._conflicts.hide()
        self._show()

    def _stop_look(self) -> None:
        look, self._look = self._look, None
        if look is not None:
            look.cancel()

    def _take(self, seen: Seen) -> None:
        """Show what was found since; what is selected, struck and in sight stays."""
        self._seen = seen
        self._add(seen.lines)
        self.both.setChecked(seen.two_way)
        self.both.setEnabled(True)
        self._go.setEnabled(seen.is_enough)
        self._tell_state()

    def _read(self, result: SyncResult) -> None:
        self._look = None
        (one,) = result.mailboxes
        self._looked()
        if one.problem is not None:
            self.show_error(one.problem)

    def _not_read(self, error: Exception) -> None:
        if isinstance(error, Cancelled) and self._look is None:
            return  # stopped here, for something else
        self._look = None
        self._looked(stopped=isinstance(error, Cancelled))
        if not isinstance(error, Cancelled):
            self.show_error(error)

    def _looked(self, *, stopped: bool = False) -> None:
        self._work(False)
        self._tell_state(stopped=stopped)
        self._tell_nothing()

    def show_lines(self, lines: Sequence[Line], *, two_way: bool) -> None:
        """Show what a pass would do."""
        self._begin(two_way=two_way)
        self._take(Seen(tuple(lines), is_enough=True, two_way=two_way))

    def _failed(self, error: Exception) -> None:
        self._work(False)
        if not isinstance(error, Cancelled):
            self.show_error(error)

    def _work(self, on: bool) -> None:
        self._bar.setVisible(on)
        self._go.setEnabled(self._seen.is_enough and not on)
        self.both.setEnabled(not on)

    def _tell_state(self, *, stopped: bool = False) -> None:
        """Say how far the look is, and whether it need be waited for."""
        seen, number = self._seen, self._bench.formats.number
        count = ntr(
            "{count} message so far", "{count} messages so far", seen.messages,
            count=number(seen.messages, 0),
        )  # fmt: skip
        parts = []
        if self._look is not None and not seen.is_enough:
            parts.append(
                tr("Looking at appointments, tasks and contacts first, then at the newest mail.")
            )
        elif self._look is not None:
            parts.append(
                tr(
                    "{messages}. The look goes on and need not be waited for: “Synchronise now” "
                    "does what is ticked and reads the rest of the mail, too.",
                    messages=count,
                )
            )
        elif stopped:
            parts.append(tr("{messages}. The look was stopped.", messages=count))
        if seen.untold:
            parts.append(
                ntr(
                    "{count} more message is only counted; the newest are listed.",
                    "{count} more messages are only counted; the newest are listed.",
                    seen.untold,
                    count=number(seen.untold, 0),
                )
            )
        self.state.setText(" ".join(parts))
        self.state.setVisible(bool(parts))

    # --- the list -------------------------------------------------------------------------

    def _wanted(self, lines: Sequence[Line]) -> list[Line]:
        text = fold(self.search.text())
        side, what = self.side.currentData(), self.what.currentData()
        return [
            line
            for line in lines
            if side in ("", line.side)
            and what in ("", line.what)
            and (not text or text in fold(f"{line.title} {line.reason}"))
        ]

    def _add(self, lines: Sequence[Line]) -> None:
        """Show more lines below those that are there."""
        self._lines += lines
        self._ticked |= {
            line.key + line.fingerprint
            for line in lines
            if not line.asked and not line.struck and not line.waits
        }
        if any(line.what == "conflict" for line in lines):
            self._conflicts.show()
        self._append(self._wanted(lines))

    def _append(self, found: Sequence[Line]) -> None:
        shown = [line for line in found if self._has_room(line)]
        self.table.add_facts([self._fact(line) for line in shown])
        self._tally += self._tallied(found)
        self._count()
        self._tell_nothing()

    def _show(self) -> None:
        self._others, self._tally = 0, Counter()
        self.table.show_facts(())
        self._append(self._wanted(self._lines))
        self._show_detail()

    def _has_room(self, line: Line) -> bool:
        """Whether a line is shown: mail comes in no larger number than it may."""
        if line.kind == MESSAGE:
            return True
        self._others += 1
        return self._others <= MOST

    def _tell_nothing(self) -> None:
        self.nothing.setText(
            tr("No line has these words.")
            if self._lines
            else tr("There is nothing to do: the mailbox holds nothing that is not here already.")
        )
        looking = self._look is not None and not self._lines
        self.nothing.setVisible(not self.table.facts.facts and not looking)

    def _fact(self, line: Line) -> Fact:
        ticked = self._is_ticked(line)
        return Fact(
            (
                line.title or tr("(no subject)"),
                self._labels[line.what],
                self._labels[line.side],
                line.reason,
            ),
            line,
            icon=_ICONS[line.kind],
            pill=1,
            tone=_TONES[line.what],
            is_dim=not ticked and not line.waits,
            ticked=None if line.waits else ticked,
        )

    def _is_ticked(self, line: Line) -> bool:
        return line.key + line.fingerprint in self._ticked

    def _tallied(self, lines: Sequence[Line]) -> Counter[tuple[str, str]]:
        """What is ticked of some lines, by side and by what is done; and how many wait."""
        return Counter(
            (line.side, line.what) if self._is_ticked(line) else _WAITS
            for line in lines
            if line.asked or self._is_ticked(line)
        )

    def _count(self) -> None:
        number, tally = self._bench.formats.number, self._tally
        parts = []
        for side, title in SIDE_LABELS.items():
            words = [
                f"{tr(WHAT_LABELS[what]).lower()} {number(tally[side, what], 0)}"
                for what in WHAT_LABELS
                if tally[side, what]
            ]
            parts.append(f"{tr(title)}: {', '.join(words) or tr('nothing')}")
        waiting = tally[_WAITS]
        if waiting:
            asked = ntr("{n} waits for your word", "{n} wait for your word", waiting)
            parts.append(asked)
        if self._others > MOST:
            parts.append(tr("the first {n} are shown", n=number(MOST, 0)))
        self.counts.setText("   ·   ".join(parts))

    def _toggle(self, lines: list[Line]) -> None:
        keys = {line.key + line.fingerprint for line in lines if not line.waits}
        self._ticked = self._ticked - keys if keys <= self._ticked else self._ticked | keys
        facts = enumerate(self.table.facts.facts)
        changed = [(n, f.data) for n, f in facts if isinstance(f.data, Line)]
        self.table.facts.change(
            {n: self._fact(line) for n, line in changed if line.key + line.fingerprint in keys}
        )
        self._tally = self._tallied(self._wanted(self._lines))
        self._count()

    def _current(self) -> Line | None:
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], Line) else None

    def _show_detail(self) -> None:
        line = self._current()
        words = [] if line is None else [
            f"{tr(KIND_LABELS[line.kind])} · {line.reason}",
            *(f"{name}: {before} → {after}" for name, before, after in line.changes),
        ]  # fmt: skip
        self.detail.setText("\n".join(words))
        self.detail.setVisible(bool(words))
        people = 0 if line is None or line.waits or line.order is not None else line.people
        self.tell.setVisible(people > 0)
        if line is not None and people:
            text = ntr("Send the change to {n} person", "Send the change to {n} people", people)
            self.tell.setText(text)
            self.tell.setAccessibleName(text)
            self.tell.setChecked(line.fingerprint in self._told)

    def _tell(self, on: bool) -> None:
        line = self._current()
        if line is not None:
            self._told = self._told | {line.fingerprint} if on else self._told - {line.fingerprint}

    # --- deciding -------------------------------------------------------------------------

    def _write_too(self, on: bool) -> None:
        self._stop_look()
        self._work(True)
        self._bench.tasks.write(
            partial(write_too, self._bench.actor, self._box.id, on=on),
            done=self._written, failed=self._failed, owner=self,
        )  # fmt: skip

    def _written(self, changes: object) -> None:
        self._bench.bus.publish(changes)  # type: ignore[arg-type]
        self.load()

    def decision(self) -> tuple[list[Line], list[Line], Consent]:
        """What was struck, what is allowed again, and what was agreed to."""
        usual = [line for line in self._lines if not line.waits]
        struck = [
            line
            for line in usual
            if not line.asked and not line.struck and not self._is_ticked(line)
        ]
        let = [line for line in usual if line.struck and self._is_ticked(line)]
        agreed = frozenset(
            line.fingerprint for line in usual if line.asked and self._is_ticked(line)
        )
        return struck, let, Consent(agreed, frozenset(self._told), reviewed=True)

    def go(self) -> None:
        """Do what is ticked; a look that still goes on is stopped."""
        self._stop_look()
        self._work(True)
        self._tell_state()
        self._bench.tasks.background(
            partial(carry_out, self._bench.actor, self._box.id, self.decision()),
            done=self._done, failed=self._failed, owner=self,
            label=tr("Synchronising"), cancellable=True,
        )  # fmt: skip

    def _done(self, result: SyncResult) -> None:
        self._work(False)
        self._bench.bus.publish(result.changes)
        self.finished_pass.emit(result)
        if result.problem is not None:
            self.show_error(result.problem)
            return
        self.accept()

    def _open_conflicts(self) -> None:
        dialog = ConflictDialog(self._bench, self._box.id)
        dialog.decided.connect(self.load)
        dialog.open()


def _labels(labels: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, tr(text)) for key, text in labels.items()]
