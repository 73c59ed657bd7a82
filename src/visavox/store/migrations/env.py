"""How Alembic runs the migrations: on the connection that it is given, in its transaction."""

from typing import Literal

from alembic import context

from visavox.store.tables import Moment, metadata


def _render(kind: str, item: object, _: object) -> str | Literal[False]:
    # A migration must not depend on what the code calls things later.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


def _run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        # SQLite too can take back the making of tables.
        transactional_ddl=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


# Alembic loads this file by that name; a plain import does nothing.
if __name__ == "env_py":
    _run()
