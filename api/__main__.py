"""`python -m api`: start the service, and what must be done before it can be started."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.settings import Settings
from visavox.errors import ConfigError, VisavoxError
from visavox.service.house import Actor

app = typer.Typer(
    help="The service: API, kiosk page.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
key_commands = typer.Typer(help="Who may ask.", no_args_is_help=True)
model_commands = typer.Typer(help="What decides.", no_args_is_help=True)
app.add_typer(key_commands, name="key")
app.add_typer(model_commands, name="model")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    proxy: Annotated[
        str, typer.Option(help="Addresses of proxies whose X-Forwarded-For is believed.")
    ] = "127.0.0.1",
) -> None:
    """Serve until told to end. In development the database is migrated before."""
    os.environ["VISAVOX_WORKERS"] = str(workers)  # read again by every worker
    settings = _settings()
    settings.check()
    _shared_counts(settings, workers)
    import uvicorn  # late: the other commands need none of it

    from api.logs import CONFIG

    uvicorn.run(
        "api.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=CONFIG,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=proxy,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=15,
        h11_max_incomplete_event_size=64 * 1024,
    )


@app.command()
def migrate() -> None:
    """Bring the database to this version's tables; again does nothing."""
    _migrate(Settings.read())
    typer.echo("The database is at this version.")


@app.command()
def secrets(
    folder: Annotated[Path, typer.Argument(help="Where master.key and ticket.key are made.")],
) -> None:
    """Make the secrets that production needs, readable by their owner alone."""
    from visavox import tickets
    from visavox.store import keyring
    from visavox.store.keyring import MasterKey

    master, ticket = (folder.absolute() / name for name in ("master.key", "ticket.key"))
    for path in (master, ticket):
        if path.exists():
            raise ConfigError(f"{path} is there already.", next_step="Name another folder.")
    keyring.write(master, [MasterKey.made()])
    tickets.write_key(ticket)
    typer.echo(f"VISAVOX_MASTER_KEY_FILE={master}\nVISAVOX_TICKET_KEY_FILE={ticket}")


@key_commands.command("create")
def create_key(
    role: Annotated[str, typer.Option(help="kiosk, admin or auditor.")],
    name: Annotated[str, typer.Option(help="Whose it is.")],
    fridge: Annotated[
        list[str] | None, typer.Option(help="A fridge that it is for; repeatable. None: all.")
    ] = None,
) -> None:
    """Make an API key. It is printed once, on standard output, and kept as its digest."""
    from api.house import Standing
    from visavox.service import keys
    from visavox.store.records import Role

    if role not in {r.value for r in Role}:
        raise typer.BadParameter(f"choose one of {', '.join(r.value for r in Role)}")
    with Standing(_settings()) as house:
        issued = keys.create(house, Actor.operator(), role=Role(role), name=name, fridges=fridge)
    typer.echo(issued.secret)


@model_commands.command("install")
def install(
    bundle: Annotated[
        Path, typer.Argument(help="The bundle's folder, or a sealed file to go back to.")
    ],
    fridge: Annotated[
        str | None, typer.Option(help="Its fridge; the one it was trained for unless said.")
    ] = None,
) -> None:
    """Make a trained bundle live, in every running worker."""
    from api.house import Standing
    from visavox.service import models

    named = fridge or models.meant_for(bundle)
    with Standing(_settings()) as house:
        live = models.install(house, Actor.operator(), named, bundle)
    typer.echo(f"{live.fridge}: {live.bundle}, {live.members} members")


@model_commands.command("base")
def base(bundle: Annotated[Path, typer.Argument(help="The base bundle's folder.")]) -> None:
    """Let newcomers of all fridges be enrolled on this base."""
    from api.house import Standing
    from visavox.service import models

    with Standing(_settings()) as house:
        typer.echo(models.install_base(house, Actor.operator(), bundle))


@model_commands.command("rollback")
def rollback(
    fridge: Annotated[str, typer.Argument(help="The fridge's id.")],
    why: Annotated[str, typer.Option(help="For the audit log.")] = "",
) -> None:
    """Let the champion before decide again, in every running worker."""
    from api.house import Standing
    from visavox.service import rollout

    with Standing(_settings()) as house:
        live = rollout.rollback(house, Actor.operator(), fridge, why=why)
    typer.echo(f"{live.fridge}: {live.bundle}, {live.members} members")


def _settings() -> Settings:
    """The settings, of a database that can be used: in development it is made so."""
    settings = Settings.read()
    if settings.development:
        _migrate(settings)
    else:
        _checked(settings)
    return settings


def _checked(settings: Settings) -> None:
    store = settings.open()
    try:
        store.check()
    finally:
        store.close()


def _migrate(settings: Settings) -> None:
    store = settings.open()
    try:
        store.migrate()
    finally:
        store.close()


def _shared_counts(settings: Settings, workers: int) -> None:
    """Let workers count together. It must be set before any of them imports the counters."""
    from api.counting import FOLDER, fresh

    if workers > 1:
        os.environ[FOLDER] = str(fresh(settings.state))
    else:
        os.environ.pop(FOLDER, None)


def main() -> None:
    os.umask(0o077)  # what is kept here is for the service's own user
    try:
        app()
    except VisavoxError as error:
        typer.echo(f"visavox: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
