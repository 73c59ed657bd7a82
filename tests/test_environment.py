"""Reading settings from the environment."""

import pytest
from pydantic import BaseModel, PositiveInt, SecretStr

from visavox.environment import Environment
from visavox.errors import ConfigError


class Inner(BaseModel):
    many: PositiveInt = 1


class Part(Environment):
    secret: SecretStr | None = None
    count: PositiveInt = 1
    inner: Inner = Inner()


def test_variables_are_read_by_their_names_and_foreign_ones_let_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISAVOX_COUNT", "3")
    monkeypatch.setenv("VISAVOX_INNER__MANY", "4")
    monkeypatch.setenv("VISAVOX_SOMEBODY_ELSES", "x")
    told = Part.read()
    assert (told.count, told.inner.many) == (3, 4)


def test_each_wrong_variable_is_named_and_no_value_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVOX_COUNT", "hunter2")
    monkeypatch.setenv("VISAVOX_INNER__MANY", "-5")
    with pytest.raises(ConfigError) as caught:
        Part.read()
    said = str(caught.value)
    assert "VISAVOX_COUNT: " in said
    assert "VISAVOX_INNER__MANY: " in said
    assert "hunter2" not in said
