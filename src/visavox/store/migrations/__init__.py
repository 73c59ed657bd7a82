"""The tables' history, in Alembic; `visavox.store.schema` runs it."""
