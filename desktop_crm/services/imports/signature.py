"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

from desktop_crm.core.errors import EnvironmentProblem, NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.excel.package import UNREADABLE

LARGEST_BYTES: Final = 1_000_000_000
"""A file above this is refused: it would not fit in memory beside the program."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")

PDF: Final = N_(
    "{file} is a PDF document, whatever its name says. Nothing was imported; "
    "export the data as a workbook (.xlsx) or as CSV and import that."
)
_PAGE: Final = N_(
    "{file} is a web page, not a workbook. Nothing was imported; "
    "open it in a spreadsheet program and save it as .xlsx."
)
_PICTURE: Final = N_("{file} is a picture. Nothing was imported; choose a table (.xlsx, .csv).")
_ARCHIVE: Final = N_(
    "{file} is an archive or another kind of document, not a workbook. Nothing was imported; "
    "choose a table (.xlsx, .csv) or contact cards (.vcf)."
)
_OLD: Final = N_(
    "{file} is a workbook of the old format (.xls). Nothing was imported; "
    "open it in a spreadsheet program and save it as .xlsx."
)
_LOCKED: Final = N_(
    "{file} is protected by a password. Nothing was imported; "
    "save it without a password and import that."
)
_DAMAGED: Final = N_(
    "{file} is damaged or was not downloaded completely. Nothing was imported; get it again."
)
_CALENDAR: Final = N_("{file} is a calendar, not a table. Nothing was imported.")
_EMPTY: Final = N_("{file} is empty. Nothing was imported.")
_BINARY: Final = N_(
    "{file} is not a text file. Nothing was imported; choose a table (.xlsx, .csv) "
    "or contact cards (.vcf)."
)

_STARTS: Final = (
    (b"%PDF", PDF),
    (b"{\\rtf", _ARCHIVE),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"BM6", _PICTURE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ", _ARCHIVE),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"SQLite format 3", _ARCHIVE),
    (b"MZ", _ARCHIVE),
    (b"\x7fELF", _ARCHIVE),
)


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        NotFound: There is no such file.
        UserError: It is a folder, empty or too large.
        EnvironmentProblem: It cannot be read.
    """
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise UserError(N_("{file} is a folder. Choose a file."), file=path.name)
        if size > LARGEST_BYTES:
            raise UserError(
                N_("{file} is larger than 1 GB. Nothing was imported; split it."), file=path.name
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(N_("There is no file {file}."), file=str(path)) from None
    except OSError as error:
        raise EnvironmentProblem(
            N_("{file} cannot be read ({reason}). Nothing was imported."),
            file=path.name,
            reason=error.strerror or str(error),
        ) from error
    if not data[:65536].strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise UserError(_EMPTY, file=path.name)
    return data


def kind_of(data: bytes, name: str) -> str:
    """Say by its content which reader a file needs: ``xlsx``, ``vcf`` or ``csv``.

    Raises:
        UserError: It is something else; the sentence says what.
    """
    if data.startswith(b"PK"):
        return _zip_kind(data, name)
    if data.startswith(_OLE):
        locked = _ENCRYPTED in data
        raise UserError(_LOCKED if locked else _OLD, file=name)
    for start, sentence in _STARTS:
        if data.startswith(start):
            raise UserError(sentence, file=name)
    head = _ascii_head(data)
    if head.startswith("BEGIN:VCARD"):
        return "vcf"
    if head.startswith("BEGIN:VCALENDAR"):
        raise UserError(_CALENDAR, file=name)
    if head.startswith(("<!DOCTYPE HTML", "<HTML", "<TABLE", "<META", "<HEAD")):
        raise UserError(_PAGE, file=name)
    if head.startswith("<?XML"):
        raise UserError(_PAGE if "HTML" in head or "SPREADSHEET" in head else _ARCHIVE, file=name)
    if _is_binary(data):
        raise UserError(_BINARY, file=name)
    return "vcf" if name.lower().endswith((".vcf", ".vcard")) else "csv"


def _zip_kind(data: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
    except UNREADABLE:
        raise UserError(_DAMAGED, file=name) from None
    if "xl/workbook.xml" in members or (
        "[Content_Types].xml" in members and any(m.startswith("xl/") for m in members)
    ):
        if any(member.endswith("workbook.bin") for member in members):
            raise UserError(_OLD, file=name)
        return "xlsx"
    raise UserError(_ARCHIVE, file=name)


def _ascii_head(data: bytes) -> str:
    """First 400 letters, upper case, also of UTF-16: enough to know a file by its first words."""
    head = data[:800].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head[:400].decode("ascii", errors="replace").upper()


def _is_binary(data: bytes) -> bool:
    text = _characters(data[:65536])
    control = sum(text.count(chr(c)) for c in (*range(0x09), *range(0x0E, 0x1A), 0x7F))
    return control > 0.05 * max(1, len(text))


def _characters(sample: bytes) -> str:
    """Characters of a sample; of UTF-16 as pairs, for half of a letter may look like a control."""
    little = sample[1::2].count(0) > len(sample) * 0.2
    big = sample[0::2].count(0) > len(sample) * 0.2
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return sample.decode("utf-16", "replace")
    if little != big:
        return sample.decode("utf-16-le" if little else "utf-16-be", "replace")
    return sample.decode("latin-1")
