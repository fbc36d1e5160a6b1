"""The calendar of Microsoft 365 page by page.

The service tells changes only of a window of time (`calendarView/delta`), so the window moves on
with the years: a new one is enumerated first and the old one is asked a last time afterwards, so
that nothing that happens in between is missed. The service reports a series as its occurrences;
here it becomes one series again, with its rule, its changed occurrences and the starts of those
that were deleted. Deleted occurrences are known within the window only.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from desktop_crm.core import clock
from desktop_crm.core.i18n import N_
from desktop_crm.sync.graph import items
from desktop_crm.sync.graph.calls import Answer, Graph, error_of, segment, with_query
from desktop_crm.sync.graph.problems import GraphError
from desktop_crm.sync.port import Batch, Change, ChangeKind, Quarantined, TokenInvalid

_log = logging.getLogger(__name__)

YEARS_BACK: Final = 1
YEARS_AHEAD: Final = 3
"""The window: from a year back to three years ahead of the month it was opened in; the service
takes at most five years."""

STALE_AFTER: Final = timedelta(days=90)
"""Age at which a window is followed by the next."""

DAMAGED: Final = N_("The item cannot be understood ({problem}).")
REFUSED: Final = N_("The server could not hand the item over ({problem}).")

CALENDAR: Final = "calendar"
"""Key of the person's own calendar."""
CALENDARS: Final = "calendars/"
"""What the key of another calendar begins with."""

_TOLERANCE: Final = tuple(timedelta(hours=h) for h in (0, -1, 1))


@dataclass(frozen=True, slots=True)
class Position:
    """How far a calendar was read.

    Attributes:
        since: first day of the window.
        until: day after the window.
        link: where to go on; empty at the window's beginning.
        resting: the window was read to its end, `link` tells what changed since.
        before: where the window before ended, to be asked a last time after this one.
        then: where this window goes on after the one before was asked a last time.
    """

    since: str
    until: str
    link: str = ""
    resting: bool = False
    before: str = ""
    then: str = ""

    def text(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), separators=(",", ":"))


def opened(today: date, before: str = "") -> Position:
    """A window as it is opened on a day."""
    month = today.replace(day=1)
    return Position(
        month.replace(year=month.year - YEARS_BACK).isoformat(),
        month.replace(year=month.year + YEARS_AHEAD).isoformat(),
        before=before,
    )


def position_of(token: str) -> Position:
    """Position of a stored text.

    Raises:
        TokenInvalid: it is none.
    """
    try:
        found = Position(**json.loads(token))
        date.fromisoformat(found.since)
        date.fromisoformat(found.until)
    except (ValueError, TypeError) as error:
        raise TokenInvalid("no position in a calendar") from error
    return found


def is_calendar(folder: str) -> bool:
    """Whether a folder's key is that of a calendar."""
    return folder == CALENDAR or folder.startswith(CALENDARS)


def home_of(calendar: str) -> str:
    """Where a calendar is asked for."""
    if calendar == CALENDAR:
        return "/me/calendar"
    return f"/me/calendars/{segment(calendar.removeprefix(CALENDARS))}"


class Calendar:
    """Pages of one calendar; the person's own where no other is named."""

    def __init__(self, graph: Graph, key: str = CALENDAR) -> None:
        self._graph = graph
        self._key = key
        # Series that were read under an earlier link of this round: once is enough.
        self._done: dict[str, str] = {}

    def page(self, token: str | None, limit: int) -> Batch:
        """One page of changes.

        Raises:
            TokenInvalid: the position is unknown.
            GraphError: the service refuses or is busy.
        """
        place = position_of(token) if token else opened(clock.today())
        for link in (place.link, place.before, place.then):
            if link and not self._graph.owns(link):
                raise TokenInvalid("a position of another service")
        if token is None or place.resting:
            self._done.clear()
        if place.resting and _age(place) > STALE_AFTER:
            place = opened(clock.today(), before=place.link)
        answer = self._ask(place, limit)
        page = _Page(self._graph, place, self._key)
        page.take(answer.get("value") or ())
        page.read_series(self._done)
        follow = next_link(answer, self._graph)
        after = _after(place, follow, more="@odata.nextLink" in answer)
        return Batch(tuple(page.changes), after.text(), not after.resting, tuple(page.quarantined))

    def _ask(self, place: Position, limit: int) -> dict[str, Any]:
        if place.link:
            return self._graph.get(place.link, page=limit)
        window = {"startDateTime": _midnight(place.since), "endDateTime": _midnight(place.until)}
        home = "/me" if self._key == CALENDAR else home_of(self._key)
        return self._graph.get(f"{home}/calendarView/delta", window, page=limit)


def next_link(answer: dict[str, Any], graph: Graph) -> str:
    """Where to go on after a page of changes.

    Raises:
        GraphError: the page says nothing, or leads away from the service.
    """
    link = answer.get("@odata.nextLink") or answer.get("@odata.deltaLink")
    if not isinstance(link, str) or not graph.owns(link):
        raise GraphError(0, "NoLink", "the page does not say how to go on")
    return link


def _after(place: Position, link: str, *, more: bool) -> Position:
    if more:
        return replace(place, link=link, resting=False)
    if place.then:
        return Position(place.since, place.until, place.then, resting=True)
    if place.before:
        return Position(place.since, place.until, place.before, then=link)
    return Position(place.since, place.until, link, resting=True)


def _age(place: Position) -> timedelta:
    start = date.fromisoformat(place.since)
    return clock.today() - start.replace(year=start.year + YEARS_BACK)


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


class _Page:
    """What one page of the calendar becomes."""

    def __init__(self, graph: Graph, place: Position, calendar: str) -> None:
        self._graph = graph
        self._calendar = calendar
        self._place = place
        self._series: dict[str, None] = {}
        self._wanted: dict[str, None] = {}
        self.changes: list[Change] = []
        self.quarantined: list[Quarantined] = []

    def take(self, entries: Iterable[Any]) -> None:
        """The entries of the page; what is not told whole is fetched."""
        gone: dict[str, None] = {}
        for entry in entries:
            key = items.text(entry, "id") if isinstance(entry, dict) else ""
            if not key:
                self._set_aside("?", "?", DAMAGED, problem="no id")
            elif "@removed" in entry:
                gone[key] = None
                self._wanted.pop(key, None)
            else:
                gone.pop(key, None)
                self._take(entry, key)
        self._check_gone(list(gone))
        self._fetch(list(self._wanted), None)

    def _take(self, entry: items.Json, key: str) -> None:
        kind = items.text(entry, "type").lower()
        if kind == "seriesmaster":
            self._series[key] = None
        elif items.text(entry, "seriesMasterId"):
            self._series[items.text(entry, "seriesMasterId")] = None
        elif items.text(entry, "iCalUId") and "start" in entry and "subject" in entry:
            self._keep(entry, key, None)
        else:
            self._wanted[key] = None

    def _check_gone(self, keys: list[str]) -> None:
        """Tell what was deleted from what merely left the window, which is reported alike."""
        for key, answer in zip(keys, self._events(keys), strict=True):
            entry = answer.body if answer.status < 300 else None
            if isinstance(entry, dict) and not items.text(entry, "seriesMasterId"):
                self._take(entry, key)
            elif answer.status == 404:
                self.changes.append(Change(ChangeKind.DELETE, key))
            elif entry is None:
                answer.checked()

    def _events(self, keys: list[str]) -> list[Answer]:
        return self._graph.batch([event_path(key, self._calendar) for key in keys])

    def _instances(self, keys: list[str]) -> list[Answer]:
        return self._graph.batch(
            [
                with_query(
                    f"{home_of(self._calendar)}/events/{segment(key)}/instances",
                    startDateTime=_midnight(self._place.since),
                    endDateTime=_midnight(self._place.until),
                    select="id,type,start,originalStart",
                    top="500",
                )
                for key in keys
            ]
        )

    def read_series(self, done: dict[str, str]) -> None:
        """Read the series the page named, each once a round."""
        place = self._place.link
        keys = [key for key in self._series if done.get(key, place) == place]
        masters = self._events(keys)
        instances = self._instances(keys)
        changed: dict[str, items.Json] = {}
        for key, answer, listed in zip(keys, masters, instances, strict=True):
            if 404 in (answer.status, listed.status):
                _log.info("a series went before it could be read")
            elif answer.status >= 300 or listed.status >= 300:
                problem = error_of(answer if answer.status >= 300 else listed)
                self._set_aside(key, key[-12:], REFUSED, problem=str(problem)[:200])
            else:
                found = self._all_instances(listed.json)
                self._keep(answer.json, key, None, self._missing(answer.json, found))
                changed |= {
                    items.text(one, "id"): answer.json
                    for one in found
                    if items.text(one, "type").lower() == "exception"
                }
        self._fetch(list(changed), changed)
        done.update(dict.fromkeys(keys, place))

    def _all_instances(self, answer: dict[str, Any]) -> list[items.Json]:
        found = list(answer.get("value") or ())
        while isinstance(link := answer.get("@odata.nextLink"), str):
            answer = self._graph.get(link)
            found += answer.get("value") or ()
        return [one for one in found if isinstance(one, dict)]

    def _missing(self, master: items.Json, found: list[items.Json]) -> tuple[datetime | date, ...]:
        since, until = (
            datetime.fromisoformat(day).replace(tzinfo=UTC)
            for day in (self._place.since, self._place.until)
        )
        return missing_starts(master, found, since, until)

    def _fetch(self, keys: list[str], series: dict[str, items.Json] | None) -> None:
        for key, answer in zip(keys, self._events(keys), strict=True):
            if answer.status == 404:
                _log.info("an event went before it could be read")
            elif answer.status >= 300:
                self._set_aside(key, key[-12:], REFUSED, problem=str(error_of(answer))[:200])
            else:
                self._keep(answer.json, key, series[key] if series else None)

    def _keep(
        self,
        entry: items.Json,
        key: str,
        master: items.Json | None,
        exdates: tuple[datetime | date, ...] = (),
    ) -> None:
        try:
            item = items.meeting_item(entry, master, exdates)
        except (items.Unreadable, ValueError, TypeError, AttributeError) as error:
            _log.warning("event %s: %s", key[-12:], error, exc_info=True)
            name = items.text(entry, "subject")[:200] or key[-12:]
            self._set_aside(key, name, DAMAGED, problem=str(error)[:200])
            return
        kind = ChangeKind.UPDATE if master else kind_of(entry)
        self.changes.append(Change(kind, key, item, items.change_key(entry)))

    def _set_aside(self, key: str, name: str, reason: str, **params: object) -> None:
        self.quarantined.append(Quarantined(key, name, reason, tuple(params.items())))


def missing_starts(
    master: items.Json, instances: Iterable[items.Json], since: datetime, until: datetime
) -> tuple[datetime | date, ...]:
    """Starts within a window that the rule names and the series does not have as they were.

    They are the original starts of occurrences that were deleted or changed.
    """
    try:
        series = items.meeting_item(master)
    except items.Unreadable:
        return ()
    if not series.rrule:
        return ()
    plain = [one for one in instances if items.text(one, "type").lower() == "occurrence"]
    there = {at for at in (items.zoned(one, "start") for one in plain) if at}
    first, zone = series.start, items.zone_of(master)
    if not isinstance(first, datetime):
        first, zone = datetime(first.year, first.month, first.day, tzinfo=UTC), None
    # Without a zone the clock changes by an hour somewhere in the year.
    hours = _TOLERANCE if zone is None and not series.all_day else _TOLERANCE[:1]
    missing = [
        at
        for at in items.starts(series.rrule, first, zone, since, until)
        if not any(at + shift in there for shift in hours)
    ]
    return tuple(at.date() if series.all_day else at for at in missing)


def event_path(key: str, calendar: str = CALENDAR) -> str:
    """Where an event is read with everything this product asks of it."""
    return with_query(
        f"{home_of(calendar)}/events/{segment(key)}",
        select=items.EVENT_FIELDS,
        expand=items.OWN_KEY_EXPAND,
    )


def kind_of(entry: items.Json) -> ChangeKind:
    """Whether an item is new or was changed after it was made; the service does not say."""
    made = items.moment(items.text(entry, "createdDateTime"))
    changed = items.moment(items.text(entry, "lastModifiedDateTime"))
    if made and changed and changed - made > timedelta(seconds=1):
        return ChangeKind.UPDATE
    return ChangeKind.CREATE
