"""The pages of the settings: appearance, one record, a short list, the mailboxes, the database."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core import clock, i18n
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.meta.field import Tone
from desktop_crm.models.mail import MailboxKind, SignInBy
from desktop_crm.services import databases, query, records
from desktop_crm.services.mail import mailbox_kinds, mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.services.query import RecordQuery
from desktop_crm.sync import policy_review, scheduler
from desktop_crm.views import theme
from desktop_crm.views.dialogs import database
from desktop_crm.views.dialogs.dialog import Labelled
from desktop_crm.views.forms.editing import RecordEditing
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.mailbox import state
from desktop_crm.views.mailbox.steps import StepList
from desktop_crm.views.panes.mailbox_work import MailboxWork
from desktop_crm.views.theme import Theme
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState, Glyph, Notice
from desktop_crm.views.widgets.flow import Flow
from desktop_crm.views.widgets.labels import Elide, Pill, label
from desktop_crm.views.widgets.layout import clear, row, separator

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.sync.policy_review import LeftOut
    from desktop_crm.sync.port import Step
    from desktop_crm.views.workbench import Workbench

THEMES = (
    (Theme.SYSTEM, N_("Like the system")),
    (Theme.LIGHT, N_("Light")),
    (Theme.DARK, N_("Dark")),
    (Theme.CONTRAST, N_("High contrast")),
)
SIZES = (90, 100, 110, 120, 130)


class SettingsPage(QFrame):
    """One page: a title, a sentence, and what can be set."""

    def __init__(self, bench: Workbench, name: str, title: str, text: str = "") -> None:
        super().__init__()
        self.setObjectName("listpane")
        self.bench = bench
        self.name = name
        self.head = QHBoxLayout()
        self.head.setContentsMargins(24, 18, 16, 4)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.title = label(title, "h1")
        words.addWidget(self.title)
        sentence = label(text, "dim", wrap=True)
        words.addWidget(sentence)
        self.head.addLayout(words, 1)
        self.notice = Notice()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(1, 1, 1, 1)
        self.column.setSpacing(6)
        self.column.addLayout(self.head)
        sentence.setVisible(bool(text))
        self.column.addWidget(row(self.notice, margins=(24, 0, 24, 0)))

    def load(self) -> None:
        """Read what is shown."""

    def may_leave(self) -> bool:
        """Whether nothing would be lost."""
        return True


class AppearancePage(SettingsPage):
    """Language, theme and text size; each takes effect at once."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench, "appearance", tr("Appearance"), tr("Changes take effect at once, here only.")
        )
        settings = bench.settings
        self.language = QuietCombo()
        self.language.setObjectName("settings.language")
        self.language.addItem(tr("Like the system"), "system")
        for code, name in i18n.LANGUAGES.items():
            self.language.addItem(name, code)
        self.language.setCurrentIndex(max(0, self.language.findData(settings.language)))
        self.language.activated.connect(lambda _index: self._apply())
        self.language.setMaximumWidth(theme.scaled(280))
        self._themes = QButtonGroup(self)
        buttons: list[QWidget | None] = []
        for choice, text in THEMES:
            button = QRadioButton(tr(text))
            button.setObjectName(f"settings.theme.{choice.value}")
            button.setAccessibleName(tr(text))
            button.setProperty("choice", choice.value)
            button.setChecked(settings.theme == choice.value)
            button.clicked.connect(lambda _checked=False: self._apply())
            self._themes.addButton(button)
            buttons.append(button)
        self.text_size = QSlider(Qt.Orientation.Horizontal)
        self.text_size.setObjectName("settings.textSize")
        self.text_size.setAccessibleName(tr("Text size"))
        self.text_size.setRange(0, len(SIZES) - 1)
        self.text_size.setPageStep(1)
        self.text_size.setFixedWidth(theme.scaled(240))
        nearest = min(SIZES, key=lambda size: abs(size - settings.text_size))
        self.text_size.setValue(SIZES.index(nearest))
        self._percent = QLabel(bench.formats.percent(Decimal(nearest)))
        self.text_size.valueChanged.connect(self._size_moved)
        self.text_size.sliderReleased.connect(self._apply)
        body = QVBoxLayout()
        body.setContentsMargins(24, 12, 24, 24)
        body.setSpacing(22)
        body.addWidget(Labelled(tr("Language"), self.language))
        themes = row(*buttons, None, spacing=20)
        themes.setAccessibleName(tr("Theme"))
        body.addWidget(Labelled(tr("Theme"), themes))
        size = row(self.text_size, self._percent, None, spacing=12)
        size.setAccessibleName(tr("Text size"))
        body.addWidget(Labelled(tr("Text size"), size))
        body.addStretch(1)
        self.column.addLayout(body, 1)

    def _size_moved(self, place: int) -> None:
        """By keyboard each step counts; under the mouse only where it is let go."""
        self._percent.setText(self.bench.formats.percent(Decimal(SIZES[place])))
        if not self.text_size.isSliderDown():
            self._apply()

    def _apply(self) -> None:
        settings = self.bench.settings
        chosen = self._themes.checkedButton()
        wanted = (
            str(self.language.currentData()),
            str(chosen.property("choice")) if chosen is not None else settings.theme,
            SIZES[self.text_size.value()],
        )
        if wanted == (settings.language, settings.theme, settings.text_size):
            return
        settings.language, settings.theme, settings.text_size = wanted
        self.bench.shell.settings_changed()
        self.bench.shell.restart_workspace()


def first_id(actor: Actor, entity: str) -> int | None:
    """The first record of an entity, None when there is none."""
    found = query.first_page(actor, RecordQuery(entity, ("id",)), 1)
    return found[0].id if found else None


class RecordPage(SettingsPage):
    """The form of one record with a button to save: me, or my company."""

    def __init__(
        self,
        bench: Workbench,
        name: str,
        title: str,
        text: str,
        entity: str,
        record: Callable[[Actor], int | None],
    ) -> None:
        super().__init__(bench, name, title, text)
        self._entity = entity
        self._record = record
        self.form = RecordForm(entity, bench)
        self.editing = RecordEditing(self.form, self.notice, bench)
        self.editing.busy_changed.connect(lambda _busy: self._update())
        self.editing.loaded.connect(lambda _record: self._update())
        self.form.dirty_changed.connect(lambda _dirty: self._update())
        self.save_button = push_button(
            f"settings.{name}.save", tr("Save"), self._save, kind="primary"
        )
        self.revert_button = push_button(f"settings.{name}.revert", tr("Discard"), self._revert)
        self.head.addWidget(self.revert_button, 0, Qt.AlignmentFlag.AlignTop)
        self.head.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addWidget(self.form, 1)
        self._update()

    def load(self) -> None:
        if self.form.is_dirty:
            return
        self.bench.tasks.read(
            self._record, self.bench.actor, done=self._open, owner=self, lane="record"
        )

    def _open(self, record_id: int | None) -> None:
        if record_id is None:
            if self.bench.actor.can(self._entity, "create"):
                self.editing.open_new({})
        else:
            self.editing.open(record_id)

    def _update(self) -> None:
        ready = self.form.is_dirty and not self.editing.is_busy
        self.save_button.setEnabled(ready)
        self.revert_button.setEnabled(ready)

    def _save(self) -> None:
        self.editing.save(self._saved)

    def _saved(self, record_id: int) -> None:
        self.bench.shell.toast(tr("Saved"), self.title.text(), undo=True)
        self.editing.open(record_id)

    def _revert(self) -> None:
        self.form.settle()
        self.load()

    def may_leave(self) -> bool:
        return self.editing.may_leave()


class MailboxCard(QFrame):
    """One mailbox with its state and what can be done with it."""

    def __init__(self, box: MailboxRow, bench: Workbench, work: MailboxWork) -> None:
        super().__init__()
        self.setObjectName(f"mailbox.{box.id}")
        self.setProperty("kpi", True)
        self._box = box
        self._bench = bench
        self._work = work
        self._pill = Pill("", "neutral")
        kind = tr(MailboxKind(box.kind).label)
        where = box.path or box.server or box.tenant
        self._sentence = label("", "dim", wrap=True, name=f"mailbox.{box.id}.message")
        self._mend = push_button(
            f"mailbox.{box.id}.mend", "", partial(work.mend, box), kind="primary"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(6)
        column.addWidget(
            row(Glyph("mail", "accent_text"), label(box.name, "h2"), self._pill, None, spacing=10)
        )
        column.addWidget(Elide(f"{box.address}  ·  {kind}", "dim"))
        column.addWidget(Elide(where, "cap", mode=Qt.TextElideMode.ElideMiddle))
        column.addWidget(self._sentence)
        self._mend_line = row(self._mend, None)
        column.addWidget(self._mend_line)
        self.steps = StepList()
        column.addWidget(self.steps)
        self._sync = push_button(
            f"mailbox.{box.id}.sync", tr("Synchronise now"), partial(work.sync, box.id),
            drawing="arrow_sync",
        )  # fmt: skip
        work.passes.changed.connect(self.show_state)
        self.show_state()
        buttons: list[QWidget | None] = [
            self._sync,
            push_button(
                f"mailbox.{box.id}.dryRun", tr("Preview…"), partial(work.preview, box)
            ),
            push_button(f"mailbox.{box.id}.test", tr("Test"), self._test),
        ]  # fmt: skip
        if box.kind in mailbox_kinds.PROTECTED and box.sign_in != SignInBy.SYSTEM.value:
            buttons.append(
                push_button(
                    f"mailbox.{box.id}.password", tr("Password…"),
                    partial(work.enter_password, box),
                )
            )  # fmt: skip
        if box.kind == MailboxKind.GRAPH.value:
            buttons.append(
                push_button(
                    f"mailbox.{box.id}.signIn", tr("Sign in…"), partial(work.sign_in, box)
                )
            )  # fmt: skip
        buttons.append(
            push_button(
                f"mailbox.{box.id}.edit", tr("Edit…"),
                partial(bench.shell.open_record, "mailbox", box.id),
            )
        )  # fmt: skip
        private = [
            push_button(
                f"mailbox.{box.id}.colleagues", tr("What colleagues see…"),
                partial(work.privacy.of_mailbox, box),
            ),
            push_button(
                f"mailbox.{box.id}.withdraw", tr("Withdraw…"),
                partial(work.privacy.withdraw_of, box),
            ),
        ]  # fmt: skip
        remove = push_button(
            f"mailbox.{box.id}.remove", tr("Remove…"), partial(work.remove, box), kind="danger"
        )
        lines = QWidget()
        flow = Flow(lines, spacing=8)
        for button in (*buttons, *private, remove):
            if button is not None:
                flow.addWidget(button)
        column.addWidget(lines)

    def show_state(self) -> None:
        """Show what the mailbox does, waits for or needs at this moment."""
        standing = state.of_passes(self._box, self._work.passes, clock.now())
        self._pill.show_text(standing.word, standing.tone.value)
        self._sentence.setText(standing.sentence)
        self._sentence.setVisible(bool(standing.sentence))
        bad = standing.tone is Tone.BAD
        theme.set_property(self._sentence, "role", "error" if bad else "dim")
        self._mend.setText(standing.mend)
        self._mend.setAccessibleName(f"{self._box.name}: {standing.mend}")
        self._mend_line.setVisible(bool(standing.mend))
        self._sync.setEnabled(self._work.can_sync)

    def _test(self) -> None:
        self._bench.tasks.background(
            scheduler.test_mailbox, self._bench.actor, self._box.id,
            done=self._tested, failed=self._bench.shell.show_error, owner=self,
            label=tr("Testing"),
        )  # fmt: skip

    def _tested(self, steps: tuple[Step, ...]) -> None:
        self.steps.show_steps(steps)


class MailboxesPage(SettingsPage):
    """The mailboxes of the actor."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench, "mailboxes", tr("Mailboxes"),
            tr("Mail and meetings are read from here; nothing is sent or changed without you."),
        )  # fmt: skip
        self.work = MailboxWork(bench, self)
        self.work.finished.connect(self.load)
        self.work.privacy.withdrawn.connect(lambda: self.notice.say(""))
        self.bench.bus.changed.connect(self._changed)
        add = push_button(
            "settings.mailboxes.add", tr("Add mailbox"), self.work.add, kind="primary"
        )
        self.paused = QCheckBox(tr("Pause"))
        self.paused.setObjectName("settings.mailboxes.pause")
        self.paused.setAccessibleName(tr("Pause"))
        self.paused.setToolTip(tr("Mailboxes are read only when you ask for it, on this computer."))
        self.paused.setChecked(self.work.passes.is_paused)
        self.paused.toggled.connect(self.work.passes.pause)
        self.work.passes.changed.connect(self._passes_changed)
        self.head.setSpacing(16)
        self.head.addWidget(self.paused, 0, Qt.AlignmentFlag.AlignTop)
        self.head.addWidget(add, 0, Qt.AlignmentFlag.AlignTop)
        add.setVisible(self.work.can_add)
        inside = QWidget()
        inside.setObjectName("scrollbody")
        outer = QVBoxLayout(inside)
        outer.setContentsMargins(24, 8, 24, 24)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(10)
        outer.addLayout(self._cards)
        outer.addStretch(1)
        area = QScrollArea()
        area.setObjectName("mailboxesScroll")
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.column.addWidget(area, 1)

    def load(self) -> None:
        self.bench.tasks.read(
            mailboxes.list_mailboxes, self.bench.actor, done=self._show, owner=self, lane="boxes"
        )

    def _changed(self, changes: ChangeSet) -> None:
        """Settings of a mailbox were changed: tell what they would not let in any more."""
        for box in sorted(changes.ids("mailbox")):
            self.bench.tasks.read(
                policy_review.left_out_now, self.bench.actor, box,
                done=self._tell_left_out, owner=self, lane=f"leftOut{box}",
                failed=lambda _error: None, later=True, cancellable=True,
            )  # fmt: skip

    def _tell_left_out(self, found: LeftOut) -> None:
        count = len(found.ids)
        text = ntr(
            "{n} stored message would be left out by these settings; “Withdraw…” takes it away.",
            "{n} stored messages would be left out by these settings; “Withdraw…” takes them away.",
            count,
        )
        self.notice.say(text if count else "", "warn")

    def _passes_changed(self) -> None:
        self.paused.setChecked(self.work.passes.is_paused)
        if self.work.passes.running is None:
            self.load()

    def _show(self, boxes: tuple[MailboxRow, ...]) -> None:
        clear(self._cards)
        for box in boxes:
            self._cards.addWidget(MailboxCard(box, self.bench, self.work))
        if not boxes:
            self._cards.addWidget(
                EmptyState(
                    "mail",
                    tr("No mailbox yet"),
                    tr("Add your mailbox or a folder of messages; mail links itself."),
                    tr("Add mailbox") if self.work.can_add else "",
                    self.work.add,
                    name="mailboxesEmpty",
                )
            )


class DatabasePage(SettingsPage):
    """Which database is open, and what can be done with databases."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, "database", tr("Database"))
        actor = bench.actor
        kind = tr("PostgreSQL, shared") if actor.db.is_shared else tr("File on this computer")
        body = QVBoxLayout()
        body.setContentsMargins(24, 8, 24, 24)
        body.setSpacing(10)
        body.addWidget(row(label(actor.db.name, "h2"), Pill(kind, "info"), None, spacing=10))
        where = Elide(databases.address(actor.db.target), "dim", mode=Qt.TextElideMode.ElideMiddle)
        body.addWidget(where)
        self.back_up = push_button(
            "settings.database.backup", tr("Back up…"), partial(database.back_up, bench, self),
            drawing="archive",
        )  # fmt: skip
        self.back_up.setEnabled(not actor.db.is_shared)
        if actor.db.is_shared:
            self.back_up.setToolTip(tr("A database on a server is backed up there."))
        other = push_button(
            "settings.database.open", tr("Open another…"), partial(database.open_dialog, bench),
            drawing="folder",
        )  # fmt: skip
        create = push_button(
            "settings.database.create", tr("Create…"), partial(database.create_dialog, bench),
            drawing="add",
        )  # fmt: skip
        body.addWidget(row(self.back_up, other, create, None, spacing=8))
        body.addWidget(separator())
        text = tr(
            "A file belongs to one person and one computer. A team shares a PostgreSQL "
            "database; its address holds no password."
        )
        body.addWidget(label(text, "dim", wrap=True))
        body.addStretch(1)
        self.column.addLayout(body, 1)


def move(actor: Actor, entity: str, record_id: int, step: int) -> ChangeSet:
    """Change places with the neighbour in a list that has an order of its own.

    Positions are written anew from 1, so that equal ones part; one transaction.
    """
    rows = query.first_page(actor, RecordQuery(entity, ("position",)), 10_000)
    ordered = sorted(rows, key=lambda one: (one.values[0] or 0, one.id))
    ids = [one.id for one in ordered]
    place = ids.index(record_id)
    target = min(max(place + step, 0), len(ids) - 1)
    ids.insert(target, ids.pop(place))
    known = {one.id: one for one in ordered}
    changes = [
        records.Change(key, known[key].version, {"position": number})
        for number, key in enumerate(ids, start=1)
        if known[key].values[0] != number
    ]
    return records.save_many(actor, entity, changes).changes
