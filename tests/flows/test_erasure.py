"""Somebody comes, is trained, gets in, and leaves: what is left of them, in every store there is."""

import json
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from safetensors.numpy import load as tensors_from
from sqlalchemy import LargeBinary, select

from tests.flows import hunting
from tests.flows.workplace import Workplace, until
from tests.training.production import household
from visavox import receipt as documents
from visavox.bundle import WEIGHTS
from visavox.characterizer import Characterizer
from visavox.errors import Conflict, DataError, Sealed
from visavox.service import compartments, keys, members, models, receipts, replay, rollout
from visavox.service.authentication import judge
from visavox.service.conclusion import conclude
from visavox.service.house import Actor, House, utc_now
from visavox.store import Store, database
from visavox.store.receipts import ReceiptState
from visavox.store.records import DecisionOutcome, DecisionRecord, Role
from visavox.store.tables import data_keys, metadata
from visavox.types import Embedding, Embeddings

NAME = "Zoë Fenwick-Plaintext"
ID = "zoe-of-the-hunt"
RAW = {"image-0": b"PLAINTEXT-IMAGE-OF-ZOE" + bytes(range(256)) * 4}
MEMBERS = 11
OPERATOR = Actor.operator("tests")
SEALED = b"\x01"


@dataclass
class Site:
    place: Workplace
    store: Store
    house: House
    kiosk: Actor
    seen: list[Embeddings]
    log: Path

    def ask(self, seen: Embeddings) -> DecisionRecord:
        with self.store.read() as unit:
            snapshot = self.house.models.snapshot(unit, unit.fridges.get("kitchen"))
        at = utc_now()
        verdict = judge(self.house, snapshot, seen)
        return conclude(self.house, self.kiosk, verdict, arrived=at).decision

    def retrained(self) -> str:
        """The live bundle, once nothing waits any more."""

        def settled() -> bool:
            with self.store.read() as unit:
                return not unit.retraining.pending()

        until(settled)
        live = models.read(self.house, OPERATOR, "kitchen").bundle
        assert live is not None, self.log.read_text()[-3000:]
        return live


@pytest.fixture
def site(tmp_path: Path, embedded: Characterizer, base_bundle: Path) -> Iterator[Site]:
    place = Workplace.made(tmp_path, embedded, base_bundle)
    with place.open() as store:
        house = replace(place.house(store), signer=place.settings.signer())
        place.fill(store, "kitchen", MEMBERS)
        compartments.create(house, OPERATOR, "kitchen", id="top", name="Top")
        issued = keys.create(house, OPERATOR, role=Role.KIOSK, name="Door", fridges=["kitchen"])
        kiosk = keys.identify(house, issued.secret, request_id="req")
        people = household.people(embedded, MEMBERS + 1)
        mine = people["m0"]  # the one of them who is not among the others
        yield Site(place, store, house, kiosk, mine, tmp_path / "worker.log")
        house.perception.close()


def join(site: Site) -> None:
    at = utc_now()
    with site.store.begin() as unit:
        unit.members.add("kitchen", ID, name=NAME, locale="en", consent_at=at, at=at)
        for one in site.seen[:2]:
            unit.captures.add(
                "kitchen", ID, embeddings=one, raw=RAW, at=at, characterizer=site.place.nets.digest
            )
        unit.grants.put("kitchen", ID, "top", at=at)
        unit.retraining.request("kitchen", reason="member_enrolled", at=at)


def secrets(site: Site) -> dict[str, list[bytes]]:
    """All that is of them, in all forms."""
    found = {"name": list(hunting.of_text(NAME)), "picture": list(hunting.forms(RAW["image-0"]))}
    for i, one in enumerate(site.seen):
        for kind, cell in (("face", one.face), ("voice", one.voice)):
            if isinstance(cell, Embedding):
                found[f"{kind} {i}"] = list(hunting.of_vector(cell.vector))
    return found


def unpacked(kept: dict[str, bytes]) -> dict[str, bytes]:
    """Also what git and Metaflow have compressed."""
    more = {}
    for name, content in kept.items():
        for bits in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16):
            try:
                more[f"{name} unpacked"] = zlib.decompress(content, bits)
            except zlib.error:
                continue
    return kept | more


def wrapped(store: Store, owner: str) -> tuple[str, bytes]:
    with database.transaction(store._engine, writes=False) as connection:
        row = connection.execute(
            select(data_keys.c.id, data_keys.c.wrapped).where(data_keys.c.owner == owner)
        ).one()
        return row.id, row.wrapped


def alive(store: Store) -> set[str]:
    """The ids of all data keys that there are."""
    with database.transaction(store._engine, writes=False) as connection:
        return set(connection.scalars(select(data_keys.c.id)))


def sealed_values(store: Store) -> list[bytes]:
    """Every sealed value of every table."""
    found: list[bytes] = []
    with database.transaction(store._engine, writes=False) as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed"):
                    found += [v for v in connection.scalars(select(column)) if v is not None]
    return found


def test_an_erased_member_is_nowhere_and_the_receipt_says_so(site: Site, tmp_path: Path) -> None:
    join(site)
    worker = site.place.worker(site.log)
    try:
        first = site.retrained()
        granted = site.ask(site.seen[2])
        assert (granted.outcome, granted.member) == (DecisionOutcome.GRANTED, ID), granted
        others = site.ask(household.people(site.place.nets, MEMBERS)["m1"][2])
        hunted, template = secrets(site), _template(site, first)
        kept = unpacked(hunting.files(site.place.state, tmp_path / "worker.log"))
        assert hunting.found(hunted, kept) == [], "in the clear while they are a member"
        theirs, key = wrapped(site.store, f"kitchen/{ID}")
        backup = tmp_path / "backup"
        shutil.copytree(site.place.state, backup, symlinks=True, ignore=_but_secrets)
        gone = members.remove(site.house, OPERATOR, "kitchen", ID)
        second = site.retrained()
        assert second != first
        until(lambda: _state(site, gone.receipt) is ReceiptState.COMPLETE, 120)
    finally:
        worker.terminate()
        worker.wait(60)

    # In the clear they are nowhere, in what serves now and in what was copied before.
    after = unpacked(hunting.files(site.place.state, backup, site.log))
    assert any("mlartifacts" in name for name in after)
    assert any("metaflow" in name for name in after)
    assert any("ledger-remote" in name for name in after)
    assert hunting.found(hunted, after) == []

    # Their key is in no file of the state any more, and nothing that it sealed opens.
    now = hunting.files(site.place.state)
    assert hunting.found({"key": [key]}, now) == []
    assert theirs not in alive(site.store)
    old = hunting.files(backup)
    sealed = [c for c in old.values() if c[:1] == SEALED and c[1:17] == bytes.fromhex(theirs)]
    assert len(sealed) >= 4, "captures, in the capture store and in the ledger"
    assert not [v for v in sealed_values(site.store) if v[1:17] == bytes.fromhex(theirs)]
    with site.store.read() as unit:
        assert not any(unit.captures.can_open(content) for content in sealed)

    # No bundle that opens holds their part, and none that learned from them serves again.
    (copied,) = (backup / "models").rglob(f"{first}.*.sealed")
    with site.store.read() as unit:
        slot = site.house.models.slot("kitchen")
        assert set(slot.digests(unit)) == {first, second}
        for digest in (first, second):
            parcel = slot.open(unit, digest)
            assert not parcel.learned_from(ID)
            assert ID.encode() not in parcel.pack()
            assert hunting.found({"template": template}, {digest: parcel.pack()}) == []
        with pytest.raises(Sealed, match="destroyed"):
            unit.bundles.open("kitchen", first, copied.read_bytes())
    assert site.house.models.slot("kitchen").standing().previous is None
    with pytest.raises(Conflict):
        rollout.rollback(site.house, OPERATOR, "kitchen")

    # The current version of the data does not know them; nor does a probe open them anything.
    manifest = next(iter((site.place.places.ledger).rglob("manifest.csv")))
    assert ID not in manifest.read_text()
    asked = site.ask(site.seen[2])
    assert asked.member is None
    assert asked.outcome is not DecisionOutcome.GRANTED

    # The receipt: signed by the house, and it says all of that.
    _receipt_says(site, gone.receipt, second)
    found = replay.replay(site.house, OPERATOR, others.id)
    assert found.exact, "decisions about others come out the same"


def _receipt_says(site: Site, receipt: str, live: str) -> None:
    found = receipts.read(site.house, OPERATOR, receipt)
    assert found.document is not None
    assert found.signature is not None
    told = documents.file(found.document, found.signature)
    verified = documents.verify(told.encode(), site.place.settings.signer().public_keys)
    assert verified.known
    said = verified.document
    assert (said["member"], said["fridge"]) == (ID, "kitchen")
    proof = said["proof"]
    assert (proof["answer"], proof["bundle"], proof["captures_in_common"]) == ("nobody", live, 0)
    assert proof["best_llr"] < proof["threshold"]
    assert len(said["removed"]["captures"]) == 2
    assert all(p["sha256"] for c in said["removed"]["captures"] for p in c["parts"])
    assert said["removed"]["probes"]["count"] == 1
    assert said["removed"]["templates"]
    after = said["aftermath"]
    assert {name.split("/")[-1] for name in _names(after["registry"])} >= {"parcel.sealed"}
    assert after["data"]["commit"]
    with site.store.read() as unit:
        assert unit.receipts.probe(receipt) is None
        actions = [r.action for r in unit.audit.about(f"kitchen/{ID}")]
    assert actions[-2:] == ["member.erased", "member.forgotten"]
    altered = json.loads(told)
    altered["document"]["proof"]["answer"] = "somebody"
    with pytest.raises(DataError, match="altered after it was signed"):
        documents.verify(json.dumps(altered).encode())


def _names(part: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["name"] for one in part["removed"]]


def _template(site: Site, digest: str) -> list[bytes]:
    """Their part of a bundle, number by number."""
    with site.store.read() as unit:
        parcel = site.house.models.slot("kitchen").open(unit, digest)
    arrays = tensors_from(parcel.files[WEIGHTS])
    members_ = parcel.manifest["discriminator"]["members"]
    # What is a member's own, not what hangs on how many captures they gave.
    own = [a for name, a in arrays.items() if name.endswith((".linear", ".templates"))]
    assert own
    return [value.tobytes() for a in own for value in a[:4, members_.index(ID)]]


def _state(site: Site, receipt: str) -> ReceiptState:
    with site.store.read() as unit:
        return unit.receipts.get(receipt).state


def _but_secrets(folder: str, names: list[str]) -> set[str]:
    """A backup without the database: what it holds of keys is another test's."""
    return {n for n in names if n.startswith("visavox.db") or n == "development"}
