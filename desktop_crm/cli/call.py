"""What every command shares: which database, who acts, and how the answer is written."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from desktop_crm.cli.console import Code, emit, fail, say
from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.settings import Settings
from desktop_crm.db import migrate
from desktop_crm.db.engine import Database
from desktop_crm.db.target import Target
from desktop_crm.services import databases
from desktop_crm.services.context import Actor, sign_in

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Call:
    """One command as it was asked for.

    Attributes:
        url: Address given with ``--db``; empty means the usual database.
        login: User given with ``--as``; None acts as oneself.
        as_json: The answer is for a program.
    """

    url: str
    login: str | None
    as_json: bool

    @property
    def database(self) -> str:
        """Address of the database: the given one, the one opened last, or the sample company."""
        return self.url or _remembered() or _sample()

    @contextmanager
    def signed_in(self) -> Iterator[Actor]:
        """Open the database and act in it; closed at the end.

        Raises:
            UserError: Missing, foreign, newer or older database, or no such user.
            EnvironmentProblem: Disk, permission or server.
        """
        db: Database = with_password(self.database, migrate.open_current)
        try:
            yield sign_in(db, self.login)
        finally:
            db.close()

    def answer(self, data: Mapping[str, Any], *lines: str) -> int:
        """Say that it is done: as JSON, or as lines for a person."""
        if self.as_json:
            emit({"ok": True, **data})
        else:
            for line in lines:
                say(line)
        return Code.DONE

    def refuse(self, sentence: str, code: Code, **details: Any) -> int:  # noqa: ANN401  JSON
        """Say that it is not done."""
        return fail(sentence, code, as_json=self.as_json, details=details)


def _json(function: Callable[..., int]) -> Callable[..., int]:
    return click.option(
        "--json", "as_json", is_flag=True, help=tr("Answer with one line of JSON.")
    )(function)


def without_database(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command that opens no database ``--json`` alone, handed over as a :class:`Call`."""

    @_json
    @functools.wraps(function)
    def wrapped(as_json: bool, **arguments: Any) -> int:  # noqa: ANN401  the command's own
        return function(Call("", None, as_json), **arguments)

    return wrapped


def common(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command ``--db``, ``--as`` and ``--json``, and hand them over as a :class:`Call`."""

    @click.option(
        "--db", "url", metavar="URL", default="", help=tr("Database: a file or postgresql://…")
    )
    @click.option("--as", "login", metavar="USER", help=tr("Act as this user (administrators)."))
    @_json
    @functools.wraps(function)
    def wrapped(
        url: str,
        login: str | None,
        as_json: bool,
        **arguments: Any,  # noqa: ANN401  the command's own
    ) -> int:
        return function(Call(url, login, as_json), **arguments)

    return wrapped


def with_password(url: str, work: Callable[[str, str | None], R]) -> R:
    """Do something with a database; ask for the password only where nothing else has it.

    The order is pgpass and PGPASSWORD (the driver reads them), the keyring, then a prompt, which
    appears only on a terminal.

    Args:
        url: Address without a password.
        work: Called with the address and the password, or None.
    """
    try:
        return work(url, databases.password_of(url))
    except EnvironmentProblem as problem:
        target = Target.parse(url)
        refused = "user" in problem.params and "server" in problem.params
        if target.is_sqlite or not refused or not sys.stdin.isatty():
            raise
    shown = tr(
        N_("Password of {user} on {server}"),
        user=target.url.username or "",
        server=target.url.host or "localhost",
    )
    return work(url, click.prompt(shown, hide_input=True, err=True))


def _remembered() -> str:
    try:
        return Settings.load().database_url
    except OSError:
        return ""


def _sample() -> str:
    from desktop_crm import demo

    return demo.sample_url()
