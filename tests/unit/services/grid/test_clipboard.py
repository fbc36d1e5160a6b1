"""What goes through the clipboard comes back as it was, and runs as a formula nowhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from desktop_crm.core.errors import UserError
from desktop_crm.services.grid import clipboard
from desktop_crm.services.grid.clipboard import copied, parse, spread

CELL = st.text(st.sampled_from("ab=+-@'\"\t\n ,;ș|0"), max_size=8)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[tuple[str, ...], ...]:
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(*[CELL] * width), min_size=1, max_size=5))
    return tuple(rows)


@given(ranges())
@example((("'=1+1",),))
def test_a_copied_range_is_read_back_as_it_was(cells: tuple[tuple[str, ...], ...]) -> None:
    assume("".join(cells[-1]).strip("\n"))  # an empty last row is no row to a spreadsheet either
    assert parse(copied(cells, [False] * len(cells[0])).text) == cells


@pytest.mark.parametrize("cell", ["=1+1", "@sum(A1)", "+cmd|' /C calc'!A0", "-2+3|x"])
def test_formulas_are_kept_from_running(cell: str) -> None:
    made = copied([[cell]], [False])
    assert made.text.lstrip('"').startswith("'")
    assert "mso-number-format" in made.html
    assert parse(made.text) == ((cell,),)


@pytest.mark.parametrize("cell", ["+40 721 234 567", "-5", "-1,234.50", "+3 %", "0042"])
def test_numbers_and_phones_are_left_alone(cell: str) -> None:
    assert copied([[cell]], [True]).text == cell


def test_html_keeps_texts_as_texts_and_numbers_as_numbers() -> None:
    made = copied([["004", "<b>1,5</b>"]], [False, True])
    assert re.search(r'<td style="mso-number-format:[^"]+">004</td>', made.html)
    assert "<td>&lt;b&gt;1,5&lt;/b&gt;</td>" in made.html


def test_excel_quotes_cells_with_line_breaks() -> None:
    assert parse('one\t"two\nlines"\r\nthree\t"say ""hi"""\r\n') == (
        ("one", "two\nlines"),
        ("three", 'say "hi"'),
    )


def test_a_lone_quotation_mark_is_a_character() -> None:
    assert parse('5" pipe\t3\nx\ty') == (('5" pipe', "3"), ("x", "y"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing to paste"),
        ("\n\n", "nothing to paste"),
        ("a\tb\nc", "cells in the first row: 2, in row 2: 1."),
        ("a\nb\tc\nd", "cells in the first row: 1, in row 2: 2."),
    ],
)
def test_a_ragged_or_empty_range_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse(text)


def test_too_large_a_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "MOST", 3)
    with pytest.raises(UserError, match="at most 3"):
        parse("a\tb\nc\td")


def test_one_cell_fills_a_selection_and_a_range_a_multiple_of_itself() -> None:
    assert spread((("x",),), 2, 2) == (("x", "x"), ("x", "x"))
    assert spread((("a",), ("b",)), 4, 1) == (("a",), ("b",), ("a",), ("b",))
    assert spread((("a",), ("b",)), 3, 1) == (("a",), ("b",))
