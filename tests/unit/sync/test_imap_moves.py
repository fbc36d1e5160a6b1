"""A move without MOVE whose answer was lost: only the very copy lets the message be deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient

from desktop_crm.sync.imap.session import Session
from desktop_crm.sync.writes import Move, Ref, Written
from tests.contract.writing_driver import received
from tests.mail_servers.servers import Servers

WHEN = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
MAIL = received("a")
Find = Callable[[int], Written | None]


@pytest.fixture
def client(mail_servers: Servers) -> Iterator[IMAPClient]:
    connection = mail_servers.dovecot.client()
    connection.create_folder("Kept")
    yield connection
    connection.logout()


@pytest.fixture
def find(
    mail_servers: Servers, client: IMAPClient, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Find]:
    """Asks a server without MOVE for the copy of a message of the inbox."""
    offers = Session.offers
    monkeypatch.setattr(
        Session, "offers", lambda self, *names: "MOVE" not in names and offers(self, *names)
    )
    mailbox = mail_servers.mailbox(dav_server="")
    validity = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    with contextlib.closing(mailbox):
        yield lambda uid: mailbox.find(Move("k", Ref("INBOX", f"{validity}.{uid}"), "Kept"))


def in_folder(client: IMAPClient, folder: str) -> list[int]:
    client.select_folder(folder, readonly=True)
    found: list[int] = client.search()
    client.unselect_folder()
    return found


def lay(client: IMAPClient, folder: str, raw: bytes, *flags: bytes) -> int:
    client.append(folder, raw, flags, WHEN)
    return in_folder(client, folder)[-1]


@pytest.mark.parametrize("raw", [MAIL, MAIL.replace(b"Message-ID:", b"X-Other:")])
def test_the_copy_is_found_and_the_move_finished(
    client: IMAPClient, find: Find, raw: bytes
) -> None:
    uid = lay(client, "INBOX", raw, b"\\Flagged")
    lay(client, "Kept", raw, b"\\Flagged", b"\\Seen")
    assert find(uid) is not None
    assert (in_folder(client, "INBOX"), len(in_folder(client, "Kept"))) == ([], 1)


@pytest.mark.parametrize(
    ("other", "flags"),
    [(MAIL[:-3] + b"?" + MAIL[-2:], ()), (MAIL, (b"\\Flagged",))],
    ids=["other words of the same length", "a copy from before it was flagged"],
)
def test_what_only_looks_like_the_copy_costs_nothing(
    client: IMAPClient, find: Find, other: bytes, flags: tuple[bytes, ...]
) -> None:
    uid = lay(client, "INBOX", MAIL, *flags)
    assert len(other) == len(MAIL)
    lay(client, "Kept", other)
    assert find(uid) is None
    assert (in_folder(client, "INBOX"), len(in_folder(client, "Kept"))) == ([uid], 1)
