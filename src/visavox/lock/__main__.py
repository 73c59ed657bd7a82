"""`python -m visavox.lock`: the lock controller of one fridge."""

import json
import logging
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from visavox.errors import ConfigError, VisavoxError
from visavox.lock.actuators import Actuator, Command, Spoken
from visavox.lock.controller import Controller
from visavox.lock.seen import Seen
from visavox.lock.server import serve
from visavox.tickets import Verifier, public_keys

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Keys:
    """The file of public keys, read again when it changes."""

    def __init__(self, path: Path, *, fridge: str, seen: Seen) -> None:
        self._path, self._fridge, self._seen = path, fridge, seen
        self._read_at = -1
        self._verifier: Verifier | None = None
        self.verifier()

    def verifier(self) -> Verifier:
        try:
            changed = self._path.stat().st_mtime_ns
            if self._verifier is None or changed != self._read_at:
                keys = public_keys(json.loads(self._path.read_text("utf-8")))
                self._verifier = Verifier(keys, fridge=self._fridge, seen=self._seen)
                self._read_at = changed
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"The keys in {self._path} cannot be read: {type(error).__name__}.",
                next_step="Save the answer of GET /v1/tickets/keys there.",
            ) from None
        return self._verifier


@app.command()
def run(
    fridge: Annotated[str, typer.Option(help="The id of the fridge that this lock is in.")],
    keys: Annotated[Path, typer.Option(help="The answer of GET /v1/tickets/keys, saved.")],
    seen: Annotated[Path, typer.Option(help="The file that remembers used tickets.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="How long a compartment is open.")] = 8.0,
    command: Annotated[
        str | None, typer.Option(help="Program to run with `open` or `close` and compartments.")
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for a free one, which is said.")] = 8700,
    origin: Annotated[
        list[str] | None, typer.Option(help="A web page's origin that may open; repeatable.")
    ] = None,
) -> None:
    """Open compartments for valid tickets, until it is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    actuator: Actuator = Command(shlex.split(command)) if command else Spoken()
    with Seen(seen) as memory:
        source = Keys(keys, fridge=fridge, seen=memory)
        with Controller(source.verifier, actuator, seconds=seconds) as controller:
            allowed = frozenset(origin or ())
            server = serve(controller.handle, host=host, port=port, origins=allowed)
            for number in (signal.SIGTERM, signal.SIGINT):
                # From another thread: `shutdown` waits for the loop that a signal interrupts.
                signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
            where = f"http://{server.server_address[0]!s}:{server.server_address[1]}"
            logging.getLogger("visavox.lock").info("listening on %s", where)
            try:
                server.serve_forever(poll_interval=0.1)
            finally:
                server.server_close()


def main() -> None:
    try:
        app()
    except VisavoxError as error:
        typer.echo(f"visavox.lock: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
