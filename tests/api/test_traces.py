"""Where a decision comes from, whether it comes out the same again, and what an erasure leaves."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests import cohort
from tests.api.conftest import OPERATOR, Caller, enrol, files
from tests.load.people import Shot
from visavox import receipt as documents
from visavox.cli import app as commands
from visavox.service import models, receipts
from visavox.service.house import House
from visavox.tickets import public_keys


def decided(kiosk: Caller, kitchen: str, shot: Shot) -> str:
    answer = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=files(shot))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def trained(house: House, kitchen: str, folder: Path) -> Path:
    """A bundle that says where it comes from, made live."""
    with house.store.read() as unit:
        seen = unit.captures.of_fridge(kitchen)
    captures = {m: [c.embeddings for c in cs] for m, cs in seen.items()}
    lineage = {
        "captures": [c.id for cs in seen.values() for c in cs],
        "ledger_tag": "snapshot/run_1/0",
        "run": "run_1",
        "as_of": house.clock().isoformat(),
    }
    nets = house.perception.characterizer
    path = cohort.trained_bundle(folder / "trained", nets, kitchen, captures, lineage=lineage)
    models.install(house, OPERATOR, kitchen, path)
    return path


def test_a_decision_is_traced_to_all_that_made_it(
    admin: Caller,
    auditor: Caller,
    kiosk: Caller,
    house: House,
    kitchen: str,
    ada: tuple[Shot, ...],
    tmp_path: Path,
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"])
    by_base = auditor.get(f"/v1/decisions/{decided(kiosk, kitchen, ada[2])}/trace").json()
    assert [m["role"] for m in by_base["models"]] == ["base"]
    assert by_base["models"][0]["kept"]
    assert by_base["decision"]["provisional"]

    path = trained(house, kitchen, tmp_path)
    decision = decided(kiosk, kitchen, ada[2])
    said = auditor.get(f"/v1/decisions/{decision}/trace").json()
    own = said["models"][0]
    assert (own["role"], own["digest"], own["kept"]) == ("bundle", path.name, True)
    with house.store.read() as unit:
        assert own["captures"] == [c.id for c in unit.captures.of(kitchen, "ada")]
    assert own["lineage"]["ledger_tag"] == "snapshot/run_1/0"
    assert said["decision"]["candidates"][0]["member"] == "ada"
    assert said["decision"]["threshold"] is not None
    assert said["decision"]["judged"]["columns"] == 1
    assert said["characterizer"]["digest"] == house.models.characterizer.digest
    assert said["replayable"]
    assert said["audit"]["linked"]
    for name in ("decision", "fridge", "model"):
        assert auditor.get(said["links"][name]).status_code == 200, name
    assert kiosk.get(f"/v1/decisions/{decision}/trace").status_code == 403

    models.remove(house, OPERATOR, kitchen)
    gone = auditor.get(f"/v1/decisions/{decision}/trace").json()["models"][0]
    assert not gone["kept"]
    assert f"fridge-{kitchen} in the registry" in gone["note"]


def test_a_record_of_the_log_that_was_altered_shows_in_the_trace(
    admin: Caller, auditor: Caller, kiosk: Caller, house: House, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2])
    decision = decided(kiosk, kitchen, ada[2])
    decided(kiosk, kitchen, ada[2])
    with house.store.begin() as unit:
        unit.audit._connection.exec_driver_sql(
            f"UPDATE audit SET actor = 'somebody' WHERE subject = '{kitchen}/{decision}'"
        )
    said = auditor.get(f"/v1/decisions/{decision}/trace").json()
    assert not said["audit"]["linked"]


def test_a_decision_is_made_again_to_the_last_bit(
    admin: Caller,
    auditor: Caller,
    kiosk: Caller,
    house: House,
    kitchen: str,
    ada: tuple[Shot, ...],
    bob: tuple[Shot, ...],
    tmp_path: Path,
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"])
    enrol(admin, kitchen, "bob", *bob[:2])
    path = trained(house, kitchen, tmp_path)
    decision = decided(kiosk, kitchen, ada[2])
    again = auditor.post(f"/v1/decisions/{decision}/replay", json={}).json()
    assert (again["of_the_day"], again["exact"], again["bundle"]) == (True, True, path.name)
    assert again["now"]["candidates"] == again["then"]["candidates"]
    assert auditor.post(f"/v1/decisions/{decision}/replay").json() == again
    unknown = auditor.post(f"/v1/decisions/{decision}/replay", json={"bundle": "a" * 64})
    assert unknown.status_code == 409
    assert kiosk.post(f"/v1/decisions/{decision}/replay", json={}).status_code == 403
    admin.delete(f"/v1/fridges/{kitchen}/members/ada")
    closed = auditor.post(f"/v1/decisions/{decision}/replay", json={})
    assert closed.status_code == 410


def test_an_erasure_ends_with_a_receipt_that_anybody_can_check(
    admin: Caller,
    auditor: Caller,
    kiosk: Caller,
    house: House,
    kitchen: str,
    ada: tuple[Shot, ...],
    bob: tuple[Shot, ...],
    tmp_path: Path,
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"])
    enrol(admin, kitchen, "bob", *bob[:2], compartments=["top"])
    trained(house, kitchen, tmp_path / "1")
    decision = decided(kiosk, kitchen, ada[2])
    name = admin.delete(f"/v1/fridges/{kitchen}/members/ada").json()["erased"]["receipt"]
    pending = auditor.get(f"/v1/receipts/{name}").json()
    assert (pending["state"], pending["document"]) == ("pending", None)
    assert pending["removed"]["probes"]["count"] == 1
    assert pending["removed"]["last_probe"]["of"] == decision
    assert len(pending["removed"]["captures"]) == 2
    (due,) = receipts.pending(house)
    assert due.waits == "a model trained without them"
    assert receipts.complete(house, OPERATOR, name, {}) is None

    trained(house, kitchen, tmp_path / "2")
    assert receipts.complete(house, OPERATOR, name, {"data": "taken out"}) is not None
    (listed,) = auditor.get(f"/v1/fridges/{kitchen}/receipts?member=ada").json()["items"]
    said = auditor.get(f"/v1/receipts/{name}").json()
    assert listed == said
    assert said["state"] == "complete"
    proof = said["document"]["proof"]
    assert (proof["answer"], proof["captures_in_common"]) == ("nobody", 0)
    assert proof["best_llr"] < proof["threshold"]
    assert said["document"]["aftermath"] == {"data": "taken out"}
    with house.store.read() as unit:
        assert unit.receipts.probe(name) is None
        owners = {r.action for r in unit.audit.about(f"{kitchen}/ada")}
    assert {"member.erased", "member.forgotten"} <= owners

    known = public_keys(auditor.get("/v1/tickets/keys").json())
    file = tmp_path / "receipt.json"
    file.write_text(documents.file(json.dumps(said["document"]), said["signature"]))
    assert documents.verify(file.read_bytes(), known).known
    kept = tmp_path / "keys.json"
    kept.write_text(auditor.get("/v1/tickets/keys").text)
    done = CliRunner().invoke(commands, ["receipt", "verify", str(file), "--keys", str(kept)])
    assert done.exit_code == 0, done.output
    assert "answers nobody" in done.stdout
    kept.write_text('{"keys": []}')
    done = CliRunner().invoke(commands, ["receipt", "verify", str(file), "--keys", str(kept)])
    assert done.exit_code == 1
    assert kiosk.get(f"/v1/receipts/{name}").status_code == 403


def test_the_last_member_of_a_fridge_is_forgotten_at_once(
    admin: Caller, house: House, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2])
    name = admin.delete(f"/v1/fridges/{kitchen}/members/ada").json()["erased"]["receipt"]
    assert [due.waits for due in receipts.pending(house)] == [""]
    done = receipts.complete(house, OPERATOR, name, {})
    assert done is not None
    assert done.document is not None
    proof = json.loads(done.document)["proof"]
    assert (proof["answer"], proof["members"]) == ("nobody", 0)
    assert receipts.complete(house, OPERATOR, name, {}) == done, "again changes nothing"


@pytest.mark.parametrize("bent", ["signature", "document", "key"])
def test_a_receipt_that_was_altered_is_refused(house: House, bent: str) -> None:
    text, signature = documents.signed({"receipt": "rec_1", "proof": {}}, house.signer)
    said = json.loads(documents.file(text, signature))
    if bent == "signature":
        said["signature"] = said["signature"][::-1]
    elif bent == "document":
        said["document"]["receipt"] = "rec_2"
    else:
        said["document"]["key"]["kid"] = "0" * 16
    with pytest.raises(Exception, match="The receipt is not valid"):
        documents.verify(json.dumps(said).encode())
