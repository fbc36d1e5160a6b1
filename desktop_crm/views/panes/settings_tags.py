"""The page of the settings about tags: how often each is used, its colour, renaming, merging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import fold
from desktop_crm.services import records, tags
from desktop_crm.services.tags import Renamed, TagCount
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.panes.settings_pages import SettingsPage
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench


class TagsPage(SettingsPage):
    """Tags with their records; words that stand on records alone are shown too.

    Attributes:
        table: One row for each tag.
    """

    def __init__(self, bench: Workbench, text: str) -> None:
        super().__init__(bench, "tag", tr("Tags"), text)
        self.table = FactTable(
            "settings.tag.table",
            tr("Tags"),
            (Heading(tr("Tag"), 260), Heading(tr("Records"), 110, is_number=True), Heading("")),
        )
        actor = bench.actor
        top = Qt.AlignmentFlag.AlignTop
        self._rename = push_button("settings.tag.rename", tr("Rename or merge…"), self.rename)
        self._edit = push_button("settings.tag.edit", tr("Edit…"), self.edit)
        self._delete = push_button("settings.tag.delete", tr("Delete"), self.delete, kind="danger")
        self._add = push_button("settings.tag.new", tr("New tag"), self.new, kind="primary")
        for button in (self._rename, self._edit, self._delete, self._add):
            self.head.addWidget(button, 0, top)
        self._rename.setVisible(actor.can("tag", "edit"))
        self._edit.setVisible(actor.can("tag", "edit"))
        self._delete.setVisible(actor.can("tag", "remove"))
        self._add.setVisible(actor.can("tag", "create"))
        self.column.addWidget(self.table, 1)
        self.table.opened.connect(lambda _one: self.edit())
        self.table.removed.connect(self.delete)
        self.table.chosen.connect(self._update)
        bench.bus.changed.connect(self._changed)
        self._update()

    def load(self) -> None:
        self.bench.tasks.read(
            tags.counts, self.bench.actor, done=self._show, owner=self, lane="tags",
            cancellable=True,
        )  # fmt: skip

    def _changed(self, changes: ChangeSet) -> None:
        if self.isVisible() and changes.touches("tag", *(e.key for e in tags.tagged())):
            self.load()

    def _show(self, found: list[TagCount]) -> None:
        formats = self.bench.formats
        self.table.show_facts(
            [
                Fact(
                    (
                        one.name,
                        formats.number(one.count, 0),
                        "" if one.id is not None else tr("not in the list of tags"),
                    ),
                    one,
                    pill=0,
                    tone=one.tone,
                )
                for one in found
            ]
        )
        self._update()

    def current(self) -> TagCount | None:
        """The chosen tag."""
        found = self.table.selected()
        return found[0] if found and isinstance(found[0], TagCount) else None

    def _update(self) -> None:
        one = self.current()
        self._rename.setEnabled(one is not None)
        self._edit.setEnabled(one is not None)
        self._delete.setEnabled(one is not None and one.id is not None)

    def new(self) -> None:
        """Make a tag."""
        self.bench.shell.new_record("tag")

    def edit(self) -> None:
        """Change colour and description; a word without a tag becomes one."""
        one = self.current()
        if one is None:
            return
        if one.id is None:
            self.bench.shell.new_record("tag", name=one.name)
        else:
            self.bench.shell.open_record("tag", one.id)

    def delete(self) -> None:
        """Take the tag out of the list; records keep the word."""
        one = self.current()
        if one is not None and one.id is not None and self.bench.actor.can("tag", "remove"):
            self.bench.tasks.write(
                records.delete, self.bench.actor, "tag", [one.id],
                done=self._deleted, owner=self, failed=self.bench.shell.show_error,
            )  # fmt: skip

    def _deleted(self, changes: ChangeSet) -> None:
        self.bench.bus.publish(changes)
        self.bench.shell.toast(
            tr("The tag was deleted"), tr("Records keep the word, without colour."), undo=True
        )

    def rename(self) -> None:
        """Ask for another name and change every record that carries the tag."""
        one = self.current()
        if one is not None:
            others = [
                fact.data.name
                for fact in self.table.facts.facts
                if isinstance(fact.data, TagCount) and fact.data.name != one.name
            ]
            RenameTagDialog(self.bench, one, others).open()


class RenameTagDialog(Dialog):
    """Asks for the new name; an existing one merges both tags.

    Attributes:
        name: New name, typed or chosen.
    """

    def __init__(self, bench: Workbench, tag: TagCount, others: list[str]) -> None:
        super().__init__(
            bench.shell.window_widget(), "renameTag", tr("Rename or merge a tag"),
            subtitle=tr("“{name}” is changed on every record that carries it.", name=tag.name),
            width=460,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._tag = tag
        self._others = {fold(name) for name in others}
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setObjectName("renameTag.name")
        self.name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name.addItems(others)
        self.name.setEditText(tag.name)
        self.name.setMinimumWidth(theme.scaled(300))
        line = self.name.lineEdit()
        if line is not None:
            line.selectAll()
        self._field = Labelled(tr("New name"), self.name, required=True)
        self.body.addWidget(self._field)
        self._go = push_button("renameTag.go", tr("Rename"), self.go, kind="primary")
        self._go.setDefault(True)
        self.set_foot(None, self.cancel_button(), self._go)
        self.name.editTextChanged.connect(self._typed)
        self.name.setFocus()

    def _typed(self, text: str) -> None:
        merges = fold(text) in self._others
        self._go.setText(tr("Merge") if merges else tr("Rename"))
        self._go.setAccessibleName(self._go.text())
        hint = tr("A tag has this name already: both become one.") if merges else ""
        self.notice.say(hint, "info")

    def go(self) -> None:
        """Rename on the background thread, with progress; the dialog closes when it is done."""
        self._go.setEnabled(False)
        self._bench.tasks.background(
            tags.rename, self._bench.actor, self._tag.name, self.name.currentText(),
            done=self._done, owner=self, failed=self._failed, label=tr("Renaming the tag"),
            cancellable=True, progressing=True,
        )  # fmt: skip

    def _failed(self, error: Exception) -> None:
        self._go.setEnabled(True)
        self.show_error(error)

    def _done(self, renamed: Renamed) -> None:
        self._bench.bus.publish(renamed.changes)
        self._bench.shell.toast(tr("Tag renamed"), tags.described(renamed), undo=True)
        self.accept()
