"""Files as other programs write them: encodings, delimiters, flaws, and what is no table."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from desktop_crm.core.errors import EnvironmentProblem, NotFound, UserError
from desktop_crm.services.imports import delimited, encoding, signature
from desktop_crm.services.imports.options import ImportOptions
from desktop_crm.services.imports.source import open_table

ROMANIAN = "Denumire;Localitate;Județ\nȘantier SRL;Târgu Mureș;Mureș\nȚesături SA;Iași;Iași\n"
OLD_ROMANIAN = ROMANIAN.translate(str.maketrans("șțȘȚ", "şţŞŢ"))
POLISH = "Nazwa;Miasto\nZażółć gęślą jaźń;Łódź\nŚwięty Mikołaj;Kraków\n"
GERMAN = "Name;Ort\nMüller & Söhne;Düsseldorf\nGroß AG;Köln\n"
FRENCH = "Nom;Ville\nÉlève à côté;Besançon\nCafé Noël;Nîmes\n"
PORTUGUESE = "Nome;Cidade\nJoão Conceição;São Paulo\nÓtica Visão;Brasília\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (ROMANIAN, "utf-8"),
        (ROMANIAN, "utf-8-sig"),
        (ROMANIAN, "utf-16"),
        (ROMANIAN, "utf-16-le"),
        (ROMANIAN, "utf-16-be"),
        (ROMANIAN, "iso-8859-16"),
        (OLD_ROMANIAN, "cp1250"),
        (OLD_ROMANIAN, "iso-8859-2"),
        (POLISH, "cp1250"),
        (POLISH, "iso-8859-2"),
        (GERMAN, "cp1252"),
        (FRENCH, "cp1252"),
        (PORTUGUESE, "cp1252"),
    ],
)
def test_the_letters_survive_whatever_the_encoding(text: str, name: str) -> None:
    data = text.encode(name)
    assert signature.kind_of(data, "list.csv") == "csv"

    decoded = encoding.decode(data, encoding.detect(data)).lstrip("\ufeff")

    assert decoded.translate(str.maketrans("şţŞŢ", "șțȘȚ")) == text.translate(
        str.maketrans("şţŞŢ", "șțȘȚ")
    )


def test_cyrillic_is_left_to_the_general_detector() -> None:
    text = "Название;Город\n" + "Компания Ромашка;Москва\nЗавод Север;Новосибирск\n" * 8
    assert encoding.detect(text.encode("cp1251")) in {"cp1251", "windows-1251"}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(mark: str) -> None:
    rows = [["Name", "City", "Note"], ["A, B", "Cluj; Napoca", "x|y"], ["C", "Iasi", "z"]]
    text = "\r\n".join(mark.join(f'"{v}"' if mark in v else v for v in row) for row in rows)

    table = delimited.read(text.encode(), "t.csv")

    assert table.source.delimiter == mark
    assert [list(row.cells) for row in table.rows] == rows[1:]


def test_the_line_that_names_the_delimiter_is_obeyed() -> None:
    table = delimited.read(b"sep=;\nName;City\nA;B\n", "t.csv")
    assert table.header == ("Name", "City")
    assert table.rows[0].number == 3


def test_decimal_commas_do_not_look_like_delimiters() -> None:
    table = delimited.read(b"Name;Price;Cost\nA;1,50;2,25\nB;3,75;4,00\n", "t.csv")
    assert table.header == ("Name", "Price", "Cost")


def test_a_line_break_inside_quotation_marks_belongs_to_the_value() -> None:
    table = delimited.read(b'Name,Note\nA,"one\r\ntwo"\nB,x\n', "t.csv")
    assert table.rows[0].cells == ("A", "one\ntwo")
    assert table.rows[1].number == 4


def test_ragged_rows_are_reported_one_by_one_and_the_others_stay() -> None:
    data = b"Name,City,Phone\nA,Cluj,1\nB,Iasi\nC,Arad,3,4\nD,Deva,\n"

    rows = delimited.read(data, "t.csv").rows

    assert [row.problem is None for row in rows] == [True, False, False, True]
    assert rows[1].problem == "The row has 2 values where the header has 3 columns."
    assert rows[1].number == 3


def test_a_program_that_drops_empty_values_at_the_end_writes_no_ragged_rows() -> None:
    lines = ["Name,City,Phone", *(f"N{i},C{i}" for i in range(12)), "Z,Y,1"]
    rows = delimited.read("\n".join(lines).encode(), "t.csv").rows
    assert all(row.problem is None for row in rows)
    assert rows[0].cells == ("N0", "C0", None)


def test_repeated_names_are_told_apart() -> None:
    table = delimited.read(b"Name,Phone,Phone\nA,1,2\n", "t.csv")
    assert table.header == ("Name", "Phone", "Phone (2)")


def test_titles_above_the_header_are_passed_over() -> None:
    table = delimited.read(b"Customers of 2026,,\n,,\nName,City,Phone\nA,Cluj,1\n", "t.csv")
    assert table.header == ("Name", "City", "Phone")
    assert table.source.header_row == 3


def test_invisible_characters_and_hard_spaces_are_cleaned() -> None:
    data = "Name,City\n\u200bACME\u00a0SRL\u200e ,\ufeffCluj\n".encode()
    assert delimited.read(data, "t.csv").rows[0].cells == ("ACME SRL", "Cluj")


def test_zero_bytes_are_dropped_and_said() -> None:
    table = delimited.read(b"Name,City\nAC\x00ME,Cluj\n", "t.csv")
    assert table.rows[0].cells == ("ACME", "Cluj")
    assert table.notices == ("1 zero byte was ignored.",)


def test_a_huge_field_is_read() -> None:
    text = "x" * 3_000_000
    assert delimited.read(f"Name,Note\nA,{text}\n".encode(), "t.csv").rows[0].cells[1] == text


def test_a_quotation_mark_that_never_closes_costs_one_row_not_silence() -> None:
    lines = "\n".join(f"N{i},C{i}" for i in range(400))
    rows = delimited.read(f'Name,City\nA,"B\n{lines}\n'.encode(), "t.csv").rows
    assert len(rows) == 1
    assert "quotation mark" in str(rows[0].problem)


def test_a_header_alone_is_a_table_without_rows() -> None:
    table = delimited.read(b"Name,City\n", "t.csv")
    assert table.header == ("Name", "City")
    assert not table.rows


def test_an_unknown_encoding_is_said() -> None:
    with pytest.raises(UserError, match="no text encoding"):
        delimited.read(b"a,b\n", "t.csv", charset="utf-99")


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (zipped("mimetype", "content.xml"), "archive"),
        (zipped("xl/workbook.bin", "xl/x", "[Content_Types].xml"), "old format"),
        (b"PK\x03\x04broken", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old format"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"<html><body><table><tr><td>a</td></tr></table>", "web page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas:spreadsheet">', "web page"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "calendar"),
        (bytes(range(9)) * 40, "not a text file"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b",,\n,,\n", "holds no table"),
        (zipped("xl/workbook.xml"), "damaged"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(
    tmp_path: Path, data: bytes, words: str
) -> None:
    path = tmp_path / "customers.xlsx"
    path.write_bytes(data)

    with pytest.raises(UserError, match=words) as caught:
        open_table(path)

    assert "customers.xlsx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_a_folder_and_an_unreadable_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        open_table(tmp_path / "none.csv")
    with pytest.raises(UserError, match="folder"):
        open_table(tmp_path)
    path = tmp_path / "a.csv"
    path.write_text("Name\nA\n")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(EnvironmentProblem, match="Permission denied"):
        open_table(path)


def test_a_file_is_read_by_what_it_is_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "contacts.txt"
    path.write_text("BEGIN:VCARD\nVERSION:3.0\nFN:Ana Pop\nEND:VCARD\n")
    assert open_table(path).source.kind == "vcf"
    assert signature.kind_of(b"Name;City\nA;B\n", "renamed.xlsx") == "csv"


def test_only_workbooks_have_sheets(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Name\nA\n")
    with pytest.raises(UserError, match="no workbook"):
        open_table(path, ImportOptions(sheet="Data"))
