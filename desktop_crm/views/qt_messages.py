"""Qt's own messages go into the log; what only says that nothing is wrong is left out."""

from __future__ import annotations

import atexit
import logging
from typing import Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger(__name__)

_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_HARMLESS: Final = (
    "does not support propagateSizeHints",
    "QFont::setPixelSize: Pixel size <= 0",
    "does not support raise()",
)


def _take(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    if not any(part in message for part in _HARMLESS):
        log.log(_LEVELS[kind], "Qt: %s", message)


def install() -> None:
    """Send Qt's messages to the log from now on, as long as Python lives."""
    qInstallMessageHandler(_take)
    # What Qt says while the process ends would still be handed to Python, and end it by a crash.
    atexit.register(qInstallMessageHandler, None)
