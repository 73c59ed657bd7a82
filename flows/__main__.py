"""`python -m flows`: the worker that retrains what changed, and a look at what it does."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from visavox.errors import VisavoxError

app = typer.Typer(
    help="Retraining in production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
HOME = Path(__file__).resolve().parents[1]


@app.command()
def worker(
    at_once: Annotated[int, typer.Option(min=0, help="Tasks side by side; 0: one per core.")] = 0,
) -> None:
    """Retrain whatever changes, until told to end. Several may work at once."""
    from visavox.training.production import workshop
    from visavox.training.production.chores import chores
    from visavox.training.production.engine import Engine
    from visavox.training.production.worker import Worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stop.set())
    with workshop.opened() as shop:
        shop.store.check()
        engine = Engine(HOME / "flows" / "retrain.py", HOME, shop.places, at_once=at_once)
        track = lambda run: shop.registry.run(run)  # noqa: E731 (opening it takes seconds)
        Worker(shop.store, engine, chores=chores(shop), track=track).work(stop)


@app.command()
def retrain(
    fridge: Annotated[list[str], typer.Option(help="The fridge; repeatable.")],
    reason: Annotated[str, typer.Option(help="Why, for those who ask later.")] = "by_hand",
) -> None:
    """Ask for a retraining; a worker does it."""
    from visavox.service import retrainings
    from visavox.service.house import Actor
    from visavox.training.production import workshop

    with workshop.opened() as shop:
        for one in fridge:
            made = retrainings.ask(shop.house, Actor.operator(), one, reason=reason)
            typer.echo(f"{one}: {made.id}")


@app.command()
def watch() -> None:
    """Look at all fridges once, and ask for a retraining where one is due; from cron, say."""
    from visavox.training.production import watching_steps

    found = [watching_steps.look(fridges) for fridges in watching_steps.begin()]
    typer.echo("\n".join(watching_steps.told(found)) or "nothing is due")


@app.command()
def characterize(
    nets: Annotated[Path | None, typer.Argument(help="The folder of a Characterizer.")] = None,
    back: Annotated[bool, typer.Option(help="Serve with the former nets again.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for those who ask later.")] = "by_hand",
) -> None:
    """Let other nets take over everywhere, as one or not at all; restart the service afterwards."""
    from visavox.service import succession
    from visavox.training.production import characterizing, workshop
    from visavox.training.production.engine import Engine

    with workshop.opened() as shop:
        if back == (nets is not None):
            raise typer.BadParameter("Name a folder, or say --back.")
        if nets is None:
            chosen = succession.back(shop.house, shop.actor("characterize"))
            typer.echo(f"serves from the next start on: {chosen.serves or 'the setting'}")
            return
        run = characterizing.ask(shop, nets, reason=reason)
        engine = Engine(HOME / "flows" / "characterize.py", HOME, shop.places)
        typer.echo(f"{run.id}: {nets}")
        engine.start(run.id)
        code = engine.wait(run.id)
        characterizing.broken_off(shop, run.id)  # unless it has said itself what became of it
        with shop.store.read() as unit:
            ended = unit.runs.get(run.id)
        typer.echo(f"{ended.state.value}: {ended.error or 'restart the service and the worker'}")
        raise typer.Exit(code)


@app.command()
def status(
    runs: Annotated[int, typer.Option(min=1, help="How many of the latest runs.")] = 5,
) -> None:
    """What waits, what runs, and what became of the latest runs."""
    from visavox.training.production import workshop

    with workshop.opened() as shop, shop.store.read() as unit:
        waiting = unit.retraining.pending()
        latest = unit.runs.page(limit=runs).items
    for fridge in sorted({request.fridge for request in waiting}):
        mine = [request for request in waiting if request.fridge == fridge]
        reasons = ", ".join(sorted({request.reason for request in mine}))
        tried, error = max((r.attempts, r.error or "") for r in mine)
        said = f", tried {tried} times: {error}" if error else ""
        typer.echo(f"waiting  {fridge}: {len(mine)} × {reasons}{said}")
    for run in latest:
        named = ", ".join(run.fridges[:3]) + (" …" if len(run.fridges) > 3 else "")
        typer.echo(f"{run.state.value:8} {run.id} {run.flow}/{run.step} {named}: {run.reason}")
        if run.error:
            typer.echo(f"         {run.error}")


def main() -> None:
    os.umask(0o077)  # what is kept here is for the service's own user
    try:
        app()
    except VisavoxError as error:
        typer.echo(f"visavox: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
