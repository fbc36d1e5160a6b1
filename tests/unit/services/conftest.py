"""A database of each system with people of every level of rights, shared by the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World, world_on


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A database of each system in turn, with people of every level."""
    with world_on(request, request.param) as found:
        yield found
