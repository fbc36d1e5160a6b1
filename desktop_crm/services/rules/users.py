"""Rules of users."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desktop_crm.core.i18n import LANGUAGES, N_
from desktop_crm.services.drafts import Draft, Work


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
