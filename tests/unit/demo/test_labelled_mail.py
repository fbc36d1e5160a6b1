"""The labelled messages say what they should, and the linking holds what is promised of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from desktop_crm.demo.labelled.labels import LABELS
from desktop_crm.demo.labelled.post import Labelled
from desktop_crm.demo.labelled.report import Counts, Report, measure
from desktop_crm.sync.port import Address, MailItem


@pytest.fixture(scope="module")
def report() -> Report:
    return measure()


def test_there_are_messages_of_every_shape(report: Report) -> None:
    assert report.whole.messages >= 400
    assert sum(counts.messages for counts in report.shapes.values()) == report.whole.messages
    assert len(report.shapes) >= 25
    assert set(report.shapes) == set(LABELS)


def test_what_is_filed_without_asking_is_right(report: Report) -> None:
    assert report.whole.precision_filed >= 0.99, report.whole.wrong
    assert report.whole.filed > 500


def test_what_belongs_somewhere_is_found_or_offered(report: Report) -> None:
    assert report.whole.recall_with_triage >= 0.95, report.whole.missed
    assert report.whole.wanted > 700


def test_the_same_seed_gives_the_same_figures(report: Report) -> None:
    again = measure()
    assert again.whole == report.whole


def test_a_server_gives_the_same_figures(
    report: Report, new_postgres_database: Callable[[str | None], str]
) -> None:
    on_server = measure(new_postgres_database(None))
    assert on_server.whole.precision_filed >= 0.99, on_server.whole.wrong
    assert on_server.whole.recall_with_triage >= 0.95, on_server.whole.missed
    assert on_server.whole.messages == report.whole.messages


def test_counts_tell_right_from_wrong_and_missed() -> None:
    item = MailItem("a@b", sender=Address("a@b.example"))
    one = Labelled(item, frozenset({("account", 1), ("contact", 2)}), "x", frozenset({("lead", 9)}))
    counts = Counts()
    counts.count(
        one,
        frozenset({("account", 1), ("account", 5), ("lead", 9)}),
        frozenset({("opportunity", 3)}),
    )
    assert (counts.filed, counts.filed_right) == (2, 1)
    assert (counts.wanted, counts.found) == (2, 1)
    assert counts.wrong == [("a@b", "account", 5)]
    assert counts.missed == [("a@b", "contact", 2)]
    assert counts.precision_filed == 0.5
    assert counts.recall_with_triage == 0.5
    assert Counter(Counts().wrong) == Counter()
