"""The Exchange mailbox can be written to as every other."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from lxml import etree

from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.exchange.xml import T, node
from desktop_crm.sync.writes import Ref
from tests.contract.writing import WritingContract
from tests.contract.writing_driver import WritingDriver, received
from tests.ews_server import EwsServer, soap

BOXES = {"Inbox": "inbox", "Calendar": "calendar", "Tasks": "tasks", "Contacts": "contacts"}


class ExchangeDriver(WritingDriver):
    def __init__(self) -> None:
        self.server = EwsServer()
        self.port = ExchangeMailbox(
            self.server.url,
            "ana@firma.example",
            login=self.server.login,
            password=self.server.password,
        )

    def mail(self, key: str, subject: str = "Hi") -> Ref:
        message = node("t:Message")
        content = base64.b64encode(received(key, subject)).decode()
        message.append(node("t:MimeContent", content))
        made = self.server.store._message(message, sent=True)
        self.server.store._store("inbox", f"{key}=", made)
        return Ref("Inbox", f"{key}=", self._version("inbox", f"{key}="))

    def _version(self, box: str, item_id: str) -> str:
        found = soap.parse(self.server.boxes[box].items[item_id]).find(f"{T}ItemId")
        return str(found.get("ChangeKey"))

    def edit(self, ref: Ref) -> None:
        box = BOXES[ref.folder]
        element = soap.parse(self.server.boxes[box].items[ref.item_id])
        name = "JobTitle" if box == "contacts" else "Subject"
        element.find(f"{T}{name}").text = "Theirs"
        self.server.store._store(box, ref.item_id, element)

    def remove(self, ref: Ref) -> None:
        self.server.delete(BOXES[ref.folder], ref.item_id)

    def delivered(self) -> list[tuple[frozenset[str], bytes]]:
        return self.server.store.delivered

    def told(self) -> int:
        return len(self.server.store.told)

    def invitation(self, key: str) -> Ref | None:
        element = soap.parse(soap.meeting(f"{key}=", key))
        element.find(f"{T}MyResponseType").text = "NoResponseReceived"
        self.server.put("calendar", f"{key}=", etree.tostring(element).decode())
        return Ref("Calendar", f"{key}=", "DQ")


class TestExchangeWrites(WritingContract):
    @pytest.fixture
    def driver(self) -> Iterator[WritingDriver]:
        driver = ExchangeDriver()
        yield driver
        driver.port.close()
        driver.server.close()
