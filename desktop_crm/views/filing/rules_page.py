"""The page of the settings about filing rules: what each files where, and how much it reached."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from desktop_crm.core.i18n import tr
from desktop_crm.models.filing import FilingKind
from desktop_crm.services.mail import filing_rules
from desktop_crm.services.mail.filing_rules import RuleRow
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.dialogs.find_record import FILED_TO, FindRecordDialog
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.panes.settings_pages import SettingsPage
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench


class FilingRulesPage(SettingsPage):
    """The user's own rules; what they filed stays when they change or go.

    Attributes:
        table: One row for each rule.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench,
            "filing",
            tr("Filing rules"),
            tr(
                "Where mail of a thread, sender, domain, folder or category goes before addresses "
                "are looked at. What you link by hand is never touched."
            ),
        )
        self.table = FactTable(
            "settings.filing.table",
            tr("Filing rules"),
            (
                Heading(tr("Mail of")),
                Heading(tr("Kind"), 142),
                Heading(tr("Goes to"), 180),
                Heading(tr("Mailbox"), 104),
                Heading(tr("Messages"), 76, is_number=True),
                Heading(tr("Filed"), 64, is_number=True),
            ),
        )
        self._record = push_button("settings.filing.record", tr("Another record…"), self.change)
        self._never = push_button("settings.filing.never", tr("Never file"), self.never)
        self._delete = push_button(
            "settings.filing.delete", tr("Delete"), self.delete, kind="danger"
        )
        self._add = push_button("settings.filing.new", tr("New rule…"), self.new, kind="primary")
        for button in (self._record, self._never, self._delete, self._add):
            self.head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addWidget(self.table, 1)
        self.table.opened.connect(lambda _one: self.change())
        self.table.removed.connect(self.delete)
        self.table.chosen.connect(self._update)
        bench.bus.changed.connect(self._changed)
        self._mailboxes: tuple[tuple[int, str], ...] = ()
        self._update()

    def load(self) -> None:
        actor = self.bench.actor
        self.bench.tasks.read(
            filing_rules.rules, actor, done=self._show, owner=self, lane="rules", cancellable=True
        )
        self.bench.tasks.read(
            filing_rules.own_mailboxes, actor, done=self._take_mailboxes, owner=self, lane="boxes"
        )

    def _take_mailboxes(self, found: tuple[tuple[int, str], ...]) -> None:
        self._mailboxes = found
        self.notice.say(
            "" if found else tr("Add a mailbox first: each rule is for one of your mailboxes.")
        )
        self._update()

    def _changed(self, changes: ChangeSet) -> None:
        if self.isVisible() and changes.touches("filing_rule", "mailbox"):
            self.load()

    def _show(self, found: tuple[RuleRow, ...]) -> None:
        formats = self.bench.formats
        self.table.show_facts(
            [
                Fact(
                    (
                        one.shown,
                        tr(FilingKind(one.kind).label),
                        _target(one),
                        one.mailbox,
                        formats.number(one.messages, 0),
                        formats.number(one.filed, 0),
                    ),
                    one,
                    icon=icons.entity_icon(one.entity) if one.entity else "dismiss",
                    is_dim=not one.entity,
                )
                for one in found
            ]
        )
        self._update()

    def current(self) -> RuleRow | None:
        """The chosen rule."""
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], RuleRow) else None

    def _update(self) -> None:
        one = self.current()
        self._record.setEnabled(one is not None)
        self._never.setEnabled(one is not None and bool(one.entity))
        self._delete.setEnabled(one is not None)
        self._add.setEnabled(bool(self._mailboxes))

    # --- changes -------------------------------------------------------------------------

    def new(self) -> None:
        """Make a rule for what is still to come."""
        RuleDialog(self.bench, self._mailboxes).open()

    def change(self) -> None:
        """Let a rule lead to another record."""
        one = self.current()
        if one is None:
            return
        dialog = FindRecordDialog(
            self.bench.shell.window_widget(), self.bench,
            tr("File mail of {value} to", value=one.shown), FILED_TO, choose=tr("Choose"),
        )  # fmt: skip
        dialog.chosen.connect(partial(self._change_to, one.id))
        dialog.finished.connect(lambda _result: self.table.setFocus())
        dialog.open()

    def _change_to(self, rule_id: int, entity: str, record_id: int, _title: str) -> None:
        self._write(
            partial(filing_rules.change, self.bench.actor, rule_id, (entity, record_id)),
            tr("The rule was changed"),
        )

    def never(self) -> None:
        """Let a rule file nothing."""
        one = self.current()
        if one is not None:
            self._write(
                partial(filing_rules.change, self.bench.actor, one.id, None),
                tr("The rule was changed"),
            )

    def delete(self) -> None:
        """Delete the rule; what it filed stays."""
        one = self.current()
        if one is not None:
            self._write(
                partial(filing_rules.remove, self.bench.actor, [one.id]),
                tr("The rule was deleted"),
            )

    def _write(self, work: partial[ChangeSet], said: str) -> None:
        def done(changes: ChangeSet) -> None:
            self.bench.bus.publish(changes)
            self.bench.shell.toast(said, tr("What was filed stays where it is."), undo=True)

        self.bench.tasks.write(work, done=done, failed=self.bench.shell.show_error, owner=self)


def _target(rule: RuleRow) -> str:
    if not rule.entity:
        return tr("Never filed")
    return rule.title or tr("(gone, or not for you to see)")


class RuleDialog(Dialog):
    """Asks for what a rule looks at, and for the record; it makes the rule.

    Attributes:
        value: address, domain, or name of a folder or category.
        target: whether it files or never does.
    """

    def __init__(self, bench: Workbench, mailboxes: tuple[tuple[int, str], ...]) -> None:
        super().__init__(
            bench.shell.window_widget(), "filingRule", tr("New filing rule"), width=460,
            subtitle=tr("It is for mail that is still to come."),
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self.mailbox = QuietCombo()
        self.mailbox.setObjectName("filingRule.mailbox")
        for key, name in mailboxes:
            self.mailbox.addItem(name, key)
        self.kind = QuietCombo()
        self.kind.setObjectName("filingRule.kind")
        for kind in (FilingKind.SENDER, FilingKind.DOMAIN, FilingKind.CATEGORY):
            self.kind.addItem(tr(kind.label), kind.value)
        self.value = QLineEdit()
        self.value.setObjectName("filingRule.value")
        self.value.setMinimumWidth(theme.scaled(260))
        self.target = QuietCombo()
        self.target.setObjectName("filingRule.target")
        self.target.addItem(tr("Goes to a record"), True)
        self.target.addItem(tr("Is never filed"), False)
        box = Labelled(tr("Mailbox"), self.mailbox)
        box.setVisible(len(mailboxes) > 1)
        self.body.addWidget(box)
        self.body.addWidget(Labelled(tr("Kind"), self.kind))
        self._field = Labelled(tr("Mail of"), self.value, required=True)
        self.body.addWidget(self._field)
        self.body.addWidget(Labelled(tr("What happens"), self.target))
        self._go = push_button("filingRule.go", tr("Go on"), self.go, kind="primary")
        self._go.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._go)
        self.value.setFocus()

    def go(self) -> None:
        """Choose the record where one is wanted, then make the rule."""
        if not self.value.text().strip():
            self._field.show_error(tr("Say whose mail the rule is for."))
            self.value.setFocus()
            return
        self._field.show_error("")
        if not self.target.currentData():
            self._make(None)
            return
        dialog = FindRecordDialog(
            self, self._bench, tr("File mail of {value} to", value=self.value.text().strip()),
            FILED_TO, choose=tr("Choose"),
        )  # fmt: skip
        dialog.chosen.connect(lambda entity, key, _title: self._make((entity, int(key))))
        dialog.open()

    def _make(self, record: tuple[str, int] | None) -> None:
        self._go.setEnabled(False)
        self._bench.tasks.write(
            partial(
                filing_rules.add, self._bench.actor, int(self.mailbox.currentData()),
                FilingKind(str(self.kind.currentData())), self.value.text(), record,
            ),
            done=self._made, failed=self._failed, owner=self, label=tr("Saving"),
        )  # fmt: skip

    def _failed(self, error: Exception) -> None:
        self._go.setEnabled(True)
        self.show_error(error)

    def _made(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("The rule was made"), self.value.text().strip(), undo=True)
        self.accept()
