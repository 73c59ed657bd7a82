"""Looking after the store: `visavox audit verify`, `keys …`, `erase` and `sweep`.

The store is the one that the environment names (VISAVOX_…), as the service's is. What they need is
imported when they run: `visavox` works without the service's packages too.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visavox.errors import ConfigError, VisavoxError

if TYPE_CHECKING:
    from visavox.audit import Head
    from visavox.store import Store

audit = typer.Typer(help="The log of who did what.", no_args_is_help=True)
keys = typer.Typer(help="The master keys that everything personal is under.", no_args_is_help=True)


def mount(app: typer.Typer) -> None:
    """Put the store's commands into the command line."""
    app.add_typer(audit, name="audit")
    app.add_typer(keys, name="keys")
    app.command()(erase)
    app.command()(sweep)


@audit.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(help="A head noted earlier, as NUMBER:DIGEST: it must still be in the log."),
    ] = None,
) -> None:
    """Walk the log from its start; exits 1 where it was altered. Prints its head: note it."""
    noted = None if head is None else _head(head)
    with opened() as store, store.read() as unit:
        found = unit.audit.verify(head=noted)
    if not found.valid:
        typer.echo(f"NOT VALID: {found.problem}", err=True)
        raise typer.Exit(1)
    typer.echo(f"valid: {found.records} records, head {found.head.seq}:{found.head.digest}")


@keys.command("new")
def new(
    file: Annotated[
        Path | None, typer.Option(help="Write it there; a file that is there is not touched.")
    ] = None,
) -> None:
    """Make a master key. Keep a copy where the database's backups are not."""
    from visavox.store.keyring import MasterKey, write

    made = MasterKey.made()
    if file is None:
        typer.echo(made.text())
        return
    if file.exists():
        raise ConfigError(
            f"{file} is there already.",
            next_step="Run `visavox keys rotate` to add a key to it, or choose another name.",
        )
    write(file, [made], replace=False)
    typer.echo(f"master key {made.id} in {file}")


@keys.command("status")
def status() -> None:
    """Which master key wraps how many data keys."""
    with opened() as store:
        used = store.wrapped()
        at_hand = {key.id for key in store.keyring.keys}
    for key_id in [*used, *sorted(at_hand - set(used))]:
        here = "at hand" if key_id in at_hand else "MISSING"
        typer.echo(f"{key_id}  {used.get(key_id, 0)} data keys, {here}")


@keys.command("rotate")
def rotate(
    retire: Annotated[
        bool, typer.Option(help="Then remove from the key file those that nothing needs.")
    ] = False,
) -> None:
    """Put everything under a new master key while the service runs; goes on where it was stopped.

    A key file is given the new key by this command. Where the keys are in the environment, put
    the new one before the old one, restart the service, and then run this.
    """
    from visavox.store.keyring import write

    with opened() as store:
        _newer_than_in_use(store)
        done = store.rotate(
            at=datetime.now(UTC), progress=lambda n: typer.echo(f"{n} data keys", err=True)
        )
        used, ring = store.wrapped(), store.keyring
        with store.begin() as unit:
            unit.audit.append(
                at=datetime.now(UTC),
                actor="operator",
                action="keys.rotate",
                subject=ring.newest.id,
                detail={"data_keys": done},
            )
    typer.echo(f"{done} data keys are under master key {ring.newest.id} now")
    old = [key.id for key in ring.keys if key.id not in used]
    if retire and ring.path is not None:
        write(ring.path, [key for key in ring.keys if key.id in used])
        typer.echo(f"retired: {', '.join(old) or 'none'}")
    elif old:
        typer.echo(f"needed for nothing but backups any more: {', '.join(old)}")


def _newer_than_in_use(store: "Store") -> None:
    """Have a master key to rotate to: the one that an earlier try was given, or a new one."""
    from visavox.store.keyring import MasterKey, write

    ring = store.keyring
    if set(store.wrapped()) != {ring.newest.id}:
        return
    if ring.path is None:
        raise ConfigError(
            f"The newest master key, {ring.newest.id}, is in use already.",
            next_step="Put a new one before it in VISAVOX_MASTER_KEY: `visavox keys new`.",
        )
    write(ring.path, [MasterKey.made(), *ring.keys])
    ring.reload()


def erase(
    fridge: Annotated[str, typer.Argument(help="The fridge's id.")],
    member: Annotated[str, typer.Argument(help="The member's id.")],
) -> None:
    """Delete a member for good: their key, captures, probes, name, number, PIN, grants, and their
    part of the trained bundles. Prints the receipt's id: `visavox receipt show`."""
    with opened() as store:
        from visavox.service.erasure import erase as erase_member
        from visavox.service.sealed import SealedSlot
        from visavox.store.settings import StoreSettings

        slot = SealedSlot(StoreSettings.read().models, fridge)
        gone = erase_member(store, slot, member, actor="operator", at=datetime.now(UTC))
    said = {**asdict(gone.erased), "audit_seq": gone.audit_seq, "receipt": gone.receipt}
    typer.echo(json.dumps(said))


def sweep() -> None:
    """Remove what cut-off work left in the capture store and among the bundles, and what has
    expired."""
    with opened() as store:
        from visavox.service.sealed import sweep as sweep_bundles
        from visavox.store.settings import StoreSettings

        swept = store.sweep(at=datetime.now(UTC), probes=StoreSettings.read().probes)
        sweep_bundles(store, StoreSettings.read().models)
    typer.echo(json.dumps(asdict(swept)))


@contextlib.contextmanager
def opened() -> "Iterator[Store]":
    """The store that the environment names, ready to be used."""
    try:
        from visavox.store.settings import StoreSettings
    except ModuleNotFoundError as error:
        raise VisavoxError(
            f"The store needs {error.name}, which is not installed.",
            next_step="Install visavox with its service extra: pip install 'visavox[api]'.",
        ) from None
    store = StoreSettings.read().open()
    try:
        store.check()
        yield store
    finally:
        store.close()


def _head(text: str) -> "Head":
    from visavox.audit import Head

    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise ConfigError(
            f"{text!r} is no head of a log.", next_step="Give it as `audit verify` printed it."
        )
    return Head(int(number), digest)
