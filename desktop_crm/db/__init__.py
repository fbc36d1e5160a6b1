"""The database: connections, transactions, migrations, search index and backups."""
