"""Meetings written over Microsoft Graph.

The service invites, updates and cancels by itself as soon as a meeting the owner organises has
guests; there is no way of asking it not to (Graph reference, event: create, update, delete). What
shall tell nobody is therefore refused before anything is sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.graph import forms, items
from desktop_crm.sync.graph.calendar import CALENDAR, event_path, home_of, missing_starts, opened
from desktop_crm.sync.graph.calls import Graph, segment, with_query
from desktop_crm.sync.graph.problems import GraphError
from desktop_crm.sync.port import MeetingItem, Response
from desktop_crm.sync.writes import (
    Answer,
    Delete,
    Image,
    Notify,
    PutBack,
    Ref,
    Save,
    Stale,
    Vanished,
    Written,
)

_log = logging.getLogger(__name__)

AROUND: Final = timedelta(days=40)
"""How far from its original start a moved occurrence is looked for."""

_ANSWERS: Final = {
    Response.ACCEPTED: "accept",
    Response.TENTATIVE: "tentativelyAccept",
    Response.DECLINED: "decline",
}
_STATED: Final = {
    "accepted": Response.ACCEPTED,
    "tentativelyaccepted": Response.TENTATIVE,
    "declined": Response.DECLINED,
}


class Events:
    """Does deeds on the meetings of one calendar.

    Args:
        graph: the connection.
        address: of the mailbox.
        calendar: key of the calendar.
    """

    def __init__(self, graph: Graph, address: str, calendar: str = CALENDAR) -> None:
        self._graph = graph
        self._address = address
        self._calendar = calendar
        self._events = f"{home_of(calendar)}/events"

    def _at(self, key: str) -> str:
        return f"{self._events}/{segment(key)}"

    def entry(self, key: str) -> items.Json:
        """An event as it stands.

        Raises:
            Vanished: it is not there.
        """
        try:
            return self._graph.get(event_path(key, self._calendar))
        except GraphError as error:
            if error.is_gone:
                raise Vanished(key[-12:]) from error
            raise

    def image(self, ref: Ref) -> Image:
        """A meeting as it stands; a series with the occurrences that were changed.

        Raises:
            Vanished: it is not there.
        """
        entry = self.entry(ref.item_id)
        item = self.item(entry)
        changed = self._changed(ref.item_id, item) if item.rrule else []
        raw = json.dumps({"event": entry, "exceptions": changed}).encode()
        here = replace(ref, change_key=items.change_key(entry))
        return Image(here, item, raw, categories=item.categories)

    def _changed(self, key: str, item: MeetingItem) -> list[items.Json]:
        found = self._instances(key, *_window())
        keys = [
            items.text(one, "id") for one in found if items.text(one, "type").lower() == "exception"
        ]
        answers = self._graph.batch([event_path(one, self._calendar) for one in keys])
        return [one.body for one in answers if one.status < 300 and isinstance(one.body, dict)]

    def item(self, entry: items.Json) -> MeetingItem:
        """What an event says; of a series with the starts of occurrences it no longer has."""
        if not entry.get("recurrence"):
            return items.meeting_item(entry, self._series_of(entry))
        plain = items.meeting_item(entry)
        if not plain.rrule:
            return plain
        since, until = _window()
        found = self._instances(items.text(entry, "id"), since, until)
        return replace(plain, exdates=missing_starts(entry, found, since, until))

    def _series_of(self, entry: items.Json) -> items.Json | None:
        key = items.text(entry, "seriesMasterId")
        return self.entry(key) if key else None

    def _instances(self, key: str, since: datetime, until: datetime) -> Iterable[items.Json]:
        path = with_query(
            f"{self._at(key)}/instances",
            startDateTime=_stamp(since),
            endDateTime=_stamp(until),
            select="id,type,start,originalStart",
            top="500",
        )
        answer = self._graph.get(path)
        while True:
            yield from (one for one in answer.get("value") or () if isinstance(one, dict))
            link = answer.get("@odata.nextLink")
            if not isinstance(link, str):
                return
            answer = self._graph.get(link)

    def occurrence(self, series: str, original: datetime | date) -> str:
        """Id of an occurrence by its original start.

        Raises:
            Vanished: the series has none there.
        """
        at = _instant(original)
        for one in self._instances(series, at - AROUND, at + AROUND):
            told = items.moment(items.text(one, "originalStart")) or items.zoned(one, "start")
            same = told == at if isinstance(original, datetime) else told and _near(told, original)
            if same:
                return items.text(one, "id")
        raise Vanished(f"no occurrence at {original}")

    def current(self, ref: Ref) -> items.Json:
        """The event, if it is the version the deed knows.

        Raises:
            Stale: it is newer.
            Vanished: it is not there.
        """
        entry = self.entry(ref.item_id)
        if ref.change_key and items.change_key(entry) != ref.change_key:
            raise Stale(items.change_key(entry))
        return entry

    def save(self, deed: Save, item: MeetingItem) -> Written:
        """Make a meeting, or change the one the deed names, or one of its occurrences."""
        if deed.ref is None:
            return self._create(deed, item)
        entry = self.current(deed.ref)
        target = entry
        if item.recurrence_id is not None:
            found = self.occurrence(deed.ref.item_id, item.recurrence_id)
            target = self.entry(found)
        before = self.item(target)
        form = forms.changed(
            forms.event_form(replace(before, zone=item.zone), self._address),
            forms.event_form(item, self._address),
        )
        if item.recurrence_id is not None:
            form.pop("recurrence", None)
        dropped = _dropped(before, item) if item.rrule else []
        if form or dropped:
            self._check(target, before, item, form, deed.notify, more=bool(dropped))
        written = target
        if form:
            written = self._patch(target, form | forms.own(deed.own_key))
        ref = Ref(deed.folder, items.text(written, "id"), items.change_key(written))
        return self._without(ref, dropped, item)

    def _create(self, deed: Save, item: MeetingItem) -> Written:
        form = forms.event_form(item, self._address)
        if form["attendees"] and deed.notify is Notify.NOBODY:
            raise _loud(item.subject)
        # A second request with the same transaction makes no second event.
        body = form | forms.own(deed.own_key) | {"transactionId": deed.own_key}
        made = self._graph.call("POST", self._events, body=body).json
        ref = Ref(deed.folder, items.text(made, "id"), items.change_key(made))
        return self._without(ref, item.exdates if item.rrule else (), item)

    def _without(self, ref: Ref, days: Iterable[datetime | date], item: MeetingItem) -> Written:
        """Take occurrences out of a series that shall not have them."""
        for day in days:
            try:
                key = self.occurrence(ref.item_id, day)
            except Vanished:
                _log.info("an occurrence was not there to be taken out")
                continue
            self._graph.call("DELETE", self._at(key))
            ref = replace(ref, change_key=items.change_key(self.entry(ref.item_id)))
        return Written(ref, item)

    def _check(
        self,
        entry: items.Json,
        before: MeetingItem,
        item: MeetingItem,
        form: forms.Form,
        notify: Notify,
        *,
        more: bool,
    ) -> None:
        """Refuse what would tell people nobody said to tell, or is not this person's to change."""
        if not self._organises(entry):
            if more or set(form) - forms.PERSONAL:
                raise _foreign()
            return
        if "body" in form and entry.get("isOnlineMeeting") is True:
            raise UserError(
                N_(
                    "The text of an online meeting holds the link to it, so it is changed in "
                    "Outlook only. Nothing was changed."
                )
            )
        old, new = (forms.guests(one, self._address) for one in (before, item))
        if not old and not new:
            return
        if notify is Notify.NOBODY:
            raise _loud(item.subject)
        if notify is Notify.CHANGED and (more or set(form) != {"attendees"}):
            raise UserError(
                N_(
                    'Microsoft 365 would tell everybody who is invited to "{subject}" of this '
                    "change, not only some. Nothing was changed; choose to tell everybody."
                ),
                subject=item.subject,
            )

    def _organises(self, entry: items.Json) -> bool:
        return entry.get("isOrganizer") is not False

    def _quiet(self, entry: items.Json, notify: Notify) -> None:
        """Refuse to change or delete in silence what the service tells people of."""
        if notify is not Notify.NOBODY or not self._organises(entry):
            return
        if forms.guests(items.meeting_item(entry), self._address):
            raise _loud(items.text(entry, "subject"))

    def _patch(self, entry: items.Json, form: forms.Form) -> dict[str, Any]:
        key = items.text(entry, "id")
        try:
            return self._graph.call(
                "PATCH",
                self._at(key),
                body=form,
                if_match=items.change_key(entry),
            ).json
        except GraphError as error:
            if error.code == "ErrorOccurrenceCrossingBoundary":
                raise UserError(
                    N_(
                        "The occurrence would pass or overlap another of its series, which "
                        "Microsoft 365 does not allow. Nothing was changed; choose a time between "
                        "its neighbours."
                    )
                ) from error
            raise

    def mark(self, ref: Ref, categories: tuple[str, ...], own_key: str) -> Written:
        """Set the categories of a meeting."""
        entry = self.entry(ref.item_id)
        self._quiet(entry, Notify.NOBODY)
        made = self._patch(entry, {"categories": list(categories)} | forms.own(own_key))
        return Written(replace(ref, change_key=items.change_key(made)))

    def delete(self, deed: Delete) -> Written:
        """Delete a meeting, or one occurrence of a series."""
        entry = self.current(deed.ref)
        self._quiet(entry, deed.notify)
        key = deed.ref.item_id
        if deed.occurrence is not None:
            key = self.occurrence(key, deed.occurrence)
        match_ = items.change_key(entry) if deed.occurrence is None else ""
        self._graph.call("DELETE", self._at(key), if_match=match_)
        if deed.occurrence is None:
            return Written(None)
        again = self.entry(deed.ref.item_id)
        return Written(replace(deed.ref, change_key=items.change_key(again)))

    def deleted(self, deed: Delete) -> Written | None:
        """Whether it is gone already."""
        try:
            entry = self.entry(deed.ref.item_id)
            if deed.occurrence is None:
                return None
        except Vanished:
            return Written(None)
        try:
            self.occurrence(deed.ref.item_id, deed.occurrence)
        except Vanished:
            return Written(replace(deed.ref, change_key=items.change_key(entry)))
        return None

    def put_back(self, deed: PutBack, item: MeetingItem) -> Written:
        """Make a meeting anew; one with guests would invite them again."""
        if forms.guests(item, self._address):
            raise UserError(
                N_(
                    'Microsoft 365 would invite everybody to "{subject}" again. Nothing was put '
                    "back; take it out of Deleted Items in Outlook."
                ),
                subject=item.subject,
            )
        before = json.loads(deed.image.raw)
        changed = [items.meeting_item(one, before["event"]) for one in before["exceptions"]]
        moved = {one.recurrence_id for one in changed}
        kept = tuple(day for day in item.exdates if day not in moved)
        made = self._create(
            Save(deed.own_key, deed.image.ref.folder, item), replace(item, exdates=kept)
        )
        assert made.ref is not None  # noqa: S101  what was made lies somewhere
        for one in changed:
            again = replace(one, zone=one.zone or item.zone)
            made = replace(made, ref=self._change_back(made.ref, again))
        return replace(made, item=item)

    def _change_back(self, series: Ref, item: MeetingItem) -> Ref:
        """Change an occurrence of a series that was made anew."""
        original = item.recurrence_id
        assert original is not None  # noqa: S101  only occurrences come here
        entry = self.entry(self.occurrence(series.item_id, original))
        form = forms.event_form(item, self._address)
        form.pop("recurrence")
        self._patch(entry, form)
        return replace(series, change_key=items.change_key(self.entry(series.item_id)))

    def answer(self, key: str, deed: Answer) -> Written:
        """Answer an invitation; the organizer is told only when the deed says so."""
        word = _ANSWERS.get(deed.response)
        if word is None:
            raise UserError(
                N_("An invitation is accepted, declined or left open; nothing was answered.")
            )
        told = deed.notify is not Notify.NOBODY
        self._graph.call("POST", f"{self._at(key)}/{word}", body={"sendResponse": told})
        return self.answered(key, deed) or Written(None)

    def answered(self, key: str, deed: Answer) -> Written | None:
        """Where the answered meeting lies; a declined one leaves the calendar."""
        try:
            entry = self.entry(key)
        except Vanished:
            return Written(None)
        said = entry.get("responseStatus")
        stated = items.text(said, "response").lower() if isinstance(said, dict) else ""
        if _STATED.get(stated) is not deed.response:
            return None
        return Written(Ref(self._calendar, key, items.change_key(entry)))

    def found(self, own_key: str, folder: str) -> Written | None:
        """The meeting that carries a key."""
        answer = self._graph.get(
            with_query(
                self._events, filter=items.own_filter(own_key), select="id,changeKey", top="1"
            )
        )
        for one in answer.get("value") or ():
            return Written(Ref(folder, items.text(one, "id"), items.change_key(one)))
        return None

    def saved(self, deed: Save, item: MeetingItem) -> Written | None:
        """The meeting an earlier try changed, by the key it left on it."""
        if deed.ref is None:
            return self.found(deed.own_key, deed.folder)
        try:
            key = deed.ref.item_id
            if item.recurrence_id is not None:
                key = self.occurrence(key, item.recurrence_id)
            entry = self.entry(key)
        except Vanished:
            return None
        if items.extended(entry, items.OWN_KEY) != deed.own_key:
            return None
        return Written(Ref(deed.folder, key, items.change_key(entry)))


def _window() -> tuple[datetime, datetime]:
    """The time in which a series' occurrences are known: the same as for reading."""
    place = opened(clock.today())
    since, until = (datetime.fromisoformat(day) for day in (place.since, place.until))
    return since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)


def _dropped(before: MeetingItem, item: MeetingItem) -> list[datetime | date]:
    """Occurrences a series shall no longer have, as far as they are known."""
    since, until = _window()
    return [
        day for day in item.exdates if day not in before.exdates and since <= _instant(day) < until
    ]


def _loud(subject: str) -> UserError:
    return UserError(
        N_(
            'Microsoft 365 tells everybody who is invited to "{subject}" of every change; it '
            "cannot be asked not to. Nothing was changed there; choose to tell them, or take the "
            "guests out."
        ),
        subject=subject,
    )


def _foreign() -> UserError:
    return UserError(
        N_(
            "This meeting is somebody else's, so only its organizer can change it. Nothing was "
            "changed; propose another time to the organizer."
        )
    )


def _instant(value: datetime | date) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.combine(value, time(), UTC)


def _near(at: datetime, day: date) -> bool:
    """Whether an instant is the midnight a day begins with, in whatever zone."""
    return (at + timedelta(hours=12)).date() == day


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
