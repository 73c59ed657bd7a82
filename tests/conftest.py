"""What every test may use. Threads are kept to one: the tests already run side by side."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import cohort
from tests.postgres import Server, serving
from visavox import characterizer
from visavox import store as stores
from visavox.characterizer import Characterizer
from visavox.store import blobs
from visavox.store.keyring import Keyring, MasterKey

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# No test may depend on the speed of the machine it runs on.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


# --- Databases: every test that asks for `database_url` or `store` runs on both.


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring.of(MasterKey.made())


@pytest.fixture(scope="session")
def sqlite_template(keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrated(f"sqlite:///{path}", keyring)
    return path


@pytest.fixture(scope="session")
def postgres(keyring: Keyring) -> Iterator[Server]:
    """A server with a migrated database `migrated`, to be copied."""
    with serving() as server:
        _migrated(server.create("migrated"), keyring)
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of this test's own, whose master key is `keyring`'s."""
    if request.param == "sqlite":
        path = tmp_path / "visavox.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"test_{os.urandom(8).hex()}"
    yield server.create(name, template="migrated")
    server.drop(name)


@pytest.fixture
def store(database_url: str, keyring: Keyring, tmp_path: Path) -> Iterator[stores.Store]:
    opened = stores.open(
        database_url, keyring=keyring, blobs=blobs.connect(str(tmp_path / "captures"))
    )
    yield opened
    opened.close()


def _migrated(url: str, keyring: Keyring) -> None:
    made = stores.open(url, keyring=keyring, blobs=blobs.connect("unused"))
    made.migrate()
    made.close()


# --- Models: what newcomers are enrolled on, as the shipped nets see people.


@pytest.fixture(scope="session")
def embedded() -> Iterator[Characterizer]:
    """The Characterizer that is shipped."""
    nets = characterizer.load()
    yield nets
    nets.close()


@pytest.fixture(scope="session")
def base_bundle(embedded: Characterizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base bundle for the shipped nets, fitted on a few personas; `models.install_base` takes it."""
    return cohort.base_bundle(tmp_path_factory.mktemp("base"), embedded)
