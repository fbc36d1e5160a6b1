"""Making folders, as every mailbox that can be written to does it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from desktop_crm.core.identity import new_uid
from desktop_crm.sync.port import ChangeKind, ContactItem, FolderRole, MeetingItem
from desktop_crm.sync.writes import Ability, Deed, Delete, MakeFolder, Save
from tests.contract.writing_driver import WritingDriver, contact, meeting


class FolderContract:
    """The part of the contract about folders."""

    @abstractmethod
    def able(self, driver: WritingDriver, deed: Deed) -> bool:
        """Whether the mailbox can; one that cannot says so and does nothing."""

    def test_a_folder_is_made_once(self, driver: WritingDriver) -> None:
        deed = MakeFolder(new_uid(), "CRM", FolderRole.CONTACTS)
        if not self.able(driver, deed):
            return
        before = driver.port.all_folders()
        assert driver.port.find(deed) is None
        made = driver.port.do(deed).ref
        assert made is not None
        (new,) = [one for one in driver.port.all_folders() if one not in before]
        assert (new.key, new.name.rpartition("/")[2]) == (made.folder, "CRM")
        if Ability.CONTACTS in driver.port.abilities:
            assert new.role is FolderRole.CONTACTS
            ref = driver.port.do(Save(new_uid(), new.key, contact())).ref
            assert ref is not None
            assert isinstance(driver.port.image(ref).item, ContactItem)
        found = driver.port.find(deed)
        assert found is not None
        assert found.ref == made
        assert driver.port.do(MakeFolder(new_uid(), "CRM", FolderRole.CONTACTS)).ref == made
        assert len(driver.port.all_folders()) == len(before) + 1

    def test_a_calendar_may_have_the_name_of_an_address_book(self, driver: WritingDriver) -> None:
        """It is read, and what lies in it is made, changed and deleted, as in the usual one."""
        deed = MakeFolder(new_uid(), "CRM", FolderRole.CALENDAR)
        if not self.able(driver, deed) or Ability.MEETINGS not in driver.port.abilities:
            return
        port = driver.port
        port.do(MakeFolder(new_uid(), "CRM", FolderRole.CONTACTS))
        before = port.all_folders()
        usual = next(one for one in before if one.role is FolderRole.CALENDAR)
        made = port.do(deed).ref
        assert made is not None
        (folder,) = [one for one in port.all_folders() if one not in before]
        assert (folder.key, folder.role) == (made.folder, FolderRole.CALENDAR)
        found = port.find(deed)
        assert found is not None
        assert found.ref == made
        alone = replace(meeting(), attendees=(), organizer=None)
        save = Save(new_uid(), folder.key, alone)
        ref = port.do(save).ref
        assert ref is not None
        assert ref.folder == folder.key
        again = port.find(save)
        assert again is not None
        assert again.ref is not None
        assert again.ref.item_id == ref.item_id
        first = port.changes(folder, None)
        assert [one.item_id for one in first.changes] == [ref.item_id]
        assert port.changes(usual, None).changes == ()
        image = port.image(ref)
        assert isinstance(image.item, MeetingItem)
        new = replace(image.item, subject="Altfel")
        changed = port.do(Save(new_uid(), folder.key, new, image.ref)).ref
        assert changed is not None
        later = port.changes(folder, first.token)
        assert [getattr(one.item, "subject", "") for one in later.changes] == ["Altfel"]
        port.do(Delete(new_uid(), changed))
        gone = port.changes(folder, later.token)
        assert [one.kind for one in gone.changes] == [ChangeKind.DELETE]
