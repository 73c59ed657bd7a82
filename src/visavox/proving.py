"""Where answers come from, and whether they hold: `visavox trace`, `replay` and `receipt …`.

They read the store and the models that the environment names, as the service does.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from visavox import upkeep
from visavox.errors import DataError, VisavoxError

if TYPE_CHECKING:
    from visavox.service.house import House
    from visavox.service.tracing import Model, Trace
    from visavox.store.receipts import Receipt

receipts = typer.Typer(help="Receipts of erasures.", no_args_is_help=True)

_Characterizer = Annotated[str, typer.Option(help="embedded, or a Characterizer's folder.")]
_Json = Annotated[bool, typer.Option("--json", help="All of it, as JSON.")]


def mount(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.add_typer(receipts, name="receipt")
    app.command()(trace)
    app.command()(replay)


def trace(
    decision: Annotated[str, typer.Argument(help="The decision's id.")],
    as_json: _Json = False,
    characterizer: _Characterizer = "embedded",
) -> None:
    """From a decision back to the scores, models, runs, data, code and captures that made it."""
    from visavox.service import tracing
    from visavox.service.house import Actor

    with _house(characterizer) as house:
        found = tracing.trace(house, Actor.operator(), decision)
    if as_json:
        typer.echo(_dumped(asdict(found)))
        return
    _shown(found)


def replay(
    decision: Annotated[str | None, typer.Argument(help="The decision's id.")] = None,
    bundle: Annotated[
        str | None, typer.Option(help="By this bundle instead: what would it have said?")
    ] = None,
    last: Annotated[int, typer.Option(min=0, help="Instead of one, the latest so many.")] = 0,
    fridge: Annotated[str | None, typer.Option(help="With --last: of this fridge alone.")] = None,
    as_json: _Json = False,
    characterizer: _Characterizer = "embedded",
) -> None:
    """Make a decision again from its kept probe; exits 1 where a number is not the same."""
    from visavox.service import replay as replays
    from visavox.service.house import Actor

    if (decision is None) == (last == 0):
        raise typer.BadParameter("name one decision, or give --last")
    with _house(characterizer) as house:
        if decision is None:
            found = replays.last(house, Actor.operator(), last, fridge=fridge)
            typer.echo(_dumped(asdict(found)) if as_json else f"{found.exact}/{found.total}")
            for why, count in () if as_json else sorted(found.skipped.items()):
                typer.echo(f"not made again: {count}, {why}", err=True)
            for name in found.inexact:
                typer.echo(f"NOT THE SAME: {name}", err=True)
            raise typer.Exit(1 if found.inexact else 0)
        one = replays.replay(house, Actor.operator(), decision, bundle=bundle)
    if as_json:
        typer.echo(_dumped(asdict(one)))
    else:
        _line("then", one.then.outcome, one.then.member, f"asked {one.then.threshold}")
        _line("now", one.now.outcome, one.now.member, f"asked {one.now.threshold}")
        before = {c.member: c for c in one.then.candidates}
        for c in one.now.candidates:
            was = before.get(c.member)
            typer.echo(f"  {c.member:24} {c.fused!r}  then {was.fused if was else '–'!r}")
        if one.exact is not None:
            same = "the same to the last bit" if one.exact else "NOT THE SAME"
            typer.echo(f"{one.compared} numbers compared: {same}")
        for difference in one.differences:
            typer.echo(difference)
        if one.gone:
            typer.echo(f"erased since, and left out: {', '.join(one.gone)}")
    raise typer.Exit(1 if one.exact is False else 0)


@receipts.command("show")
def show(
    receipt: Annotated[str, typer.Argument(help="The receipt's id.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the signed document there, to hand it out.")
    ] = None,
) -> None:
    """What was removed of an erased member and, once it is there, the signed proof."""
    from visavox import receipt as documents

    with upkeep.opened() as store, store.read() as unit:
        found = unit.receipts.get(receipt)
    if found.document is None or found.signature is None:
        if out is not None:
            raise DataError(
                f"The receipt {receipt!r} is pending: there is nothing to hand out yet.",
                next_step="Let the worker retrain the fridge: `python -m flows worker`.",
            )
        typer.echo(_dumped(_pending(found)))
        return
    text = documents.file(found.document, found.signature)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    typer.echo(f"{receipt} in {out}")


@receipts.command("list")
def list_all(fridge: Annotated[str, typer.Argument(help="The fridge's id.")]) -> None:
    """The receipts of one fridge, the newest first."""
    with upkeep.opened() as store, store.read() as unit:
        for found in unit.receipts.page(fridge, limit=100).items:
            typer.echo(f"{found.id}  {found.state.value:8}  {found.member}  {found.requested_at}")


@receipts.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The receipt, as `receipt show` wrote it.")],
    keys: Annotated[
        Path | None, typer.Option(help="A kept answer of GET /v1/tickets/keys: whose keys count.")
    ] = None,
) -> None:
    """Check a receipt's signature, offline; exits 1 where its key is none of those given."""
    from visavox import receipt as documents
    from visavox import tickets

    known = None if keys is None else tickets.public_keys(json.loads(_bytes(keys)))
    found = documents.verify(_bytes(file), known)
    said = found.document
    proof = said["proof"]
    typer.echo(f"{said['receipt']}: {said['member']} of {said['fridge']}, {said['requested_at']}")
    typer.echo(f"the fridge answers {proof['answer']} for their last probe: {proof['why']}")
    typer.echo(f"signed by {found.kid}{_trust(found.known)}")
    if found.known is False:
        raise typer.Exit(1)


def _trust(known: bool | None) -> str:
    if known is None:
        return ": compare it with GET /v1/tickets/keys"
    return ", which is among the keys given" if known else ", WHICH IS NONE OF THE KEYS GIVEN"


def _shown(found: "Trace") -> None:
    d = found.decision
    _line("decision", d.id, f"{d.at:%Y-%m-%d %H:%M:%S}Z", d.fridge, d.kiosk)
    _line("outcome", d.outcome.value, d.member or "nobody", ", ".join(d.reasons))
    _line("asked", d.threshold, f"risk {d.judged['risk']}" if d.judged else "")
    for c in d.candidates:
        _line("", c.member, f"fused {c.fused:+.4f}", *(_llr(n, v) for n, v in _parts(c)))
    for model in found.models:
        _model(model)
    nets = found.characterizer
    if nets:
        _line("nets", str(nets["digest"])[:12], nets.get("name", "of another time"))
    if found.run is not None:
        _line("run", found.run.id, found.run.metaflow or "", found.run.reason)
    if found.mlflow_run is not None:
        _line("mlflow", found.mlflow_run)
    if found.trial is not None:
        _line("trial", found.trial.mode, f"answered by the {found.trial.arm}")
    if found.audit is not None:
        whole = "in the chain" if found.audit.linked else "THE CHAIN IS BROKEN HERE"
        _line("audit", found.audit.seq, found.audit.digest[:12], whole)
    _line("probe", "kept, to replay" if found.replayable else "gone")
    for name, address in found.links.items():
        _line("link", f"{name:14}", address)


def _model(model: "Model") -> None:
    version = f"version {model.version}" if model.version else ""
    _line(model.role, model.digest[:12], model.family or "", version, model.note)
    for name in ("commit", "ledger_tag", "ledger_commit", "data_dvc", "as_of", "config_sha256"):
        if name in model.lineage:
            dirty = " (with changes)" if name == "commit" and model.lineage.get("dirty") else ""
            _line("", name, f"{model.lineage[name]}{dirty}")
    if model.captures:
        _line("", "learned from", f"{len(model.captures)} captures")
        for capture in model.captures:
            _line("", "", capture)


def _parts(candidate: Any) -> list[tuple[str, float | None]]:
    return [("face", candidate.face), ("voice", candidate.voice)]


def _llr(name: str, value: float | None) -> str:
    return f"{name} –" if value is None else f"{name} {value:+.4f}"


def _line(name: str, *words: object) -> None:
    Console(soft_wrap=True, highlight=False).print(
        f"{name:10} {'  '.join(str(w) for w in words if w not in ('', None))}", markup=False
    )


def _pending(found: "Receipt") -> dict[str, Any]:
    said = asdict(found)
    return {**said, "state": found.state.value}


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise VisavoxError(
            f"{path} cannot be read: {error.strerror}.", next_step="Check the path."
        ) from None


@contextlib.contextmanager
def _house(characterizer: str) -> "Iterator[House]":
    """The service's use cases on the store that the environment names."""
    with upkeep.opened() as store:
        from visavox import characterizer as nets
        from visavox.perception import Perception
        from visavox.service.house import House
        from visavox.service.links import Addresses, Links
        from visavox.service.models import Models
        from visavox.store.settings import StoreSettings

        settings = StoreSettings.read()
        chosen = settings.net_set
        loaded = nets.load(chosen.nets or characterizer)
        with Perception(loaded, side_by_side=False) as perception:
            yield House(
                store=store,
                models=Models(chosen.root, loaded),
                perception=perception,
                signer=settings.signer(),
                links=Links(settings.state, Addresses.read()),
            )
