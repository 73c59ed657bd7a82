"""The lab's own counting, held against the figures that the evaluation makes of the same trials."""

import math
from pathlib import Path

import numpy as np
import pytest

from demo import lab
from demo.problems import DemoProblem
from visavox.training import metrics, trials

MEMBERS = ("ada", "bo", "cy")


def stored(path: Path, *, seed: int = 0) -> trials.Trials:
    """Three members tried five times each, twenty strangers, two attacks; some captures mute."""
    rng = np.random.default_rng(seed)
    names: list[str] = []
    people: list[str] = []
    attack: list[str] = []
    kind: list[int] = []
    truth: list[int] = []

    def add(person: str, species: str, of: trials.Kind, who: int) -> None:
        names.append(f"{person}-{len(names)}")
        people.append(person)
        attack.append(species)
        kind.append(int(of))
        truth.append(who)

    for i, member in enumerate(MEMBERS):
        for _ in range(5):
            add(member, "", trials.Kind.MEMBER, i)
    for i in range(20):
        add(f"s{i}", "", trials.Kind.STRANGER, trials.NOBODY)
    for i in range(2):
        add(MEMBERS[i], "printed_photo", trials.Kind.ATTACK, i)
    searches, members = len(names), len(MEMBERS)
    scores = {}
    for stream in trials.STREAMS:
        llr = rng.normal(-6, 4, (searches, members))
        for s, who in enumerate(truth):
            if who >= 0:
                llr[s, who] = rng.normal(6, 5)
        scores[stream] = llr
    scores["voice"][3] = scores["voice"][17] = np.nan
    scores["fused"][4] = np.nan
    empty = tuple("" for _ in names)
    made = trials.Trials(
        captures=trials.Captures(
            tuple(names), tuple(people), tuple(attack), empty, empty, slices={}
        ),
        fridges=("f1",),
        members=tuple(("f1", m) for m in MEMBERS),
        capture=np.arange(searches),
        fridge=np.zeros(searches, np.intp),
        kind=np.array(kind),
        truth=np.array(truth),
        served=np.zeros(searches, np.intp),
        granted=np.full(searches, trials.NOBODY),
        start=np.arange(searches + 1) * members,
        member=np.tile(np.arange(members), searches),
        llr={s: v.ravel() for s, v in scores.items()},
    )
    trials.write(made, path)
    return made


@pytest.mark.parametrize("stream", trials.STREAMS)
@pytest.mark.parametrize("threshold", [-20.0, -3.0, 0.0, 4.0, 30.0])
def test_rates_are_those_of_the_evaluation(stream: str, threshold: float, tmp_path: Path) -> None:
    of = stored(tmp_path / "trials.safetensors")
    read = lab.read(tmp_path / "trials.safetensors").streams[stream]
    at = np.array([threshold])
    top = of.top(stream)[of.of(trials.Kind.STRANGER)]
    assert read.fpir(threshold) == pytest.approx(metrics.fpir(top, at)[0])
    assert read.fnir(threshold) == pytest.approx(metrics.fnir(of.mated(stream), at)[0])


def test_the_curve_passes_through_every_threshold(tmp_path: Path) -> None:
    stored(tmp_path / "trials.safetensors")
    stream = lab.read(tmp_path / "trials.safetensors").streams["fused"]
    fpir, fnir = stream.curve()
    assert (np.diff(fpir) <= 0).all()
    assert (np.diff(fnir) >= 0).all()
    assert (fpir[-1], fnir[-1]) == (0.0, 1.0)
    points = set(zip(fpir.round(9), fnir.round(9), strict=True))
    for threshold in np.linspace(-15, 15, 31):
        at = (round(stream.fpir(threshold), 9), round(stream.fnir(threshold), 9))
        assert at in points


def test_a_threshold_nobody_reaches_locks_everybody_out(tmp_path: Path) -> None:
    stored(tmp_path / "trials.safetensors")
    outcome = lab.at(lab.read(tmp_path / "trials.safetensors"), "fused", 1000.0)
    assert all(f.locked_out for f in outcome.fates)
    assert (outcome.fnir, outcome.fpir, outcome.let_in) == (1.0, 0.0, ())
    assert outcome.attacks == {"printed_photo": (0, 2)}


def test_the_lowest_threshold_lets_every_stranger_and_attack_in(tmp_path: Path) -> None:
    stored(tmp_path / "trials.safetensors")
    outcome = lab.at(lab.read(tmp_path / "trials.safetensors"), "face", -1000.0)
    assert len(outcome.let_in) == 20
    assert outcome.attacks == {"printed_photo": (2, 2)}
    best = [s.best for s in outcome.let_in]
    assert best == sorted(best, reverse=True)


def test_who_is_locked_out_agrees_with_the_rate(tmp_path: Path) -> None:
    stored(tmp_path / "trials.safetensors")
    outcome = lab.at(lab.read(tmp_path / "trials.safetensors"), "fused", 3.0)
    missed = sum(f.tried - f.granted for f in outcome.fates)
    assert missed / sum(f.tried for f in outcome.fates) == pytest.approx(outcome.fnir)
    assert sum(f.tried for f in outcome.fates) == 15


def test_a_capture_without_evidence_is_a_miss_and_never_a_zero(tmp_path: Path) -> None:
    stored(tmp_path / "trials.safetensors")
    stream = lab.read(tmp_path / "trials.safetensors").streams["fused"]
    assert stream.searches[4].best == -math.inf
    assert stream.fnir(-math.inf) < 1.0
    assert stream.fnir(-1e9) > 0.0


def test_the_slider_spans_all_scores(tmp_path: Path) -> None:
    stored(tmp_path / "trials.safetensors")
    made = lab.read(tmp_path / "trials.safetensors")
    low, high = made.span
    fused = made.streams["fused"]
    scored = np.concatenate([fused.hits, fused.tops])
    scored = scored[np.isfinite(scored)]
    assert low <= scored.min()
    assert high >= scored.max()


def test_no_trials_says_how_to_measure(tmp_path: Path) -> None:
    with pytest.raises(DemoProblem, match="dvc repro"):
        lab.read(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\0" * 64])
def test_a_damaged_file_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trials.safetensors"
    path.write_bytes(content)
    with pytest.raises(DemoProblem, match=r"trials\.safetensors"):
        lab.read(path)
