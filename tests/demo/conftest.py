"""A demo in a temporary folder: a few personas, on disk as DVC would leave them."""

from pathlib import Path

import pytest

from demo import people
from demo.people import Cast
from visavox.personas.dataset import PersonasSettings, write

PEOPLE = PersonasSettings(
    population=5,
    members=4,
    enrol=4,
    enrol_sessions=2,
    probe=3,
    strangers=5,
    stranger_captures=1,
    look_alikes=0.4,
    relatives=0.0,
    hardness=0.5,
    clips=1,
)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four members of one fridge, five strangers; two of them resemble a member."""
    root = tmp_path_factory.mktemp("data") / "demo"
    write(PEOPLE, root, workers=2)
    return root


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where newcomers and scenes are made."""
    return tmp_path_factory.mktemp("demo-made")


@pytest.fixture(scope="session")
def cast(dataset: Path, made: Path) -> Cast:
    return people.cast(dataset, made, newcomers=1)
