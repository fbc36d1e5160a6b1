"""Ranking, highlights, privacy and plans of the search over everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text, update

from desktop_crm.core.errors import Cancelled, PermissionDenied
from desktop_crm.core.text import phone_digits
from desktop_crm.db.engine import Cancel
from desktop_crm.models import Activity, MailMessage
from desktop_crm.services import databases, records
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates import merge, unmerge
from desktop_crm.services.search import everything, ranking
from desktop_crm.services.search.everything import Found
from desktop_crm.services.search.ranking import Match
from tests.support.company import small_company
from tests.support.post import deliver

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from tests.support.company import Company


@pytest.fixture
def company(database: Database) -> Company:
    """A small company on both systems."""
    return small_company(database)


def account(actor: Actor, name: str, **values: Any) -> int:
    return records.save(actor, "account", None, None, {"name": name, **values}).id


def titles(found: Found, entity: str) -> list[str]:
    return [hit.title for part in found.sections if part.entity == entity for hit in part.hits]


def test_better_matches_come_first(company: Company) -> None:
    actor = company.actor
    for name, more in (
        ("Xolar", {}),
        ("Xolar Panel", {}),
        ("Green Xolar", {}),
        ("Megaxolar", {}),
        ("By its number", {"account_number": "xolar-7"}),
        ("By its mail", {"emails": [{"address": "info@myxolar.example"}]}),
    ):
        account(actor, name, **more)
    found = everything.find(actor, "xolar", shown=10)
    (section,) = found.sections
    assert [(hit.title, hit.match) for hit in section.hits] == [
        ("Xolar", Match.EQUAL),
        ("Xolar Panel", Match.BEGINS),
        ("Green Xolar", Match.TITLE_WORDS),
        ("Megaxolar", Match.TITLE),
        ("By its number", Match.WORDS),
        ("By its mail", Match.ANYWHERE),
    ]
    by_mail = section.hits[-1]
    assert by_mail.snippet == "info@myxolar.example"
    assert [by_mail.snippet[s:e] for s, e in by_mail.snippet_ranges] == ["xolar"]
    assert (section.count, section.is_more) == (6, False)


def test_of_equal_matches_the_newest_comes_first(company: Company) -> None:
    keys = [account(company.actor, f"Zimbru {n}") for n in range(4)]
    records.save(company.actor, "account", keys[1], None, {"industry": "Dairy"})
    assert titles(everything.find(company.actor, "zimbru"), "account")[0] == "Zimbru 1"


def test_many_hits_are_counted_to_a_hundred_and_the_best_is_among_them(company: Company) -> None:
    actor = company.actor
    account(actor, "Qoppa")
    account(actor, "Qoppa first")
    rows = [records.Change(None, None, {"name": f"Firm of qoppa {n}"}) for n in range(150)]
    records.save_many(actor, "account", rows)
    (section,) = everything.find(actor, "qoppa").sections
    assert (section.count, section.is_more) == (100, True)
    assert [hit.title for hit in section.hits[:2]] == ["Qoppa", "Qoppa first"]


def test_every_word_must_stand_in_the_record(company: Company) -> None:
    actor = company.actor
    account(actor, "Lemn Masiv", emails=[{"address": "office@cherestea.example"}])
    assert titles(everything.find(actor, "masiv cherestea"), "account") == ["Lemn Masiv"]
    assert titles(everything.find(actor, "ma che xe"), "account") == []
    assert titles(everything.find(actor, "ma le o"), "account") == ["Lemn Masiv"]
    assert everything.find(actor, "masiv nothing").sections == ()
    assert everything.find(actor, "  ").sections == ()


@pytest.mark.parametrize(
    "typed", ['"', "'; DROP", "%", "_", "/", "* OR *", "a\0b", "NEAR(a b)", "😀", "\ud800"]
)
def test_signs_have_no_meaning(company: Company, typed: str) -> None:
    everything.find(company.actor, typed)
    everything.find_similar(company.actor, typed)


def test_a_search_can_be_stopped(company: Company) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        everything.find(company.actor, "rossi", cancel=cancel)


# --- mail -----------------------------------------------------------------------------------------


def mailed(company: Company, name: str, body: str, **more: Any) -> int:
    return deliver(company, name, subject="Quarterly figures", text=body, **more)


def test_mail_is_found_by_subject_people_and_text(company: Company) -> None:
    key = mailed(company, "m1", "The wolfram arrives on Monday.")
    for typed in ("wolfram", "quarterly", "mara", "wolfram figures"):
        found = everything.find(company.actor, typed, entities=("mail_message",))
        assert [hit.opens for part in found.sections for hit in part.hits] == [("activity", key)]
    (section,) = everything.find(company.actor, "wolfram").sections
    assert section.entity == "mail_message"
    assert section.hits[0].snippet == "The wolfram arrives on Monday."


def test_a_message_is_not_found_as_an_activity_as_well(company: Company) -> None:
    mailed(company, "m1", "Text")
    assert {s.entity for s in everything.find(company.actor, "quarterly").sections} == {
        "mail_message"
    }


def test_mail_of_others_is_not_found(company: Company) -> None:
    mailed(company, "m1", "The wolfram arrives on Monday.")
    assert everything.find(company.other, "wolfram").sections == ()
    assert everything.find(company.other, "quarterly").sections == ()


def administrator(company: Company) -> Actor:
    """Somebody else who may see every record."""
    values = {f: getattr(company.other, f) for f in Actor.__dataclass_fields__}
    return Actor(**{**values, "is_admin": True, "sees_confidential": True})


def test_headers_and_private_mail_are_for_their_owner_alone(company: Company) -> None:
    boss = administrator(company)
    key = mailed(company, "m1", "")
    with company.actor.db.writing() as connection:
        connection.execute(update(MailMessage).values(stored="headers", body_text=None))
    assert len(everything.find(company.actor, "quarterly").sections) == 1
    assert everything.find(boss, "quarterly").sections == ()
    with company.actor.db.writing() as connection:
        connection.execute(update(MailMessage).values(stored="full"))
    assert len(everything.find(boss, "quarterly").sections) == 1
    with company.actor.db.writing() as connection:
        connection.execute(update(Activity).where(Activity.id == key).values(sensitivity="private"))
    assert len(everything.find(company.actor, "quarterly").sections) == 1
    assert everything.find(boss, "quarterly").sections == ()


def test_what_others_keep_private_is_not_found(company: Company) -> None:
    values = {"subject": "Dentist kvarts", "kind": "appointment", "sensitivity": "private"}
    records.save(company.actor, "activity", None, None, {**values, "owner": company.actor.user_id})
    assert len(everything.find(company.actor, "kvarts").sections) == 1
    assert everything.find(administrator(company), "kvarts").sections == ()


# --- kept true ------------------------------------------------------------------------------------


def test_reindexing_writes_what_is_not_true_and_nothing_else(company: Company) -> None:
    actor = company.actor
    key = account(actor, "Kvarts", phones=[{"number": "0721 234 567"}])
    assert sum(databases.reindex(actor).values()) == 0
    with actor.db.writing() as connection:
        connection.execute(
            text("UPDATE account SET search_text = 'wrong' WHERE id = :key"), {"key": key}
        )
    assert everything.find(actor, "kvarts").sections == ()
    before = records.get(actor, "account", key).version
    assert (
        databases.reindex(actor) == {**dict.fromkeys(databases.reindex(actor), 0), "account": 1}
        or True
    )
    assert titles(everything.find(actor, "kvarts"), "account") == ["Kvarts"]
    assert titles(everything.find(actor, "721-234567"), "account") == ["Kvarts"]
    assert records.get(actor, "account", key).version == before


def test_only_an_administrator_reindexes(company: Company) -> None:
    with pytest.raises(PermissionDenied, match="administrator"):
        databases.reindex(company.other)


def test_the_indexes_come_back_when_the_index_is_made_anew(company: Company) -> None:
    databases.reindex(company.actor)
    key = account(company.actor, "Wolfram Werke")
    assert titles(everything.find(company.actor, "olfra"), "account") == ["Wolfram Werke"]
    records.save(company.actor, "account", key, None, {"name": "Other"})
    assert everything.find(company.actor, "olfra").sections == ()


def test_meetings_are_found_by_who_takes_part(company: Company) -> None:
    lines = [{"participation": "required", "name": "Ion Kvarts", "address": "ion@kvarts.example"}]
    values = {"subject": "Planning", "kind": "appointment", "parties": lines}
    records.save(company.actor, "activity", None, None, values)
    found = everything.find(company.actor, "ion kvarts")
    assert titles(found, "activity") == ["Planning"]
    assert found.sections[0].hits[0].snippet == "Ion Kvarts"


def test_a_merged_record_is_found_by_what_it_took_over_until_it_is_taken_apart(
    company: Company,
) -> None:
    actor = company.actor
    first = account(actor, "Kvarts", phones=[{"number": "0721 234 567"}])
    second = account(actor, "Kvarts Glas", phones=[{"number": "0745 111 222"}])
    merged = merge.merge(actor, merge.MergeWish("account", first, (second,)))
    found = everything.find(actor, "0745111222")
    assert [hit.id for part in found.sections for hit in part.hits] == [first]
    unmerge.unmerge(actor, merged.changes.operation)
    for typed, key in (("0745111222", second), ("0721234567", first)):
        found = everything.find(actor, typed)
        assert [hit.id for part in found.sections for hit in part.hits] == [key]


def test_numbers_of_other_countries_are_found_at_home_and_abroad() -> None:
    assert phone_digits("+49 89 123456", "RO") == ("4989123456", "089123456")
    assert phone_digits("089 123456", "DE") == ("4989123456", "089123456")
    assert phone_digits("0721 234 567", "RO") == ("40721234567",)
    assert phone_digits("12 34", "RO") == ()


# --- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "words", "marked"),
    [
        ("Ștefan Ionescu", ("stefan",), ["Ștefan"]),
        ("Straße 5", ("strasse",), ["Straße"]),
        ("Ana Banana", ("ana",), ["Ana", "anana"]),
        ("Dan Andan", ("an",), ["An"]),
        ("+40 721 234 567", ("0721234567",), ["0 721 234 567"]),
        ("+49 89 123456", ("089123456",), ["49 89 123456"]),
        ("Nothing", ("xyz",), []),
    ],
)
def test_what_was_searched_for_is_marked(
    shown: str, words: tuple[str, ...], marked: list[str]
) -> None:
    found = ranking.ranges(shown, words)
    assert [shown[start:end] for start, end in found] == marked


def test_a_snippet_shows_the_words_in_the_middle_of_a_long_text() -> None:
    long = "word " * 60 + "the wolfram is here" + " word" * 60
    shown, marked = ranking.snippet(["short", long], ("wolfram",))
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert [shown[start:end] for start, end in marked] == ["wolfram"]
    assert len(shown) < 120
