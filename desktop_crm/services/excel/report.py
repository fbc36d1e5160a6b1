"""Plain workbooks of texts: the answer to an import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from desktop_crm.core.i18n import tr
from desktop_crm.services.excel.files import replacing
from desktop_crm.services.excel.formulas import neutralise

_LONGEST = 32_767


def write(
    path: Path,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    marked: Sequence[bool],
) -> None:
    """Write one sheet of texts with a fixed header.

    Args:
        path: File to write, ending in .xlsx.
        header: Column names.
        rows: Texts; each row as long as the header.
        marked: For each row, whether it is to stand out.

    Raises:
        EnvironmentProblem: The file cannot be written; what stood there before stays.
    """
    with replacing(path) as draft:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(str(draft), options) as book:
            page = book.add_worksheet(tr("Import")[:31])
            head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "bottom": 1})
            plain = book.add_format({"num_format": "@", "valign": "top"})
            loud = book.add_format({"num_format": "@", "valign": "top", "bg_color": "#FDE7E9"})
            for index, name in enumerate(header):
                page.write_string(0, index, name, head)
                page.set_column(index, index, 50 if index == 2 else 18)
            for number, (row, is_marked) in enumerate(zip(rows, marked, strict=True), start=1):
                for index, text in enumerate(row):
                    if text:
                        shown = neutralise(text)[:_LONGEST]
                        page.write_string(number, index, shown, loud if is_marked else plain)
            page.freeze_panes(1, 3)
            page.autofilter(0, 0, max(1, len(rows)), len(header) - 1)
