from pathlib import Path

import pytest

from demo.problems import DemoProblem
from demo.settings import DemoSettings, from_environment


def test_without_an_environment_it_is_the_usual_demo() -> None:
    assert from_environment({}) == DemoSettings()


def test_ports_and_folders_are_read_from_the_environment() -> None:
    found = from_environment(
        {"API_PORT": "8100", "DEMO_PORT": "7900", "VISAVOX_DEMO_STATE": "/x", "OTHER": "1"}
    )
    assert (found.api, found.page) == ("http://127.0.0.1:8100", "http://127.0.0.1:7900")
    assert found.keys == Path("/x/keys.json")
    assert found.retraining
    assert not from_environment({"DEMO_RETRAINING": "0"}).retraining


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "8 0"])
def test_what_is_no_port_is_refused_by_name(port: str) -> None:
    with pytest.raises(DemoProblem, match="DEMO_PORT"):
        from_environment({"DEMO_PORT": port})
