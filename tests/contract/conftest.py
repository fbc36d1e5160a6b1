"""What the contracts share: their failures are told in full, their servers run once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mail_servers import dovecot
from tests.mail_servers.servers import Servers

pytest.register_assert_rewrite("tests.contract.writing")


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[Servers]:
    """The servers of a mailbox on open standards; skips with the reason where one is missing."""
    if dovecot.BINARY is None:
        pytest.skip(dovecot.MISSING)
    servers = Servers()
    yield servers
    servers.close()
