"""What the tests of the architecture read is forgotten after the last of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import source


@pytest.fixture(scope="package", autouse=True)
def _source_read_once() -> Iterator[None]:
    yield
    source.forget()
