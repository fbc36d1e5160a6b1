"""Editor of a day or a time: a day of the calendar, or one said relative to today."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QSpinBox

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import tr
from desktop_crm.services.filters import periods
from desktop_crm.views.filters.value_edit import ValueEdit
from desktop_crm.views.filters.words import COUNTED, PERIODS
from desktop_crm.views.forms.editor import DateEditor, QuietCombo

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.services.filters import Value
    from desktop_crm.views.workbench import Workbench

_A_DAY: Final = ""
_MOST: Final = 9999
_MOVED: Final = re.compile(r"today([+-])(\d+)$")
_SPAN: Final = re.compile(rf"(last|next|older than) (\d+) ({'|'.join(periods.UNITS)})s?$")


class DateValue(ValueEdit):
    """A choice of times relative to today, a number and unit for some, or a day."""

    def __init__(self, field: BoundField, name: str, bench: Workbench) -> None:
        super().__init__(field, name)
        self._formats = bench.formats
        self.when = QuietCombo()
        self.when.setMaxVisibleItems(14)
        self.when.addItem(tr("A day"), _A_DAY)
        for code, text in COUNTED.items():
            self.when.addItem(tr(text), code)
        for code, text in PERIODS.items():
            self.when.addItem(tr(text), code)
        self._adopt(self.when)
        self.number = QSpinBox()
        self.number.setObjectName(f"{name}.number")
        self.number.setAccessibleName(tr("How many"))
        self.number.setRange(1, _MOST)
        self.number.setValue(30)
        self.number.setMinimumWidth(72)
        # A style sheet's padding is ignored once up and down buttons are styled.
        self.number.lineEdit().setTextMargins(9, 0, 0, 0)
        self.unit = QuietCombo()
        self.unit.setObjectName(f"{name}.unit")
        self.unit.setAccessibleName(tr("Unit of time"))
        self.unit.setSizeAdjustPolicy(QuietCombo.SizeAdjustPolicy.AdjustToContents)
        self._fill_units()
        self.day = DateEditor(field, bench.formats, f"{name}.day")
        self._layout.addWidget(self.number)
        self._layout.addWidget(self.unit)
        self._layout.addWidget(self.day, 1)
        self._typed = ""
        self.when.activated.connect(self._chosen)
        self.number.valueChanged.connect(self._told)
        self.unit.activated.connect(self._told)
        self.day.changed.connect(self._typed_day)
        self._show()

    def _fill_units(self) -> None:
        names = {
            "day": tr("days"),
            "week": tr("weeks"),
            "month": tr("months"),
            "quarter": tr("quarters"),
            "year": tr("years"),
        }
        for unit, text in names.items():
            self.unit.addItem(text, unit)

    def _chosen(self) -> None:
        self._show()
        self._told()

    def _typed_day(self) -> None:
        self._typed = ""
        self._told()

    def _show(self) -> None:
        code = str(self.when.currentData())
        self.day.setVisible(code == _A_DAY)
        self.number.setVisible(code in COUNTED)
        self.unit.setVisible(code in COUNTED and not code.startswith("today"))

    def mark_error(self, *, wrong: bool) -> None:
        self.day.mark_error(wrong)

    def load(self, value: Value) -> None:
        text = "" if value is None or isinstance(value, tuple) else " ".join(str(value).split())
        plain = text.lower()
        self.number.blockSignals(True)
        squeezed = plain.replace(" ", "") if plain.startswith("today") else plain
        if plain in PERIODS:
            self._pick(plain)
        elif match := _MOVED.match(squeezed):
            self._pick(f"today{match[1]}")
            self.number.setValue(int(match[2]))
        elif match := _SPAN.match(plain):
            self._pick(match[1])
            self.number.setValue(int(match[2]))
            self.unit.setCurrentIndex(self.unit.findData(match[3]))
        else:
            self._pick(_A_DAY)
            self._load_day(text)
        self.number.blockSignals(False)
        self._show()

    def _load_day(self, text: str) -> None:
        """Show a day; a moment with a time is kept as it was written."""
        try:
            day = self._formats.parse_date(text) if text else None
        except UserError:
            day = None
        self._typed = text if day is None or ":" in text else ""
        shown = self._formats.date(day) if day is not None and not self._typed else text
        self.day.line.setText(shown)

    def _pick(self, code: str) -> None:
        self.when.setCurrentIndex(self.when.findData(code))

    def value(self) -> Value:
        code = str(self.when.currentData())
        if code in PERIODS:
            return code
        if code.startswith("today"):
            return f"{code}{self.number.value()}"
        if code in COUNTED:
            return f"{code} {self.number.value()} {self.unit.currentData()}s"
        text = self.day.line.text().strip()
        if not text or text == self._typed:
            return text or None
        if ":" in text:
            moment = self._formats.parse_datetime(text).astimezone(self._formats.zone)
            return f"{moment:%Y-%m-%d %H:%M}"
        return self._formats.parse_date(text).isoformat()
