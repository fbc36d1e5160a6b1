"""What every editor is, and the editors that are one line of text."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDate, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCalendarWidget,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QWidget,
    QWidgetAction,
)

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import tr
from desktop_crm.services.values import decode, encode
from desktop_crm.views import theme
from desktop_crm.views.icons import icon

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField

_LONG_TEXT_LINES = 4


class Editor(QWidget):
    """Edits one value of one field.

    Subclasses put their control into the layout and call :meth:`_adopt` with it.

    Attributes:
        changed: The person changed something.
        left: The cursor left the control; time to check what was typed.
    """

    changed = Signal()
    left = Signal()

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__()
        self.field = field
        self.formats = formats
        self.setObjectName(f"{name}.box")
        self._name = name
        self._loading = False
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)

    def _adopt(self, control: QWidget, suffix: str = "") -> None:
        """Name the control for people and programs and give it the keyboard."""
        control.setObjectName(self._name + suffix)
        control.setAccessibleName(tr(self.field.label))
        if self.field.help:
            control.setToolTip(tr(self.field.help))
            control.setAccessibleDescription(tr(self.field.help))
        if not suffix:
            self.setFocusProxy(control)

    def _told(self) -> None:
        if not self._loading:
            self.changed.emit()

    def load(self, value: object, title: str = "") -> None:
        """Show a value without telling.

        Args:
            value: Value of the field.
            title: Shown text of a link's target.
        """
        self._loading = True
        self._show(value, title)
        self._loading = False

    def _show(self, value: object, title: str) -> None:
        raise NotImplementedError

    def value(self) -> object:
        """Value as edited.

        Raises:
            UserError: What was typed cannot be read.
        """
        raise NotImplementedError

    def kept(self) -> Any:  # noqa: ANN401  JSON
        """What is filled in as JSON, also where it cannot be read as a value yet."""
        return encode(self.value())

    def bring(self, kept: Any) -> None:  # noqa: ANN401  JSON
        """Fill in what :meth:`kept` gave, without telling."""
        self.load(decode(self.field, kept))

    def is_empty(self) -> bool:
        """Whether nothing is filled in."""
        value = self.value()
        return value is None or value == ""

    def set_read_only(self, read_only: bool) -> None:
        """Let the person only look and copy."""
        raise NotImplementedError

    def mark_error(self, wrong: bool) -> None:
        """Show by the border that the value is wrong."""
        control = self.focusProxy()
        if control is not None:
            theme.set_property(control, "error", wrong)


class _Line(QLineEdit):
    """A line edit that tells when the cursor leaves it."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class LineEditor(Editor):
    """One line of text: names, addresses, numbers, amounts."""

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__(field, formats, name)
        self.line = _Line()
        self.line.textEdited.connect(self._told)
        self.line.left.connect(self._tidy)
        if field.max_length:
            self.line.setMaxLength(field.max_length)
        if field.kind.align == "right":
            self.line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._layout.addWidget(self.line, 1)
        self._adopt(self.line)
        self._unit: QLabel | None = None

    def show_unit(self, text: str) -> None:
        """Show what the number counts, e.g. the currency's code, behind it."""
        if self._unit is None:
            self._unit = QLabel()
            self._unit.setProperty("role", "dim")
            self._layout.addWidget(self._unit)
        self._unit.setText(text)
        self._unit.setVisible(bool(text))

    def _show(self, value: object, title: str) -> None:
        self.line.setText(self.field.display(value, self.formats))
        self.line.setCursorPosition(0)

    def value(self) -> object:
        return self.field.parse(self.line.text(), self.formats)

    def kept(self) -> Any:  # noqa: ANN401  JSON
        return self.line.text()

    def bring(self, kept: Any) -> None:  # noqa: ANN401  JSON
        self.line.setText(str(kept or ""))

    def is_empty(self) -> bool:
        return not self.line.text().strip()

    def set_read_only(self, read_only: bool) -> None:
        self.line.setReadOnly(read_only)

    @Slot()
    def _tidy(self) -> None:
        self.left.emit()


class PercentEditor(LineEditor):
    """A percentage; the sign stands behind the field."""

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__(field, formats, name)
        self.show_unit("%")

    def _show(self, value: object, title: str) -> None:
        shown = self.field.display(value, self.formats)
        self.line.setText(shown.rstrip("%").strip())


class MultilineEditor(Editor):
    """Text with line breaks; Tab leaves it."""

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__(field, formats, name)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        line = self.text.fontMetrics().lineSpacing()
        self.text.setFixedHeight(theme.scaled(_LONG_TEXT_LINES * line + 18))
        self.text.textChanged.connect(self._told)
        self._layout.addWidget(self.text, 1)
        self._adopt(self.text)

    def _show(self, value: object, title: str) -> None:
        self.text.setPlainText(str(value or ""))

    def value(self) -> object:
        return self.field.parse(self.text.toPlainText(), self.formats)

    def kept(self) -> Any:  # noqa: ANN401  JSON
        return self.text.toPlainText()

    def bring(self, kept: Any) -> None:  # noqa: ANN401  JSON
        self.load(kept)

    def set_read_only(self, read_only: bool) -> None:
        self.text.setReadOnly(read_only)


class BooleanEditor(Editor):
    """A check box that carries the field's label itself."""

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__(field, formats, name)
        self.box = QCheckBox(tr(field.label))
        self.box.toggled.connect(self._told)
        self._layout.addWidget(self.box)
        self._layout.addStretch(1)
        self._adopt(self.box)

    def _show(self, value: object, title: str) -> None:
        self.box.setChecked(bool(value))

    def value(self) -> object:
        return self.box.isChecked()

    def is_empty(self) -> bool:
        return False

    def set_read_only(self, read_only: bool) -> None:
        self.box.setEnabled(not read_only)


class QuietCombo(QComboBox):
    """A combo box that leaves the wheel to the form while it has no focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(4)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceEditor(Editor):
    """One of a few values."""

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__(field, formats, name)
        self.combo = QuietCombo()
        if field.nullable:
            self.combo.addItem("", None)
        for code, label in field.offered:
            self.combo.addItem(tr(label), code)
        self.combo.currentIndexChanged.connect(self._told)
        self._layout.addWidget(self.combo, 1)
        self._adopt(self.combo)

    def _show(self, value: object, title: str) -> None:
        index = self.combo.findData(None if value is None else str(value))
        if index < 0 and value is not None:
            code = str(value)  # no longer offered, or of another program
            self.combo.addItem(tr(self.field.labels.get(code, code)), code)
            index = self.combo.count() - 1
        self.combo.setCurrentIndex(index)

    def value(self) -> object:
        return self.combo.currentData()

    def set_read_only(self, read_only: bool) -> None:
        self.combo.setEnabled(not read_only)


class DateEditor(LineEditor):
    """A day, typed or taken from a calendar; Alt+Down unfolds it."""

    def __init__(self, field: BoundField, formats: Formats, name: str) -> None:
        super().__init__(field, formats, name)
        action = self.line.addAction(
            icon("calendar_ltr", fill_on=False), QLineEdit.ActionPosition.TrailingPosition
        )
        action.setToolTip(tr("Choose a day"))
        action.setText(tr("Choose a day"))
        action.setShortcut("Alt+Down")
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(self._unfold)
        self._calendar_action = action

    @Slot()
    def _unfold(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        calendar = QCalendarWidget()
        calendar.setObjectName(f"{self._name}.calendar")
        calendar.setAccessibleName(tr("Choose a day"))
        calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        calendar.setSelectedDate(self._day())
        holder = QWidgetAction(menu)
        holder.setDefaultWidget(calendar)
        menu.addAction(holder)

        def take(day: QDate) -> None:
            self._put_day(day)
            menu.close()
            self.changed.emit()

        calendar.clicked.connect(take)
        calendar.activated.connect(take)
        menu.popup(self.line.mapToGlobal(QPoint(0, self.line.height() + 2)))
        calendar.setFocus()

    def _day(self) -> QDate:
        try:
            found = self.formats.parse_date(self.line.text())
        except UserError:
            found = clock.today(self.formats.zone)
        return QDate(found.year, found.month, found.day)

    def _put_day(self, day: QDate) -> None:
        self.line.setText(self.formats.date(date(day.year(), day.month(), day.day())))

    def set_read_only(self, read_only: bool) -> None:
        super().set_read_only(read_only)
        self._calendar_action.setVisible(not read_only)


class DateTimeEditor(DateEditor):
    """A moment in the person's zone; the calendar changes the day and keeps the time."""

    def _day(self) -> QDate:
        try:
            found = self.formats.parse_datetime(self.line.text())
        except UserError:
            found = clock.now()
        local = found.astimezone(self.formats.zone)
        return QDate(local.year, local.month, local.day)

    def _put_day(self, day: QDate) -> None:
        try:
            moment = self.formats.parse_datetime(self.line.text())
            time = self.formats.time(moment)
        except UserError:
            time = "09:00"
        shown = self.formats.date(date(day.year(), day.month(), day.day()))
        self.line.setText(f"{shown} {time}")
