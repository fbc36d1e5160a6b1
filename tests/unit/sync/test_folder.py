from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.sync.folder.mailbox import CALENDAR, INBOX, FolderMailbox
from desktop_crm.sync.port import Folder, FolderRole, TokenInvalid
from tests.unit.sync.conftest import World

EVENT = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{uid}\nDTSTART:20260302T080000Z\nSUMMARY:{subject}\n"
    "END:VEVENT\nEND:VCALENDAR\n"
)


def eml(message_id: str = "m1@x", subject: str = "Hi") -> str:
    return (
        f"From: ion@client.example\nTo: ana@firma.example\nSubject: {subject}\n"
        f"Date: Mon, 2 Mar 2026 08:00:00 +0000\nMessage-ID: <{message_id}>\n\nText\n"
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def kinds(mailbox: FolderMailbox, folder: Folder, token: str | None) -> list[tuple[str, str]]:
    return [(c.kind.value, c.item_id) for c in mailbox.changes(folder, token).changes]


def test_folders_and_what_they_are_for(tmp_path: Path) -> None:
    for name in ("a.eml", "Sent Items/b.eml", "Proiecte/X/c.eml", "Junk/d.EML", ".hidden/e.eml"):
        write(tmp_path / name, eml())
    write(tmp_path / "Proiecte/plan.ics", EVENT.format(uid="u", subject="s"))
    write(tmp_path / "people.vcf", "BEGIN:VCARD\nEND:VCARD\n")
    found = FolderMailbox(tmp_path).folders()
    assert [(f.key, f.role) for f in found] == [
        ("Inbox", FolderRole.INBOX),
        ("Sent Items", FolderRole.SENT),
        ("Junk", FolderRole.JUNK),
        ("Proiecte/X", FolderRole.OTHER),
        ("Calendar", FolderRole.CALENDAR),
    ]


def test_an_empty_folder_is_an_empty_inbox(tmp_path: Path) -> None:
    mailbox = FolderMailbox(tmp_path)
    assert mailbox.folders() == (INBOX,)
    assert mailbox.changes(INBOX, None).changes == ()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    mailbox = FolderMailbox(tmp_path / "no")
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        mailbox.folders()
    assert [s.ok for s in mailbox.test()] == [False]


def test_an_unchanged_folder_gives_no_change(tmp_path: Path) -> None:
    path = write(tmp_path / "a.eml", eml())
    mailbox = FolderMailbox(tmp_path)
    token = mailbox.changes(INBOX, None).token
    assert kinds(mailbox, INBOX, token) == []
    os.utime(path, (1, 1))
    batch = mailbox.changes(INBOX, token)
    assert batch.changes == ()
    assert mailbox.changes(INBOX, batch.token).changes == ()


def test_files_that_change_come_and_go(tmp_path: Path) -> None:
    write(tmp_path / "a.eml", eml())
    write(tmp_path / "b.eml", eml("m2@x"))
    mailbox = FolderMailbox(tmp_path)
    token = mailbox.changes(INBOX, None).token
    write(tmp_path / "a.eml", eml(subject="Other subject"))
    (tmp_path / "b.eml").unlink()
    write(tmp_path / "c.eml", eml("m3@x"))
    assert kinds(mailbox, INBOX, token) == [
        ("update", "a.eml"),
        ("create", "c.eml"),
        ("delete", "b.eml"),
    ]


def test_events_of_a_file_come_and_go_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    write(path, EVENT.format(uid="a", subject="A") + EVENT.format(uid="b", subject="B"))
    mailbox = FolderMailbox(tmp_path)
    token = mailbox.changes(CALENDAR, None).token
    write(path, EVENT.format(uid="b", subject="B2") + EVENT.format(uid="c", subject="C"))
    assert kinds(mailbox, CALENDAR, token) == [
        ("update", "c.ics#b"),
        ("create", "c.ics#c"),
        ("delete", "c.ics#a"),
    ]


def test_batches_are_limited_and_go_on(tmp_path: Path) -> None:
    for n in range(5):
        write(tmp_path / f"{n}.eml", eml(f"m{n}@x"))
    mailbox = FolderMailbox(tmp_path)
    first = mailbox.changes(INBOX, None, 2)
    second = mailbox.changes(INBOX, first.token, 2)
    third = mailbox.changes(INBOX, second.token, 2)
    assert [len(b.changes) for b in (first, second, third)] == [2, 2, 1]
    assert [b.more for b in (first, second, third)] == [True, True, False]


def test_bad_files_are_set_aside_and_told_once(tmp_path: Path) -> None:
    write(tmp_path / "empty.eml", "")
    write(tmp_path / "no.eml", "%PDF-1.4")
    write(tmp_path / "good.eml", eml())
    mailbox = FolderMailbox(tmp_path)
    batch = mailbox.changes(INBOX, None)
    assert {q.item_id: q.reason for q in batch.quarantined} == {
        "empty.eml": "The file is empty.",
        "no.eml": "The file has no mail header, so it is no message.",
    }
    assert [c.item_id for c in batch.changes] == ["good.eml"]
    assert mailbox.changes(INBOX, batch.token).quarantined == ()
    write(tmp_path / "empty.eml", eml("m2@x"))
    assert kinds(mailbox, INBOX, batch.token) == [("create", "empty.eml")]


def test_a_file_that_cannot_be_read_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "locked.eml", eml())
    write(tmp_path / "good.eml", eml("m2@x"))
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "locked.eml":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    batch = FolderMailbox(tmp_path).changes(INBOX, None)
    (aside,) = batch.quarantined
    assert aside.reason.format(**dict(aside.params)) == (
        "The file cannot be read (Permission denied)."
    )
    assert [c.item_id for c in batch.changes] == ["good.eml"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="this user may open every folder",
)
def test_a_subfolder_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    write(tmp_path / "good.eml", eml())
    closed = write(tmp_path / "closed" / "a.eml", eml()).parent
    closed.chmod(0)
    try:
        batch = FolderMailbox(tmp_path).changes(INBOX, None)
    finally:
        closed.chmod(0o700)
    assert [q.name for q in batch.quarantined] == ["closed"]


def test_a_subfolder_that_the_system_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "good.eml", eml())
    write(tmp_path / "closed" / "a.eml", eml("m2@x"))
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        batch = FolderMailbox(tmp_path).changes(INBOX, None)
    assert [(q.name, q.reason) for q in batch.quarantined] == [
        ("closed", "The folder cannot be opened ({problem}).")
    ]
    assert len(batch.changes) == 1


@pytest.mark.skipif(os.name == "nt", reason="links to folders take rights there")
def test_a_link_upwards_does_not_go_round(tmp_path: Path) -> None:
    write(tmp_path / "a.eml", eml())
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(FolderMailbox(tmp_path).folders()) == 1


@pytest.mark.parametrize("token", ["nonsense", "bm9uc2Vuc2U=", "ă"])
def test_a_token_of_something_else_is_invalid(tmp_path: Path, token: str) -> None:
    with pytest.raises(TokenInvalid):
        FolderMailbox(tmp_path).changes(INBOX, token)


def test_a_moved_file_keeps_its_record(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "a.eml", eml())
    port = FolderMailbox(tmp_path)
    assert world.folder(port=port).created == 1
    target = tmp_path / "Sent Items" / "b.eml"
    target.parent.mkdir()
    path.rename(target)
    write(tmp_path / "other.eml", eml("m2@x"))
    result = world.sync(port=port)
    assert [(f.folder, f.created, f.known, f.gone) for f in result.folders] == [
        ("Inbox", 1, 0, 1),
        ("Sent Items", 0, 1, 0),
    ]
    assert len(world.activities) == 2


def test_a_folder_whose_last_file_went_is_noticed(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "Proiecte" / "a.eml", eml())
    write(tmp_path / "b.eml", eml("m2@x"))
    port = FolderMailbox(tmp_path)
    world.sync(port=port)
    path.unlink()
    world.sync(port=port)
    assert sorted(i.state for i in world.items) == ["gone", "stored"]


def test_the_samples_pass_whole(world: World, samples: Path) -> None:
    for name in ("mail", "ics"):
        port = FolderMailbox(samples / name)
        result = world.sync(port=port)
        assert result.problem is None
        files = len(list((samples / name).iterdir()))
        assert sum(f.total for f in result.folders) >= files - 1
        again = world.sync(port=port)
        assert sum(f.total for f in again.folders) == 0
        world.mailbox = world.save("mailbox", name="B", kind="folder", address="b@firma.example")
