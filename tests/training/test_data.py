"""People who do not exist are drawn; data that is brought is verified."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from visavox import manifest
from visavox.errors import ConfigError, DataError
from visavox.training import data, tracking
from visavox.training.data import DataSettings
from visavox.training.dataset import Dataset

PERSONAS = {
    "population": 6,
    "members": 2,
    "enrol": 1,
    "enrol_sessions": 1,
    "probe": 1,
    "probe_sessions": 1,
    "seconds": 1.0,
    "width": 160,
    "height": 160,
}
SETTINGS = DataSettings(data=Dataset(name="tiny", personas=PERSONAS), workers=1)
BROUGHT = DataSettings(data=Dataset(name="tiny"), workers=1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_personas_are_drawn_and_then_verified(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        made = data.data(SETTINGS, tracking.untracked())
    assert len(made) == 4
    assert caplog.messages == ["tiny: 2 enrol, 2 probe"]
    assert data.data(BROUGHT, tracking.untracked()).rows == made.rows


def test_an_unknown_setting_of_personas_is_named() -> None:
    wrong = replace(SETTINGS, data=Dataset(name="tiny", personas={"nose": 2}))
    with pytest.raises(ConfigError, match=r"data\.personas of 'tiny'.*nose: unknown key"):
        data.data(wrong, tracking.untracked())


def test_brought_data_that_is_not_there_or_not_itself_is_refused(place: Path) -> None:
    with pytest.raises(DataError, match="no manifest"):
        data.data(BROUGHT, tracking.untracked())
    made = data.data(SETTINGS, tracking.untracked())
    first = made.rows[0].files[0]
    (made.root / first.path).write_bytes(b"another")
    with pytest.raises(DataError, match=f"not those .* {made.rows[0].capture}"):
        data.data(BROUGHT, tracking.untracked())


def test_brought_data_that_leaks_is_refused() -> None:
    made = data.data(SETTINGS, tracking.untracked())
    manifest.write(made.root, [replace(r, session="one") for r in made])
    with pytest.raises(DataError, match="both enrol and probe"):
        data.data(BROUGHT, tracking.untracked())


@pytest.mark.parametrize("name", ["cohort", "benchmark", "demo"])
def test_the_shipped_datasets_compose(name: str) -> None:
    """Every key of configs/data/<name>.yaml is known to the personas."""
    import yaml

    from visavox.config import validated
    from visavox.personas.dataset import PersonasSettings

    path = Path(__file__).parents[2] / "configs" / "data" / f"{name}.yaml"
    wanted = validated(Dataset, yaml.safe_load(path.read_text(encoding="utf-8")))
    assert wanted.name == name
    made = validated(PersonasSettings, wanted.personas)
    assert made.cohort if name == "cohort" else made.fridges
