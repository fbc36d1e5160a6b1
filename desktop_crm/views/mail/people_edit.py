"""A line of recipients: a chip for each, completed from contacts, leads, accounts and users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import formataddr, getaddresses
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QCompleter,
    QLineEdit,
    QListView,
    QSizePolicy,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.core.text import canonical_email, clean
from desktop_crm.services.mail import people as mail_people
from desktop_crm.services.mail.people import Person
from desktop_crm.views import theme
from desktop_crm.views.icons import paint_icon
from desktop_crm.views.widgets.flow import Flow

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_TALL: Final = 26
_CROSS: Final = 26
_REST_MS: Final = 150
_ENDS: Final = (",", ";")
_SEPARATORS: Final = re.compile(r"[;\n]")


def people_of(text: str) -> list[Person]:
    """Everybody a typed or pasted line names, readable or not."""
    found = []
    for piece in _SEPARATORS.split(text):
        if not clean(piece):
            continue
        pairs = getaddresses([clean(piece)])
        if all(canonical_email(address) for _name, address in pairs):
            found += [Person(name, address) for name, address in pairs]
        else:
            found.append(Person("", clean(piece)))
    return found


class PersonPill(QAbstractButton):
    """One recipient; Del, Backspace or a click on the cross takes them away, Enter changes them.

    Attributes:
        removed: The person is to go.
        edit_wanted: The person is to be written otherwise.
    """

    removed = Signal()
    edit_wanted = Signal()

    def __init__(self, name: str, person: Person) -> None:
        super().__init__()
        self.setObjectName(name)
        self.person = person
        self.is_good = canonical_email(person.address) is not None
        said = person.name or person.address
        if self.is_good:
            self.setAccessibleName(
                tr("Recipient {name}; Enter changes, Delete takes it away", name=said)
            )
            self.setToolTip(f"{person.name} <{person.address}>" if person.name else said)
        else:
            wrong = tr('"{address}" is no e-mail address.', address=person.address)
            self.setAccessibleName(wrong)
            self.setToolTip(wrong + " " + tr("Enter or a double click changes it."))
        self.setText(said)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.clicked.connect(lambda _checked=False: self.removed.emit())

    def sizeHint(self) -> QSize:
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 36
        return QSize(min(wide, theme.scaled(280)), theme.scaled(_TALL))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.removed.emit()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2}:
            self.edit_wanted.emit()
        else:
            super().keyPressEvent(event)

    def hitButton(self, pos: QPoint) -> bool:
        """Only the cross takes the person away; whoever clicks the name does not mean that."""
        return self.rect().contains(pos) and pos.x() >= self.width() - _CROSS

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.hitButton(event.position().toPoint()):
            super().mouseDoubleClickEvent(event)
        else:
            self.edit_wanted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect().adjusted(0, 1, -1, -2)
        edge = "focus" if self.hasFocus() else "stroke2" if self.is_good else "bad"
        painter.setPen(QPen(theme.color(edge), 1))
        painter.setBrush(theme.color("surface2" if self.is_good else "bad_bg"))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        painter.setPen(theme.color("text" if self.is_good else "bad"))
        room = area.adjusted(10, 0, -24, 0)
        shown = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        cross = area.adjusted(area.width() - 22, (area.height() - 12) // 2, 0, 0)
        cross.setSize(QSize(12, 12))
        paint_icon(painter, cross, "dismiss", "text2" if self.is_good else "bad")


class _Line(QLineEdit):
    """Takes the rest of the line behind the chips, or the next where that is too narrow."""

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(160), super().sizeHint().height())


class PeopleEdit(QWidget):
    """Recipients as chips; Enter, Tab, a comma or a semicolon takes what was typed.

    Attributes:
        edited: Somebody was added or taken away, or something was typed.
    """

    edited = Signal()

    def __init__(self, name: str, caption: str, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName(name)
        self._name = name
        self._bench = bench
        self._people: list[Person] = []
        self._found: dict[str, Person] = {}
        self.line = _Line()
        self.line.setObjectName(f"{name}.line")
        self.line.setAccessibleName(caption)
        self.line.installEventFilter(self)
        self.line.textEdited.connect(self._typed)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._ask)
        self._known = QStringListModel(self)
        self._completer = QCompleter(self._known, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._popup = QListView()
        self._popup.setObjectName(f"{name}.suggestions")
        self._popup.setAccessibleName(tr("Suggestions"))
        self._popup.setProperty("popup", True)
        self._completer.setPopup(self._popup)
        self._completer.setWidget(self.line)
        self._completer.activated.connect(self._complete)
        self._flow = Flow(self, spacing=4, fill=True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._flow.addWidget(self.line)
        self.setFocusProxy(self.line)
        self._fill()

    @property
    def people(self) -> list[Person]:
        """Everybody on the line, what is still being typed included."""
        return [*self._people, *people_of(self.line.text())]

    def set_people(self, people: Sequence[Person]) -> None:
        """Show these instead."""
        self._people = list(people)
        self.line.clear()
        self._fill()

    def take_typed(self) -> None:
        """Turn what was typed into chips."""
        if self.line.text().strip():
            self._add(people_of(self.line.text()))

    def pills(self) -> list[PersonPill]:
        """The chips, in order."""
        items = (self._flow.itemAt(number) for number in range(self._flow.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, PersonPill)]

    def _fill(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if isinstance(widget, PersonPill):
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        for number, person in enumerate(self._people):
            pill = PersonPill(f"{self._name}.{number}", person)
            pill.removed.connect(partial(self._remove, number))
            pill.edit_wanted.connect(partial(self._edit, number))
            self._flow.addWidget(pill)
            pill.show()
        self._flow.addWidget(self.line)
        self.updateGeometry()

    def _add(self, people: Sequence[Person]) -> None:
        known = {person.address.lower() for person in self._people}
        self._people += [person for person in people if person.address.lower() not in known]
        self.line.clear()
        self._popup.hide()
        self._bench.tasks.drop(self, "people")
        self._fill()
        self.edited.emit()

    def _remove(self, number: int) -> None:
        del self._people[number]
        self._fill()
        self.line.setFocus()
        self.edited.emit()

    def _edit(self, number: int) -> None:
        """Put somebody back into the line, to be written otherwise."""
        self.take_typed()
        person = self._people[number]
        self._remove(number)
        self.line.setText(
            formataddr((person.name, person.address))
            if person.name.isascii() and person.name
            else person.address
        )

    def go_to_bad(self) -> None:
        """Stand on the first chip whose address is none."""
        bad = next((pill for pill in self.pills() if not pill.is_good), None)
        if bad is not None:
            bad.setFocus()

    def _typed(self, text: str) -> None:
        if text.endswith(_ENDS) and clean(text[:-1]):
            self._add(people_of(text[:-1]))
            return
        self.edited.emit()
        self._rest.start()

    def _ask(self) -> None:
        typed = self.line.text().strip()
        if len(typed) < 2:
            self._popup.hide()
            return
        self._bench.tasks.read(
            mail_people.suggest, self._bench.actor, typed,
            done=self._offer, owner=self, lane="people", failed=lambda _error: None,
        )  # fmt: skip

    def _offer(self, found: list[Person]) -> None:
        self._found = {f"{person.name} <{person.address}>": person for person in found}
        self._known.setStringList(list(self._found))
        if self._found and self.line.hasFocus():
            self._completer.complete()
            self._popup.setCurrentIndex(self._known.index(0))
        else:
            self._popup.hide()

    def _complete(self, shown: str) -> None:
        person = self._found.get(shown)
        if person is not None:
            # The completer writes its choice into the line after this.
            QTimer.singleShot(0, self, self.line.clear)
            self._add([person])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            empty = not self.line.text()
            if event.key() == Qt.Key.Key_Backspace and empty and self._people:
                self._remove(len(self._people) - 1)
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.modifiers():
                self.take_typed()
                return True
        if event.type() == QEvent.Type.FocusOut and not self._popup.isVisible():
            self.take_typed()
        return super().eventFilter(watched, event)
