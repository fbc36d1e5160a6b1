"""What every mailbox must do, whatever stands behind it: one class, every adapter."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.graph.mailbox import GraphMailbox
from desktop_crm.sync.memory import MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Batch,
    Change,
    ChangeKind,
    Folder,
    FolderRole,
    Mailbox,
    MailItem,
    MeetingItem,
    Quarantined,
    TokenInvalid,
)
from tests.ews_server import EwsServer, soap
from tests.graph_server import GraphServer
from tests.mail_servers.servers import Servers

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


class Driver(ABC):
    """What a test does to a mailbox behind the adapter's back."""

    port: Mailbox

    @abstractmethod
    def mail(self, key: str, subject: str = "Hi", role: str = "inbox") -> None:
        """Put a message with the Message-ID `key`@x, or change it."""

    @abstractmethod
    def meeting(self, key: str, subject: str = "Hi") -> None:
        """Put a meeting with that uid, or change it."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Take a message out of the inbox."""

    @abstractmethod
    def broken(self, key: str) -> None:
        """Put something in the inbox that cannot be read."""

    @abstractmethod
    def bad_token(self, token: str) -> str:
        """A token the mailbox cannot know (any more)."""


class MemoryDriver(Driver):
    def __init__(self) -> None:
        self.memory = MemoryMailbox()
        self.port = self.memory
        self._folders = {f.role.value: f for f in self.memory.folders()}

    def mail(self, key: str, subject: str = "Hi", role: str = "inbox") -> None:
        sender = Address("ion@client.example")
        item = MailItem(f"{key}@x", subject=subject, sender=sender, sent_at=AT, text="Text")
        self.memory.put(self._folders[role], item, key)

    def meeting(self, key: str, subject: str = "Hi") -> None:
        end = AT + dt.timedelta(hours=1)
        self.memory.put(self._folders["calendar"], MeetingItem(key, AT, end, subject=subject), key)

    def remove(self, key: str) -> None:
        self.memory.remove(self._folders["inbox"], key)

    def broken(self, key: str) -> None:
        self.memory.put_broken(self._folders["inbox"], Quarantined(key, key, "Broken."))

    def bad_token(self, token: str) -> str:
        self.memory.forget_tokens()
        return token


class FolderDriver(Driver):
    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = FolderMailbox(root)
        for name in ("Inbox", "Sent Items"):
            (root / name).mkdir()

    def mail(self, key: str, subject: str = "Hi", role: str = "inbox") -> None:
        place = self.root / ("Inbox" if role == "inbox" else "Sent Items")
        text = (
            f"From: ion@client.example\nSubject: {subject}\nMessage-ID: <{key}@x>\n"
            "Date: Mon, 2 Mar 2026 08:00:00 +0000\n\nText\n"
        )
        (place / f"{key}.eml").write_text(text, encoding="utf-8")

    def meeting(self, key: str, subject: str = "Hi") -> None:
        text = (
            f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{key}\nSUMMARY:{subject}\n"
            "DTSTART:20260302T080000Z\nDTEND:20260302T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
        )
        (self.root / f"{key}.ics").write_text(text, encoding="utf-8")

    def remove(self, key: str) -> None:
        (self.root / "Inbox" / f"{key}.eml").unlink()

    def broken(self, key: str) -> None:
        (self.root / "Inbox" / f"{key}.eml").write_bytes(b"")

    def bad_token(self, token: str) -> str:
        return token[::-1]


class ExchangeDriver(Driver):
    def __init__(self) -> None:
        self.server = EwsServer()
        self.port = ExchangeMailbox(
            self.server.url,
            "ana@firma.example",
            login=self.server.login,
            password=self.server.password,
        )

    def mail(self, key: str, subject: str = "Hi", role: str = "inbox") -> None:
        box = "inbox" if role == "inbox" else "sentitems"
        item = soap.mail(key, f"{key}@x", subject=subject, sender="ion@client.example", body="Text")
        self.server.put(box, key, item)

    def meeting(self, key: str, subject: str = "Hi") -> None:
        times = {"start": "2026-03-02T08:00:00Z", "end": "2026-03-02T09:00:00Z"}
        self.server.put("calendar", key, soap.meeting(key, key, subject=subject, **times))

    def remove(self, key: str) -> None:
        self.server.delete("inbox", key)

    def broken(self, key: str) -> None:
        self.server.put(
            "inbox", key, f'<t:SharingMessage><t:ItemId Id="{key}"/></t:SharingMessage>'
        )

    def bad_token(self, token: str) -> str:
        self.server.generation += 1
        return token


class ImapDriver(Driver):
    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.port = servers.mailbox()
        self.client = servers.dovecot.client()

    def mail(self, key: str, subject: str = "Hi", role: str = "inbox") -> None:
        folder = "INBOX" if role == "inbox" else "Outgoing"
        text = (
            f"From: ion@client.example\r\nSubject: {subject}\r\nMessage-ID: <{key}@x>\r\n"
            "Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n\r\nText\r\n"
        )
        self.client.append(folder, text.encode())

    def meeting(self, key: str, subject: str = "Hi") -> None:
        text = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:{key}\r\n"
            f"SUMMARY:{subject}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T080000Z\r\n"
            "DTEND:20260302T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        self.servers.radicale.request("PUT", f"calendar/{key}.ics", text)

    def remove(self, key: str) -> None:
        self.client.select_folder("INBOX")
        found = self.client.search(["HEADER", "Message-ID", f"{key}@x"])
        self.client.delete_messages(found)
        self.client.expunge(found)

    def broken(self, key: str) -> None:
        self.client.append("INBOX", b"\r\n\r\n")

    def bad_token(self, token: str) -> str:
        self.servers.dovecot.renumber("INBOX")
        return token

    def close(self) -> None:
        self.port.close()
        self.client.logout()


class OneToken:
    """A token that was given by hand."""

    def token(self, *, renew: bool = False) -> str:
        return "a-token"


class GraphDriver(Driver):
    def __init__(self) -> None:
        self.server = GraphServer()
        self.port = GraphMailbox(
            self.server.store.address, tokens=OneToken(), service=self.server.url
        )

    def mail(self, key: str, subject: str = "Hi", role: str = "inbox") -> None:
        text = (
            f"From: ion@client.example\r\nSubject: {subject}\r\nMessage-ID: <{key}@x>\r\n"
            "Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n\r\nText\r\n"
        )
        box = "inbox" if role == "inbox" else "sentitems"
        self.server.store.put_mail(box, text.encode(), key)

    def meeting(self, key: str, subject: str = "Hi") -> None:
        self.server.store.put_event(key, iCalUId=key, subject=subject)

    def remove(self, key: str) -> None:
        self.server.store.folders["id-inbox"].mail.drop(key)

    def broken(self, key: str) -> None:
        self.server.store.put_mail("inbox", b"broken", key)

    def bad_token(self, token: str) -> str:
        self.server.generation += 1
        return token


class MailboxContract:
    """The contract; each subclass gives it an adapter."""

    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        raise NotImplementedError

    def all(self, driver: Driver, role: str, token: str | None = None) -> tuple[list[Change], str]:
        folder = self.folder(driver, role)
        found: list[Change] = []
        while True:
            batch = driver.port.changes(folder, token, 2)
            assert isinstance(batch, Batch)
            found += batch.changes
            token = batch.token
            if not batch.more:
                return found, token

    def folder(self, driver: Driver, role: str) -> Folder:
        return next(f for f in driver.port.folders() if f.role is FolderRole(role))

    def test_it_is_a_mailbox(self, driver: Driver) -> None:
        assert isinstance(driver.port, Mailbox)

    def test_folders_have_keys_and_roles(self, driver: Driver) -> None:
        driver.mail("a")
        driver.mail("b", role="sent")
        driver.meeting("c")
        folders = driver.port.folders()
        assert {f.role.value for f in folders} >= {"inbox", "sent", "calendar"}
        assert len({f.key for f in folders}) == len(folders)
        assert folders[0].role is FolderRole.INBOX

    def test_everything_is_enumerated_once(self, driver: Driver) -> None:
        for n in range(5):
            driver.mail(f"m{n}")
        found, token = self.all(driver, "inbox")
        items = [c.item for c in found if isinstance(c.item, MailItem)]
        assert sorted(i.message_id for i in items) == [f"m{n}@x" for n in range(5)]
        assert len({c.item_id for c in found}) == 5
        assert self.all(driver, "inbox", token)[0] == []

    def test_a_message_says_what_it_said(self, driver: Driver) -> None:
        driver.mail("m", subject="Ședință")
        ((change,), _) = self.all(driver, "inbox")
        assert isinstance(change.item, MailItem)
        assert change.kind is ChangeKind.CREATE
        assert change.item.subject == "Ședință"
        assert change.item.sender is not None
        assert change.item.sender.address == "ion@client.example"
        assert change.item.sent_at == AT
        assert change.item.text == "Text"

    def test_a_meeting_says_what_it_said(self, driver: Driver) -> None:
        driver.meeting("u", subject="Ședință")
        ((change,), _) = self.all(driver, "calendar")
        assert isinstance(change.item, MeetingItem)
        assert (change.item.uid, change.item.subject) == ("u", "Ședință")
        assert (change.item.start, change.item.end) == (AT, AT + dt.timedelta(hours=1))

    def test_only_what_changed_comes_again(self, driver: Driver) -> None:
        driver.mail("a")
        driver.mail("b")
        driver.meeting("u")
        _, token = self.all(driver, "inbox")
        _, calendar = self.all(driver, "calendar")
        driver.mail("c")
        driver.meeting("u", subject="Changed")
        ((come,), _) = self.all(driver, "inbox", token)
        assert isinstance(come.item, MailItem)
        assert come.item.message_id == "c@x"
        ((changed,), _) = self.all(driver, "calendar", calendar)
        assert changed.kind is ChangeKind.UPDATE
        assert isinstance(changed.item, MeetingItem)
        assert changed.item.subject == "Changed"

    def test_what_went_is_told_by_its_key(self, driver: Driver) -> None:
        driver.mail("a")
        driver.mail("b")
        found, token = self.all(driver, "inbox")
        key = next(
            c.item_id for c in found if isinstance(c.item, MailItem) and c.item.message_id == "a@x"
        )
        driver.remove("a")
        assert [(c.kind, c.item_id) for c in self.all(driver, "inbox", token)[0]] == [
            (ChangeKind.DELETE, key)
        ]

    def test_an_old_token_brings_the_same_again(self, driver: Driver) -> None:
        driver.mail("a")
        _, token = self.all(driver, "inbox")
        driver.mail("b")
        driver.mail("c")
        first = self.all(driver, "inbox", token)[0]
        assert self.all(driver, "inbox", token)[0] == first
        assert len(first) == 2

    def test_a_broken_item_costs_itself_only(self, driver: Driver) -> None:
        driver.mail("a")
        driver.broken("x")
        driver.mail("z")
        folder = self.folder(driver, "inbox")
        batch = driver.port.changes(folder, None)
        assert len(batch.changes) == 2
        ((problem),) = batch.quarantined
        assert problem.reason
        assert problem.item_id not in {change.item_id for change in batch.changes}
        assert not batch.more

    def test_an_unknown_token_is_said_to_be_one(self, driver: Driver) -> None:
        driver.mail("a")
        folder = self.folder(driver, "inbox")
        token = driver.port.changes(folder, None).token
        with pytest.raises(TokenInvalid):
            driver.port.changes(folder, driver.bad_token(token))
        assert len(driver.port.changes(folder, None).changes) == 1

    def test_testing_changes_nothing_and_is_well(self, driver: Driver) -> None:
        driver.mail("a")
        steps = driver.port.test()
        assert steps
        assert all(step.ok and step.name for step in steps)
        assert len(self.all(driver, "inbox")[0]) == 1

    def test_it_can_be_used_again_after_closing(self, driver: Driver) -> None:
        driver.mail("a")
        driver.port.close()
        assert len(self.all(driver, "inbox")[0]) == 1


class TestMemory(MailboxContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return MemoryDriver()


class TestFolder(MailboxContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Driver:
        return FolderDriver(tmp_path)


class TestExchange(MailboxContract):
    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        driver = ExchangeDriver()
        yield driver
        driver.port.close()
        driver.server.close()


class TestImap(MailboxContract):
    @pytest.fixture
    def driver(self, mail_servers: Servers) -> Iterator[Driver]:
        driver = ImapDriver(mail_servers)
        yield driver
        driver.close()


class TestGraph(MailboxContract):
    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        driver = GraphDriver()
        yield driver
        driver.port.close()
        driver.server.close()
