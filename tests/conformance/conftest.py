"""One database of each system for all conformance tests of a worker, and people who look at it.

Records only pile up: each test makes its own and looks at nothing else, so that setting up a
database is paid once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop_crm.db.engine import Database
from desktop_crm.services import context, records
from desktop_crm.services.context import Actor, system_actor
from tests.factories import Factory
from tests.support.postgres import Server

LEVELS = ("all", "team", "own", "none")
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


@pytest.fixture(scope="session")
def _files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A database of each system in turn."""
    if request.param == "sqlite":
        path = request.getfixturevalue("_files") / "crm.db"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield from _opened(f"sqlite:///{path}")
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = f"{server.prefix}_{os.getpid()}_conformance"
    url = server.create_database(name, request.getfixturevalue("_postgres_template"))
    yield from _opened(url)
    server.drop_database(name)


def _opened(url: str) -> Iterator[World]:
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
