"""Makes a lead, opportunity, case, task or appointment of a message, prefilled from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.errors import UserError, ValidationFailed
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta.field import Section
from desktop_crm.models.activity import REGARDING
from desktop_crm.services import records
from desktop_crm.services.mail import conversion, filing
from desktop_crm.services.mail.conversion import Converted, Wanted
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.alike_panel import AlikePanel
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.duplicates.candidates import Candidate
    from desktop_crm.services.mail.message import Message
    from desktop_crm.views.workbench import Workbench

_SIZE: Final = QSize(680, 720)
KINDS: Final[Mapping[Wanted, str]] = {
    Wanted.LEAD: N_("Lead"),
    Wanted.OPPORTUNITY: N_("Opportunity"),
    Wanted.CASE: N_("Case"),
    Wanted.TASK: N_("Task"),
    Wanted.APPOINTMENT: N_("Appointment"),
}
_FORMS: Final[Mapping[Wanted, tuple[Any, ...]]] = {
    Wanted.LEAD: (
        "subject", ("first_name", "last_name"), ("company", "job_title"), "emails", "phones",
        "description",
    ),
    Wanted.OPPORTUNITY: (
        "name", ("account", "contact"), ("amount", "currency"), ("close_on", "next_step"),
        "description",
    ),
    Wanted.CASE: (
        "title", ("account", "contact"), ("type", "priority"), ("product", "resolve_by"),
        "description",
    ),
    Wanted.TASK: (
        "subject", ("due_at", "priority"), ("account", "contact"), ("opportunity", "lead"),
        ("case", "quote"), "description",
    ),
    Wanted.APPOINTMENT: (
        "subject", ("start_at", "end_at"), "location", ("account", "contact"),
        ("opportunity", "lead"), ("case", "quote"), "description",
    ),
}  # fmt: skip


class ConvertMailDialog(Dialog):
    """Asks what the message becomes; nothing is made before it is saved.

    Attributes:
        kind: what it becomes.
        form: fields of that.
        files: attachments that go along, by the key of the document.
    """

    def __init__(self, bench: Workbench, message: Message, wanted: Wanted) -> None:
        super().__init__(
            bench.shell.window_widget(), "convertMail", tr("Make a record of this message"),
            subtitle=message.subject, width=560,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._message = message
        self._busy = False
        self.kind = QuietCombo()
        self.kind.setObjectName("convertMail.kind")
        for one, text in KINDS.items():
            if bench.actor.can(one.entity, "create"):
                self.kind.addItem(tr(text), one.value)
        self.kind.setCurrentIndex(max(0, self.kind.findData(wanted.value)))
        self.alike = AlikePanel("convertMail.alike", bench, use=tr("Use this"))
        self.alike.watch(self._looked_for)
        self.alike.chosen.connect(self._use)
        self._holder = QVBoxLayout()
        self._holder.setContentsMargins(0, 0, 0, 0)
        inner = QWidget()
        inner.setObjectName("scrollbody")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(10)
        column.addWidget(self.alike)
        column.addLayout(self._holder)
        self.files = self._make_files(column)
        column.addStretch(1)
        area = QScrollArea()
        area.setObjectName("convertMail.area")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        self.body.addWidget(Labelled(tr("It becomes"), self.kind))
        self.body.addWidget(area, 1)
        save = push_button("convertMail.save", tr("Save"), self.save, kind="primary")
        save.setDefault(True)
        more = push_button("convertMail.open", tr("Save and open"), self.save_and_open)
        self._buttons = (save, more)
        self.set_foot(None, self.cancel_button(), more, save)
        QShortcut(QKeySequence("Ctrl+S"), self).activated.connect(self.save)
        self.form = self._make_form()
        self.kind.currentIndexChanged.connect(lambda _index: self._change_kind())
        room = bench.shell.window_widget().size() - QSize(40, 40)
        size = QSize(theme.scaled(_SIZE.width()), theme.scaled(_SIZE.height()))
        self.resize(size.boundedTo(room).expandedTo(QSize(560, 420)))
        self.form.focus_first()

    @property
    def wanted(self) -> Wanted:
        """What the message becomes."""
        return Wanted(str(self.kind.currentData()))

    # --- building --------------------------------------------------------------------------

    def _make_files(self, column: QVBoxLayout) -> dict[int, QCheckBox]:
        found: dict[int, QCheckBox] = {}
        for one in self._message.attachments:
            if one.stored and not one.inline:
                box = QCheckBox(one.name)
                box.setObjectName(f"convertMail.file.{one.id}")
                box.setAccessibleName(tr("Attach {name}", name=one.name))
                box.setChecked(True)
                found[one.id] = box
        if found:
            column.addWidget(label(tr("Attachments that go along"), "h3"))
        for box in found.values():
            column.addWidget(box)
        return found

    def _make_form(self) -> RecordForm:
        wanted = self.wanted
        made = RecordForm(
            wanted.entity, self._bench, scrolls=False,
            sections=(Section(KINDS[wanted], _FORMS[wanted]),),
        )  # fmt: skip
        made.pages.body.setContentsMargins(0, 0, 0, 0)
        made.load(records.new(self._bench.actor, wanted.entity))
        begun = conversion.prefilled(self._bench.actor, self._message, wanted)
        for name, value in begun.values.items():
            made.put(name, value, begun.titles.get(name, ""))
        made.edited.connect(lambda _name: self.alike.look_soon())
        self._holder.addWidget(made)
        self.alike.look_soon()
        return made

    def _change_kind(self) -> None:
        self.notice.say("")
        self.alike.clear()
        old = self.form
        old.settle()
        self._holder.removeWidget(old)
        old.hide()
        old.deleteLater()
        self.form = self._make_form()

    # --- records that are there ------------------------------------------------------------

    def _looked_for(self) -> tuple[str, Mapping[str, Any], int | None] | None:
        entity = self.wanted.entity
        return None if entity == "activity" else (entity, self.form.readable(), None)

    def _use(self, candidate: Candidate) -> None:
        """File the message to a record that is there instead of making one."""
        if candidate.id is None or candidate.entity not in REGARDING or self._busy:
            return
        self._set_busy(True)
        self._bench.tasks.write(
            partial(
                filing.refile, self._bench.actor, self._message.id, candidate.entity,
                candidate.id, instead=False,
            ),
            done=partial(self._used, candidate.title), failed=self._failed, owner=self,
        )  # fmt: skip

    def _used(self, title: str, changes: Any) -> None:  # noqa: ANN401  a change set
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("Linked"), title, undo=True)
        self.form.settle()
        self.accept()

    # --- saving ----------------------------------------------------------------------------

    def save(self) -> None:
        """Make the record."""
        self._write(opens=False)

    def save_and_open(self) -> None:
        """Make the record and open it."""
        self._write(opens=True)

    def _write(self, *, opens: bool) -> None:
        if self._busy:
            return
        if not self.form.check_all():
            self.notice.say(tr("Some fields are not right yet. Nothing was saved."), "bad")
            return
        self.notice.say("")
        self._set_busy(True)
        files = [key for key, box in self.files.items() if box.isChecked()]
        self._bench.tasks.write(
            partial(
                conversion.convert, self._bench.actor, self._message.id, self.wanted,
                self.form.changes(), files,
            ),
            done=partial(self._made, opens), failed=self._failed, owner=self, label=tr("Saving"),
        )  # fmt: skip

    def _made(self, opens: bool, made: Converted) -> None:
        self._bench.bus.publish(made.changes)
        name = self.form.entity.title
        title = str(self.form.readable().get(name) or "")
        self.form.settle()
        said = tr("{kind} made of the message", kind=tr(KINDS[self.wanted]))
        self._bench.shell.toast(said, title, undo=True)
        self.accept()
        if opens:
            self._bench.shell.open_record(made.entity, made.id)

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        if isinstance(error, ValidationFailed):
            others = self.form.show_errors(error.errors)
            self.notice.say(" ".join((*others, tr("Nothing was saved."))), "bad")
        elif isinstance(error, UserError):
            self.notice.say(str(error), "bad")
        else:
            self.show_error(error)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        for button in self._buttons:
            button.setEnabled(not busy)
