"""Making folders, as every mailbox that can be written to does it."""

from __future__ import annotations

from abc import abstractmethod

from desktop_crm.core.identity import new_uid
from desktop_crm.sync.port import ContactItem, FolderRole
from desktop_crm.sync.writes import Ability, Deed, MakeFolder, Save
from tests.contract.writing_driver import WritingDriver, contact


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
