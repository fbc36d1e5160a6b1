"""A database with people of every level of rights in it, for tests that share one."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from desktop_crm.bench.postgres_server import Server
from desktop_crm.db.engine import Database
from desktop_crm.services import context, records
from desktop_crm.services.context import Actor, system_actor
from desktop_crm.services.customizing import definitions
from tests.factories import Factory

LEVELS = ("all", "team", "own", "none")
_worlds = itertools.count()
PEOPLE = ("admin", *LEVELS, "mate", "stranger")


@dataclass(frozen=True)
class World:
    """A database with people in it.

    ``admin`` may do everything; ``all``, ``team``, ``own`` and ``none`` have roles that grant that
    level for everything; ``mate`` is in the team of ``team`` and ``own``, ``stranger`` in another.
    """

    db: Database
    people: dict[str, Actor]

    @property
    def admin(self) -> Actor:
        """Who may do everything."""
        return self.people["admin"]

    @property
    def factory(self) -> Factory:
        """Makes records as the administrator."""
        return Factory(self.admin)


@contextmanager
def world_on(request: pytest.FixtureRequest, system: str) -> Iterator[World]:
    """Open a new database of a system with the people in it."""
    if system == "sqlite":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("world")
        path = folder / "crm.db"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield from _opened(f"sqlite:///{path}")
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = f"{server.prefix}_{os.getpid()}_world_{next(_worlds)}"
    url = server.create_database(name, request.getfixturevalue("_postgres_template"))
    yield from _opened(url)
    server.drop_database(name)


def _opened(url: str) -> Iterator[World]:
    definitions.forget()  # of the database that was open before
    db = Database.open(url)
    yield World(db, _people(db))
    db.close()


def _people(db: Database) -> dict[str, Actor]:
    system = system_actor(db)
    near = records.save(system, "team", None, None, {"name": "Near"}).id
    far = records.save(system, "team", None, None, {"name": "Far"}).id
    teams = {"team": near, "own": near, "mate": near}
    for name in PEOPLE:
        level = name if name in LEVELS else "own"
        right = {"entity": "*", "read": level, "create": level, "edit": level, "remove": level}
        role = {"name": name, "is_admin": name == "admin", "rights": [right]}
        user = {
            "name": name.title(),
            "login": context.own_login(db) if name == "admin" else name,
            "team": teams.get(name, far),
            "role": records.save(system, "role", None, None, role).id,
        }
        records.save(system, "user", None, None, user)
    return {n: context.sign_in(db, None if n == "admin" else n) for n in PEOPLE}
