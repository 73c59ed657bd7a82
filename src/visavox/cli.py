"""`visavox`: one command line, thin over the functions that everything else calls too."""

import json
import runpy
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from visavox import __version__, proving, upkeep
from visavox.errors import VisavoxError

app = typer.Typer(
    help="Face and voice open a shared fridge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bundles = typer.Typer(help="Look into the models that fridges run on.", no_args_is_help=True)
app.add_typer(bundles, name="bundle")
personas = typer.Typer(help="Make people who do not exist.", no_args_is_help=True)
app.add_typer(personas, name="personas")
upkeep.mount(app)
proving.mount(app)

_FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def main() -> None:
    """Run the command line; what visavox raises on purpose is one message, not a traceback."""
    try:
        app()
    except VisavoxError as error:
        Console(stderr=True, soft_wrap=True).print(f"visavox: {error}", style="red", markup=False)
        sys.exit(2)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"visavox {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def _stage(module: str, overrides: list[str]) -> None:
    """Hand over to a training stage, which reads its overrides as Hydra does."""
    sys.argv = [f"python -m {module}", *overrides]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        if error.name and not error.name.startswith("visavox"):
            raise VisavoxError(
                f"`{module}` needs {error.name}, which is not installed.",
                next_step="Install visavox with its training extra: pip install 'visavox[train]'.",
            ) from None
        raise


@app.command(context_settings=_FORWARD)
def train(context: typer.Context) -> None:
    """Train: `visavox train data=demo discriminator=plda`, or `visavox train characterizer=face`."""
    nets = any(a.startswith("characterizer=") for a in context.args)
    _stage("visavox.training.characterizer" if nets else "visavox.training.train", context.args)


@app.command(context_settings=_FORWARD)
def features(context: typer.Context) -> None:
    """Embed a dataset: `visavox features data=demo`."""
    _stage("visavox.training.features", context.args)


@app.command(context_settings=_FORWARD)
def evaluate(context: typer.Context) -> None:
    """Measure trained fridges: `visavox evaluate data=demo`."""
    _stage("visavox.training.evaluate", context.args)


@app.command(context_settings=_FORWARD)
def gate(context: typer.Context) -> None:
    """Judge what was measured: `visavox gate data=demo`; exits non-zero when it does not pass."""
    _stage("visavox.training.gate", context.args)


@personas.command("make")
def make(
    folder: Annotated[Path, typer.Argument(help="Where the dataset goes.")],
    people: Annotated[int, typer.Option(help="Members of one fridge.")] = 12,
    captures: Annotated[int, typer.Option(help="Captures per person, half of them probes.")] = 6,
    strangers: Annotated[int, typer.Option(help="People whom the fridge does not know.")] = 0,
    attacks: Annotated[int, typer.Option(help="Attacks of each species.")] = 0,
    clips: Annotated[int, typer.Option(help="Members who also give a clip.")] = 0,
    population: Annotated[int, typer.Option(help="Seed; two populations share nobody.")] = 1000,
    hardness: Annotated[
        float, typer.Option(help="How much one person varies; 1 as at a kiosk.")
    ] = 1,
    workers: Annotated[int, typer.Option(help="Processes; the result does not depend on it.")] = 2,
) -> None:
    """Write a dataset of personas: pictures, sound and manifest, the same for the same seed."""
    from visavox.personas.dataset import PersonasSettings, write

    settings = PersonasSettings(
        population=population,
        members=people,
        enrol=captures - captures // 2,
        probe=captures // 2,
        strangers=strangers,
        attacks=attacks,
        clips=clips,
        hardness=hardness,
    )
    made = write(settings, folder, workers=workers, progress=True)
    typer.echo(f"{len(made)} captures of {len({r.person for r in made})} people in {folder}")


@personas.command("sheet")
def contact_sheet(
    folder: Annotated[Path, typer.Argument(help="A dataset.")],
    picture: Annotated[Path, typer.Argument(help="The PNG to write.")],
    people: Annotated[int, typer.Option(help="Rows.")] = 12,
    captures: Annotated[int, typer.Option(help="Columns.")] = 6,
) -> None:
    """Draw a contact sheet: one row of captures per person."""
    from visavox import manifest
    from visavox.personas.sheet import sheet

    typer.echo(sheet(manifest.read(folder), picture, people=people, captures=captures))


@bundles.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A bundle's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as it stands.")] = False,
) -> None:
    """Verify a bundle and say what it is."""
    from visavox import bundle

    loaded = bundle.load(path, characterizer_digest=None)
    if as_json:
        typer.echo(json.dumps(loaded.manifest, indent=2, sort_keys=True))
        return
    # Plain lines: a table would cut the digests, which are there to be copied.
    for key, value in {
        "fridge": loaded.fridge,
        "digest": loaded.digest,
        "family": loaded.discriminator.family,
        "members": len(loaded.discriminator.members),
        **dict(sorted(loaded.lineage.items())),
    }.items():
        typer.echo(f"{key:14} {value}")


@app.command()
def decide(
    bundle: Annotated[Path, typer.Option(help="The fridge's bundle, a folder.")],
    image: Annotated[list[Path] | None, typer.Option(help="A picture; may be repeated.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A sound file.")] = None,
    clip: Annotated[Path | None, typer.Option(help="A video with sound.")] = None,
    characterizer: Annotated[
        str, typer.Option(help="embedded, or a Characterizer's folder.")
    ] = "embedded",
    risk: Annotated[str, typer.Option(help="The fridge's risk setting.")] = "normal",
    as_json: Annotated[bool, typer.Option("--json", help="The whole decision as JSON.")] = False,
) -> None:
    """Decide once, as the service would: granted, refused, or try again like this."""
    from visavox import bundle as bundles_
    from visavox import characterizer as characterizers
    from visavox.pipeline import Pipeline

    if not (image or audio or clip):
        raise typer.BadParameter("give --image, --audio or --clip")
    nets = characterizers.load(characterizer)
    pipeline = Pipeline(nets, bundles_.load(bundle, characterizer_digest=nets.digest), risk=risk)
    decision = pipeline.run(
        images=[_bytes(p) for p in image or ()],
        audio=_bytes(audio) if audio else None,
        clip=_bytes(clip) if clip else None,
    )
    if as_json:
        typer.echo(json.dumps(asdict(decision), indent=2, default=float))
        return
    console = Console(soft_wrap=True)
    named = f" {decision.member}" if decision.member else ""
    console.print(f"[bold]{decision.outcome.value}[/bold]{named}: {decision.next_step}")
    if decision.candidates:
        table = Table("member", "fused", "face", "voice", title="Log-likelihood ratios, best first")
        for c in decision.candidates:
            cells = ("–" if v is None else f"{v:+.2f}" for v in (c.fused, c.face, c.voice))
            table.add_row(c.member, *cells)
        console.print(table)
    if decision.threshold is not None:
        console.print(f"asked for {decision.threshold:+.2f} at risk setting {risk!r}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise VisavoxError(
            f"{path} cannot be read: {error.strerror}.", next_step="Check the path."
        ) from None
