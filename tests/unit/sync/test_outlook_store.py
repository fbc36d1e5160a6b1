"""Outlook data files: their messages come in as dropped ones do, whatever else lies in the file."""

from __future__ import annotations

import datetime as dt
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from desktop_crm.core.errors import Cancelled
from desktop_crm.db.engine import Cancel
from desktop_crm.services import records
from desktop_crm.sync import taking_in
from desktop_crm.sync.exclusion import NEVER_LOG
from desktop_crm.sync.formats import outlook_store
from desktop_crm.sync.formats.mime import Unusable, read_message
from desktop_crm.sync.formats.outlook_store import OutlookStore
from desktop_crm.sync.port import MailItem
from desktop_crm.sync.taking_in import Taken, take_in
from tests.support import outlook_store as made
from tests.support.outlook_store import Folder, message
from tests.support.traces import traces
from tests.unit.sync.conftest import AT, World

pytestmark = pytest.mark.usefixtures("moment")

ION = ("Ion Pop", "ion@client.example")
ANA = ("Ana", "ana@firma.example", 1)
MB = 1 << 20


@pytest.fixture
def reader() -> None:
    pytest.importorskip("pypff", reason="the extra “pst” (libpff-python) is not installed")


def letter(number: int = 1, **changes: object) -> made.Message:
    values: dict[str, object] = {
        "subject": f"Ofertă {number}",
        "body": "Bună ziua",
        "sender": ION,
        "people": [ANA],
        "sent": AT + dt.timedelta(minutes=number),
    }
    return message(**(values | changes))  # type: ignore[arg-type]


def file(folder: Path, *folders: Folder, password: int = 0) -> Path:
    path = folder / "archive.pst"
    path.write_bytes(made.store(folders, password))
    return path


def read(path: Path, most_bytes: int = MB) -> tuple[list[MailItem], dict[str, int]]:
    with OutlookStore(path, most_bytes) as store:
        found = [read_message(one) for one in store.messages() if one is not None]
        return found, dict(store.left)


@pytest.mark.usefixtures("reader")
def test_a_message_comes_with_its_people_date_text_and_files(tmp_path: Path) -> None:
    files = {"plan.pdf": b"%PDF" * 20_000, "ăț.txt": b"short"}
    people = [ANA, ("Ștefan", "s@firma.example", 2), ("Silent", "silent@firma.example", 3)]
    path = file(tmp_path, Folder("Inbox", [letter(files=files, people=people)]))
    ((item,), left) = read(path)
    assert (item.subject, item.text, left) == ("Ofertă 1", "Bună ziua", {})
    assert item.sender is not None
    assert (item.sender.name, item.sender.address) == ION
    assert item.sent_at == AT + dt.timedelta(minutes=1)
    assert [p.address for p in item.to] == ["ana@firma.example"]
    assert [(p.name, p.address) for p in item.cc] == [("Ștefan", "s@firma.example")]
    assert [p.address for p in item.bcc] == ["silent@firma.example"]
    assert [(f.name, f.content) for f in item.attachments] == list(files.items())


@pytest.mark.usefixtures("reader")
def test_the_header_it_travelled_with_counts(tmp_path: Path) -> None:
    headers = (
        "From: Ion <ion@client.example>\r\nTo: ana@firma.example\r\nSubject: Re: Plan\r\n"
        "Message-ID: <m9@x>\r\nIn-Reply-To: <m1@x>\r\nDate: Mon, 02 Mar 2026 07:00:00 +0000\r\n"
        "Content-Type: multipart/mixed; boundary=old\r\n"
    )
    path = file(tmp_path, Folder("Inbox", [letter(headers=headers, subject="\x01\x05Re: Plan")]))
    ((item,), _left) = read(path)
    assert (item.message_id, item.in_reply_to) == ("m9@x", "m1@x")
    assert (item.subject, item.text) == ("Re: Plan", "Bună ziua")
    assert item.sent_at == AT - dt.timedelta(hours=1)


@pytest.mark.usefixtures("reader")
def test_exchange_names_people_by_other_words_than_addresses(tmp_path: Path) -> None:
    legacy = "/O=FIRMA/OU=X/CN=RECIPIENTS/CN=ION"
    path = file(
        tmp_path,
        Folder("Inbox", [
            letter(1, sender=("Ion", legacy), more={0x5D01: (made.TEXT, "ion@client.example")}),
            letter(2, headers="From: Pop\r\nTo: Ana\r\nDate: Mon, 02 Mar 2026 07:00:00 +0000\r\n"),
            letter(3, sender=("Ion Pop", legacy)),
        ]),
    )  # fmt: skip
    (items, _left) = read(path)
    assert [one.sender.address for one in items if one.sender] == [
        "ion@client.example", "ion@client.example", "Ion Pop",
    ]  # fmt: skip
    assert [one.to[0].address for one in items] == ["ana@firma.example"] * 3


@pytest.mark.usefixtures("reader")
def test_html_and_texts_of_code_pages_are_read(tmp_path: Path) -> None:
    pages = {0x3FDE: (made.NUMBER, 28592), 0x3FFD: (made.NUMBER, 1250)}
    html = "<p>Bună <b>ziua</b> şi ţară</p>".encode("iso8859_2")
    ansi = {0x0037: (made.ANSI, "Ofertă şi ţară".encode("cp1250"))}
    path = file(tmp_path, Folder("Inbox", [letter(html=html, body="", more=pages | ansi)]))
    ((item,), _left) = read(path)
    assert (item.subject, item.text) == ("Ofertă şi ţară", "Bună ziua şi ţară")
    assert "<b>ziua</b>" in item.html


@pytest.mark.usefixtures("reader")
def test_what_is_no_mail_of_the_customers_stays_in_the_file(world: World, tmp_path: Path) -> None:
    path = file(
        tmp_path,
        Folder("Top of Outlook data file", folders=[
            Folder("Inbox", [letter(1)], [Folder("Clienți", [letter(2), letter(3)])]),
            Folder("Elemente șterse", [letter(4)], [Folder("Old", [letter(5)])]),
            Folder("Sent Items", [letter(6, more={0x0E07: (made.NUMBER, 8)})]),
            Folder("Calendar", [message(subject="Visit", kind="IPM.Appointment")]),
        ]),
    )  # fmt: skip
    taken = take_in(world.actor, [path], [("opportunity", world.deal)])
    assert [one.subject for one in world.activities] == ["Ofertă 1", "Ofertă 2", "Ofertă 3"]
    assert {one.direction for one in world.activities} == {"incoming"}
    links = world.links()
    assert links.count(("opportunity", world.deal, "manual", "linked")) == 3
    assert [link[:2] for link in links].count(("contact", world.contact)) == 3
    assert taken.refused == [
        ("3 items of archive.pst", "It lies among drafts, junk or deleted items."),
        ("1 item of archive.pst", "It is an appointment, contact, task or note."),
    ]
    again = take_in(world.actor, [path])
    assert (again.created, sorted(again.known)) == ([], sorted(taken.created))


@pytest.mark.usefixtures("reader")
def test_of_those_never_to_store_no_byte_comes_in(world: World, tmp_path: Path) -> None:
    box = records.get(world.actor, "mailbox", world.mailbox)
    records.save(
        world.actor, "mailbox", box.id, box.version, {"never_log": "lawyer@elsewhere.example"}
    )
    people = [ANA, ("Lawyer", "lawyer@elsewhere.example", 3)]
    private = letter(1, subject="Xylophone", body="Xylophone", people=people)
    path = file(tmp_path, Folder("Inbox", [private, letter(2)]))
    taken = take_in(replace(world.actor, user_id=world.ana), [path])
    assert len(taken.created) == 1
    assert taken.refused == [("1 item of archive.pst", NEVER_LOG)]
    assert traces(world.actor.db, "xylophone") == set()


@pytest.mark.usefixtures("reader")
def test_a_protected_or_broken_file_says_so_and_the_next_one_is_taken(
    world: World, tmp_path: Path
) -> None:
    protected = file(tmp_path, Folder("Inbox", [letter()]), password=0x1234)
    protected = protected.rename(tmp_path / "protected.pst")
    other = tmp_path / "other.pst"
    other.write_bytes(b"no data file")
    whole = file(tmp_path, Folder("Inbox", [letter(n) for n in range(30)]))
    broken = tmp_path / "broken.pst"
    broken.write_bytes(whole.read_bytes()[:30_000])
    taken = take_in(world.actor, [protected, other, tmp_path / "gone.pst", broken, whole])
    assert taken.refused == [
        (
            "protected.pst",
            "It is protected by a password. Take the password off in Outlook and try again.",
        ),
        ("other.pst", "It is no Outlook data file, or a damaged one."),
        ("gone.pst", "No such file or directory"),
        ("broken.pst", "It is no Outlook data file, or a damaged one."),
    ]
    assert len(taken.created) == 30


@pytest.mark.usefixtures("reader")
def test_damage_in_a_place_costs_the_message_that_lies_there(world: World, tmp_path: Path) -> None:
    path = file(tmp_path, Folder("Inbox", [letter(n) for n in range(5)]))
    data = bytearray(path.read_bytes())
    at = data.index("Ofertă 3".encode("utf-16-le"))
    start = data.rindex(b"\xec\xbc", 0, at) - 2  # where the heap of its properties begins
    data[start : start + 8] = bytes(8)
    path.write_bytes(data)
    taken = take_in(world.actor, [path])
    assert [one.subject[-1] for one in world.activities] == ["0", "1", "2", "4"]
    assert taken.refused == [("1 item of archive.pst", "It is damaged.")]


def test_without_the_extra_part_it_says_how_to_get_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypff", None)
    taken = take_in(world.actor, [file(tmp_path, Folder("Inbox", [letter()]))])
    assert taken.refused == [("archive.pst", outlook_store.MISSING)]
    assert "desktop-crm[pst]" in outlook_store.MISSING
    assert world.activities == []


@pytest.mark.usefixtures("reader")
def test_stopped_in_the_middle_it_tells_what_is_in(world: World, tmp_path: Path) -> None:
    path = file(tmp_path, Folder("Inbox", [letter(n) for n in range(50)]))
    cancel, taken = Cancel(), Taken()
    steps: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        steps.append((done, total))
        cancel.cancel()

    with pytest.raises(Cancelled):
        take_in(world.actor, [path], taken=taken, progress=progress, cancel=cancel)
    assert steps == [(20, 51)]
    assert len(taken.created) == len(world.activities) == 20
    assert taken.changes.ids("activity") == set(taken.created)
    rest = take_in(world.actor, [path], progress=lambda *step: steps.append(step))
    assert (len(rest.created), len(rest.known)) == (30, 20)
    assert steps[-1] == (51, 51)


@pytest.mark.usefixtures("reader")
def test_memory_holds_some_messages_however_many_there_are(tmp_path: Path) -> None:
    files = {"large.bin": bytes(2 * MB)}
    peaks = []
    for count in (8, 24):
        path = file(tmp_path, Folder("Inbox", [letter(n, files=files) for n in range(count)]))
        with OutlookStore(path, 5 * MB) as store:
            tracemalloc.start()
            assert sum(len(pack) for pack in taking_in._packs(store.messages())) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.usefixtures("reader")
def test_a_message_larger_than_allowed_is_left(tmp_path: Path) -> None:
    told = letter(1, more={0x0E08: (made.NUMBER, 2 * MB)})
    untold = letter(2, files={"a": bytes(700_000), "b": bytes(700_000)})
    path = file(tmp_path, Folder("Inbox", [told, untold, letter(3)]))
    (items, left) = read(path)
    assert [one.subject for one in items] == ["Ofertă 3"]
    assert left == {outlook_store.TOO_LARGE: 2}


@pytest.mark.usefixtures("reader")
def test_a_file_that_is_empty_holds_nothing(tmp_path: Path) -> None:
    assert read(file(tmp_path)) == ([], {})
    (tmp_path / "empty.pst").write_bytes(b"")
    with pytest.raises(Unusable):
        read(tmp_path / "empty.pst")
