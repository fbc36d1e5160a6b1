"""What the calendar changes: moving and deleting, one write at a time for each event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_crm.core.i18n import tr
from desktop_crm.services import records
from desktop_crm.services.calendar import series_edits
from desktop_crm.services.calendar.agenda_event import AgendaEvent
from desktop_crm.services.calendar.series_edits import Reach
from desktop_crm.views.errors import ask

if TYPE_CHECKING:
    from desktop_crm.services.calendar.series_edits import Edited
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import Saved
    from desktop_crm.views.workbench import Workbench


def reach_answers(kind: str) -> tuple[tuple[str, str, str], ...]:
    """Buttons that say how much of a series is meant; the usual answer is of a kind."""
    return (
        ("cancel", tr("Cancel"), ""),
        (Reach.ALL.value, tr("All of them"), ""),
        (Reach.FOLLOWING.value, tr("This and following"), ""),
        (Reach.THIS.value, tr("Only this one"), kind),
    )


class EventEdits(QObject):
    """Saves what a person does to events, and says why something stays as it is.

    Attributes:
        shown_differently: an event should be shown as it was put, before it is saved.
        settled: the events should be read again.
    """

    shown_differently = Signal()
    settled = Signal()

    def __init__(self, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = bench
        self._wanted: dict[int, dict[str, object]] = {}
        self._versions: dict[int, int] = {}
        self._latest: dict[int, int] = {}

    def as_wanted(self, event: AgendaEvent) -> AgendaEvent:
        """An event as the person put it, while saving that is under way."""
        wanted = self._wanted.get(event.id)
        if wanted is None:
            return event
        start, end = wanted["start_at"], wanted["end_at"]
        assert isinstance(start, datetime)  # noqa: S101  put there by _change
        assert isinstance(end, datetime)  # noqa: S101  the same
        return event._replace(start=start, end=end, all_day=bool(wanted["is_all_day"]))

    def explain(self, event: AgendaEvent) -> None:
        """Say why an event stays where it is, and offer what can be done instead."""
        if event.private:
            self._bench.shell.toast(
                tr("Private"), tr("Only its owner knows what this event is about.")
            )
        elif event.foreign:
            self._bench.shell.toast(
                tr("Somebody else organizes this meeting"),
                tr("Only the organizer can move it; propose another time instead."),
            )
        else:
            self._bench.shell.toast(
                tr("Not yours to change"), tr("This event belongs to somebody else.")
            )

    def _later(self, function: Callable[[], None]) -> None:
        """Ask after the mouse's event is over, so that no dialog nests in it."""
        QTimer.singleShot(0, self, function)

    def change(self, event: AgendaEvent, start: datetime, end: datetime, whole_days: bool) -> None:
        """Show the new time at once and save it; further moves wait for the answer.

        Of a series the person is asked first how much of it is meant.
        """
        if event.series and not event.changed:
            self._later(partial(self._ask_to_move, event, start, end))
            return
        under_way = event.id in self._versions
        self._wanted[event.id] = {"start_at": start, "end_at": end, "is_all_day": whole_days}
        self.shown_differently.emit()
        if not under_way:
            # The event may still be shown as it was before our own last save.
            self._versions[event.id] = max(event.version, self._latest.get(event.id, 0))
            self._save(event.id, self._wanted[event.id])

    def _ask_to_move(self, event: AgendaEvent, start: datetime, end: datetime) -> None:
        values: dict[str, object] = {
            "start_at": start,
            "end_at": end,
            "is_all_day": event.all_day,
        }
        when = self._when(values)
        reach = self.ask_reach(
            tr("Move this event?"),
            tr("“{title}” repeats. What shall be moved to {when}?", title=event.title, when=when),
        )
        if reach is None or event.original is None:
            self.settled.emit()
            return
        self._bench.tasks.write(
            partial(
                series_edits.change, self._bench.actor, event.id, event.original, reach,
                {"start_at": start, "end_at": end},
            ),
            done=partial(self._series_changed, tr("Moved"), when),
            failed=self._failed,
            owner=self,
        )  # fmt: skip

    def ask_reach(self, title: str, text: str, kind: str = "primary") -> Reach | None:
        """Ask how much of a series is meant; None when the person thought better of it."""
        answer = ask(self._bench.shell.window_widget(), title, text, reach_answers(kind))
        return Reach(answer) if answer in set(Reach) else None

    def _series_changed(self, title: str, text: str, edited: Edited) -> None:
        self._bench.bus.publish(edited.changes)
        self.settled.emit()
        self._bench.shell.toast(title, text, undo=True)

    def _failed(self, error: Exception) -> None:
        self.settled.emit()
        self._bench.shell.show_error(error)

    def open(self, event: AgendaEvent) -> None:
        """Open the form of an event; of a series the person says how much they mean."""
        if event.private:
            self.explain(event)
        elif event.series and not event.changed and event.editable and event.original is not None:
            self._later(partial(self._ask_to_open, event, event.original))
        else:
            self._bench.shell.open_record("activity", event.id)

    def _ask_to_open(self, event: AgendaEvent, original: datetime) -> None:
        reach = self.ask_reach(
            tr("Open this event?"),
            tr("“{title}” repeats. What do you want to change?", title=event.title),
        )
        if reach is Reach.ALL:
            self._bench.shell.open_record("activity", event.id)
        elif reach is not None:
            self._bench.tasks.write(
                partial(series_edits.change, self._bench.actor, event.id, original, reach, {}),
                done=self._open_edited,
                failed=self._failed,
                owner=self,
            )

    def _open_edited(self, edited: Edited) -> None:
        self._bench.bus.publish(edited.changes)
        self.settled.emit()
        self._bench.shell.open_record("activity", edited.activity)

    def _save(self, activity_id: int, values: dict[str, object]) -> None:
        self._bench.tasks.write(
            partial(
                records.save, self._bench.actor, "activity", activity_id,
                self._versions[activity_id], values,
            ),
            done=partial(self._saved, activity_id, values),
            failed=partial(self._not_saved, activity_id),
            owner=self,
        )  # fmt: skip

    def _saved(self, activity_id: int, values: dict[str, object], saved: Saved) -> None:
        self._bench.bus.publish(saved.changes)
        self._latest[activity_id] = saved.version
        latest = self._wanted.get(activity_id)
        if latest is not None and latest is not values:
            self._versions[activity_id] = saved.version
            self._save(activity_id, latest)
            return
        self._forget(activity_id)
        self.settled.emit()
        self._bench.shell.toast(tr("Moved"), self._when(values), undo=True)

    def _not_saved(self, activity_id: int, error: Exception) -> None:
        self._forget(activity_id)
        self.settled.emit()
        self._bench.shell.show_error(error)

    def _forget(self, activity_id: int) -> None:
        self._wanted.pop(activity_id, None)
        self._versions.pop(activity_id, None)

    def _when(self, values: dict[str, object]) -> str:
        formats = self._bench.formats
        start, end = values["start_at"], values["end_at"]
        assert isinstance(start, datetime)  # noqa: S101  put there by _change
        assert isinstance(end, datetime)  # noqa: S101  the same
        if values["is_all_day"]:
            first, last = start.date(), (end - timedelta(days=1)).date()
            return " – ".join(formats.date(day) for day in dict.fromkeys((first, last)))
        if start.astimezone(formats.zone).date() != end.astimezone(formats.zone).date():
            return f"{formats.datetime(start)} – {formats.datetime(end)}"
        return f"{formats.datetime(start)}–{formats.time(end)}"

    def delete(self, event: AgendaEvent) -> None:
        """Delete an event; a series only after a question."""
        if not event.editable:
            self.explain(event)
        elif event.series and event.original is not None:
            self._later(partial(self._ask_to_delete, event, event.original))
        else:
            work = partial(records.delete, self._bench.actor, "activity", [event.id])
            self._delete(event, work)

    def _ask_to_delete(self, event: AgendaEvent, original: datetime) -> None:
        reach = self.ask_reach(
            tr("Delete this event?"),
            tr(
                "“{title}” repeats. What shall be deleted? You can take it back with Ctrl+Z.",
                title=event.title,
            ),
            "danger",
        )
        if reach is not None:
            actor = self._bench.actor
            self._delete(event, partial(series_edits.delete, actor, event.id, original, reach))

    def _delete(self, event: AgendaEvent, work: Callable[[], ChangeSet]) -> None:
        self._bench.tasks.write(
            work, done=partial(self._deleted, event), failed=self._failed, owner=self
        )

    def _deleted(self, event: AgendaEvent, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self.settled.emit()
        note = tr("The mailbox keeps it.") if event.foreign else event.title
        self._bench.shell.toast(tr("Deleted"), note, undo=True)
