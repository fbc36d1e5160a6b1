"""Type a few letters, choose a record of any of several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.models.activity import REGARDING
from desktop_crm.models.marking import MarkKind
from desktop_crm.services import marks, query
from desktop_crm.services.query import Suggestion
from desktop_crm.views import icons, theme
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

FILED_TO: Final = tuple(reversed(REGARDING))
"""Records mail can be filed to, customers first: their names are what people type."""
Records = list[tuple[str, Suggestion]]

EACH = 6
_LATEST: Final = 24
"""Records opened lately that are looked through for those of the kinds asked for."""
REST_MS = 120


def find(actor: Actor, entities: Sequence[str], text: str) -> Records:
    """The best few records of each kind whose name holds the text."""
    return [
        (entity, found)
        for entity in entities
        if actor.can(entity, "read")
        for found in query.suggest(actor, entity, text, EACH)
    ]


def opened_lately(actor: Actor, entities: Sequence[str]) -> Records:
    """The records of these kinds that the user looked at last, the latest first."""
    looked = marks.marked(actor, MarkKind.VIEWED, _LATEST)
    fit = [one for one in looked if one.entity in entities and actor.can(one.entity, "read")]
    return [
        (one.entity, Suggestion(one.id, one.title, tr(registry.get(one.entity).label)))
        for one in fit[:EACH]
    ]


class FindRecordDialog(Dialog):
    """Choose one record.

    Attributes:
        chosen: entity, id and title of the record.
    """

    chosen = Signal(str, object, str)

    def __init__(
        self,
        parent: QWidget | None,
        bench: Workbench,
        title: str,
        entities: Sequence[str],
        *,
        subtitle: str = "",
        choose: str = "",
    ) -> None:
        """Build the dialog.

        Args:
            parent: Window it stands over.
            bench: The workbench.
            title: What the record is chosen for.
            entities: Kinds it may be of.
            subtitle: A line below the title.
            choose: Caption of the button that takes it; empty for "Link".
        """
        super().__init__(parent, "findRecord", title, subtitle=subtitle, width=520)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._entities = tuple(entities)
        self.line = QLineEdit()
        self.line.setObjectName("findRecord.text")
        self.line.setAccessibleName(tr("Name of the record"))
        self.line.setPlaceholderText(tr("Type a name, a number or an address"))
        self.line.setClearButtonEnabled(True)
        self.line.installEventFilter(self)
        self.found = LineList("findRecord.list", tr("Records found"))
        self.found.setMinimumHeight(theme.scaled(300))
        self.found.shows_current = True
        self.found.opened.connect(self._take)
        self._nothing = label("", "dim", name="findRecord.nothing")
        self._choose = push_button(
            "findRecord.choose", choose or tr("Link"), self._take_current, kind="primary"
        )
        self._choose.setDefault(True)
        self._choose.setEnabled(False)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        self.line.textChanged.connect(lambda _text: self._rest.start())
        self.body.addWidget(self.line)
        self.body.addWidget(self._nothing)
        self.body.addWidget(self.found, 1)
        self.set_foot(None, self.cancel_button(), self._choose)
        self.line.setFocus()
        self._ask()

    def _ask(self) -> None:
        typed = self.line.text().strip()
        self._bench.tasks.read(
            partial(self._found, self._bench.actor, self._entities, typed),
            done=self._show, failed=self.show_error, owner=self, lane="find",
        )  # fmt: skip

    @staticmethod
    def _found(actor: Actor, entities: Sequence[str], typed: str) -> tuple[Records, Records]:
        """On a reader: what was opened lately while nothing is typed, and what fits."""
        lately = [] if typed else opened_lately(actor, entities)
        return lately, find(actor, entities, typed)

    def _show(self, answer: tuple[Records, Records]) -> None:
        lately, found = answer
        lines: list[Line] = []
        if lately:
            lines.append(Line(None, title=tr("Recently opened")))
            lines += [self._line(entity, one) for entity, one in lately]
        last = ""
        for entity, one in found:
            if entity != last:
                lines.append(Line(None, title=tr(registry.get(entity).plural)))
                last = entity
            lines.append(self._line(entity, one))
        self.found.show_lines(lines)
        self._choose.setEnabled(bool(lines))
        self._nothing.setText("" if lines else tr("Nothing found. Try another spelling."))
        self._nothing.setVisible(not lines)

    @staticmethod
    def _line(entity: str, one: Suggestion) -> Line:
        return Line(
            one.id,
            entity=entity,
            title=one.title,
            subtitle=one.subtitle,
            icon=icons.entity_icon(entity),
        )

    def _take_current(self) -> None:
        line = self.found.current_line()
        if line is not None:
            self._take(line)

    def _take(self, line: Line) -> None:
        if line.id is not None:
            self.chosen.emit(line.entity, line.id, line.title)
            self.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            keys = {Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp}
            if event.key() in keys:
                self.found.keyPressEvent(event)
                return True
        return super().eventFilter(watched, event)
