"""Out as a workbook, edited, and back in: only what was changed in it counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from desktop_crm.core.errors import Cancelled, EnvironmentProblem, PermissionDenied, UserError
from desktop_crm.db.engine import Cancel
from desktop_crm.services import context, excel, imports, query, records, setup
from desktop_crm.services.excel import files, layout, streaming
from desktop_crm.services.excel.formulas import neutralise, restore
from desktop_crm.services.filters import parse
from desktop_crm.services.imports import ImportOptions, OnConflict, Outcome
from desktop_crm.services.query import Order, RecordQuery

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from desktop_crm.services.context import Actor

NASTY = '=HYPERLINK("http://x")'


@pytest.fixture
def actor(sqlite_db: Database) -> Actor:
    return setup.initialise(sqlite_db)


@pytest.fixture
def accounts(actor: Actor) -> dict[str, int]:
    rows: tuple[dict[str, Any], ...] = (
        {"name": "Alfa SRL", "industry": "Steel", "employees": 12, "phone": "+40 21 555 01",
         "annual_revenue": Decimal("1234.5678"), "rating": "hot", "do_not_email": True,
         "postal_code": "010203", "description": "two\nlines & <tags>"},
        {"name": NASTY, "industry": "'=quoted", "account_number": "007", "phone": "0722 111"},
        {"name": "Beta – Țesături", "relationship_type": "customer"},
    )  # fmt: skip
    found = {}
    for row in rows:
        found[row["name"]] = records.save(actor, "account", None, None, row).id
    child = {"name": "Daughter", "parent": found["Alfa SRL"]}
    found["Daughter"] = records.save(actor, "account", None, None, child).id
    return found


@pytest.fixture
def workbook(actor: Actor, accounts: dict[str, int], tmp_path: Path) -> Path:
    path = tmp_path / "accounts.xlsx"
    columns = excel.exportable(actor, "account")
    result = excel.export(actor, RecordQuery("account", columns), path)
    assert result.rows == len(accounts)
    return path


def edit(path: Path, change: Callable[[Any, dict[str, int], dict[str, int]], None]) -> None:
    """Change cells as a person would; gives sheet, column by field, row by account name."""
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    columns = {str(cell.value): number for number, cell in enumerate(page[1], 1)}
    rows = {str(page.cell(r, columns["name"]).value): r for r in range(3, page.max_row + 1)}
    change(page, columns, rows)
    book.save(path)


def set_cells(path: Path, row: str, **values: object) -> None:
    def change(page: Any, columns: dict[str, int], rows: dict[str, int]) -> None:
        for name, value in values.items():
            page.cell(rows[row], columns[name]).value = value

    edit(path, change)


def plan(actor: Actor, path: Path, options: ImportOptions | None = None) -> imports.ImportPlan:
    return imports.plan_file(actor, "account", path, options)


def test_what_nobody_touched_is_the_same(actor: Actor, workbook: Path) -> None:
    counts = plan(actor, workbook).counts
    assert counts == {**dict.fromkeys(counts, 0), "same": 4}


def test_saving_it_in_another_program_changes_nothing(actor: Actor, workbook: Path) -> None:
    edit(workbook, lambda page, columns, rows: None)
    assert plan(actor, workbook).counts["same"] == 4


def test_the_workbook_as_a_person_sees_it(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    page = book.worksheets[0]
    columns = {str(cell.value): get_column_letter(n) for n, cell in enumerate(page[1], 1)}
    assert page.title == "Accounts"
    assert page.row_dimensions[1].hidden
    assert page.freeze_panes == "E3"
    assert page[f"{columns['name']}2"].value == "Name"
    assert page[f"{columns['name']}2"].font.bold
    assert page.auto_filter.ref == f"A2:{get_column_letter(page.max_column)}6"
    assert all(page.column_dimensions[c].hidden for c in "ABC" if c in page.column_dimensions)
    assert page.column_dimensions["A"].hidden
    assert [s.title for s in book.worksheets if s.sheet_state == "visible"] == ["Accounts"]
    texts = [cell for row in page.iter_rows(min_row=3) for cell in row if cell.value is not None]
    assert not any(str(cell.value).startswith(("=", "@")) for cell in texts)
    assert not any(cell.data_type == "f" for cell in texts)
    row = next(r for r in range(3, 7) if page[f"{columns['name']}{r}"].value == "Alfa SRL")
    assert page[f"{columns['phone']}{row}"].value == "+40 21 555 01"
    assert page[f"{columns['postal_code']}{row}"].value == "010203"
    assert page[f"{columns['postal_code']}{row}"].number_format == "@"
    assert page[f"{columns['annual_revenue']}{row}"].value == pytest.approx(1234.5678)
    assert page[f"{columns['rating']}{row}"].value == "Hot"
    lists = [v for v in page.data_validations.dataValidation if v.type == "list"]
    assert any(columns["rating"] in str(v.sqref) for v in lists)
    assert any(columns["owner"] in str(v.sqref) for v in lists)


def test_dates_and_moments_are_real_ones(actor: Actor, tmp_path: Path) -> None:
    start = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
    values = {"subject": "Visit", "kind": "appointment", "start_at": start}
    records.save(actor, "activity", None, None, values)
    path = tmp_path / "a.xlsx"
    excel.export(actor, RecordQuery("activity", ("subject", "kind", "start_at")), path)
    cell = openpyxl.load_workbook(path).worksheets[0]["F3"]
    assert cell.is_date
    assert imports.plan_file(actor, "activity", path).counts["same"] == 1
    contact = {"first_name": "A", "last_name": "B", "birthday": date(1980, 2, 29)}
    records.save(actor, "contact", None, None, contact)
    excel.export(actor, RecordQuery("contact", ("full_name", "birthday")), path)
    assert openpyxl.load_workbook(path).worksheets[0]["E3"].is_date
    assert imports.plan_file(actor, "contact", path).counts["same"] == 1


def test_only_touched_cells_are_written(
    actor: Actor, workbook: Path, accounts: dict[str, int]
) -> None:
    set_cells(workbook, "Alfa SRL", industry="Iron", employees=13, rating="Cold")
    found = plan(actor, workbook)
    (row,) = [r for r in found.rows if r.outcome is Outcome.UPDATE]
    assert row.values == {"industry": "Iron", "employees": 13, "rating": "cold"}
    result = imports.apply(actor, found)
    assert (result.updated, result.same) == (1, 3)
    again = plan(actor, workbook)
    assert again.counts["same"] == 4


def test_an_emptied_cell_changes_nothing_but_clear_empties(
    actor: Actor, workbook: Path, accounts: dict[str, int]
) -> None:
    set_cells(workbook, "Alfa SRL", industry=None, employees="<clear>")
    found = plan(actor, workbook)
    assert [row.values for row in found.rows if row.values] == [{"employees": None}]
    assert [n.count for n in found.notices if n.kind is imports.NoticeKind.KEPT] == [1]
    imports.apply(actor, found)
    values = records.get(actor, "account", accounts["Alfa SRL"]).values
    assert (values["industry"], values["employees"]) == ("Steel", None)


def test_both_sides_changed_different_fields(
    actor: Actor, workbook: Path, accounts: dict[str, int]
) -> None:
    records.save(actor, "account", accounts["Alfa SRL"], None, {"city": "Cluj"})
    set_cells(workbook, "Alfa SRL", industry="Iron")
    imports.apply(actor, plan(actor, workbook))
    values = records.get(actor, "account", accounts["Alfa SRL"]).values
    assert (values["city"], values["industry"]) == ("Cluj", "Iron")


def test_both_sides_changed_the_same_field_to_the_same_value(
    actor: Actor, workbook: Path, accounts: dict[str, int]
) -> None:
    records.save(actor, "account", accounts["Alfa SRL"], None, {"industry": "Iron"})
    set_cells(workbook, "Alfa SRL", industry="Iron")
    assert plan(actor, workbook).counts["same"] == 4


@pytest.mark.parametrize(("mine", "left"), [(True, "Iron"), (False, "Copper")])
def test_a_conflict_is_shown_and_decided(
    actor: Actor, workbook: Path, accounts: dict[str, int], *, mine: bool, left: str
) -> None:
    records.save(actor, "account", accounts["Alfa SRL"], None, {"industry": "Copper"})
    set_cells(workbook, "Alfa SRL", industry="Iron", city="Arad")
    found = plan(actor, workbook)
    (row,) = found.rejected
    conflict = row.conflicts["industry"]
    assert (conflict.base, conflict.mine, conflict.theirs) == ("Steel", "Iron", "Copper")
    assert "changed both" in row.reason
    found.settle(mine=mine)
    assert not found.rejected
    imports.apply(actor, found)
    values = records.get(actor, "account", accounts["Alfa SRL"]).values
    assert (values["industry"], values["city"]) == (left, "Arad")


def test_the_winner_of_conflicts_can_be_said_before(
    actor: Actor, workbook: Path, accounts: dict[str, int]
) -> None:
    records.save(actor, "account", accounts["Alfa SRL"], None, {"industry": "Copper"})
    set_cells(workbook, "Alfa SRL", industry="Iron")
    found = plan(actor, workbook, ImportOptions(conflicts=OnConflict.MINE))
    assert found.counts["update"] == 1


def test_a_record_deleted_meanwhile_is_missing(
    actor: Actor, workbook: Path, accounts: dict[str, int]
) -> None:
    records.delete(actor, "account", [accounts["Alfa SRL"]])
    set_cells(workbook, "Alfa SRL", industry="Iron")
    assert plan(actor, workbook).counts["missing"] == 1


def test_new_rows_are_matched_before_they_are_made(actor: Actor, workbook: Path) -> None:
    def add(page: Any, columns: dict[str, int], rows: dict[str, int]) -> None:
        for row, name in ((20, "Beta – Țesături"), (21, "Gamma")):
            page.cell(row, columns["name"], name)
            page.cell(row, columns["parent"], "Alfa SRL")

    edit(workbook, add)
    counts = plan(actor, workbook).counts
    assert (counts["create"], counts["update"], counts["same"]) == (1, 1, 4)


def test_a_copied_row_is_not_taken_twice(actor: Actor, workbook: Path) -> None:
    def copy(page: Any, columns: dict[str, int], rows: dict[str, int]) -> None:
        for column in columns.values():
            page.cell(20, column, page.cell(3, column).value)

    edit(workbook, copy)
    found = plan(actor, workbook)
    assert [row.reason for row in found.rejected] == ["Same record as row 3."]


def test_sorting_in_the_spreadsheet_changes_nothing(actor: Actor, workbook: Path) -> None:
    def reverse(page: Any, columns: dict[str, int], rows: dict[str, int]) -> None:
        held = [[cell.value for cell in row] for row in page.iter_rows(min_row=3)]
        for number, values in enumerate(reversed(held), start=3):
            for column, value in enumerate(values, start=1):
                page.cell(number, column).value = value

    edit(workbook, reverse)
    assert plan(actor, workbook).counts["same"] == 4


def test_a_field_that_no_file_may_change_is_said(actor: Actor, workbook: Path) -> None:
    set_cells(workbook, "Alfa SRL", created_at="2020-01-01", industry="Iron")
    found = plan(actor, workbook)
    (row,) = [r for r in found.rows if r.outcome is Outcome.UPDATE]
    assert row.values == {"industry": "Iron"}
    assert row.reason == "Created: This column cannot be changed here; its change was left out."


def test_a_workbook_of_other_records_is_refused(actor: Actor, workbook: Path) -> None:
    with pytest.raises(UserError, match="exported with Accounts, not with Contacts"):
        imports.plan_file(actor, "contact", workbook)


def test_another_language_and_zone_read_it_as_it_was_written(actor: Actor, workbook: Path) -> None:
    assert plan(actor.speaking("ro"), workbook).counts["same"] == 4


def test_only_the_records_of_the_query_in_its_order(actor: Actor, accounts: dict[str, int],
                                                    tmp_path: Path) -> None:  # fmt: skip
    path = tmp_path / "some.xlsx"
    wanted = RecordQuery(
        "account",
        ("name", "parent.industry"),
        parse("employees empty and name != Daughter or parent not empty", "account"),
        (Order("name", descending=True),),
    )
    assert excel.export(actor, wanted, path).rows == 3
    page = openpyxl.load_workbook(path).worksheets[0]
    assert [page.cell(row, 4).value for row in (3, 4, 5)] == [
        "Daughter", "Beta – Țesături", f"'{NASTY}",
    ]  # fmt: skip
    assert page.cell(3, 5).value == "Steel"


def test_progress_and_cancel(actor: Actor, accounts: dict[str, int], tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = tmp_path / "a.xlsx"
    excel.export(
        actor,
        RecordQuery("account", ("name",)),
        path,
        lambda done, total: seen.append((done, total)),
    )
    assert seen == [(4, 4)]
    before = path.read_bytes()
    cancel = Cancel()

    def stop(done: int, total: int) -> None:
        cancel.cancel()

    cancel.cancel()
    with pytest.raises(Cancelled):
        excel.export(actor, RecordQuery("account", ("name",)), path, stop, cancel)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_leaves_what_was_there(
    actor: Actor, accounts: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"before")

    def full(*args: object, **more: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(streaming, "fill", full)
    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        excel.export(actor, RecordQuery("account", ("name",)), path)
    assert path.read_bytes() == b"before"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [("none/a.xlsx", EnvironmentProblem), ("a.csv", UserError), ("folder.xlsx", UserError)],
)
def test_a_place_that_cannot_be_written(
    actor: Actor, tmp_path: Path, name: str, problem: type[Exception]
) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(problem):
        excel.export(actor, RecordQuery("account", ("name",)), tmp_path / name)


def test_rights_hold_in_the_workbook(
    actor: Actor, accounts: dict[str, int], tmp_path: Path
) -> None:
    (role,) = query.objects(
        actor, RecordQuery("role", ("id",), parse("name = Salesperson", "role"))
    )
    user = {"name": "Dan", "login": "dan", "role": role["id"]}
    records.save(actor, "user", None, None, user)
    dan = context.sign_in(actor.db, "dan")
    path = tmp_path / "a.xlsx"
    assert excel.export(dan, RecordQuery("account", ("name",)), path).rows == 0
    assert "credit_limit" not in excel.exportable(dan, "account")
    assert "credit_limit" in excel.exportable(actor, "account")
    with pytest.raises((UserError, PermissionDenied)):
        excel.export(dan, RecordQuery("account", ("credit_limit",)), path)


def test_the_report_stands_beside_the_rows(actor: Actor, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text(f"Company,Employees\nA,1\nB,many\n{NASTY.replace(',', '')},2\n")
    found = imports.plan_file(actor, "account", source)
    path = tmp_path / "report.xlsx"

    imports.write_report(found, path)

    page = openpyxl.load_workbook(path).worksheets[0]
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert rows[0] == ["Row", "Outcome", "Reason", "Company", "Employees"]
    assert rows[2] == ["3", "Rejected", "Employees: “many” is not a number.", "B", "many"]
    assert rows[1][:2] == ["2", "New"]
    imports.write_report(found, path, only_rejected=True)
    assert openpyxl.load_workbook(path).worksheets[0].max_row == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|x", "'+cmd|x"),
        ("-x", "'-x"),
        ("@sum", "'@sum"),
        ("'=1", "''=1"),
        ("+40 (21) 55-01", "+40 (21) 55-01"),
        ("-12.5", "-12.5"),
        ("'tis", "'tis"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_formulas_are_harmless_and_come_back(text: str, shown: str) -> None:
    assert neutralise(text) == shown
    assert restore(shown) == text


def test_long_texts_are_compared_by_their_hash() -> None:
    text = "x" * 5000
    base = layout.base_text(text)
    assert len(base) < 40
    assert layout.matches_base(text, base)
    assert not layout.matches_base(f"{text}y", base)


def test_a_draft_is_removed_when_the_work_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with files.replacing(tmp_path / "a.xlsx") as draft:
            draft.write_bytes(b"half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert not list(tmp_path.iterdir())


def test_literal_escapes_and_markup_survive(actor: Actor, tmp_path: Path) -> None:
    name = 'a_x000D_b <b> & "c" 👩‍💻'
    records.save(actor, "account", None, None, {"name": name})
    path = tmp_path / "a.xlsx"
    excel.export(actor, RecordQuery("account", ("name",)), path)
    assert openpyxl.load_workbook(path).worksheets[0]["D3"].value is not None
    assert plan(actor, path).counts["same"] == 1
