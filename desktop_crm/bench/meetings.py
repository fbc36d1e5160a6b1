"""A calendar of 20,000 meetings: a week and a month against statements by hand, and the window."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from desktop_crm import app
from desktop_crm.bench.data import grown_file
from desktop_crm.bench.data_rows import SEED, SMALL
from desktop_crm.bench.ground import Ground, on_server, opened
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.bench.scroll import STALL_S, empty_window
from desktop_crm.bench.window import Gaps, application, wait, wait_for
from desktop_crm.core.settings import Settings
from desktop_crm.core.text import fold
from desktop_crm.db import migrate
from desktop_crm.models import Activity, ActivityParty
from desktop_crm.services.calendar import agenda
from desktop_crm.services.records_kept import insert_rows
from desktop_crm.views.calendar.spans import Span
from desktop_crm.views.panes.calendar import CalendarPane

MEETINGS: Final = 20_000
SERIES_EACH: Final = 100
"""One meeting of so many is a series."""
GENERATOR: Final = 2
GOAL: Final = 3
"""How many times the statements by hand a page of the calendar may take, as lists."""
OPENED_S: Final = 0.1
"""How long one waits for a page at most."""

_TURNED: Final = 8
_CHUNK: Final = 5_000
_FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
_DAYS: Final = 3 * 365
_WEEK: Final = datetime(2026, 3, 2, tzinfo=UTC)
_RULES: Final = (
    "FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "FREQ=MONTHLY;BYDAY=1WE", "FREQ=WEEKLY;BYDAY=FR;COUNT=20",
    "FREQ=DAILY;UNTIL=20240601T000000Z",
)  # fmt: skip
_WORDS: Final = ("Visit", "Review", "Contract talks", "Demonstration", "Ședință", "Kick-off")
_LINE: Final = """SELECT a.id, a.version, a.subject, a.kind, a.state, a.status_reason, a.start_at,
 a.end_at, a.is_all_day, a.location, a.sensitivity, a.owner_id, a.is_organizer, a.ical_uid,
 a.recurrence_rule, a.recurrence_id, a.recurrence_exceptions, a.time_zone, o.name, c.name,
 p.full_name, l.subject FROM activity a LEFT JOIN opportunity o ON o.id = a.opportunity_id
 LEFT JOIN account c ON c.id = a.account_id LEFT JOIN contact p ON p.id = a.contact_id
 LEFT JOIN lead l ON l.id = a.lead_id
 WHERE a.deleted_at IS NULL AND a.kind IN ('appointment', 'phone_call', 'task')
 AND a.state <> 'canceled' AND a.start_at < ?"""
_SINGLE: Final = f"{_LINE} AND a.recurrence_rule IS NULL AND a.start_at > ? AND a.end_at >= ?"
_SERIES: Final = f"{_LINE} AND a.recurrence_rule IS NOT NULL"
_CHANGED: Final = """SELECT ical_uid, recurrence_id FROM activity WHERE deleted_at IS NULL
 AND recurrence_id IS NOT NULL AND ical_uid IN (@marks@)"""


@contextmanager
def stored() -> Iterator[Ground]:
    """The calendar on SQLite."""
    with opened(calendar_file()) as ground:
        yield ground


@contextmanager
def stored_on_server() -> Iterator[Ground]:
    """The same on PostgreSQL; raises ``NoServer`` where there is none."""
    with on_server(calendar_file()) as ground:
        yield ground


def calendar_file() -> Path:
    """Return the file, made when it is not there; some seconds."""
    return grown_file("calendar", GENERATOR, SMALL, lambda path: fill(path, MEETINGS))


def fill(path: Path, meetings: int) -> None:
    """Put so many meetings into a data file."""
    db = migrate.open_current(str(path))
    chance = random.Random(SEED)
    try:
        with db.reading() as connection:
            users = [key for (key,) in connection.exec_driver_sql('SELECT id FROM "user"')]
            people = connection.exec_driver_sql("SELECT id, account_id FROM contact").all()
        for start in range(0, meetings, _CHUNK):
            rows = [
                _meeting(number, users, chance.choice(people), chance)
                for number in range(start, min(start + _CHUNK, meetings))
            ]
            with db.writing() as connection:
                ids = insert_rows(connection, Activity, rows, None)
                pairs = zip(ids, rows, strict=True)
                parties = [_party(key, row, users, chance) for key, row in pairs]
                insert_rows(connection, ActivityParty, parties, None)
                changed = [row for row in rows if row["recurrence_rule"]]
                insert_rows(connection, Activity, [_moved(row) for row in changed], None)
        with db.writing() as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        db.close()


def _meeting(number: int, users: list[int], about: Any, chance: random.Random) -> dict[str, Any]:  # noqa: ANN401
    begin = _FIRST + timedelta(days=chance.randrange(_DAYS), minutes=15 * chance.randrange(28, 72))
    whole = number % 40 == 3
    begin = begin.replace(hour=0, minute=0) if whole else begin
    series = number % SERIES_EACH == 7
    subject = f"{chance.choice(_WORDS)} {number}"
    return {
        "subject": subject, "kind": "appointment", "state": "open", "priority": "normal",
        "status_reason": "busy", "start_at": begin,
        "end_at": begin + (timedelta(days=1 + number % 3) if whole else timedelta(hours=1)),
        "is_all_day": whole, "sensitivity": "private" if number % 50 == 9 else "normal",
        "is_organizer": True, "location": "Room 4", "owner_id": chance.choice(users),
        "contact_id": about[0], "account_id": about[1], "time_zone": "Europe/Bucharest",
        "ical_uid": f"{number}@bench.example",
        "recurrence_rule": chance.choice(_RULES) if series else None,
        "title_key": fold(subject), "search_text": fold(subject),
    }  # fmt: skip


def _party(
    key: int, row: dict[str, Any], users: list[int], chance: random.Random
) -> dict[str, Any]:
    return {
        "activity_id": key, "participation": "required", "user_id": chance.choice(users),
        "name": row["subject"], "response": "accepted",
    }  # fmt: skip


def _moved(series: dict[str, Any]) -> dict[str, Any]:
    """An occurrence of a series that was moved by an hour."""
    start = series["start_at"] + timedelta(days=28)
    return {
        **series, "recurrence_rule": None, "recurrence_id": start.isoformat(),
        "start_at": start + timedelta(hours=1), "end_at": start + timedelta(hours=2),
    }  # fmt: skip


def pages(ground: Ground) -> list[Row]:
    """A week and a month of everybody's events, as a page asks for them.

    By hand are the statements alone, series not followed to their dates.
    """
    rows = []
    for name, days in (("a week", 7), ("a month", 42)):
        operation = f"{name} of {MEETINGS:,} meetings"
        window = (_WEEK, _WEEK + timedelta(days=days))
        ours = partial(agenda.events, ground.everything, *window, everybody=True)
        limit = partial(_by_hand, ground, *window)
        single = {one.id for one in ours() if not one.series or one.changed}
        if single != {row[0] for row in limit()[0]}:
            reason = "the two ways give different meetings"
            rows.append(unmeasured("calendar", operation, reason, ground.database))
            continue
        measured = pair(ours, limit, 11)
        rows.append(compared("calendar", operation, measured, GOAL, database=ground.database))
    return rows


def _by_hand(ground: Ground, start: datetime, end: datetime) -> tuple[list[Any], ...]:
    begin, since, last = (_stored(ground, one) for one in (start, start - agenda.LONGEST, end))
    single = ground.fetch(_SINGLE, (last, since, begin))
    series = ground.fetch(_SERIES, (last,))
    uids = [row[13] for row in series]
    changed = ground.fetch(_CHANGED.replace("@marks@", ", ".join("?" * len(uids))), uids)
    return single, series, changed


def _stored(ground: Ground, moment: datetime) -> object:
    if ground.database == "sqlite":
        return moment.replace(tzinfo=None).isoformat(" ", "microseconds")
    return moment


def opened_pages(ground: Ground) -> list[Row]:
    """Weeks and months opened in the window: how long one waits, and the longest stall."""
    application()
    actor = ground.everything
    session = app.Session(Settings(), lambda _url: actor)
    window, tasks = session.window, session.tasks
    window.resize(1440, 900)
    window.show()
    window.start(actor, "calendar")
    wait_for(lambda: not tasks.busy)
    wait(200)
    pane = window.workspace.current()
    assert isinstance(pane, CalendarPane)  # noqa: S101  the module was shown
    waited: list[float] = []
    gaps = Gaps()
    try:
        pane.side.show_scope(everybody=True)
        gaps.watch()
        for span in (Span.WEEK, Span.MONTH):
            for turned in range(_TURNED):
                day = _WEEK.date() + timedelta(days=31 * turned)
                begun = time.perf_counter()
                pane.day = day
                pane.show_span(span)
                wait_for(lambda: not tasks.busy)
                waited.append(time.perf_counter() - begun)
                wait(20)
        gaps.rest()
    finally:
        tasks.close()
        window.close()
        window.deleteLater()
        wait(20)
    longest, typical = gaps.longest, statistics.median(waited)
    empty = empty_window()
    weeks = f"weeks and months of {MEETINGS:,} meetings"
    return [
        Row(
            "calendar", ground.database, f"opened in the window, median: {weeks}", typical, None,
            None, OPENED_S, ok=typical <= OPENED_S,
            reason="" if typical <= OPENED_S else "longer than 100 ms",
        ),
        Row(
            "calendar", ground.database, f"longest stall: {weeks}", longest, empty, None, STALL_S,
            ok=longest <= STALL_S, reason="" if longest <= STALL_S else "longer than 50 ms",
        ),
    ]  # fmt: skip
