"""Every rule has a sentence of its own, and who decided is said with it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.core.formats import Formats
from desktop_crm.models.activity import LinkRule
from desktop_crm.services.link_reasons import Reason, cause, sentence

FORMATS = Formats("en", ZoneInfo("Europe/Bucharest"))
REASON = Reason(
    "contact", "contact", "a@b.example", Decimal(95), "linked", "",
    datetime(2026, 11, 25, 8, 20, tzinfo=UTC),
)  # fmt: skip


def test_every_rule_has_a_sentence_of_its_own() -> None:
    said = [cause(REASON._replace(rule=rule.value)) for rule in LinkRule]
    assert len(set(said)) == len(said)
    assert all(text.endswith(".") for text in said if text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "a@b.example is an address of this contact. "
             "Filed by itself on 25 Nov 2026 10:20, 95% sure."),
        ({"state": "suggested"},
         "a@b.example is an address of this contact. A suggestion, 95% sure."),
        ({"decided_by": "Mara"},
         "a@b.example is an address of this contact. Mara confirmed it on 25 Nov 2026 10:20."),
        ({"decided_by": "Mara", "rule": "manual"}, "Mara linked it on 25 Nov 2026 10:20."),
        ({"decided_by": "Mara", "state": "rejected", "rule": "domain", "evidence": "@b.example"},
         "It comes from @b.example, the domain of this account. "
         "Mara took it off on 25 Nov 2026 10:20."),
        ({"entity": "account"}, "a@b.example belongs to people of this account. "
                                "Filed by itself on 25 Nov 2026 10:20, 95% sure."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_was_found_and_who_decided(
    changes: dict[str, str], text: str
) -> None:
    assert sentence(REASON._replace(**changes), FORMATS) == text  # type: ignore[arg-type]


def test_a_rule_of_a_later_version_is_named() -> None:
    assert cause(REASON._replace(rule="by_magic")) == "by_magic"
