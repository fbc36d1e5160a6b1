"""Files handed over become the records a mailbox would have made, once, and say what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_crm.services import attachments
from desktop_crm.sync.formats import outlook_file
from desktop_crm.sync.formats.mime import Unusable, read_message
from desktop_crm.sync.memory import INBOX
from desktop_crm.sync.taking_in import take_in
from tests.support import outlook_file as made
from tests.unit.sync.conftest import World, mail

pytestmark = pytest.mark.usefixtures("moment")

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
EML = (
    b"From: Ion <ion@client.example>\r\nTo: ana@firma.example\r\nSubject: Plan\r\n"
    b"Message-ID: <m1@x>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n\r\nHello Ana\r\n"
)
ICS = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260302T080000Z\r\n"
    b"DTSTART:20260310T080000Z\r\nDTEND:20260310T090000Z\r\nSUMMARY:Visit\r\n"
    b"ORGANIZER:mailto:ion@client.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_message_is_linked_by_the_rules_and_to_the_record_it_was_put_on(
    world: World, tmp_path: Path
) -> None:
    taken = take_in(world.actor, [file(tmp_path, "plan.eml", EML)], [("opportunity", world.deal)])
    (activity,) = world.activities
    assert taken.created == [activity.id]
    assert (activity.subject, activity.direction) == ("Plan", "incoming")
    assert world.links()[0] == ("opportunity", world.deal, "manual", "linked")
    assert ("contact", world.contact) in {link[:2] for link in world.links()}
    (kept,) = attachments.files(world.actor, "activity", activity.id)
    assert kept.name == "plan.eml"
    assert attachments.content(world.actor, kept.id).content == EML


def test_a_later_pass_and_a_second_drop_know_it_again(world: World, tmp_path: Path) -> None:
    path = file(tmp_path, "plan.eml", EML)
    take_in(world.actor, [path])
    world.port.put(INBOX, mail("m1@x"))
    world.sync()
    again = take_in(world.actor, [path], [("opportunity", world.deal)])
    (activity,) = world.activities
    assert (again.created, again.known) == ([], [activity.id])
    assert ("opportunity", world.deal, "manual", "linked") in world.links()


def test_a_file_larger_than_the_company_keeps_leaves_its_message_alone(
    world: World, tmp_path: Path
) -> None:
    world.save("own_company", name="Firma", attachment_limit_mb=1)
    taken = take_in(world.actor, [file(tmp_path, "plan.eml", EML + b"x" * (1 << 20))])
    (activity,) = world.activities
    assert (taken.created, taken.refused) == ([activity.id], [])
    assert attachments.files(world.actor, "activity", activity.id) == []


def test_a_meeting_of_a_file_stands_in_the_calendar_once(world: World, tmp_path: Path) -> None:
    path = file(tmp_path, "visit.ics", ICS)
    take_in(world.actor, [path])
    take_in(world.actor, [path])
    (activity,) = world.activities
    assert (activity.kind, activity.subject) == ("appointment", "Visit")


def test_what_cannot_be_read_is_named_and_disturbs_nothing(world: World, tmp_path: Path) -> None:
    paths = [
        file(tmp_path, "empty.eml", b""),
        file(tmp_path, "bad.msg", b"no compound file"),
        file(tmp_path, "none.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        tmp_path / "gone.eml",
        file(tmp_path, "plan.eml", EML),
    ]
    taken = take_in(world.actor, paths)
    assert len(taken.created) == 1
    assert [name for name, _reason in taken.refused] == [
        "empty.eml", "bad.msg", "none.ics", "gone.eml",
    ]  # fmt: skip
    said = "The Outlook file cannot be read; save it again in Outlook."
    assert dict(taken.refused)["bad.msg"] == said


def test_a_message_of_outlook_comes_with_its_people_and_files() -> None:
    data = made.message(
        subject="Ofertă", body="Bună ziua", sender=("Ion Pop", "ion@client.example"),
        people=(("Ana", "ana@firma.example", 1), ("Ștefan", "s@firma.example", 2)),
        files={"plan.pdf": b"%PDF" * 2000, "a.txt": b"short"},
    )  # fmt: skip
    item = read_message(outlook_file.as_mime(data))
    assert (item.subject, item.text) == ("Ofertă", "Bună ziua")
    assert item.sender is not None
    assert (item.sender.name, item.sender.address) == ("Ion Pop", "ion@client.example")
    assert [p.address for p in item.to] == ["ana@firma.example"]
    assert [(p.name, p.address) for p in item.cc] == [("Ștefan", "s@firma.example")]
    assert [(f.name, f.content) for f in item.attachments] == [
        ("plan.pdf", b"%PDF" * 2000), ("a.txt", b"short"),
    ]  # fmt: skip


def test_the_header_a_message_of_outlook_travelled_with_counts() -> None:
    data = made.message(
        subject="Re: Plan", body="Yes",
        headers="From: Ion <ion@client.example>\r\nTo: ana@firma.example\r\nSubject: Re: Plan\r\n"
        "Message-ID: <m9@x>\r\nIn-Reply-To: <m1@x>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n"
        "Content-Type: multipart/mixed; boundary=old\r\n",
    )  # fmt: skip
    item = read_message(outlook_file.as_mime(data))
    assert (item.message_id, item.in_reply_to, item.text) == ("m9@x", "m1@x", "Yes")
    with pytest.raises(Unusable):
        outlook_file.as_mime(made.message(subject="x", body="y", kind="IPM.Appointment"))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files are not here")
def test_the_samples_are_taken_in_or_refused_with_a_sentence(world: World) -> None:
    paths = [*sorted((SAMPLES / "mail").glob("*.eml")), *sorted((SAMPLES / "ics").glob("*.ics"))]
    taken = take_in(world.actor, paths)
    assert len(taken.created) > 50
    assert all(reason for _name, reason in taken.refused)
