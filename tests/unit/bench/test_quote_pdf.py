"""The printing benchmark compares two documents of the same size and content."""

from io import BytesIO

import pypdf

from desktop_crm.bench.quote_pdf import PAGES, bare_story, sample
from desktop_crm.printing.quote_pdf import render


def test_both_documents_say_the_same_on_as_many_pages() -> None:
    document = sample()
    for pdf in (render(document), bare_story(document)):
        reader = pypdf.PdfReader(BytesIO(pdf))
        text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
        assert len(reader.pages) == PAGES
        for line in document.lines:
            assert line.title in text
            assert f"{line.net:,.2f}" in text
        assert f"{document.totals.total:,.2f}" in text
