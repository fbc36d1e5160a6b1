"""The library's errors as sentences: what happened, what was kept, what to do."""

from __future__ import annotations

from typing import Any, Final

from exchangelib import errors
from exchangelib.errors import (
    ErrorAccessDenied,
    ErrorAccountDisabled,
    ErrorMailboxMoveInProgress,
    ErrorNonExistentMailbox,
    ErrorTimeoutExpired,
    RedirectError,
    ResponseMessageError,
    TransportError,
    UnauthorizedError,
)

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.exchange import calls, signin
from desktop_crm.sync.unknown_name import UNKNOWN_NAME, is_unknown_name


def problem_of(error: Exception, server: str, login: str) -> CrmError:
    """What happened, what was kept and what to do, for an error of the library."""
    if isinstance(error, UnauthorizedError):
        return UserError(
            N_(
                "The server {server} refused the login or password of {login}. Nothing was "
                "changed and it will not be tried again; enter the password anew."
            ),
            field="password",
            server=server,
            login=login,
        )
    refused = next((text for kinds, text in _REFUSALS if isinstance(error, kinds)), None)
    if refused is not None:
        return UserError(refused, server=server, login=login, problem=str(error)[:200])
    template, retryable = _sentence(error)
    return EnvironmentProblem(
        template,
        retryable=retryable,
        server=server,
        login=login,
        problem=str(error)[:200],
        retry_after=getattr(error, "back_off", None),
    )


def _sentence(error: Exception) -> tuple[str, bool]:
    if signin.is_certificate_problem(error):
        return N_(
            "The certificate of {server} is not signed by an authority this computer knows. "
            "Nothing was changed; give the file of your own authority in the settings of the "
            "mailbox."
        ), False
    if is_unknown_name(error):
        return UNKNOWN_NAME, True
    if calls.is_busy(error):
        return N_(
            "The server {server} is busy. What was read so far is kept; try again later."
        ), True
    for kinds, template, retryable in _SENTENCES:
        if isinstance(error, kinds):
            return template, retryable
    return N_(
        "The server {server} answered with an error ({problem}). What was read so far is kept."
    ), False


_SENTENCES: Final[tuple[tuple[Any, str, bool], ...]] = (
    (
        signin.NoTicket,
        N_(
            "This computer has no sign-in that {server} takes ({problem}). Nothing was changed; "
            "sign in to the company's network (kinit), or choose to sign in by password."
        ),
        False,
    ),
    (
        signin.NoSignIn,
        N_(
            "The server {server} asks for a way of signing in that is not supported "
            "({problem}). Nothing was changed; ask its administrator for NTLM or Basic."
        ),
        False,
    ),
    (
        RedirectError,
        N_(
            "The server {server} sends the request elsewhere ({problem}). Nothing was changed; "
            "enter the address of the mailbox's own server."
        ),
        False,
    ),
    (
        ErrorMailboxMoveInProgress,
        N_("The mailbox of {login} is being moved. What was read so far is kept; try later."),
        True,
    ),
    (
        (ErrorNonExistentMailbox, ErrorAccessDenied, ErrorAccountDisabled),
        N_(
            "The server {server} does not let {login} open this mailbox ({problem}). Nothing was "
            "changed; check the address and the login."
        ),
        False,
    ),
    (
        ErrorTimeoutExpired,
        N_(
            "The server {server} cannot be reached or did not answer in time. What was read so "
            "far is kept; try again later."
        ),
        True,
    ),
    (
        calls.BadAnswer,
        N_(
            "The server {server} answered with something that is not Exchange ({problem}). What "
            "was read so far is kept; check the address, or try again later."
        ),
        True,
    ),
    (
        ResponseMessageError,
        N_("The server {server} answered with an error ({problem}). What was read so far is kept."),
        False,
    ),
    (
        TransportError,
        N_("The server {server} cannot be reached. What was read so far is kept; try later."),
        True,
    ),
)

_REFUSALS: Final[tuple[tuple[Any, str], ...]] = (
    (
        signin.BadCertificate,
        N_(
            "The file of your certificate cannot be used ({problem}). Nothing was changed; choose "
            "a PEM file with certificate and key, and enter the password of the key."
        ),
    ),
    (
        (
            errors.ErrorInvalidRecipients,
            errors.ErrorMissingRecipients,
            errors.ErrorMailRecipientNotFound,
        ),
        N_(
            "The server {server} does not take a recipient ({problem}). Nothing was sent; check "
            "the addresses."
        ),
    ),
    (
        errors.ErrorSendAsDenied,
        N_("The server {server} does not let {login} send as this sender. Nothing was sent."),
    ),
    (
        (errors.ErrorMessageSizeExceeded, errors.ErrorAttachmentSizeLimitExceeded),
        N_("The item is too large for {server}. Nothing was changed; take attachments out."),
    ),
    (
        errors.ErrorQuotaExceeded,
        N_("The mailbox of {login} is full. Nothing was changed; delete something in it first."),
    ),
    (
        (
            errors.ErrorOccurrenceCrossingBoundary,
            errors.ErrorOccurrenceTimeSpanTooBig,
            errors.ErrorCalendarInvalidRecurrence,
            errors.ErrorRecurrenceHasNoOccurrence,
            errors.ErrorRecurrenceEndDateTooBig,
            errors.ErrorCalendarDurationIsTooLong,
            errors.ErrorCalendarEndDateIsEarlierThanStartDate,
            errors.ErrorCalendarIsNotOrganizer,
            errors.ErrorCalendarOutOfRange,
        ),
        N_(
            "The calendar on {server} does not take this meeting ({problem}). Nothing was "
            "changed; choose another time or repetition."
        ),
    ),
)
"""What the mailbox refuses for good."""
