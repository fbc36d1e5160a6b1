"""Rules of what administrators define: fields of their own, values of choices, form layouts.

They hold whoever writes the row: the designer, the command line, a file or an undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.core.i18n import N_, tr, translate
from desktop_crm.core.text import clean, fold
from desktop_crm.db.own_columns import add_column
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import Entity
from desktop_crm.models import ChoiceOption, CustomField
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services import records_kept
from desktop_crm.services.customizing import columns, definitions, layout
from desktop_crm.services.drafts import Draft, Work

MOST_FIELDS: Final = 200
"""Fields of one's own an entity takes, retired ones included; far below the databases' limits."""
_FIELDS: Final[Any] = CustomField.__table__
_OPTIONS: Final[Any] = ChoiceOption.__table__
_CODE_LENGTH: Final = 40


def only_administrators(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse everybody else.

    Raises:
        PermissionDenied: The user is no administrator.
    """
    if not work.actor.is_admin:
        raise PermissionDenied(
            N_(
                "Only an administrator may change fields, choice lists and forms. Ask yours to "
                "do it."
            )
        )


def own_field(work: Work, drafts: Sequence[Draft]) -> None:
    """Check fields of one's own and add the columns of new ones; one statement for each entity."""
    for draft in drafts:
        _keep(work, draft, ("entity", "name", "kind", "target"))
        if draft.errors:
            continue
        entity = _entity(draft)
        if entity is None:
            continue
        rows = _siblings(work, entity)
        _check_label(draft, entity, rows)
        _check_search(draft)
        if draft.is_new:
            _check_new(draft, entity, rows)
        elif _changes_search(draft):
            draft.set("folded_to", 0)
        if draft.is_new and not draft.errors:
            add_column(
                work.connection,
                entity.table,
                columns.column(draft.get("name"), draft.get("kind")),
                draft.get("kind"),
            )


def _keep(work: Work, draft: Draft, names: Iterable[str]) -> None:
    """Refuse to change what stands for ever: stored values and columns depend on it."""
    for name in names:
        if not draft.is_new and draft.changes(name):
            draft.fail(
                name,
                N_("{label} cannot be changed afterwards. Make another {record} instead."),
                label=tr(work.entity.fields[name].label),
                record=tr(work.entity.label).lower(),
            )


def _entity(draft: Draft) -> Entity | None:
    found = next((e for e in definitions.customizable() if e.key == draft.get("entity")), None)
    if found is None:
        draft.fail("entity", N_("“{entity}” takes no fields."), entity=draft.get("entity"))
    return found


def _siblings(work: Work, entity: Entity) -> list[Any]:
    statement = select(_FIELDS.c.id, _FIELDS.c.label, _FIELDS.c.position).where(
        _FIELDS.c.entity == entity.key, _FIELDS.c.deleted_at.is_(None)
    )
    return list(work.connection.execute(statement))


def _check_label(draft: Draft, entity: Entity, rows: Sequence[Any]) -> None:
    if not draft.changes("label"):
        return
    label = clean(str(draft.get("label") or ""))
    draft.set("label", label)
    with registry.as_declared():
        fields = [f for f in registry.get(entity.key).fields.values() if not f.hidden]
    taken = {fold(translate(code, f.label)) for f in fields for code in ("en", "ro")}
    taken |= {fold(row.label) for row in rows if row.id != draft.id}
    if label and fold(label) in taken:
        draft.fail(
            "label",
            N_("{entity} has a field “{label}” already. Choose another label."),
            entity=tr(entity.label),
            label=label,
        )


def _changes_search(draft: Draft) -> bool:
    """Whether records are found by other words than before."""
    comes_or_goes = draft.changes("state") and bool(draft.get("is_searchable"))
    return comes_or_goes or draft.changes("is_searchable")


def _check_search(draft: Draft) -> None:
    if not draft.get("is_searchable"):
        return
    if draft.get("kind") not in columns.SEARCHABLE:
        draft.fail("is_searchable", N_("Only fields with a text can be searched."))
    elif draft.get("is_confidential"):
        draft.fail(
            "is_searchable",
            N_("A confidential field cannot be searched: what is found would tell its value."),
        )


def _check_new(draft: Draft, entity: Entity, rows: Sequence[Any]) -> None:
    kind = draft.get("kind")
    if kind == FieldKind.LINK:
        target = registry.find(draft.get("target") or "")
        if target is None or not target.is_record or "title_key" not in target.fields:
            draft.fail("target", N_("Choose what the field links to."))
    else:
        draft.set("target", None)
    if len(rows) >= MOST_FIELDS:
        draft.fail(
            "label",
            N_(
                "{entity} has {limit} fields of your own already, which is the most there can "
                "be. Offer a retired one again instead."
            ),
            entity=tr(entity.label),
            limit=MOST_FIELDS,
        )
    draft.set("name", columns.new_name(str(draft.get("label") or "")))
    draft.set("position", max((row.position for row in rows), default=0) + 1)


def fold_later(work: Work, drafts: Sequence[Draft]) -> None:
    """After an undo: have the search text of older records looked through again."""
    ids = [draft.id for draft in drafts if _changes_search(draft)]
    if ids:
        records_kept.set_where(
            work.connection, CustomField, _FIELDS.c.id.in_(ids), {"folded_to": 0}
        )


def choice_value(work: Work, drafts: Sequence[Draft]) -> None:
    """Check values of choice lists; one statement for each."""
    for draft in drafts:
        _keep(work, draft, ("entity", "field", "code"))
        entity = registry.find(str(draft.get("entity") or ""))
        field = entity.stored.get(str(draft.get("field") or "")) if entity else None
        if field is None or field.kind is not kinds.CHOICE:
            draft.fail(
                "field",
                N_("“{field}” has no list of values. Choose a field that has one."),
                field=draft.get("field"),
            )
            continue
        if draft.is_new:
            _check_code(work, draft)
        _check_value_label(work, draft, field.options)
        builtin = {option.code for option in field.options}
        if not field.free and draft.get("code") not in builtin:
            draft.fail(
                "code",
                N_("The program depends on the values of {field}; none can be added."),
                field=tr(field.label),
            )
        elif not field.free and not draft.get("is_active"):
            draft.fail(
                "is_active",
                N_(
                    "The program depends on the values of {field}; they can be renamed, but all "
                    "stay offered."
                ),
                field=tr(field.label),
            )


def _of_list(work: Work, draft: Draft) -> list[Any]:
    statement = select(_OPTIONS.c.id, _OPTIONS.c.code, _OPTIONS.c.label).where(
        _OPTIONS.c.entity == draft.get("entity"),
        _OPTIONS.c.field == draft.get("field"),
        _OPTIONS.c.deleted_at.is_(None),
    )
    return list(work.connection.execute(statement))


def _check_code(work: Work, draft: Draft) -> None:
    """Make the code of a new value from its label; equal ones get a number."""
    if draft.get("code"):
        return
    entity = registry.get(draft.get("entity"))
    taken = {row.code for row in _of_list(work, draft)}
    taken |= {option.code for option in entity.stored[draft.get("field")].options}
    code = first = columns.slug(str(draft.get("label") or ""))
    number = 1
    while code in taken:
        number += 1
        code = f"{first}_{number}"
    draft.set("code", code[:_CODE_LENGTH])


def _check_value_label(work: Work, draft: Draft, options: Sequence[Any]) -> None:
    if not draft.changes("label"):
        return
    label = clean(str(draft.get("label") or ""))
    draft.set("label", label)
    rows = _of_list(work, draft)
    changed = {row.code for row in rows}
    taken = {fold(row.label) for row in rows if row.id != draft.id}
    for option in options:
        if option.code not in changed and option.code != draft.get("code"):
            taken |= {fold(option.label), fold(translate("ro", option.label))}
    if label and fold(label) in taken:
        draft.fail(
            "label",
            N_("There is a value “{label}” already. Choose another label."),
            label=label,
        )


def form_layout(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse layouts that name what is not there; one of an unknown entity is kept unread."""
    for draft in drafts:
        entity = registry.find(str(draft.get("entity") or ""))
        definition = draft.get("definition")
        if entity is None or not entity.form or not draft.changes("definition"):
            continue
        try:
            layout.check(layout.from_json(definition or {}), entity)
        except (UserError, AttributeError, TypeError) as error:
            if isinstance(error, UserError):
                draft.fail("definition", error.template, **error.params)
            else:
                draft.fail(
                    "definition",
                    N_("This form layout cannot be read. Arrange the form again and save it."),
                )
