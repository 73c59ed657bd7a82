"""Every decision can be made again: the same to the last bit, whoever came or went since."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from tests import cohort
from tests.service.scene import ADMIN, Hands, Kitchen, on_sqlite
from tests.training.production import household
from visavox.bundle import load
from visavox.errors import Conflict, Forbidden, Sealed
from visavox.service import fridges, members, models, replay, rollout
from visavox.service.authentication import judge
from visavox.service.conclusion import conclude
from visavox.service.duel import fought
from visavox.service.parcel import Parcel
from visavox.service.rollout import Place
from visavox.service.standing import Mode
from visavox.store.records import DecisionRecord
from visavox.store.tables import decisions
from visavox.types import Embedding, Embeddings, Modality, Reason, Rejected

pytestmark = on_sqlite

MEMBERS = 9


@pytest.fixture
def people(kitchen: Kitchen) -> dict[str, list[Embeddings]]:
    """Members by two captures each; a third of each is what they show at the kiosk."""
    found = household.people(kitchen.house.perception.characterizer, MEMBERS + 2)
    for member in list(found)[:MEMBERS]:
        join(kitchen, member, found[member][:2])
    return found


def join(kitchen: Kitchen, member: str, seen: Sequence[Embeddings]) -> None:
    nets = kitchen.house.perception.characterizer
    household.enrol(kitchen.house.store, nets, "kitchen", member, seen, kitchen.house.clock())
    with kitchen.house.store.begin() as unit:
        unit.grants.put("kitchen", member, "left", at=kitchen.house.clock())


def ask(kitchen: Kitchen, seen: Embeddings) -> DecisionRecord:
    """A probe at the kiosk, from where its embeddings are known."""
    house = kitchen.house
    with house.store.begin() as unit:
        # These tests are not about too many failures.
        unit.attempts.clear("fridge:kitchen", f"kiosk:{kitchen.kiosk.key_id}")
        snapshot = house.models.snapshot(unit, unit.fridges.get("kitchen"))
    at = house.clock()
    verdict = fought(snapshot, lambda m: judge(house, m, seen), kiosk=kitchen.kiosk.key_id, at=at)
    return conclude(house, kitchen.kiosk, verdict, arrived=at).decision


def asked(kitchen: Kitchen, people: dict[str, list[Embeddings]]) -> list[DecisionRecord]:
    """Everybody once, members and others; some are only seen, some only heard."""
    found = []
    for i, seen in enumerate(people.values()):
        shown = seen[2]
        if i % 4 == 1:
            shown = replace(shown, voice=_missing(Modality.VOICE, Reason.TOO_QUIET))
        if i % 4 == 2:
            shown = replace(shown, face=_missing(Modality.FACE, Reason.NO_FACE))
        found.append(ask(kitchen, shown))
    return found


def _missing(modality: Modality, reason: Reason) -> Rejected:
    return Rejected(modality, reason, "Again.", {})


def train(kitchen: Kitchen, folder: Path, family: str = "plda", run: str = "0") -> Path:
    with kitchen.house.store.read() as unit:
        seen = {
            m: [c.embeddings for c in cs] for m, cs in unit.captures.of_fridge("kitchen").items()
        }
        at = kitchen.house.clock().isoformat()
    nets = kitchen.house.perception.characterizer
    lineage = {"run": run, "as_of": at}
    return cohort.trained_bundle(
        folder / run, nets, "kitchen", seen, family=family, lineage=lineage
    )


def install(kitchen: Kitchen, path: Path) -> None:
    models.install(kitchen.house, ADMIN, "kitchen", path)


def test_decisions_come_out_the_same_across_swaps_enrolments_and_erasures(
    kitchen: Kitchen, people: dict[str, list[Embeddings]], tmp_path: Path, hands: Hands
) -> None:
    made = asked(kitchen, people)  # by the base alone
    install(kitchen, train(kitchen, tmp_path, run="1"))
    made += asked(kitchen, people)
    hands.pass_by(60)
    join(kitchen, "m9", people["m9"][:1])  # a newcomer beside the trained
    made += asked(kitchen, people)
    fridges.change(kitchen.house, ADMIN, "kitchen", risk="normal")
    made += asked(kitchen, people)
    hands.pass_by(60)
    install(kitchen, train(kitchen, tmp_path, "prototype", run="2"))
    made += asked(kitchen, people)
    join(kitchen, "m10", people["m10"][:2])
    made += asked(kitchen, people)
    found = replay.last(kitchen.house, ADMIN, 1000)
    assert (found.exact, found.total, found.inexact) == (len(made), len(made), ())
    for leaver in ("m3", "m10", "m0"):
        hands.pass_by(60)
        members.remove(kitchen.house, ADMIN, "kitchen", leaver)
        made += asked(kitchen, people)
    install(kitchen, train(kitchen, tmp_path, run="3"))
    made += asked(kitchen, people)
    found = replay.last(kitchen.house, ADMIN, 1000)
    gone = found.skipped.pop("its probe is gone")
    assert found.skipped == {}
    assert found.inexact == ()
    assert found.exact == found.total == len(made) - gone
    assert gone >= 3


def test_whoever_was_erased_is_left_out_and_named_and_the_others_stay_exact(
    kitchen: Kitchen, people: dict[str, list[Embeddings]], tmp_path: Path
) -> None:
    install(kitchen, train(kitchen, tmp_path))
    made = [ask(kitchen, people[m][2]) for m in ("m1", "m2", "m4")]
    shown = {c.member for d in made for c in d.candidates[1:]} - {"m1", "m2", "m4"}
    leaver = sorted(shown)[0]
    whole = [replay.replay(kitchen.house, ADMIN, d.id) for d in made]
    assert all(r.exact and r.gone == () and r.compared >= 9 for r in whole)
    members.remove(kitchen.house, ADMIN, "kitchen", leaver)
    after = [replay.replay(kitchen.house, ADMIN, d.id) for d in made]
    assert all(r.exact for r in after)
    touched = [r for r in after if r.gone]
    assert touched
    assert all(r.gone == (leaver,) for r in touched)


def test_another_model_says_what_it_would_have_said(
    kitchen: Kitchen, people: dict[str, list[Embeddings]], tmp_path: Path
) -> None:
    first, second = train(kitchen, tmp_path, run="1"), train(kitchen, tmp_path, "prototype", "2")
    install(kitchen, first)
    made = ask(kitchen, people["m1"][2])
    install(kitchen, second)
    other = replay.replay(kitchen.house, ADMIN, made.id, bundle=second.name)
    assert (other.bundle, other.of_the_day, other.exact) == (second.name, False, None)
    assert other.now.candidates[0].fused != other.then.candidates[0].fused
    assert other.now.candidates[0].member == "m1"
    own = replay.replay(kitchen.house, ADMIN, made.id, bundle=first.name)
    assert (own.of_the_day, own.exact) == (True, True)
    with pytest.raises(Conflict, match="not kept here"):
        replay.replay(kitchen.house, ADMIN, made.id, bundle="a" * 64)


def test_both_arms_of_a_trial_are_made_again(
    kitchen: Kitchen, people: dict[str, list[Embeddings]], tmp_path: Path
) -> None:
    first, second = train(kitchen, tmp_path, run="1"), train(kitchen, tmp_path, "prototype", "2")
    install(kitchen, first)
    parcel = Parcel.of(second, load(second, characterizer_digest=None))
    with kitchen.house.store.begin() as unit:
        sealed = unit.bundles.seal("kitchen", parcel.digest, parcel.pack())
    rollout.deploy(
        kitchen.house,
        ADMIN,
        "kitchen",
        sealed,
        second.name,
        place=Place.CHALLENGER,
        mode=Mode.SPLIT,
        share=0.5,
    )
    made = asked(kitchen, people)
    assert {d.bundle for d in made} == {first.name, second.name}, "each decided some"
    found = replay.last(kitchen.house, ADMIN, 100)
    assert (found.exact, found.total) == (len(made), len(made))
    for d in made:
        beside = second.name if d.bundle == first.name else first.name
        other = replay.replay(kitchen.house, ADMIN, d.id, bundle=beside)
        assert (other.of_the_day, other.exact, other.bundle) == (True, True, beside)


def test_a_number_that_was_altered_is_found(
    kitchen: Kitchen,
    people: dict[str, list[Embeddings]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(kitchen, train(kitchen, tmp_path))
    made = ask(kitchen, people["m1"][2])
    seen = people["m1"][2]
    assert isinstance(seen.face, Embedding)
    vector = seen.face.vector.copy()
    vector[0] = np.nextafter(vector[0], np.float32(2), dtype=np.float32)
    bent = Embeddings(replace(seen.face, vector=vector), seen.voice)
    monkeypatch.setattr("visavox.store.journal.Decisions.probe", lambda *_: bent)
    found = replay.replay(kitchen.house, ADMIN, made.id)
    assert found.exact is False
    assert any("fused of m1" in line for line in found.differences)


def test_what_cannot_be_made_again_says_why(
    kitchen: Kitchen, people: dict[str, list[Embeddings]]
) -> None:
    made = ask(kitchen, people["m1"][2])
    members.remove(kitchen.house, ADMIN, "kitchen", "m1")
    with pytest.raises(Sealed, match="no probe"):
        replay.replay(kitchen.house, ADMIN, made.id)
    with pytest.raises(Forbidden):
        replay.replay(kitchen.house, kitchen.kiosk, made.id)
    old = ask(kitchen, people["m2"][2])
    with kitchen.house.store.begin() as unit:
        unit.audit._connection.execute(update(decisions).values(judged=None))
    with pytest.raises(Conflict, match="not written down"):
        replay.replay(kitchen.house, ADMIN, old.id)


def test_former_bases_are_kept_to_replay_with_and_only_a_few(
    kitchen: Kitchen, people: dict[str, list[Embeddings]], tmp_path: Path
) -> None:
    made = ask(kitchen, people["m1"][2])
    nets = kitchen.house.perception.characterizer
    other = cohort.base_bundle(tmp_path, nets, risks={"low": 0.04, "normal": 0.02, "high": 0.01})
    models.install_base(kitchen.house, ADMIN, other)
    again = ask(kitchen, people["m1"][2])
    assert made.base != again.base
    for decision in (made, again):
        found = replay.replay(kitchen.house, ADMIN, decision.id)
        assert (found.exact, found.base) == (True, decision.base)
    for i in range(6):
        risks = {"low": 0.05 + i / 100, "normal": 0.02, "high": 0.01}
        path = cohort.base_bundle(tmp_path, nets, risks=risks)
        models.install_base(kitchen.house, ADMIN, path)
    kept = [p for p in kitchen.house.models.base_slot.folder.iterdir() if p.is_dir()]
    assert len(kept) == 5
    with pytest.raises(Conflict):
        replay.replay(kitchen.house, ADMIN, made.id)
