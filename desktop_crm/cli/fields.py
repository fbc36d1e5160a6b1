"""``field``: fields of one's own, listed, added, retired and brought back."""

from __future__ import annotations

from collections.abc import Callable

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.customizing import FieldKind
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing import definitions, fields
from desktop_crm.services.customizing.fields import OwnField

_SOURCE = "command line"
_FLAGS = (
    ("is_required", N_("required")),
    ("is_searchable", N_("searched")),
    ("is_confidential", N_("confidential")),
)


@click.group("field", help=tr("Fields of your own: list, add, retire."))
def group() -> None:
    """Commands about fields of one's own."""


@group.command("list", help=tr("Show the fields that were added to a kind of record."))
@click.argument("entity")
@common
def list_(call: Call, entity: str) -> int:
    """Show the fields of an entity, the retired ones included."""
    with call.signed_in() as actor:
        found = fields.of_entity(actor, fields.entity_named(entity).key)
    if call.as_json:
        emit([_plain(field) for field in found])
        return Code.DONE
    heads = [tr("Label"), tr("Kind"), tr("State"), tr("Field name"), ""]
    rows = [
        [
            field.label,
            tr(field.kind.label),
            tr("Active") if field.is_active else tr("Retired"),
            field.name,
            ", ".join(tr(word) for flag, word in _FLAGS if getattr(field, flag)),
        ]
        for field in found
    ]
    say(table(heads, rows, [False] * len(heads)))
    return Code.DONE


@group.command("add", help=tr("Add a field to a kind of record; administrators only."))
@click.argument("entity")
@click.argument("label")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in FieldKind]),
    default=FieldKind.TEXT.value,
    show_default=True,
    help=tr("What it holds; it cannot be changed afterwards."),
)
@click.option("--values", default="", metavar="A,B", help=tr("Values of a choice."))
@click.option("--target", metavar="ENTITY", help=tr("What a link leads to."))
@click.option("--help-text", metavar="TEXT", help=tr("Explanation shown beside the field."))
@click.option("--required", is_flag=True, help=tr("New records must fill it in."))
@click.option("--searched", is_flag=True, help=tr("Search looks through it."))
@click.option("--confidential", is_flag=True, help=tr("Only some roles see it."))
@common
def add(  # noqa: PLR0917  one argument for each option
    call: Call,
    entity: str,
    label: str,
    kind: str,
    values: str,
    target: str | None,
    help_text: str | None,
    required: bool,
    searched: bool,
    confidential: bool,
) -> int:
    """Add a field; it is there at once for everybody who works in the database."""
    with call.signed_in() as actor:
        key = fields.entity_named(entity).key
        fields.add(
            actor,
            key,
            kind,
            label,
            values=tuple(text for text in (part.strip() for part in values.split(",")) if text),
            source=_SOURCE,
            target=target,
            help_text=help_text,
            is_required=required,
            is_searchable=searched,
            is_confidential=confidential,
        )
        made = fields.find(actor, key, label)
    return call.answer(
        _plain(made), tr("The field “{label}” was added: {name}.", label=made.label, name=made.name)
    )


@group.command("retire", help=tr("Stop offering a field; its values stay."))
@click.argument("entity")
@click.argument("field")
@common
def retire(call: Call, entity: str, field: str) -> int:
    """Retire a field by its name or label."""
    found = _changed(call, entity, field, fields.retire)
    return call.answer(
        {"name": found.name, "state": "retired"},
        tr("The field “{label}” is retired; its values stay.", label=found.label),
    )


@group.command("restore", help=tr("Offer a retired field again, with its values."))
@click.argument("entity")
@click.argument("field")
@common
def restore(call: Call, entity: str, field: str) -> int:
    """Bring a retired field back by its name or label."""
    found = _changed(call, entity, field, fields.bring_back)
    return call.answer(
        {"name": found.name, "state": "active"},
        tr("The field “{label}” is offered again.", label=found.label),
    )


def _changed(
    call: Call, entity: str, field: str, change: Callable[[Actor, OwnField, str], object]
) -> OwnField:
    with call.signed_in() as actor:
        found = fields.find(actor, fields.entity_named(entity).key, field)
        change(actor, found, _SOURCE)
        if found.entity in definitions.unfolded():
            # No window is open that would do it.
            fields.refold(actor, found.entity)
    return found


def _plain(field: OwnField) -> dict[str, object]:
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind.value,
        "target": field.target or None,
        "state": "active" if field.is_active else "retired",
        **{flag.removeprefix("is_"): getattr(field, flag) for flag, _ in _FLAGS},
    }
