"""Matching headers, reading values, deciding rows, applying and taking back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm.core.errors import EnvironmentProblem, PermissionDenied, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.services import context, imports, query, records, steps, undo
from desktop_crm.services.filters import parse
from desktop_crm.services.imports import ImportOptions, Outcome, applying
from desktop_crm.services.query import RecordQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.services.context import Actor

    Take = Callable[..., tuple[imports.ImportPlan, imports.ImportResult]]


def objects(actor: Actor, entity: str, *columns: str, where: str = "") -> list[dict[str, object]]:
    return query.objects(actor, RecordQuery(entity, columns, parse(where, entity)))


@pytest.mark.parametrize(
    ("entity", "header", "values", "mapping"),
    [
        (
            "contact",
            "First Name,Last Name,Company,Job Title,E-mail Address,E-mail 2 Address,Business Phone,"
            "Mobile Phone,Business City,Notes,Web Page",
            "A,B,C,D,a@b.ro,c@d.ro,021 2345678,0722 333444,Cluj,n,www.x.ro",
            ["first_name", "last_name", "account", "job_title", "email", "emails", "phone",
             "phones", "city", "description", "website"],
        ),
        (
            "opportunity",
            "Deal Name,Amount,Close Date,Create Date,Deal Stage,Deal owner,Associated Company,"
            "Record ID",
            "A,1,2024-01-01,2024-02-02,Won,x,y,12",
            ["name", "amount", "closed_on", "opened_on", "stage", "owner", "account",
             "external_id"],
        ),
        (
            "opportunity",
            "Opportunity Name,Account Name,Stage,Probability (%),Opportunity ID,Lead Source",
            "a,b,Won,100,00O,Web site",
            ["name", "account", "stage", "probability", "external_id", "source"],
        ),
        (
            "account",
            "Denumire firmă,CUI,Localitate,Județ,Țară,Telefon,Adresă de e-mail,Cifra de afaceri,"
            "Nr. angajați,Responsabil",
            "a,b,c,d,e,0722,a@b.ro,1,2,o",
            ["name", "tax_id", "city", "region", "country", "phone", "email", "annual_revenue",
             "employees", "owner"],
        ),
        (
            "account",
            "Company name,Company Domain Name,Number of Employees,State/Region,Country/Region",
            "a,a.ro,4,CJ,Romania",
            ["name", "domain", "employees", "region", "country"],
        ),
        ("contact", "Nume,Prenume,Firma,Funcție", "a,b,c,d",
         ["last_name", "first_name", "account", "job_title"]),
        ("contact", "Name,Organization,Mobil", "a b,c,0722 333 444",
         ["full_name", "account", "phone"]),
        ("case", "Case number,Ticket name,Status,Closed date", "7,a,Resolved,2024-01-01",
         ["number", "title", "status_reason", "resolved_at"]),
        ("product", "SKU,Denumire produs,Preț unitar,UM", "1,a,2,h",
         ["code", "name", "list_price", "unit"]),
    ],
)  # fmt: skip
def test_headers_of_other_programs(
    take: Take, entity: str, header: str, values: str, mapping: list[str]
) -> None:
    plan, _ = take(entity, f"{header}\n{values}\n")
    assert [column.field for column in plan.columns] == mapping


def test_columns_without_a_telling_name_are_known_by_their_content(take: Take) -> None:
    text = (
        "Name,x1,x2,x3\nAna Pop,ana@a.ro,+40 722 111 222,red\nDan Om,dan@b.ro,0733-222-333,blue\n"
    )
    plan, _ = take("contact", text)
    assert [c.field for c in plan.columns] == ["full_name", "email", "phone", ""]
    assert [n.message for n in plan.notices] == ["Columns left out: x3."]


def test_what_a_person_says_wins(take: Take) -> None:
    options = ImportOptions(mapping={"sector": "name", "account": ""})
    plan, _ = take("account", "account,sector\nA,B\n", options)
    assert plan.mapping == {"sector": "name"}
    assert plan.rows[0].title == "B"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"nothing": "name"}, "has no column"),
        ({"account": "nothing"}, "has no field"),
        ({"account": "full_name"}, "has no field"),
        ({"account": "name", "sector": "name"}, "Two columns"),
    ],
)
def test_a_wrong_mapping_is_refused(take: Take, mapping: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        take("account", "account,sector\nA,B\n", ImportOptions(mapping=mapping))


def test_a_file_that_fits_nothing_is_refused(take: Take) -> None:
    with pytest.raises(UserError, match="No column of"):
        take("account", "foo,bar\n1,2\n")


@pytest.mark.parametrize(
    ("prices", "expected", "said"),
    [
        (["1.234,50", "7,25"], ["1234.5", "7.25"], True),
        (["1,234.50", "1,000"], ["1234.5", "1000"], False),
        (["€ 10", "12.5 EUR"], ["10", "12.5"], False),
        (["1 234,5", "2"], ["1234.5", "2"], True),
    ],
)
def test_the_column_decides_what_a_comma_means(
    take: Take, actor: Actor, prices: list[str], expected: list[str], said: bool
) -> None:
    lines = "\n".join(f"P{i};{price}" for i, price in enumerate(prices))
    plan, _ = take("product", f"Product;Price\n{lines}\n")
    found = objects(actor, "product", "list_price")
    assert [row["list_price"] for row in found] == [Decimal(text) for text in expected]
    assert any("decimal comma" in n.message for n in plan.notices) is said


@pytest.mark.parametrize(
    ("days", "expected", "doubt"),
    [
        (["03/04/2026", "25/04/2026"], [date(2026, 4, 3), date(2026, 4, 25)], False),
        (["03/04/2026", "04/25/2026"], [date(2026, 3, 4), date(2026, 4, 25)], False),
        (["03/04/2026", "05/06/26"], [date(2026, 4, 3), date(2026, 6, 5)], True),
        (["2026-04-03", "2026-04-25"], [date(2026, 4, 3), date(2026, 4, 25)], False),
        (["Apr 3, 2026", "25 Apr 2026"], [date(2026, 4, 3), date(2026, 4, 25)], False),
    ],
)
def test_the_column_decides_the_order_of_dates(
    take: Take, actor: Actor, days: list[str], expected: list[date], doubt: bool
) -> None:
    lines = "\n".join(f'A{i},B{i},"{day}"' for i, day in enumerate(days))
    plan, _ = take("contact", f"First name,Last name,Birthday\n{lines}\n")
    assert [row["birthday"] for row in objects(actor, "contact", "birthday")] == expected
    assert any("another way" in n.message for n in plan.notices) is doubt


def test_the_order_of_dates_can_be_said(take: Take, actor: Actor) -> None:
    text = "First name,Last name,Birthday\nA,B,03/04/2026\n"
    take("contact", text, ImportOptions(dates="mdy"))
    assert objects(actor, "contact", "birthday")[0]["birthday"] == date(2026, 3, 4)


def test_a_row_that_cannot_be_read_is_reported_and_the_others_are_taken(take: Take) -> None:
    text = (
        "Company,Employees,Email\nA,12,a@a.ro\nB,many,b@b.ro\nC,3,not an address\n,4,d@d.ro\n"
        "A,12,a@a.ro\n"
    )
    plan, result = take("account", text)
    assert result.created == 1
    assert [(row.number, row.reason) for row in result.rejected] == [
        (3, "Employees: “many” is not a number."),
        (4, "Email: “not an address” is not an e-mail address. Write it like name@company.com."),
        (5, "Name is missing."),
        (6, "Same record as row 2."),
    ]
    assert plan.counts["error"] == 4


def test_an_unknown_choice_stays_empty_and_is_said_once(take: Take, actor: Actor) -> None:
    text = "Company,Rating\nA,Hott\nB,Hott\nC,cold\nD,Lukewarm\nE,Fierbinte\n"
    plan, _ = take("account", text)
    said = {(n.text, n.count, n.suggestion) for n in plan.notices}
    assert said == {("Hott", 2, "Hot"), ("Lukewarm", 1, "")}
    found = [row["rating"] for row in objects(actor, "account", "rating")]
    assert found == [None, None, "cold", None, "hot"]


def test_a_value_can_be_said(take: Take, actor: Actor) -> None:
    options = ImportOptions(values={("rating", "A+"): "Hot", ("parent", "HQ"): "B"})
    take("account", "Company,Rating,Parent company\nA,a+,HQ\nB,,\n", options)
    found = objects(actor, "account", "name", "rating", "parent", where="name = A")
    assert (found[0]["rating"], found[0]["parent"]) == ("hot", "B")


def test_links_are_found_by_external_id_code_and_title(take: Take, actor: Actor) -> None:
    take("account", "Company,Record ID,CUI\nAlfa,X7,RO1\nBeta,X8,RO2\nGamma,X9,RO3\n")
    take("contact", "Name,Company\nAna One,X7\nDan Two,RO2\nEva Three,gamma\nIon Four,Delta\n")
    found = objects(actor, "contact", "full_name", "account")
    assert [row["account"] for row in found] == ["Alfa", "Beta", "Gamma", None]


def test_an_ambiguous_link_is_never_guessed(take: Take, actor: Actor) -> None:
    for _ in range(2):
        records.save(actor, "account", None, None, {"name": "Twin"})
    plan, _ = take("contact", "Name,Company\nAna Pop,Twin\n")
    assert plan.notices[0].kind is imports.NoticeKind.AMBIGUOUS
    assert objects(actor, "contact", "account")[0]["account"] is None


def test_a_missing_link_can_be_made_when_the_person_says_so(take: Take, actor: Actor) -> None:
    options = ImportOptions(create_missing=frozenset({"account"}))
    _, result = take("contact", "Name,Company\nAna Pop,New SRL\nDan Om,new srl\n", options)
    assert result.also_created == {"account": 1}
    assert [r["account"] for r in objects(actor, "contact", "account")] == ["New SRL"] * 2


def test_records_of_one_file_may_point_to_each_other(take: Take, actor: Actor) -> None:
    text = "Company,Parent company\nLeaf,Branch\nBranch,Root\nRoot,\nEgg,Hen\nHen,Egg\nSelf,Self\n"
    _, result = take("account", text)
    assert result.created == 6
    assert not result.rejected
    # Two rows that are each above the other: one link stands, the other is said.
    (said,) = [notice.message for notice in result.notices if "without its link" in notice.message]
    assert "Row 6 " in said
    assert "outside its own hierarchy" in said
    found = {r["name"]: r["parent"] for r in objects(actor, "account", "name", "parent")}
    assert found == {
        "Leaf": "Branch", "Branch": "Root", "Root": None, "Egg": "Hen", "Hen": None, "Self": None,
    }  # fmt: skip


def test_an_empty_cell_changes_nothing_and_clear_empties(take: Take, actor: Actor) -> None:
    take("account", "Company,Industry,City\nA,Steel,Cluj\n")
    plan, result = take("account", "Company,Industry,City\nA,,<clear>\n")
    assert result.updated == 1
    assert plan.rows[0].values == {"city": None}
    found = objects(actor, "account", "industry", "city")[0]
    assert (found["industry"], found["city"]) == ("Steel", None)


def test_a_refusal_is_never_taken_back(take: Take, actor: Actor) -> None:
    take("contact", "Name,Email,Opted out\nAna Pop,a@a.ro,yes\nDan Om,d@d.ro,no\n")
    plan, _ = take("contact", "Name,Email,Opted out\nAna Pop,a@a.ro,no\nDan Om,d@d.ro,yes\n")
    assert [r["do_not_email"] for r in objects(actor, "contact", "do_not_email")] == [True, True]
    assert [row.outcome for row in plan.rows] == [Outcome.SAME, Outcome.UPDATE]
    assert plan.notices[-1].count == 1


def test_people_who_share_an_address_stay_two_people(take: Take, actor: Actor) -> None:
    text = "Name,Email\nAna Pop,office@a.ro\nDan Om,office@a.ro\n"
    _, first = take("contact", text)
    plan, _ = take("contact", text)
    assert first.created == 2
    assert plan.counts["same"] == 2
    renamed, _ = take("contact", "Name,Email\nAna Popescu,office@a.ro\n")
    assert renamed.rejected[0].reason == "It could be 2 different records here."


def test_a_contact_is_found_by_any_of_its_addresses(take: Take, actor: Actor) -> None:
    take("contact", "Name,Email,Personal email\nAna Pop,a@a.ro,ana@home.ro\n")
    plan, _ = take("contact", "Name,Email,Job title\nAna Pop,ana@home.ro,CEO\n")
    assert plan.counts["update"] == 1


def test_a_code_that_is_new_is_a_new_record_even_with_a_known_name(take: Take) -> None:
    take("product", "Code,Product\nP1,Chair\n")
    plan, _ = take("product", "Code,Product\nP2,Chair\n")
    assert plan.counts["create"] == 1


@pytest.mark.parametrize(
    ("entity", "stands", "comes", "outcome"),
    [
        ("account", "Company,CUI\nA,RO1\n", "Company,CUI\nA,RO2\n", "create"),
        ("account", "Company,City\nA,Cluj\n", "Company,CUI\nA,RO2\n", "update"),
        ("account", "Company,Record ID\nA,1\n", "Company,Record ID\nA,2\n", "create"),
        ("account", "Company,Record ID\nA,1\n", "Company,City\na,Cluj\n", "update"),
        ("contact", "Name,Email\nIon Pop,i@a.ro\n", "Name,Email\nIon Pop,i@b.ro\n", "create"),
        ("contact", "Name,Phone\nIon Pop,0722\n", "Name,Email\nIon Pop,i@b.ro\n", "update"),
        ("contact", "Name,Email\nIon Pop,i@a.ro\n", "Name,Phone\nIon Pop,0722\n", "update"),
        ("contact", "Name,Email\nIon Pop,i@a.ro\n", "Name,Email\nIon Popa,i@a.ro\n", "update"),
        ("lead", "Name,Company\nIon Pop,A\n", "Name,Company\nDan Om,A\n", "create"),
        ("lead", "Name,Company\nIon Pop,A\n", "Name,Company,City\nIon Pop,A,Cluj\n", "update"),
        ("opportunity", "Deal name\nX\n", "Deal name,Amount\nX,5\n", "update"),
        ("opportunity", "Deal name,Deal id\nX,1\n", "Deal name,Deal id\nX,2\n", "create"),
        ("user", "Name,Email\nAna,a@a.ro\n", "Name,Email\nAna,b@a.ro\n", "create"),
    ],
)
def test_a_record_with_another_identity_is_another_record(
    take: Take, entity: str, stands: str, comes: str, outcome: str
) -> None:
    take(entity, stands)
    plan, _ = take(entity, comes)
    assert [row.outcome.value for row in plan.rows] == [outcome]


def test_cases_keep_their_numbers_and_are_found_by_them(take: Take, actor: Actor) -> None:
    old = "Case number,Title,State,Closed date\nT-7,Belt tears,Resolved,2024-03-05\n"
    take("case", old)
    (found,) = objects(actor, "case", "number", "resolved_at", where="title = 'Belt tears'")
    assert found["number"] == "T-7"
    assert str(found["resolved_at"]).startswith("2024-03-0")
    plan, _ = take("case", old)
    assert plan.counts["same"] == 1
    plan, _ = take("case", "Case number,Title\nT-7,Belt torn\nT-8,One\nT-8,Two\n")
    assert [row.outcome.value for row in plan.rows] == ["update", "create", "error"]


def test_the_matching_field_can_be_said(take: Take, actor: Actor) -> None:
    take("account", "Company,Account number\nA,1\nB,2\n")
    options = ImportOptions(match="account_number")
    plan, _ = take("account", "Company,Account number\nNew name,2\n", options)
    assert plan.counts["update"] == 1
    with pytest.raises(UserError, match="has no field"):
        take("account", "Company\nA\n", ImportOptions(match="nothing"))
    with pytest.raises(UserError, match="belongs to “Tax id”"):
        take("account", "Company\nA\n", ImportOptions(match="tax_id"))


def test_the_close_date_of_an_open_deal_is_the_expected_one(take: Take, actor: Actor) -> None:
    text = (
        "Deal name,Deal stage,Close date,Amount\nA,Proposal,2027-01-31,10\n"
        "B,closedwon,2026-01-31,20\nC,Brand new,2027-02-28,30\n"
    )
    take("opportunity", text)
    found = objects(actor, "opportunity", "close_on", "closed_on", "state", "stage")
    assert [(r["close_on"], r["closed_on"], r["state"], r["stage"]) for r in found] == [
        (date(2027, 1, 31), None, "open", "Proposal"),
        (None, date(2026, 1, 31), "won", "Won"),
        (date(2027, 2, 28), None, "open", "Brand new"),
    ]


def test_a_column_that_says_won_or_lost_decides_over_the_stage(take: Take, actor: Actor) -> None:
    text = (
        "Deal - Title,Deal - Stage,Deal - Status,Deal - Won time\nA,Proposal,Won,2026-01-31\n"
        "B,Proposal,Lost,\nC,Proposal,Open,\n"
    )
    take("opportunity", text)
    found = objects(actor, "opportunity", "stage", "state")
    assert [(row["stage"], row["state"]) for row in found] == [
        ("Won", "won"), ("Lost", "lost"), ("Proposal", "open"),
    ]  # fmt: skip
    assert take("opportunity", text)[0].counts["same"] == 3
    take("account", "Company,Status\nA,Inactive\n")
    assert objects(actor, "account", "state")[0]["state"] == "inactive"


def test_second_phones_and_addresses_become_child_rows(take: Take, actor: Actor) -> None:
    text = "Name,Email,Phone,Mobile,Fax\nAna Pop,a@a.ro,021 111,0722 222,021 333\n"
    _, result = take("contact", text)
    key = next(iter(result.changes.ids("contact")))
    found = records.get(actor, "contact", key)
    assert [(p["number"], p["type"], p["is_primary"]) for p in found.lines["phones"]] == [
        ("021 111", "work", True), ("0722 222", "mobile", False), ("021 333", "fax", False),
    ]  # fmt: skip
    assert found.values["phone"] == "021 111"
    plan, _ = take("contact", text)
    assert plan.counts["same"] == 1
    more, _ = take("contact", "Name,Email,Mobile,Fax\nAna Pop,a@a.ro,0744 555,021 333\n")
    assert more.counts["update"] == 1
    assert len(records.get(actor, "contact", key).lines["phones"]) == 4


def test_cards_bring_contacts_with_company_and_numbers(actor: Actor, samples: Path) -> None:
    for path in sorted((samples / "vcard").glob("*.vcf")):
        plan = imports.plan_file(actor, "contact", path)
        result = imports.apply(actor, plan)
        assert result.created + result.updated == 1, path.name
        assert not result.rejected
        assert imports.plan_file(actor, "contact", path).counts["same"] == 1, path.name
    found = objects(actor, "contact", "full_name", "account", where="account not empty")
    assert {str(row["account"]) for row in found} == {"IBM", "TheCompany", "Viagenie"}
    with pytest.raises(UserError, match="contact cards"):
        imports.plan_file(actor, "account", path)
    imports.apply(actor, imports.plan_file(actor, "lead", path))
    (lead,) = objects(actor, "lead", "subject", "company", "phone")
    assert lead["subject"] == "Viagenie – Simon Perreault"
    assert imports.plan_file(actor, "lead", path).counts["same"] == 1


def test_an_import_is_one_step_of_undo(take: Take, actor: Actor) -> None:
    take("account", "Company,City\nOld,Cluj\n")
    _, result = take("account", "Company,City\nOld,Iasi\nNew,Arad\n")
    undo.undo(actor)
    assert [(r["name"], r["city"]) for r in objects(actor, "account", "name", "city")] == [
        ("Old", "Cluj")
    ]
    assert steps.last(actor) is not None
    assert result.batch is not None


def test_a_batch_keeps_its_counts_and_is_taken_back_as_a_whole(take: Take, actor: Actor) -> None:
    take("account", "Company,City\nOld,Cluj\n")
    _, result = take("account", "Company,City\nOld,Iasi\nNew,Arad\n,x\n")
    columns = ("state", "created_count", "updated_count", "rejected_count", "entity", "name")
    batches = objects(actor, "import_batch", *columns, where=f"id = {result.batch}")
    assert [tuple(batches[0][name] for name in columns)] == [
        ("applied", 1, 1, 1, "account", "file.csv")
    ]
    assert result.batch is not None
    undo.undo_batch(actor, result.batch)
    assert [r["city"] for r in objects(actor, "account", "city")] == ["Cluj"]


def test_cancel_stops_between_chunks_and_keeps_what_was_written(
    actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    path = tmp_path / "a.csv"
    path.write_text("Company\n" + "".join(f"N{i}\n" for i in range(6)))
    cancel = Cancel()
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            cancel.cancel()

    result = imports.apply(
        actor, imports.plan_file(actor, "account", path), progress=progress, cancel=cancel
    )

    assert seen == [(2, 6), (4, 6)]
    assert (result.was_cancelled, result.created) == (True, 4)
    assert len(objects(actor, "account", "name")) == 4
    state = objects(actor, "import_batch", "state", where=f"id = {result.batch}")
    assert state[0]["state"] == "stopped"


def test_a_row_that_the_rules_refuse_disturbs_no_other(take: Take) -> None:
    names = "".join(f"Person {i},,\n" for i in range(20))
    _, result = take("user", f"Name,Language,Time zone\n{names}Odd One,xx,\nOther One,en,\n")
    assert result.created == 21
    assert [row.title for row in result.rejected] == ["Odd One"]
    assert "no language" in result.rejected[0].reason


def test_who_may_not_create_may_not_import(actor: Actor, tmp_path: Path) -> None:
    reader = objects(actor, "role", "id", where='name = "Read only"')[0]["id"]
    records.save(actor, "user", None, None, {"name": "R", "login": "reader", "role": reader})
    path = tmp_path / "a.csv"
    path.write_text("Company\nA\n")
    with pytest.raises(PermissionDenied):
        imports.plan_file(context.sign_in(actor.db, "reader"), "account", path)


def test_only_records_can_be_imported(actor: Actor, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Company\nA\n")
    for name in ("nothing", "audit_entry", "phone"):
        with pytest.raises(UserError, match="to import"):
            imports.plan_file(actor, name, path)


def test_an_empty_table_plans_nothing(take: Take) -> None:
    plan, result = take("account", "Company,City\n")
    assert sum(plan.counts.values()) == 0
    assert not plan.changes_anything
    assert result.batch is None


def test_a_record_that_cannot_be_made_leaves_the_link_empty(take: Take, actor: Actor) -> None:
    text = f"Name,Team\nAna Pop,Central\nDan Om,{'x' * 300}\n"
    _, result = take("user", text)
    assert (result.created, result.also_created) == (2, {"team": 1})
    assert "could not be added" in result.notices[-1].message
    found = objects(actor, "user", "name", "team", where="login empty")
    assert [(row["name"], row["team"]) for row in found] == [
        ("Ana Pop", "Central"),
        ("Dan Om", None),
    ]


def test_a_disk_that_fills_up_keeps_the_chunks_before(
    actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    path = tmp_path / "a.csv"
    path.write_text("Company\n" + "".join(f"N{i}\n" for i in range(6)))
    plan = imports.plan_file(actor, "account", path)
    save_many = records.save_many
    calls: list[int] = []

    def fill_up(*args: Any, **more: Any) -> records.SavedMany:
        calls.append(1)
        if len(calls) == 2:
            raise EnvironmentProblem("The disk is full.")
        return save_many(*args, **more)

    monkeypatch.setattr(records, "save_many", fill_up)
    with pytest.raises(EnvironmentProblem):
        imports.apply(actor, plan)
    assert len(objects(actor, "account", "name")) == 2
    (batch,) = objects(actor, "import_batch", "state", "created_count")
    assert (batch["state"], batch["created_count"]) == ("stopped", 2)
