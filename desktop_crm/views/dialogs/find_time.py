"""Finding a time that suits several people: who is busy when, and the next free slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLineEdit, QListWidget, QListWidgetItem, QWidget

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.services import records
from desktop_crm.services.calendar import availability, slots
from desktop_crm.services.calendar.slots import PersonTimes, Slot
from desktop_crm.services.mail.people import Person
from desktop_crm.sync import free_times, proposal, writing
from desktop_crm.sync.port import Address
from desktop_crm.sync.proposal import MOST, Proposal
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editor import QuietCombo
from desktop_crm.views.mail.letters import KIND
from desktop_crm.views.mail.people_edit import PeopleEdit
from desktop_crm.views.mail.written import Written
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from desktop_crm.services.records import Saved
    from desktop_crm.sync.writing import Sender
    from desktop_crm.views.workbench import Workbench

LENGTHS = (30, 45, 60, 90, 120, 180)
OFFERED = 8
"""Slots that are listed."""

AHEAD = timedelta(days=21)
"""How far ahead busy times are asked for."""

SHOWN = (7, 19)
"""Hours that the rows show."""

ROW = 30
NAMES = 150


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of everybody: names, times, and who can be the sender of a proposal."""

    names: tuple[str, ...]
    times: tuple[PersonTimes, ...]
    senders: tuple[Sender, ...] = ()


def look(actor: Actor, people: Sequence[Person], start: datetime) -> Found:
    """Busy times of oneself and of people; asks the network for those outside."""
    users = [one.record_id for one in people if one.entity == "user" and one.record_id]
    own = [] if actor.user_id is None else [actor.user_id]
    stored = availability.of_users(actor, [*own, *users], start, start + AHEAD)
    outside = [one.address for one in people if one.entity != "user"]
    asked = free_times.of_addresses(actor, outside, start, start + AHEAD)
    times = [stored[key] for key in own]
    for one in people:
        known = stored.get(one.record_id or 0) if one.entity == "user" else None
        times.append(known or PersonTimes(actor.zone, asked.get(one.address)))
    names = (*((actor.name,) if own else ()), *(one.name or one.address for one in people))
    return Found(names, tuple(times), writing.senders(actor))


class BusyRows(QWidget):
    """One row for each person over the hours of a day; what nobody knows is hatched."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self.setObjectName("findTime.rows")
        self.setAccessibleName(tr("Who is busy when"))
        self.formats = formats
        self.day = clock.today(formats.zone)
        self.found = Found((), ())
        self.slot: Slot | None = None
        theme.changed.connect(self.update)

    def show_found(self, found: Found, slot: Slot | None) -> None:
        """Show people on the day of a slot, with the slot marked."""
        self.found = found
        self.slot = slot
        if slot is not None:
            self.day = slot.start.astimezone(self.formats.zone).date()
        self.setAccessibleDescription(self.described())
        self.updateGeometry()
        self.update()

    def described(self) -> str:
        """The rows in words."""
        lines = []
        for name, person in zip(self.found.names, self.found.times, strict=True):
            if person.busy is None:
                lines.append(tr("{name}: not known", name=name))
                continue
            spans = [
                f"{self.formats.time(one.start)}–{self.formats.time(one.end)}"
                for one in slots.merged(person.busy)
                if one.start.astimezone(self.formats.zone).date() == self.day
            ]
            text = ", ".join(spans)
            lines.append(f"{name}: {text}" if text else tr("{name}: free", name=name))
        return "\n".join(lines)

    def sizeHint(self) -> QSize:
        return QSize(560, (len(self.found.names) + 1) * theme.scaled(ROW) + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _x(self, moment: datetime) -> float:
        first = datetime.combine(self.day, time(SHOWN[0]), self.formats.zone)
        hours = (moment - first) / timedelta(hours=1)
        left = theme.scaled(NAMES)
        return left + min(max(hours / (SHOWN[1] - SHOWN[0]), 0.0), 1.0) * (self.width() - left)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface"))
        row = theme.scaled(ROW)
        painter.setFont(theme.font(11, tabular=True))
        for hour in range(SHOWN[0], SHOWN[1]):
            x = self._x(datetime.combine(self.day, time(hour), self.formats.zone))
            painter.setPen(theme.color("text2"))
            painter.drawText(QRectF(x + 3, 0, 44, row), Qt.AlignmentFlag.AlignVCenter, f"{hour:02}")
            painter.setPen(QPen(theme.color("stroke"), 1))
            painter.drawLine(round(x), row // 2, round(x), self.height())
        for index, name in enumerate(self.found.names, 1):
            self._paint_row(painter, index * row, name, self.found.times[index - 1])
        if self.slot is not None and self.found.names:
            left, right = self._x(self.slot.start), self._x(self.slot.end)
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(left, row, right - left, row * len(self.found.names)))

    def _paint_row(self, painter: QPainter, top: int, name: str, person: PersonTimes) -> None:
        row = theme.scaled(ROW)
        painter.setPen(theme.color("text"))
        font = theme.font(12)
        painter.setFont(font)
        width = theme.scaled(NAMES) - 12
        shown = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRectF(4, top, width, row), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setPen(QPen(theme.color("stroke"), 1))
        painter.drawLine(0, top, self.width(), top)
        painter.setPen(Qt.PenStyle.NoPen)
        if person.busy is None:
            painter.setBrush(theme.color("surface2"))
            beside = theme.scaled(NAMES)
            box = QRectF(beside, top + 4, self.width() - beside, row - 8)
            painter.drawRect(box)
            painter.setPen(theme.color("text2"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tr("not known"))
            return
        painter.setBrush(theme.color("series_1"))
        for one in person.busy:
            left, right = self._x(one.start), self._x(one.end)
            if right > left:
                painter.drawRect(QRectF(left, top + 4, right - left, row - 8))


class FindTimeDialog(Dialog):
    """Chooses slots; makes an appointment of one, or proposes up to three by mail."""

    def __init__(
        self, parent: QWidget | None, bench: Workbench, known: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(
            parent, "findTime", tr("Find a time"),
            subtitle=tr("The next times in which everybody works and nobody is known to be busy."),
            width=680,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._found = Found((), ())
        self._slots: list[Slot] = []
        self.subject = QLineEdit(str((known or {}).get("subject") or tr("Meeting")))
        self.subject.setObjectName("findTime.subject")
        self.people = PeopleEdit("findTime.people", tr("With whom"), bench)
        self.people.edited.connect(self._ask)
        self.length = QuietCombo()
        self.length.setObjectName("findTime.length")
        self.length.setMinimumContentsLength(14)
        for minutes in LENGTHS:
            self.length.addItem(ntr("{n} minute", "{n} minutes", minutes), minutes)
        self.length.setCurrentIndex(2)
        self.length.currentIndexChanged.connect(self._offer)
        self.rows = BusyRows(bench.formats)
        self.list = QListWidget()
        self.list.setObjectName("findTime.slots")
        self.list.setAccessibleName(tr("Free times"))
        theme.set_property(self.list, "checks", "true")
        self.list.setMinimumHeight(theme.scaled(170))
        self.list.currentRowChanged.connect(self._show_rows)
        self._arrange()
        self._ask()

    def _arrange(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        grid.addWidget(Labelled(tr("Subject"), self.subject), 0, 0)
        grid.addWidget(Labelled(tr("Length"), self.length), 0, 1)
        grid.addWidget(Labelled(tr("With whom"), self.people), 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self.rows)
        self.body.addWidget(
            Labelled(
                tr("Free times"), self.list,
                help_text=ntr(
                    "Check {n} time to propose it by e-mail; it is held as tentative here.",
                    "Check up to {n} times to propose them by e-mail; they are held as tentative "
                    "here.",
                    MOST,
                ),
            ),
            1,
        )  # fmt: skip
        self.propose_button = push_button(
            "findTime.propose", tr("Propose by e-mail…"), self._propose
        )
        self.make_button = push_button(
            "findTime.make", tr("New appointment"), self._make, kind="primary"
        )
        self.set_foot(self.cancel_button(), None, self.propose_button, self.make_button)

    # --- asking --------------------------------------------------------------------------

    def _ask(self) -> None:
        self._bench.tasks.read(
            look, self._bench.actor, list(self.people.people), clock.now(),
            done=self._known, failed=self.show_error, owner=self, lane="look",
        )  # fmt: skip

    def _known(self, found: Found) -> None:
        self._found = found
        unknown = [
            name
            for name, person in zip(found.names, found.times, strict=True)
            if person.busy is None
        ]
        self.notice.say(
            tr("Nobody here knows when these are busy: {names}.", names=", ".join(unknown))
            if unknown
            else "",
            "info",
        )
        self._offer()

    def _offer(self) -> None:
        length = timedelta(minutes=int(self.length.currentData()))
        first = clock.now() + timedelta(hours=1)
        self._slots = slots.free_slots(
            self._found.times, first, length, OFFERED, apart=timedelta(hours=2)
        )
        formats = self._bench.formats
        self.list.clear()
        offered: set[object] = set()
        for slot in self._slots:
            day = slot.start.astimezone(formats.zone).date()
            text = (
                f"{formats.weekday(day)}, {formats.datetime(slot.start)}–{formats.time(slot.end)}"
            )
            item = QListWidgetItem(text[:1].upper() + text[1:])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            # The first time of each day is proposed: three times on one day are one choice less.
            on = day not in offered and len(offered) < MOST
            offered.add(day)
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            item.setSizeHint(QSize(0, theme.scaled(28)))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        some = bool(self._slots)
        self.make_button.setEnabled(some)
        self.propose_button.setEnabled(some)
        if not some and self._found.names:
            self.notice.say(tr("There is no time in the next weeks that suits everybody."), "warn")
        self._show_rows(self.list.currentRow())

    def _show_rows(self, row: int) -> None:
        slot = self._slots[row] if 0 <= row < len(self._slots) else None
        self.rows.show_found(self._found, slot)

    # --- doing ---------------------------------------------------------------------------

    def _make(self) -> None:
        row = self.list.currentRow()
        if not 0 <= row < len(self._slots):
            return
        slot = self._slots[row]
        values = {
            "subject": self.subject.text().strip() or tr("Meeting"),
            "kind": "appointment",
            "start_at": slot.start,
            "end_at": slot.end,
            "status_reason": "busy",
            "reminder_minutes": 15,
            "owner": self._bench.actor.user_id,
            "parties": [_party(person) for person in self.people.people],
        }
        self._bench.tasks.write(
            partial(records.save, self._bench.actor, "activity", None, None, values),
            done=self._made, failed=self.show_error, owner=self,
        )  # fmt: skip

    def _made(self, saved: Saved) -> None:
        self._bench.bus.publish(saved.changes)
        self._bench.shell.open_record("activity", saved.id)
        self.accept()

    def chosen(self) -> list[Slot]:
        """The slots that are checked."""
        return [
            slot
            for number, slot in enumerate(self._slots)
            if self.list.item(number).checkState() is Qt.CheckState.Checked
        ]

    def _propose(self) -> None:
        picked = self.chosen()
        people = [Address(one.address, one.name) for one in self.people.people]
        if not self._found.senders:
            self.notice.say(
                tr("There is no mailbox to write from yet; add one in the mail pane."), "warn"
            )
            return
        if not people:
            self.notice.say(tr("Say with whom the meeting is to be."), "bad")
            self.people.line.setFocus()
            return
        if not 1 <= len(picked) <= MOST:
            self.notice.say(ntr("Check at most {n} time.", "Check one to {n} times.", MOST), "bad")
            return
        sender = self._found.senders[0]
        self._bench.tasks.write(
            partial(
                proposal.propose, self._bench.actor, self.subject.text().strip() or tr("Meeting"),
                picked, Address(sender.address, sender.name), people,
            ),
            done=partial(self._proposed, sender),
            failed=self.show_error,
            owner=self,
        )  # fmt: skip

    def _proposed(self, sender: Sender, made: Proposal) -> None:
        """Show the mail; it leaves only when the person sends it."""
        self._bench.bus.publish(made.changes)
        written = Written(
            mailbox=sender.mailbox,
            to=tuple(self.people.people),
            subject=self.subject.text().strip(),
            html=made.html,
            files=made.files,
        )
        self._bench.shell.new_record(KIND, written=written)
        self._bench.shell.toast(
            tr("Times are held"), tr("They stand as tentative in your calendar."), undo=True
        )
        self.accept()


def _party(person: Person) -> dict[str, object]:
    """A participant as a row of the meeting."""
    row: dict[str, object] = {
        "participation": "required", "name": person.name, "address": person.address,
    }  # fmt: skip
    if person.entity in {"user", "contact", "lead"} and person.record_id:
        row[person.entity] = person.record_id
    return row
