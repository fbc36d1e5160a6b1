"""A mailbox on open standards can be written to as every other."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from desktop_crm.sync.dav.items import path_and_occurrence
from desktop_crm.sync.formats.ical_write import OWN_KEY
from desktop_crm.sync.writes import Ref
from tests.contract.writing import WritingContract
from tests.contract.writing_driver import WritingDriver, received
from tests.mail_servers import dovecot
from tests.mail_servers.servers import ADDRESS, Servers

INVITATION = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:{key}\r\nSUMMARY:Hi\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\nDTEND:20260302T090000Z\r\n"
    "ORGANIZER;CN=Ion:mailto:ion@client.example\r\n"
    "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{me}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


class ImapDriver(WritingDriver):
    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.port = self.mailbox = servers.mailbox()
        self.client = servers.dovecot.client()
        if "Archive" not in [name for _, _, name in self.client.list_folders()]:
            self.client.create_folder("Archive")

    def mail(self, key: str, subject: str = "Hi") -> Ref:
        self.client.append("INBOX", received(key, subject).replace(b"\n", b"\r\n"))
        state = self.client.select_folder("INBOX", readonly=True)
        return Ref("imap:INBOX", f"{state[b'UIDVALIDITY']}.{state[b'UIDNEXT'] - 1}")

    def edit(self, ref: Ref) -> None:
        path, _ = path_and_occurrence(ref.item_id)
        text = self.servers.radicale.request("GET", path).content.decode()
        # Many programs drop what they do not know.
        text = re.sub(rf"{OWN_KEY}[:;].*\r\n(?: .*\r\n)*", "", text)
        for name in ("SUMMARY", "TITLE"):
            lines = [
                f"{name}:Theirs" if line.startswith(f"{name}:") else line
                for line in text.split("\r\n")
            ]
            text = "\r\n".join(lines)
        self.servers.radicale.request("PUT", path, text)

    def remove(self, ref: Ref) -> None:
        self.servers.radicale.request("DELETE", path_and_occurrence(ref.item_id)[0])

    def delivered(self) -> list[tuple[frozenset[str], bytes]]:
        return list(self.servers.smtp.delivered)

    def told(self) -> int:
        return sum(b"text/calendar" in data for _, data in self.servers.smtp.delivered)

    def invitation(self, key: str) -> Ref | None:
        text = INVITATION.format(key=key, me=ADDRESS)
        self.servers.radicale.request("PUT", f"calendar/{key}.ics", text)
        folder = f"dav:calendar:{self.servers.radicale.home}calendar/"
        return Ref(folder, f"{self.servers.radicale.home}calendar/{key}.ics")

    def close(self) -> None:
        self.mailbox.close()
        self.client.logout()


class TestImapWrites(WritingContract):
    @pytest.fixture
    def driver(self, mail_servers: Servers) -> Iterator[WritingDriver]:
        driver = ImapDriver(mail_servers)
        yield driver
        driver.close()


@pytest.fixture(scope="module")
def old_servers() -> Iterator[Servers]:
    if dovecot.BINARY is None:
        pytest.skip(dovecot.MISSING)
    servers = Servers(capability=dovecot.OLD)
    yield servers
    servers.close()


class TestImapWritesToAnOldServer(WritingContract):
    """No UIDPLUS, no MOVE, no CONDSTORE; and nothing but mail."""

    @pytest.fixture
    def driver(self, old_servers: Servers) -> Iterator[WritingDriver]:
        old_servers.next_user()
        driver = ImapDriver(old_servers)
        driver.port = driver.mailbox = old_servers.mailbox(dav_server="")
        yield driver
        driver.close()

    def test_an_invitation_is_answered_quietly(self, driver: WritingDriver) -> None:
        """Nothing is answered where there is no calendar."""
