"""Sums beyond what a database's integers hold, and what cannot be totalled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.services import totals
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import Summary
from desktop_crm.services.query import RecordQuery
from tests.support.company import small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

ASKED = RecordQuery("opportunity", ("name",))


def test_sums_stay_exact_beyond_64_bits(sqlite_db: Database) -> None:
    company = small_company(sqlite_db)
    stage, euro = company.ids["Proposal"], company.ids["EUR"]
    large = Decimal("90000000000000.1234")
    for number in range(20):
        company.add(
            "opportunity", f"n{number}",
            {"name": f"N{number}", "stage": stage, "currency": euro, "amount": large},
        )  # fmt: skip
    company.add(
        "opportunity", "less",
        {"name": "Less", "stage": stage, "currency": euro, "amount": Decimal("-0.0001")},
    )  # fmt: skip
    found = totals.totals(company.actor, ASKED, {"amount": Summary.SUM})
    assert dict(found.of["amount"])["EUR"] == 20 * large + 63_000 - Decimal("0.0001")


def test_a_group_keeps_its_currencies_apart(sqlite_db: Database) -> None:
    company = small_company(sqlite_db)
    grouped = RecordQuery("opportunity", ("name",), group="stage")
    found = totals.groups(company.actor, grouped, {"amount": Summary.SUM})
    assert len(found.groups) == len(found.groups.counts) > 1
    several = False
    for place, group in enumerate(found.groups):
        here = replace(ASKED, filter=Rule("stage", "=", group.value))
        alone = totals.totals(company.actor, here, {"amount": Summary.SUM})
        assert group.totals == alone
        assert found.groups.counts[place] == alone.count
        assert found.groups.value(place) == group.value
        several = several or len(alone.of["amount"]) > 1
    assert several
    assert found.groups[-1] == list(found.groups)[-1]
    assert found.groups[1:] == list(found.groups)[1:]
    assert found.totals == totals.totals(company.actor, ASKED, {"amount": Summary.SUM})


def test_a_text_has_no_sum(sqlite_db: Database) -> None:
    company = small_company(sqlite_db)
    with pytest.raises(UserError):
        totals.totals(company.actor, ASKED, {"name": Summary.SUM})
