"""What an administrator changes about entities: fields, choices and forms of their own."""

from __future__ import annotations

from typing import Any

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import Stored, boolean, choice, integer, json, text
from desktop_crm.meta.field import Choice, EntityMeta, Section, Tone
from desktop_crm.models.base import Base, Titled, titled, unique_live
from desktop_crm.models.marking import PillTone


class FieldKind(Choice):
    """Kinds a field of one's own can have."""

    TEXT = "text", N_("Text")
    MULTILINE = "multiline", N_("Text with line breaks")
    EMAIL = "email", N_("E-mail")
    PHONE = "phone", N_("Phone")
    URL = "url", N_("Web address")
    INTEGER = "integer", N_("Whole number")
    QUANTITY = "quantity", N_("Number")
    MONEY = "money", N_("Amount")
    PERCENT = "percent", N_("Percentage")
    BOOLEAN = "boolean", N_("Yes or no")
    DATE = "date", N_("Date")
    DATETIME = "datetime", N_("Date and time")
    CHOICE = "choice", N_("Choice")
    LINK = "link", N_("Link to a record")


class FieldState(Choice):
    """Whether a field is offered."""

    ACTIVE = "active", N_("Active"), Tone.OK
    RETIRED = "retired", N_("Retired"), Tone.NEUTRAL


class CustomField(Titled, Base):
    """A field an administrator added to an entity; its values lie in a column of their own.

    ``name`` is the field's name everywhere and the name of its column; it never changes, while
    the label may.
    """

    __tablename__ = "custom_field"
    __table_args__ = (*titled("custom_field"), unique_live("custom_field", "entity", "name"))
    __entity__ = EntityMeta(
        key="custom_field",
        label=N_("Field"),
        plural=N_("Fields"),
        icon="edit",
        title="label",
        columns=("label", "entity", "kind", "state", "position"),
        form=(
            Section(
                N_("Field"),
                (
                    "label",
                    ("entity", "kind"),
                    ("target", "state"),
                    ("is_required", "is_searchable", "is_confidential"),
                    "help_text",
                ),
            ),
        ),
        order="position",
        reference=True,
    )
    entity: Stored[str] = text(N_("Entity"), length=60)
    name: Stored[str] = text(N_("Field name"), length=60, hidden=True)
    label: Stored[str] = text(N_("Label"), length=80, searchable=True)
    kind: Stored[str] = choice(N_("Kind"), FieldKind, default=FieldKind.TEXT)
    target: Stored[str | None] = text(N_("Links to"), length=60)
    help_text: Stored[str | None] = text(N_("Help"), length=400)
    is_required: Stored[bool] = boolean(N_("Required"))
    is_searchable: Stored[bool] = boolean(N_("Searched"))
    is_confidential: Stored[bool] = boolean(N_("Confidential"))
    state: Stored[str] = choice(N_("State"), FieldState, default=FieldState.ACTIVE)
    position: Stored[int] = integer(N_("Position"), default=0)
    folded_to: Stored[int | None] = integer(
        N_("Searched up to"),
        audited=False,
        hidden=True,
        read_only=True,
        help=N_("Older records up to this key are searched by the field; empty: all of them."),
    )


class ChoiceOption(Titled, Base):
    """One value of a choice field: added by an administrator, or a built-in one changed."""

    __tablename__ = "choice_option"
    __table_args__ = (
        *titled("choice_option"),
        unique_live("choice_option", "entity", "field", "code"),
    )
    __entity__ = EntityMeta(
        key="choice_option",
        label=N_("Choice value"),
        plural=N_("Choice values"),
        icon="tag",
        title="label",
        columns=("label", "entity", "field", "code", "tone", "is_active", "position"),
        form=(
            Section(
                N_("Choice value"),
                ("label", ("entity", "field"), ("code", "tone"), ("position", "is_active")),
            ),
        ),
        order="position",
        reference=True,
    )
    entity: Stored[str] = text(N_("Entity"), length=60)
    field: Stored[str] = text(N_("Field"), length=60)
    code: Stored[str] = text(N_("Code"), length=40)
    label: Stored[str] = text(N_("Label"), length=80, searchable=True)
    tone: Stored[str] = choice(N_("Colour"), PillTone, default=PillTone.NEUTRAL)
    position: Stored[int] = integer(N_("Position"), default=0)
    is_active: Stored[bool] = boolean(N_("Offered"), default=True)


class FormLayout(Titled, Base):
    """How an entity's form is arranged, where an administrator changed it."""

    __tablename__ = "form_layout"
    __table_args__ = (*titled("form_layout"), unique_live("form_layout", "entity"))
    __entity__ = EntityMeta(
        key="form_layout",
        label=N_("Form layout"),
        plural=N_("Form layouts"),
        icon="column_triple",
        title="entity",
        columns=("entity", "modified_at", "modified_by"),
        form=(Section(N_("Form layout"), ("entity",)),),
        reference=True,
    )
    entity: Stored[str] = text(N_("Entity"), length=60)
    definition: Stored[dict[str, Any] | None] = json(N_("Definition"), hidden=True)
