"""Says while a record is typed which records may be the same, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta import registry
from desktop_crm.views import theme
from desktop_crm.views.widgets.buttons import LinkButton, push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import Elide, label
from desktop_crm.views.widgets.layout import clear, column, row

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.services.duplicates.candidates import Candidate
    from desktop_crm.views.workbench import Workbench

REST_MS: Final = 350
MOST: Final = 3


def look(
    actor: Actor,
    entity: str,
    values: Mapping[str, Any],
    exclude_id: int | None = None,
    cancel: Cancel | None = None,
) -> list[Candidate]:
    """Find records that may be the same; runs on a reader thread."""
    from desktop_crm.services.duplicates.candidates import candidates

    return candidates(actor, entity, values, exclude_id, limit=20, cancel=cancel)


class AlikePanel(QFrame):
    """The likeliest records with their reasons; hidden while there are none.

    Attributes:
        chosen: The person wants one of them instead; carries the candidate.
        found: What was found is another; carries the candidates.
    """

    chosen = Signal(object)
    found = Signal(object)

    def __init__(self, name: str, bench: Workbench, *, use: str = "") -> None:
        """Build the panel, empty.

        Args:
            name: Object name.
            bench: The workbench.
            use: Text of a button that takes a record instead; empty: it can only be opened.
        """
        super().__init__()
        self.setObjectName("alike")
        self._name = name
        self._bench = bench
        self._use = use
        self._ask: Callable[[], tuple[str, Mapping[str, Any], int | None] | None] | None = None
        self._entity = ""
        self._own: int | None = None
        self.different: set[tuple[str, int]] = set()
        self.candidates: list[Candidate] = []
        self._glyph = Glyph("people", "warn")
        self._title = label("", "strong", wrap=True, name=f"{name}.title")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._glyph)
        head.addWidget(self._title, 1)
        layout.addLayout(head)
        layout.addLayout(self._rows)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._look)
        self.hide()

    def watch(self, ask: Callable[[], tuple[str, Mapping[str, Any], int | None] | None]) -> None:
        """Say what is looked for.

        Args:
            ask: Gives entity, values and the record's own key when it has one; None looks for
                nothing.
        """
        self._ask = ask

    @Slot()
    def look_soon(self) -> None:
        """Look once typing rests."""
        self._rest.start()

    @Slot()
    def _look(self) -> None:
        asked = self._ask() if self._ask is not None else None
        if asked is None or not any(asked[1].values()):
            self._bench.tasks.drop(self, "alike")
            self._take([])
            return
        entity, values, own = asked
        self._entity = entity
        self._own = own
        self._bench.tasks.read(
            look,
            self._bench.actor,
            entity,
            dict(values),
            own,
            done=self._take,
            owner=self,
            lane="alike",
            cancellable=True,
        )

    def clear(self) -> None:
        """Show nothing, and forget what was told apart: another record is typed."""
        self.different.clear()
        self._rest.stop()
        self._bench.tasks.drop(self, "alike")
        self._take([])

    def _take(self, found: list[Candidate]) -> None:
        found = [c for c in found if c.id is None or (c.entity, c.id) not in self.different]
        if found == self.candidates:
            return
        self.candidates = found
        clear(self._rows)
        self.setVisible(bool(found))
        blocked = any(candidate.blocks for candidate in found)
        theme.set_property(self, "kind", "bad" if blocked else "warn")
        self._glyph.show_icon("people", "bad" if blocked else "warn")
        self._title.setText(
            tr("A record with this tax id is there already; it cannot be saved twice.")
            if blocked
            else tr("This may be there already:")
        )
        for number, candidate in enumerate(found[:MOST], 1):
            self._rows.addWidget(self._row(number, candidate))
        if len(found) > MOST:
            more = len(found) - MOST
            self._rows.addWidget(label(ntr("and {n} more", "and {n} more", more), "cap"))
        self.setAccessibleName(
            " ".join((self._title.text(), *(c.title for c in found[:MOST] if c.title)))
        )
        self.found.emit(found)

    def _row(self, number: int, candidate: Candidate) -> QWidget:
        name = f"{self._name}.{number}"
        kind = tr(registry.get(candidate.entity).label)
        title: QWidget
        if candidate.id is None:
            title = label(tr("A record you may not see"), "dim")
        else:
            title = LinkButton(f"{name}.open", candidate.title or kind, lambda: self._open(number))
        words = " · ".join(part for part in (kind, candidate.subtitle) if part)
        texts = column(
            row(title, Elide(words, "dim"), spacing=8), Elide(candidate.why, "cap"), spacing=0
        )
        use: list[QWidget] = []
        if self._use and candidate.id is not None and candidate.entity == self._entity:
            use.append(push_button(f"{name}.use", self._use, lambda: self.chosen.emit(candidate)))
        elif candidate.id is not None and candidate.entity == self._entity and not candidate.blocks:
            use.append(
                LinkButton(f"{name}.differ", tr("Not the same"), lambda: self._tell_apart(number))
            )
        if self._may_merge(candidate):
            use.append(LinkButton(f"{name}.merge", tr("Merge…"), lambda: self._merge(number)))
        made = row(texts, *use, spacing=8)
        inner = made.layout()
        if inner is not None:
            inner.setStretch(0, 1)  # type: ignore[attr-defined]
        return made

    def _may_merge(self, candidate: Candidate) -> bool:
        actor, entity = self._bench.actor, candidate.entity
        both = candidate.id is not None and self._own is not None and entity == self._entity
        return both and actor.can(entity, "edit") and actor.can(entity, "remove")

    def _merge(self, number: int) -> None:
        from desktop_crm.views.duplicates.merge_dialog import MergeDialog

        candidate = self.candidates[number - 1]
        if self._own is not None and candidate.id is not None:
            MergeDialog(self._bench, candidate.entity, (self._own, candidate.id)).open()

    def _tell_apart(self, number: int) -> None:
        """Remember that a record is another one; of a new record once it is saved."""
        candidate = self.candidates[number - 1]
        if candidate.id is None:
            return
        self.different.add((candidate.entity, candidate.id))
        if self._own is not None:
            self.remember(self._own)
        self._take([c for c in self.candidates if c != candidate])

    def remember(self, record_id: int) -> None:
        """Keep for good what was told apart from a record, which is saved by now."""
        from desktop_crm.services.duplicates import review

        for entity, other in sorted(self.different):
            if entity == self._entity and other != record_id:
                self._bench.tasks.write(review.differ, self._bench.actor, entity, record_id, other)

    def _open(self, number: int) -> None:
        candidate = self.candidates[number - 1]
        if candidate.id is not None:
            self._bench.shell.open_record(candidate.entity, candidate.id)
