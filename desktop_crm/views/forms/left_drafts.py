"""Asks what to do with forms that an earlier run of the program left unsaved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.views import icons, theme
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.forms.draft_keeper import DraftBar
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.services.form_drafts import FormDraft
    from desktop_crm.views.record_windows import RecordWindows
    from desktop_crm.views.workbench import Workbench

_ROW: Final = 52


class LeftDraftsDialog(Dialog):
    """Lists them; each opens in its form, where what was typed is offered."""

    def __init__(
        self,
        parent: QWidget,
        bench: Workbench,
        drafts: Sequence[FormDraft],
        windows: RecordWindows,
    ) -> None:
        super().__init__(
            parent,
            "leftDrafts",
            ntr("{n} form was not saved", "{n} forms were not saved", len(drafts)),
            subtitle=tr(
                "The program ended before these were saved. What you typed is kept until you "
                "decide."
            ),
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._drafts = {number: draft for number, draft in enumerate(drafts, 1)}
        self._windows = windows
        self.list = LineList("leftDrafts.list", tr("Forms that were not saved"))
        self.list.shows_current = True
        self.list.setMinimumHeight(theme.scaled(min(len(drafts), 6) * _ROW))
        self.list.opened.connect(lambda line: self._open_one(line.id))
        self.list.show_lines(
            [
                Line(
                    number,
                    entity=draft.entity,
                    title=self._title(draft),
                    subtitle=bench.formats.datetime(draft.moment),
                    icon=icons.entity_icon(draft.entity),
                )
                for number, draft in self._drafts.items()
            ]
        )
        self.body.addWidget(self.list, 1)
        open_all = push_button("leftDrafts.open", tr("Open all"), self._open_all, kind="primary")
        open_all.setDefault(True)
        self.set_foot(
            push_button("leftDrafts.drop", tr("Discard all"), self._drop_all, kind="danger"),
            None,
            self.cancel_button(tr("Later")),
            open_all,
        )

    def _title(self, draft: FormDraft) -> str:
        entity = registry.find(draft.entity)
        if entity is None:
            return draft.title
        label = tr(entity.label) if draft.record is not None else new_record(entity)
        return f"{label} · {draft.title}" if draft.title else label

    def _open_one(self, number: int | None) -> None:
        draft = self._drafts.get(number or 0)
        if draft is not None and registry.find(draft.entity) is not None:
            window = self._windows.open(self._bench, draft.entity, draft.record)
            if (take := getattr(window, "take_draft", None)) is not None:
                take(draft)
                return
            bar = window.findChild(DraftBar)
            if bar is not None:
                bar.take_when_loaded(draft)

    def _open_all(self) -> None:
        for number in self._drafts:
            self._open_one(number)
        self.accept()

    def _drop_all(self) -> None:
        for draft in self._drafts.values():
            self._windows.drafts.files.remove(draft.key)
        self.accept()
