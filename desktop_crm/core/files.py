"""Writing small files whole or not at all."""

from __future__ import annotations

from pathlib import Path

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and let it take the place when it is complete.

    Raises:
        EnvironmentProblem: Folder missing or read-only, disk full; what stood there still stands.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        if draft.is_file():
            draft.unlink()
        raise EnvironmentProblem(
            N_("{path} could not be written: {reason}. What stood there before was kept."),
            path=path,
            reason=error.strerror or error,
        ) from error
