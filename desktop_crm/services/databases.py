"""Opening, making, backing up and upgrading databases, with passwords from the keyring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop_crm.core import clock, secrets
from desktop_crm.core.errors import PermissionDenied
from desktop_crm.core.i18n import N_
from desktop_crm.db import backup, migrate, search_index
from desktop_crm.db.engine import Database
from desktop_crm.db.migrate import SchemaState
from desktop_crm.db.target import Target
from desktop_crm.meta import registry
from desktop_crm.services import setup
from desktop_crm.services.context import Actor


@dataclass(frozen=True, slots=True)
class Look:
    """What stands at an address: its address without a password, its name and its state."""

    url: str
    name: str
    state: SchemaState
    is_shared: bool


def address(target: Target) -> str:
    """Address by which a database is opened again; never with a password."""
    return str(target.path) if target.path is not None else str(target.url)


def password_of(url: str) -> str | None:
    """Password of a shared database on this computer; None for files and when none is kept."""
    target = Target.parse(url)
    return secrets.load(_secret(target)) if target.path is None else None


def keep_password(url: str, password: str) -> secrets.Place:
    """Keep the password of a shared database in the keyring, or in the vault without one.

    Raises:
        EnvironmentProblem: neither can keep it.
    """
    return secrets.store(_secret(Target.parse(url)), password)


def _secret(target: Target) -> str:
    return f"database {target.url}"


def look(url: str, password: str | None = None) -> Look:
    """Tell what stands at an address, without opening it for work.

    Raises:
        UserError: it is no database address, or there is no such file.
        EnvironmentProblem: it cannot be reached.
    """
    target = Target.parse(url)
    target.require_file()
    db = Database.open(url, password or password_of(url))
    try:
        return Look(address(target), db.name, migrate.look(db).state, db.is_shared)
    finally:
        db.close()


def create(url: str, password: str | None = None) -> str:
    """Make a database with its starting records; gives its address.

    Raises:
        UserError: something is there already.
        EnvironmentProblem: disk, permission or server.
    """
    with registry.as_declared():  # another one may be open meanwhile
        setup.create(url, password or password_of(url)).db.close()
    if password:
        keep_password(url, password)
    return address(Target.parse(url))


def upgrade(url: str, password: str | None = None) -> Path | None:
    """Bring an older database up to date; a file is backed up first, and the copy is given.

    Raises:
        UserError: it is newer, or no database of this program.
        EnvironmentProblem: the backup or the upgrade failed; the file is as it was.
    """
    return migrate.upgrade(url, password or password_of(url))


def back_up(actor: Actor, path: Path) -> Path:
    """Copy the open database to a file while it is in use.

    Raises:
        UserError: it is on a server, or the target is the database itself.
        EnvironmentProblem: the file cannot be written; nothing was changed.
    """
    return backup.backup(actor.db, path)


def backup_name(actor: Actor) -> Path | None:
    """Where a backup would usually go: beside the file, with the day; None for a server."""
    path = actor.db.path
    if path is None:
        return None
    day = clock.today(actor.zone).isoformat()
    return path.with_name(f"{path.stem}-{day}{path.suffix or '.db'}")


def reindex(actor: Actor) -> dict[str, int]:
    """Make the search index anew from what the records hold; one transaction.

    Nobody else can write while it lasts, some minutes for a million records.

    Returns:
        How many search texts were not true and were written, by entity.

    Raises:
        PermissionDenied: The actor is no administrator.
    """
    if not actor.is_admin:
        raise PermissionDenied(
            N_(
                "Only an administrator may rebuild the search index. Nothing was done; ask "
                "yours to do it."
            )
        )
    with actor.db.writing() as connection:
        return search_index.rebuild(connection)
