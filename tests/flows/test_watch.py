"""Watching as it is run: by Metaflow, from the command line, and beside the worker."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flows.workplace import HOME, Workplace
from visavox.characterizer import Characterizer
from visavox.monitoring import looks
from visavox.service.house import utc_now
from visavox.training.production.watching_steps import Aside, grouped, told


@pytest.mark.timeout(600)
def test_the_flow_the_command_and_the_worker_all_look(
    tmp_path: Path,
    embedded: Characterizer,
    base_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Workplace.made(tmp_path, embedded, base_bundle)
    with place.open() as store:
        place.fill(store, "kitchen", 4)
        # An older request answers every cause; there is something to say, and nothing to ask.
        said = place.told("watch")
        assert "kitchen: " in said
        assert "no model has ever learned from them; asked for before" in said

        settings = {
            "METAFLOW_USER": "tests",
            "METAFLOW_DEFAULT_DATASTORE": "local",
            "METAFLOW_DEFAULT_METADATA": "local",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path / "metaflow"),
        }
        done = subprocess.run(
            [sys.executable, str(HOME / "flows" / "watch.py"), "run"],
            cwd=HOME,
            env={**place.environment, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "no model has ever learned from them" in done.stdout

        for name, value in place.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(HOME)
        aside = Aside()
        assert aside.begin()
        assert not aside.begin()
        assert aside.wait(120) == 0

        with store.read() as unit:
            runs = unit.runs.page(flow=looks.FLOW).items
            found = looks.latest(unit, at=utc_now())
            assert len(unit.retraining.pending("kitchen")) == len(unit.retraining.pending())
    assert sum("kitchen" in run.fridges for run in runs) == 3
    assert any(str(run.metaflow).startswith("WatchFlow/") for run in runs)
    assert found.audit is not None
    assert found.audit.figures["valid"] is True
    assert found.fridges["kitchen"].figures["causes"] == ["untrained"]


def test_fridges_are_grouped_in_order_and_none_is_lost() -> None:
    names = [f"f{i}" for i in range(7)]
    assert grouped(names, 3) == [names[:3], names[3:6], names[6:]]
    assert grouped([]) == []


def test_only_fridges_with_a_cause_are_told_of() -> None:
    quiet: dict[str, Any] = {"causes": [], "why": "", "request": None}
    due = {"causes": ["age"], "why": "the model is old", "request": "ret_1"}
    assert told([{"a": quiet}, {"b": due}]) == ["b: the model is old; asked for ret_1"]
