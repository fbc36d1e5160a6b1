"""One database of each system for all property tests of a worker.

Records only pile up: each test makes its own and looks at nothing else, so that setting up a
database is paid once.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World, world_on


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A database of each system in turn, with people of every level."""
    with world_on(request, request.param) as found:
        yield found
