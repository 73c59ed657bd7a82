"""The former champion is brought back over HTTP, once, and by those who may."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import cohort
from tests.api.conftest import OPERATOR, Caller, enrol, files
from tests.load.people import Shot
from visavox.service import models
from visavox.service.house import House

MODEL = "/v1/fridges/kitchen/model"


@pytest.fixture
def bundles(
    admin: Caller, house: House, kitchen: str, ada: tuple[Shot, ...], bob: tuple[Shot, ...],
    tmp_path: Path,
) -> tuple[str, str]:  # fmt: skip
    """The digests of two bundles; the second is live."""
    for member, shots in (("ada", ada), ("bob", bob)):
        assert enrol(admin, kitchen, member, *shots[:2]).status_code == 201
    with house.store.read() as unit:
        found = unit.captures.of_fridge(kitchen)
    seen = {m: [c.embeddings for c in captures] for m, captures in found.items()}
    nets = house.perception.characterizer
    made = [
        cohort.trained_bundle(tmp_path / "trained", nets, kitchen, seen, family=family)
        for family in ("plda", "prototype")
    ]
    for path in made:
        models.install(house, OPERATOR, kitchen, path)
    return made[0].name, made[1].name


def live(admin: Caller) -> Mapping[str, Any]:
    told: Mapping[str, Any] = admin.get(MODEL).json()
    return told


def test_the_former_champion_decides_from_the_next_request_on(
    admin: Caller, kiosk: Caller, bundles: tuple[str, str], ada: tuple[Shot, ...]
) -> None:
    first, second = bundles
    told = live(admin)
    assert (told["bundle"], told["previous"], told["challenger"]) == (second, first, None)
    asked = {"leave": second, "why": "It refuses members."}
    answer = admin.post(f"{MODEL}/rollback", json=asked)
    assert answer.status_code == 200
    assert (answer.json()["bundle"], answer.json()["previous"]) == (first, second)
    probe = [("fridge", (None, "kitchen")), *files(ada[2])]
    decision = kiosk.post("/v1/authentications", files=probe).json()
    assert decision["models"]["bundle"] == first
    # The same again would undo it: it names what is to go.
    again = admin.post(f"{MODEL}/rollback", json=asked)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert live(admin)["bundle"] == first
    records = admin.get("/v1/audit").json()["items"]
    noted = [r["detail"]["why"] for r in records if r["action"] == "model.rollback"]
    assert noted == ["It refuses members."]


def test_without_a_former_champion_there_is_nothing_to_go_back_to(
    admin: Caller, kitchen: str
) -> None:
    answer = admin.post(f"{MODEL}/rollback")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert admin.post("/v1/fridges/attic/model/rollback").status_code == 404
    bad = admin.post(f"{MODEL}/rollback", json={"leave": "60303"})
    assert bad.status_code == 422


def test_only_an_admin_rolls_back(
    kiosk: Caller, auditor: Caller, admin: Caller, bundles: tuple[str, str]
) -> None:
    for other in (kiosk, auditor):
        assert other.post(f"{MODEL}/rollback").status_code == 403
    assert live(admin)["bundle"] == bundles[1]
