"""Secrets longer than one entry of a keyring takes."""

from __future__ import annotations

import pytest

from desktop_crm.core import secrets
from tests.support.keyrings import MemoryKeyring

LONG = "".join(chr(33 + n % 90) for n in range(4_321))


def test_a_long_secret_lies_in_several_entries_and_comes_back_whole(
    memory_keyring: MemoryKeyring,
) -> None:
    assert secrets.store("mailbox 1", LONG) is secrets.Place.KEYRING
    assert len(memory_keyring.secrets) == 5
    # Windows keeps 2,560 bytes in an entry, two for each character.
    assert max(len(one) for one in memory_keyring.secrets.values()) < 1_280
    assert secrets.load("mailbox 1") == LONG


@pytest.mark.parametrize("after", ["short", LONG[::-1], "x" * secrets.PART, ""])
def test_what_replaces_it_leaves_nothing_behind(memory_keyring: MemoryKeyring, after: str) -> None:
    secrets.store("mailbox 1", LONG)
    secrets.store("mailbox 1", after)
    assert secrets.load("mailbox 1") == after
    secrets.forget("mailbox 1")
    assert memory_keyring.secrets == {}


def test_an_entry_that_is_missing_makes_no_half_secret(memory_keyring: MemoryKeyring) -> None:
    secrets.store("mailbox 1", LONG)
    del memory_keyring.secrets[sorted(memory_keyring.secrets)[-1]]
    assert secrets.load("mailbox 1") is None
