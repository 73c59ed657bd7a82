"""The commands that say where an answer came from, on a store with a decision in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.flows.workplace import Workplace
from tests.training.production import household
from visavox.characterizer import Characterizer
from visavox.cli import app
from visavox.errors import DataError, VisavoxError
from visavox.service import compartments, keys, members, receipts
from visavox.service.authentication import judge
from visavox.service.conclusion import conclude
from visavox.service.house import Actor, House, utc_now
from visavox.store.records import Role

OPERATOR = Actor.operator("tests")


@dataclass(frozen=True)
class Site:
    house: House
    decision: str


@pytest.fixture
def site(
    tmp_path: Path, embedded: Characterizer, base_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """The state that the environment names: a kitchen, and somebody who was let in."""
    place = Workplace.made(tmp_path, embedded, base_bundle)
    monkeypatch.setenv("VISAVOX_STATE", str(place.state))
    with place.open() as store:
        house = replace(place.house(store), signer=place.settings.signer())
        place.fill(store, "kitchen", 3)
        compartments.create(house, OPERATOR, "kitchen", id="top", name="Top")
        issued = keys.create(house, OPERATOR, role=Role.KIOSK, name="Door", fridges=["kitchen"])
        kiosk = keys.identify(house, issued.secret, request_id="req")
        with store.read() as unit:
            snapshot = house.models.snapshot(unit, unit.fridges.get("kitchen"))
        seen = household.people(embedded, 3)["m1"][2]
        decided = conclude(house, kiosk, judge(house, snapshot, seen), arrived=utc_now())
        yield Site(house, decided.decision.id)
        house.perception.close()


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, words)
    if isinstance(done.exception, VisavoxError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def test_a_trace_is_read_by_people_and_by_programs(site: Site) -> None:
    shown = run("trace", site.decision)
    assert site.decision in shown
    assert "in the chain" in shown
    assert "kept, to replay" in shown
    said = json.loads(run("trace", site.decision, "--json"))
    assert said["decision"]["id"] == site.decision
    assert said["models"][0]["role"] == "base"
    assert said["links"]["decision"] == f"/v1/decisions/{site.decision}"


def test_a_replay_says_that_it_is_the_same(site: Site) -> None:
    assert "the same to the last bit" in run("replay", site.decision)
    assert run("replay", "--last", "1000") == "1/1\n"
    assert json.loads(run("replay", site.decision, "--json"))["exact"] is True
    members.remove(site.house, OPERATOR, "kitchen", "m1")
    done = CliRunner().invoke(app, ["replay", "--last", "10"])
    assert done.stdout == "0/0\n"
    assert "its probe is gone" in done.stderr
    assert CliRunner().invoke(app, ["replay"]).exit_code == 2


def test_a_receipt_is_shown_and_handed_out_once_it_is_signed(site: Site, tmp_path: Path) -> None:
    said = json.loads(run("erase", "kitchen", "m1"))
    file = tmp_path / "receipt.json"
    assert json.loads(run("receipt", "show", said["receipt"]))["state"] == "pending"
    with pytest.raises(DataError, match="pending"):
        run("receipt", "show", said["receipt"], "--out", str(file))
    assert "pending" in run("receipt", "list", "kitchen")
    # The base alone serves here: nothing has to be trained without them.
    assert receipts.complete(site.house, OPERATOR, said["receipt"], {}) is not None
    run("receipt", "show", said["receipt"], "--out", str(file))
    assert "answers nobody" in run("receipt", "verify", str(file))
    bent = file.read_text().replace('"nobody"', '"another_member"')
    file.write_text(bent)
    with pytest.raises(DataError, match="altered after it was signed"):
        run("receipt", "verify", str(file))
