"""The log says everything but secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from desktop_crm.core import log, paths


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    # Whatever ran before in this process may have begun a log of its own elsewhere.
    for handler in handlers:
        logger.removeHandler(handler)
    yield logger
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(level)


def test_secrets_never_reach_the_file(root: logging.Logger) -> None:
    log.start_logging()
    log.start_logging()
    try:
        raise ValueError("cannot open postgresql://ana:geheim@server/crm")
    except ValueError:
        logging.getLogger("x").exception("Authorization: Basic Z2VoZWlt password='geheim'")
    written = (paths.log_dir() / "desktop-crm.log").read_text(encoding="utf-8")
    assert "Traceback" in written
    assert "ana" in written
    assert "geheim" not in written
    assert "Z2VoZWlt" not in written
    assert written.count("Traceback") == 1
