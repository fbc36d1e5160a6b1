"""Opening any file that records can come from."""

from __future__ import annotations

from pathlib import Path

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.excel import reading
from desktop_crm.services.excel.table import Table
from desktop_crm.services.imports import cards, delimited, signature
from desktop_crm.services.imports.options import ImportOptions


def open_table(path: Path, options: ImportOptions | None = None) -> Table:
    """Read a file by what it is, whatever its name says.

    Raises:
        UserError: It is no table, workbook or card file, or it is damaged.
        NotFound: There is no such file.
        EnvironmentProblem: It cannot be read.
    """
    chosen = options or ImportOptions()
    data = signature.read_bytes(path)
    kind = signature.kind_of(data, path.name)
    if chosen.sheet and kind != "xlsx":
        raise UserError(N_("{file} is no workbook and has no sheets."), file=path.name)
    if kind == "xlsx":
        return reading.read(data, path.name, sheet=chosen.sheet)
    if kind == "vcf":
        return cards.read(data, path.name)
    return delimited.read(data, path.name, charset=chosen.encoding, delimiter=chosen.delimiter)
