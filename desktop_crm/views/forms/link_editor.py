"""Editor of a link to another record: type a few letters, choose from what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.icons import icon

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.query import Suggestion
    from desktop_crm.views.workbench import Workbench

REST_MS: Final = 150
LIMIT: Final = 20
_ID: Final = int(Qt.ItemDataRole.UserRole)


class LinkEditor(Editor):
    """The target's title; its value is the target's id, None while empty.

    The suggestions are asked from the database off the UI thread, 150 ms after the last key.
    """

    def __init__(self, field: BoundField, formats: Formats, name: str, bench: Workbench) -> None:
        super().__init__(field, formats, name)
        self._bench = bench
        self._id: int | None = None
        self._title = ""
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("Type to search"))
        self.line.textEdited.connect(self._edited)
        self.line.editingFinished.connect(self.left)
        self.line.installEventFilter(self)
        self._layout.addWidget(self.line, 1)
        self._adopt(self.line)
        self._open = self.line.addAction(
            icon("chevron_right", fill_on=False), QLineEdit.ActionPosition.TrailingPosition
        )
        self._open.setText(tr("Open the record"))
        self._open.setToolTip(tr("Open the record"))
        self._open.triggered.connect(self._open_target)
        self._open.setVisible(False)
        self._choices = self.line.addAction(
            icon("chevron_down", fill_on=False), QLineEdit.ActionPosition.TrailingPosition
        )
        self._choices.setText(tr("Show choices"))
        self._choices.setToolTip(tr("Show choices"))
        self._choices.triggered.connect(self._show_all)
        self._show_open()
        self._found = QStandardItemModel(self)
        self._completer = QCompleter(self._found, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setMaxVisibleItems(10)
        self._completer.setWidget(self.line)
        self._popup = QListView()
        self._popup.setObjectName(f"{name}.suggestions")
        self._popup.setAccessibleName(tr("Suggestions"))
        self._popup.setProperty("popup", True)
        self._completer.setPopup(self._popup)
        self._completer.activated.connect(self._choose)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask_typed)

    def _show(self, value: object, title: str) -> None:
        self._id = value if isinstance(value, int) else None
        self._title = title
        self.line.setText(title)
        self.line.setCursorPosition(0)
        self._show_open()

    def _show_open(self) -> None:
        target = registry.find(self.field.target)
        leads_there = target is not None and target.menu is Menu.MAIN
        self._open.setVisible(self._id is not None and leads_there)
        self._choices.setVisible(not leads_there and not self.line.isReadOnly())

    @Slot()
    def _show_all(self) -> None:
        """Unfold the first choices, whatever stands in the field."""
        self.line.setFocus()
        self.line.selectAll()
        self._ask("")

    @property
    def title(self) -> str:
        """Shown title of the target."""
        return self._title

    def value(self) -> object:
        if self.line.text().strip() == "":
            return None
        if self._id is None or self.line.text().strip() != self._title:
            raise UserError(
                N_("“{text}” was not chosen from the list. Choose an entry or clear the field."),
                text=self.line.text().strip(),
            )
        return self._id

    def kept(self) -> Any:  # noqa: ANN401  JSON
        return {"id": self._id, "title": self._title, "text": self.line.text()}

    def bring(self, kept: Any) -> None:  # noqa: ANN401  JSON
        self.load(kept.get("id"), str(kept.get("title") or ""))
        self.line.setText(str(kept.get("text") or ""))

    def is_empty(self) -> bool:
        return not self.line.text().strip()

    def set_read_only(self, read_only: bool) -> None:
        self.line.setReadOnly(read_only)
        self.line.setPlaceholderText("" if read_only else tr("Type to search"))
        self._show_open()

    @Slot(str)
    def _edited(self, text: str) -> None:
        if text.strip() != self._title:
            self._id = None
            self._show_open()
        self._told()
        self._rest.start()

    @Slot()
    def _ask_typed(self) -> None:
        self._ask(self.line.text().strip())

    def _ask(self, typed: str) -> None:
        from desktop_crm.services import query

        self._bench.tasks.read(
            query.suggest,
            self._bench.actor,
            self.field.target,
            typed,
            LIMIT,
            done=self._take,
            owner=self,
            lane="suggest",
        )

    def _take(self, found: list[Suggestion]) -> None:
        if self.line.isReadOnly() or not self.line.hasFocus():
            return
        self._found.clear()
        for suggestion in found:
            item = QStandardItem(suggestion.title)
            item.setData(suggestion.id, _ID)
            item.setToolTip(suggestion.subtitle)
            if suggestion.subtitle:
                item.setData(
                    f"{suggestion.title}, {suggestion.subtitle}",
                    Qt.ItemDataRole.AccessibleTextRole,
                )
            self._found.appendRow(item)
        if not found:
            item = QStandardItem(tr("Nothing found"))
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._found.appendRow(item)
        self._completer.complete()

    @Slot(str)
    def _choose(self, title: str) -> None:
        index = self._popup.currentIndex()
        record_id = index.data(_ID)
        if record_id is None:
            matches = self._found.findItems(title)
            record_id = matches[0].data(_ID) if matches else None
        if not isinstance(record_id, int):
            return
        self._id = record_id
        self._title = title
        self.line.setText(title)
        self._show_open()
        self.changed.emit()
        self.left.emit()

    @Slot()
    def _open_target(self) -> None:
        if self._id is not None:
            self._bench.shell.open_record(self.field.target, self._id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Down
            and not self._popup.isVisible()
            and not self.line.isReadOnly()
        ):
            self._show_all()
            return True
        return False
