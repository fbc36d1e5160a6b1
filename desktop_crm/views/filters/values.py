"""Editors of the value of a condition, one for each kind of field and operator."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCompleter, QLineEdit

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import tr
from desktop_crm.meta import kinds
from desktop_crm.views.filters.check_menu import CheckMenuButton
from desktop_crm.views.filters.dates import DateValue
from desktop_crm.views.filters.links import LinkValue, ManyLinks
from desktop_crm.views.filters.value_edit import ValueEdit
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.filters import Value
    from desktop_crm.services.query import Suggestion
    from desktop_crm.views.filters.words import Titles
    from desktop_crm.views.workbench import Workbench

_BETWEEN_VALUES: Final = ";"
_PLACES_READ_AS_GROUP: Final = 3


def make_value(
    field: BoundField, operator: str, name: str, bench: Workbench, titles: Titles
) -> ValueEdit | None:
    """Editor of a condition's value; None where the operator needs none."""
    if operator in {"empty", "not empty"}:
        return None
    if operator == "between":
        return _Two(field, name, bench, titles)
    several = operator in {"in", "not in"}
    if field.kind is kinds.CHOICE and field.choices:
        return _Choices(field, name) if several else _Choice(field, name)
    if field.kind is kinds.BOOLEAN:
        return _YesNo(field, name)
    if field.kind is kinds.LINK and several:
        return ManyLinks(field, name, bench, titles)
    if field.kind is kinds.LINK and operator in {"=", "!="}:
        return LinkValue(field, name, bench, titles)
    if several:
        return _Several(field, name, bench)
    if field.kind in {kinds.DATE, kinds.DATETIME}:
        return DateValue(field, name, bench)
    if field.kind is kinds.TAGS:
        return _Tag(field, name, bench)
    return _Line(field, name, bench)


def plain_number(value: Decimal) -> str:
    """Write a number so that it means the same in every language."""
    text = f"{value.normalize():f}"
    # "1.500" would be one and a half to some and fifteen hundred to others.
    behind = len(text.partition(".")[2])
    return f"{text}0" if behind == _PLACES_READ_AS_GROUP else text


class _Line(ValueEdit):
    """One line: text or a number."""

    def __init__(self, field: BoundField, name: str, bench: Workbench) -> None:
        super().__init__(field, name)
        self._formats = bench.formats
        self._is_number = field.kind.align == "right"
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("Value"))
        self.line.textEdited.connect(self._told)
        self._adopt(self.line)

    def load(self, value: Value) -> None:
        text = "" if value is None or isinstance(value, tuple) else str(value)
        self.line.setText(self._shown(text))

    def _shown(self, text: str) -> str:
        if not self._is_number or not text:
            return text
        try:
            return self.field.display(self.field.parse(text, self._formats), self._formats)
        except UserError:
            return text

    def value(self) -> Value:
        return self._read(self.line.text().strip())

    def _read(self, text: str) -> str | None:
        if not text or not self._is_number:
            return text or None
        parsed = self.field.parse(text, self._formats)
        return None if parsed is None else plain_number(Decimal(str(parsed)))


class _Several(_Line):
    """Several texts, numbers or days, divided by semicolons."""

    def __init__(self, field: BoundField, name: str, bench: Workbench) -> None:
        super().__init__(field, name, bench)
        self.line.setPlaceholderText(tr("Values, separated by semicolons"))

    def load(self, value: Value) -> None:
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        shown = [self._shown(str(one)) for one in values]
        self.line.setText(f"{_BETWEEN_VALUES} ".join(shown))

    def value(self) -> Value:
        parts = (part.strip() for part in self.line.text().split(_BETWEEN_VALUES))
        read = tuple(found for part in parts if (found := self._read(part)) is not None)
        return read or None

    def _read(self, text: str) -> str | None:
        if text and self.field.kind in {kinds.DATE, kinds.DATETIME}:
            from desktop_crm.core import clock
            from desktop_crm.services.filters import periods

            today = clock.today(self._formats.zone)
            if periods.read(text, today, lambda: 1) is None:
                return self._formats.parse_date(text).isoformat()
        return super()._read(text)


class _Choice(ValueEdit):
    """One of a few values."""

    def __init__(self, field: BoundField, name: str) -> None:
        super().__init__(field, name)
        self.combo = QuietCombo()
        self.combo.setPlaceholderText(tr("Choose"))
        for code, text in field.choices:
            self.combo.addItem(tr(text), code)
        self.combo.setCurrentIndex(-1)
        self.combo.activated.connect(lambda _index: self._told())
        self._adopt(self.combo)

    def load(self, value: Value) -> None:
        code = _code_of(self.field, value)
        if self.combo.findData(code) < 0 and code:
            self.combo.addItem(code, code)
        self.combo.setCurrentIndex(self.combo.findData(code))

    def value(self) -> Value:
        found = self.combo.currentData()
        return None if found is None else str(found)


def _code_of(field: BoundField, value: object) -> str:
    """Code of a choice that may be written by its label."""
    from desktop_crm.core.text import fold

    wanted = fold(str(value or ""))
    for code, text in field.choices:
        if wanted in {code, fold(text), fold(tr(text))}:
            return code
    return str(value or "")


class _Choices(ValueEdit):
    """Several of a few values."""

    def __init__(self, field: BoundField, name: str) -> None:
        super().__init__(field, name)
        options = [(code, tr(text)) for code, text in field.choices]
        self.button = CheckMenuButton(name, options)
        self.button.changed.connect(self._told)
        self._adopt(self.button)

    def load(self, value: Value) -> None:
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        self.button.check(tuple(_code_of(self.field, one) for one in values))

    def value(self) -> Value:
        return self.button.checked() or None


class _YesNo(ValueEdit):
    """Yes or no."""

    def __init__(self, field: BoundField, name: str) -> None:
        super().__init__(field, name)
        self.combo = QuietCombo()
        self.combo.addItem(tr("Yes"), "yes")
        self.combo.addItem(tr("No"), "no")
        self.combo.activated.connect(lambda _index: self._told())
        self._adopt(self.combo)

    def load(self, value: Value) -> None:
        no = str(value or "yes").lower() in {"no", "nu", "false", "0", "n"}
        self.combo.setCurrentIndex(1 if no else 0)

    def value(self) -> Value:
        return str(self.combo.currentData())


class _Tag(_Line):
    """A tag: typed, with those in use proposed."""

    def __init__(self, field: BoundField, name: str, bench: Workbench) -> None:
        super().__init__(field, name, bench)
        self.line.setPlaceholderText(tr("Tag"))
        from desktop_crm.services import query

        if bench.actor.can("tag", "read"):
            bench.tasks.read(
                query.suggest, bench.actor, "tag", "", 200, done=self._propose, owner=self
            )

    def _propose(self, found: list[Suggestion]) -> None:
        finder = QCompleter([tag.title for tag in found], self.line)
        finder.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        finder.setFilterMode(Qt.MatchFlag.MatchContains)
        self.line.setCompleter(finder)
        finder.activated.connect(lambda _text: QTimer.singleShot(0, self, self._told))


class _Two(ValueEdit):
    """The first and the last value of a range."""

    def __init__(self, field: BoundField, name: str, bench: Workbench, titles: Titles) -> None:
        super().__init__(field, name)
        first = make_value(field, ">=", f"{name}.first", bench, titles)
        last = make_value(field, "<=", f"{name}.last", bench, titles)
        assert first is not None  # noqa: S101  comparisons have a value
        assert last is not None  # noqa: S101  likewise
        self._parts = (first, last)
        self._layout.addWidget(first, 1)
        if field.kind in {kinds.DATE, kinds.DATETIME}:
            # A choice, a number and a unit each: side by side there is no room for two.
            self._layout.setDirection(self._layout.Direction.TopToBottom)
        self._layout.addWidget(label(tr("and"), "dim"))
        self._layout.addWidget(last, 1)
        self.setFocusProxy(first)
        for part in self._parts:
            part.changed.connect(self._told)

    def load(self, value: Value) -> None:
        values = value if isinstance(value, tuple) else (value, None)
        for part, one in zip(self._parts, (*values, None, None), strict=False):
            part.load(one)

    def value(self) -> Value:
        first, last = (part.value() for part in self._parts)
        if first is None or last is None or isinstance(first, tuple) or isinstance(last, tuple):
            return None
        return (first, last)
