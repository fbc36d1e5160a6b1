"""The left side of the calendar: a small month, whose events are shown, colleagues, zones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.services.calendar import agenda, calendars
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.services.calendar.calendars import Calendar
from desktop_crm.services.calendar.series import zone_named
from desktop_crm.views import theme
from desktop_crm.views.calendar.layout import Lane
from desktop_crm.views.calendar.navigator import Navigator
from desktop_crm.views.widgets.buttons import tool_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import frame

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench

MOST_PEOPLE = 8
"""People that stand side by side or above one another and can still be told apart."""

_TONES = (
    "series_1", "series_3", "series_2", "series_5", "series_4", "avatar_6", "avatar_5", "series_6",
)  # fmt: skip
"""One for each that can be shown at once."""

_KEY = "calendar"
_INSIDE = "\u2003"
"""Before the calendars of a person, which stand below their name."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the list: a person, or one of their calendars."""

    key: str
    lane: Lane
    inside: bool = False


def _entries(
    people: Sequence[tuple[int, str]], calendars: Sequence[Calendar], own: int | None
) -> list[_Entry]:
    """Everybody who can be chosen; below oneself one's calendars, where there are several."""
    below = [_Entry(one.key, Lane(one.title, None, one.key), inside=True) for one in calendars]
    if len(below) < 2:
        below = []
    found: list[_Entry] = []
    for key, name in people:
        found.append(_Entry(f"user/{key}", Lane(name, key)))
        if key == own:
            found.extend(below)
    return found if own is not None else [*found, *below]


class CalendarSide(QWidget):
    """What decides whose events are shown.

    Attributes:
        scope_chosen: one's own events, or those of everybody.
        people_chosen: other colleagues, or another way to show them.
        zone_chosen: the second time zone, or None.
    """

    scope_chosen = Signal()
    people_chosen = Signal()
    zone_chosen = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calendarSide")
        self._bench = bench
        self._entries: list[_Entry] = []
        kept = bench.recall(_KEY)
        self._chosen: list[str] = [str(key) for key in kept.get("shown") or ()]
        self.everybody = False
        self.side_by_side = bool(kept.get("side_by_side", True))
        own = bench.actor.zone
        zone = zone_named(str(kept.get("zone") or "") or None, own)
        self.second_zone: ZoneInfo | None = zone if zone.key != own.key else None
        self.navigator = Navigator()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._frame())
        self.setFixedWidth(224)
        theme.changed.connect(self._fill)

    def _frame(self) -> QWidget:
        side = frame("nav")
        inside = side.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101  made by frame()
        inside.setContentsMargins(8, 10, 8, 8)
        inside.setSpacing(4)
        inside.addWidget(self.navigator)
        inside.addSpacing(12)
        inside.addWidget(self._caption(tr("Calendars")))
        self._scopes = QButtonGroup(self)
        self._own = QWidget()
        own = QVBoxLayout(self._own)
        own.setContentsMargins(0, 0, 0, 0)
        own.setSpacing(4)
        for name, text, drawing, everybody in (
            ("calendarMine", tr("My calendar"), "person", False),
            ("calendarEverybody", tr("Everybody's"), "people", True),
        ):
            button = self._wide(tool_button(name, text, drawing, show_text=True))
            button.setChecked(everybody is self.everybody)
            button.clicked.connect(partial(self._show_scope, everybody))
            self._scopes.addButton(button)
            own.addWidget(button)
        inside.addWidget(self._own)
        self.list = QListWidget()
        self.list.setObjectName("calendarPeople")
        self.list.setAccessibleName(tr("Colleagues"))
        self.list.setIconSize(QSize(12, 12))
        self.list.itemChanged.connect(self._toggled)
        self._beside = self._wide(
            tool_button("calendarBeside", tr("Side by side"), "people", show_text=True)
        )
        self._beside.setChecked(self.side_by_side)
        self._beside.toggled.connect(self._show_beside)
        inside.addWidget(self._beside)
        inside.addWidget(self.list, 1)
        self._rest = QWidget()
        inside.addWidget(self._rest, 1)
        self.show_people(shown=False)
        return side

    def _caption(self, text: str) -> QWidget:
        caption = label(text, "h3")
        caption.setContentsMargins(8, 0, 0, 4)
        return caption

    def _wide(self, button: QToolButton) -> QToolButton:
        button.setCheckable(True)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    # --- scope ---------------------------------------------------------------------------

    def _show_scope(self, everybody: bool, _checked: bool = False) -> None:
        self.everybody = everybody
        self.scope_chosen.emit()

    def show_scope(self, *, everybody: bool) -> None:
        """Show whose events are chosen."""
        self.everybody = everybody
        for button in self._scopes.buttons():
            button.setChecked((button.objectName() == "calendarEverybody") is everybody)

    # --- people --------------------------------------------------------------------------

    def load_people(self) -> None:
        """Read whose calendars can be chosen."""
        self._bench.tasks.read(
            partial(_offered, self._bench.actor),
            done=self._offer, owner=self, lane="colleagues",
        )  # fmt: skip

    def _offer(self, entries: list[_Entry]) -> None:
        if entries == self._entries:
            return
        self._entries = entries
        known = [one.key for one in entries]
        people = [one.key for one in entries if not one.inside]
        self._chosen = [key for key in self._chosen if key in known] or people[:3]
        self._fill()
        self.people_chosen.emit()

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for entry in self._entries:
            name = entry.lane.name
            item = QListWidgetItem(f"{_INSIDE}{name}" if entry.inside else name)
            item.setData(Qt.ItemDataRole.UserRole, entry.key)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, name)
            item.setToolTip(name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable
                          | Qt.ItemFlag.ItemIsSelectable)  # fmt: skip
            on = entry.key in self._chosen
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            tone = theme.color(self._tone(entry.key)) if on else QColor(0, 0, 0, 0)
            item.setIcon(_spot(tone))
            item.setSizeHint(QSize(0, theme.scaled(30)))
            self.list.addItem(item)
        self.list.blockSignals(False)

    def _tone(self, key: str) -> str:
        index = self._chosen.index(key) if key in self._chosen else 0
        return _TONES[index % len(_TONES)]

    def _toggled(self, item: QListWidgetItem) -> None:
        key = str(item.data(Qt.ItemDataRole.UserRole))
        on = item.checkState() is Qt.CheckState.Checked
        if on and key not in self._chosen and len(self._chosen) >= MOST_PEOPLE:
            self._bench.shell.toast(
                tr("That many do not fit"),
                tr("At most {n} people are shown at once.", n=MOST_PEOPLE),
            )
        elif on and key not in self._chosen:
            self._chosen.append(key)
        elif not on and key in self._chosen and len(self._chosen) > 1:
            self._chosen.remove(key)
        row = self.list.currentRow()
        self._fill()
        self.list.setCurrentRow(row)
        self._keep()
        self.people_chosen.emit()

    def show_beside(self, *, on: bool) -> None:
        """Show people side by side, or above one another."""
        self._beside.setChecked(on)

    def _show_beside(self, on: bool) -> None:
        self.side_by_side = on
        self._keep()
        self.people_chosen.emit()

    def show_people(self, shown: bool) -> None:
        """Offer colleagues instead of one's own calendar and everybody's."""
        self._own.setVisible(not shown)
        self._rest.setVisible(not shown)
        self.list.setVisible(shown)
        self._beside.setVisible(shown)

    def _shown(self) -> list[Lane]:
        """Who is chosen for the team, in the order they were chosen."""
        lanes = {one.key: one.lane for one in self._entries}
        return [lanes[key] for key in self._chosen if key in lanes]

    def asked(self, *, team: bool) -> dict[str, Any]:
        """Whose events are to be read, as :func:`agenda.events` takes it."""
        if not team:
            return {"everybody": self.everybody}
        shown = self._shown()
        return {
            "people": tuple(lane.person for lane in shown if lane.person is not None),
            "calendars": tuple(lane.calendar for lane in shown if lane.person is None),
        }

    def whose(self, *, team: bool) -> str:
        """Whose events are shown, as text."""
        if team:
            return ", ".join(lane.name for lane in self._shown())
        return tr("Everybody's") if self.everybody else tr("My calendar")

    def lanes(self) -> list[Lane]:
        """A column for each of them; none when they stand above one another."""
        return self._shown() if self.side_by_side else []

    def as_shown(self, event: AgendaEvent, *, named: bool = False) -> AgendaEvent:
        """An event in the colour of whose it is, named where no column says it.

        A calendar says more than the person it belongs to.
        """
        chosen = [(one.key, one.lane) for one in self._entries if one.key in self._chosen]
        chosen.sort(key=lambda one: (one[1].person is not None, self._chosen.index(one[0])))
        found = next(((key, lane) for key, lane in chosen if lane.holds(event)), None)
        if found is None:
            return event
        key, lane = found
        name = lane.name if named or not self.side_by_side else ""
        return event._replace(tone=self._tone(key), whose=name)

    # --- zone ----------------------------------------------------------------------------

    def choose_zone(self) -> None:
        """Ask for a zone whose hours stand beside one's own."""
        none = tr("No second time zone")
        zones = [none, *sorted(available_timezones())]
        now = self.second_zone.key if self.second_zone else none
        name, ok = QInputDialog.getItem(
            self.window(), tr("Second time zone"), tr("Time zone"), zones, zones.index(now)
        )
        if ok and name in zones:
            self.set_zone(None if name == none else ZoneInfo(name))

    def set_zone(self, zone: ZoneInfo | None) -> None:
        """Show the hours of another zone, or no longer."""
        self.second_zone = zone
        self._keep()
        self.zone_chosen.emit(zone)

    def _keep(self) -> None:
        self._bench.remember(
            _KEY,
            {
                "shown": list(self._chosen),
                "side_by_side": self.side_by_side,
                "zone": self.second_zone.key if self.second_zone else "",
            },
        )


def _offered(actor: Actor) -> list[_Entry]:
    return _entries(agenda.colleagues(actor), calendars.own(actor), actor.user_id)


def _spot(colour: QColor) -> QIcon:
    pixmap = QPixmap(24, 24)
    pixmap.setDevicePixelRatio(2)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(0, 0, 12, 12, 3, 3)
    painter.end()
    return QIcon(pixmap)
