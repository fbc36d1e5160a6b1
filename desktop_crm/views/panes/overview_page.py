"""First tab of a record: its facts at a glance and what happened last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.views.forms import summary
from desktop_crm.views.panes.timeline import TimelineView
from desktop_crm.views.widgets.buttons import LinkButton, push_button
from desktop_crm.views.widgets.labels import Elide, SectionTitle, label
from desktop_crm.views.widgets.layout import row, separator

if TYPE_CHECKING:
    from desktop_crm.services.records import RecordValues
    from desktop_crm.services.timeline import TimelineItem
    from desktop_crm.views.workbench import Workbench

_RECENT: Final = 5
_SCHEMES: Final = {"email": "mailto:", "phone": "tel:", "url": ""}


class OverviewPage(QScrollArea):
    """Facts as label and value, the free text, the latest activities.

    Attributes:
        facts: The facts, made anew for each record; None before the first.
        all_wanted: The person wants to see every activity.
    """

    all_wanted = Signal()

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._entity = registry.get(entity_key)
        self.setObjectName(f"overview.{entity_key}")
        self.setAccessibleName(tr("Overview"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.facts: QWidget | None = None
        self._words = label("", wrap=True, name="overview.words")
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._recent_title = SectionTitle(tr("Recent activities"))
        self._all = push_button(
            f"overview.{entity_key}.all", tr("Show all"), self.all_wanted.emit, kind="link"
        )
        self._recent_head = row(self._recent_title, None, self._all, margins=(0, 0, 0, 2))
        self._none = label(tr("No activities yet"), "dim")
        self._recent = TimelineView(
            f"recent.{entity_key}", bench.formats, shows_why=False, margin=0
        )
        self._recent.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._recent.opened.connect(lambda key: bench.shell.open_record("activity", key))
        body = QWidget()
        body.setObjectName("scrollbody")
        column = QVBoxLayout(body)
        column.setContentsMargins(20, 14, 20, 12)
        column.setSpacing(10)
        column.addWidget(SectionTitle(tr("Key data")))
        self._facts_place = QVBoxLayout()
        column.addLayout(self._facts_place)
        column.addWidget(self._words)
        self._line = separator()
        column.addWidget(self._line)
        column.addWidget(self._recent_head)
        column.addWidget(self._none)
        column.addWidget(self._recent)
        column.addStretch(1)
        self.setWidget(body)

    def show_record(
        self, record: RecordValues, items: list[TimelineItem], *, has_timeline: bool
    ) -> None:
        """Show a record and the latest of its activities."""
        self._show_facts(record)
        words = str(record.values.get("description") or "").strip()
        self._words.setText(words)
        self._words.setVisible(bool(words))
        for widget in (self._line, self._recent_head):
            widget.setVisible(has_timeline)
        self._all.setVisible(len(items) > _RECENT)
        self._none.setVisible(has_timeline and not items)
        self._recent.setVisible(bool(items))
        self._recent.show_items(items[:_RECENT], fit=True)

    def _show_facts(self, record: RecordValues) -> None:
        before = self.facts
        self.facts = QWidget()
        grid = QGridLayout(self.facts)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(9)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, 92)
        for line, fact in enumerate(
            summary.facts(registry.get(record.entity), record, self._bench.formats)
        ):
            caption = Elide(fact.label, "dim")
            caption.setMaximumWidth(130)
            grid.addWidget(caption, line, 0)
            grid.addWidget(self._value(fact), line, 1)
        self._facts_place.addWidget(self.facts)
        if before is not None:
            self._facts_place.removeWidget(before)
            before.hide()
            before.deleteLater()

    def _value(self, fact: summary.Fact) -> QWidget:
        kind = fact.field.kind.name
        name = f"fact.{self._entity.key}.{fact.field.name}"
        if fact.target_id is not None:
            target = registry.find(fact.field.target)
            if target is not None and target.menu is Menu.MAIN:
                return self._link(name, fact.text, fact.field.target, fact.target_id)
        scheme = _SCHEMES.get(kind)
        if scheme is not None:
            address = fact.text.replace(" ", "") if kind == "phone" else fact.text
            if kind == "url" and "://" not in address:
                address = f"https://{address}"
            link = LinkButton(
                name, fact.text, lambda: QDesktopServices.openUrl(QUrl(f"{scheme}{address}"))
            )
            return row(link, None)
        return Elide(fact.text)

    def _link(self, name: str, text: str, entity: str, record_id: int) -> QWidget:
        link = LinkButton(name, text, lambda: self._bench.shell.open_record(entity, record_id))
        return row(link, None)
