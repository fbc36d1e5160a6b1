"""When a mailbox is tried again."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.services.mail.mailboxes import MailboxRow
from desktop_crm.sync.results import MailboxResult
from desktop_crm.sync.timing import EVERY, FIRST, LONGEST, Timing, back_off
from tests.support.company import NOW


def row(state: str = "ok", **more: object) -> MailboxRow:
    facts: dict[str, object] = dict.fromkeys(MailboxRow.__dataclass_fields__, "")
    facts |= {"id": 1, "version": 1, "user_id": 1, "state": state, "last_synced_at": NOW}
    return MailboxRow(**{**facts, "leased_until": None, **more})  # type: ignore[arg-type]


def failed(seconds: object = None) -> MailboxResult:
    problem = EnvironmentProblem(N_("Not reached."), retryable=True, retry_after=seconds)
    return MailboxResult(1, "Office", problem=problem)


@given(failures=st.integers(1, 500), asked=st.floats(0, 1e6))
def test_the_wait_grows_to_an_hour_and_never_cuts_what_the_server_asked(
    failures: int, asked: float
) -> None:
    wait = back_off(failures, asked)
    assert wait >= max(FIRST, timedelta(seconds=asked))
    assert wait <= max(LONGEST, timedelta(seconds=asked))
    assert back_off(failures + 1, asked) >= wait


def test_success_forgets_the_failures() -> None:
    timing = Timing()
    timing.note([failed(), failed()], NOW)
    assert timing.next_at(row("waiting"), NOW) == NOW + 2 * FIRST
    timing.note([failed(900)], NOW)
    assert timing.next_at(row("waiting"), NOW) == NOW + timedelta(seconds=900)
    timing.note([MailboxResult(1, "Office")], NOW)
    assert timing.next_at(row(), NOW) == NOW + EVERY
    timing.note([failed()], NOW)
    assert timing.next_at(row("waiting"), NOW) == NOW + FIRST


def test_what_a_person_must_see_first_is_not_read_by_itself() -> None:
    timing = Timing()
    refused = MailboxResult(1, "Office", problem=UserError(N_("Refused.")))
    timing.note([refused], NOW)
    assert timing.next_at(row("stopped"), NOW) is None
    assert timing.next_at(row("new", last_synced_at=None), NOW) is None


def test_while_another_machine_reads_it_nobody_else_does() -> None:
    until = NOW + timedelta(minutes=20)
    held = row(leased_by="desk-7/1/a", leased_until=until)
    assert Timing().next_at(held, NOW) == until
    assert held.held_by(NOW) == "desk-7"
    assert held.held_by(until) == ""
