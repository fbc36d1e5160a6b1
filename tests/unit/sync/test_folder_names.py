"""Folders are shown by their names, whatever a mailbox calls them inside."""

from __future__ import annotations

import pytest

from desktop_crm.core import i18n
from desktop_crm.services.mail import listing
from desktop_crm.sync.folder_names import folder_name, is_usual
from desktop_crm.sync.memory import MemoryMailbox
from desktop_crm.sync.port import Folder
from tests.unit.sync.conftest import World, mail


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("Inbox", "Inbox"),
        ("Sent Items", "Sent items"),
        ("imap:INBOX", "Inbox"),
        ("imap:INBOX.Sent", "Sent items"),
        ("imap:INBOX/Clients", "Clients"),
        ("imap:INBOX.Clients.Rossi", "Rossi"),
        ("imap:Clients/Sent", "Sent"),
        ("imap:Gesendete Elemente", "Sent items"),
        ("imap:v1.2", "v1.2"),
        ("sentitems", "Sent items"),
        ("deleteditems", "Deleted items"),
        ("Clients", "Clients"),
    ],
)
def test_a_folder_has_a_name_people_know(key: str, name: str) -> None:
    assert folder_name(key) == name


def test_usual_folders_are_known_in_every_language() -> None:
    assert is_usual("imap:Trimise")
    assert not is_usual("imap:Clients/Sent")
    i18n.use_language("ro")
    try:
        assert folder_name("imap:Gesendete Elemente") == "Trimise"
    finally:
        i18n.use_language("en")


@pytest.mark.parametrize(
    ("key", "name", "shown"),
    [
        ("AAMkADE3==", "Customers/Rossi", "Rossi"),
        ("AAMkADE3==", "Elemente trimise", "Sent items"),
        ("sentitems", "Gesendete Elemente", "Sent items"),
        ("imap:Clients", "", "Clients"),
    ],
)
def test_a_number_for_a_key_is_shown_to_nobody(key: str, name: str, shown: str) -> None:
    assert folder_name(key, name) == shown


def test_a_pass_keeps_what_folders_are_called(world: World) -> None:
    place = Folder("AAMkADE3==", "Customers")
    port = MemoryMailbox([place])
    port.put(place, mail("a@x"))
    world.sync(port=port)
    (found,) = listing.folders(world.actor).folders
    assert (found.folder, found.name) == (place.key, "Customers")
    renamed = Folder(place.key, "Clients")
    after = MemoryMailbox([renamed])
    after.put(renamed, mail("b@x"))
    world.sync(port=after)
    assert [one.name for one in listing.folders(world.actor).folders] == ["Clients"]
