"""What can go wrong, by whose fault it is.

A :class:`UserError` is the input's fault and is shown beside it; an :class:`EnvironmentProblem` is
the disk's, the network's or a lock's and may be retried; everything that is not a
:class:`CrmError` is a bug and reaches the crash dialog with a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop_crm.core.i18n import N_, tr


class CrmError(Exception):
    """A problem told in one sentence: a translatable template and its parameters."""

    def __init__(self, template: str, /, **params: object) -> None:
        super().__init__(template, params)
        self.template = template
        self.params = params

    def __str__(self) -> str:
        """Return the sentence in the interface language."""
        return tr(self.template, **self.params)


class UserError(CrmError):
    """The input cannot be taken; ``field`` names the control it belongs to.

    The name is a parameter of the sentence too, for templates that say ``{field}``.
    """

    def __init__(self, template: str, /, field: str | None = None, **params: object) -> None:
        super().__init__(template, **({} if field is None else {"field": field}), **params)
        self.field = field


class NotFound(UserError):
    """The record does not exist, or this user may not know that it does."""


class PermissionDenied(CrmError):
    """The user's role does not allow it."""


class EnvironmentProblem(CrmError):
    """Disk, network, server or lock; ``retryable`` says whether trying again can help."""

    def __init__(self, template: str, /, retryable: bool = False, **params: object) -> None:
        super().__init__(template, **params)
        self.retryable = retryable


class Cancelled(CrmError):
    """The person stopped the work; nothing after the last finished step was kept."""

    def __init__(self) -> None:
        super().__init__(N_("The work was stopped."))


@dataclass(frozen=True, slots=True)
class FieldError:
    """One sentence about one field; ``row`` counts the lines of a child list from 0."""

    field: str
    template: str
    params: tuple[tuple[str, object], ...] = ()
    row: int | None = None

    @property
    def message(self) -> str:
        """The sentence in the interface language."""
        return tr(self.template, **dict(self.params))


class ValidationFailed(UserError):
    """One or more fields hold values that cannot be saved; nothing was.

    ``by_record`` says which of several stored records are at fault; empty where that is not known.
    """

    def __init__(
        self,
        errors: tuple[FieldError, ...],
        by_record: Mapping[int, tuple[FieldError, ...]] | None = None,
    ) -> None:
        super().__init__(
            N_("{problems} Nothing was saved."),
            field=errors[0].field if errors else None,
            problems=_Problems(errors),
        )
        self.errors = errors
        self.by_record = by_record or {}


class _Problems:
    """The sentences of several field errors, translated when they are shown."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        self._errors = errors

    def __str__(self) -> str:
        return " ".join(error.message for error in self._errors)

    def __format__(self, spec: str) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class ConflictField:
    """One field that two people changed: what it was, what this user wants, what stands now."""

    base: object
    mine: object
    theirs: object


class Conflict(CrmError):
    """Somebody else changed the same fields of the record meanwhile; nothing was saved."""

    def __init__(
        self,
        entity: str,
        record_id: int,
        fields: Mapping[str, ConflictField],
        current_version: int,
    ) -> None:
        super().__init__(
            N_(
                "Somebody else changed this record while you were editing it. "
                "Nothing was saved; choose which values to keep."
            )
        )
        self.entity = entity
        self.record_id = record_id
        self.fields = fields
        self.current_version = current_version
