"""Keeps what is typed into a form through a crash, and offers what an earlier run left behind."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import shiboken6
from PySide6.QtCore import QLockFile, QObject, QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout

from desktop_crm.core import clock, paths
from desktop_crm.core.i18n import tr
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.services.form_drafts import DraftFiles, FormDraft
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.forms.editing import RecordEditing
    from desktop_crm.views.forms.record_form import RecordForm
    from desktop_crm.views.workbench import Workbench

_REST_MS: Final = 800


class DraftKeeper(QObject):
    """The drafts of this run of the program.

    A lock file says to other runs that this one goes on; after a crash the system lets it go.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock: QLockFile | None = None

    @cached_property
    def files(self) -> DraftFiles:
        """The files; their code is not needed before the window is painted."""
        from desktop_crm.services.form_drafts import DraftFiles

        return DraftFiles(paths.data_dir() / "drafts")

    def hold(self) -> None:
        """Say that this run goes on; done before the first draft is written."""
        if self._lock is None:
            self.files.folder.mkdir(parents=True, exist_ok=True)
            self._lock = QLockFile(self._lock_path(self.files.session))
            self._lock.setStaleLockTime(0)
            self._lock.tryLock(0)

    def release(self) -> None:
        """Let the lock go, as the end of the program does."""
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    def _lock_path(self, session: str) -> str:
        return str(self.files.folder / f"{session}.lock")

    def is_running(self, session: str) -> bool:
        """Whether another run of the program goes on; may be called from any thread."""
        lock = QLockFile(self._lock_path(session))
        lock.setStaleLockTime(0)
        if not lock.tryLock(0):
            return True
        lock.unlock()
        return False

    def left_behind(self, database: str, user: str) -> list[FormDraft]:
        """Drafts that an earlier run left behind; runs on a reader thread."""
        return self.files.left_behind(database, user, self.is_running)


def database_of(bench: Workbench) -> str:
    """Address by which drafts know their database."""
    return str(bench.actor.db.target.url)


class DraftWriter(QObject):
    """Writes down what is typed into a form; what is saved or given up is forgotten."""

    def __init__(
        self, form: RecordForm, record: Callable[[], RecordValues | None], bench: Workbench
    ) -> None:
        """Watch a form.

        Args:
            form: The form; it holds the writer.
            record: Gives the record that is shown in it, None while there is none.
            bench: The workbench; nothing is written where it keeps no drafts.
        """
        super().__init__(form)
        self._form = form
        self._record = record
        self._bench = bench
        self._key = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.write)
        if bench.drafts is not None:
            form.edited.connect(self._edited)
            form.dirty_changed.connect(self._dirty_changed)

    @Slot(str)
    def _edited(self, _name: str) -> None:
        self._rest.start()

    @Slot(bool)
    def _dirty_changed(self, dirty: bool) -> None:
        if not dirty:
            self._rest.stop()
            self._forget()

    @Slot()
    def write(self) -> None:
        """Write down what is typed now."""
        keeper, record = self._bench.drafts, self._record()
        if keeper is None or record is None or not self._form.is_typed:
            return
        from desktop_crm.core.identity import new_uid
        from desktop_crm.services.form_drafts import FormDraft, storable

        keeper.hold()
        self._key = self._key or new_uid()
        draft = FormDraft(
            self._key,
            keeper.files.session,
            database_of(self._bench),
            self._bench.actor.login,
            record.entity,
            record.id,
            record.version,
            record.title,
            clock.now().isoformat(),
            storable(self._form.entity, self._form.kept()),
        )
        # The writer keeps the order: an older state never comes after a newer one.
        self._bench.tasks.write(keeper.files.write, draft, owner=self)

    def _forget(self) -> None:
        if self._key and self._bench.drafts is not None:
            self._bench.drafts.files.remove(self._key)
            self._key = ""


class DraftBar(QFrame):
    """Keeps what is typed into a form, and offers an earlier draft of the same record.

    It is hidden unless there is something to offer.
    """

    def __init__(self, editing: RecordEditing, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("draftbar")
        self._editing = editing
        self._form = editing.form
        self._bench = bench
        self._writer = DraftWriter(editing.form, lambda: editing.record, bench)
        self._offered: FormDraft | None = None
        self._wanted: FormDraft | None = None
        self._text = label("", wrap=True, name="draftbar.text")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(8)
        layout.addWidget(Glyph("note", "info"))
        layout.addWidget(self._text, 1)
        layout.addWidget(push_button("draftbar.take", tr("Take it over"), self.take, kind="flat"))
        layout.addWidget(push_button("draftbar.drop", tr("Discard"), self.drop, kind="flat"))
        self.hide()
        if bench.drafts is not None:
            editing.loaded.connect(self._look)

    # --- offering --------------------------------------------------------------------------

    @Slot(object)
    def _look(self, _record: object) -> None:
        self._offer(None)
        keeper = self._bench.drafts
        if keeper is None:
            return
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._offered = wanted
            self.take()
            return
        self._bench.tasks.read(
            keeper.left_behind,
            database_of(self._bench),
            self._bench.actor.login,
            done=self._take_found,
            owner=self,
            lane="drafts",
        )

    def _take_found(self, found: list[FormDraft]) -> None:
        record = self._editing.record
        if record is None or not shiboken6.isValid(self._form) or not record.can_edit:
            return
        same = (d for d in found if (d.entity, d.record) == (record.entity, record.id))
        self._offer(next(same, None))

    def _offer(self, draft: FormDraft | None) -> None:
        self._offered = draft
        self.setVisible(draft is not None)
        if draft is not None:
            when = self._bench.formats.datetime(draft.moment)
            self._text.setText(tr("What you typed here on {when} was not saved.", when=when))

    @property
    def offered(self) -> FormDraft | None:
        """The draft that is offered now."""
        return self._offered

    def take_when_loaded(self, draft: FormDraft) -> None:
        """Fill the form with a draft as soon as its record is there."""
        self._wanted = draft

    def take(self) -> None:
        """Fill the form with what was typed then; nothing is saved by it."""
        draft = self._offered
        if draft is not None:
            self._editing.take_draft(draft.version, draft.typed)
            self._writer.write()
            self._drop(draft)

    def drop(self) -> None:
        """Throw the draft away."""
        if self._offered is not None:
            self._drop(self._offered)

    def _drop(self, draft: FormDraft) -> None:
        if self._bench.drafts is not None:
            self._bench.drafts.files.remove(draft.key)
        self._offer(None)
