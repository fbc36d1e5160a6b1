"""The engine over a mail server: what a pass stores, and that nothing is lost or doubled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from imapclient import IMAPClient

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.models import OutboxItem
from desktop_crm.services import records
from desktop_crm.sync.imap.mailbox import ImapMailbox
from desktop_crm.sync.port import FolderRole, MeetingItem, TaskItem
from tests.mail_servers.proxy import CuttingProxy
from tests.mail_servers.servers import Servers
from tests.unit.sync.conftest import AT, World


@pytest.fixture
def client(mail_servers: Servers) -> Iterator[IMAPClient]:
    connection = mail_servers.dovecot.client()
    for key in ("a", "b", "c"):
        connection.append("INBOX", message(key))
    yield connection
    connection.logout()


@pytest.fixture
def box(mail_servers: Servers, client: IMAPClient) -> Iterator[ImapMailbox]:
    made = mail_servers.mailbox()
    yield made
    made.close()


def message(key: str, body: str = "Text") -> bytes:
    return (
        f"From: ion@client.example\r\nTo: ana@firma.example\r\nSubject: {key}\r\n"
        f"Message-ID: <{key}@x>\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\n\r\n{body}\r\n"
    ).encode()


def stands(world: World) -> list[tuple[str, str, bool]]:
    """Folder, state and mark of every item."""
    return sorted((i.folder, i.state, i.is_read) for i in world.items)


def test_marks_and_deletions_arrive(world: World, box: ImapMailbox, client: IMAPClient) -> None:
    assert world.sync(port=box).problem is None
    assert stands(world) == [("imap:INBOX", "stored", False)] * 3
    client.select_folder("INBOX")
    client.add_flags([1], [b"\\Seen"])
    client.delete_messages([2])
    client.expunge()
    result = world.sync(port=box)
    assert result.problem is None
    assert stands(world) == [
        ("imap:INBOX", "gone", False), ("imap:INBOX", "stored", False),
        ("imap:INBOX", "stored", True),
    ]  # fmt: skip
    assert len(world.messages) == 3


def test_a_moved_message_stays_one(world: World, box: ImapMailbox, client: IMAPClient) -> None:
    assert world.sync(port=box).problem is None
    client.select_folder("INBOX")
    client.move([1], "Outgoing")
    assert world.sync(port=box).problem is None
    assert [(folder, state) for folder, state, _ in stands(world)] == [
        ("imap:INBOX", "gone"), ("imap:INBOX", "stored"), ("imap:INBOX", "stored"),
        ("imap:Outgoing", "stored"),
    ]  # fmt: skip
    assert len(world.messages) == 3


def test_a_folder_numbered_anew_doubles_nothing(
    world: World, box: ImapMailbox, client: IMAPClient, mail_servers: Servers
) -> None:
    assert world.sync(port=box).problem is None
    mail_servers.dovecot.renumber("INBOX")
    client.append("INBOX", message("d"))
    result = world.sync(port=box)
    assert result.problem is None
    assert [f.folder for f in result.folders if f.resynced] == ["INBOX"]
    assert len(world.messages) == 4
    assert [state for _, state, _ in stands(world)].count("stored") == 4


def test_a_connection_that_breaks_is_tried_again(
    world: World, mail_servers: Servers, client: IMAPClient
) -> None:
    client.append("INBOX", message("big", "x" * 900_000))
    proxy = CuttingProxy(mail_servers.dovecot.tls_port)
    proxy.limit = 300_000
    box = mail_servers.mailbox(server=f"imaps://127.0.0.1:{proxy.port}", dav_server="")
    try:
        result = world.sync(port=box)
        # The message that breaks the connection each time is set aside, the others are kept.
        assert result.problem is None
        assert len(world.messages) == 3
        assert sorted(i.state for i in world.items) == ["quarantined", "stored", "stored", "stored"]
    finally:
        box.close()
        proxy.close()


def test_a_wrong_password_ends_the_pass_at_once(world: World, mail_servers: Servers) -> None:
    proxy = CuttingProxy(mail_servers.dovecot.tls_port)
    url = f"imaps://127.0.0.1:{proxy.port}"
    box = mail_servers.mailbox(server=url, password="wrong", dav_server="")
    try:
        assert isinstance(world.sync(port=box).problem, UserError)
        assert proxy.connections == 1
    finally:
        box.close()
        proxy.close()


def test_calendars_that_cannot_be_reached_lose_nothing(
    world: World, mail_servers: Servers, box: ImapMailbox
) -> None:
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:u\r\nSUMMARY:Hi\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
        "ATTENDEE:mailto:ion@client.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    mail_servers.radicale.request("PUT", "calendar/u.ics", event)
    assert world.sync(port=box).problem is None
    before = stands(world)
    assert len(before) == 4
    down = mail_servers.mailbox(dav_server="https://127.0.0.1:1/")
    problem = world.sync(port=down).problem
    down.close()
    assert isinstance(problem, EnvironmentProblem)
    assert problem.retryable
    assert stands(world) == before


# --- both directions ----------------------------------------------------------------------------


def go(world: World, box: ImapMailbox) -> None:
    result = world.sync(port=box)
    assert result.problem is None, result.problem


def kept(world: World) -> tuple[list[tuple[int, int]], int]:
    """Versions of the activities, and how many orders there are."""
    return [(a.id, a.version) for a in world.activities], len(world.rows(OutboxItem))


def test_calendar_and_tasks_go_both_ways_and_settle(
    world: World, mail_servers: Servers, moment: list[dt.datetime]
) -> None:
    box = mail_servers.mailbox()
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    soon = AT + dt.timedelta(days=2)
    world.save(
        "activity", kind="appointment", subject="Vizită", location="Cluj", start_at=soon,
        end_at=soon + dt.timedelta(hours=1), owner=world.ana,
    )  # fmt: skip
    world.save("activity", kind="task", subject="Sună", owner=world.ana, due_at=soon)
    try:
        go(world, box)
        places = {f.role: f for f in box.all_folders()}
        ((there,), (task,)) = (
            box.changes(places[role], None).changes
            for role in (FolderRole.CALENDAR, FolderRole.TASKS)
        )
        assert isinstance(there.item, MeetingItem)
        assert isinstance(task.item, TaskItem)
        assert (there.item.subject, there.item.location) == ("Vizită", "Cluj")
        assert task.item.subject == "Sună"
        moment[0] += dt.timedelta(minutes=5)
        go(world, box)
        before = kept(world)
        go(world, box)
        assert kept(world) == before
        text = mail_servers.radicale.request("GET", there.item_id).content.decode()
        mail_servers.radicale.request("PUT", there.item_id, text.replace("Cluj", "Iași"))
        moment[0] += dt.timedelta(minutes=5)
        go(world, box)
        assert "Iași" in [a.location for a in world.activities]
        before = kept(world)
        go(world, box)
        assert kept(world) == before
        assert mail_servers.smtp.delivered == []
    finally:
        box.close()


def test_what_went_before_it_was_read_is_gone_though_the_server_forgot_its_token(
    world: World, mail_servers: Servers, box: ImapMailbox, moment: list[dt.datetime]
) -> None:
    """It was written here, so nothing the adapter read so far knows of it."""
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    assert world.sync(port=box).problem is None
    start = AT + dt.timedelta(days=9)
    made = world.save(
        "activity", kind="appointment", subject="Vizită", owner=world.ana,
        start_at=start, end_at=start + dt.timedelta(hours=1),
    )  # fmt: skip
    assert world.sync(port=box).problem is None
    (name,) = mail_servers.radicale.stored("calendar")
    mail_servers.radicale.request("DELETE", f"calendar/{name}")
    mail_servers.radicale.forget_tokens()
    assert world.sync(port=box).problem is None
    assert {row.id: row.state for row in world.activities}[made] == "canceled"
