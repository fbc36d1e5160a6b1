"""Files, connections, hierarchy and history as pages of a record's own window."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.views.panes.record_tabs import TABS
from desktop_crm.views.widgets.tab_order import put_behind

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.forms.form_pages import FormPages
    from desktop_crm.views.panes.record_tabs import RecordTab, TabPage
    from desktop_crm.views.workbench import Workbench


class FurtherPages(QObject):
    """The tabs of :data:`~.record_tabs.TABS` behind those of the form; made when first seen.

    A record that was never saved has none of them.
    """

    def __init__(self, entity_key: str, bench: Workbench, pages: FormPages) -> None:
        super().__init__(pages)
        self._entity = entity_key
        self._bench = bench
        self._pages = pages
        self._record: RecordValues | None = None
        self._holders: dict[QWidget, RecordTab] = {}
        self._made: dict[QWidget, TabPage] = {}
        self._stale: set[QWidget] = set()
        for tab in TABS:
            if tab.applies(entity_key):
                holder = QWidget()
                QVBoxLayout(holder).setContentsMargins(4, 0, 4, 0)
                pages.add_page(tr(tab.label), holder, tr(registry.get(entity_key).label))
                pages.show_page(holder, shown=False)
                self._holders[holder] = tab
        pages.turned.connect(self._fill)

    def show_record(self, record: RecordValues) -> None:
        """Show another record, or the same one as it stands now."""
        self._record = record
        self._stale = set(self._holders)
        for holder in self._holders:
            self._pages.show_page(holder, shown=record.id is not None)
        self._fill(self._pages.front)

    def take_changes(self, changes: ChangeSet) -> None:
        """Load the page in front again when what it shows was changed; the others later."""
        for holder, page in self._made.items():
            if page.concerns(changes):
                self._stale.add(holder)
        self._fill(self._pages.front)

    @Slot(object)
    def _fill(self, front: QWidget | None) -> None:
        record = self._record
        if front is None or record is None or record.id is None or front not in self._stale:
            return
        self._stale.discard(front)
        made = self._made.get(front)
        if made is None:
            page = self._holders[front].make(self._entity, self._bench)
            made = self._made[front] = cast("TabPage", page)
            layout = front.layout()
            if layout is not None:
                layout.addWidget(page)
            put_behind(self._pages.tabs.more, page)
        made.show_record(record)
