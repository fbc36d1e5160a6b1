"""``import`` and ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

PEOPLE = (
    "Nume;Prenume;E-mail;Oraș\n"
    "Țâmpeanu;Măriuca;m@firma.example;Iași\n"
    "Ștefănoiu;Ion;i@firma.example;Brașov\n"
)
CEDILLAS = str.maketrans("șțȘȚ", "şţŞŢ")


def _file(folder: Path, text: str = PEOPLE, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_files_of_any_encoding_are_read(
    run: Run, empty: Path, tmp_path: Path, encoding: str
) -> None:
    text = PEOPLE.translate(CEDILLAS) if encoding == "cp1250" else PEOPLE
    ran = run("import", "contact", _file(tmp_path, text, encoding), "--db", empty, "--json")

    assert ran.code == 0
    assert (ran.json["created"], ran.json["rejected"]) == (2, 0)
    found = run("query", "contact", "--columns", "full_name,city", "--db", empty, "--json").json
    assert {row["city"].translate(CEDILLAS) for row in found} == {"Iaşi", "Braşov"}
    assert "Măriuca Ţâmpeanu" in {row["full_name"].translate(CEDILLAS) for row in found}


def test_a_second_import_changes_nothing(run: Run, empty: Path, tmp_path: Path) -> None:
    file = _file(tmp_path)
    run("import", "contact", file, "--db", empty)

    ran = run("import", "contact", file, "--db", empty, "--json")

    assert (ran.code, ran.json["created"], ran.json["updated"], ran.json["same"]) == (0, 0, 0, 2)


def test_plan_says_everything_and_writes_nothing(run: Run, empty: Path, tmp_path: Path) -> None:
    ran = run("import", "contact", _file(tmp_path), "--plan", "--db", empty, "--json")

    assert ran.code == 0
    assert ran.json["plan"] is True
    assert ran.json["created"] == 2
    assert ran.json["columns"]["Nume"] == "last_name"
    assert run("query", "contact", "--db", empty, "--json").json == []

    told = run("import", "contact", _file(tmp_path), "--plan", "--db", empty)
    assert "nothing was written" in told.out
    assert "E-mail → email" in told.out


def test_columns_are_named_by_hand(run: Run, empty: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, "a=b;x\nIonescu;Iași\n")
    ran = run("import", "contact", file, "--map", "a=b=last_name", "--map", "x=",
              "--db", empty, "--json")  # fmt: skip

    assert ran.code == 0
    assert ran.json["columns"] == {"a=b": "last_name"}


def test_unknown_fields_and_records_are_refused(run: Run, empty: Path, tmp_path: Path) -> None:
    file = _file(tmp_path)
    for more in (
        ("contact", file, "--map", "Nume=nonsense"),
        ("contact", file, "--match", "nonsense"),
        ("contact", file, "--value", "nonsense:a=b"),
        ("nonsense", file),
        ("contact", tmp_path / "missing.csv"),
    ):
        ran = run("import", *more, "--db", empty, "--json")
        assert ran.code in {1, 3}, more
        assert len(ran.err.splitlines()) == 1
    assert run("query", "contact", "--db", empty, "--json").json == []


def test_what_a_text_means_is_said_by_value(run: Run, sample: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, "Name,Account,Product\nDeal A,Officine Rossi S.p.A.,Case packr\n")
    plain = run("import", "opportunity", file, "--plan", "--db", sample, "--json").json

    (notice,) = [n for n in plain["notices"] if n["kind"] == "not_found"]
    assert (notice["field"], notice["text"], notice["count"]) == ("product", "Case packr", 1)

    ran = run("import", "opportunity", file, "--value", "product:Case packr=Case packer CT-200",
              "--db", sample, "--json")  # fmt: skip
    assert ran.code == 0
    assert not [n for n in ran.json["notices"] if n["kind"] == "not_found"]
    found = run("query", "opportunity", "--filter", 'name = "Deal A"', "--columns", "product",
                "--db", sample, "--json").json  # fmt: skip
    assert found[0]["product"] == "Case packer CT-200"


def test_bad_rows_are_rejected_and_the_good_ones_kept(
    run: Run, empty: Path, tmp_path: Path
) -> None:
    file = _file(tmp_path, PEOPLE + "Fără;Adresă;nu este adresă;Cluj\n")
    ran = run("import", "contact", file, "--db", empty, "--json")

    assert (ran.code, ran.json["created"], ran.json["rejected"]) == (0, 2, 1)
    (row,) = ran.json["rejected_rows"]
    assert row["row"] == 4
    assert "nu este adresă" in row["reason"]


def test_when_nothing_can_be_taken_the_import_is_refused(
    run: Run, empty: Path, tmp_path: Path
) -> None:
    file = _file(tmp_path, "Nume;E-mail\nAna;nu este adresă\n")
    ran = run("import", "contact", file, "--map", "E-mail=email", "--db", empty, "--json")

    assert ran.code == 1
    assert (ran.json["ok"], ran.json["rejected"]) == (False, 1)
    assert "nothing was changed" in ran.json["error"]


def test_a_workbook_that_is_none_is_refused(run: Run, empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "accounts.xlsx"
    path.write_bytes(b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\n")
    ran = run("import", "account", path, "--db", empty, "--json")

    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert "accounts.xlsx" in ran.json["error"]


def test_an_exported_workbook_comes_back_unchanged(run: Run, sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "accounts.xlsx"
    ran = run("export", "account", path, "--filter", 'country = "România"', "--db", sample,
              "--json")  # fmt: skip

    assert (ran.code, ran.json["rows"], ran.json["file"]) == (0, 40, str(path))
    back = run("import", "account", path, "--db", sample, "--json")
    assert (back.code, back.json["same"], back.json["updated"]) == (0, 40, 0)


def test_exports_that_cannot_be_written_leave_the_old_file(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert run("export", "account", tmp_path / "file" / "a.xlsx", "--db", sample).code == 3
    assert run("export", "account", tmp_path / "a.pdf", "--db", sample).code == 1
    assert run("export", "nonsense", tmp_path / "a.xlsx", "--db", sample).code == 1
    assert not (tmp_path / "a.xlsx").exists()


def test_contact_cards_are_contacts(run: Run, empty: Path, samples: Path) -> None:
    for file in sorted((samples / "vcard").glob("*.vcf")):
        ran = run("import", "contact", file, "--db", empty, "--json")
        assert ran.code in {0, 1}, file.name
        assert isinstance(ran.json["ok"], bool)
