from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from desktop_crm.core import recurrence
from desktop_crm.sync.exchange.rrule import rule_of
from desktop_crm.sync.formats import zones
from desktop_crm.sync.formats.ical import Calendar, read_calendar
from desktop_crm.sync.port import MeetingItem, Response, Role, Sensitivity, ShowAs

UTC = dt.UTC


def calendar(*lines: str) -> Calendar:
    text = "\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""))
    return read_calendar(text.encode())


def event(*lines: str) -> MeetingItem:
    found = calendar("BEGIN:VEVENT", "UID:u1", *lines, "END:VEVENT")
    assert found.quarantined == []
    (item,) = found.items
    return item


START = "DTSTART:20260302T080000Z"


# --- real calendars ----------------------------------------------------------------------------


def test_every_sample_is_read(samples: Path) -> None:
    files = sorted((samples / "ics").glob("*.ics"))
    assert len(files) >= 15
    found = {path.name: read_calendar(path.read_bytes()) for path in files}
    assert sum(len(c.items) for c in found.values()) >= 290
    for name, one in found.items():
        for item in one.items:
            assert item.uid, name
            assert item.start <= item.end, name
            assert item.all_day or item.start.tzinfo is not None, name  # type: ignore[union-attr]
    aside = {name: [q.reason for q in c.quarantined] for name, c in found.items() if c.quarantined}
    assert set(aside) <= {"categories.ics", "incoming.ics"}
    assert {reason for reasons in aside.values() for reason in reasons} == {
        "The event has no start."
    }


def test_zones_of_samples(samples: Path) -> None:
    def first(name: str) -> MeetingItem:
        return read_calendar((samples / "ics" / name).read_bytes()).items[0]

    assert first("evolution.ics").zone == "America/Chicago"
    assert first("calconnect.ics").zone == "America/New_York"
    assert first("Standup.ics").zone == "Australia/Sydney"
    blank = first("blankTzid.ics")
    assert (blank.zone, blank.start) == ("", dt.datetime(2015, 8, 26, 9, tzinfo=UTC))
    assert blank.remarks


def test_a_zone_that_only_its_shown_name_is_left_of_is_its_offset() -> None:
    for name, hours, minutes in (
        ("(UTC+02:00) Athens, Bucharest", 2, 0),
        ("(GMT-03:30) Newfoundland", -3, -30),
        ("UTC+5", 5, 0),
        ("UTC+99", 0, 0),
        ("Mars/Olympus", 0, 0),
    ):
        item = event(f'DTSTART;TZID="{name}":20260302T090000', "DURATION:PT1H")
        moved = dt.timedelta(hours=hours, minutes=minutes)
        assert item.start == dt.datetime(2026, 3, 2, 9, tzinfo=UTC) - moved, name
        assert item.zone == ""
        assert dict(item.remarks[0].params) == {"zone": name}


def test_a_zone_that_is_found_by_its_definition_is_no_remark(samples: Path) -> None:
    found = read_calendar((samples / "ics" / "dst-only-vtimezone.ics").read_bytes())
    assert [one.remarks for one in found.items if one.zone] == [()] * sum(
        1 for one in found.items if one.zone
    )


@pytest.mark.parametrize("start", ["00010101T000000Z", "99991231T230000Z", "99991231"])
def test_the_first_and_the_last_year_are_no_time_of_a_meeting(start: str) -> None:
    found = calendar("BEGIN:VEVENT", "UID:u1", f"DTSTART:{start}", "END:VEVENT")
    assert found.items == []
    assert [one.reason for one in found.quarantined] == ['The time "{value}" cannot be read.']


def test_two_calendars_in_a_file(samples: Path) -> None:
    found = read_calendar((samples / "ics" / "multiple_calendars.ics").read_bytes())
    assert [i.subject for i in found.items] == ["Conference", "Phone Conference"]


# --- times -------------------------------------------------------------------------------------


def test_series_over_the_change_of_the_clock() -> None:
    """Rule R34: weekly Monday 09:00 in Bucharest is 07:00Z in winter and 06:00Z in summer."""
    item = event(
        "DTSTART;TZID=Europe/Bucharest:20260316T090000",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=4",
    )
    assert item.zone == "Europe/Bucharest"
    found = recurrence.occurrences(
        item.rrule,
        item.start.astimezone(ZoneInfo(item.zone)).replace(tzinfo=None),  # type: ignore[union-attr]
        ZoneInfo(item.zone),
        (),
        window_start=dt.datetime(2026, 1, 1, tzinfo=UTC),
        window_end=dt.datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert [(o.start.day, o.start.hour) for o in found] == [(16, 7), (23, 7), (30, 6), (6, 6)]


@pytest.mark.parametrize("name", ["EXDATE.ics", "EXDATE-IN-UTC.ics", "friday13.ics", "Standup.ics"])
def test_occurrences_are_those_of_an_independent_reader(samples: Path, name: str) -> None:
    data = (samples / "ics" / name).read_bytes()
    (item,) = read_calendar(data).items
    start, end = dt.datetime(1997, 1, 1, tzinfo=UTC), dt.datetime(2009, 6, 1, tzinfo=UTC)
    oracle = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(start, end)
    expected = sorted(e.start.astimezone(UTC) for e in oracle)
    zone = ZoneInfo(item.zone)
    assert isinstance(item.start, dt.datetime)
    found = recurrence.occurrences(
        item.rrule,
        item.start.astimezone(zone).replace(tzinfo=None),
        zone,
        [e.astimezone(zone).replace(tzinfo=None) for e in item.exdates],  # type: ignore[union-attr]
        window_start=start,
        window_end=end,
    )
    assert [o.start for o in found] == expected
    assert len(found) > 3


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        (("DTSTART;VALUE=DATE:20260302",), dt.date(2026, 3, 2), dt.date(2026, 3, 3)),
        (
            ("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305"),
            dt.date(2026, 3, 2),
            dt.date(2026, 3, 5),
        ),
        (
            (
                "DTSTART:20260302T000000",
                "DTEND:20260303T000000",
                "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            ),
            dt.date(2026, 3, 2),
            dt.date(2026, 3, 3),
        ),
        (
            (START, "DURATION:P1DT2H"),
            dt.datetime(2026, 3, 2, 8, tzinfo=UTC),
            dt.datetime(2026, 3, 3, 10, tzinfo=UTC),
        ),
        ((START,), dt.datetime(2026, 3, 2, 8, tzinfo=UTC), dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
        (
            (START, "DTEND:20260301T080000Z"),
            dt.datetime(2026, 3, 2, 8, tzinfo=UTC),
            dt.datetime(2026, 3, 2, 8, tzinfo=UTC),
        ),
        (
            ("DTSTART;TZID=GTB Standard Time:20260302T100000", "DTEND:20260302T090000Z"),
            dt.datetime(2026, 3, 2, 8, tzinfo=UTC),
            dt.datetime(2026, 3, 2, 9, tzinfo=UTC),
        ),
        (
            ("DTSTART;TZID=Customized Time Zone:20260302T100000", "DTEND:20260302T110000Z"),
            dt.datetime(2026, 3, 2, 10, tzinfo=UTC),
            dt.datetime(2026, 3, 2, 11, tzinfo=UTC),
        ),
    ],
)
def test_times(lines: tuple[str, ...], start: dt.date, end: dt.date) -> None:
    item = event(*lines)
    assert (item.start, item.end) == (start, end)
    assert type(item.start) is type(start)


def test_times_without_a_zone_take_the_calendars_or_the_users() -> None:
    lines = ("BEGIN:VEVENT", "UID:u", "DTSTART:20260302T100000", "END:VEVENT")
    named = calendar("X-WR-TIMEZONE:Europe/Bucharest", *lines).items[0]
    assert named.start == dt.datetime(2026, 3, 2, 8, tzinfo=UTC)
    text = "\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR"))
    mine = read_calendar(text.encode(), ZoneInfo("America/New_York")).items[0]
    assert mine.start == dt.datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Bucharest", "Europe/Bucharest"),
        ("GTB Standard Time", "Europe/Bucharest"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("utc", "UTC"),
        ("", None),
        ("Customized Time Zone", None),
        ("(UTC+02:00) Athen, Bukarest", None),
    ],
)
def test_zone_names(name: str, zone: str | None) -> None:
    found = zones.zone_by_name(name)
    assert (found.key if found else None) == zone


# --- people and marks --------------------------------------------------------------------------


def test_people() -> None:
    item = event(
        START,
        "ORGANIZER;CN=Ana:MAILTO:Ana@Firma.example",
        'ATTENDEE;CN="Pop, Ion";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:ion@c.example',
        "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED:mailto:dan@c.example",
        "ATTENDEE;CUTYPE=ROOM;CN=Sala 2:invalid",
        "ATTENDEE;CUTYPE=ROOM:",
    )
    assert item.organizer is not None
    assert item.organizer.address.address == "ana@firma.example"
    assert [(a.address.name, a.role, a.response, a.address.readable) for a in item.attendees] == [
        ("Pop, Ion", Role.REQUIRED, Response.ACCEPTED, True),
        ("", Role.OPTIONAL, Response.DECLINED, True),
        ("Sala 2", Role.RESOURCE, Response.NONE, False),
    ]


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("CLASS:PRIVATE", "sensitivity", Sensitivity.PRIVATE),
        ("TRANSP:TRANSPARENT", "show_as", ShowAs.FREE),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "show_as", ShowAs.OUT_OF_OFFICE),
        ("STATUS:TENTATIVE", "show_as", ShowAs.TENTATIVE),
        ("STATUS:CANCELLED", "cancelled", True),
        ("CATEGORIES:Client\\, mare,VIP", "categories", ("Client, mare", "VIP")),
        ("SUMMARY:a\\, b\\; c\\nd", "subject", "a, b; c d"),
        ("DESCRIPTION:one\\ntwo", "text", "one\ntwo"),
        ("DESCRIPTION:<p>one</p><p>two</p>", "text", "one\n\ntwo"),
        ("LAST-MODIFIED:20260301T000000Z", "modified_at", dt.datetime(2026, 3, 1, tzinfo=UTC)),
        ("RECURRENCE-ID:20260302T080000Z", "recurrence_id", dt.datetime(2026, 3, 2, 8, tzinfo=UTC)),
    ],
)
def test_marks(line: str, name: str, value: object) -> None:
    assert getattr(event(START, line), name) == value


def test_a_cancellation_cancels_and_an_answer_is_no_meeting() -> None:
    lines = ("BEGIN:VEVENT", "UID:u", START, "END:VEVENT")
    assert calendar("METHOD:CANCEL", *lines).items[0].cancelled
    assert calendar("METHOD:REPLY", *lines).items == []


# --- damage ------------------------------------------------------------------------------------


def test_broken_events_are_set_aside_one_by_one() -> None:
    found = calendar(
        "BEGIN:VEVENT", "UID:a", "SUMMARY:No start", "END:VEVENT",
        "BEGIN:VEVENT", "UID:b", "DTSTART:tomorrow", "END:VEVENT",
        "BEGIN:VEVENT", "UID:c", "DTSTART:20261345T250000Z", "END:VEVENT",
        "BEGIN:VEVENT", "UID:d", START, "END:VEVENT",
    )  # fmt: skip
    assert [i.uid for i in found.items] == ["d"]
    assert [(q.name, q.reason) for q in found.quarantined] == [
        ("No start", "The event has no start."),
        ("b", 'The time "{value}" cannot be read.'),
        ("c", 'The time "{value}" cannot be read.'),
    ]


def test_a_rule_that_cannot_be_read_leaves_the_first_meeting() -> None:
    for rule in ("FREQ=SOMETIMES", "FREQ=SECONDLY", "nonsense", "FREQ=WEEKLY;BYDAY=XX"):
        item = event(START, f"RRULE:{rule}")
        assert item.rrule == ""
        assert item.remarks


def test_lines_and_ends_that_are_missing() -> None:
    data = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260302T080000Z\nnonsense\n=\n"
    data += b"BEGIN:VEVENT\nUID:b\nDTSTART:20260303T080000Z\nSUMMARY:fol\n ded\nEND:VTODO\n"
    found = read_calendar(data)
    assert [(i.uid, i.subject) for i in found.items] == [("a", ""), ("b", "folded")]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"hello\nworld", b"\x00\xff\xfe"])
def test_a_file_that_is_no_calendar(data: bytes) -> None:
    found = read_calendar(data)
    assert found.items == []
    assert len(found.quarantined) == 1


def test_an_event_without_uid_is_known_by_what_it_says() -> None:
    lines = ("BEGIN:VEVENT", START, "SUMMARY:x", "DTSTAMP:{}", "END:VEVENT")
    first = calendar(*(line.format("1") for line in lines)).items[0]
    again = calendar(*(line.format("2") for line in lines)).items[0]
    assert first.uid == again.uid
    assert first.uid.startswith("fingerprint:")


# --- recurrences as Exchange says them ---------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("Daily|Interval=2", "FREQ=DAILY;INTERVAL=2"),
        (
            "Weekly|Interval=1|DaysOfWeek=Monday Friday|FirstDayOfWeek=Sunday",
            "FREQ=WEEKLY;BYDAY=MO,FR;WKST=SU",
        ),
        ("AbsoluteMonthly|Interval=1|DayOfMonth=15", "FREQ=MONTHLY;BYMONTHDAY=15"),
        (
            "AbsoluteMonthly|Interval=3|DayOfMonth=31",
            "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        ),
        (
            "RelativeMonthly|Interval=1|DaysOfWeek=Tuesday|DayOfWeekIndex=Second",
            "FREQ=MONTHLY;BYDAY=2TU",
        ),
        (
            "RelativeMonthly|Interval=1|DaysOfWeek=Weekday|DayOfWeekIndex=Last",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        ),
        ("AbsoluteYearly|DayOfMonth=1|Month=December", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1"),
        (
            "RelativeYearly|DaysOfWeek=Sunday|DayOfWeekIndex=Last|Month=March",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        ),
    ],
)
def test_recurrences_of_exchange(pattern: str, rule: str) -> None:
    from lxml import etree

    name, *fields = pattern.split("|")
    root = etree.Element("Recurrence")
    inner = etree.SubElement(root, f"{name}Recurrence")
    for field in fields:
        key, _, value = field.partition("=")
        etree.SubElement(inner, key).text = value
    assert rule_of(root, "") == rule
    ends = etree.SubElement(root, "EndDateRecurrence")
    etree.SubElement(ends, "EndDate").text = "2026-12-31+02:00"
    assert rule_of(root, "") == f"{rule};UNTIL=20261231"
    window = (dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2027, 1, 1, tzinfo=UTC))
    wall = dt.datetime(2026, 1, 1, 9)  # noqa: DTZ001  a wall clock
    assert recurrence.occurrences(
        rule, wall, None, (), window_start=window[0], window_end=window[1]
    )


def test_a_recurrence_of_an_unknown_kind_is_refused() -> None:
    from lxml import etree

    root = etree.Element("Recurrence")
    etree.SubElement(root, "DailyRegeneration")
    with pytest.raises(ValueError, match="unknown"):
        rule_of(root, "")
