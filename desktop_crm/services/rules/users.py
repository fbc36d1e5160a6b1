"""Rules of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from desktop_crm.core.i18n import LANGUAGES, N_
from desktop_crm.models import Role, User
from desktop_crm.models.user import UserState
from desktop_crm.services.drafts import Draft, Work

_LAST: Final = N_("This is the last administrator; make another one first.")
_ACCESS: Final = ("role", "login", "state")


def languages(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse languages and time zones the product does not know."""
    for draft in drafts:
        language = draft.get("language")
        if language and language not in LANGUAGES:
            draft.fail(
                "language",
                N_("“{language}” is no language of this program. Possible: {known}."),
                language=language,
                known=", ".join(LANGUAGES),
            )
        zone = draft.get("time_zone")
        if zone:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError):
                draft.fail(
                    "time_zone",
                    N_("“{zone}” is no time zone. Write it like Europe/Bucharest."),
                    zone=zone,
                )


def administrators(work: Work, drafts: Sequence[Draft]) -> None:
    """Let nobody become administrator by themselves, and the last one not go; two statements."""
    touched = [d for d in drafts if d.is_new or any(d.changes(n) for n in _ACCESS)]
    if not touched:
        return
    roles = _admin_roles(work)
    if not work.actor.is_admin:
        for draft in touched:
            if {draft.old.get("role"), draft.get("role")} & roles:
                draft.fail("role", N_("Only an administrator may make or change administrators."))
        return
    staying = {d.id: d.get("role") in roles and _signs_in(d) for d in touched if not d.is_new}
    _keep_one(work, touched, roles, {key for key, stays in staying.items() if not stays})


def last_administrator(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the last administrator from being deleted."""
    _keep_one(work, drafts, _admin_roles(work), {draft.id for draft in drafts})


def only_administrators(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse to change what roles may do, to everybody but administrators."""
    if work.actor.is_admin:
        return
    for draft in drafts:
        draft.fail(work.entity.title, N_("Only an administrator may change what roles may do."))


def _admin_roles(work: Work) -> set[int]:
    found = select(Role.id).where(Role.is_admin, Role.deleted_at.is_(None))
    return set(work.connection.execute(found).scalars())


def _signs_in(draft: Draft) -> bool:
    return bool(draft.get("login")) and draft.get("state") == UserState.ACTIVE


def _keep_one(
    work: Work, drafts: Sequence[Draft], roles: set[int], leaving: set[int | None]
) -> None:
    if not leaving:
        return
    now = _able(work, roles)
    if now and now <= leaving:
        for draft in drafts:
            if draft.id in now:
                draft.fail("role", _LAST)


def _able(work: Work, roles: set[int]) -> set[int]:
    """Users of these roles who can sign in."""
    able = select(User.id).where(
        User.role_id.in_(sorted(roles)),
        User.login.is_not(None),
        User.state == UserState.ACTIVE,
        User.deleted_at.is_(None),
    )
    return set(work.connection.execute(able).scalars())


def administrator_role(work: Work, drafts: Sequence[Draft]) -> None:
    """Keep the role of the last administrator what it is; up to three statements."""
    roles = _admin_roles(work)
    losing = [d for d in drafts if d.id in roles and (_is_going(d) or not d.get("is_admin"))]
    left = roles - {draft.id for draft in losing if draft.id is not None}
    if losing and _able(work, roles) and not _able(work, left):
        for draft in losing:
            draft.fail("is_admin", _LAST)


def _is_going(draft: Draft) -> bool:
    """Whether a draft stands for a record on its way to the bin: it wants nothing."""
    return not draft.new and not draft.lines
