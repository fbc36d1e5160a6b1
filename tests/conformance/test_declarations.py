"""Every entity says enough about itself, and says it rightly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from desktop_crm import models  # noqa: F401  registers the entities
from desktop_crm.core.formats import Formats
from desktop_crm.core.paths import resource
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import SYSTEM_FIELDS, BoundField, Entity
from desktop_crm.models.activity import REGARDING
from desktop_crm.services.values import decode, encode
from scripts import i18n
from tests.factories import Factory

ENTITIES = registry.all()
FORMATS = [Formats("en"), Formats("ro")]


@pytest.fixture(scope="session")
def marked() -> set[str]:
    texts = (text if isinstance(text, tuple) else (text,) for text in i18n.texts())
    return set(itertools.chain.from_iterable(texts))


def _labels(entity: Entity) -> Iterator[str]:
    yield from (entity.label, entity.plural)
    yield from (section.label for section in entity.form)
    for field in entity.fields.values():
        yield field.label
        yield from filter(None, [field.help])
        yield from (label for _, label in field.choices)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_every_label_is_there_and_in_the_catalogue(entity: Entity, marked: set[str]) -> None:
    labels = list(_labels(entity))
    assert all(labels)
    assert [label for label in labels if label not in marked] == []


def test_what_an_activity_can_be_about_is_what_it_links_to() -> None:
    """One list says it for mail, tasks and meetings alike; a link that is added is on it."""
    links = {
        field.name: field.target
        for field in registry.get("activity").fields.values()
        if field.kind is kinds.LINK and field.target != "user" and not field.read_only
    }
    about = {name: target for name, target in links.items() if name == target}
    assert set(about) == set(REGARDING)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_arrangement_names_fields_a_person_may_know(entity: Entity) -> None:
    rows = [row for section in entity.form for row in section.rows]
    form = [name for row in rows for name in ((row,) if isinstance(row, str) else row)]
    assert len(form) == len(set(form)), "a field stands twice in the form"
    for name in (*form, *entity.columns):
        assert not entity.fields[name].hidden, f"{name} is hidden, yet shown"
    for name in entity.columns:
        assert entity.fields[name].kind not in {kinds.LINES, kinds.IMAGE}
        assert entity.fields[name].level.value == "normal", f"{name} is not for everybody"
    order = entity.order.lstrip("-")
    assert not order or order in entity.fields
    assert not entity.subtitle or entity.subtitle in entity.fields


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_a_form_offers_every_field_a_person_must_fill_in(entity: Entity) -> None:
    rows = [row for section in entity.form for row in section.rows]
    form = {name for row in rows for name in ((row,) if isinstance(row, str) else row)}
    needed = {f.name for f in entity.fields.values() if f.required and not f.hidden}
    if any(not entity.fields[name].read_only for name in form - needed):
        assert needed <= form


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_the_icon_exists(entity: Entity) -> None:
    found = list(resource("icons").glob(f"**/*{entity.icon}*.svg"))
    assert found, entity.icon


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_lines_lead_to_children_that_lead_back(entity: Entity) -> None:
    for lines in entity.lines:
        child = registry.get(lines.entity)
        back = child.fields[lines.via.removesuffix("_id")]
        assert back.target == entity.key
        assert back.name in child.parent, "rights of the line come from its parent"
        assert set(lines.columns) <= child.fields.keys()


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_links_lead_to_entities(entity: Entity) -> None:
    links = [f for f in entity.fields.values() if f.kind is kinds.LINK]
    assert all(registry.find(field.target) for field in links)
    assert all(entity.fields[name].kind is kinds.LINK for name in entity.parent)


def _shown(field: BoundField) -> bool:
    unshown = {kinds.LINK, kinds.LINES, kinds.IMAGE}
    return field.name not in SYSTEM_FIELDS and field.kind not in unshown


@pytest.mark.parametrize("formats", FORMATS, ids=lambda f: f.language)
@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_what_is_shown_can_be_typed_back(entity: Entity, formats: Formats) -> None:
    for number in (3, 9_999):
        for field in filter(_shown, entity.fields.values()):
            value = Factory.value(Factory, field, number)  # type: ignore[arg-type]
            assert field.parse(field.display(value, formats), formats) == value, field.name
    for field in entity.fields.values():
        for code, _label in field.choices:
            assert field.parse(field.display(code, formats), formats) == code
            assert field.parse(code, formats) == code


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.key)
def test_the_audit_trail_keeps_a_value_as_it_is(entity: Entity) -> None:
    for field in filter(_shown, entity.fields.values()):
        value = Factory.value(Factory, field, 77)  # type: ignore[arg-type]
        assert decode(field, encode(value)) == value, field.name
