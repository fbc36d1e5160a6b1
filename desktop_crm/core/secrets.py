"""Passwords: in the system's keyring, or where there is none in an encrypted vault.

The vault is a file in the data folder, encrypted with a random key in a second file that only
its owner may read. That keeps secrets out of backups and screenshots of the data; it does not
keep them from somebody who can read the owner's files, which is why the product says so.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets as chance
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Final

from desktop_crm.core import paths
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_

_log = logging.getLogger(__name__)

SERVICE: Final = "Desktop CRM"
"""Name under which the keyring lists what belongs to this product."""

PART: Final = 1_000
"""Characters in one entry of the keyring: Windows takes 2,560 bytes, two for each character."""

_SPLIT: Final = re.compile(r"\x02([0-9a-f]+):(\d+)\x02")
"""Begins a secret of several entries: which ones belong together, and how many they are."""

VAULT_NOTICE: Final = N_(
    "This computer has no keyring, so the password lies in an encrypted file in {folder} "
    "that only you can read."
)
"""What a person is told when a secret went into the vault; `folder` is where it lies."""


class Place(StrEnum):
    """Where a secret lies."""

    KEYRING = "keyring"
    VAULT = "vault"


def store(name: str, secret: str) -> Place:
    """Keep a secret under a name, replacing the one before.

    Raises:
        EnvironmentProblem: there is no keyring and the vault cannot be written.
    """
    if _to_keyring(name, secret):
        _vault_without(name)
        return Place.KEYRING
    _Vault().put(name, secret)
    return Place.VAULT


def load(name: str) -> str | None:
    """The secret of a name, or None.

    Raises:
        EnvironmentProblem: the vault is there and cannot be read.
    """
    found = _from_keyring(name)
    return found if found is not None else _Vault().get(name)


def forget(name: str) -> None:
    """Remove a secret from wherever it lies; nothing happens when there is none."""
    import keyring
    from keyring.errors import KeyringError

    if _has_keyring():
        try:
            _drop_parts(name, keyring.get_password(SERVICE, name))
            keyring.delete_password(SERVICE, name)
        except KeyringError as error:
            _log.info("nothing removed from the keyring: %s", error)
    _vault_without(name)


def vault_folder() -> Path:
    """Folder of the vault, for the notice."""
    return paths.data_dir() / "vault"


def _has_keyring() -> bool:
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def _to_keyring(name: str, secret: str) -> bool:
    import keyring
    from keyring.errors import KeyringError

    if not _has_keyring():
        return False
    parts = [secret[start : start + PART] for start in range(0, len(secret), PART)] or [""]
    try:
        before = keyring.get_password(SERVICE, name)
        if len(parts) > 1:
            mark = chance.token_hex(4)
            for number, part in enumerate(parts[1:], start=2):
                keyring.set_password(SERVICE, _part_name(name, mark, number), part)
            parts[0] = f"\x02{mark}:{len(parts)}\x02{parts[0]}"
        # The first entry says which others belong to it, so the change is whole or not.
        keyring.set_password(SERVICE, name, parts[0])
        _drop_parts(name, before)
    except KeyringError as error:
        _log.warning("the keyring refused a secret: %s", error)
        return False
    return True


def _part_name(name: str, mark: str, number: int) -> str:
    return f"{name} {mark} {number}"


def _drop_parts(name: str, first: str | None) -> None:
    """Remove the further entries of a secret by its first."""
    import keyring

    found = _SPLIT.match(first or "")
    if found:
        for number in range(2, int(found[2]) + 1):
            keyring.delete_password(SERVICE, _part_name(name, found[1], number))


def _joined(name: str, first: str | None) -> str | None:
    """A secret from its entries; None when one is missing."""
    import keyring

    found = _SPLIT.match(first or "")
    if first is None or not found:
        return first
    parts: list[str] = [first[found.end() :]]
    for number in range(2, int(found[2]) + 1):
        part = keyring.get_password(SERVICE, _part_name(name, found[1], number))
        if part is None:
            _log.warning("an entry of a secret is missing from the keyring")
            return None
        parts.append(part)
    return "".join(parts)


def _from_keyring(name: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    if not _has_keyring():
        return None
    try:
        return _joined(name, keyring.get_password(SERVICE, name))
    except KeyringError as error:
        _log.warning("the keyring gave no secret: %s", error)
        return None


def _vault_without(name: str) -> None:
    vault = _Vault()
    if vault.exists:
        vault.remove(name)


class _Vault:
    """Names and secrets in one encrypted file beside the file of its key."""

    def __init__(self) -> None:
        self._folder = vault_folder()
        self._file = self._folder / "secrets.bin"
        self._key_file = self._folder / "key"

    @property
    def exists(self) -> bool:
        """Whether anything was ever stored."""
        return self._file.exists()

    def get(self, name: str) -> str | None:
        """One secret."""
        return self._read().get(name)

    def put(self, name: str, secret: str) -> None:
        """Add or replace one secret."""
        self._write({**self._read(), name: secret})

    def remove(self, name: str) -> None:
        """Drop one secret."""
        self._write({key: value for key, value in self._read().items() if key != name})

    def _read(self) -> dict[str, str]:
        from cryptography.fernet import Fernet, InvalidToken

        if not self.exists:
            return {}
        try:
            content = Fernet(self._key_file.read_bytes()).decrypt(self._file.read_bytes())
            return {str(key): str(value) for key, value in json.loads(content).items()}
        except (OSError, InvalidToken, ValueError) as error:
            raise EnvironmentProblem(
                N_(
                    "The stored passwords in {folder} cannot be read. Nothing was changed; "
                    "delete that folder and enter the passwords again."
                ),
                folder=self._folder,
            ) from error

    def _write(self, secrets: dict[str, str]) -> None:
        from cryptography.fernet import Fernet

        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = Fernet(self._key()).encrypt(json.dumps(secrets).encode())
            # mkstemp makes the file readable by its owner alone, and the change is whole or not.
            handle, draft = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(draft).replace(self._file)
        except OSError as error:
            raise EnvironmentProblem(
                N_("The password cannot be stored in {folder} ({problem}). Nothing was changed."),
                folder=self._folder,
                problem=error.strerror or error,
            ) from error

    def _key(self) -> bytes:
        from cryptography.fernet import Fernet

        try:
            handle = os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return self._key_file.read_bytes()
        with os.fdopen(handle, "wb") as stream:
            key = Fernet.generate_key()
            stream.write(key)
        return key
