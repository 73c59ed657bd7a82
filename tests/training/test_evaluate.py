"""The report: its figures against a count by hand, its intervals, and the step from end to end."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visavox import bundle, manifest
from visavox.config import validated
from visavox.errors import BundleError, DataError
from visavox.manifest import Row
from visavox.table import EmbeddingTable
from visavox.training import feature_table, tracking, trials
from visavox.training.dataset import Dataset
from visavox.training.evaluate import EvaluateSettings, evaluate, numbers, population
from visavox.training.evaluate_figures import Bootstrap, fnir_name
from visavox.training.evaluate_report import Reporting, report
from visavox.training.fit import fit
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.training.gate_limits import lookup
from visavox.training.stage import configs
from visavox.training.trials import STREAMS, Kind, Served, Trials
from visavox.types import (
    FACE_QUALITY,
    VOICE_QUALITY,
    Embedding,
    Embeddings,
    Modality,
    Reason,
    Rejected,
)

Crowd = Callable[..., Trials]

QUICK = Reporting(replicates=100, min_people=3, target_fpir=0.05)


@pytest.fixture(scope="module")
def told(crowd: Crowd) -> dict[str, Any]:
    return report(crowd(attacks=4, absent=0.05), QUICK, population="personas", dataset="tiny")


def figures(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every figure of a report: where it is, the object around it, and its key."""
    for key, value in made.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{path}", at, name) for path, at, name in figures(value))
        if f"{key}_trials" in made:
            yield key, made, key


def test_every_figure_says_on_how_many_trials_and_people_it_rests(told: dict[str, Any]) -> None:
    found = list(figures(told))
    assert len(found) > 25
    for path, at, name in found:
        assert at[f"{name}_people"] <= at[f"{name}_trials"], path
        if at[name] is None:
            assert at[f"{name}_why"], path
        else:
            low, high = at[f"{name}_ci"]
            assert low <= high, path


def test_the_keys_that_others_read_are_there(told: dict[str, Any]) -> None:
    assert told["population"] == "personas"
    assert "do not exist" in told["people_are"]
    for key in ("fused.eer", "fused.cllr", "fused.min_cllr", "face.eer", "voice.eer"):
        assert isinstance(lookup(told, key), float), key


def test_the_report_is_plain_json(told: dict[str, Any]) -> None:
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_served_rates_are_what_counting_gives(crowd: Crowd) -> None:
    made = crowd(absent=0.1, seed=3)
    told = report(made, QUICK, population="personas")["served"]
    members = [s for s in range(made.searches) if made.kind[s] == Kind.MEMBER]
    found = [
        s for s in members if made.served[s] == Served.GRANTED and made.granted[s] == made.truth[s]
    ]
    strangers = [s for s in range(made.searches) if made.kind[s] == Kind.STRANGER]
    let_in = [s for s in strangers if made.served[s] == Served.GRANTED]
    assert told["fnir"] == pytest.approx(1 - len(found) / len(members), abs=1e-7)
    assert told["fpir"] == pytest.approx(len(let_in) / len(strangers), abs=1e-7)
    assert told["fnir_trials"] == len(members)
    assert told["fnir_people"] == 16
    assert told["fpir_people"] == 20


def test_captures_that_quality_refused_are_counted_once_and_by_reason(crowd: Crowd) -> None:
    made = crowd(fridges=3, absent=0.2, seed=5)
    told = report(made, QUICK, population="personas")["failure_to_acquire"]
    lost = sum(bool(r) for r in made.captures.face_rejected)
    assert told["face_trials"] == len(made.captures)  # not once per fridge
    assert told["face"] == pytest.approx(lost / len(made.captures), abs=1e-7)
    assert told["reasons"]["face"] == {"no_face": lost}


def test_a_member_who_could_not_be_captured_is_missed_but_not_mismatched(crowd: Crowd) -> None:
    made = crowd(spread=12, seed=1)
    gone = made.of(Kind.MEMBER)[:6]
    llr = {s: v.copy() for s, v in made.llr.items()}
    for s in STREAMS:
        llr[s][np.isin(made.search, gone)] = np.nan
    told = report(replace(made, llr=llr), QUICK, population="personas")["fused"]
    assert told["eer"] == 0.0
    assert told["fnir_at_fpir_5pct"] == pytest.approx(6 / 48)
    assert told["rank1"] == pytest.approx(42 / 48)


def test_no_errors_leave_room_for_what_so_few_people_cannot_rule_out(crowd: Crowd) -> None:
    told = report(crowd(spread=12), QUICK, population="personas")
    for stream in ("fused", "face", "voice"):
        low, high = told[stream]["eer_ci"]
        assert (told[stream]["eer"], low) == (0.0, 0.0)
        assert high == pytest.approx(1 - 0.025 ** (1 / 16), rel=1e-4)


def test_intervals_shrink_with_people_and_not_with_captures_of_the_same(crowd: Crowd) -> None:
    def width(made: Trials) -> float:
        boot = Bootstrap.of(made, replicates=200, seed=0, level=0.95)
        # Errors that belong to a person: everybody has a bad day, or none.
        wrong = made.person % 3 == 0
        found = boot.rate(wrong, made.of(Kind.MEMBER)).interval
        assert found is not None
        return found.high - found.low

    one = width(crowd(fridges=4, members=12, strangers=4, probes=2))
    repeated = width(crowd(fridges=4, members=12, strangers=4, probes=8))
    more = width(crowd(fridges=16, members=12, strangers=4, probes=2))
    assert repeated == pytest.approx(one, rel=0.05)
    assert more < 0.7 * one


def test_members_and_strangers_are_drawn_separately(crowd: Crowd) -> None:
    made = crowd()
    drawn = Bootstrap.of(made, replicates=20, seed=0, level=0.95).resamples.people
    members = np.unique(made.person[made.of(Kind.MEMBER)])
    assert (drawn[:, members].sum(axis=1) == len(members)).all()


def test_groups_of_too_few_people_are_withheld_with_their_number(crowd: Crowd) -> None:
    told = report(crowd(), replace(QUICK, min_people=9), population="personas")
    dark = told["slices"]["tone"]["dark"]
    assert dark["fnir"] is None
    assert dark["fnir_why"] == "too few: 8 people, 9 needed"
    assert "fnir_ci" not in dark
    assert dark["fpir_people"] == 10
    assert dark["fpir"] is not None


def test_slices_split_the_whole(crowd: Crowd) -> None:
    told = report(crowd(seed=2), QUICK, population="personas")
    parts = told["slices"]["tone"].values()
    errors = sum(p["fnir"] * p["fnir_trials"] for p in parts)
    whole = told["served"]
    assert errors == pytest.approx(whole["fnir"] * whole["fnir_trials"], abs=1e-4)
    assert sum(p["fpir_trials"] for p in parts) == whole["fpir_trials"]


def test_attacks_are_told_by_species_with_empty_places_for_liveness(told: dict[str, Any]) -> None:
    printed = told["attacks"]["species"]["print"]
    assert printed["iapar_trials"] == 4
    assert printed["iapar"] > 0.5  # played with the member's own scores
    assert printed["apcer"] is None
    assert "liveness" in printed["apcer_why"]
    assert told["attacks"]["bpcer"] is None


def test_what_cannot_be_said_is_empty_with_a_reason(crowd: Crowd) -> None:
    whole = crowd()
    strangers_only = whole.take(whole.of(Kind.STRANGER))
    told = report(strangers_only, QUICK, population="personas")
    assert told["fused"]["eer"] is None
    assert told["fused"]["eer_why"] == "no mated pairs"
    assert told["fused"]["fnir_at_fpir_5pct_why"] == "no mated searches"
    assert told["served"]["fnir_why"] == "no trials"
    members_only = whole.take(whole.of(Kind.MEMBER))
    told = report(members_only, QUICK, population="personas")
    assert told["fused"]["fnir_at_fpir_5pct_why"] == "no nonmated searches"
    assert told["served"]["fpir"] is None
    attacks_only = crowd(attacks=3)
    attacks_only = attacks_only.take(attacks_only.of(Kind.ATTACK))
    told = report(attacks_only, QUICK, population="personas")
    assert told["failure_to_acquire"]["face_why"] == "no trials"


def test_an_infinite_cost_is_empty_with_a_reason(crowd: Crowd) -> None:
    made = crowd()
    llr = {s: v.copy() for s, v in made.llr.items()}
    llr["fused"][made.pairs("fused")[0][0]] = -np.inf
    told = report(replace(made, llr=llr), QUICK, population="personas")["fused"]
    assert told["cllr"] is None
    assert told["cllr_why"] == "not finite: inf"
    assert told["cllr_ci"][1] is None
    assert told["eer"] is not None


def test_the_same_seed_gives_the_same_report_and_another_seed_other_intervals(
    crowd: Crowd,
) -> None:
    made = crowd(spread=2)
    one, same, other = (
        report(made, replace(QUICK, seed=s), population="personas") for s in (1, 1, 2)
    )
    assert one == same
    assert one["fused"]["cllr"] == other["fused"]["cllr"]
    assert one["fused"]["cllr_ci"] != other["fused"]["cllr_ci"]


def test_the_population_is_where_the_manifest_says_its_people_come_from() -> None:
    rows = [Row(f"c{i}", "p", "", "s", "probe", source=s) for i, s in enumerate("ab")]
    assert population(rows) == "a+b"
    assert population(rows[:1]) == "a"
    assert population([replace(rows[0], source="")]) == "unknown"


def test_numbers_for_tracking_are_dotted_and_plain(told: dict[str, Any]) -> None:
    found = numbers(told)
    assert found["fused.eer"] == told["fused"]["eer"]
    assert "attacks.species.print.apcer" not in found
    assert all(isinstance(v, float) for v in found.values())


@pytest.mark.parametrize("reporting", ["full", "quick"])
@pytest.mark.parametrize("data", ["demo", "benchmark"])
def test_shipped_configurations_fit_the_step(data: str, reporting: str) -> None:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(configs("evaluate")), version_base="1.3"):
        made = compose("evaluate", [f"data={data}", f"evaluate/reporting@reporting={reporting}"])
    values = OmegaConf.to_container(made, resolve=True)
    assert isinstance(values, dict)
    settings = validated(EvaluateSettings, {str(k): v for k, v in values.items()})
    assert settings.data.name == data
    assert fnir_name(settings.reporting.target_fpir) == "fnir_at_fpir_0.3pct"  # as the README reads


# The step from end to end, on embeddings drawn around one direction per person.

DIM = 24


class World:
    """People as directions, and captures as directions with noise."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.people: dict[str, Any] = {}

    def embeddings(self, person: str) -> Embeddings:
        centre = self.people.setdefault(person, self.rng.normal(size=(2, DIM)))
        noisy = centre + 0.7 * self.rng.normal(size=(2, DIM))
        face, voice = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        heard: Embedding | Rejected = Embedding(voice, dict.fromkeys(VOICE_QUALITY, 10.0))
        if self.rng.random() < 0.05:
            heard = Rejected(Modality.VOICE, Reason.TOO_QUIET, "Speak up.")
        return Embeddings(Embedding(face, dict.fromkeys(FACE_QUALITY, 0.8)), heard)

    def table(self, captures: list[str], people: list[str]) -> EmbeddingTable:
        seen = [self.embeddings(p) for p in people]
        return EmbeddingTable.of(captures, seen, face_dim=DIM, voice_dim=DIM)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a manifest, features and two fridges' bundles."""
    monkeypatch.chdir(tmp_path)
    world = World(0)
    members = {f"fridge-{f}": [f"f{f}m{m}" for m in range(4)] for f in range(2)}
    rows = [
        Row(f"{person}-{split}-{k}", person, fridge, f"{split}{k}", split, source="personas")
        for fridge, people in members.items()
        for person in people
        for split in ("enrol", "probe")
        for k in range(3)
    ]
    rows += [
        Row(f"s{s}-{k}", f"s{s}", "", f"{k}", "stranger", source="personas")
        for s in range(15)
        for k in range(2)
    ]
    rows.append(Row("k0", "f0m0", "fridge-0", "x", "attack", attack="print", source="personas"))
    Path("data/tiny").mkdir(parents=True)
    manifest.write(Path("data/tiny"), rows)
    whole = world.table([r.capture for r in rows], [r.person for r in rows])
    feature_table.write(
        Path("data/features/tiny.safetensors"),
        feature_table.Features(whole, "embedded", "d" * 64, "personas"),
    )
    cohort = [f"c{i}" for i in range(40) for _ in range(4)]
    background = world.table([f"{p}-{k}" for k, p in enumerate(cohort)], cohort)
    for fridge in members:
        at = [i for i, r in enumerate(rows) if r.fridge == fridge and r.split == "enrol"]
        made = fit(
            whole.take(np.array(at)),
            [rows[i].person for i in at],
            background,
            cohort,
            DiscriminatorSettings(family="prototype"),
            seed=1,
        )
        bundle.write(
            Path("data/bundles/tiny") / fridge,
            fridge=fridge,
            discriminator=made.discriminator,
            policy=made.policy,
            characterizer_digest="d" * 64,
            population="personas",
            lineage={},
            reference={},
        )
    return tmp_path


SETTINGS = EvaluateSettings(
    data=Dataset(name="tiny", reports="reports"), reporting=Reporting(replicates=50)
)


def test_the_step_writes_report_curves_pictures_and_trials(trained: Path) -> None:
    told = evaluate(SETTINGS, tracking.untracked())
    assert json.loads((trained / "reports/evaluate.json").read_text()) == told
    assert told["counts"]["mated_searches"] == 24
    assert told["counts"]["nonmated_searches"] == 60
    assert told["counts"]["attacks"] == 1
    assert told["fused"]["eer"] <= 0.05
    assert told["made_by"]["characterizer"]["digest"] == "d" * 64
    assert set(told["made_by"]["bundles"]) == {"fridge-0", "fridge-1"}
    assert {"date", "commit", "processor"} <= set(told["made_by"])
    names = {p.name for p in (trained / "reports/plots").iterdir()}
    assert names == {"det.csv", "det.png", "histogram.csv", "histogram.png", "slices.png"}
    kept = trials.read(trials.path_of("tiny"))
    assert kept.searches == 24 + 60 + 1
    untimed = {k: v for k, v in told.items() if k != "made_by"}
    again = report(kept, SETTINGS.reporting, population="personas", dataset="tiny", risk="normal")
    assert again == untimed


def test_bundles_for_another_characterizer_are_refused(trained: Path) -> None:
    path = Path("data/features/tiny.safetensors")
    feature_table.write(path, replace(feature_table.read(path), characterizer_digest="e" * 64))
    with pytest.raises(BundleError, match="is for the Characterizer dddd"):
        evaluate(SETTINGS, tracking.untracked())


def test_a_dataset_without_bundles_says_what_to_run(trained: Path) -> None:
    for folder in Path("data/bundles").iterdir():
        folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(DataError, match=r"no bundles .*training\.train data=tiny"):
        evaluate(SETTINGS, tracking.untracked())
