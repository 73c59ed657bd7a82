"""A challenger beside the champion, over HTTP."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.conftest import Caller, enrol, files
from tests.challenging import challenged
from tests.load.people import Shot
from visavox.service.house import House

AT = "/v1/fridges/kitchen/experiment"
PIN = "481902"


@pytest.fixture
def tried(
    admin: Caller,
    house: House,
    kitchen: str,
    ada: tuple[Shot, ...],
    bob: tuple[Shot, ...],
    tmp_path: Path,
) -> Caller:
    enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"], pin=PIN)
    enrol(admin, kitchen, "bob", *bob[:2], compartments=["top"])
    challenged(house, kitchen, tmp_path / "trained")
    return admin


def ask(kiosk: Caller, *shots: Shot) -> str:
    answer = kiosk.post("/v1/authentications", data={"fridge": "kitchen"}, files=files(*shots))
    decision: str = answer.json()["id"]
    return decision


def test_an_experiment_is_read_changed_and_concluded(
    tried: Caller, auditor: Caller, kiosk: Caller, ada: tuple[Shot, ...]
) -> None:
    ask(kiosk, ada[2])
    read = auditor.get(AT)
    assert read.status_code == 200, read.text
    found = read.json()
    assert found["challenger"]["mode"] == "shadow"
    assert found["ruling"]["verdict"] == "extend"
    assert found["comparison"]["trials"] == 1
    assert found["policy"]["alpha"] == 0.05
    assert read.headers["ETag"] == f'"{found["version"]}"'

    if_read = {"If-Match": read.headers["ETag"]}
    split = tried.put(AT, json={"mode": "split", "share": 0.5}, headers=if_read)
    assert split.status_code == 200, split.text
    assert split.json()["challenger"]["share"] == 0.5
    assert split.headers["ETag"] != read.headers["ETag"]
    assert tried.put(AT, json={"mode": "shadow"}, headers=if_read).status_code == 412
    assert tried.put(AT, json={"mode": "split"}).status_code == 422

    goes_on = tried.post(f"{AT}/conclude", json={"verdict": "auto"}).json()
    assert goes_on["verdict"] == "extend"
    assert goes_on["model"]["challenger"]["digest"] == found["challenger"]["digest"]
    late = tried.post(f"{AT}/conclude", json={"verdict": "promote"}, headers=if_read)
    assert late.status_code == 412
    done = tried.post(f"{AT}/conclude", json={"verdict": "promote"}).json()
    assert (done["verdict"], done["model"]["bundle"]) == ("promote", found["challenger"]["digest"])

    assert tried.get(AT).status_code == 404
    for over in (
        tried.put(AT, json={"mode": "shadow"}),
        tried.post(f"{AT}/conclude", json={"verdict": "reject"}),
    ):
        assert (over.status_code, over.json()["code"]) == (409, "conflict")


def test_who_may_do_what(tried: Caller, auditor: Caller, kiosk: Caller) -> None:
    for path in (AT, f"{AT}/disagreements"):
        assert auditor.get(path).status_code == 200
        assert kiosk.get(path).status_code == 403
    for nobody in (auditor, kiosk):
        assert nobody.put(AT, json={"mode": "shadow"}).status_code == 403
        assert nobody.post(f"{AT}/conclude", json={"verdict": "reject"}).status_code == 403
    assert tried.get("/v1/fridges/attic/experiment").status_code == 404


def test_a_disagreement_is_listed_and_labelled(
    tried: Caller, kiosk: Caller, house: House, ada: tuple[Shot, ...]
) -> None:
    decision = ask(kiosk, ada[2])
    found = tried.get(AT).json()
    with house.store.begin() as unit:  # as if the challenger had taken her for somebody else
        pair = found["champion"], found["challenger"]["digest"]
        at = unit.decisions.get(decision).at
        trial, _ = unit.trials.of("kitchen", *pair, since=at)[0]
        champion, challenger = trial.answers
        unit.trials.forget("kitchen", "ada")
        answers = champion, replace(challenger, member="bob")
        unit.trials.add(replace(trial, answers=answers))
    assert tried.get(f"{AT}/disagreements").json()["items"][0]["label"] is None
    label = tried.put(f"/v1/decisions/{decision}/label", json={"member": "ada"})
    assert label.status_code == 200, label.text
    assert label.json()["source"] == "admin"
    item = tried.get(f"{AT}/disagreements").json()["items"][0]
    assert item["decision"] == decision
    assert (item["champion"]["member"], item["challenger"]["member"]) == ("ada", "bob")
    assert item["label"]["member"] == "ada"
    compared = tried.get(AT).json()["comparison"]
    assert compared["turned_away"]["at_least"] == {"better": 0, "equal": 0, "worse": 1}
    assert compared["challenger"]["fnir"]["errors"] == 1
    assert tried.put(f"/v1/decisions/{decision}/label", json={"member": "eve"}).status_code == 422
    assert tried.put(f"/v1/decisions/{decision}/label", json={}).status_code == 422
    assert kiosk.put(f"/v1/decisions/{decision}/label", json={"member": None}).status_code == 403
    assert tried.put("/v1/decisions/dec_none/label", json={"member": None}).status_code == 404
