"""A pipeline step: one pure function, one settings dataclass, one config file of its name.

    @stage(GateSettings)
    def gate(settings: GateSettings, run: Run) -> None:
        '''What the step does; shown by `--help`.'''

    if __name__ == "__main__":
        gate.main()

`python -m visavox.training.gate data=benchmark limits.fnir=0.02` then composes configs/gate.yaml,
validates it, opens an MLflow run and calls the function. Code (a flow, a test) calls the step like
the function it is: `gate(settings, tracking.untracked())`.
"""

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from visavox.config import validated
from visavox.errors import ConfigError, VisavoxError
from visavox.training import tracking
from visavox.training.tracking import Run

S = TypeVar("S")
R = TypeVar("R")

CACHE = Path(".cache")

REFUSED = 2
"""Exit code of a step that says what is wrong, as opposed to a crash."""


class Stage(Generic[S, R]):
    """A step that can be called as a function, or run from the command line by `main`."""

    def __init__(self, name: str, settings: type[S], function: Callable[[S, Run], R]) -> None:
        self.name = name
        self.settings = settings
        self.function = function
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    def __call__(self, settings: S, run: Run) -> R:
        return self.function(settings, run)

    def main(self) -> None:
        """Run this step with the overrides on the command line; the way Hydra documents it."""
        # The job is found again by name: what `python -m` calls __main__ has no name in the
        # worker processes of a sweep.
        try:
            module = _importable(self.function)
            _hydra_main(module, self.name)
        except VisavoxError as error:
            _refuse(error)
        except Exception as error:
            if not _is_about_configuration(error):
                raise
            _refuse(
                ConfigError(
                    f"configs/{self.name}.yaml and its overrides make no configuration: "
                    f"{' '.join(str(error).split())}.",
                    next_step=f"See what it composes to: `python -m {module} --cfg job`.",
                )
            )

    def run(self, values: dict[str, Any]) -> R:
        """Validate composed `values`, and call the function within a tracked run."""
        settings = validated(self.settings, values, source=f"configuration of {self.name!r}")
        with tracking.run(self.name, asdict(settings)) as run:  # type: ignore[call-overload]
            return self(settings, run)


def stage(
    settings: type[S], *, name: str | None = None
) -> Callable[[Callable[[S, Run], R]], Stage[S, R]]:
    """Make a function a pipeline step; its name is that of its config file."""

    def made(function: Callable[[S, Run], R]) -> Stage[S, R]:
        return Stage(name or function.__name__, settings, function)

    return made


def configs(name: str) -> Path:
    """The folder that holds `<name>.yaml`: of the working directory, else of this checkout."""
    places = (Path.cwd() / "configs", Path(__file__).parents[3] / "configs")
    for place in places:
        if (place / f"{name}.yaml").is_file():
            return place
    raise ConfigError(
        f"There is no configs/{name}.yaml in {places[0].parent}.",
        next_step="Run the step from the top of a checkout.",
    )


def _hydra_main(module: str, name: str) -> None:
    import hydra  # here, so that importing a step for its function costs nothing

    folder = str(configs(name))
    CACHE.mkdir(exist_ok=True)  # where configs/hydra and configs/sweep put what they keep

    def job(values: Any) -> Any:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode
        from omegaconf import OmegaConf

        step: Stage[Any, Any] = _find(module, name)
        plain = OmegaConf.to_container(
            values, resolve=True, throw_on_missing=True, enum_to_str=True
        )
        assert isinstance(plain, dict)
        try:
            return step.run({str(k): v for k, v in plain.items()})
        except VisavoxError as error:
            if HydraConfig.get().mode is RunMode.MULTIRUN:
                raise  # the sweep's own process reports it; a worker must not exit
            _refuse(error)

    job.__module__ = module  # Hydra names its job after the module
    job.__doc__ = _find(module, name).__doc__
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # else Hydra prints and exits on our errors
    hydra.main(config_path=folder, config_name=name, version_base="1.3")(job)()


def _importable(function: Callable[..., Any]) -> str:
    if function.__module__ != "__main__":
        return function.__module__
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None:
        raise ConfigError(
            "A step was started as a file.",
            next_step="Start it as a module: `python -m visavox.training.<step>`.",
        )
    return str(spec.name)


def _find(module: str, name: str) -> Stage[Any, Any]:
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, Stage) and value.name == name:
            return value
    raise ConfigError(f"{module} holds no step {name!r}.", next_step="Decorate one with @stage.")


def _is_about_configuration(error: Exception) -> bool:
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    return isinstance(error, HydraException | OmegaConfBaseException)


def _refuse(error: VisavoxError) -> None:
    sys.stderr.write(f"{type(error).__name__}: {error.problem}\n  → {error.next_step}\n")
    raise SystemExit(REFUSED)
