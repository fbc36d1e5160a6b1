"""Records that point to the record in hand: an account's contacts, opportunities, quotes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.services import query
from desktop_crm.services.filters import Rule
from desktop_crm.services.query import RecordQuery
from desktop_crm.views.lists import columns as list_columns
from desktop_crm.views.new_texts import new_record
from desktop_crm.views.widgets.buttons import LinkButton, tool_button
from desktop_crm.views.widgets.labels import Elide, Pill, SectionTitle, label
from desktop_crm.views.widgets.layout import clear, column, row, separator

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

MOST: Final = 8
_NOT_RELATED: Final = frozenset({"activity"})
_EXTRA: Final = {
    "contact": ("job_title", "email"),
    "opportunity": ("stage", "amount"),
    "quote": ("state", "total_amount"),
    "account": ("relationship_type", "city"),
    "lead": ("status_reason", "company"),
}


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """One record of a related list, as shown."""

    id: int
    title: str
    pill: str
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class RelatedList:
    """Records of one kind that point here; there are more when ``more`` says so."""

    entity: str
    via: str
    rows: tuple[RelatedRow, ...]
    more: bool


def kinds_of(entity_key: str) -> list[tuple[str, str]]:
    """(entity, link field) of the main entities that point to an entity."""
    found: list[tuple[str, str]] = []
    for other in registry.all():
        if other.menu is not Menu.MAIN or other.key in _NOT_RELATED:
            continue
        for field in other.fields.values():
            if field.target == entity_key and field.name in {entity_key, "parent"}:
                found.append((other.key, field.name))
    return found


def load(
    actor: Actor,
    formats: Formats,
    entity_key: str,
    record_id: int,
    cancel: Cancel | None = None,
) -> list[RelatedList]:
    """All related lists of a record; runs on a reader thread, one statement per list."""
    found: list[RelatedList] = []
    for key, via in kinds_of(entity_key):
        if not actor.can(key, "read"):
            continue
        other = registry.get(key)
        paths = (other.title, *_EXTRA.get(key, ()))
        columns = list_columns.columns(actor, other, paths)
        extras = tuple(column.extra for column in columns if column.extra)
        asked = RecordQuery(
            key,
            (*(column.path for column in columns), *extras),
            Rule(via, "=", record_id),
        )
        rows = query.first_page(actor, asked, MOST + 1, cancel=cancel)
        shown = tuple(_row(row.id, row.values, columns, extras, formats) for row in rows[:MOST])
        found.append(RelatedList(key, via, shown, len(rows) > MOST))
    return found


def _row(
    record_id: int,
    values: tuple[object, ...],
    columns: tuple[list_columns.ListColumn, ...],
    extras: tuple[str, ...],
    formats: Formats,
) -> RelatedRow:
    along = dict(zip(extras, values[len(columns) :], strict=True))
    pill, tone = "", "neutral"
    texts: list[str] = []
    for column_, value in zip(columns[1:], values[1:], strict=False):
        extra = along.get(column_.extra)
        text = column_.text(value, formats, extra)
        if column_.look is list_columns.Look.PILL and not pill:
            pill, tone = text, column_.tone(value, extra) or "neutral"
        elif text:
            texts.append(text)
    title = columns[0].text(values[0], formats)
    return RelatedRow(record_id, title, pill, tone, " · ".join(texts))


class RelatedPanel(QScrollArea):
    """The related lists one below the other, each with a button that adds to it."""

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self._entity = entity_key
        self._bench = bench
        self._record_id = 0
        self.setObjectName(f"related.{entity_key}")
        self.setAccessibleName(tr("Related"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        body.setObjectName("scrollbody")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(20, 12, 20, 12)
        self._column.setSpacing(6)
        self.setWidget(body)

    def show_record(self, record_id: int) -> None:
        """Load and show the lists of a record."""
        self._record_id = record_id
        self._bench.tasks.read(
            load,
            self._bench.actor,
            self._bench.formats,
            self._entity,
            record_id,
            done=self._take,
            owner=self,
            lane="related",
            cancellable=True,
        )

    def _take(self, lists: list[RelatedList]) -> None:
        clear(self._column)
        for related in lists:
            self._add(related)
        self._column.addStretch(1)

    def _add(self, related: RelatedList) -> None:
        other = registry.get(related.entity)
        count = f"{len(related.rows)}+" if related.more else str(len(related.rows))
        head: list[QWidget | None] = [SectionTitle(tr(other.plural)), Pill(count), None]
        if self._bench.actor.can(related.entity, "create"):
            head.append(
                tool_button(
                    f"related.{related.entity}.new",
                    new_record(other),
                    "add",
                    lambda: self._bench.shell.new_record(
                        related.entity, **{related.via: self._record_id}
                    ),
                )
            )
        self._column.addWidget(row(*head, spacing=8))
        if not related.rows:
            self._column.addWidget(label(tr("None yet"), "dim"))
        for shown in related.rows:
            self._column.addWidget(self._line(related, shown))
            self._column.addWidget(separator())
        self._column.addSpacing(10)

    def _line(self, related: RelatedList, shown: RelatedRow) -> QWidget:
        button = LinkButton(
            f"related.{related.entity}.{shown.id}",
            shown.title or "–",
            lambda: self._bench.shell.open_record(related.entity, shown.id),
        )
        top: list[QWidget | None] = [button, None]
        if shown.pill:
            top.append(Pill(shown.pill, shown.tone))
        parts = [row(*top, spacing=8)]
        if shown.text:
            parts.append(Elide(shown.text, "cap"))
        return column(*parts, spacing=0, margins=(0, 2, 0, 2))
