"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlsxwriter.exceptions import XlsxFileError

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside a file; it takes the file's place when the block succeeds.

    Raises:
        UserError: The name is a folder or does not end in .xlsx.
        EnvironmentProblem: Folder missing or read-only, disk full, file open elsewhere; what
            stood there before still stands.
    """
    if path.suffix.lower() != ".xlsx":
        raise UserError(N_("{file} must end in .xlsx. Nothing was written."), file=path.name)
    if path.is_dir():
        raise UserError(N_("{file} is a folder. Choose a file name."), file=path.name)
    draft = path.with_name(f".{path.stem}-{new_uid()[-12:]}.part")
    try:
        yield draft
        os.replace(draft, path)
    except (OSError, XlsxFileError) as error:
        raise EnvironmentProblem(
            N_("{file} could not be written ({reason}). What stood there before was kept."),
            file=str(path),
            reason=_reason(error),
        ) from error
    finally:
        draft.unlink(missing_ok=True) if draft.parent.is_dir() else None


def _reason(error: BaseException) -> str:
    cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else error
    return getattr(cause, "strerror", None) or str(cause)
