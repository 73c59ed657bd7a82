"""The worker goes by the same rules as the service."""

import pytest

from api.settings import Settings
from visavox.errors import ConfigError
from visavox.training.production.workshop import WorkshopSettings


def test_the_worker_and_the_service_ask_the_same_of_a_challenger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISAVOX_SERVICE__EXPERIMENT__ALPHA", "0.01")
    monkeypatch.setenv("VISAVOX_SERVICE__EXPERIMENT__DAYS", "3")
    policy = WorkshopSettings.read().service.experiment
    assert (policy.alpha, policy.days) == (0.01, 3.0)
    assert Settings.read().service.experiment == policy


def test_a_rule_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVOX_SERVICE__EXPERIMENT__ALPHA", "2")
    with pytest.raises(ConfigError, match="VISAVOX_SERVICE__EXPERIMENT__ALPHA"):
        WorkshopSettings.read()
