"""The engine under random mailboxes and random trouble: nothing lost, nothing twice."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.db.engine import Database
from desktop_crm.models import Activity, Link, MailboxItem, MailMessage
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.formats.ical import read_calendar
from desktop_crm.sync.formats.mime import Unusable, read_message
from desktop_crm.sync.memory import CALENDAR, INBOX, SENT, MemoryMailbox
from desktop_crm.sync.port import Folder, MeetingItem, Quarantined
from tests.unit.sync.conftest import AT, mail, make_world

from hypothesis import example, given  # isort: skip

MAIL_FOLDERS = st.sampled_from([INBOX, SENT])


def meeting(uid: str, subject: str) -> MeetingItem:
    return MeetingItem(uid, AT, AT + dt.timedelta(hours=1), subject=subject)


class Passes(RuleBasedStateMachine):
    """A mailbox that changes at random and breaks at random calls, read pass by pass."""

    template: Path
    items = Bundle("items")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "crm.db"
        path.write_bytes(self.template.read_bytes())
        self.world = make_world(Database.open(f"sqlite:///{path}"))
        self.port = MemoryMailbox(fault=self.trouble)
        self.broken_calls: list[bool] = []
        self.ever: set[str] = set()
        self.in_box: dict[str, dict[str, str]] = {"Inbox": {}, "Sent Items": {}, "Calendar": {}}
        self.count = 0
        self.settled = True

    def teardown(self) -> None:
        self.world.actor.db.close()
        self.folder.cleanup()

    def trouble(self, call: str) -> None:
        if self.broken_calls and self.broken_calls.pop(0):
            raise EnvironmentProblem("down", retryable=True)

    @initialize()
    def start(self) -> None:
        self.sync()

    @rule(target=items, folder=MAIL_FOLDERS, number=st.integers(0, 12))
    def arrive(self, folder: Folder, number: int) -> tuple[str, str]:
        # Few numbers, so that the same message lies in several places.
        key = self.port.put(folder, mail(f"m{number}@x"))
        self.in_box[folder.key][key] = f"m{number}@x"
        self.settled = False
        return folder.key, key

    @rule(target=items, number=st.integers(0, 4), subject=st.sampled_from("ABC"))
    def meet(self, number: int, subject: str) -> tuple[str, str]:
        key = self.port.put(CALENDAR, meeting(f"u{number}", subject))
        self.in_box["Calendar"][key] = f"u{number}|"
        self.settled = False
        return "Calendar", key

    @rule(item=consumes(items))
    def delete(self, item: tuple[str, str]) -> None:
        folder, key = item
        self.port.remove(_FOLDERS[folder], key)
        del self.in_box[folder][key]
        self.settled = False

    @rule(target=items, item=consumes(items))
    def move(self, item: tuple[str, str]) -> tuple[str, str]:
        folder, key = item
        if folder == "Calendar":
            return item
        target = SENT if folder == "Inbox" else INBOX
        new = self.port.move(_FOLDERS[folder], target, key)
        self.in_box[target.key][new] = self.in_box[folder].pop(key)
        self.settled = False
        return target.key, new

    @rule(folder=MAIL_FOLDERS)
    def break_item(self, folder: Folder) -> None:
        self.count += 1
        self.port.put_broken(folder, Quarantined(f"broken-{self.count}", "x", "Broken."))
        self.settled = False

    @rule()
    def forget_tokens(self) -> None:
        self.port.forget_tokens()
        self.settled = False

    @rule(calls=st.lists(st.booleans(), max_size=12))
    def broken_pass(self, calls: list[bool]) -> None:
        self.broken_calls = calls
        self.sync()
        self.broken_calls = []

    @rule()
    def whole_pass(self) -> None:
        assert self.sync().problem is None
        self.settled = True
        again = self.sync()
        assert sum(f.total for f in again.folders) == 0

    def sync(self) -> Any:
        wait = lambda seconds, cancel: None  # noqa: E731  no pause in a test
        return Engine(self.world.actor, self.world.mailbox, self.port, wait=wait).run()

    def rows(self, *columns: Any) -> list[Any]:
        with self.world.actor.db.reading() as connection:
            return list(connection.execute(select(*columns)))

    @invariant()
    def nothing_is_there_twice(self) -> None:
        messages = [r[0] for r in self.rows(MailMessage.message_id)]
        assert len(messages) == len(set(messages))
        meetings = [r[0] for r in self.rows(Activity.ical_uid) if r[0]]
        assert len(meetings) == len(set(meetings))
        assert len(self.rows(Activity.id)) == len(messages) + len(meetings)
        links = [tuple(r) for r in self.rows(Link.activity_id, Link.record_type, Link.record_id)]
        assert len(links) == len(set(links))

    @invariant()
    def nothing_is_ever_lost(self) -> None:
        now = {r[0] for r in self.rows(MailMessage.message_id)}
        now |= {f"{r[0]}|" for r in self.rows(Activity.ical_uid) if r[0]}
        assert self.ever <= now
        self.ever = now

    @invariant()
    def after_a_whole_pass_the_items_are_those_of_the_mailbox(self) -> None:
        if not self.settled:
            return
        held = {
            (r.folder, r.identity)
            for r in self.rows(MailboxItem.folder, MailboxItem.identity, MailboxItem.state)
            if r.state == "stored"
        }
        assert held == {(f, i) for f, found in self.in_box.items() for i in found.values()}


_FOLDERS = {f.key: f for f in (INBOX, SENT, CALENDAR)}


def test_random_mailboxes_and_random_trouble(request: pytest.FixtureRequest) -> None:
    Passes.template = request.getfixturevalue("_sqlite_template")
    run_state_machine_as_test(
        Passes,
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400))
@example(b"From: =?utf-8?b?\xff?= <\x80@\xfe>\n\n\xff")
def test_any_bytes_are_a_message_or_are_not(data: bytes) -> None:
    for content in (data, b"From: a@b.example\n" + data):
        try:
            item = read_message(content)
        except Unusable:
            continue
        assert item.message_id


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_real_messages_with_damage_are_still_read(seed: int, flips: int) -> None:
    source = random.Random(seed)
    data = bytearray(_DAMAGED)
    for _ in range(flips):
        data[source.randrange(len(data))] = source.randrange(256)
    try:
        item = read_message(bytes(data))
    except Unusable:
        return
    (item.text + item.html + item.subject).encode("utf-8")


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet='BEGIN:VEVENTDSTART;=TZ\n\r 0123456789-/+"\\,', max_size=300))
def test_any_text_is_a_calendar_or_is_not(text: str) -> None:
    body = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20260302T080000Z\n{text}"
    found = read_calendar(body.encode())
    assert len(found.items) + len(found.quarantined) >= 1


_DAMAGED = (
    b'From: =?utf-8?B?SW9u?= <ion@client.example>\r\nTo: a@x.example, "B, C" <b@x.example>\r\n'
    b"Subject: =?iso-8859-2?Q?=BAedin=FE=E3?=\r\nDate: Mon, 2 Mar 2026 10:00:00 +0200\r\n"
    b'Message-ID: <m@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"PHA+SGVsbG8gPGI+d29ybGQ8L2I+PC9wPg==\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: x@y.example\r\n\r\ninner\r\n--b\r\nContent-Type: application/pdf; name*=utf-8''%C8%99"
    b"\r\nContent-Disposition: attachment; filename*0=a; filename*1=b\r\n\r\nx\r\n--b--\r\n"
)
