"""The hand-written statements and those of the product give the same rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from desktop_crm.bench import finding, ground, lists, records, search
from desktop_crm.bench.ground import Ground


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    from desktop_crm.bench.data import data_file
    from desktop_crm.bench.data_rows import SMALL

    path = data_file(SMALL, tmp_path_factory.mktemp("bench"))
    with ground.opened(path) as found:
        yield found


def test_first_pages_agree_for_every_actor(little: Ground) -> None:
    rows = lists.first_pages(little, little)
    assert len(rows) == 8
    assert all(row.ratio is not None for row in rows), [row.reason for row in rows]


@pytest.mark.parametrize("name", [*lists.local_columns(), "account"])
def test_sorted_pages_agree(little: Ground, name: str) -> None:
    ours, by_hand = lists.ways(little, name)
    assert lists.shown_by_us(ours()) == lists.shown_by_hand(by_hand())


def test_both_statements_of_a_search_agree(little: Ground) -> None:
    for typed in ("opoulo", "popes", "example", "qxyvor"):
        phrase = (f'"{typed}"',)
        walked = little.fetch(search.spelled(search.FROM_ORDER), phrase)
        assert walked == little.fetch(search.spelled(search.FROM_MATCHES), phrase)
        assert walked == little.fetch(search.spelled(search.BY_LIKE), (f"%{typed}%",))


def test_short_words_and_selective_lists_use_an_index(little: Ground) -> None:
    (row,) = search.short_words(little)
    assert row.ok, row.reason


def test_search_everywhere_counts_what_is_counted_by_hand(little: Ground) -> None:
    rows = finding.everywhere(little)
    assert len(rows) == 5
    assert all(row.ratio is not None for row in rows), [row.reason for row in rows]


def test_no_table_with_a_search_index_is_read_through_while_somebody_types(little: Ground) -> None:
    (row,) = finding.plans(little)
    assert row.ok, row.reason


def test_a_plan_that_reads_a_table_through_is_seen() -> None:
    assert finding.reads_through("SCAN contact")
    assert finding.reads_through("Seq Scan on contact  (cost=0.00..2.10 rows=1 width=8)")
    assert not finding.reads_through("SCAN contact_fts VIRTUAL TABLE INDEX 0:M1")
    assert not finding.reads_through("SEARCH contact USING INTEGER PRIMARY KEY (rowid=?)")
    assert not finding.reads_through("Seq Scan on stage  (cost=0.00..2.10 rows=1 width=8)")


def test_totals_and_opened_contacts_agree(little: Ground) -> None:
    (row,) = records.stage_totals(little)
    assert row.ratio is not None, row.reason
