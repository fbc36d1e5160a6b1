"""Workbooks as Excel and LibreOffice save them."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.services.excel import reading
from desktop_crm.services.excel.package import NOT_CALCULATED
from desktop_crm.services.excel.table import CellError, Table, clean_text, header_index
from desktop_crm.services.imports.source import open_table

READABLE = {
    "1904.xlsx": 4,
    "AutoFilter.xlsx": 21,
    "DataTypesFormats.xlsx": 5,
    "ErrorTypes.xlsx": 13,
    "LONumbers-2011.xlsx": 37,
    "crlf.xlsx": 2,
    "defined_names_unicode.xlsx": 0,
    "freeze.xlsx": 0,
    "interview.xlsx": 18,
    "merge_cells.xlsx": 2,
    "number_format_entities.xlsx": 1,
    "sheet_visibility.xlsx": 1,
    "text_and_numbers.xlsx": 2,
}


def sample(samples: Path, name: str) -> Table:
    return open_table(samples / "excel" / name)


def made(*rows: list[object], **more: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    for name, extra in more.items():
        other = book.create_sheet(name)
        for row in extra:
            other.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", READABLE)
def test_every_sample_is_read(samples: Path, name: str) -> None:
    assert len(sample(samples, name).rows) == READABLE[name]


def test_dates_of_the_1904_system(samples: Path) -> None:
    assert sample(samples, "1904.xlsx").rows[0].cells[1] == date(1904, 1, 12)


def test_error_cells_are_errors_not_blanks(samples: Path) -> None:
    first = sample(samples, "ErrorTypes.xlsx").rows[0]
    assert first.cells[0] == CellError("#NULL!")


def test_line_ends_inside_cells_are_one_kind(samples: Path) -> None:
    assert sample(samples, "crlf.xlsx").rows[0].cells[1] == "abc\ndef"


def test_hidden_sheets_are_read_only_when_named(samples: Path) -> None:
    data = (samples / "excel" / "sheet_visibility.xlsx").read_bytes()
    assert reading.read(data, "s.xlsx").source.sheet == "Visible"
    assert reading.read(data, "s.xlsx", sheet="hidden").header[0] == "H"
    with pytest.raises(UserError, match="no sheet “Nowhere”; it has Visible"):
        reading.read(data, "s.xlsx", sheet="Nowhere")


def test_the_first_sheet_with_rows_is_read_and_the_others_are_named() -> None:
    data = made(["only a title"], Data=[["Name", "City"], ["A", "B"]])
    table = reading.read(data, "b.xlsx")
    assert (table.source.sheet, table.header) == ("Data", ("Name", "City"))
    assert table.notices == ("Sheet “Data” was read; not read: Sheet.",)


def test_numbers_keep_the_digits_that_were_shown() -> None:
    table = reading.read(made(["A", "B", "C"], [0.1 + 0.2, 5.0, 1e20]), "n.xlsx")
    assert table.rows[0].cells == (Decimal("0.3"), 5, Decimal("1E+20"))


def test_dates_and_moments() -> None:
    moment = datetime(2026, 3, 1, 14, 35, 59)  # noqa: DTZ001  a cell has no zone
    table = reading.read(made(["A", "B"], [date(2026, 3, 1), moment]), "d.xlsx")
    assert table.rows[0].cells == (date(2026, 3, 1), moment)


def test_a_formula_without_a_result_is_an_error() -> None:
    table = reading.read(made(["A", "B"], [1, "=A2*2"]), "f.xlsx")
    assert table.rows[0].cells == (1, CellError(NOT_CALCULATED))


def test_a_formula_counts_with_its_last_result() -> None:
    data = made(["A", "B"], [1, "=A2*2"])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename.endswith("sheet1.xml"):
                content = content.replace(b"<v></v>", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>")
                content = content.replace(b"<v />", b"<v>2</v>")
            new.writestr(member, content)
    assert reading.read(stream.getvalue(), "f.xlsx").rows[0].cells == (1, 2)


def test_names_in_two_rows_of_merged_cells_are_joined() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["Company", "Address", None, "Phone"])
    page.append([None, "Street", "City", None])
    page.append(["A", "S", "C", "1"])
    page.merge_cells("B1:C1")
    page.merge_cells("A1:A2")
    stream = io.BytesIO()
    book.save(stream)

    table = reading.read(stream.getvalue(), "m.xlsx")

    assert table.header == ("Company", "Address Street", "Address City", "Phone")
    assert [row.cells for row in table.rows] == [("A", "S", "C", "1")]


def test_titles_above_the_header_are_passed_over() -> None:
    data = made(["Customers"], [], ["Name", "City", "Phone"], ["A", "B", "C"])
    table = reading.read(data, "t.xlsx")
    assert table.header == ("Name", "City", "Phone")
    assert (table.source.header_row, table.rows[0].number) == (3, 4)


def test_blank_rows_are_no_rows() -> None:
    table = reading.read(made(["A", "B"], [None, None], ["x", None], ["  ", "\u200b"]), "b.xlsx")
    assert [row.cells for row in table.rows] == [("x", None)]


def test_an_empty_workbook_is_refused() -> None:
    with pytest.raises(UserError, match="holds no table"):
        reading.read(made(), "e.xlsx")


def test_a_damaged_workbook_is_refused() -> None:
    data = made(["A"], ["b"])
    with pytest.raises(UserError, match="damaged"):
        reading.read(data[: len(data) // 2], "broken.xlsx")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\u00a0a\u00a0b\u200b ", "a b"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("s\u0326", "ș"),
        ("a\x07b", "ab"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_texts_are_cleaned(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_no_header_in_nothing() -> None:
    assert header_index([(None, None)]) == -1


def rewritten(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    stream = io.BytesIO()
    assert part in zipfile.ZipFile(io.BytesIO(data)).namelist()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == part:
                assert old in content
                content = content.replace(old, new)
            target.writestr(member, content)
    return stream.getvalue()


def test_a_stray_cell_in_the_last_corner_is_refused_not_laid_out() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["Name", "City"])
    page["XFD1048576"] = "x"
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(UserError, match="reaches too far"):
        reading.read(stream.getvalue(), "far.xlsx")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/styles.xml", b'<cellXfs count="1"', b'<cellXfs count="4999999999"'),
        ("xl/worksheets/sheet1.xml", b'<c r="A1"', b'<c r="A199999999"'),
        ("xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData"),
        ("xl/workbook.xml", b"<sheets>", b"<sheets/>"),
    ],
)
def test_what_would_end_the_program_is_refused(part: str, old: bytes, new: bytes) -> None:
    data = rewritten(made(["Name", "City"], ["A", "B"]), part, old, new)
    with pytest.raises(UserError, match=r"damaged|reaches too far"):
        reading.read(data, "broken.xlsx")
