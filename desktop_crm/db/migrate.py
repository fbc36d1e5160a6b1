"""Creating a database and bringing an older one up to date."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.backup import backup_before_upgrade
from desktop_crm.db.engine import Database
from desktop_crm.db.target import Target

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x44435231
"""Marks a SQLite file as ours, in the field its format keeps for that."""
HEAD: Final = "0002"
"""Newest revision; a test holds it against the migration scripts."""
REFOLDED: Final = "0002"
"""Revision since which search texts hold what they hold now; older ones are written anew."""
_OWN_TABLES: Final = frozenset({"own_company", "audit_entry", "account"})
"""Tables every revision has; another program may use the same revision names."""


class SchemaState(StrEnum):
    """How a database's schema stands to this program."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a look at a database told.

    Attributes:
        state: How it stands to this program.
        revision: Revision found; empty when none.
    """

    state: SchemaState
    revision: str


def look(database: Database) -> Schema:
    """Tell how the schema stands; one or two statements."""
    with database.reading() as connection:
        tables = set(inspect(connection).get_table_names())
        if "alembic_version" not in tables:
            state = SchemaState.FOREIGN if tables else SchemaState.EMPTY
            return Schema(state, "")
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if not tables >= _OWN_TABLES:
        return Schema(SchemaState.FOREIGN, str(revision or ""))
    if revision == HEAD:
        return Schema(SchemaState.CURRENT, HEAD)
    known = str(revision) in _revisions()
    return Schema(SchemaState.OLDER if known else SchemaState.NEWER, str(revision))


def create(url: str, password: str | None = None) -> Database:
    """Make the schema in a new file or an empty server database.

    Raises:
        UserError: Something is there already.
        EnvironmentProblem: Disk, permission or server.
    """
    target = Target.parse(url)
    if target.path is not None:
        if target.path.exists() and target.path.stat().st_size > 0:
            raise UserError(
                N_("{path} exists already and was left as it is. Choose another name."),
                path=target.path,
            )
        try:
            target.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentProblem(
                N_("The folder {folder} cannot be made: {reason}. Nothing was created."),
                folder=target.path.parent,
                reason=error.strerror or error,
            ) from error
    existed = target.path is not None and target.path.exists()
    database = None
    try:
        database = Database.open(url, password)
        _fill(database)
    except BaseException as error:
        if database is not None:
            database.close()
        # Refused because somebody was quicker: what lies there is theirs.
        if target.path is not None and not isinstance(error, UserError):
            _discard(target.path)
            if existed:  # an empty file was there, and stays
                target.path.touch()
        raise
    return database


def _fill(database: Database) -> None:
    if look(database).state is not SchemaState.EMPTY:
        raise UserError(
            N_("The database {name} is not empty and was left as it is. Choose another."),
            name=database.name,
        )
    if database.path is not None:
        _mark(database)
    _run(database)


def open_current(url: str, password: str | None = None) -> Database:
    """Open a database whose schema is this program's.

    Raises:
        UserError: Missing, foreign, newer or older; the sentence says what to do.
        EnvironmentProblem: Disk, permission or server.
    """
    target = Target.parse(url)
    target.require_file()
    database = Database.open(url, password)
    try:
        found = look(database)
        if found.state is not SchemaState.CURRENT:
            raise _refusal(found.state, database.name)
    except BaseException:
        database.close()
        raise
    return database


def upgrade(url: str, password: str | None = None) -> Path | None:
    """Bring an older database up to date; a SQLite file is backed up first.

    Returns:
        The backup, or None when nothing had to be done or the database is on a server.

    Raises:
        UserError: Foreign or newer database.
    """
    Target.parse(url).require_file()
    database = Database.open(url, password)
    try:
        found = look(database)
        if found.state is SchemaState.CURRENT:
            return None
        if found.state is not SchemaState.OLDER:
            raise _refusal(found.state, database.name)
        kept = backup_before_upgrade(database, found.revision)
        _run(database, refold=found.revision < REFOLDED)
        return kept
    finally:
        database.close()


def _refusal(state: SchemaState, name: str) -> UserError:
    template = {
        SchemaState.EMPTY: N_("{name} is empty. Create a database in it first."),
        SchemaState.FOREIGN: N_("{name} is not a database of this program. It was left as it is."),
        SchemaState.NEWER: N_(
            "{name} was made by a newer version of this program. It was left as it is; "
            "install the newer version to open it."
        ),
        SchemaState.OLDER: N_(
            "{name} was made by an older version of this program. Upgrade it first; a backup "
            "is made before."
        ),
    }[state]
    return UserError(template, name=name)


def _mark(database: Database) -> None:
    # Outside a transaction: the journal mode cannot change within one.
    raw = database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA page_size = 8192")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
        cursor.close()
    finally:
        raw.close()


def _discard(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _config() -> Config:
    # Alembic costs 270 ms to import, so only creating and upgrading do.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


@lru_cache(maxsize=1)
def _revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def _run(database: Database, *, refold: bool = False) -> None:
    from alembic import command

    config = _config()
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if refold:
            # Not in the script: it reads every column that is searched, also later ones.
            from desktop_crm.db import search_index

            search_index.rebuild(connection)
        if connection.dialect.name == "sqlite":
            _check_foreign_keys(connection)


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise EnvironmentProblem(
            N_("The upgrade left a broken reference in {table}; the database was not changed."),
            table=broken[0],
        )
