"""A folder of files does what files can, and says what they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.writes import Ability, Delete, Move, PutBack, Ref, Stale, Vanished
from tests.contract.writing import WritingContract
from tests.contract.writing_driver import WritingDriver, received


class FolderDriver(WritingDriver):
    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = FolderMailbox(root)
        for name in ("Inbox", "Clients"):
            (root / name).mkdir()

    def mail(self, key: str, subject: str = "Hi") -> Ref:
        name = f"Inbox/{key}.eml"
        (self.root / name).write_bytes(received(key, subject))
        return self.port.image(Ref("Inbox", name)).ref

    def edit(self, ref: Ref) -> None:
        raise NotImplementedError("a folder takes no such items")

    def remove(self, ref: Ref) -> None:
        (self.root / ref.item_id).unlink()

    def delivered(self) -> list[tuple[frozenset[str], bytes]]:
        return []

    def told(self) -> int:
        return 0


class TestFolderWrites(WritingContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> WritingDriver:
        return FolderDriver(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> FolderDriver:
    return FolderDriver(tmp_path)


def test_a_folder_delivers_nothing_and_knows_no_marks(folder: FolderDriver) -> None:
    assert folder.port.abilities == {Ability.DRAFTS, Ability.MOVE, Ability.DELETE, Ability.FOLDERS}


def test_a_file_of_the_same_name_is_not_written_over(folder: FolderDriver) -> None:
    other = received("other")
    (folder.root / "Clients" / "a.eml").write_bytes(other)
    after = folder.port.do(Move(new_uid(), folder.mail("a"), "Clients")).ref
    assert after is not None
    assert after.item_id == "Clients/a (2).eml"
    assert (folder.root / "Clients" / "a.eml").read_bytes() == other


def test_a_file_that_changed_is_not_deleted(folder: FolderDriver) -> None:
    ref = folder.mail("a")
    folder.mail("a", subject="New")
    with pytest.raises(Stale):
        folder.port.do(Delete(new_uid(), ref))


def test_calendar_files_are_only_read(folder: FolderDriver) -> None:
    (folder.root / "a.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    with pytest.raises(UserError, match="only read"):
        folder.port.do(Delete(new_uid(), Ref("Calendar", "a.ics")))
    assert (folder.root / "a.ics").exists()


def test_nothing_outside_the_folder_is_touched(folder: FolderDriver, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}.eml"
    outside.write_bytes(received("x"))
    with pytest.raises(Vanished):
        folder.port.do(Delete(new_uid(), Ref("Inbox", f"../{outside.name}")))
    with pytest.raises(Vanished):
        folder.port.do(Move(new_uid(), folder.mail("a"), ".."))
    assert outside.exists()


def test_put_back_twice_is_put_back_once(folder: FolderDriver) -> None:
    image = folder.port.image(folder.mail("a"))
    back = PutBack(new_uid(), image)
    assert folder.port.do(back) == folder.port.do(back)
    assert len(list((folder.root / "Inbox").glob("*.eml"))) == 2


def test_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    port = FolderMailbox(tmp_path / "gone")
    with pytest.raises(EnvironmentProblem):
        port.do(Delete(new_uid(), Ref("Inbox", "a.eml")))
