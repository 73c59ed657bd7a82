"""A few seconds of Locust against a real API: enough to know that `make load` does what it says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.house import House, Size, prepare
from tests.load.server import api
from tests.load.swarm import Swarm

SLOW = ["--max-p95-ms", "60000", "--max-p99-ms", "60000"]
"""No test depends on the speed of the machine."""


@pytest.fixture(scope="module")
def house(base_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("load")
    size = Size(
        fridges=1, members=2, kiosks=3, enrolled=3, probes=2, strangers=2, poor=2, newcomers=1
    )
    with api(folder, base_bundle) as (served, admin):
        yield prepare(served.host, admin, folder / "house", size)


def test_everybody_is_answered_rightly_from_a_master_and_two_workers(
    house: House, tmp_path: Path
) -> None:
    html, summary = tmp_path / "locust.html", tmp_path / "locust.json"
    assert Swarm(6, 7, workers=2).run(house, html=html, summary=summary, more=SLOW) == 0
    figures = json.loads(summary.read_text("utf-8"))
    assert figures["failures"] == 0
    assert {
        "authenticate: member",
        "authenticate: stranger",
        "authenticate: poor capture",
        "challenge",
        "enrol",
        "delete a member",
        "read a deleted member",
    } <= set(figures["kinds"])
    assert "authenticate: member" in html.read_text("utf-8")


def test_a_missed_limit_ends_with_status_1_and_is_named(
    house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "locust.json"
    more = [*SLOW, "--min-rps", "100000"]
    assert Swarm(4, 3).run(house, html=tmp_path / "a.html", summary=summary, more=more) == 1
    said = capfd.readouterr().out
    assert "MISSED: " in said
    assert "decisions a second, not 100000" in said


def test_what_was_prepared_is_read_again_as_it_was(house: House) -> None:
    assert House.read(house.folder) == house


def test_keys_are_for_their_owner_alone_and_in_no_repr(house: House) -> None:
    assert (house.folder / "house.json").stat().st_mode & 0o077 == 0
    assert house.admin not in repr(house)
    assert all(kiosk.key not in repr(house) for kiosk in house.kiosks)
