"""The printed quote, read back with two independent readers."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from threading import Thread

import pypdf
import pypdfium2
import pytest
from PIL import Image

from desktop_crm.printing.quote_pdf import render
from desktop_crm.services.rules.pricing import Discount, LineInput, LineKind
from desktop_crm.services.rules.quote_document import PrintedLine, QuoteDocument
from tests.support.printed_quotes import REVERSE, SELLER, V21, ZERO, quote, wares


def pages(document: QuoteDocument) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(BytesIO(render(document))).pages]


def pages_by_pdfium(document: QuoteDocument) -> list[str]:
    with pypdfium2.PdfDocument(render(document)) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


def logo() -> bytes:
    target = BytesIO()
    Image.new("RGBA", (300, 90), (15, 92, 168, 255)).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize("read", [pages, pages_by_pdfium])
def test_romanian_letters_can_be_copied_from_the_page(read: object) -> None:
    document = quote(wares(2), terms="ș ț ă î â Ș Ț Ă Î Â")
    text = "\n".join(read(document))  # type: ignore[operator]
    assert "ș ț ă î â Ș Ț Ă Î Â" in text
    assert "Brânzeturi Țărănești SA" in text
    assert "Strada Ștefan cel Mare 12" in text


def test_the_page_says_who_what_and_how_much() -> None:
    document = quote(wares(4), discount=Discount(percent=Decimal(5)), freight="12")
    text = "\n".join(pages(document))
    sums = document.totals
    for expected in (
        "Q-2026-0042",
        "Atelierul de Lumină SRL",
        "RO12345674",
        "J40/1234/2019",
        "Depozit Făgăraș",
        "Lighting of the new head office",
        "20 Nov 2026",
        "20 Dec 2026",
        "LN-100-BR",
        "VAT 21%",
        "VAT 11%",
        f"{sums.subtotal:,.2f}",
        f"{-sums.discount:,.2f}",
        f"{sums.tax:,.2f}",
        f"{sums.total:,.2f} EUR",
        "Payment within 30 days",
        "Page 1 of 1",
    ):
        assert expected in text
    assert "RO49 AAAA 1B31" in text.replace("\u00a0", " ")


def test_every_group_shows_its_base_and_tax() -> None:
    document = quote(wares(7))
    text = "\n".join(pages(document))
    for tax in document.taxes:
        assert f"{tax.base:,.2f}" in text
        assert f"{tax.tax:,.2f}" in text


def test_many_lines_repeat_the_head_and_count_the_pages() -> None:
    shown = pages(quote(wares(60)))
    count = len(shown)
    assert count >= 3
    for number, text in enumerate(shown, 1):
        assert f"Page {number} of {count}" in text
        assert "Unit price" in text
        assert text.count("Quote") >= 1
    whole = "\n".join(shown)
    assert [str(n) for n in range(1, 61)] == [
        line for line in whole.splitlines() if line.isdigit() and 1 <= int(line) <= 60
    ]


@pytest.mark.parametrize("count", range(1, 40))
def test_no_length_leaves_a_page_without_content(count: int) -> None:
    document = quote(wares(count))
    shown = pages(document)
    total = f"{document.totals.total:,.2f} EUR"
    assert [text.count(total) for text in shown].count(1) == 1
    assert all(len(text.splitlines()) > 6 for text in shown)


def test_the_sums_are_never_alone_on_a_page() -> None:
    for count in range(5, 30):
        shown = pages(quote(wares(count), terms="", banks=(), expires_on=None))
        assert "pcs" in shown[-1]


def test_a_description_longer_than_a_page_runs_over() -> None:
    rows = wares(1)
    rows[0] = (rows[0][0], replace(rows[0][1], description="many words " * 900))
    shown = pages(quote(rows))
    assert len(shown) >= 3
    assert sum(text.count("many") for text in shown) == 900


def test_a_word_wider_than_its_column_stays_on_the_page() -> None:
    rows = wares(1)
    rows[0] = (rows[0][0], replace(rows[0][1], title="W" * 200))
    with pypdfium2.PdfDocument(render(quote(rows))) as pdf:
        page = pdf[0].get_textpage()
        right = max(page.get_charbox(i)[2] for i in range(page.count_chars()))
        assert right < 595
        assert page.get_text_range().count("W") >= 200


def test_zero_rates_print_their_legal_notes() -> None:
    text = "\n".join(pages(quote(wares(3, (V21, ZERO, REVERSE)))))
    assert "zero rate" in text
    assert "Reverse charge" in text
    assert "Article 196" in text
    own = replace(REVERSE, note="Taxare inversă, art. 331 Cod fiscal")
    shown = "\n".join(pages(quote(wares(1, (own,)))))
    assert "Taxare inversă, art. 331 Cod fiscal" in shown
    assert "Article 196" not in shown


def test_rows_outside_the_total_say_so() -> None:
    rows = wares(2)
    rows[1] = (replace(rows[1][0], kind=LineKind.OPTIONAL), rows[1][1])
    rows.append((LineInput(kind=LineKind.TEXT), PrintedLine(LineKind.TEXT, "As discussed on site")))
    rows.append((LineInput(kind=LineKind.SUBTOTAL), PrintedLine(LineKind.SUBTOTAL, "")))
    document = quote(rows)
    text = "\n".join(pages(document))
    assert f"({document.lines[1].net:,.2f})" in text
    assert "Optional, not included in the total" in text
    assert "As discussed on site" in text
    assert document.lines[3].net == document.totals.subtotal


def test_a_group_of_lines_has_one_heading_with_its_sum() -> None:
    rows = [(replace(typed, group="Hardware"), printed) for typed, printed in wares(3)]
    document = quote(rows)
    text = "\n".join(pages(document))
    assert text.count("Hardware") == 1
    assert text.count(f"{document.totals.subtotal:,.2f}") == 2


def test_a_group_with_a_subtotal_row_shows_its_sum_once() -> None:
    rows = [(replace(typed, group="Hall A"), printed) for typed, printed in wares(2)]
    end = (LineInput(kind=LineKind.SUBTOTAL, group="Hall A"), PrintedLine(LineKind.SUBTOTAL, "Sum"))
    other = (replace(wares(1)[0][0], group="Hall B"), wares(1)[0][1])
    document = quote([*rows, end, other])
    text = "\n".join(pages(document))
    assert text.count(f"{document.lines[2].net:,.2f}") == 1
    assert "Hall B" in text


def test_prices_with_tax_say_what_they_include() -> None:
    document = quote(wares(2), tax_inclusive=True)
    text = "\n".join(pages(document))
    assert "VAT included" in text
    assert document.totals.total == document.totals.subtotal


def test_a_draft_is_marked_on_each_page_and_needs_no_number() -> None:
    shown = pages(quote(wares(60), draft=True, number=""))
    assert all("DRAFT" in text for text in shown)
    assert all("DRAFT" not in text for text in pages(quote(wares(1))))


def test_a_revision_stands_beside_the_number() -> None:
    assert "Q-2026-0042 Rev 2" in pages(quote(wares(1), revision=2))[0]


def test_the_document_speaks_the_language_of_the_customer() -> None:
    rows = [(replace(wares(1)[0][0], unit_price=Decimal("1234.5")), wares(1)[0][1])]
    assert "1.234,50" in "\n".join(pages(quote(rows, language="ro")))
    assert "1,234.50" in "\n".join(pages(quote(rows)))
    with_language = pypdf.PdfReader(BytesIO(render(quote(rows, language="ro"))))
    assert with_language.trailer["/Root"]["/Lang"] == "ro"  # type: ignore[index]


def test_the_file_names_its_title_author_and_day() -> None:
    meta = pypdf.PdfReader(BytesIO(render(quote(wares(1))))).metadata
    assert meta is not None
    assert meta.title == "Quote Q-2026-0042"
    assert meta.author == "Atelierul de Lumină SRL"
    assert meta.subject == "Lighting of the new head office"
    assert meta.creation_date is not None
    assert meta.creation_date.date() == quote(wares(1)).issued_on


def test_all_fonts_are_embedded() -> None:
    reader = pypdf.PdfReader(BytesIO(render(quote(wares(30)))))
    for page in reader.pages:
        fonts = page["/Resources"]["/Font"]  # type: ignore[index]
        used = {font.get_object()["/BaseFont"] for font in fonts.values()}
        embedded = {
            font.get_object()["/BaseFont"]
            for font in fonts.values()
            if "/FontFile2" in font.get_object().get("/FontDescriptor", {}).get_object()
        }
        assert used == embedded
        assert embedded


@pytest.mark.parametrize("data", [None, b"", b"not a picture", logo()])
def test_a_logo_is_shown_when_there_is_one_to_show(data: bytes | None) -> None:
    document = quote(wares(1), seller=replace(SELLER, logo=data))
    reader = pypdf.PdfReader(BytesIO(render(document)))
    assert len(reader.pages[0].images) == (1 if data == logo() else 0)
    assert "Atelierul de Lumină SRL" in reader.pages[0].extract_text()


def test_the_same_quote_always_gives_the_same_bytes() -> None:
    first = render(quote(wares(20), seller=replace(SELLER, logo=logo())))
    render(quote(wares(3)))
    assert render(quote(wares(20), seller=replace(SELLER, logo=logo()))) == first


def test_threads_may_print_at_the_same_time() -> None:
    documents = [quote(wares(count)) for count in (5, 25, 45)]
    expected = [render(document) for document in documents]
    results: dict[int, bytes] = {}

    def work(index: int) -> None:
        results[index] = render(documents[index])

    threads = [Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[index] for index in range(3)] == expected


def test_a_quote_without_lines_or_buyer_details_still_prints() -> None:
    bare = quote([], title="", ship_to=None, terms="", banks=(), expires_on=None, prepared_by="")
    assert "0.00 EUR" in pages(bare)[0]
