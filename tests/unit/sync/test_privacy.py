"""Nothing of what is excluded reaches the database: every column of every table is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from desktop_crm.services import records
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.memory import CALENDAR
from desktop_crm.sync.port import Sensitivity
from tests.unit.sync.conftest import World, meeting

SECRET = "Zanzibar"


def everything(world: World) -> str:
    """The whole database as text: every row of every table the server or file knows."""
    lists = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    }
    found: list[str] = []
    with world.actor.db.reading() as connection:
        dialect = world.actor.db.dialect
        for name in connection.execute(text(lists[dialect])).scalars().all():
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):
                found += [v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row]
    return "\n".join(found)


def letter(*lines: str, sender: str = "ion@client.example", to: str = "ana@firma.example") -> str:
    head = (f"From: {sender}", f"To: {to}", f"Subject: {SECRET} one", f"Message-ID: <{SECRET}@x>")
    boundary = "Content-Type: multipart/mixed; boundary=b"
    parts = ("", "--b", "Content-Type: text/plain", "", f"{SECRET} two", "--b")
    file = (f"Content-Disposition: attachment; filename={SECRET}.txt", "", f"{SECRET} three")
    return "\r\n".join((*head, *lines, boundary, *parts, *file, "--b--", ""))


NEVER = {"never_log": "lawyer@elsewhere.example\nclinic.example"}

EXCLUDED = {
    "private": ("a.eml", letter("Sensitivity: Private")),
    "personal": ("a.eml", letter("Sensitivity: personal")),
    "confidential": ("a.eml", letter("Sensitivity: Company-Confidential")),
    "a word of its own": ("a.eml", letter("Sensitivity: Strictly-Private")),
    "with a comment": ("a.eml", letter("Sensitivity: Private (really)")),
    "said twice": ("a.eml", letter("Sensitivity: Normal", "Sensitivity: Private")),
    "never an address": ("a.eml", letter("Cc: Lawyer <LAWYER@Elsewhere.example>")),
    "never a domain": ("a.eml", letter("Bcc: x@deep.clinic.example")),
    "never a second sender": (
        "a.eml",
        letter(sender="ion@client.example, lawyer@elsewhere.example"),
    ),
    "never who sent it for another": ("a.eml", letter("Sender: lawyer@elsewhere.example")),
    "never who it was sent on to": ("a.eml", letter("Resent-To: lawyer@elsewhere.example")),
    "never behind damage": ("a.eml", letter("Cc: lawyer@elsewhere.example@@, <<broken")),
    "internal": ("a.eml", letter(sender="Boss <boss@firma.example>")),
    "drafts": ("Drafts/a.eml", letter()),
    "below drafts": ("Drafts/2026/a.eml", letter()),
    "unsent": ("a.eml", letter("X-Unsent: 1")),
    "junk": ("Junk E-mail/a.eml", letter()),
    "below junk": ("Junk/old/a.eml", letter()),
    "spam in Romanian": ("E-mail nedorit/a.eml", letter()),
    "deleted in Romanian": ("Elemente șterse/a.eml", letter()),
    "drafts in Romanian": ("Schițe/a.eml", letter()),
    "answered by a program": ("a.eml", letter("Auto-Submitted: auto-replied")),
    "marked as spam": ("a.eml", letter("X-Spam-Flag: YES")),
}


@pytest.mark.parametrize("case", EXCLUDED)
def test_nothing_of_an_excluded_message_is_stored(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level("DEBUG", logger="desktop_crm")
    records.save(world.actor, "mailbox", world.mailbox, None, NEVER)
    name, content = EXCLUDED[case]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    for _ in range(2):
        result = world.sync(port=FolderMailbox(tmp_path))
        assert result.problem is None
    (item,) = world.items
    assert (item.state, item.activity_id, item.identity) == ("excluded", None, None)
    assert SECRET not in everything(world)
    assert SECRET not in caplog.text


def event(*lines: str) -> tuple[str, ...]:
    return (
        "BEGIN:VEVENT",
        "UID:u1",
        "DTSTART:20260302T080000Z",
        "DTEND:20260302T090000Z",
        f"SUMMARY:{SECRET}",
        f"LOCATION:{SECRET}",
        f"DESCRIPTION:{SECRET}",
        f"CATEGORIES:{SECRET}",
        f"ATTENDEE;CN={SECRET}:mailto:ion@client.example",
        *lines,
        "END:VEVENT",
    )


MEETINGS = {
    "private": event("CLASS:PRIVATE"),
    "confidential": event("CLASS:confidential"),
    # RFC 5545, 3.8.1.3: words one does not know are to be treated like PRIVATE.
    "a word of its own": event("CLASS:X-BOARD-ONLY"),
    "a changed occurrence of a private series": (
        *event("CLASS:PRIVATE", "RRULE:FREQ=DAILY;COUNT=5"),
        *event("RECURRENCE-ID:20260303T080000Z"),
    ),
    "a series after its changed occurrence": (
        *event("RECURRENCE-ID:20260303T080000Z"),
        *event("CLASS:PRIVATE", "RRULE:FREQ=DAILY;COUNT=5"),
    ),
    "unreadable and private": event("CLASS:PRIVATE", f"DTSTART:{SECRET}"),
}


@pytest.mark.parametrize("case", MEETINGS)
@pytest.mark.parametrize("shared", [False, True])
def test_of_a_private_meeting_only_its_time_is_stored(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    case: str,
    shared: bool,
) -> None:
    caplog.set_level("DEBUG", logger="desktop_crm")
    world: World = request.getfixturevalue("shared_world" if shared else "world")
    lines = ("BEGIN:VCALENDAR", *MEETINGS[case], "END:VCALENDAR", "")
    (tmp_path / "c.ics").write_bytes("\r\n".join(lines).encode())
    assert world.sync(port=FolderMailbox(tmp_path)).problem is None
    assert world.items
    assert SECRET not in everything(world)
    assert "ion@client.example" not in [party.address for party in world.parties]
    assert SECRET not in caplog.text


def test_a_meeting_that_becomes_private_is_forgotten_everywhere(world: World) -> None:
    item = replace(meeting(subject=SECRET, location=f"{SECRET} hall", text=f"{SECRET} agenda"))
    key = world.port.put(CALENDAR, item)
    world.sync()
    assert SECRET in everything(world)
    assert world.links()
    world.port.put(CALENDAR, replace(item, sensitivity=Sensitivity.PRIVATE), key)
    world.sync()
    (activity,) = world.activities
    assert (activity.subject, activity.location, activity.description) == ("Busy", None, None)
    assert world.parties == []
    assert world.links() == []
    assert SECRET not in everything(world)


def test_a_private_entry_of_one_leaves_the_open_entry_of_another(world: World) -> None:
    """Two people hold one meeting; that one marked theirs private hides nothing of the other's."""
    radu = world.save("user", name="Radu", login="radu", email="radu@firma.example")
    other = world.save(
        "mailbox", name="Radu", kind="folder", address="radu@firma.example", user=radu
    )
    key = world.port.put(CALENDAR, meeting(sensitivity=Sensitivity.PRIVATE))
    world.sync()
    world.port.put(CALENDAR, meeting(text="now open"), key)
    world.sync()
    assert [a.subject for a in world.activities] == ["Ședință"]
    world.port.put(CALENDAR, meeting("u2", sensitivity=Sensitivity.PRIVATE))
    world.sync()
    port = type(world.port)()
    port.put(CALENDAR, meeting("u2"))
    world.sync(mailbox=other, port=port)
    shown = {(a.ical_uid, a.subject, a.owner_id) for a in world.activities}
    assert ("u2", "Busy", world.ana) in shown
    assert ("u2", "Ședință", radu) in shown
    assert world.sync(mailbox=other, port=port).problem is None
    assert len(world.activities) == 3


@pytest.mark.parametrize("linked", [False, True])
def test_unlinked_mail_on_a_shared_database_is_its_header(
    shared_world: World,
    tmp_path: Path,
    linked: bool,
) -> None:
    body = letter(sender="ion@client.example" if linked else "who@nowhere.example")
    body = body.replace(f"{SECRET} one", "Header").replace(f"<{SECRET}@x>", "<m@x>")
    (tmp_path / "a.eml").write_bytes(body.encode())
    shared_world.sync(port=FolderMailbox(tmp_path))
    (message,) = shared_world.messages
    assert message.stored == ("full" if linked else "headers")
    assert (SECRET in everything(shared_world)) is linked


@pytest.mark.parametrize(
    ("listed", "address"),
    [
        ("Lawyer <lawyer@elsewhere.example>", "lawyer@elsewhere.example"),
        ("mailto:Lawyer@Elsewhere.example", "lawyer@elsewhere.example"),
        ("lawyer@elsewhere.example.", "lawyer@elsewhere.example"),
        ("lawyer@elsewhere.example", "lawyer+case7@elsewhere.example"),
        ("lawyer@elsewhere.example", "lawyer@elsewhere.example."),
        ("lawyer@localhost", "lawyer@localhost"),
        ("lawyer@münchen.example", "lawyer@xn--mnchen-3ya.example"),
        ("münchen.example", "lawyer@xn--mnchen-3ya.example"),
        ("(clinic.example)", "x@clinic.example"),
        ("*@clinic.example.", "x@ward.clinic.example"),
        ("https://www.example/x, https://clinic.example:443/about", "x@clinic.example"),
        ("clinic.example", "x@clinic.example."),
    ],
)
def test_the_list_of_those_never_to_store_is_read_as_people_write_it(
    world: World, tmp_path: Path, listed: str, address: str
) -> None:
    records.save(world.actor, "mailbox", world.mailbox, None, {"never_log": listed})
    (tmp_path / "a.eml").write_bytes(letter(f"Cc: Somebody <{address}>").encode())
    assert world.sync(port=FolderMailbox(tmp_path)).problem is None
    assert [item.state for item in world.items] == ["excluded"]
    assert SECRET not in everything(world)
