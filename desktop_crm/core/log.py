"""The log: everything a sentence on the screen leaves out, and never a secret."""

from __future__ import annotations

import logging
import logging.handlers
import re
from typing import Final

from desktop_crm.core import paths

_SECRET: Final = re.compile(
    r"(?i)(authorization:\s*\w+\s+|password[\"']?\s*[=:]\s*[\"']?|://[^/\s:@]+:)([^\s\"'@,;]+)"
)


class _Redacting(logging.Formatter):
    """Formatter that blots out what looks like a password, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        return _SECRET.sub(r"\1***", super().format(record))


def start_logging() -> None:
    """Write to a rotating file in the log folder; a folder that cannot be written is no error."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if any(isinstance(h, logging.handlers.RotatingFileHandler) for h in root.handlers):
        return
    try:
        handler = logging.handlers.RotatingFileHandler(
            paths.log_dir() / "desktop-crm.log",
            maxBytes=2_000_000,
            backupCount=3,
            encoding="utf-8",
            delay=True,
        )
    except OSError:
        root.addHandler(logging.NullHandler())
        return
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
