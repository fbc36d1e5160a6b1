"""Fields of one's own, choice lists and form layouts: what the service does on both systems."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from desktop_crm.core.errors import PermissionDenied, UserError, ValidationFailed
from desktop_crm.db.engine import Database
from desktop_crm.meta import registry
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services import audit, boards, history, query, records, saved_views, undo, views
from desktop_crm.services.bulk.edits import FieldEdit, edit
from desktop_crm.services.bulk.job import Targets
from desktop_crm.services.context import Actor, sign_in, system_actor
from desktop_crm.services.customizing import choices, definitions, fields, forms, layout
from desktop_crm.services.customizing.layout import Layout, Part, Tab
from desktop_crm.services.filters import NEVER, Rule, parse
from desktop_crm.services.list_layout import Density, Format, ListLayout
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.rules import customizing
from tests.support.company import small_company

VALUES: dict[FieldKind, Any] = {
    FieldKind.TEXT: "Ștefan",
    FieldKind.MULTILINE: "one\ntwo",
    FieldKind.EMAIL: "a@b.example",
    FieldKind.PHONE: "+40 21 1234567",
    FieldKind.URL: "https://b.example",
    FieldKind.INTEGER: 7,
    FieldKind.QUANTITY: Decimal("1.250000"),
    FieldKind.MONEY: Decimal("9.5000"),
    FieldKind.PERCENT: Decimal("19.000000"),
    FieldKind.BOOLEAN: True,
    FieldKind.DATE: date(2026, 3, 2),
    FieldKind.DATETIME: datetime(2026, 3, 2, 8, tzinfo=UTC),
    FieldKind.CHOICE: "gold",
}


@pytest.fixture
def admin(database: Database) -> Actor:
    """An administrator of a new database with a small company."""
    return small_company(database).actor


def add(actor: Actor, entity: str, kind: FieldKind, label: str, **more: Any) -> str:
    """Add a field and tell its name."""
    assert fields.add(actor, entity, kind, label, **more).touches("custom_field")
    return next(f.name for f in fields.of_entity(actor, entity) if f.label == label)


def account(actor: Actor, **values: Any) -> int:
    """Make an account."""
    return records.save(actor, "account", None, None, {"name": "Nord", **values}).id


def test_a_field_of_every_kind_holds_its_value(admin: Actor) -> None:
    key = account(admin)
    kept = {}
    for kind, value in VALUES.items():
        more = {"values": ["Gold", "Silver"]} if kind is FieldKind.CHOICE else {}
        kept[add(admin, "account", kind, f"Own {kind.label}", **more)] = value
    contact = add(admin, "account", FieldKind.LINK, "Adviser", target="contact")
    claire = query.keys(admin, RecordQuery("contact", ("id",)))[0]
    before = records.get(admin, "account", key)
    assert [before.values[n] for n in kept] == [
        False if kind is FieldKind.BOOLEAN else None for kind in VALUES
    ]
    kept[contact] = claire
    records.save(admin, "account", key, before.version, kept)
    read = records.get(admin, "account", key)
    assert {n: read.values[n] for n in kept} == kept
    assert read.titles[contact] == "Claire Dubois"
    named = {f.label: f.name for f in fields.of_entity(admin, "account")}
    asked = parse(f'{named["Own Whole number"]} = 7 and {contact} starts "Cla"', "account")
    shown = RecordQuery("account", (contact, f"{contact}.full_name"), asked)
    assert [row.values for row in query.first_page(admin, shown)] == [("Claire Dubois",) * 2]


def test_a_database_without_the_columns_works_after_one_with_them(
    admin: Actor, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    name = add(admin, "account", FieldKind.BOOLEAN, "Vegan")
    shutil.copyfile(request.getfixturevalue("_sqlite_template"), tmp_path / "other.db")
    other = Database.open(f"sqlite:///{tmp_path / 'other.db'}")
    with registry.as_declared():
        # As a new database is filled while another one is open.
        assert name not in registry.get("account").fields
        records.save(system_actor(other), "account", None, None, {"name": "Before"})
    mine = small_company(other).actor
    assert name not in registry.get("account").fields
    key = account(mine)
    records.save(mine, "account", key, None, {"name": "Süd"})
    records.delete(mine, "account", [key])
    other.close()
    definitions.load(admin.db)
    assert name in registry.get("account").fields
    assert records.get(admin, "account", account(admin)).values[name] is False


def test_labels_are_there_and_stand_once(admin: Actor) -> None:
    add(admin, "account", FieldKind.TEXT, "Shoe size")
    for label in ("", "   ", "shoe  SIZE", "Name", "nume", "x" * 81):
        with pytest.raises(ValidationFailed):
            fields.add(admin, "account", FieldKind.TEXT, label)
    with admin.db.reading() as connection:
        stands = {c["name"] for c in inspect(connection).get_columns("account")}
    assert len([name for name in stands if name.startswith("x_")]) == 1
    add(admin, "contact", FieldKind.TEXT, "Shoe size")  # another entity


def test_only_administrators_define_anything(admin: Actor) -> None:
    plain = replace(sign_in(admin.db, "dan"))
    with pytest.raises(PermissionDenied):
        fields.add(plain, "account", FieldKind.TEXT, "Mine")
    with pytest.raises(PermissionDenied):
        forms.save(plain, "account", Layout((Tab("A", (Part("B", (("name",),)),)),)))
    source = choices.of_field(registry.get("lead"), "source")
    assert source is not None
    with pytest.raises(PermissionDenied):
        choices.add(plain, source, "Mine")
    assert fields.of_entity(plain, "account") == []


def test_kind_and_name_stand_for_ever_and_the_label_changes(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.TEXT, "Shoe size")
    (field,) = fields.of_entity(admin, "account")
    fields.change(admin, field, {"label": "Size", "help_text": "In Paris points."})
    now = registry.get("account").fields[name]
    assert (now.label, now.help) == ("Size", "In Paris points.")
    for values in ({"kind": "integer"}, {"name": "x_a"}, {"entity": "contact"}):
        with pytest.raises(ValidationFailed):
            records.save(admin, "custom_field", field.id, None, values)
    undo.undo(admin)
    assert registry.get("account").fields[name].label == "Shoe size"


def test_a_retired_field_keeps_its_values_and_comes_back_with_them(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.TEXT, "Shoe size")
    key = account(admin, **{name: "41"})
    form = records.get(admin, "account", key)
    (field,) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    assert name not in registry.get("account").fields
    with pytest.raises(ValidationFailed) as told:
        records.save(admin, "account", key, form.version, {"name": "Süd", name: "42"})
    assert "“Shoe size” was retired" in str(told.value)
    assert "“42”" in str(told.value)
    assert records.get(admin, "account", key).values["name"] == "Nord"
    asks: tuple[Callable[[], object], ...] = (
        lambda: query.first_page(admin, RecordQuery("account", (name,))),
        lambda: query.first_page(admin, RecordQuery("account", (), Rule(name, "=", "41"))),
        lambda: parse(f"{name} = 41", "account"),
        lambda: edit(admin, Targets("account", [key]), [FieldEdit(name, value="42")]),
    )
    for ask in asks:
        with pytest.raises(UserError, match="The field “Shoe size” was retired"):
            ask()
    fields.bring_back(admin, field)
    assert records.get(admin, "account", key).values[name] == "41"


def test_views_boards_and_formats_follow_a_field_of_ones_own(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.CHOICE, "Grade", values=("Gold", "Silver"))
    codes = [option.code for option in registry.get("account").fields[name].options]
    account(admin, **{name: codes[0]})
    account(admin)
    columns = boards.board(admin, RecordQuery("account", ()), name)
    counts = {column.title: column.count for column in columns}
    assert counts == {"Gold": 1, "Silver": 0, "Not set": counts["Not set"]}
    gold = Rule(name, "=", codes[0])
    kept = ListLayout(columns=("name", name), filter=gold, board=name, group=name,
                      formats=(Format(gold, "ok"),))  # fmt: skip
    views.create(admin, "account", "Golden", kept)
    (field,) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    (view,) = saved_views.load(admin, "account")
    assert view.layout == ListLayout(columns=("name",), formats=(Format(NEVER, "ok"),))
    assert "not there: Grade." in view.note
    with pytest.raises(UserError):
        boards.board(admin, RecordQuery("account", ()), name)
    views.update(admin, view, replace(view.layout, density=Density.COMPACT))
    fields.bring_back(admin, field)
    (again,) = saved_views.load(admin, "account")
    assert again.layout == replace(kept, density=Density.COMPACT)
    assert again.note == ""


@pytest.mark.parametrize("kind", list(FieldKind))
def test_the_history_still_says_what_a_retired_field_held(admin: Actor, kind: FieldKind) -> None:
    more: dict[str, Any] = {"target": "contact"} if kind is FieldKind.LINK else {}
    if kind is FieldKind.CHOICE:
        more["values"] = ("Gold", "Silver")
    name = add(admin, "account", kind, "Mark", **more)
    ada = records.save(admin, "contact", None, None, {"last_name": "Ada"}).id
    value = ada if kind is FieldKind.LINK else VALUES[kind]
    key = account(admin)
    records.save(admin, "account", key, None, {name: value})
    before, *_ = [line for line in history.lines(admin, "account", key) if line.field == name]
    (field,) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    line, *_ = [line for line in history.lines(admin, "account", key) if line.field == name]
    assert (line.label, line.old, line.new) == ("Mark", before.old, before.new)
    assert line.new
    assert not line.can_restore
    fields.bring_back(admin, fields.of_entity(admin, "account")[0])


def test_what_a_retired_field_held_can_still_be_undone(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.TEXT, "Shoe size")
    key = account(admin, **{name: "41"})
    records.save(admin, "account", key, None, {name: "42"})
    (step,) = [audit.history(admin, "account", key)[0]]
    (field,) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    undo.undo(admin, step.operation)
    fields.bring_back(admin, field)
    assert records.get(admin, "account", key).values[name] == "41"


def test_adding_a_field_is_one_step_of_undo(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.CHOICE, "Class", values=["Gold", "Gold+", "Tin"])
    codes = [code for code, _ in registry.get("account").fields[name].choices]
    assert codes == ["gold", "gold_2", "tin"]
    undo.undo(admin)
    assert name not in registry.get("account").fields
    undo.redo(admin)
    assert [c for c, _ in registry.get("account").fields[name].choices] == codes


def test_a_required_field_asks_new_records_only(admin: Actor) -> None:
    key = account(admin)
    name = add(admin, "account", FieldKind.TEXT, "Segment", is_required=True)
    assert registry.get("account").fields[name].required
    with pytest.raises(ValidationFailed, match="Segment"):
        account(admin)
    records.save(admin, "account", key, None, {"name": "Süd"})
    account(admin, **{name: "A"})


def test_an_entity_takes_no_more_than_two_hundred(
    admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customizing, "MOST_FIELDS", 2)
    add(admin, "unit", FieldKind.TEXT, "One")
    add(admin, "unit", FieldKind.TEXT, "Two")
    with pytest.raises(ValidationFailed, match="2 fields of your own"):
        fields.add(admin, "unit", FieldKind.TEXT, "Three")


def test_a_confidential_field_is_known_to_few(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.TEXT, "Margin", is_confidential=True)
    key = account(admin, **{name: "high"}, owner=sign_in(admin.db, "dan").user_id)
    plain = sign_in(admin.db, "dan")
    assert name not in records.get(plain, "account", key).values
    with pytest.raises(UserError):
        query.first_page(plain, RecordQuery("account", (name,)))
    with pytest.raises(PermissionDenied):
        records.save(plain, "account", key, None, {name: "low"})
    (field,) = fields.of_entity(admin, "account")
    with pytest.raises(ValidationFailed, match="confidential"):
        fields.change(admin, field, {"is_searchable": True})


def test_older_records_are_found_by_a_field_that_became_searched(
    admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "_FOLDED_AT_ONCE", 2)
    name = add(admin, "account", FieldKind.TEXT, "Nickname")
    keys = [account(admin, **{name: f"Țestoasă {n}"}) for n in range(5)]
    words = RecordQuery("account", ("name",), search="testoasa")
    assert not query.keys(admin, words)
    (field,) = fields.of_entity(admin, "account")
    fields.change(admin, field, {"is_searchable": True})
    assert definitions.unfolded() == {"account"}
    versions = [records.get(admin, "account", key).version for key in keys]
    assert fields.refold(admin, "account") == 5
    assert definitions.unfolded() == frozenset()
    assert sorted(query.keys(admin, words)) == keys
    assert [records.get(admin, "account", key).version for key in keys] == versions
    undo.undo(admin)
    assert definitions.unfolded() == {"account"}
    fields.refold(admin, "account")
    assert not query.keys(admin, words)


def test_a_field_that_is_not_searched_comes_and_goes_without_a_look_at_older_records(
    admin: Actor,
) -> None:
    add(admin, "account", FieldKind.TEXT, "Nickname")
    (field,) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    assert definitions.unfolded() == frozenset()
    undo.undo(admin)
    assert definitions.unfolded() == frozenset()


@pytest.mark.parametrize("values", [(), (" ", "")])
def test_a_choice_without_values_is_refused(admin: Actor, values: tuple[str, ...]) -> None:
    with pytest.raises(ValidationFailed, match="at least one value") as refused:
        add(admin, "account", FieldKind.CHOICE, "Grade", values=values)
    assert [error.field for error in refused.value.errors] == ["values"]
    assert fields.of_entity(admin, "account") == []


def test_values_of_a_free_list_come_and_go(admin: Actor) -> None:
    source = choices.of_field(registry.get("lead"), "source")
    assert source is not None
    choices.add(admin, source, "Radio ș")
    choices.change(admin, source, "cold_call", label="Calls", tone="ok")
    choices.change(admin, source, "employee", is_active=False)
    with pytest.raises(ValidationFailed, match="already"):
        choices.add(admin, source, "radio s")
    for entity in ("lead", "opportunity"):
        field = registry.get(entity).fields["source"]
        assert field.labels["radio_s"] == "Radio ș"
        assert field.labels["cold_call"] == "Calls"
        assert field.tones["cold_call"] == "ok"
        assert "employee" in field.labels
        assert "employee" not in dict(field.offered)
    key = records.save(
        admin, "lead", None, None, {"last_name": "A", "subject": "B", "source": "employee"}
    ).id
    assert records.get(admin, "lead", key).values["source"] == "employee"
    codes = [option.code for option in registry.get("lead").fields["source"].options]
    choices.reorder(admin, source, codes[::-1])
    now = registry.get("lead").fields["source"].options
    assert [option.code for option in now][-1] == codes[0]


def test_values_the_program_depends_on_are_only_renamed(admin: Actor) -> None:
    state = choices.of_field(registry.get("lead"), "state")
    assert state is not None
    assert not state.is_free
    choices.change(admin, state, "open", label="New here")
    assert registry.get("lead").fields["state"].labels["open"] == "New here"
    with pytest.raises(ValidationFailed, match="depends on"):
        choices.change(admin, state, "open", is_active=False)
    with pytest.raises(ValidationFailed, match="depends on"):
        choices.add(admin, state, "Maybe")
    choices.restore(admin, state)
    assert registry.get("lead").fields["state"].labels["open"] == "Open"


def test_a_form_is_arranged_and_goes_back(admin: Actor) -> None:
    name = add(admin, "account", FieldKind.TEXT, "Shoe size")
    standard = registry.get("account").form
    assert name in layout.names(standard)
    hidden = tuple(n for n in layout.names(standard) if n not in {"name", "city", name})
    hidden = tuple(n for n in hidden if not registry.get("account").fields[n].required)
    kept = [n for n in layout.names(standard) if n not in {*hidden, "name", "city", name}]
    wanted = Layout(
        (
            Tab("Main", (Part("Who", (("name", "city"), *((n,) for n in kept))),)),
            Tab("More", (Part("Own", ((name,),)), Part("Empty"))),
        ),
        hidden,
    )
    forms.save(admin, "account", wanted)
    form = registry.get("account").form
    assert [(s.tab, s.label) for s in form] == [("Main", "Who"), ("More", "Own")]
    later = add(admin, "account", FieldKind.TEXT, "Later")
    assert registry.get("account").form[-1].rows == ((later,),)
    (field, _) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    assert name not in layout.names(registry.get("account").form)
    fields.bring_back(admin, field)
    assert name in layout.names(registry.get("account").form)
    forms.reset(admin, "account")
    assert layout.names(registry.get("account").form)[: len(layout.names(standard))] == (
        layout.names(standard)
    )


@pytest.mark.parametrize(
    ("rows", "hidden", "told"),
    [
        ((("nothing",),), (), "no field “nothing”"),
        ((("name",), ("name",)), (), "stands twice"),
        ((("city",),), ("name",), "must be filled in"),
        ((("name", "city", "phone", "email"),), (), "at most 3"),
        ((), (), "at least one"),
    ],
)
def test_a_wrong_form_is_refused(
    admin: Actor, rows: tuple[tuple[str, ...], ...], hidden: tuple[str, ...], told: str
) -> None:
    before = registry.get("account").form
    with pytest.raises(ValidationFailed, match=told):
        forms.save(admin, "account", Layout((Tab("A", (Part("B", rows),)),), hidden))
    assert registry.get("account").form == before


def test_loading_again_costs_one_statement_and_changes_nothing(admin: Actor) -> None:
    add(admin, "account", FieldKind.TEXT, "Shoe size")
    edition = registry.edition()
    assert not definitions.load(admin.db)
    assert registry.edition() == edition
    with registry.as_declared():
        assert not definitions.load(admin.db)


def test_a_retired_link_leads_nowhere_once_its_record_is_gone_for_good(admin: Actor) -> None:
    from desktop_crm.services import purge

    name = add(admin, "account", FieldKind.LINK, "Partner", target="account")
    partner = account(admin)
    key = account(admin, **{name: partner})
    (field,) = fields.of_entity(admin, "account")
    fields.retire(admin, field)
    records.delete(admin, "account", [partner])
    purge.purge(admin, [("account", partner)])
    fields.bring_back(admin, field)
    assert records.get(admin, "account", key).values[name] is None
