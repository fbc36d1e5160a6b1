"""Opens a record into a form and saves it: off the UI thread, with conflicts decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, Signal, Slot

from desktop_crm.core.errors import Conflict, CrmError, EnvironmentProblem, ValidationFailed
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.views.errors import ask
from desktop_crm.views.forms.conflict_dialog import Choice, ConflictDialog
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.widgets.cards import Notice

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.services.records import RecordValues, Saved
    from desktop_crm.views.workbench import Workbench


_ARRANGES: Final = ("custom_field", "choice_option", "form_layout")
"""Records whose change gives forms other fields, values to choose from, or another order."""


def _words(kept: object) -> str:
    """What an editor kept, in words."""
    if isinstance(kept, dict):
        return str(kept.get("text") or "")
    return "" if kept is None else str(kept)


def start_record(actor: Actor, entity_key: str, defaults: Mapping[str, Any]) -> RecordValues:
    """A new record with defaults and the titles of the records they link to.

    Runs on a reader thread; one statement per link among the defaults.
    """
    from desktop_crm.services import query, records

    record = records.new(actor, entity_key, **defaults)
    titles = dict(record.titles)
    for name, field in registry.get(entity_key).fields.items():
        value = record.values.get(name)
        if not field.target or not isinstance(value, int) or name in titles:
            continue
        title = registry.get(field.target).title
        for row in query.rows(actor, query.RecordQuery(field.target, (title,)), [value]):
            titles[name] = str(row.values[0] or "")
    return replace(record, titles=titles)


class RecordEditing(QObject):
    """One record in one form, from opening to saving.

    Attributes:
        loaded: The record is shown; carries its ``RecordValues``.
        saved: It was saved; carries its id.
        failed: It could not be opened; carries the error.
        busy_changed: A save is under way.
    """

    loaded = Signal(object)
    saved = Signal(object)
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, form: RecordForm, notice: Notice, bench: Workbench) -> None:
        super().__init__(form)
        bench.bus.changed.connect(self._news)
        self.form = form
        self._notice = notice
        self._bench = bench
        self.entity = form.entity
        self.record_id: int | None = None
        self.record: RecordValues | None = None
        self._busy = False
        self._lost_labels: dict[str, str] = {}

    # --- opening ---------------------------------------------------------------------------

    def open(self, record_id: int) -> None:
        """Read a record and show it."""
        from desktop_crm.services import records

        self._bench.tasks.read(
            records.get,
            self._bench.actor,
            self.entity.key,
            record_id,
            done=self.show,
            failed=self.failed.emit,
            owner=self,
            lane="open",
        )

    def open_new(self, defaults: Mapping[str, Any]) -> None:
        """Show an empty record with defaults; the given ones count as changed."""

        def shown(record: RecordValues) -> None:
            self.show(record)
            self.form.mark_dirty(name for name in defaults if name in record.values)

        self._bench.tasks.read(
            start_record,
            self._bench.actor,
            self.entity.key,
            dict(defaults),
            done=shown,
            failed=self.failed.emit,
            owner=self,
            lane="open",
        )

    def show(self, record: RecordValues) -> None:
        """Show a record that was read already."""
        self.record = record
        self.record_id = record.id
        self._notice.say("")
        self.form.load(record)
        if record.merged_from is not None:
            self._notice.say(tr("The record you opened was merged into this one."), "info")
        if not record.can_edit:
            self._notice.say(tr("You may look at this record but not change it."), "info")
        self.loaded.emit(record)

    def take_draft(self, version: int, typed: Mapping[str, Any]) -> None:
        """Fill in what an earlier run of the program left unsaved.

        Args:
            version: Version it was typed into; what others changed since is found when saving.
            typed: What the form kept, by field name.
        """
        if self.record is None:
            return
        if version != self.record.version:
            self.record = replace(self.record, version=version)
            self.form.forget_base(typed)
        self._tell_lost(self.form.bring(typed))

    # --- another arrangement ---------------------------------------------------------------

    @Slot(object)
    def _news(self, changes: ChangeSet) -> None:
        """Arrange the form anew when an administrator changed its fields or their order."""
        if self.record is None or not changes.touches(*_ARRANGES):
            return
        if self.record.id is None:
            self._rearrange(self.record)
            return
        from desktop_crm.services import records

        self._bench.tasks.read(
            records.get,
            self._bench.actor,
            self.entity.key,
            self.record.id,
            done=self._rearrange,
            owner=self,
            lane="arrange",
        )

    def _rearrange(self, fresh: RecordValues) -> None:
        record = self.record
        if record is None or record.id != fresh.id:
            return
        # The version stays the one that was opened: what others changed since is found on saving.
        self.record = replace(
            record,
            values={**fresh.values, **record.values},
            titles={**fresh.titles, **record.titles},
            lines={**fresh.lines, **record.lines},
        )
        before = self.entity
        self._lost_labels = {name: field.label for name, field in before.fields.items()}
        lost = self.form.rearrange(self.record)
        self.entity = self.form.entity
        if self.form.is_dirty:
            self._notice.say(
                tr("An administrator changed this form; what you typed is still here."),
                "info",
            )
        self._tell_lost(lost)

    def _tell_lost(self, lost: Mapping[str, Any]) -> None:
        """Say what was typed into fields that are no longer offered."""
        if not lost:
            return
        parts = [f"{tr(self._lost_labels.get(n, n))}: “{_words(v)}”" for n, v in lost.items()]
        self._notice.say(
            tr(
                "Fields were retired while you were typing: what you wrote there cannot be saved "
                "({fields}). Everything else is kept; copy it now if you need it.",
                fields="; ".join(parts),
            ),
            "warn",
        )

    # --- saving ----------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a save is under way."""
        return self._busy

    def save(self, then: Callable[[int], object] | None = None) -> bool:
        """Check and save what was changed.

        Args:
            then: Called with the record's id when it is saved.

        Returns:
            Whether the form was right so far; the answer of the database comes later.
        """
        if self._busy or self.record is None:
            return False
        if not self.form.check_all():
            self._notice.say(tr("Some fields are not right yet. Nothing was saved."), "bad")
            return False
        self._notice.say("")
        self._send(self.form.changes(), self.record.version, self.form.base(), then)
        return True

    def _send(
        self,
        changes: Mapping[str, Any],
        version: int | None,
        base: Mapping[str, Any],
        then: Callable[[int], object] | None,
    ) -> None:
        from desktop_crm.services import records

        self._set_busy(True)
        self._bench.tasks.write(
            records.save,
            self._bench.actor,
            self.entity.key,
            self.record_id,
            version,
            changes,
            base,
            done=lambda saved: self._take_saved(saved, then),
            failed=lambda error: self._take_error(error, then),
            owner=self,
            label=tr("Saving"),
        )

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.busy_changed.emit(busy)

    def _take_saved(self, saved: Saved, then: Callable[[int], object] | None) -> None:
        self._set_busy(False)
        self.record_id = saved.id
        self.form.settle()
        self._bench.bus.publish(saved.changes)
        if saved.merged:
            self._bench.shell.toast(
                tr("Saved and merged"),
                tr("Somebody else changed other fields meanwhile; both changes are kept."),
            )
        self.saved.emit(saved.id)
        if then is not None:
            then(saved.id)

    def _take_error(self, error: Exception, then: Callable[[int], object] | None) -> None:
        self._set_busy(False)
        if isinstance(error, Conflict):
            self._read_theirs(error, then)
        elif isinstance(error, ValidationFailed):
            others = self.form.show_errors(error.errors)
            text = " ".join((*others, tr("Nothing was saved.")))
            self._notice.say(text, "bad")
        elif isinstance(error, EnvironmentProblem):
            self._bench.shell.show_error(error)
            self._notice.say(tr("Nothing was saved; your changes are still here."), "warn")
        elif isinstance(error, CrmError):
            self._notice.say(str(error), "bad")
        else:
            self._bench.shell.show_error(error)

    def show_error(self, error: Exception) -> None:
        """Show beside the fields why something else with the record was refused."""
        self._take_error(error, None)

    # --- conflicts -------------------------------------------------------------------------

    def _read_theirs(self, conflict: Conflict, then: Callable[[int], object] | None) -> None:
        from desktop_crm.services import records

        self._bench.tasks.read(
            records.get,
            self._bench.actor,
            self.entity.key,
            conflict.record_id,
            done=lambda theirs: self._decide(conflict, theirs, then),
            owner=self,
            lane="theirs",
        )

    def _decide(
        self,
        conflict: Conflict,
        theirs: RecordValues,
        then: Callable[[int], object] | None,
    ) -> None:
        choices = tuple(self._choice(name, conflict, theirs) for name in conflict.fields)
        dialog = ConflictDialog(self.form.window(), choices)

        def decided(result: int) -> None:
            mine = dialog.keeps_mine()
            dialog.deleteLater()
            if not result:
                self._notice.say(tr("Nothing was saved; your changes are still here."), "warn")
                return
            changes = {
                name: value for name, value in self.form.changes().items() if mine.get(name, True)
            }
            for name, keep in mine.items():
                if not keep:
                    self.form.take_theirs(
                        name, theirs.values.get(name), theirs.titles.get(name, "")
                    )
            self._send(changes, theirs.version, {**theirs.values, **theirs.lines}, then)

        dialog.finished.connect(decided)
        dialog.open()

    def _choice(self, name: str, conflict: Conflict, theirs: RecordValues) -> Choice:
        field = self.entity.fields[name]
        sides = conflict.fields[name]

        def shown(value: object, title: str) -> str:
            if field.kind.name == "link":
                return title
            if isinstance(value, list | tuple):
                return tr("{n} rows", n=len(value))
            return field.display(value, self._bench.formats)

        before = self.record.titles.get(name, "") if self.record is not None else ""
        box = self.form.boxes.get(name)
        mine = box.editor.title if box and isinstance(box.editor, LinkEditor) else ""
        return Choice(
            name,
            tr(field.label),
            shown(sides.base, before),
            shown(sides.mine, mine),
            shown(sides.theirs, theirs.titles.get(name, "")),
        )

    # --- leaving ---------------------------------------------------------------------------

    def may_leave(self, then: Callable[[int], object] | None = None) -> bool:
        """Whether the form may go; asks only when something would be lost.

        The answer "Save" starts saving and says no for now.

        Args:
            then: Called when it was saved after all, to go on leaving.
        """
        if not self.form.is_typed:
            return True
        answer = ask(
            self.form.window(),
            tr("Save the changes?"),
            tr("You changed this record. If you leave now without saving, the changes are lost."),
            (
                ("discard", tr("Do not save"), "danger"),
                ("stay", tr("Keep editing"), ""),
                ("save", tr("Save"), "primary"),
            ),
        )
        if answer == "discard":
            self.form.settle()
            return True
        if answer == "save":
            self.save(then)
        return False
