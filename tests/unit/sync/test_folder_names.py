"""Folders are shown by their names, whatever a mailbox calls them inside."""

from __future__ import annotations

import pytest

from desktop_crm.core import i18n
from desktop_crm.sync.folder_names import folder_name, is_usual


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
