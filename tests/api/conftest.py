"""The app over the real house: real database, real nets, real keys; people who do not exist."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.main import create_app
from api.settings import Limits, Settings
from tests.load.people import Shot, shot, who
from visavox import store as stores
from visavox.characterizer import Characterizer
from visavox.perception import Perception
from visavox.service import keys, models
from visavox.service.house import Actor, House
from visavox.service.models import Models
from visavox.store import Store, blobs
from visavox.store.keyring import Keyring
from visavox.store.records import Role
from visavox.tickets import Signer

OPERATOR = Actor.operator("tests")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a key, in front of the app."""

    client: TestClient
    secret: str
    key: str

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        shown = {"Authorization": f"Bearer {self.secret}", **(headers or {})}
        return self.client.request(method, path, headers=shown, **request)

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("POST", path, **request)

    def put(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("PUT", path, **request)

    def patch(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("PATCH", path, **request)

    def delete(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("DELETE", path, **request)


@pytest.fixture(scope="session")
def perception(embedded: Characterizer) -> Iterator[Perception]:
    with Perception(embedded, side_by_side=False) as made:
        yield made


@pytest.fixture
def sqlite_store(sqlite_template: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Store]:
    """For what does not depend on which database it is."""
    path = tmp_path / "api.db"
    shutil.copyfile(sqlite_template, path)
    opened = stores.open(
        f"sqlite:///{path}", keyring=keyring, blobs=blobs.connect(str(tmp_path / "captures"))
    )
    yield opened
    opened.close()


def housed(store: Store, perception: Perception, base_bundle: Path, folder: Path) -> House:
    """A house on that store, with the base bundle that newcomers are enrolled on."""
    made = House(
        store=store,
        models=Models(folder / "models", perception.characterizer),
        perception=perception,
        signer=Signer.made(),
    )
    models.install_base(made, OPERATOR, base_bundle)
    return made


@pytest.fixture
def house(sqlite_store: Store, perception: Perception, base_bundle: Path, tmp_path: Path) -> House:
    return housed(sqlite_store, perception, base_bundle, tmp_path)


@pytest.fixture
def api_settings(tmp_path: Path) -> Settings:
    plenty = Limits(rate=1e6, burst=10**6, wrong_keys=10**6)
    return Settings(state=tmp_path / "state", limits=plenty)


@pytest.fixture
def app(house: House, api_settings: Settings) -> FastAPI:
    return create_app(api_settings, house=house)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Nobody in particular."""
    with TestClient(app) as made:
        yield made


def caller(
    client: TestClient, house: House, role: Role, fridges: tuple[str, ...] | None = None
) -> Caller:
    """Somebody with a new key."""
    issued = keys.create(house, OPERATOR, role=role, name=role.value, fridges=fridges)
    return Caller(client, issued.secret, issued.key.id)


@pytest.fixture
def admin(client: TestClient, house: House) -> Caller:
    return caller(client, house, Role.ADMIN)


@pytest.fixture
def auditor(client: TestClient, house: House) -> Caller:
    return caller(client, house, Role.AUDITOR)


@pytest.fixture
def kitchen(admin: Caller) -> str:
    """A fridge with two compartments, `top` and `bottom`."""
    assert admin.post("/v1/fridges", json={"id": "kitchen", "name": "Kitchen"}).status_code == 201
    for compartment in ("top", "bottom"):
        made = {"id": compartment, "name": compartment.title()}
        assert admin.post("/v1/fridges/kitchen/compartments", json=made).status_code == 201
    return "kitchen"


@pytest.fixture
def kiosk(client: TestClient, house: House, kitchen: str) -> Caller:
    """The kitchen's."""
    return caller(client, house, Role.KIOSK, (kitchen,))


@pytest.fixture(scope="session")
def ada() -> tuple[Shot, ...]:
    """Good captures of one person: two to enrol with, one to show at the kiosk."""
    return tuple(shot(who(1), i) for i in range(3))


@pytest.fixture(scope="session")
def bob() -> tuple[Shot, ...]:
    """Of another."""
    return tuple(shot(who(2), i) for i in range(3))


def files(*shots: Shot) -> list[tuple[str, tuple[str, bytes, str]]]:
    """As parts of a form."""
    return [("image", ("face.jpg", s.image, "image/jpeg")) for s in shots] + [
        ("audio", ("voice.wav", s.audio, "audio/wav")) for s in shots
    ]


def enrol(
    admin: Caller, fridge: str, member: str, *shots: Shot, **fields: str | list[str]
) -> httpx.Response:
    """Enrol somebody who consents."""
    data = {"id": member, "name": member.title(), "consent": "true", **fields}
    return admin.post(f"/v1/fridges/{fridge}/members", data=data, files=files(*shots))
