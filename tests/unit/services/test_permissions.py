"""What the predicates of single entities hide, and that rights withdrawn are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, NotFound, PermissionDenied, UserError
from desktop_crm.models import AuditEntry, DocumentContent, StageHistory
from desktop_crm.services import audit, boards, context, dashboards, pipeline, query, records, undo
from desktop_crm.services.calendar import agenda
from desktop_crm.services.context import Actor
from desktop_crm.services.query import RecordQuery
from tests.support.world import World


def keys(actor: Actor, entity: str) -> set[int]:
    """Every key an actor sees in a list."""
    return set(query.keys(actor, RecordQuery(entity, ("id",))))


def again(world: World, login: str) -> Actor:
    """The same person signed in anew, with the rights that hold now."""
    return context.sign_in(world.db, login)


def person(world: World, login: str, **levels: str) -> int:
    """A user with a role of their own; returns the key of the role."""
    rights = [
        {"entity": "*" if entity == "every" else entity, **dict.fromkeys(ACTIONS, level)}
        for entity, level in levels.items()
    ]
    role = records.save(world.admin, "role", None, None, {"name": login, "rights": rights}).id
    records.save(world.admin, "user", None, None, {"name": login, "login": login, "role": role})
    return role


ACTIONS = ("read", "create", "edit", "remove")


def test_a_shared_view_is_seen_by_all_and_changed_by_its_maker(world: World) -> None:
    maker, reader = world.people["own"], world.people["all"]
    view = {"name": "Hot", "entity": "lead"}
    made = {
        scope: records.save(maker, "saved_view", None, None, {**view, "scope": scope}).id
        for scope in ("personal", "team", "public")
    }
    assert keys(maker, "saved_view") >= set(made.values())
    assert keys(reader, "saved_view") & set(made.values()) == {made["public"]}
    mate = world.people["mate"]
    assert keys(mate, "saved_view") & set(made.values()) == {made["public"], made["team"]}
    for key in (made["public"], made["team"]):
        assert not records.get(mate, "saved_view", key).can_edit
        with pytest.raises(PermissionDenied):
            records.save(mate, "saved_view", key, 1, {"name": "Mine"})
        with pytest.raises(PermissionDenied):
            records.delete(mate, "saved_view", [key])
    assert records.get(maker, "saved_view", made["public"]).can_edit


def test_mailboxes_are_their_users_alone(world: World) -> None:
    own, boss = world.people["own"], world.people["all"]
    values = world.factory.values("mailbox", user=own.user_id)
    key = records.save(own, "mailbox", None, None, values).id
    item = {"mailbox": key, "folder": "Inbox", "item_key": "1"}
    inside = records.save(world.admin, "mailbox_item", None, None, item).id
    assert key in keys(own, "mailbox")
    assert inside in keys(own, "mailbox_item")
    assert key not in keys(boss, "mailbox")
    assert inside not in keys(boss, "mailbox_item")
    with pytest.raises(PermissionDenied):
        records.save(own, "mailbox", key, None, {"user": boss.user_id})


def test_bytes_of_documents_are_in_no_list(world: World) -> None:
    row = {"sha256": f"{len(world.people)}" * 64, "size_bytes": 3, "content": b"abc"}
    with world.db.writing() as connection:
        connection.execute(insert(DocumentContent), [row])
    assert keys(world.admin, "document_content")
    for name in ("all", "team", "own"):
        assert not keys(world.people[name], "document_content")


def test_the_audit_list_shows_ones_own_deeds_without_values(world: World) -> None:
    own, boss = world.people["own"], world.people["all"]
    key = records.save(own, "account", None, None, {"name": "Seen"}).id
    with world.db.reading() as connection:
        entry = connection.execute(
            select(AuditEntry.id).where(AuditEntry.entity == "account", AuditEntry.record_id == key)
        ).scalar_one()
    assert entry in keys(own, "audit_entry")
    assert entry not in keys(boss, "audit_entry")
    with pytest.raises(UserError, match="no field"):
        query.first_page(own, RecordQuery("audit_entry", ("changes",)))
    with pytest.raises(NotFound):
        audit.history(world.people["stranger"], "account", key)
    assert audit.history(boss, "account", key)[0].by == own.name


def test_stage_changes_are_seen_with_their_opportunity(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    values = {"name": "Deal", "stage": world.factory.make("stage")}
    key = records.save(own, "opportunity", None, None, values).id
    with world.db.reading() as connection:
        moved = connection.execute(
            select(StageHistory.id).where(StageHistory.opportunity_id == key)
        ).scalar_one()
    assert moved in keys(own, "stage_history")
    assert moved not in keys(stranger, "stage_history")


def test_type_ahead_offers_neither_strangers_nor_deleted_records(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    name = "Zyzzyva 100%_\\'\""
    mine = records.save(own, "account", None, None, {"name": name}).id
    theirs = records.save(stranger, "account", None, None, {"name": name}).id
    gone = records.save(own, "account", None, None, {"name": name}).id
    records.delete(own, "account", [gone])
    for typed in ("zyz", "ZYZZYVA", "zyva 100", "100%_", "\\'\"", name, "zy\0z"):
        found = {hit.id for hit in query.suggest(own, "account", typed)}
        assert found & {mine, theirs, gone} == {mine}, typed
    for typed in ("' OR 1=1 --", '"', '" OR "', "*", "NEAR(a b)", "a AND", "%", "_"):
        assert theirs not in {hit.id for hit in query.suggest(own, "account", typed)}
    with pytest.raises(PermissionDenied):
        query.suggest(world.people["none"], "account", "zyz")


@pytest.mark.parametrize("typed", ['"', "'", "a* OR b", "NEAR(x)", "x:y", "-x", "\0", "ș", "% _"])
def test_any_words_can_be_searched_for(world: World, typed: str) -> None:
    for entity in ("account", "unit"):
        query.keys(world.admin, RecordQuery(entity, ("id",), search=typed))
        query.first_page(world.admin, RecordQuery(entity, ("id",), search=f"abc {typed}"))


def test_panes_name_no_record_out_of_sight(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    secret = "Utterly Secret Ltd"
    account = records.save(stranger, "account", None, None, {"name": secret}).id
    stage = records.save(world.admin, "stage", None, None, {"name": "First", "position": -9}).id
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    clock.use_clock(lambda: now)
    start, before, after = (now + timedelta(minutes=n) for n in (5, -60, 60))
    deal = {"name": "Deal", "stage": stage, "account": account, "owner": own.user_id}
    meeting = {
        "kind": "appointment", "subject": "Meeting", "account": account, "owner": own.user_id,
        "start_at": start, "end_at": start + timedelta(minutes=5), "due_at": start,
    }  # fmt: skip
    records.save(world.admin, "opportunity", None, None, deal)
    records.save(world.admin, "activity", None, None, meeting)
    for actor, seen in ((own, False), (world.people["all"], True)):
        day = dashboards.my_day(actor)
        board = boards.board(actor, RecordQuery("opportunity", ()), "stage")
        events = agenda.events(actor, before, after, everybody=True)
        assert "Meeting" in repr(events)
        assert "Deal" in repr(board)
        assert (secret in repr((board, events))) == seen
        if actor is own:
            assert "Meeting" in repr(day)
            assert secret not in repr(day)


# --- rights withdrawn ---------------------------------------------------------------------------


def test_who_may_read_little_or_nothing_gets_panes_without_names(world: World) -> None:
    secret = records.save(world.admin, "account", None, None, {"name": "Utterly Secret Ltd"}).id
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    clock.use_clock(lambda: now)
    person(world, "diary", activity="all")
    records.save(world.admin, "user", None, None, {"name": "New", "login": "freshman"})
    for login in ("diary", "freshman"):
        actor = again(world, login)
        start = now + timedelta(minutes=5)
        meeting = {
            "kind": "appointment", "subject": "Meeting", "account": secret, "start_at": start,
            "owner": actor.user_id, "end_at": start + timedelta(minutes=5), "due_at": start,
        }  # fmt: skip
        records.save(world.admin, "activity", None, None, meeting)
        shown = repr((
            dashboards.my_day(actor),
            agenda.events(actor, now, now + timedelta(minutes=30), everybody=True),
        ))  # fmt: skip
        assert "Meeting" in shown  # one's own diary
        assert "Secret" not in shown
        assert pipeline.my_deals(actor) == ()


def test_what_was_allowed_is_not_undone_or_restored_after_the_right_is_gone(world: World) -> None:
    role = person(world, "leaver", every="all")
    before = again(world, "leaver")
    key = records.save(before, "account", None, None, {"name": "One"}).id
    records.save(before, "account", key, 1, {"name": "Two"})
    other = records.save(before, "account", None, None, {"name": "Other"}).id
    records.delete(before, "account", [other])
    right = records.get(world.admin, "role", role).lines["rights"][0]
    rights = [{**right, **dict.fromkeys(ACTIONS[1:], "none")}]
    records.save(world.admin, "role", role, None, {"rights": rights})
    after = again(world, "leaver")
    for attempt in (
        lambda: undo.undo(after),
        lambda: records.restore(after, "account", [other]),
        lambda: records.save(after, "account", key, 2, {"name": "Three"}),
        lambda: records.new(after, "account"),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert records.get(world.admin, "account", key).title == "Two"


def test_a_deleted_role_and_a_silent_user_grant_nothing(world: World) -> None:
    role = person(world, "ghost", every="all", account="all")
    assert again(world, "ghost").can("account", "read")
    records.delete(world.admin, "role", [role])
    ghost = again(world, "ghost")
    assert not ghost.can("account", "read")
    assert not ghost.sees_confidential
    records.save(world.admin, "user", ghost.user_id, None, {"state": "inactive"})
    with pytest.raises(UserError, match="no active user"):
        again(world, "ghost")


def test_undo_of_somebody_elses_deed_takes_the_right_to_it(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    saved = records.save(own, "account", None, None, {"name": "Mine"})
    with pytest.raises(PermissionDenied):
        undo.undo(stranger, saved.changes.operation)
    undo.undo(world.people["team"], saved.changes.operation)
    with pytest.raises(UserError, match="cannot be undone"):
        undo.undo(own, saved.changes.operation)
    with pytest.raises(UserError, match="nothing to undo"):
        undo.undo(own, "no such operation")


def test_an_import_is_taken_back_by_who_made_it(world: World) -> None:
    own, stranger = world.people["own"], world.people["stranger"]
    batch = records.save(own, "import_batch", None, None, {"name": "f.csv", "entity": "lead"}).id
    change = [records.Change(None, None, {"subject": "Imported"})]
    (key,) = records.save_many(own, "lead", change, batch).ids
    with pytest.raises(PermissionDenied):
        undo.undo_batch(stranger, batch)
    undo.undo_batch(own, batch)
    assert key not in keys(own, "lead")
    assert records.get(own, "import_batch", batch).values["state"] == "undone"
    with pytest.raises(UserError, match="undone already"):
        undo.undo_batch(own, batch)
    undo.redo(own)
    assert records.get(own, "import_batch", batch).values["state"] == "applied"
    undo.undo(own)
    assert records.get(own, "import_batch", batch).values["state"] == "undone"


# --- who may give rights ------------------------------------------------------------------------


def test_nobody_becomes_administrator_by_themselves(world: World) -> None:
    person(world, "clerk", every="all", user="all", role="all", role_right="all", team="all")
    clerk = again(world, "clerk")
    assert clerk.user_id is not None
    admin_role = records.get(world.admin, "user", world.admin.user_id or 0).values["role"]
    for entity, key, values in (
        ("user", clerk.user_id, {"role": admin_role}),
        ("user", None, {"name": "x", "role": admin_role}),
        ("user", world.admin.user_id, {"login": "stolen"}),
        ("user", world.admin.user_id, {"state": "inactive"}),
        ("role", None, {"name": "x", "is_admin": True}),
        ("role", admin_role, {"sees_confidential": True}),
    ):
        with pytest.raises(CrmError):
            records.save(clerk, entity, key, None, values)
    with pytest.raises(CrmError):
        records.delete(clerk, "role", [admin_role])
    made = records.save(clerk, "user", None, None, {"name": "New colleague", "login": "new"}).id
    assert records.get(world.admin, "user", made).values["role"] is None


def test_the_last_administrator_stays(world: World) -> None:
    admin, key = world.admin, world.admin.user_id
    assert key is not None
    role = records.get(admin, "user", key).values["role"]
    plain = records.save(admin, "role", None, None, {"name": "Plain"}).id
    for values in ({"state": "inactive"}, {"login": None}, {"role": plain}, {"role": None}):
        with pytest.raises(UserError, match="last administrator"):
            records.save(admin, "user", key, None, values)
    with pytest.raises(UserError, match="last administrator"):
        records.delete(admin, "user", [key])
    with pytest.raises(UserError, match="last administrator"):
        records.save(admin, "role", role, None, {"is_admin": False})
    with pytest.raises(UserError, match="last administrator"):
        records.delete(admin, "role", [role])
    second = {"name": "Second", "login": "second", "role": role}
    other = records.save(admin, "user", None, None, second).id
    records.save(admin, "user", key, None, {"login": "renamed"})
    records.delete(admin, "user", [other])
    records.save(admin, "user", key, None, {"login": admin.login})


# --- who acts -----------------------------------------------------------------------------------


def test_who_may_act_as_somebody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert context.sign_in(world.db, "own").user_id == world.people["own"].user_id
    monkeypatch.setattr(context, "own_login", lambda db: "OWN")
    assert context.sign_in(world.db).user_id == world.people["own"].user_id
    assert context.sign_in(world.db, "own").user_id == world.people["own"].user_id
    with pytest.raises(UserError, match="Only an administrator"):
        context.sign_in(world.db, "all")
    monkeypatch.setattr(context, "own_login", lambda db: "nobody here")
    with pytest.raises(UserError, match="no active user"):
        context.sign_in(world.db)
    if world.db.is_shared:
        with pytest.raises(UserError, match="Only an administrator"):
            context.sign_in(world.db, "all")
