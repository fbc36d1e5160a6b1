"""The mailbox of Microsoft 365 can be written to as every other, save that it tells people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.graph.mailbox import GraphMailbox
from desktop_crm.sync.port import Address, Attendee, Role
from desktop_crm.sync.writes import Delete, Notify, PutBack, Ref, Save
from tests.contract.writing import WritingContract
from tests.contract.writing_driver import WritingDriver, meeting, received
from tests.graph_server import GraphServer
from tests.graph_server.store import person


class OneToken:
    """A token that was given by hand."""

    def token(self, *, renew: bool = False) -> str:
        return "a-token"


class GraphDriver(WritingDriver):
    def __init__(self) -> None:
        self.server = GraphServer()
        self.store = self.server.store
        self.port = GraphMailbox(self.store.address, tokens=OneToken(), service=self.server.url)

    def mail(self, key: str, subject: str = "Hi") -> Ref:
        made = self.store.put_mail("inbox", received(key, subject), f"{key}=", subject=subject)
        return Ref("inbox", made, self.store.folders["id-inbox"].mail.items[made]["changeKey"])

    def edit(self, ref: Ref) -> None:
        if ref.folder == "calendar":
            self.store.put_event(ref.item_id, subject="Theirs")
        elif ref.folder.startswith("todo/"):
            tasks = self.store.tasks["list-1"]
            tasks.put(self.store.stamp(tasks.items[ref.item_id] | {"title": "Theirs"}))
        else:
            book = self.store.contacts["book-1"]
            book.put(self.store.stamp(book.items[ref.item_id] | {"jobTitle": "Theirs"}))

    def remove(self, ref: Ref) -> None:
        if ref.folder == "calendar":
            self.store.events.drop(ref.item_id)
        elif ref.folder.startswith("todo/"):
            self.store.tasks["list-1"].drop(ref.item_id)
        else:
            self.store.contacts["book-1"].drop(ref.item_id)

    def delivered(self) -> list[tuple[frozenset[str], bytes]]:
        return [(frozenset(to), mime) for _, mime, to in self.store.sent]

    def told(self) -> int:
        return len(self.store.invitations)

    def invitation(self, key: str) -> Ref | None:
        made = self.store.put_event(
            f"{key}=",
            iCalUId=key,
            isOrganizer=False,
            organizer=person("ion@client.example", "Ion"),
            attendees=[{**person(self.store.address), "type": "required"}],
            responseStatus={"response": "notResponded"},
        )
        return Ref("calendar", made, self.store.events.items[made]["changeKey"])


class TestGraphWrites(WritingContract):
    @pytest.fixture
    def driver(self) -> Iterator[WritingDriver]:
        driver = GraphDriver()
        yield driver
        driver.port.close()
        driver.server.close()

    def test_nobody_is_told_unless_a_person_said_so(self, driver: WritingDriver) -> None:
        """The service tells people by itself, so what shall be silent is refused."""
        guest = Attendee(Address("ion@client.example", "Ion"), Role.REQUIRED)
        host = Attendee(Address("ana@firma.example", "Ana"), Role.ORGANIZER)
        wanted = meeting(organizer=host, attendees=(guest,))
        with pytest.raises(UserError, match="cannot be asked not to"):
            driver.port.do(Save(new_uid(), "calendar", wanted))
        assert driver.told() == 0

        ref = driver.port.do(Save(new_uid(), "calendar", wanted, notify=Notify.EVERYBODY)).ref
        assert ref is not None
        before = driver.told()
        image = driver.port.image(ref)
        quiet = (
            Save(new_uid(), "calendar", replace(wanted, subject="Changed"), ref),
            Save(new_uid(), "calendar", replace(wanted, attendees=()), ref),
            Save(new_uid(), "calendar", replace(wanted, reminder_minutes=5), ref),
            Delete(new_uid(), ref),
            PutBack(new_uid(), image),
        )
        for deed in quiet:
            with pytest.raises(UserError, match=r"cannot be asked not to|again"):
                driver.port.do(deed)
        assert driver.told() == before
        assert driver.port.image(ref).ref == ref
        assert driver.delivered() == []
