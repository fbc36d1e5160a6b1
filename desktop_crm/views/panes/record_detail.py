"""The record beside the list: who it is, what happened, its fields, what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.errors import NotFound
from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.models.activity import REGARDING
from desktop_crm.services.customizing import definitions
from desktop_crm.views.actions import Action
from desktop_crm.views.forms import summary
from desktop_crm.views.mail.dropped import DropTaker
from desktop_crm.views.panes import follow_up
from desktop_crm.views.panes.details_page import DetailsPage
from desktop_crm.views.panes.mark_commands import MarkButtons
from desktop_crm.views.panes.overview_page import OverviewPage
from desktop_crm.views.panes.record_tabs import TABS
from desktop_crm.views.panes.related import RelatedPanel
from desktop_crm.views.panes.timeline import TimelineView
from desktop_crm.views.widgets.action_bar import ActionBar
from desktop_crm.views.widgets.avatar import Avatar
from desktop_crm.views.widgets.buttons import LinkButton, tool_button
from desktop_crm.views.widgets.cards import EmptyState, Glyph
from desktop_crm.views.widgets.fitting_tabs import FittingTabBar
from desktop_crm.views.widgets.labels import Elide, Pill
from desktop_crm.views.widgets.layout import column, row, separator
from desktop_crm.views.widgets.tab_order import put_behind

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.db.engine import Cancel
    from desktop_crm.services import records
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.services.records import RecordValues
    from desktop_crm.services.timeline import TimelineItem
    from desktop_crm.views.panes.record_tabs import RecordTab, TabPage
    from desktop_crm.views.workbench import Workbench

_ITEMS: Final = 50
_SHORT: Final = 20
"""Signs up to which the words below the title stand whole: the number of a case, of a quote."""
_PERSON_LIKE: Final = frozenset({"contact", "account"})
_NOTE_TITLE: Final = 80
_OF_TIMELINE: Final = frozenset({"overview", "activities"})
"""Tabs that show what happened around the record; it is read for them alone."""


@dataclass(frozen=True, slots=True)
class LoadedRecord:
    """A record and what happened around it; ``items`` is None while nobody looks at that."""

    record: RecordValues
    items: list[TimelineItem] | None
    has_timeline: bool


def load_record(
    actor: Actor,
    entity_key: str,
    record_id: int,
    cancel: Cancel | None = None,
    *,
    looks: bool = True,
) -> LoadedRecord:
    """Read a record and, where somebody looks at it, its timeline; runs on a reader thread."""
    # Loaded here, on a reader thread, so that the list in front of it is painted first.
    from desktop_crm.services import records

    record = records.get(actor, entity_key, record_id)
    has_timeline = entity_key in REGARDING and actor.can("activity", "read")
    if not has_timeline or not looks:
        return LoadedRecord(record, None if has_timeline else [], has_timeline)
    return LoadedRecord(record, load_items(actor, entity_key, record_id, cancel), has_timeline)


def load_items(
    actor: Actor, entity_key: str, record_id: int, cancel: Cancel | None = None
) -> list[TimelineItem]:
    """Read the latest that happened around a record; one statement."""
    from desktop_crm.services.timeline import timeline

    return timeline(actor, entity_key, record_id, _ITEMS, cancel=cancel)


class RecordDetail(QFrame):
    """Header card, actions, and tabs: overview, activities, details, related.

    Attributes:
        shown: Another record is shown; carries its key or None.
    """

    shown = Signal(object)

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName("detail")
        self.entity = registry.get(entity_key)
        self._bench = bench
        self.record: RecordValues | None = None
        self.record_id: int | None = None
        self._stale: set[str] = set()
        self._items: list[TimelineItem] | None = None
        self._has_timeline = False
        self.empty = EmptyState(
            self.entity.icon,
            tr("Nothing selected"),
            tr("Choose a record in the list to see it here."),
            name=f"detail.{entity_key}.empty",
        )
        self._page = QWidget()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._stack)
        self._build(entity_key)
        DropTaker(self, bench, self._regarding)
        self._reload = QTimer(self)
        self._reload.setSingleShot(True)
        self._reload.setInterval(150)
        self._reload.timeout.connect(self.refresh)

    def _regarding(self) -> list[tuple[str, int]]:
        """Where mail that is dropped here belongs."""
        can = self.entity.key in REGARDING and self.record_id is not None
        return [(self.entity.key, self.record_id or 0)] if can else []

    # --- building --------------------------------------------------------------------------

    def _build(self, key: str) -> None:
        self._avatar = Avatar("", 48) if key in _PERSON_LIKE else None
        self._title = Elide("", "h1")
        self._pill = Pill()
        self._subtitle = Elide("", "dim")
        self._link = LinkButton(f"detail.{key}.link", "", self._open_subtitle)
        self._link.hide()
        self._subtitle_target: tuple[str, int] | None = None
        self.marks = MarkButtons(key, self._bench)
        symbol: QWidget = self._avatar or Glyph(self.entity.icon, "accent_text", 28)
        names = column(
            row(self._title, self._pill, None, spacing=10),
            row(self._subtitle, self._link, None, self.marks, spacing=6),
            spacing=2,
        )
        head = row(symbol, names, spacing=14)
        head_layout = head.layout()
        if head_layout is not None:
            head_layout.setAlignment(symbol, Qt.AlignmentFlag.AlignTop)
        actions = self.follow_up_actions(lambda: True)
        edit = tool_button(
            f"detail.{key}.edit",
            tr("Edit in a window"),
            "edit",
            self._edit,
            show_text=not actions,
        )
        shown = [
            tool_button(
                f"detail.{key}.{action.id}", action.text, action.icon, action.run, show_text=True
            )
            for action in actions
        ]
        bar = ActionBar(shown, edit) if actions else row(edit, None)
        self.tabs = FittingTabBar(f"detail.{key}.tabs")
        self._pages = QStackedWidget()
        self._tab_keys: list[str] = []
        self._more: dict[str, RecordTab] = {}
        self._holders: dict[str, QVBoxLayout] = {}
        self._made: dict[str, TabPage] = {}
        self._make_pages(key, has_activities=key in REGARDING)
        self.tabs.currentChanged.connect(self._tab_changed)
        layout = QVBoxLayout(self._page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(column(head, bar, spacing=10, margins=(20, 16, 12, 6)))
        layout.addWidget(row(self.tabs, self.tabs.more, margins=(20, 0, 8, 0)))
        layout.addWidget(separator())
        layout.addWidget(self._pages, 1)

    def _make_pages(self, key: str, *, has_activities: bool) -> None:
        bench = self._bench
        self.overview = OverviewPage(key, bench)
        self.overview.all_wanted.connect(lambda: self.show_tab("activities"))
        self._add_tab("overview", tr("Overview"), self.overview)
        self.activities = TimelineView(f"timeline.{key}", bench.formats, shows_why=True)
        self.activities.setParent(self)
        self.activities.hide()
        self.activities.opened.connect(self._open_activity)
        self.activities.end_reached.connect(self._load_older)
        if has_activities:
            self._note = QLineEdit()
            self._note.setObjectName(f"timeline.{key}.note")
            self._note.setPlaceholderText(tr("Write a note and press Enter"))
            self._note.setAccessibleName(tr("New note"))
            self._note.returnPressed.connect(self._save_note)
            self._nothing = EmptyState(
                "task_list_square_ltr",
                tr("No activities yet"),
                tr("Calls, meetings, tasks, mail and notes of this record gather here."),
                name=f"timeline.{key}.empty",
            )
            self._timeline_pages = QStackedWidget()
            self._timeline_pages.addWidget(self.activities)
            self._timeline_pages.addWidget(self._nothing)
            page = column(row(self._note, margins=(20, 12, 20, 8)), self._timeline_pages, spacing=0)
            self._add_tab("activities", tr("Activities"), page)
        self.details = DetailsPage(key, bench)
        self._add_tab("details", tr("Details"), self.details)
        self.related = RelatedPanel(key, bench)
        self.related.setParent(self)
        self.related.hide()
        if self.related.sections:
            self._add_tab("related", tr("Related"), self.related)
        for tab in TABS:
            if tab.applies(key):
                page = QWidget()
                self._holders[tab.key] = QVBoxLayout(page)
                self._holders[tab.key].setContentsMargins(0, 0, 0, 0)
                self._add_tab(tab.key, tr(tab.label), page)
                self._more[tab.key] = tab

    def _add_tab(self, key: str, text: str, page: QWidget) -> None:
        self._tab_keys.append(key)
        self.tabs.addTab(text)
        self._pages.addWidget(page)

    def follow_up_actions(self, enabled: Callable[[], bool]) -> list[Action]:
        """Commands that add an activity to the record shown."""
        return follow_up.actions(self._bench, self.entity.key, lambda: self.record, enabled)

    # --- showing ---------------------------------------------------------------------------

    def show_record(self, record_id: int | None) -> None:
        """Load and show a record; None shows what to do instead."""
        self.record_id = record_id
        if record_id is None:
            self._bench.tasks.drop(self, "record")
            self.record = None
            self._stack.setCurrentWidget(self.empty)
            self.shown.emit(None)
            return
        self._bench.tasks.read(
            partial(load_record, looks=self._front in _OF_TIMELINE),
            self._bench.actor,
            self.entity.key,
            record_id,
            done=self._take,
            failed=self._failed,
            owner=self,
            lane="record",
            cancellable=True,
        )

    def refresh(self) -> None:
        """Load the record again; a form with unsaved changes is left alone."""
        if self.record_id is not None:
            self.show_record(self.record_id)

    def _take(self, loaded: LoadedRecord) -> None:
        record = loaded.record
        self.record = record
        self._show_head(record)
        self.marks.show_record(record.id)
        self._items = loaded.items
        self._has_timeline = loaded.has_timeline
        self._stale = set(self._tab_keys)
        self._fill_tab()
        self._stack.setCurrentWidget(self._page)
        self.shown.emit(record.id)

    def _take_items(self, items: list[TimelineItem]) -> None:
        self._items = items
        self._fill_tab()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, NotFound):
            self.show_record(None)
            self.empty.say(tr("This record is gone"), str(error))
        else:
            self._bench.shell.show_error(error)

    def _show_head(self, record: RecordValues) -> None:
        title = record.title or "–"
        self._title.setText(title)
        self.setAccessibleName(title)
        if self._avatar is not None:
            self._avatar.show_name(title)
        text, tone = summary.pill_of(self.entity, record, self._bench.formats)
        self._pill.show_text(text, tone)
        words, target = self._subtitle_of(record)
        self._subtitle.setText(words)
        self._subtitle.setVisible(bool(words))
        whole = self._subtitle.fontMetrics().horizontalAdvance(words) + 2
        self._subtitle.setMinimumWidth(whole if len(words) <= _SHORT else 24)
        self._subtitle_target = target[1] if target else None
        self._link.show_text(target[0] if target else "")
        self._link.setVisible(target is not None)

    def _subtitle_of(self, record: RecordValues) -> tuple[str, tuple[str, tuple[str, int]] | None]:
        name = self.entity.subtitle
        field = self.entity.fields.get(name)
        words = ""
        if field is not None and field.kind.name != "link":
            words = summary.shown(field, record, self._bench.formats)
        account = record.values.get("account")
        if isinstance(account, int) and self.entity.key != "account":
            return words, (record.titles.get("account", ""), ("account", account))
        return words, None

    # --- tabs ------------------------------------------------------------------------------

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front: overview, activities, details or related."""
        if key in self._tab_keys:
            self.tabs.setCurrentIndex(self._tab_keys.index(key))

    def _tab_changed(self, index: int) -> None:
        self._pages.setCurrentIndex(index)
        self._fill_tab()

    def _fill_tab(self) -> None:
        """Fill the tab in front when it shows another record still."""
        key = self._front
        record = self.record
        if record is None or record.id is None or key not in self._stale:
            return
        if key in _OF_TIMELINE and self._items is None:
            self._bench.tasks.read(
                load_items,
                self._bench.actor,
                self.entity.key,
                record.id,
                done=self._take_items,
                owner=self,
                lane="items",
                cancellable=True,
            )
            return
        self._stale.discard(key)
        if key == "overview":
            has_timeline = self._has_timeline
            self.overview.show_record(record, self._items or [], has_timeline=has_timeline)
            if self.overview.facts is not None:
                put_behind(self.tabs.more, self.overview.facts)
        elif key == "activities":
            self.activities.show_items(self._items or [])
            page = self.activities if self._items else self._nothing
            self._timeline_pages.setCurrentWidget(page)
        elif key == "details":
            self.details.show_record(record)
        elif key in self._more:
            self._page_of(key).show_record(record)
        else:
            self.related.show_record(record.id)

    @property
    def _front(self) -> str:
        return self._tab_keys[self.tabs.currentIndex()]

    def _page_of(self, key: str) -> TabPage:
        """Page of one of the further tabs, made when it is first looked at."""
        made = self._made.get(key)
        if made is None:
            page = self._more[key].make(self.entity.key, self._bench)
            made = self._made[key] = cast("TabPage", page)
            self._holders[key].addWidget(page)
        return made

    def may_leave(self) -> bool:
        """Whether another record may be shown; asks when the form holds unsaved changes."""
        return self.details.may_leave()

    def take_changes(self, changes: ChangeSet) -> None:
        """Load again when the shown record, its timeline or what it consists of changed."""
        if changes.touches(*definitions.OWN):
            self.entity = registry.get(self.entity.key)
        self.related.take_changes(changes)
        if self.record_id is None:
            return
        kinds = {kind for c in changes.changes if c.entity == "record_mark" for kind in c.fields}
        if kinds & self.marks.KINDS:
            self.marks.read_again()
        near = {"link", "activity", *definitions.OWN}
        of_pages = any(page.concerns(changes) for page in self._made.values())
        if self.record_id in changes.ids(self.entity.key) or changes.touches(*near) or of_pages:
            self._reload.start()

    # --- doing -----------------------------------------------------------------------------

    def _edit(self) -> None:
        if self.record_id is not None:
            self._bench.shell.open_record(self.entity.key, self.record_id)

    def _open_subtitle(self) -> None:
        if self._subtitle_target is not None:
            self._bench.shell.open_record(*self._subtitle_target)

    def _open_activity(self, activity_id: int) -> None:
        self._bench.shell.open_record("activity", activity_id)

    def _load_older(self) -> None:
        from desktop_crm.services.timeline import timeline

        last = self.activities.items.last
        if last is None or self.record_id is None or self.activities.items.rowCount() < _ITEMS:
            return
        self._bench.tasks.read(
            timeline,
            self._bench.actor,
            self.entity.key,
            self.record_id,
            _ITEMS,
            last,
            done=self.activities.items.add,
            owner=self,
            lane="older",
            cancellable=True,
        )

    def _save_note(self) -> None:
        from desktop_crm.services import records

        text = self._note.text().strip()
        if not text or self.record is None:
            return
        values = follow_up.defaults(self._bench, "note", self.entity.key, self.record)
        values["subject"] = text[:_NOTE_TITLE]
        if len(text) > _NOTE_TITLE:
            values["description"] = text
        values["state"] = "completed"

        def done(saved: records.Saved) -> None:
            self._note.clear()
            self._bench.bus.publish(saved.changes)
            self._bench.shell.toast(tr("Note saved"), undo=True)

        self._bench.tasks.write(
            records.save,
            self._bench.actor,
            "activity",
            None,
            None,
            values,
            done=done,
            owner=self,
            label=tr("Saving"),
        )
