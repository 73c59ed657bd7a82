"""A real service in a process of its own, with fridges and personas enrolled over HTTP."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.media import jpeg, wav
from tests.load.process import service
from visavox.personas.person import Person, face_of, person, voice_of

GUEST = person(6, 7)
"""Who stands before the kiosk's camera, in good light: these tests are of the page."""
NEIGHBOURS = tuple(person(6, index) for index in (11, 12, 13))
NAMES = {
    who.name: name
    for who, name in zip(
        (GUEST, *NEIGHBOURS),
        ("Ada Lovelace", "Noor Haddad", "Chloé Martin", "Jonas Weber"),
        strict=True,
    )
}
PIN = "493817"


@dataclass(frozen=True, slots=True)
class House:
    """Where it is, and an admin's and the kiosks' keys."""

    address: str
    admin: httpx.Client
    kiosk: dict[str, str]
    """The kiosk's key of each fridge."""

    def events(self, fridge: str) -> list[dict[str, Any]]:
        return list(self.admin.get("/events", params={"fridge": fridge}).json()["items"])

    def decisions(self, fridge: str) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self.admin.get("/decisions", params={"fridge": fridge}).json()["items"])


@contextlib.contextmanager
def serving(state: Path, base: Path) -> Iterator[House]:
    """Fridges `home` with the guest enrolled, `away` and `shut` with others only."""
    environment = {
        **os.environ,
        "VISAVOX_ENVIRONMENT": "development",
        "VISAVOX_STATE": str(state),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }

    def command(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "api", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("migrate")
    command("model", "base", str(base))
    admin_key = _secret(command("key", "create", "--role", "admin", "--name", "tests"))
    log = state / "serve.log"
    with (
        service("api", ["serve"], ready="/readyz", log=log, environment=environment) as served,
        httpx.Client(
            base_url=f"{served.host}/v1",
            headers={"Authorization": f"Bearer {admin_key}"},
            timeout=60,
        ) as admin,
    ):
        keys = {
            "home": fridge(admin, "home", "Kitchen, 2nd floor", [GUEST], locale="en"),
            "away": fridge(admin, "away", "Workshop", NEIGHBOURS[:2], locale="en"),
            "shut": fridge(admin, "shut", "Cuisine du rez", NEIGHBOURS[2:], locale="fr"),
        }
        yield House(served.host, admin, keys)


def fridge(
    admin: httpx.Client, name: str, title: str, members: Sequence[Person], *, locale: str
) -> str:
    """The fridge with its members, each with a PIN; the key of its kiosk."""
    _made(admin.post("/fridges", json={"id": name, "name": title, "locale": locale}))
    for compartment, called in (("dairy", "Dairy"), ("top", "Top shelf")):
        _made(admin.post(f"/fridges/{name}/compartments", json={"id": compartment, "name": called}))
    for place, who in enumerate(members):
        files = []
        for session in range(5):
            files.append(("image", ("face.jpg", jpeg(face_of(who, session, 0).pixels))))
            files.append(("audio", ("voice.wav", wav(voice_of(who, session, 0).waveform))))
        data = {
            "id": f"member{place}",
            "name": NAMES[who.name],
            "consent": "true",
            "locale": "fr" if place else "en",
            "pin": PIN,
            "compartments": ["dairy", "top"],
        }
        _made(admin.post(f"/fridges/{name}/members", data=data, files=files))
    made = _made(admin.post("/keys", json={"role": "kiosk", "name": name, "fridges": [name]}))
    return _secret(json.dumps(made))


def number(house: House, fridge: str, member: str = "member0") -> str:
    """What the member types at the PIN pad."""
    return str(house.admin.get(f"/fridges/{fridge}/members/{member}").json()["number"])


def _made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _secret(said: str) -> str:
    """The key in what a command or the API said."""
    found = [w.strip("\",:{}'") for w in said.replace(",", " ").split()]
    return next(word for word in found if word.startswith("vx_"))
