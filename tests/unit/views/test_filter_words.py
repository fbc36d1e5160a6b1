"""Filters in the words of the interface."""

from __future__ import annotations

import pytest

from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import use_language
from desktop_crm.meta import registry
from desktop_crm.services.filters import Group, Node, Related, Rule
from desktop_crm.views.filters.words import describe

MINE = Rule("owner", "=", "me")
SOLD = Related("opportunity", "has", Rule("owner", "!=", "my team"))


OF_OTHERS = "are oportunități (Responsabil: nu echipa mea)"
EITHER = Group("any", (MINE, SOLD))


@pytest.mark.parametrize(
    ("language", "node", "said"),
    [
        ("en", MINE, "Owner is me"),
        ("ro", MINE, "Responsabil: eu"),
        ("en", SOLD, "Has opportunities (Owner is not my team)"),
        ("en", EITHER, "Owner is me or has opportunities (Owner is not my team)"),
        ("ro", EITHER, f"Responsabil: eu sau {OF_OTHERS}"),
        ("ro", Group("not", (SOLD,)), f"Niciuna dintre: {OF_OTHERS}"),
    ],
)
def test_a_filter_reads_as_a_sentence(language: str, node: Node, said: str) -> None:
    use_language(language)
    try:
        assert describe(node, registry.get("account"), Formats(), {}) == said
    finally:
        use_language("en")
