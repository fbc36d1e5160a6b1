from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail

from desktop_crm.core import secrets
from desktop_crm.core.errors import EnvironmentProblem
from tests.support.keyrings import MemoryKeyring


@pytest.fixture
def no_keyring(memory_keyring: MemoryKeyring) -> Iterator[None]:
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(memory_keyring)


def test_a_keyring_keeps_secrets_when_there_is_one(memory_keyring: MemoryKeyring) -> None:
    assert secrets.store("mailbox 1", "Parolă") is secrets.Place.KEYRING
    assert secrets.load("mailbox 1") == "Parolă"
    assert not secrets.vault_folder().exists()
    secrets.forget("mailbox 1")
    assert secrets.load("mailbox 1") is None
    assert memory_keyring.secrets == {}


@pytest.mark.usefixtures("no_keyring")
def test_without_a_keyring_they_lie_encrypted_in_the_vault() -> None:
    assert secrets.store("mailbox 1", "Parolă") is secrets.Place.VAULT
    secrets.store("mailbox 2", "alta")
    assert secrets.load("mailbox 1") == "Parolă"
    for path in secrets.vault_folder().iterdir():
        assert b"Parol" not in path.read_bytes()
    secrets.forget("mailbox 1")
    assert (secrets.load("mailbox 1"), secrets.load("mailbox 2")) == (None, "alta")


@pytest.mark.usefixtures("no_keyring")
@pytest.mark.skipif(os.name == "nt", reason="file modes are another system's")
def test_only_the_owner_may_read_the_vault() -> None:
    secrets.store("mailbox 1", "Parolă")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in secrets.vault_folder().iterdir()}
    assert modes == {"key": 0o600, "secrets.bin": 0o600}
    assert stat.S_IMODE(secrets.vault_folder().stat().st_mode) == 0o700


@pytest.mark.usefixtures("no_keyring")
def test_a_vault_without_its_key_says_so() -> None:
    secrets.store("mailbox 1", "Parolă")
    (secrets.vault_folder() / "key").unlink()
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        secrets.load("mailbox 1")


def test_what_was_in_the_vault_is_found_when_a_keyring_appears(
    memory_keyring: MemoryKeyring,
) -> None:
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    secrets.store("mailbox 1", "old")
    keyring.set_keyring(memory_keyring)
    assert secrets.load("mailbox 1") == "old"
    secrets.store("mailbox 1", "new")
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    assert secrets.load("mailbox 1") is None


@pytest.mark.usefixtures("no_keyring")
def test_a_folder_that_cannot_be_written(home: Path) -> None:
    secrets.vault_folder().parent.mkdir(parents=True, exist_ok=True)
    secrets.vault_folder().write_text("a file where the folder should be")
    with pytest.raises(EnvironmentProblem, match="cannot be stored"):
        secrets.store("mailbox 1", "Parolă")
    assert home.exists()
