"""Lines to real servers that break at each step in turn: nothing is taken for what it is not."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import pytest
from imapclient import IMAPClient

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.sync.dav.changes import etag_of, get
from desktop_crm.sync.dav.client import DavClient
from desktop_crm.sync.imap.mailbox import ImapMailbox
from desktop_crm.sync.imap.session import Session
from desktop_crm.sync.imap.smtp import Postman, Unsure
from desktop_crm.sync.port import Batch, FolderRole
from desktop_crm.sync.writes import Move, Ref, Vanished
from tests.contract.writing_driver import message, received
from tests.mail_servers.dovecot import PASSWORD
from tests.mail_servers.lines import Lines
from tests.mail_servers.servers import ADDRESS, Servers

R = TypeVar("R")

BRIEF = ("half", "lost", "reset", "429", "500")
"""Faults of one request, which the next one does not meet."""


@pytest.fixture
def lines(mail_servers: Servers) -> Iterator[Lines]:
    made = Lines(mail_servers)
    yield made
    made.close()


@pytest.fixture
def client(mail_servers: Servers) -> Iterator[IMAPClient]:
    connection = mail_servers.dovecot.client()
    yield connection
    connection.logout()


def each_step(lines: Lines, fault: str) -> Iterator[int]:
    """Let the first request meet a fault, then the second, and so on until none is left."""
    for number in itertools.count():
        struck = lines.struck.total()
        lines.aim([*[None] * number, fault])
        yield number
        if lines.struck.total() == struck:
            assert number > 3
            return


def patiently(call: Callable[[], R]) -> R:
    """Ask again for what may pass, as a pass over a mailbox does."""
    for _ in range(4):
        try:
            return call()
        except EnvironmentProblem as problem:
            if not problem.retryable:
                raise
    return call()


@pytest.mark.parametrize("fault", BRIEF)
def test_a_connection_that_ends_amid_signing_in_is_no_wrong_password(
    mail_servers: Servers, lines: Lines, fault: str
) -> None:
    for _ in each_step(lines, fault):
        mailbox = mail_servers.mailbox(server=lines.urls["server"], dav_server="")
        with contextlib.closing(mailbox):
            assert patiently(mailbox.folders)
            lines.aim(())


@pytest.mark.parametrize("fault", BRIEF)
def test_a_busy_server_refuses_no_message_for_good(
    mail_servers: Servers, lines: Lines, fault: str
) -> None:
    ca_file = str(mail_servers.ca_file)
    for step in each_step(lines, fault):
        url, login = lines.urls["smtp_server"], mail_servers.login
        postman = Postman(url, login, PASSWORD, ca_file=ca_file)
        handed_over: list[int] = []
        told = partial(handed_over.append, step)
        submit = partial(postman.submit, ADDRESS, ["ion@client.example"], message("a"), told)
        mail_servers.smtp.delivered.clear()
        try:
            patiently(submit)
        except Unsure:
            assert handed_over
        else:
            assert len(mail_servers.smtp.delivered) == 1


def read(mail_servers: Servers, lines: Lines) -> Batch:
    """The inbox by a mailbox that has read nothing yet."""
    mailbox = mail_servers.mailbox(server=lines.urls["server"], dav_server="")

    def inbox() -> Batch:
        folder = next(f for f in mailbox.folders() if f.role is FolderRole.INBOX)
        return mailbox.changes(folder, None)

    with contextlib.closing(mailbox):
        batch = patiently(inbox)
        lines.aim(())
        return batch


@pytest.mark.parametrize("fault", ["half", "429", "500"])
def test_a_message_that_cannot_be_had_now_is_had_later(
    mail_servers: Servers, lines: Lines, client: IMAPClient, fault: str
) -> None:
    client.append("INBOX", received("a"))
    for _ in each_step(lines, fault):
        batch = read(mail_servers, lines)
        assert not batch.quarantined
        assert len(batch.changes) == 1


def test_a_message_the_server_fails_over_each_time_costs_itself_only(
    mail_servers: Servers, lines: Lines, client: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.append("INBOX", received("a"))
    client.append("INBOX", received("b"))
    fetch = IMAPClient.fetch

    def fails(self: IMAPClient, uids: list[int], what: list[str]) -> object:
        if 1 in uids and "BODY.PEEK[]" in what:
            raise IMAPClient.Error("[SERVERBUG] Internal error occurred.")
        return fetch(self, uids, what)

    monkeypatch.setattr(IMAPClient, "fetch", fails)
    batch = read(mail_servers, lines)
    assert [change.item_id.partition(".")[2] for change in batch.changes] == ["2"]
    assert len(batch.quarantined) == 1


def as_the_outbox(mailbox: ImapMailbox, deed: Move) -> Callable[[], None]:
    """A try of a deed; what an earlier one left behind is looked for before another."""
    tries = itertools.count()

    def once() -> None:
        if next(tries) and mailbox.find(deed) is not None:
            return
        with contextlib.suppress(Vanished):
            mailbox.do(deed)

    return once


@pytest.mark.parametrize(("fault", "moves"), [("half", False), ("reset", False), ("reset", True)])
def test_a_message_is_moved_once_however_often_the_line_breaks(
    mail_servers: Servers,
    lines: Lines,
    client: IMAPClient,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    moves: bool,
) -> None:
    if not moves:
        offers = Session.offers
        monkeypatch.setattr(
            Session, "offers", lambda self, *names: "MOVE" not in names and offers(self, *names)
        )
    client.create_folder("Kept")
    for step in each_step(lines, fault):
        client.append("INBOX", received(f"m{step}"))
        client.select_folder("INBOX")
        validity = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
        (uid,) = client.search()
        mailbox = mail_servers.mailbox(server=lines.urls["server"], dav_server="")
        deed = Move(f"k{step}", Ref("INBOX", f"{validity}.{uid}"), "Kept")
        with contextlib.closing(mailbox):
            patiently(as_the_outbox(mailbox, deed))
            lines.aim(())
        client.select_folder("INBOX")
        assert client.search() == []
        client.select_folder("Kept")
        assert len(client.search()) == step + 1


def test_an_answer_cut_off_before_its_content_is_asked_for_again(
    mail_servers: Servers, lines: Lines
) -> None:
    for _ in each_step(lines, "half"):
        mailbox = mail_servers.mailbox(**lines.urls)
        with contextlib.closing(mailbox):
            assert patiently(mailbox.all_folders)
            lines.aim(())


def test_an_item_whose_answer_was_cut_off_is_not_taken_for_an_empty_one(
    mail_servers: Servers, lines: Lines
) -> None:
    mail_servers.radicale.request("PUT", "calendar/a.ics", _EVENT)
    path = f"{mail_servers.radicale.home}calendar/a.ics"
    dav = DavClient(
        lines.urls["dav_server"], mail_servers.login, PASSWORD, ca_file=str(mail_servers.ca_file)
    )
    lines.aim(["half"])
    with pytest.raises(EnvironmentProblem) as problem:
        get(dav, path)
    assert problem.value.retryable
    assert b"UID:a" in get(dav, path)[0]
    dav.close()


def test_a_tag_that_was_cut_off_is_none() -> None:
    assert [etag_of(text) for text in ('W/"ab"', "ab", '"ab', '"', '""')] == [
        '"ab"',
        "ab",
        "",
        "",
        '""',
    ]


_EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Hi\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
