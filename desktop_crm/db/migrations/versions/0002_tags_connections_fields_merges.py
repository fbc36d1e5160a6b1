"""Tags, marks, connections, fields of one's own, duplicates and merges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desktop_crm.core import clock, sameness
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import fold, search_text
from desktop_crm.db import search_index
from desktop_crm.meta import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEARCHED = (
    "contact",
    "account",
    "lead",
    "opportunity",
    "activity",
    "product",
    "quote",
    "case",
    "document",
    "mail_message",
)


_ADD_COLUMN = """
CREATE FUNCTION crm_add_column(in_table text, in_name text, in_kind text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {schema}, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    definition text := CASE in_kind
        WHEN 'text' THEN 'varchar(200)'
        WHEN 'multiline' THEN 'text'
        WHEN 'email' THEN 'varchar(254)'
        WHEN 'phone' THEN 'varchar(60)'
        WHEN 'url' THEN 'varchar(500)'
        WHEN 'integer' THEN 'integer'
        WHEN 'quantity' THEN 'numeric(24, 6)'
        WHEN 'money' THEN 'numeric(24, 4)'
        WHEN 'percent' THEN 'numeric(24, 6)'
        WHEN 'boolean' THEN 'boolean NOT NULL DEFAULT false'
        WHEN 'date' THEN 'date'
        WHEN 'datetime' THEN 'timestamp with time zone'
        WHEN 'choice' THEN 'varchar(40)'
        WHEN 'link' THEN 'integer'
    END;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM "user" u JOIN role r ON r.id = u.role_id
        WHERE lower(u.login) = lower(session_user) AND u.state = 'active'
        AND u.deleted_at IS NULL AND r.is_admin AND r.deleted_at IS NULL
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'only an administrator may add a field';
    END IF;
    IF definition IS NULL OR in_name !~ '^x_[a-z0-9_]{{1,50}}$' OR in_table NOT IN (
        {tables}
    ) THEN
        RAISE invalid_parameter_value USING MESSAGE = 'no field of this kind can be added here';
    END IF;
    EXECUTE 'ALTER TABLE ' || quote_ident(in_table) || ' ADD COLUMN ' || quote_ident(in_name)
        || ' ' || definition;
END $$
"""
"""Adds the column of a field of one's own: a login that works here need not own the tables."""

_TABLES = (
    "contact", "account", "lead", "opportunity", "activity", "product", "quote", "case", "stage",
    "tax_code", "price_list", "unit", "currency", "number_sequence", "tag", "connection_role",
    "mail_template", "user", "team", "role", "mailbox", "own_company", "bank_account",
    "email_address", "phone", "postal_address", "opportunity_line", "activity_party", "link",
    "mail_message", "mailbox_item", "sync_state", "filing_rule", "price_list_item", "tax_rate",
    "exchange_rate", "quote_line", "role_right", "document", "saved_view", "connection",
    "import_batch", "outbox_item", "sync_strike",
)  # fmt: skip
"""Tables that take fields of one's own."""


def _create_functions() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar()
    listed = ", ".join(f"'{table}'" for table in _TABLES)
    connection.exec_driver_sql(_ADD_COLUMN.format(schema=schema, tables=listed))


def upgrade() -> None:
    """Bring the schema up."""
    _create_functions()
    op.create_table(
        "choice_option",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("tone", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice_option")),
        sa.UniqueConstraint("uid", name=op.f("uq_choice_option_uid")),
    )
    op.create_index("ix_choice_option_external_id", "choice_option", ["external_id"], unique=False)
    op.create_index(
        "ix_choice_option_gone_title_key",
        "choice_option",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_choice_option_live_title_key",
        "choice_option",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_choice_option_live_entity_field_code",
        "choice_option",
        ["entity", "field", "code"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "connection_role",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("reverse_name", sa.String(length=80), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_role")),
        sa.UniqueConstraint("uid", name=op.f("uq_connection_role_uid")),
    )
    op.create_index(
        "ix_connection_role_external_id", "connection_role", ["external_id"], unique=False
    )
    op.create_index(
        "ix_connection_role_gone_title_key",
        "connection_role",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_connection_role_live_title_key",
        "connection_role",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "custom_field",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=60), nullable=True),
        sa.Column("help_text", sa.String(length=400), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("is_searchable", sa.Boolean(), nullable=False),
        sa.Column("is_confidential", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("folded_to", sa.Integer(), nullable=True),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint("uid", name=op.f("uq_custom_field_uid")),
    )
    op.create_index("ix_custom_field_external_id", "custom_field", ["external_id"], unique=False)
    op.create_index(
        "ix_custom_field_gone_title_key",
        "custom_field",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_field_live_title_key",
        "custom_field",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_field_live_entity_name",
        "custom_field",
        ["entity", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "duplicate_pair",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("score", types.ExactNumber(6), nullable=False),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("found_at", types.UtcDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint(
            "entity",
            "first_id",
            "second_id",
            name=op.f("uq_duplicate_pair_entity_first_id_second_id"),
        ),
    )
    op.create_index(
        "ix_duplicate_pair_queue", "duplicate_pair", ["entity", "state", "score"], unique=False
    )
    op.create_index(
        "ix_duplicate_pair_second", "duplicate_pair", ["entity", "second_id"], unique=False
    )
    op.create_table(
        "form_layout",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("definition", sa.JSON(none_as_null=True), nullable=True),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_layout")),
        sa.UniqueConstraint("uid", name=op.f("uq_form_layout_uid")),
    )
    op.create_index("ix_form_layout_external_id", "form_layout", ["external_id"], unique=False)
    op.create_index(
        "ix_form_layout_gone_title_key",
        "form_layout",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_form_layout_live_title_key",
        "form_layout",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_form_layout_live_entity",
        "form_layout",
        ["entity"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "merge_log",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("master_id", sa.Integer(), nullable=False),
        sa.Column("loser_id", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("merged_at", types.UtcDateTime(), nullable=False),
        sa.Column("merged_by_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_log")),
    )
    op.create_index("ix_merge_log_loser", "merge_log", ["entity", "loser_id"], unique=False)
    op.create_index("ix_merge_log_master", "merge_log", ["entity", "master_id"], unique=False)
    op.create_index("ix_merge_log_operation", "merge_log", ["operation"], unique=False)
    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("tone", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=True),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("uid", name=op.f("uq_tag_uid")),
    )
    op.create_index("ix_tag_external_id", "tag", ["external_id"], unique=False)
    op.create_index(
        "ix_tag_gone_title_key",
        "tag",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_tag_live_title_key",
        "tag",
        ["title_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tag_live_title_key",
        "tag",
        ["title_key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("from_type", sa.String(length=40), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.Column("to_type", sa.String(length=40), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["role_id"], ["connection_role.id"], name=op.f("fk_connection_role_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("uid", name=op.f("uq_connection_uid")),
    )
    op.create_index("ix_connection_from", "connection", ["from_type", "from_id"], unique=False)
    op.create_index("ix_connection_to", "connection", ["to_type", "to_id"], unique=False)
    op.create_table(
        "record_mark",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("record_type", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("marked_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_record_mark_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_mark")),
        sa.UniqueConstraint(
            "user_id",
            "kind",
            "record_type",
            "record_id",
            name=op.f("uq_record_mark_user_id_kind_record_type_record_id"),
        ),
    )
    op.create_index(
        "ix_record_mark_latest",
        "record_mark",
        ["user_id", "record_type", "kind", "marked_at"],
        unique=False,
    )
    op.create_index(
        "ix_record_mark_record", "record_mark", ["record_type", "record_id", "kind"], unique=False
    )
    op.add_column(
        "account",
        sa.Column(
            "name_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=True,
        ),
    )
    op.add_column(
        "account",
        sa.Column(
            "tax_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=True,
        ),
    )
    op.add_column("account", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("account", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("activity", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("activity", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("activity", sa.Column("reminder_minutes", sa.Integer(), nullable=True))
    op.add_column("activity", sa.Column("remind_at", types.UtcDateTime(), nullable=True))
    op.add_column(
        "contact",
        sa.Column(
            "name_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=True,
        ),
    )
    op.add_column("contact", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("contact", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("currency", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("document", sa.Column("record_type", sa.String(length=40), nullable=True))
    op.add_column("document", sa.Column("record_id", sa.Integer(), nullable=True))
    op.add_column("document", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("document", sa.Column("tags", sa.Text(), nullable=True))
    op.create_index("ix_document_record", "document", ["record_type", "record_id"], unique=False)
    op.add_column("import_batch", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column(
        "lead",
        sa.Column(
            "name_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=True,
        ),
    )
    op.add_column(
        "lead",
        sa.Column(
            "company_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=True,
        ),
    )
    op.add_column("lead", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("lead", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("mailbox", sa.Column("smtp_server", sa.String(length=300), nullable=True))
    op.add_column("mailbox", sa.Column("dav_server", sa.String(length=1000), nullable=True))
    op.add_column("mailbox", sa.Column("tenant", sa.String(length=254), nullable=True))
    op.add_column("mailbox", sa.Column("client_id", sa.String(length=36), nullable=True))
    op.add_column("mailbox", sa.Column("certificate", sa.String(length=500), nullable=True))
    op.add_column("mailbox", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("mailbox", sa.Column("signature", sa.Text(), nullable=True))
    op.add_column("mail_message", sa.Column("answer_by", types.UtcDateTime(), nullable=True))
    op.add_column(
        "mailbox_item",
        sa.Column("flag", sa.String(length=40), nullable=False, server_default="none"),
    )
    op.add_column(
        "mailbox_item", sa.Column("categories", sa.JSON(none_as_null=True), nullable=True)
    )
    op.add_column("sync_state", sa.Column("name", sa.String(length=300), nullable=True))
    op.add_column("mailbox", sa.Column("sign_in", sa.String(length=40), nullable=True))
    op.add_column("number_sequence", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("opportunity", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("opportunity", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("own_company", sa.Column("attachment_limit_mb", sa.Integer(), nullable=True))
    op.add_column("own_company", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("price_list", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("product", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("product", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("quote", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("quote", sa.Column("tags", sa.Text(), nullable=True))
    op.add_column("role", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("saved_view", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("stage", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("tax_code", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("team", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("unit", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("user", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column(
        "mail_message",
        sa.Column("set_aside", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _sparse("mail_message", "answer_by")
    _sparse("contact", "merged_into")
    _sparse("account", "merged_into")
    _sparse("lead", "merged_into")
    _sparse("activity", "merged_into")
    _sparse("quote", "merged_into")
    _sparse("document", "merged_into")
    _sparse("opportunity", "merged_into")
    _sparse("contact", "manager_id")
    _sparse("contact", "assistant_id")
    _sparse("contact", "originating_lead_id")
    _sparse("account", "parent_id")
    _sparse("account", "primary_contact_id")
    _sparse("lead", "converted_account_id")
    _sparse("lead", "converted_contact_id")
    _sparse("lead", "converted_opportunity_id")
    _sparse("activity", "quote_id")
    _sparse("activity", "remind_at")
    private = sa.text("sensitivity = 'private'")
    op.create_index(
        "ix_activity_private",
        "activity",
        ["sensitivity", "owner_id"],
        unique=False,
        sqlite_where=private,
        postgresql_where=private,
    )
    op.add_column("activity_party", sa.Column("answered_at", types.UtcDateTime(), nullable=True))
    _sparse("activity_party", "account_id")
    _sparse("activity_party", "lead_id")
    _sparse("quote", "contact_id")
    _sparse("quote", "supersedes_id")
    _sparse("document", "account_id")
    _sparse("opportunity", "product_id")
    _sparse("opportunity", "originating_lead_id")
    _connection_roles()
    _fill_keys()
    op.create_index("ix_account_tax_key", "account", ["tax_key"], unique=False)
    op.create_index(
        "ix_account_live_name_key",
        "account",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contact_live_name_key",
        "contact",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_lead_live_name_key",
        "lead",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_lead_live_company_key",
        "lead",
        ["company_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    _cases()
    _outbox()
    _templates()
    _two_way()
    _mail_privacy()
    _filing()
    _move_filing()
    _search()


def _sparse(table: str, column: str) -> None:
    """Index behind a link that most records leave empty."""
    filled = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        f"ix_{table}_{column}", table, [column], sqlite_where=filled, postgresql_where=filled
    )


_ROLES = (
    (N_("Influencer"), N_("Influences")),
    (N_("Decision maker"), N_("Decides for")),
    (N_("Consultant"), N_("Advises")),
    (N_("Partner"), None),
    (N_("Press"), N_("Reports on")),
    (N_("Referred by"), N_("Referred")),
    (N_("Former employer"), N_("Former employee")),
    (N_("Supplier"), N_("Customer")),
    (N_("Family"), None),
)


def _connection_roles() -> None:
    """Give a database in use the roles that a new one starts with, in the interface language."""
    user = sa.table("user", sa.column("id"))
    if op.get_bind().execute(sa.select(user.c.id).limit(1)).first() is None:
        return
    now = clock.now()
    names = ("uid", "name", "reverse_name", "position", "title_key", "search_text", "version")
    table = sa.table(
        "connection_role",
        *(sa.column(name) for name in names),
        sa.column("created_at", types.UtcDateTime()),
        sa.column("modified_at", types.UtcDateTime()),
    )
    op.bulk_insert(
        table,
        [
            {
                "uid": new_uid(),
                "name": tr(name),
                "reverse_name": tr(back) if back else None,
                "position": position * 10,
                "title_key": fold(tr(name)),
                "search_text": search_text(tr(text) for text in (name, back) if text),
                "version": 1,
                "created_at": now,
                "modified_at": now,
            }
            for position, (name, back) in enumerate(_ROLES, 1)
        ],
    )


def _cases() -> None:
    """What customers ask for and complain of, and activities about it."""
    op.create_table(
        "case",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("status_reason", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=True),
        sa.Column("origin", sa.String(length=40), nullable=True),
        sa.Column("priority", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=40), nullable=True),
        sa.Column("subject", sa.String(length=120), nullable=True),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("resolve_by", types.UtcDateTime(), nullable=True),
        sa.Column("resolved_at", types.UtcDateTime(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("billable_minutes", sa.Integer(), nullable=True),
        sa.Column("satisfaction", sa.String(length=40), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_case_account_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_case_contact_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_case_owner_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["case.id"], name=op.f("fk_case_parent_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_case_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("uid", name=op.f("uq_case_uid")),
    )
    for column in ("account_id", "contact_id", "external_id"):
        op.create_index(f"ix_case_{column}", "case", [column], unique=False)
    op.create_index("ix_case_number", "case", ["number"], unique=True)
    sorts = ("title_key", "number", "resolve_by", "modified_at")
    _of_rows("case", "gone", ("title_key",))
    for sort in sorts:
        _of_rows("case", "live", (sort,))
        _of_rows("case", "live", ("owner_id", sort))
    for column in ("merged_into", "product_id", "parent_id"):
        _sparse("case", column)
    # Inline, for SQLite takes no constraint into a table that is there.
    own = sa.ForeignKey("case.id", name=op.f("fk_activity_case_id"))
    op.add_column(
        "activity", sa.Column("case_id", sa.Integer(), own, nullable=True), inline_references=True
    )
    _sparse("activity", "case_id")


def _of_rows(table: str, rows: str, columns: tuple[str, ...]) -> None:
    """Index over the records that live, or over those that are gone."""
    condition = sa.text(f"deleted_at IS {'NOT ' if rows == 'gone' else ''}NULL")
    op.create_index(
        f"ix_{table}_{rows}_{'_'.join(columns)}",
        table,
        [*columns, "id"],
        unique=False,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _outbox() -> None:
    """The journal of what mailboxes are asked to change."""
    op.create_table(
        "outbox_item",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("own_key", sa.String(length=36), nullable=False),
        sa.Column("deed", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=400), nullable=True),
        sa.Column("folder", sa.String(length=300), nullable=True),
        sa.Column("item_key", sa.String(length=1000), nullable=True),
        sa.Column("change_key", sa.String(length=500), nullable=True),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ordered_at", types.UtcDateTime(), nullable=False),
        sa.Column("due_at", types.UtcDateTime(), nullable=False),
        sa.Column("done_at", types.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=True),
        sa.Column("why", sa.String(length=400), nullable=True),
        sa.Column("why_params", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("operation", sa.String(length=36), nullable=True),
        sa.Column("notify", sa.String(length=20), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("restores_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activity.id"],
            name=op.f("fk_outbox_item_activity_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name=op.f("fk_outbox_item_mailbox_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_item")),
        sa.UniqueConstraint("own_key", name=op.f("uq_outbox_item_own_key")),
    )  # fmt: skip
    op.create_index(
        "ix_outbox_item_activity_id",
        "outbox_item",
        ["activity_id"],
        unique=False,
        sqlite_where=sa.text("activity_id IS NOT NULL"),
        postgresql_where=sa.text("activity_id IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_item_due", "outbox_item", ["mailbox_id", "state", "due_at"], unique=False
    )
    op.create_index("ix_outbox_item_item", "outbox_item", ["mailbox_id", "item_key"], unique=False)
    op.create_index(
        "ix_outbox_item_latest", "outbox_item", ["mailbox_id", "ordered_at"], unique=False
    )
    op.create_table(
        "outbox_content",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("outbox_item_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("item", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_item_id"],
            ["outbox_item.id"],
            name=op.f("fk_outbox_content_outbox_item_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_content")),
        sa.UniqueConstraint(
            "outbox_item_id", "part", name=op.f("uq_outbox_content_outbox_item_id_part")
        ),
    )


def _mail_privacy() -> None:
    """What of a mailbox is kept and shared, and what was withdrawn from it."""
    for name in ("personal_domains", "read_folders", "read_categories", "skip_categories"):
        op.add_column("mailbox", sa.Column(name, sa.Text(), nullable=True))
    for name in ("kept", "text_kept", "sharing"):
        op.add_column("mailbox", sa.Column(name, sa.String(length=40), nullable=True))
    op.add_column(
        "mail_message",
        sa.Column("withheld", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    withdrawn = sa.text("state = 'withdrawn'")
    op.create_index(
        "ix_mailbox_item_withdrawn",
        "mailbox_item",
        ["identity"],
        unique=False,
        sqlite_where=withdrawn,
        postgresql_where=withdrawn,
    )


def _two_way() -> None:
    """What both sides of a mailbox last agreed on, and what a person does not want done."""
    for name in ("two_way", "keep_category"):
        op.add_column(
            "mailbox", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.add_column(
        "mailbox",
        sa.Column("contact_scope", sa.String(length=40), nullable=False, server_default="none"),
    )
    op.add_column("mailbox", sa.Column("commands", sa.Text(), nullable=True))
    for name in ("contact_id", "record_version", "order_id"):
        op.add_column("mailbox_item", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("base", "seen", "commands_done"):
        column = sa.Column(name, sa.JSON(none_as_null=True), nullable=True)
        op.add_column("mailbox_item", column)
    _sparse("mailbox_item", "contact_id")
    _sparse("mailbox_item", "order_id")
    op.create_table(
        "sync_strike",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(length=600), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailbox.id"],
            name=op.f("fk_sync_strike_mailbox_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_strike")),
        sa.UniqueConstraint("mailbox_id", "line", name=op.f("uq_sync_strike_mailbox_id_line")),
        sa.UniqueConstraint("uid", name=op.f("uq_sync_strike_uid")),
    )


_KEYS = (
    ("account", "name", "name_key", sameness.company_key),
    ("account", "tax_id", "tax_key", sameness.tax_key),
    ("contact", "full_name", "name_key", sameness.person_key),
    ("lead", "full_name", "name_key", sameness.person_key),
    ("lead", "company", "company_key", sameness.company_key),
)
_CHUNK = 5_000


def _fill_keys() -> None:
    """Give the records that are there already the forms their duplicates are sought by."""
    connection = op.get_bind()
    for table, source, key, key_of in _KEYS:
        there = sa.table(table, sa.column("id"), sa.column(source), sa.column(key))
        change = there.update().where(there.c.id == sa.bindparam("k"))
        change = change.values({key: sa.bindparam("v")})
        last = 0
        while True:
            page = sa.select(there.c.id, there.c[source]).where(there.c.id > last)
            rows = connection.execute(page.order_by(there.c.id).limit(_CHUNK)).all()
            if not rows:
                break
            last = rows[-1][0]
            found = [{"k": row[0], "v": key_of(row[1]) or None} for row in rows if row[1]]
            if found:
                connection.execute(change, found)


def _templates() -> None:
    """Prepared messages and pieces of messages."""
    op.create_table(
        "mail_template",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column(
            "title_key",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("source_system", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_template")),
        sa.UniqueConstraint("uid", name=op.f("uq_mail_template_uid")),
    )
    op.create_index("ix_mail_template_external_id", "mail_template", ["external_id"], unique=False)
    for name, rows in (("gone", "deleted_at IS NOT NULL"), ("live", "deleted_at IS NULL")):
        op.create_index(
            f"ix_mail_template_{name}_title_key",
            "mail_template",
            ["title_key", "id"],
            unique=False,
            sqlite_where=sa.text(rows),
            postgresql_where=sa.text(rows),
        )


def _filing() -> None:
    """Rules people set about where mail is filed."""
    op.create_table(
        "filing_rule",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("shown", sa.String(length=400), nullable=False),
        sa.Column("record_type", sa.String(length=40), nullable=True),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("modified_at", types.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name=op.f("fk_filing_rule_mailbox_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_rule")),
        sa.UniqueConstraint("uid", name=op.f("uq_filing_rule_uid")),
    )  # fmt: skip
    op.create_index(
        "ix_filing_rule_record", "filing_rule", ["record_type", "record_id"], unique=False
    )
    op.create_index(
        "uq_filing_rule_live_mailbox_id_kind_value",
        "filing_rule",
        ["mailbox_id", "kind", "value"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _move_filing() -> None:
    """Make rules of the lines, folder or category = account, that stood at the mailboxes."""
    connection = op.get_bind()
    mailbox = sa.table("mailbox", sa.column("id"), sa.column("filing"))
    account = sa.table("account", sa.column("id"), sa.column("title_key"), sa.column("deleted_at"))
    rule = sa.table(
        "filing_rule",
        *(sa.column(name) for name in ("uid", "mailbox_id", "kind", "value", "shown")),
        *(sa.column(name) for name in ("record_type", "record_id", "version")),
        sa.column("created_at", types.UtcDateTime()),
        sa.column("modified_at", types.UtcDateTime()),
    )
    now = clock.now()
    made: dict[tuple[int, str], dict[str, object]] = {}
    lines = sa.select(mailbox.c.id, mailbox.c.filing).where(mailbox.c.filing.is_not(None))
    for row in connection.execute(lines).all():
        for name, _, title in (line.partition("=") for line in row.filing.splitlines()):
            live = sa.and_(account.c.title_key == fold(title), account.c.deleted_at.is_(None))
            found = connection.execute(sa.select(account.c.id).where(live)).scalars().all()
            if len(found) == 1 and fold(name):
                made[row.id, fold(name)[:500]] = {
                    "uid": new_uid(),
                    "mailbox_id": row.id,
                    "kind": "category",
                    "value": fold(name)[:500],
                    "shown": " ".join(name.split())[:400],
                    "record_type": "account",
                    "record_id": found[0],
                    "version": 1,
                    "created_at": now,
                    "modified_at": now,
                }
    if made:
        op.bulk_insert(rule, list(made.values()))
    op.drop_column("mailbox", "filing")
    link = sa.table("link", sa.column("rule"))
    op.execute(link.update().where(link.c.rule == "folder").values(rule="filing"))


def _search() -> None:
    """Search mail as well; a server also gets an index of whole words."""
    op.add_column(
        "mail_message", sa.Column("search_text", sa.Text(), nullable=False, server_default="")
    )
    search_index.create(op.get_bind(), ("mail_message", "case"))
    search_index.create_words(op.get_bind(), SEARCHED)
