"""The four files of a hardware vendor's CRM, without any mapping."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_crm.services import imports, query, undo
from desktop_crm.services.filters import parse
from desktop_crm.services.query import RecordQuery

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor

FILES = (
    ("user", "sales_teams"),
    ("account", "accounts"),
    ("product", "products"),
    ("opportunity", "sales_pipeline"),
)


def take(actor: Actor, samples: Path, entity: str, name: str) -> imports.ImportResult:
    plan = imports.plan_file(actor, entity, samples / "maven_crm" / f"{name}.csv")
    return imports.apply(actor, plan)


def found(actor: Actor, entity: str, text: str = "") -> int:
    return query.count(actor, RecordQuery(entity, ("id",), parse(text, entity)))


def test_all_four_files(actor: Actor, samples: Path) -> None:
    results = {name: take(actor, samples, entity, name) for entity, name in FILES}

    assert {name: r.created for name, r in results.items()} == {
        "sales_teams": 35,
        "accounts": 85,
        "products": 7,
        "sales_pipeline": 8800,
    }
    assert not any(r.rejected for r in results.values())
    assert results["sales_teams"].also_created == {"user": 6, "team": 3}
    assert found(actor, "user", "login empty") == 41
    assert found(actor, "user", "manager not empty and team not empty") == 35
    assert found(actor, "account", "parent not empty") == 15
    assert found(actor, "opportunity", "account empty") == 1425
    assert found(actor, "opportunity", "product empty") == 1480
    assert found(actor, "opportunity_line", "quantity = 1") == 7320
    pipeline = results["sales_pipeline"]
    assert pipeline.also_created == {"stage": 1}
    said = [(n.kind, n.text, n.count, n.suggestion) for n in pipeline.notices]
    assert (imports.NoticeKind.NOT_FOUND, "GTXPro", 1480, "GTX Pro") in said
    assert sum(n.kind is imports.NoticeKind.NOT_FOUND for n in pipeline.notices) == 1
    _check_stages(actor)
    _check_a_deal(actor)
    again = {name: take(actor, samples, entity, name) for entity, name in FILES}
    assert [(r.created, r.updated, r.batch) for r in again.values()] == [(0, 0, None)] * 4
    assert again["sales_pipeline"].same == 8800
    _check_the_meant_product(actor, samples)


def _check_stages(actor: Actor) -> None:
    totals: dict[tuple[str, str], list[Decimal]] = {}
    for row in query.objects(
        actor, RecordQuery("opportunity", ("stage", "state", "actual_revenue"))
    ):
        revenue = totals.setdefault((row["stage"], row["state"]), [])
        revenue.append(row["actual_revenue"] or Decimal(0))
    assert {stage: len(values) for stage, values in totals.items()} == {
        ("Won", "won"): 4238,
        ("Lost", "lost"): 2473,
        ("Engaging", "open"): 1589,
        ("Prospecting", "open"): 500,
    }
    assert sum(totals["Won", "won"]) == 10_005_534


def _check_a_deal(actor: Actor) -> None:
    columns = ("name", "product", "owner", "opened_on", "closed_on", "close_on", "actual_revenue")
    wanted = RecordQuery("opportunity", columns, parse("external_id = 1C1I7A6R", "opportunity"))
    (row,) = query.objects(actor, wanted)
    assert row["name"] == "GTX Plus Basic – Cancity"
    assert row["product"] == "GTX Plus Basic"
    assert row["owner"] == "Moses Frase"
    assert (str(row["opened_on"]), str(row["closed_on"])) == ("2016-10-20", "2017-03-01")
    assert row["close_on"] is None
    assert row["actual_revenue"] == 1054
    assert found(actor, "opportunity", 'product = "GTX Plus Basic"') == 1383
    assert found(actor, "opportunity", 'name contains "UMCRHNR"') == 0


def _check_the_meant_product(actor: Actor, samples: Path) -> None:
    options = imports.ImportOptions(values={("product", "GTXPro"): "GTX Pro"})
    path = samples / "maven_crm" / "sales_pipeline.csv"
    plan = imports.plan_file(actor, "opportunity", path, options)
    assert (plan.counts["update"], plan.counts["same"]) == (1480, 7320)
    assert not plan.notices
    result = imports.apply(actor, plan)
    assert found(actor, "opportunity", "product empty") == 0
    assert result.batch is not None
    undo.undo_batch(actor, result.batch)
    assert found(actor, "opportunity", "product empty") == 1480


def test_people_and_companies_on_both_databases(anywhere: Actor, samples: Path) -> None:
    for entity, name in FILES[:3]:
        result = take(anywhere, samples, entity, name)
        assert not result.rejected
        assert take(anywhere, samples, entity, name).batch is None
        assert result.batch is not None
        undo.undo_batch(anywhere, result.batch)
        assert found(anywhere, entity, "external_id empty and import_batch not empty") == 0
