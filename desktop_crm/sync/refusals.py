"""What servers refuse, in the sentences that adapters of mail and of calendars share."""

from __future__ import annotations

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_


def refused(server: str, login: str) -> UserError:
    """The sentence about a refused login or password."""
    return UserError(
        N_(
            "The server {server} refused the login or password of {login}. Nothing was "
            "changed and it will not be tried again; enter the password anew."
        ),
        field="password",
        server=server,
        login=login,
    )


def busy(server: str) -> EnvironmentProblem:
    """The sentence about a server that has no time now."""
    return EnvironmentProblem(
        N_("The server {server} is busy. What was read so far is kept; try again later."),
        retryable=True,
        server=server,
    )


def no_folder(name: str, server: str) -> EnvironmentProblem:
    """The sentence about a folder that is not there any more."""
    return EnvironmentProblem(
        N_('The server {server} no longer has the folder "{folder}". Nothing was changed.'),
        server=server,
        folder=name,
    )
