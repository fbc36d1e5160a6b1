"""Alembic's entry: runs on the connection it is handed, inside its transaction."""

from __future__ import annotations

from alembic import context

from desktop_crm.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
