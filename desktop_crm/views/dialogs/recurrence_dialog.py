"""How often an event repeats: a few choices, and what they mean in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import (
    QCompleter,
    QDateEdit,
    QGridLayout,
    QHBoxLayout,
    QSpinBox,
    QToolButton,
    QWidget,
)

from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.core.recurrence_pattern import WORK_DAYS, Frequency, Pattern, usual
from desktop_crm.core.recurrence_words import day_in_words, in_words, summary, weekday_name
from desktop_crm.services.calendar import series_facts
from desktop_crm.services.calendar.series_edits import Edited, Reach
from desktop_crm.services.calendar.series_facts import SeriesFacts
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

FREQUENCIES = (
    ("", N_("Does not repeat")),
    (Frequency.DAILY.value, N_("Daily")),
    (Frequency.WEEKLY.value, N_("Weekly")),
    (Frequency.MONTHLY.value, N_("Monthly")),
    (Frequency.YEARLY.value, N_("Yearly")),
)
ENDS = (("never", N_("Never")), ("until", N_("On a day")), ("count", N_("After so many times")))
_MOST = 999
_USUAL_COUNT = 10


class RecurrenceDialog(Dialog):
    """Edits the recurrence of one event; nothing is saved before the person says so.

    Attributes:
        saved: it was saved; carries what became of it.
    """

    saved = Signal(object)

    def __init__(self, parent: QWidget | None, bench: Workbench, facts: SeriesFacts) -> None:
        super().__init__(parent, "recurrence", tr("Recurrence"), subtitle=facts.title, width=560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._facts = facts
        self._pattern = facts.pattern
        self._build()
        self._fill()
        self._show()
        self.frequency.setFocus()

    # --- building ------------------------------------------------------------------------

    def _build(self) -> None:
        formats = self._bench.formats
        self.frequency = self._combo("recurrence.frequency", FREQUENCIES)
        self.interval = self._spin("recurrence.interval")
        self._interval = Labelled(tr("Every"), self.interval)
        self.days = QuietCombo()
        self.days.setObjectName("recurrence.day")
        self.days.currentIndexChanged.connect(self._changed)
        self._day = Labelled(tr("Which day"), self.days)
        week = QWidget()
        inside = QHBoxLayout(week)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        self.weekdays: list[QToolButton] = []
        for number in range(7):
            button = QToolButton()
            button.setObjectName(f"recurrence.weekday.{number}")
            name = weekday_name(number, formats)
            button.setText(formats.weekday(date(2024, 1, 1 + number), short=True))
            button.setAccessibleName(name)
            button.setToolTip(name)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.toggled.connect(self._changed)
            self.weekdays.append(button)
            inside.addWidget(button, 1)
        week.setAccessibleName(tr("On these days"))
        self._week = Labelled(tr("On these days"), week)
        self.ends = self._combo("recurrence.ends", ENDS)
        self.until = QDateEdit()
        self.until.setObjectName("recurrence.until")
        self.until.setAccessibleName(tr("Last day"))
        self.until.setCalendarPopup(True)
        self.until.setDisplayFormat("dd.MM.yyyy")
        self.until.dateChanged.connect(self._changed)
        self._until = Labelled(tr("Last day"), self.until)
        self.count = self._spin("recurrence.count")
        self._count = Labelled(tr("How many times"), self.count)
        self.zone = QuietCombo()
        self.zone.setObjectName("recurrence.zone")
        self.zone.setEditable(True)
        self.zone.setInsertPolicy(QuietCombo.InsertPolicy.NoInsert)
        self.zone.addItems(sorted(available_timezones()))
        completer = QCompleter(self.zone.model(), self.zone)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.zone.setCompleter(completer)
        self._zone = Labelled(
            tr("Time zone"), self.zone,
            help_text=tr("The event keeps its hour on the clock of this zone."),
        )  # fmt: skip
        self.reach = self._combo(
            "recurrence.reach",
            (
                (Reach.ALL.value, N_("All of them")),
                (Reach.FOLLOWING.value, N_("This and following")),
            ),
        )
        self._reach = Labelled(tr("What changes"), self.reach)
        self._arrange()

    def _arrange(self) -> None:
        self.words = label("", "h3", wrap=True, name="recurrence.words")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(Labelled(tr("Repeats"), self.frequency), 0, 0, top)
        grid.addWidget(self._interval, 0, 1, top)
        grid.addWidget(self._week, 1, 0, 1, 2, top)
        grid.addWidget(self._day, 2, 0, 1, 2, top)
        self._ends = Labelled(tr("Ends"), self.ends)
        grid.addWidget(self._ends, 3, 0, top)
        grid.addWidget(self._until, 3, 1, top)
        grid.addWidget(self._count, 3, 1, top)
        grid.addWidget(self._zone, 4, 0, top)
        grid.addWidget(self._reach, 4, 1, top)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self.words)
        save = push_button("recurrence.save", tr("Save"), self._save, kind="primary")
        save.setDefault(True)
        self.set_foot(None, self.cancel_button(), save)

    def _combo(self, name: str, choices: tuple[tuple[str, str], ...]) -> QuietCombo:
        combo = QuietCombo()
        combo.setObjectName(name)
        for value, text in choices:
            combo.addItem(tr(text), value)
        combo.currentIndexChanged.connect(self._changed)
        return combo

    def _spin(self, name: str) -> QSpinBox:
        spin = QSpinBox()
        spin.setObjectName(name)
        spin.setRange(1, _MOST)
        spin.lineEdit().setTextMargins(9, 0, 0, 0)
        spin.valueChanged.connect(self._changed)
        return spin

    # --- filling -------------------------------------------------------------------------

    def _fill(self) -> None:
        """Show the pattern as it stands."""
        self._filling = True
        pattern, facts = self._pattern, self._facts
        self._choose(self.frequency, pattern.frequency.value)
        self.interval.setValue(pattern.interval)
        self._offer_days(pattern.frequency)
        for number, button in enumerate(self.weekdays):
            button.setChecked(number in pattern.weekdays)
        end = "count" if pattern.count else "until" if pattern.until else "never"
        self._choose(self.ends, end)
        last = pattern.until or (facts.start.date() + timedelta(days=180))
        first = facts.start.date()
        self.until.setMinimumDate(QDate(first.year, first.month, first.day))
        self.until.setDate(QDate(last.year, last.month, last.day))
        self.count.setValue(pattern.count or _USUAL_COUNT)
        self.zone.setCurrentText(facts.zone.key)
        self._zone.setVisible(not facts.all_day)
        self._reach.setVisible(bool(facts.rule))
        self._filling = False

    def _choose(self, combo: QuietCombo, value: str) -> None:
        combo.setCurrentIndex(max(0, combo.findData(value)))

    def _offer_days(self, frequency: Frequency) -> None:
        """Offer the days of a month that the start may mean, and the one that stands."""
        self.days.blockSignals(True)
        self.days.clear()
        offered = list(dict.fromkeys(_days_of_month(frequency, self._facts.start)))
        now = self._pattern
        if now.frequency is frequency and now.is_plain:
            mine = _day_alone(now)
            if mine not in offered:
                offered.insert(0, mine)
        for one in offered:
            self.days.addItem(day_in_words(one), one)
        if now.frequency is frequency and now.is_plain:
            self.days.setCurrentIndex(offered.index(_day_alone(now)))
        self.days.blockSignals(False)

    # --- what was chosen -----------------------------------------------------------------

    def pattern(self) -> Pattern | None:
        """The recurrence that is chosen; None for none."""
        code = str(self.frequency.currentData() or "")
        if not code:
            return None
        frequency = Frequency(code)
        kept = self._pattern
        if not kept.is_plain and frequency is kept.frequency:
            pattern = replace(kept, count=0, until=None)
        else:
            pattern = usual(frequency, self._facts.start)
            chosen = self.days.currentData()
            if frequency is Frequency.WEEKLY:
                days = frozenset(n for n, one in enumerate(self.weekdays) if one.isChecked())
                pattern = replace(pattern, weekdays=days)
            elif isinstance(chosen, Pattern):
                pattern = chosen
        pattern = replace(pattern, interval=self.interval.value())
        end = self.ends.currentData()
        if end == "count":
            return replace(pattern, count=self.count.value())
        if end == "until":
            day = self.until.date()
            return replace(pattern, until=date(day.year(), day.month(), day.day()))
        return pattern

    def _changed(self, *_given: object) -> None:
        if self._filling:
            return
        if self.sender() is self.frequency and self.frequency.currentData():
            self._offer_days(Frequency(self.frequency.currentData()))
        self._show()

    def _show(self) -> None:
        pattern = self.pattern()
        plain = pattern is None or pattern.is_plain
        frequency = None if pattern is None else pattern.frequency
        by_month = frequency in {Frequency.MONTHLY, Frequency.YEARLY}
        self._interval.setVisible(pattern is not None)
        self._week.setVisible(frequency is Frequency.WEEKLY and plain)
        self._day.setVisible(by_month and plain)
        self._ends.setVisible(pattern is not None)
        end = self.ends.currentData()
        self._until.setVisible(pattern is not None and end == "until")
        self._count.setVisible(pattern is not None and end == "count")
        self._zone.setVisible(pattern is not None and not self._facts.all_day)
        n = self.interval.value()
        self.interval.setSuffix(" " + _unit(frequency, n) if frequency else "")
        self.words.setText(self._sentence(pattern))
        self.words.setAccessibleName(self.words.text())
        self._warn(pattern)

    def _sentence(self, pattern: Pattern | None) -> str:
        formats = self._bench.formats
        if pattern is None:
            return tr("Does not repeat")
        if pattern.frequency is Frequency.WEEKLY and pattern.is_plain and not pattern.weekdays:
            return tr("Choose at least one day of the week.")
        if not pattern.is_plain:
            rule = self._facts.rule_of(pattern, self._facts.zone)
            return summary(rule, self._facts.start, self._facts.zone, formats)
        return in_words(pattern, formats)

    def _warn(self, pattern: Pattern | None) -> None:
        changed = self._facts.changed
        if changed and pattern != self._pattern:
            self.notice.say(
                ntr(
                    "{n} occurrence was changed by itself. It is kept where the new recurrence "
                    "still falls on its date, and goes to the recycle bin where not.",
                    "{n} occurrences were changed by themselves. They are kept where the new "
                    "recurrence still falls on their dates, and go to the recycle bin where not.",
                    changed,
                ),
                "info",
            )
        else:
            self.notice.hide()

    # --- saving --------------------------------------------------------------------------

    def _save(self) -> None:
        pattern = self.pattern()
        weekly = pattern is not None and pattern.frequency is Frequency.WEEKLY
        if pattern is not None and weekly and pattern.is_plain and not pattern.weekdays:
            self.notice.say(tr("Choose at least one day of the week."), "bad")
            return
        name = self.zone.currentText().strip()
        if name not in available_timezones():
            self._zone.show_error(tr("This time zone is not known; choose one from the list."))
            self.zone.setFocus()
            return
        self._zone.show_error("")
        zone = ZoneInfo(name)
        rule = "" if pattern is None else self._facts.rule_of(pattern, zone)
        reach = Reach(str(self.reach.currentData()))
        self._bench.tasks.write(
            partial(series_facts.save, self._bench.actor, self._facts, rule, zone, reach),
            done=self._done,
            failed=self.show_error,
            owner=self,
        )

    def _done(self, edited: Edited) -> None:
        self._bench.bus.publish(edited.changes)
        self.saved.emit(edited)
        self._bench.shell.toast(tr("Recurrence saved"), self.words.text(), undo=True)
        self.accept()


def _day_alone(pattern: Pattern) -> Pattern:
    return replace(pattern, interval=1, count=0, until=None)


def _days_of_month(frequency: Frequency, start: datetime) -> list[Pattern]:
    """What a day may mean: its number, its place among the weekdays, the last one."""
    if frequency not in {Frequency.MONTHLY, Frequency.YEARLY}:
        return []
    plain = usual(frequency, start)
    weekday = frozenset({start.weekday()})
    found = [plain]
    place = (start.day - 1) // 7 + 1
    nth = replace(plain, month_day=0, weekdays=weekday)
    found.append(replace(nth, position=place))
    if (start + timedelta(days=7)).month != start.month:
        found.append(replace(nth, position=-1))
    found.append(replace(plain, month_day=-1))
    working = replace(plain, month_day=0, weekdays=WORK_DAYS)
    found += [replace(working, position=1), replace(working, position=-1)]
    return found


def _unit(frequency: Frequency, n: int) -> str:
    if frequency is Frequency.DAILY:
        return ntr("day", "days", n)
    if frequency is Frequency.WEEKLY:
        return ntr("week", "weeks", n)
    if frequency is Frequency.MONTHLY:
        return ntr("month", "months", n)
    return ntr("year", "years", n)
