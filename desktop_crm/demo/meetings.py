"""Forty meetings as calendar files: series, days, private hours and visits with guests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from desktop_crm.demo.story import DOMAIN, Person, Story, slug

COUNT: Final = 40
FOLDER: Final = "Calendar"
_ZONE: Final = "Europe/Bucharest"
_TIMEZONE: Final = """BEGIN:VTIMEZONE
TZID:Europe/Bucharest
BEGIN:STANDARD
DTSTART:19701025T040000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
TZNAME:EET
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T030000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
TZNAME:EEST
END:DAYLIGHT
END:VTIMEZONE"""
_SUBJECTS: Final = (
    ("Site visit", "Customer's plant"), ("Layout workshop", "Video call"),
    ("Discuție ofertă", "Apel video"), ("Factory acceptance test", "Cluj-Napoca, hall 2"),
    ("Negociere contract", "Sediul clientului"), ("Quarterly review", "Video call"),
)  # fmt: skip
_ANSWERS: Final = ("ACCEPTED", "NEEDS-ACTION", "TENTATIVE", "DECLINED")


def write(story: Story, folder: Path) -> int:
    """Write one calendar file for each meeting; returns how many."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    events = list(_events(story))
    for number, (name, blocks) in enumerate(events, 1):
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Cetina//Sample//EN",
                 *_TIMEZONE.splitlines(), *blocks, "END:VCALENDAR", ""]  # fmt: skip
        text = "\r\n".join(_folded(line) for line in lines)
        (place / f"{number:02d}-{slug(name)}.ics").write_bytes(text.encode("utf-8"))
    return len(events)


def _events(story: Story) -> Iterator[tuple[str, list[str]]]:
    yield from _series(story)
    yield from _days(story)
    yield from _private(story)
    made = 9
    for number in range(COUNT - made):
        yield _visit(story, number)


def _series(story: Story) -> Iterator[tuple[str, list[str]]]:
    monday = story.today - timedelta(days=story.today.weekday())
    weekly = monday - timedelta(days=49)
    left_out = monday - timedelta(days=14)
    moved = monday + timedelta(days=7)
    uid = f"team@{DOMAIN}"
    yield (
        "Team meeting",
        [
            *_event(uid, "Team meeting", _at(weekly, 9), _at(weekly, 10), "Room 1",
                    extra=("RRULE:FREQ=WEEKLY;BYDAY=MO", f"EXDATE;{_at(left_out, 9)}")),
            *_event(uid, "Team meeting (moved)", _at(moved + timedelta(days=1), 10),
                    _at(moved + timedelta(days=1), 11), "Room 2",
                    extra=(f"RECURRENCE-ID;{_at(moved, 9)}",)),
        ],
    )  # fmt: skip
    start = monday - timedelta(days=28)
    yield (
        "Stand-up",
        _event(f"standup@{DOMAIN}", "Stand-up", _at(start, 9, 45), _at(start, 10), "Video call",
               extra=("RRULE:FREQ=WEEKLY;BYDAY=TU,WE,TH,FR",)),
    )  # fmt: skip
    first = (story.today.replace(day=1) - timedelta(days=40)).replace(day=1)
    yield (
        "Monthly figures",
        _event(f"figures@{DOMAIN}", "Monthly figures", _at(first, 14), _at(first, 15), "Room 1",
               extra=("RRULE:FREQ=MONTHLY;BYDAY=1TH",)),
    )  # fmt: skip


def _days(story: Story) -> Iterator[tuple[str, list[str]]]:
    for name, days, length, show in (
        ("Packaging fair", 15, 3, "OPAQUE"),
        ("Inventory", -20, 1, "TRANSPARENT"),
        ("Concediu", 33, 5, "OPAQUE"),
    ):
        start = story.today + timedelta(days=story.working(days))
        end = start + timedelta(days=length)
        yield (
            name,
            _event(f"{slug(name)}@{DOMAIN}", name, f"VALUE=DATE:{start:%Y%m%d}",
                   f"VALUE=DATE:{end:%Y%m%d}", "", extra=(f"TRANSP:{show}",)),
        )  # fmt: skip


def _private(story: Story) -> Iterator[tuple[str, list[str]]]:
    for number, (name, days) in enumerate(
        (("Dentist", 3), ("School play", -6), ("Anniversary", 9))
    ):
        day = story.today + timedelta(days=story.working(days))
        yield (
            name,
            _event(f"private{number}@{DOMAIN}", name, _at(day, 17), _at(day, 18), "",
                   extra=("CLASS:PRIVATE",)),
        )  # fmt: skip


def _visit(story: Story, number: int) -> tuple[str, list[str]]:
    deals = [d for d in story.deals if d.owner == story.team[0]] or story.deals
    deal = deals[(number * 4 + 1) % len(deals)]
    guests = story.people_of(deal.account)[: 1 + number % 3]
    subject, place = _SUBJECTS[number % len(_SUBJECTS)]
    name = f"{subject}: {deal.name}"
    day = story.today + timedelta(days=story.working(number * 2 - 36))
    hour = 10 + number % 6
    return name, _event(
        f"visit{number:02d}@{DOMAIN}",
        name,
        _at(day, hour),
        _at(day, hour + 1, 30 * (number % 2)),
        place,
        extra=_guests(story, guests, number),
    )


def _guests(story: Story, guests: Sequence[Person], number: int) -> tuple[str, ...]:
    organiser = f'ORGANIZER;CN="{story.name}":mailto:{story.address}'
    mine = f'ATTENDEE;CN="{story.name}";ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:{story.address}'
    if number % 4 == 3:
        first = guests[0]
        organiser = f'ORGANIZER;CN="{first.name}":mailto:{first.email}'
    lines = [
        f'ATTENDEE;CN="{p.name}";ROLE={"REQ" if place == 0 else "OPT"}-PARTICIPANT;'
        f"PARTSTAT={_ANSWERS[(number + place) % len(_ANSWERS)]};RSVP=TRUE:mailto:{p.email}"
        for place, p in enumerate(guests)
    ]
    return (organiser, mine, *lines)


def _event(
    uid: str, name: str, start: str, end: str, place: str, *, extra: Sequence[str]
) -> list[str]:
    stamp = datetime(2020, 1, 1, tzinfo=UTC)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
        f"DTSTART;{start}",
        f"DTEND;{end}",
        f"SUMMARY:{_escaped(name)}",
    ]
    if place:
        lines.append(f"LOCATION:{_escaped(place)}")
    return [*lines, *extra, "END:VEVENT"]


def _at(day: date, hour: int, minute: int = 0) -> str:
    return f"TZID={_ZONE}:{day:%Y%m%d}T{hour:02d}{minute:02d}00"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")


def _folded(line: str) -> str:
    """Lines of at most 75 bytes, as RFC 5545 wants them, never split within a character."""
    parts, current, size = [], "", 0
    for character in line:
        width = len(character.encode("utf-8"))
        if size + width > 73:
            parts.append(current)
            current, size = "", 0
        current += character
        size += width
    return "\r\n ".join([*parts, current])
