"""Files of the database on their way to the person's disk: names, sizes, copies to look at."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_, tr

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats

HARMLESS: Final = frozenset(
    {
        *(".pdf", ".txt", ".csv", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"),
        *(".webp", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".rtf"),
        *(".ics", ".vcf", ".eml", ".zip"),
    }
)
"""Files that may be opened at once; everything else can only be saved."""
PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"})
"""Files that are shown as a picture."""
_SAFE_NAME: Final = re.compile(r"[^\w.\- ()\[\]]+")


def is_harmless(name: str) -> bool:
    """Whether a file may be opened from the window; programs and scripts never are."""
    return Path(name).suffix.lower() in HARMLESS


def safe_name(name: str) -> str:
    """A file name without anything that a path or a shell could read into it."""
    cleaned = _SAFE_NAME.sub("_", Path(name.replace("\\", "/")).name).strip(" .")
    return cleaned[-120:] or "attachment"


def size_text(size: int, formats: Formats) -> str:
    """A size as people read it."""
    for limit, text in ((1 << 20, N_("{n} MB")), (1 << 10, N_("{n} KB"))):
        if size >= limit:
            return tr(text, n=formats.number(round(size / limit), 0))
    return tr("{n} B", n=size)


def cannot_write(error: OSError) -> EnvironmentProblem:
    """Sentence for a copy that could not be written."""
    return EnvironmentProblem(
        N_("The attachment could not be written: {reason}. Choose another folder."),
        reason=error.strerror or error,
    )


class Copies:
    """Copies of stored files that cannot be changed, outside every data folder.

    They go away with this object, at the latest when the program ends.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None

    def write(self, key: int, name: str, content: bytes) -> Path:
        """Write a copy; may run on any thread.

        Raises:
            EnvironmentProblem: The disk is full or cannot be written.
        """
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="desktop-crm-"))
                # A copy may be written while its view goes away; it goes with this object then.
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            folder = self._folder / str(key)
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / safe_name(name)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(stat.S_IRUSR)
        except OSError as error:
            raise cannot_write(error) from error
        return path

    def close(self) -> None:
        """Remove every copy."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def open_with_system(path: Path) -> None:
    """Hand a file to the system's program for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
