"""The reference lock beside the kiosk, with a bolt that notes what it was told."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.browser.house import House
from visavox.lock import Controller, Seen
from visavox.lock.server import serve
from visavox.tickets import Verifier, public_keys


class Bolt:
    def __init__(self) -> None:
        self.opened: list[tuple[str, ...]] = []
        self.address = ""

    def open(self, compartments: Sequence[str]) -> None:
        self.opened.append(tuple(compartments))

    def close(self, compartments: Sequence[str]) -> None:
        pass


@contextlib.contextmanager
def locking(house: House, fridge: str, folder: Path, *, origin: str = "") -> Iterator[Bolt]:
    """It knows the service's public keys, and lets the kiosk's page speak to it."""
    keys = public_keys(house.admin.get("/tickets/keys").json())
    bolt = Bolt()
    with Seen(folder / "seen") as seen, contextlib.ExitStack() as stack:
        verifier = Verifier(keys, fridge=fridge, seen=seen)
        control = stack.enter_context(Controller(lambda: verifier, bolt, seconds=0.2))
        origins = frozenset({origin or house.address})
        server = serve(control.handle, host="127.0.0.1", port=0, origins=origins)
        bolt.address = f"http://127.0.0.1:{server.server_address[1]}/open"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield bolt
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
