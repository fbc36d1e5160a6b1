"""What points to a record: found for every entity, counted in one statement, listed in one each."""

from __future__ import annotations

import pytest

from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import query, records, undo
from desktop_crm.services.filters import Rule
from desktop_crm.services.incoming_links import IncomingLink, counts, incoming_links
from desktop_crm.services.query import RecordQuery
from tests.support.statements import counted
from tests.support.world import World

TARGETS = {field.target for entity in registry.all() for field in entity.fields.values()}
POINTED_AT = tuple(e for e in registry.all() if e.is_record and e.key in TARGETS)
MADE_OTHERWISE = frozenset({"quote.price_list"})
"""Links that a rule takes only together with other values."""
ASKED_FOR = frozenset({"quote.currency"})
"""Links that a rule asks for although the column may be empty."""
OF_ITS_USER = frozenset({"mailbox.user"})
"""Links that only the person they lead to may cut."""
KEPT = MADE_OTHERWISE | ASKED_FOR | OF_ITS_USER
every_target = pytest.mark.parametrize("entity", POINTED_AT, ids=lambda e: e.key)


def listed(world: World, link: IncomingLink, record_id: int) -> list[int]:
    """Keys of the list of a link."""
    other = registry.get(link.entity)
    asked = RecordQuery(other.key, other.columns, Rule(link.via, "=", record_id))
    return [row.id for row in query.first_page(world.admin, asked)]


@every_target
def test_related_lists_take_one_statement_each(world: World, entity: Entity) -> None:
    record_id = world.factory.make(entity.key)
    links = incoming_links(world.admin, entity.key)
    for _again in range(2):
        with counted(world.db) as statements:
            found = counts(world.admin, entity.key, record_id)
        assert len(statements) == bool(links)
        assert set(found) == set(links)
    for link in links:
        with counted(world.db) as statements:
            listed(world, link, record_id)
        assert len(statements) == 1, link


@every_target
def test_what_points_to_a_record_is_counted_and_listed(world: World, entity: Entity) -> None:
    record_id = world.factory.make(entity.key)
    for link in incoming_links(world.admin, entity.key):
        other = registry.get(link.entity)
        before = counts(world.admin, entity.key, record_id)[link]
        if not other.is_record or link.field.read_only or link.key in MADE_OTHERWISE:
            continue
        made = world.factory.make(other.key, **{link.via: record_id})
        stored = records.get(world.admin, other.key, made).values[link.via]
        if stored != record_id:
            continue  # a rule decides about this link
        assert counts(world.admin, entity.key, record_id)[link] == before + 1
        assert made in listed(world, link, record_id)
        records.delete(world.admin, other.key, [made])
        assert counts(world.admin, entity.key, record_id)[link] == before
        assert made not in listed(world, link, record_id)


@every_target
def test_a_record_leaves_a_list_and_undo_brings_it_back(world: World, entity: Entity) -> None:
    record_id = world.factory.make(entity.key)
    for link in incoming_links(world.admin, entity.key):
        if not link.can_unlink(world.admin) or link.key in KEPT:
            continue
        made = world.factory.make(link.entity, **{link.via: record_id})
        if made not in listed(world, link, record_id):
            continue
        now = records.get(world.admin, link.entity, made)
        records.save(world.admin, link.entity, made, now.version, {link.via: None})
        if made in listed(world, link, record_id):
            continue  # a rule fills it in again
        undo.undo(world.admin)
        assert made in listed(world, link, record_id)


def test_only_what_one_may_read_is_counted(world: World) -> None:
    admin, own = world.admin, world.people["own"]
    account = world.factory.make("account", owner=own.user_id)
    world.factory.make("contact", account=account, owner=own.user_id)
    world.factory.make("contact", account=account, owner=admin.user_id)
    link = IncomingLink("contact", "account")
    assert counts(admin, "account", account)[link] == 2
    assert counts(own, "account", account)[link] == 1
    assert link not in counts(world.people["none"], "account", account)


def test_links_are_told_apart_by_their_names(world: World) -> None:
    labels = {link.key: link.label for link in incoming_links(world.admin, "account")}
    assert labels["contact.account"] == "Contacts"
    assert labels["account.parent"] == "Accounts · Parent account"
    assert len(set(labels.values())) == len(labels)
    assert not any(key.startswith(("email_address.", "link.")) for key in labels)
