"""Lists, labels and contact sheets on paper: nothing is lost, nothing runs out of its place."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_crm.printing import labels_pdf
from desktop_crm.printing.labels_pdf import SHEETS, ContactCard, ContactSheet, LabelSheet
from desktop_crm.printing.list_pdf import ListDocument, PrintedColumn, PrintedGroup, render
from desktop_crm.printing.sheet import MILLIMETRE

DAY = date(2026, 11, 28)


def texts(content: bytes) -> list[str]:
    with pypdfium2.PdfDocument(BytesIO(content)) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


def document(rows: int, *, wide: bool = False, groups: int = 1) -> ListDocument:
    columns: tuple[PrintedColumn, ...] = (
        PrintedColumn("Name", 200),
        PrintedColumn("Amount", 120, is_number=True),
    )
    if wide:
        columns += tuple(PrintedColumn(f"Column {n}", 160) for n in range(4))
    extra = ("x",) * (len(columns) - 2)
    made = tuple(
        PrintedGroup(
            f"Group {g} ({rows})" if groups > 1 else "",
            tuple((f"Record {g}-{n} ș", f"{n}.00", *extra) for n in range(rows)),
        )
        for g in range(groups)
    )
    totals = ((f"{rows * groups} records",), ("55.00 EUR", "1.00 RON"), *[()] * len(extra))
    return ListDocument("All", "city = Iași", columns, made, totals, DAY, "Mara", "Cetina", "en")


@pytest.mark.parametrize(
    ("rows", "wide", "groups"), [(0, False, 1), (120, False, 1), (30, True, 4)]
)
def test_every_row_stands_once_under_its_headings(rows: int, wide: bool, groups: int) -> None:
    pages = texts(render(document(rows, wide=wide, groups=groups)))
    whole = "\n".join(pages)
    for group in range(groups):
        for number in range(rows):
            assert whole.count(f"Record {group}-{number} ș") == 1
    assert all("Name" in page and "Amount" in page for page in pages)
    assert all(f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1))
    assert "55.00 EUR" in pages[-1]
    assert "1.00 RON" in pages[-1]
    assert "Cetina · Mara · 28 Nov 2026" in pages[0]


def test_wide_lists_lie_on_their_side_and_the_same_list_gives_the_same_bytes() -> None:
    with pypdfium2.PdfDocument(render(document(3, wide=True))) as pdf:
        assert pdf[0].get_width() > pdf[0].get_height()
    with pypdfium2.PdfDocument(render(document(3))) as pdf:
        assert pdf[0].get_width() < pdf[0].get_height()
    assert render(document(3)) == render(document(3))


@pytest.mark.parametrize("form", SHEETS, ids=lambda f: f.key)
def test_labels_of_a_sheet_fit_on_it(form: LabelSheet) -> None:
    width, height = (215.9, 279.4) if form.letter else (210.0, 297.0)
    assert form.left + (form.across - 1) * form.pitch_x + form.width <= width + 0.3
    assert form.top + (form.down - 1) * form.pitch_y + form.height <= height + 0.3
    assert form.width <= form.pitch_x
    assert form.height <= form.pitch_y + 0.01


@settings(max_examples=40, deadline=None)
@given(
    form=st.sampled_from(SHEETS),
    count=st.integers(1, 70),
    skip=st.integers(0, 40),
    longest=st.integers(1, 90),
)
def test_no_label_is_lost_and_none_leaves_its_place(
    form: LabelSheet, count: int, skip: int, longest: int
) -> None:
    lines = [(f"Name {n:03d}.", "x" * longest, "4000 City") for n in range(count)]
    content = labels_pdf.render_labels(lines, form, skip, "Labels", DAY)
    used = skip % form.count
    with pypdfium2.PdfDocument(content) as pdf:
        assert len(pdf) == -(-(count + used) // form.count)
        for number, page in enumerate(pdf):
            found = page.get_textpage()
            first = max(0, number * form.count - used)
            for n in range(first, min(count, (number + 1) * form.count - used)):
                row, column = divmod((n + used) % form.count, form.across)
                left = (form.left + column * form.pitch_x) * MILLIMETRE
                top = page.get_height() - (form.top + row * form.pitch_y) * MILLIMETRE
                area = (left, top - form.height * MILLIMETRE, left + form.width * MILLIMETRE, top)
                assert f"Name {n:03d}." in found.get_text_bounded(*area)


def test_a_contact_sheet_holds_every_card_and_begins_each_letter_once() -> None:
    names = ["Ana", "Ștefan", "Sava", "Zoe"] * 20
    cards = tuple(
        ContactCard(f"{name} {n:02d}", "Buyer", ("+40 1", "a@x.example"))
        for n, name in enumerate(sorted(names))
    )
    pages = texts(labels_pdf.render_contacts(ContactSheet("Contacts", cards, DAY, "Cetina", "ro")))
    whole = "\n".join(pages)
    assert all(whole.count(card.title) == 1 for card in cards)
    assert f"Pagina 1 din {len(pages)}" in pages[0]
