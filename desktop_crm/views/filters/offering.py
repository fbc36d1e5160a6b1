"""What a person may choose while building a filter: fields, operators, related records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import fold
from desktop_crm.meta import kinds, registry
from desktop_crm.services.filters import relations
from desktop_crm.services.filters.fields import NUMBERS
from desktop_crm.services.permissions import knows, visible_fields
from desktop_crm.views import theme
from desktop_crm.views.filters.words import field_text
from desktop_crm.views.forms.editor import QuietCombo

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField, Entity
    from desktop_crm.services.context import Actor
    from desktop_crm.services.filters.relations import Relation

CODE: Final = int(Qt.ItemDataRole.UserRole)
_FOLDED: Final = CODE + 1
_LAST_MENTIONED: Final = frozenset({"created_by", "modified_by", "linked_by", "decided_by"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry: its stable name and what a person reads."""

    code: str
    label: str


def fields(actor: Actor, entity: Entity) -> list[Choice]:
    """Fields of an entity, then those of the records its links point to."""
    found = [Choice(f.name, tr(f.label)) for f in _shown(actor, entity)]
    for link in _shown(actor, entity):
        if link.kind is not kinds.LINK:
            continue
        target = registry.get(link.target)
        if actor.can(target, "read"):
            for field in _shown(actor, target):
                path = f"{link.name}.{field.name}"
                found.append(Choice(path, field_text(entity, path)))
    return found


def _shown(actor: Actor, entity: Entity) -> Iterator[BoundField]:
    for field in visible_fields(actor, entity).values():
        if not field.hidden:
            yield field


def related(actor: Actor, entity: Entity) -> list[Choice]:
    """Relations of an entity, those to several records first."""
    known = [r for r in relations.relations(entity).values() if _is_offered(actor, r)]
    known.sort(key=lambda r: (r.is_one, r.field is not None and r.field.name in _LAST_MENTIONED))
    return [Choice(r.name, r.title) for r in known]


def _is_offered(actor: Actor, relation: Relation) -> bool:
    readable = relation.entity == "record_mark" or actor.can(relation.entity, "read")
    return readable and (relation.field is None or knows(actor, relation.field))


def numbers(actor: Actor, entity: Entity) -> list[Choice]:
    """Fields of an entity that can be added up."""
    return [Choice(f.name, tr(f.label)) for f in _shown(actor, entity) if f.kind in NUMBERS]


class _Found(QCompleter):
    """Finds an entry by any part of its label, without regard to case and accents."""

    def splitPath(self, path: str) -> list[str]:
        return [fold(path)]

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        return str(index.data(Qt.ItemDataRole.DisplayRole))


def model_of(choices: list[Choice], parent: QObject) -> QStandardItemModel:
    """Entries as a model, shared by every box that offers them."""
    model = QStandardItemModel(parent)
    for choice in choices:
        item = QStandardItem(choice.label)
        item.setData(choice.code, CODE)
        item.setData(fold(choice.label), _FOLDED)
        model.appendRow(item)
    return model


class FindBox(QuietCombo):
    """A box of many entries: typing narrows them, Enter takes the first that fits.

    Attributes:
        entered: An entry was taken by Enter; the keyboard may go on.
    """

    entered = Signal()

    def __init__(self, name: str, caption: str, model: QStandardItemModel) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(caption)
        self.setEditable(True)
        self.setInsertPolicy(QuietCombo.InsertPolicy.NoInsert)
        self.setMaxVisibleItems(14)
        self.setModel(model)
        self.setCurrentIndex(-1)
        self.line = line = QLineEdit()
        self.setLineEdit(line)
        line.setObjectName(f"{name}.text")
        line.setAccessibleName(caption)
        line.setPlaceholderText(caption)
        finder = _Found(model, self)
        finder.setCompletionRole(_FOLDED)
        finder.setFilterMode(Qt.MatchFlag.MatchContains)
        finder.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        finder.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        finder.setMaxVisibleItems(12)
        self._popup = popup = QListView()
        popup.setObjectName(f"{name}.found")
        popup.setAccessibleName(caption)
        popup.setProperty("popup", True)
        finder.setPopup(popup)
        self.setCompleter(finder)
        finder.activated.connect(lambda _text: self.entered.emit())
        line.editingFinished.connect(self._settle)
        self._taken = -1
        self.activated.connect(self._took)

    def begin(self) -> None:
        """Take the keyboard; typing replaces what is chosen."""
        self.setFocus(Qt.FocusReason.TabFocusReason)
        self.line.selectAll()

    def code(self) -> str:
        """Name of the chosen entry; empty while none is."""
        return str(self.itemData(self._taken, CODE)) if self._taken >= 0 else ""

    def choose(self, code: str) -> None:
        """Show an entry without telling; an unknown name is offered as it is."""
        index = self.findData(code, CODE)
        if index < 0 and code:
            item = QStandardItem(code)
            item.setData(code, CODE)
            item.setData(fold(code), _FOLDED)
            model = self.model()
            assert isinstance(model, QStandardItemModel)  # noqa: S101  given at the start
            model.appendRow(item)
            index = model.rowCount() - 1
        self._taken = index
        self.setCurrentIndex(index)
        self.line.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._settle()  # and not the dialog's default button
            self.entered.emit()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # While the list of what fits is unfolded, it swallows the news that the keyboard left.
        self._popup.hide()
        self._settle()
        return super().focusNextPrevChild(forward)

    def _took(self, index: int) -> None:
        self._taken = index
        self.line.setCursorPosition(0)
        theme.set_property(self, "error", False)

    def _settle(self) -> None:
        """Take the entry that was typed, or the first that fits; else show the last one again."""
        typed = fold(self.line.text())
        if self._taken >= 0 and typed == fold(self.itemText(self._taken)):
            return
        labels = [fold(self.itemText(place)) for place in range(self.count())]
        fitting = [n for n, text in enumerate(labels) if typed and typed == text]
        fitting += [n for n, text in enumerate(labels) if typed and text.startswith(typed)]
        fitting += [n for n, text in enumerate(labels) if typed and typed in text]
        if fitting:
            self.setCurrentIndex(fitting[0])
            self._took(fitting[0])
            self.activated.emit(fitting[0])
        else:
            self.setCurrentIndex(self._taken)
