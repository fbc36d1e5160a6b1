"""The mailbox in memory can be written to as every other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.memory import CALENDAR, INBOX, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Attendee,
    ContactItem,
    MailItem,
    MeetingItem,
    Role,
    TaskItem,
)
from desktop_crm.sync.writes import Ability, Ref
from tests.contract.writing import WritingContract
from tests.contract.writing_driver import AT, HOUR, WritingDriver, received


class MemoryDriver(WritingDriver):
    def __init__(self, abilities: frozenset[Ability] = frozenset(Ability)) -> None:
        self.memory = MemoryMailbox(abilities=abilities)
        self.port = self.memory
        self._folders = {f.key: f for f in self.memory.all_folders()}

    def mail(self, key: str, subject: str = "Hi") -> Ref:
        data = received(key, subject)
        return Ref(INBOX.key, self.memory.put(INBOX, read_message(data), raw=data))

    def edit(self, ref: Ref) -> None:
        folder = self._folders[ref.folder]
        item = self.memory.held(folder)[ref.item_id]
        if isinstance(item, ContactItem):
            self.memory.put(folder, replace(item, job_title="Theirs"), ref.item_id)
        else:
            assert isinstance(item, MailItem | MeetingItem | TaskItem)
            self.memory.put(folder, replace(item, subject="Theirs"), ref.item_id)

    def remove(self, ref: Ref) -> None:
        self.memory.remove(self._folders[ref.folder], ref.item_id)

    def delivered(self) -> list[tuple[frozenset[str], bytes]]:
        return [(frozenset(one.recipients), one.mime) for one in self.memory.delivered]

    def told(self) -> int:
        return len(self.memory.told)

    def invitation(self, key: str) -> Ref | None:
        host = Attendee(Address("ion@client.example", "Ion"), Role.ORGANIZER)
        item = MeetingItem(key, AT, AT + HOUR, subject="Hi", organizer=host)
        return Ref(CALENDAR.key, self.memory.put(CALENDAR, item))


class TestMemoryWrites(WritingContract):
    @pytest.fixture
    def driver(self) -> WritingDriver:
        return MemoryDriver()


class TestMemoryThatOnlyReads(WritingContract):
    @pytest.fixture
    def driver(self) -> WritingDriver:
        return MemoryDriver(frozenset())

    def test_an_invitation_is_answered_quietly(self, driver: WritingDriver) -> None:
        """Nothing is answered where nothing is written."""
