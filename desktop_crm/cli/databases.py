"""``db``: make, upgrade and check databases."""

from __future__ import annotations

from functools import partial

import click

from desktop_crm.cli.call import Call, common, with_password
from desktop_crm.cli.console import Code
from desktop_crm.core import paths
from desktop_crm.core.errors import CrmError
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.db.migrate import SchemaState
from desktop_crm.db.target import Target
from desktop_crm.services import databases, setup
from desktop_crm.services.context import Actor


@click.group("db", help=tr("Make, upgrade and check databases."))
def group() -> None:
    """Commands about whole databases."""


@group.command("init", help=tr("Make an empty database with one administrator: you."))
@common
def init(call: Call) -> int:
    """Make a database with its starting records."""
    url = call.url or f"sqlite:///{paths.data_dir() / 'company.db'}"
    actor = with_password(url, partial(_create, login=call.login))
    try:
        where = databases.address(actor.db.target)
        return call.answer(
            {"database": where, "user": actor.login},
            tr("{database} is ready; {user} is its administrator.", database=where,
               user=actor.login),
        )  # fmt: skip
    finally:
        actor.db.close()


def _create(url: str, password: str | None, *, login: str | None) -> Actor:
    setup.require_own_login(url, login)
    if setup.is_unused(url, password):
        # A start that broke on a server left the tables; the records are still to come.
        return setup.initialise(migrate.open_current(url, password), login)
    return setup.create(url, password, login)


@group.command("upgrade", help=tr("Bring an older database up to date; a backup is made first."))
@common
def upgrade(call: Call) -> int:
    """Upgrade a database."""
    backup = with_password(call.database, migrate.upgrade)
    lines = [tr("The database is up to date.")]
    if backup is not None:
        lines.append(tr("The backup from before is {path}.", path=backup))
    return call.answer({"backup": None if backup is None else str(backup)}, *lines)


@group.command("check", help=tr("Say whether this program can work with a database."))
@common
def check(call: Call) -> int:
    """Look at the schema; anything but a current one is a refusal."""
    found = with_password(call.database, _look)
    where = databases.address(Target.parse(call.database))
    facts = {"database": where, "state": found.state.value, "revision": found.revision}
    if found.state is SchemaState.CURRENT:
        return call.answer(facts, tr("{database} is up to date.", database=where))
    try:
        with_password(call.database, migrate.open_current).close()
    except CrmError as error:
        return call.refuse(str(error), Code.REJECTED, **facts)
    return call.answer(facts)


def _look(url: str, password: str | None) -> migrate.Schema:
    Target.parse(url).require_file()
    db = Database.open(url, password)
    try:
        return migrate.look(db)
    finally:
        db.close()


@group.command("reindex", help=tr("Rebuild the search index; nobody can save meanwhile."))
@common
def reindex(call: Call) -> int:
    """Write search texts that are not true any more, and make the indexes from nothing."""
    with call.signed_in() as actor:
        written = databases.reindex(actor)
        count = sum(written.values())
        where = databases.address(actor.db.target)
    return call.answer(
        {"database": where, "written": written},
        ntr(
            "The search index of {database} was rebuilt; {n} text was out of date.",
            "The search index of {database} was rebuilt; {n} texts were out of date.",
            count,
            database=where,
        ),
    )
