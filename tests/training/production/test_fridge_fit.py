"""One family for one fridge: the same from the same, complete, and sealed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.training.production import ground
from tests.training.production.conftest import Bench
from visavox.errors import DataError, Sealed, Stale
from visavox.service.parcel import Parcel
from visavox.store import Store
from visavox.training.production import backgrounds, fridge_fit, fridge_gate
from visavox.training.production.fridge_fit import Candidate, train
from visavox.training.production.fridge_proof import Champion, fit_rows

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def candidate(bench: Bench, family: str = "plda", **lineage: str) -> Candidate:
    return train(bench.grounds[family], bench.enrolled, bench.recipe, lineage)


@pytest.fixture(scope="module")
def made(bench: Bench) -> Candidate:
    champion = Champion("c" * 64, "plda", frozenset(bench.enrolled.members), frozenset())
    known = fridge_fit.lineage(bench.enrolled, bench.rest, bench.recipe, "plda", run="r1")
    return train(bench.grounds["plda"], bench.enrolled, bench.recipe, known, champion=champion)


@pytest.mark.parametrize("family", ["plda", "prototype"])
def test_the_same_seed_gives_the_same_bundle_and_another_run_differs_by_its_lineage_alone(
    bench: Bench, family: str
) -> None:
    first, again, other = (candidate(bench, family, run=r) for r in ("r1", "r1", "r2"))
    assert first.parcel.digest == again.parcel.digest
    assert first.proved.figures == again.proved.figures
    assert first.parcel.digest != other.parcel.digest
    assert first.parcel.files["weights.safetensors"] == other.parcel.files["weights.safetensors"]
    assert first.parcel.files["reference.json"] == other.parcel.files["reference.json"]


def test_another_seed_gives_another_bundle(bench: Bench) -> None:
    how = ground.recipe(seed=2)
    other = train(backgrounds.ground(bench.rest, how, "plda"), bench.enrolled, how, {"run": "r1"})
    mine = candidate(bench, run="r1")
    assert other.parcel.files["weights.safetensors"] != mine.parcel.files["weights.safetensors"]


def test_the_bundle_knows_all_members_and_where_it_comes_from(
    made: Candidate, bench: Bench
) -> None:
    bundle = made.parcel.bundle(bench.rest.characterizer)
    assert bundle.discriminator.members == bench.enrolled.members
    assert bundle.fridge == "kitchen"
    assert bundle.manifest["population"] == "personas"
    said = bundle.lineage
    assert said["captures"] == list(bench.enrolled.table.captures)
    assert said["members"] == ground.MEMBERS
    assert said["config_sha256"] == bench.recipe.digest("plda")
    assert (said["run"], said["seed"]) == ("r1", 1)
    assert bundle.reference["captures"] == len(bench.enrolled.table)


def test_it_serves_all_captures_while_the_proof_was_without_the_last(
    made: Candidate, bench: Bench
) -> None:
    served = made.parcel.bundle(bench.rest.characterizer).discriminator
    held = bench.enrolled.table.take(made.split.held)
    before = fit_rows(bench.grounds["plda"], bench.enrolled, made.split.kept).discriminator
    own = (
        np.arange(len(made.split.held)),
        [served.members.index(bench.enrolled.people[i]) for i in made.split.held],
    )
    assert np.mean(served.score(held).fused[own]) > np.mean(before.score(held).fused[own])


def test_what_is_not_finite_or_not_complete_is_unsound(bench: Bench) -> None:
    everything = np.arange(len(bench.enrolled.people), dtype=np.intp)
    fitted = fit_rows(bench.grounds["plda"], bench.enrolled, everything)
    assert fridge_fit.unsound(fitted, bench.enrolled) == ()
    face = fitted.discriminator.face
    holed = replace(fitted.discriminator, face=replace(face, calibration=replace(
        face.calibration, slope=np.full(ground.MEMBERS, np.nan))))  # fmt: skip
    assert "face.calibration.slope" in fridge_fit.unsound(
        replace(fitted, discriminator=holed), bench.enrolled
    )[0]  # fmt: skip
    level = replace(fitted.policy.levels["normal"], threshold=float("inf"))
    loose = replace(fitted.policy, levels={**fitted.policy.levels, "normal": level})
    assert "'normal'" in fridge_fit.unsound(replace(fitted, policy=loose), bench.enrolled)[0]
    fewer = fit_rows(bench.grounds["plda"], bench.enrolled, everything[3:])
    assert "1 of 12 members" in fridge_fit.unsound(fewer, bench.enrolled)[0]
    paranoid = replace(bench.enrolled, risk="paranoid")
    assert "'paranoid'" in fridge_fit.unsound(fitted, paranoid)[0]


# What lies on disk


@pytest.fixture
def house(store: Store, bench: Bench) -> Store:
    """The kitchen with its members, of whom the bench has the captures."""
    with store.begin() as unit:
        unit.fridges.add("kitchen", name="Kitchen", risk="normal", locale="en", at=AT)
        for member in bench.enrolled.members:
            unit.members.add(
                "kitchen", member, name=f"Name of {member}", locale="en", consent_at=AT, at=AT
            )
    return store


def kept(house: Store, made: Candidate, folder: Path) -> Path:
    with house.begin() as unit:
        fridge_fit.keep(made, unit, folder, as_of=LATER)
    return folder


@on_sqlite
def test_what_was_kept_is_read_and_judged_again(
    house: Store, made: Candidate, bench: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "run" / "kitchen"
    kept(house, made, folder / "plda")
    champion = Champion("c" * 64, "plda", frozenset(bench.enrolled.members), frozenset())
    verdict = fridge_gate.judge_folder(folder, bench.recipe, champion)
    assert verdict.digest == made.parcel.digest
    assert verdict == fridge_gate.read(folder)
    assert any("the champion's" in c for c in verdict.claims)
    with house.read() as unit:
        parcel = fridge_fit.open_parcel(unit, folder / "plda")
        canaries = fridge_fit.open_canaries(unit, folder / "plda")
    assert parcel.files == made.parcel.files
    serving = parcel.bundle(bench.rest.characterizer).discriminator
    assert canaries.wrong(serving.score) == ()


@on_sqlite
def test_nothing_of_a_member_lies_in_the_clear(
    house: Store, made: Candidate, bench: Bench, tmp_path: Path
) -> None:
    folder = kept(house, made, tmp_path / "run" / "kitchen" / "plda")
    lying = b"\0".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())
    table = bench.enrolled.table
    for column in (table.face, table.voice):
        for vector in column.vectors[column.present]:
            for kind in (np.float16, np.float32, np.float64):
                assert vector[:8].astype(kind).tobytes() not in lying
    weights = made.parcel.files["weights.safetensors"]
    pieces = [weights[at : at + 32] for at in range(1024, len(weights) - 32, 4096)]
    assert len(pieces) > 10
    assert not any(piece in lying for piece in pieces)
    assert made.parcel.files["manifest.json"][:64] not in lying


@on_sqlite
def test_an_erasure_closes_what_was_kept(house: Store, made: Candidate, tmp_path: Path) -> None:
    folder = kept(house, made, tmp_path / "plda")
    with house.begin() as unit:
        unit.members.delete("kitchen", made.members[0])
        unit.bundles.destroy("kitchen")
    with house.read() as unit:
        for opening in (fridge_fit.open_parcel, fridge_fit.open_canaries):
            with pytest.raises(Sealed):
                opening(unit, folder)


@on_sqlite
@pytest.mark.parametrize("again", [False, True])
def test_whoever_was_erased_during_the_training_is_not_written_down(
    house: Store, made: Candidate, tmp_path: Path, again: bool
) -> None:
    with house.begin() as unit:
        unit.members.delete("kitchen", made.members[0])
        if again:  # somebody else, of the same id
            after = LATER + timedelta(minutes=1)
            unit.members.add(
                "kitchen", made.members[0], name="Other", locale="en", consent_at=after, at=after
            )
    with pytest.raises(Stale, match="1 of the members"):
        kept(house, made, tmp_path / "plda")
    assert not (tmp_path / "plda").exists()


@on_sqlite
def test_figures_and_trials_hold_ids_and_numbers_alone(
    house: Store, made: Candidate, tmp_path: Path
) -> None:
    folder = kept(house, made, tmp_path / "plda")
    text = (folder / fridge_fit.FIGURES).read_text()
    assert "Name of" not in text
    said = json.loads(text)["candidate"]
    assert set(said["members"]) == set(made.members)


def test_a_folder_without_a_candidate_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no candidate"):
        fridge_fit.read(tmp_path)


def test_a_parcel_is_whole(made: Candidate) -> None:
    assert Parcel.unpack(made.parcel.digest, made.parcel.pack()).files == made.parcel.files
