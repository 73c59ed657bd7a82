"""`python -m demo up | stop | status | serve`."""

import logging
import os
import sys
from typing import Annotated

import typer

from demo import house, people, settings
from demo.client import Client
from demo.problems import DemoProblem

app = typer.Typer(
    help="The demo: an API, a fridge full of personas, a kiosk and a page to try them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def up() -> None:
    """Bring everything up, or find it up, and say where it is."""
    there = house.up(settings.from_environment(), lambda text: typer.echo(f"  · {text}"))
    typer.echo(addresses(there))


@app.command()
def stop() -> None:
    """End what runs; nothing that was enrolled or decided is lost."""
    ended = house.down(settings.from_environment())
    typer.echo(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


@app.command()
def status() -> None:
    """Say what runs, and on which port."""
    for program in house.programs(settings.from_environment()):
        port = program.running()
        how = "does not run" if port is None else f"runs on port {port}" if port else "runs"
        typer.echo(f"{program.name:6} {how}")


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="DEMO_PORT, unless it is given.")] = None,
) -> None:
    """Serve the page in the foreground, against an API that is up."""
    where = settings.from_environment()
    keys = house.read_keys(where)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # One line per request would bury what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Gradio is slow to import, and only this command needs it.
    from demo.app import launch
    from demo.desk import Desk

    cast = people.cast(where.people, where.state)
    desk = Desk(
        kiosk=Client(where.api, keys.kiosk),
        admin=Client(where.api, keys.admin),
        fridge=cast.fridge,
        cast=cast,
        made=where.state,
        trials=where.trials,
        reports=where.reports,
        kiosk_page=house.kiosk_page(where, keys, cast.fridge),
        docs_page=f"{where.api}/docs",
    )
    launch(desk, host=settings.HOST, port=port or where.demo_port)


def addresses(there: house.House) -> str:
    """Where everything is, and how to end it."""
    lines = [
        "",
        f"The fridge is up, with {there.members} members: personas, people who do not exist.",
        "",
        f"  demo    {there.settings.page}/",
        f"  kiosk   {there.kiosk_page}",
        f"  API     {there.settings.api}/docs",
    ]
    if there.pin:
        lines.append(f"  a PIN   number {there.number}, PIN {there.pin}")
    lines += ["", f"Logs lie in {there.settings.state}/. End it: make stop", ""]
    return "\n".join(lines)


def main() -> None:
    """Run the command line; what is raised on purpose is one message, not a traceback."""
    try:
        app()
    except DemoProblem as error:
        typer.secho(f"demo: {error.problem}", fg="red", err=True)
        typer.secho(error.next_step, err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
