"""Where the demo lives: folders and ports, from the environment or the defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.problems import DemoProblem

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Everything that differs between one demo and another."""

    state: Path = Path(".cache/demo")
    """Keys, logs, pid files, the database and the models in use."""
    data: Path = Path("data")
    """What DVC made: the dataset of personas, the bundles, the trials."""
    reports: Path = Path("reports/demo")
    dataset: str = "demo"
    api_port: int = 8000
    demo_port: int = 7860
    retraining: bool = True
    """Whether the worker is started too."""

    @property
    def api(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    @property
    def page(self) -> str:
        return f"http://{HOST}:{self.demo_port}"

    @property
    def keys(self) -> Path:
        return self.state / "keys.json"

    @property
    def people(self) -> Path:
        """The dataset of personas."""
        return self.data / self.dataset

    @property
    def trials(self) -> Path:
        return self.data / "evaluate" / self.dataset / "trials.safetensors"


def from_environment(environment: Mapping[str, str] = os.environ) -> DemoSettings:
    """`API_PORT`, `DEMO_PORT`, `DEMO_RETRAINING=0`, `VISAVOX_DEMO_STATE`, `VISAVOX_DEMO_DATA`,
    `VISAVOX_DEMO_REPORTS`."""
    usual = DemoSettings()
    return DemoSettings(
        state=Path(environment.get("VISAVOX_DEMO_STATE") or usual.state),
        data=Path(environment.get("VISAVOX_DEMO_DATA") or usual.data),
        reports=Path(environment.get("VISAVOX_DEMO_REPORTS") or usual.reports),
        api_port=_port(environment, "API_PORT", usual.api_port),
        demo_port=_port(environment, "DEMO_PORT", usual.demo_port),
        retraining=environment.get("DEMO_RETRAINING", "1") != "0",
    )


def _port(environment: Mapping[str, str], name: str, usual: int) -> int:
    text = environment.get(name) or str(usual)
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise DemoProblem(
            f"{name}={text} is no port.", next_step=f"Give a number, as in `{name}={usual}`."
        )
    return int(text)
