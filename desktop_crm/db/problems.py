"""One place where the drivers' exceptions become sentences."""

from __future__ import annotations

import re

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.target import Target

_UNIQUE_VIOLATION = "23505"
_SQLITE = (
    ("database is locked", True, N_(
        "{name} is busy: another program has been writing for more than 10 seconds. Nothing was "
        "saved; try again in a moment."
    )),
    ("database or disk is full", True, N_(
        "The disk with {name} is full. Nothing of this change was saved and the database is "
        "intact; free some space and try again."
    )),
    ("readonly database", False, N_(
        "{name} cannot be written: the file or its folder is read-only. Nothing was saved; change "
        "the permissions or open a copy in another folder."
    )),
    ("read-only", False, N_(
        "{name} cannot be written: the file or its folder is read-only. Nothing was saved; change "
        "the permissions or open a copy in another folder."
    )),
    ("unable to open database file", False, N_(
        "{name} cannot be opened: the folder is missing or may not be written. Nothing was "
        "changed; check the path {path} and its permissions."
    )),
    ("file is not a database", False, N_(
        "{name} is not a database of this program. It was left as it is."
    )),
    ("malformed", False, N_(
        "{name} is damaged. Nothing was changed; restore the latest backup."
    )),
    ("disk i/o error", True, N_(
        "The disk reported an error while working on {name}. Nothing of this change was saved; "
        "check the disk and try again."
    )),
)  # fmt: skip


def explain(error: DBAPIError, target: Target) -> CrmError | None:
    """Return the sentence for a driver's error, or None when the error is our bug."""
    text = str(error.orig).lower()
    if target.is_sqlite:
        for part, retryable, template in _SQLITE:
            if part in text:
                return EnvironmentProblem(
                    template, retryable=retryable, name=target.name, path=target.path
                )
        return _integrity(error)
    return _server(error, text, target) or _integrity(error)


def unique_columns(error: IntegrityError) -> tuple[str, ...]:
    """Columns whose value another row has already; empty for any other broken rule."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        if getattr(error.orig, "sqlstate", "") != _UNIQUE_VIOLATION:
            return ()
        named = re.search(r"\(([^)]*)\)=", diagnosis.message_detail or "")
        names = named[1].split(",") if named else []
        return tuple(name.strip().strip('"') for name in names)
    _, found, columns = str(error.orig).partition("UNIQUE constraint failed: ")
    names = columns.split(",") if found else []
    return tuple(name.strip().rpartition(".")[2] for name in names)


def _integrity(error: DBAPIError) -> CrmError | None:
    if isinstance(error, IntegrityError) and "unique" in str(error.orig).lower():
        return UserError(
            N_(
                "Another record already has this value, which may stand only once. Nothing was "
                "saved; change the value or open the other record."
            )
        )
    return None


def _server(error: DBAPIError, text: str, target: Target) -> CrmError | None:
    state = getattr(error.orig, "sqlstate", None) or ""
    server = target.url.host or "localhost"
    if "password authentication failed" in text or "no password supplied" in text:
        return EnvironmentProblem(
            N_("{server} refused the login {user}. Nothing was changed; check the password."),
            server=server,
            user=target.url.username or "",
        )
    if state == "3D000" or ("database" in text and "does not exist" in text and not state):
        return UserError(
            N_("There is no database “{name}” on {server}. Ask its administrator to create it."),
            name=target.name,
            server=server,
        )
    if state in {"53100"}:
        return EnvironmentProblem(
            N_("The disk of {server} is full. Nothing of this change was saved."), server=server
        )
    # A value the driver will not send never reached the server, so it has no state either.
    unsent = isinstance(error, DataError)
    if error.connection_invalidated or state[:2] in {"08", "57"} or not (state or unsent):
        return EnvironmentProblem(
            N_(
                "The database server {server} cannot be reached. Nothing of this change was "
                "saved; check the network and try again."
            ),
            retryable=True,
            server=server,
        )
    if state in {"55P03", "40P01", "40001"}:
        return EnvironmentProblem(
            N_("{name} is busy. Nothing was saved; try again in a moment."),
            retryable=True,
            name=target.name,
        )
    if state == "42501":
        return EnvironmentProblem(
            N_("The login {user} may not do this in the database {name}. Nothing was changed."),
            user=target.url.username or "",
            name=target.name,
        )
    return None
