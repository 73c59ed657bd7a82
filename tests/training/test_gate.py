"""The gate: what it lets through, what it refuses, and that it never claims what data cannot."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from visavox.config import validated
from visavox.errors import ConfigError, DataError, GateRefused
from visavox.training import tracking, trials
from visavox.training.dataset import Dataset
from visavox.training.evaluate_report import Reporting, report
from visavox.training.gate import GateSettings, Limits, Measured, Verdict, gate, judge
from visavox.training.gate_champion import Margin, difference, judge_margin, paired
from visavox.training.gate_limits import Limit
from visavox.training.stage import REFUSED, configs
from visavox.training.trials import NOBODY, Kind, Served, Trials

Crowd = Callable[..., Trials]

LEVEL = 0.95


def at_most(limit: float, compare: str = "point", metric: str = "fused.eer") -> Limit:
    return validated(Limit, {"metric": metric, "at_most": limit, "compare": compare})


def limits(*many: Limit, margins: tuple[Margin, ...] = ()) -> Limits:
    return Limits(population="personas", limits=many, margins=margins, replicates=200)


# The whole verdict

GOOD = at_most(0.05), at_most(0.3, metric="fused.cllr")


@pytest.fixture(scope="module")
def measured(crowd: Crowd) -> Callable[..., Measured]:
    """Evaluations by the settings of their crowd; most tests share one."""
    made: dict[str, Measured] = {}

    def get(**how: Any) -> Measured:
        key = repr(sorted(how.items()))
        if key not in made:
            drawn = crowd(**{"fridges": 3, "members": 10, "strangers": 40, "spread": 4.0} | how)
            figures = report(drawn, Reporting(replicates=100), population="personas")
            made[key] = Measured(figures, drawn)
        return made[key]

    return get


def worse(of: Measured, *, missed: int) -> Measured:
    """The same trials, but each of so many members refused once."""
    at = of.trials.of(Kind.MEMBER)
    first = at[np.unique(of.trials.person[at], return_index=True)[1]][:missed]
    served, granted = of.trials.served.copy(), of.trials.granted.copy()
    served[first], granted[first] = Served.REFUSED, NOBODY
    return Measured(of.report, replace(of.trials, served=served, granted=granted))


def shifted(of: Measured, by: float) -> Measured:
    """The same trials with LLRs that promise too much."""
    llr = {stream: values + by for stream, values in of.trials.llr.items()}
    return Measured(of.report, replace(of.trials, llr=llr))


Get = Callable[..., Measured]


def test_a_good_challenger_passes_and_its_claims_are_told(measured: Get) -> None:
    verdict = judge(measured(), limits(*GOOD), None)
    assert verdict.passed
    assert verdict.reasons == ()
    assert any("fused.eer" in claim and "measured" in claim for claim in verdict.claims)


def test_every_reason_is_told_not_only_the_first(measured: Get) -> None:
    verdict = judge(measured(), limits(*GOOD, at_most(1e-6), at_most(0, metric="x.y")), None)
    assert not verdict.passed
    assert len(verdict.reasons) == 2
    assert len(verdict.claims) == 3  # the population and two limits


def test_figures_on_other_people_than_the_limits_are_for_fail(measured: Get) -> None:
    strange = replace(measured(), report={**measured().report, "population": "voxceleb"})
    verdict = judge(strange, limits(*GOOD), None)
    assert not verdict.passed
    assert "'voxceleb'" in verdict.reasons[0]
    nameless = replace(measured(), report={"fused": measured().report["fused"]})
    assert not judge(nameless, limits(*GOOD), None).passed


def test_a_gate_without_limits_is_no_gate() -> None:
    with pytest.raises(ConfigError, match="limits"):
        validated(Limits, {"population": "personas", "limits": []})


# Against a champion

MARGINS = (
    Margin(metric="served.fnir", at_most=0.15),
    Margin(metric="served.fpir", at_most=0.15),
    Margin(metric="fused.eer", at_most=0.02),
    Margin(metric="fused.cllr", at_most=0.03),
)


def test_an_equal_challenger_is_no_worse(measured: Get) -> None:
    verdict = judge(measured(), limits(*GOOD, margins=MARGINS), measured())
    assert verdict.passed, verdict.reasons
    assert sum("the champion's" in claim for claim in verdict.claims) == len(MARGINS)


def test_an_equal_challenger_on_too_few_people_proves_no_small_margin(measured: Get) -> None:
    small = (Margin(metric="served.fnir", at_most=0.05),)
    verdict = judge(measured(), limits(*GOOD, margins=small), measured())
    assert not verdict.passed  # 30 people, all served alike, leave room for a tenth
    assert "on 30 people" in verdict.reasons[0]


def test_a_challenger_that_misses_more_members_fails(measured: Get) -> None:
    verdict = judge(worse(measured(), missed=15), limits(*GOOD, margins=MARGINS), measured())
    assert not verdict.passed
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith("served.fnir")


def test_a_challenger_that_misses_fewer_members_passes(measured: Get) -> None:
    verdict = judge(measured(), limits(*GOOD, margins=MARGINS), worse(measured(), missed=25))
    assert verdict.passed, verdict.reasons


def test_a_challenger_that_lets_strangers_in_fails(measured: Get) -> None:
    of = measured().trials
    at = of.of(Kind.STRANGER)[::3]
    served = of.served.copy()
    served[at] = Served.GRANTED
    looser = replace(measured(), trials=replace(of, served=served))
    verdict = judge(looser, limits(*GOOD, margins=MARGINS), measured())
    assert [r.split()[0] for r in verdict.reasons] == ["served.fpir"]


def test_a_challenger_that_is_worse_calibrated_fails_by_its_cost_alone(measured: Get) -> None:
    of = measured(spread=2.5)
    verdict = judge(shifted(of, 3.0), limits(at_most(1.0), margins=MARGINS), of)
    assert [r.split()[0] for r in verdict.reasons] == ["fused.cllr"]


def test_a_challenger_that_confuses_people_fails_by_its_eer(measured: Get) -> None:
    verdict = judge(measured(spread=1.5), limits(at_most(1.0), margins=MARGINS[2:3]), measured())
    assert [r.split()[0] for r in verdict.reasons] == ["fused.eer"]


def test_a_challenger_of_infinite_cost_fails(measured: Get) -> None:
    of = measured().trials
    llr = {s: v.copy() for s, v in of.llr.items()}
    mated = of.pairs("fused")[0]
    llr["fused"][mated[::2]] = -np.inf
    broken = replace(measured(), trials=replace(of, llr=llr))
    verdict = judge(broken, limits(at_most(1.0), margins=MARGINS[3:]), measured())
    assert not verdict.passed
    both = judge(broken, limits(at_most(1.0), margins=MARGINS[3:]), broken)
    assert not both.passed  # inf - inf is no proof of anything


def test_a_champion_of_other_trials_cannot_be_compared_with(measured: Get) -> None:
    verdict = judge(measured(), limits(*GOOD, margins=MARGINS), measured(fridges=4, probes=6))
    assert not verdict.passed
    assert "Only" in verdict.reasons[0]
    renamed = replace(measured().trials, fridges=("x", "y", "z"))
    verdict = judge(measured(), limits(*GOOD), replace(measured(), trials=renamed))
    assert "Only 0%" in verdict.reasons[0]


def test_a_champion_measured_on_other_people_cannot_be_compared_with(measured: Get) -> None:
    strange = replace(measured(), report={**measured().report, "population": "voxceleb"})
    verdict = judge(measured(), limits(*GOOD, margins=MARGINS), strange)
    assert verdict.reasons == (
        "The champion was measured on 'voxceleb', the challenger on 'personas'.",
    )


def test_a_member_more_or_less_leaves_enough_in_common(measured: Get) -> None:
    whole = measured().trials
    gone = whole.truth == 4
    left = replace(measured(), trials=whole.take(np.flatnonzero(~gone)))
    for challenger, champion in ((measured(), left), (left, measured())):
        verdict = judge(challenger, limits(*GOOD, margins=MARGINS), champion)
        assert verdict.passed, verdict.reasons


def test_the_order_of_searches_does_not_matter(measured: Get) -> None:
    whole = measured().trials
    mixed = whole.take(np.random.default_rng(0).permutation(whole.searches))
    found = [
        difference(pair.draw(replicates=100, seed=0, level=LEVEL), "served.fnir")
        for pair in (paired(mixed, whole), paired(whole, mixed))
        if pair is not None
    ]
    assert found[0] == found[1]
    assert found[0] is not None
    assert found[0].challenger == found[0].champion


def test_pairing_cancels_what_both_have_in_common(measured: Get) -> None:
    pair = paired(shifted(measured(spread=2.0), 0.1).trials, measured(spread=2.0).trials)
    assert pair is not None
    found = difference(pair.draw(replicates=200, seed=0, level=LEVEL), "fused.cllr")
    assert found is not None
    low, high = measured(spread=2.0).report["fused"]["cllr_ci"]
    assert found.interval.high - found.interval.low < 0.2 * (high - low)


def test_the_same_seed_gives_the_same_difference_and_another_seed_another(measured: Get) -> None:
    pair = paired(measured(seed=1).trials, measured().trials)
    assert pair is not None
    one, same, other = (
        difference(pair.draw(replicates=100, seed=s, level=LEVEL), "fused.cllr") for s in (1, 1, 2)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize("kind", [Kind.MEMBER, Kind.STRANGER])
def test_trials_of_one_kind_alone_cannot_be_compared(measured: Get, kind: Kind) -> None:
    whole = measured().trials
    part = whole.take(whole.of(kind))
    pair = paired(part, part)
    assert pair is not None
    drawn = pair.draw(replicates=100, seed=0, level=LEVEL)
    found = difference(drawn, "served.fpir" if kind == Kind.MEMBER else "served.fnir")
    assert not judge_margin(found, MARGINS[0], level=LEVEL).passed
    if kind == Kind.STRANGER:
        assert difference(drawn, "fused.eer") is None


# The step


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Get) -> GateSettings:
    monkeypatch.chdir(tmp_path)
    for folder, of in (("reports", measured()), ("champion", worse(measured(), missed=2))):
        Path(folder).mkdir()
        Path(folder, "evaluate.json").write_text(json.dumps(of.report))
        trials.write(of.trials, Path(folder, "trials.safetensors"))
    trials.write(measured().trials, trials.path_of("tiny"))
    return GateSettings(data=Dataset(name="tiny"), gate=limits(*GOOD, margins=MARGINS))


def test_the_step_writes_its_verdict(
    evaluated: GateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = gate(evaluated, tracking.untracked())
    assert isinstance(verdict, Verdict)
    written = json.loads(Path("reports/gate.json").read_text())
    assert written["passed"] is True
    assert written["compared_with_champion"] is False
    assert written["claims"] == list(verdict.claims)
    assert "fused.eer" in capsys.readouterr().out


def test_the_step_compares_with_the_champion_it_is_given(evaluated: GateSettings) -> None:
    verdict = gate(replace(evaluated, champion="champion"), tracking.untracked())
    assert verdict.passed
    assert json.loads(Path("reports/gate.json").read_text())["compared_with_champion"] is True


def test_a_failing_challenger_ends_the_step_with_every_reason(evaluated: GateSettings) -> None:
    strict = replace(evaluated, gate=limits(at_most(1e-6), at_most(0.1, metric="gone.eer")))
    with pytest.raises(GateRefused, match=r"fused\.eer[^\n]*\n[^\n]*gone\.eer is missing"):
        gate(strict, tracking.untracked())
    written = json.loads(Path("reports/gate.json").read_text())
    assert written["passed"] is False
    assert len(written["reasons"]) == 2


def test_a_failing_challenger_ends_the_process_with_an_error(
    evaluated: GateSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "off")
    monkeypatch.setattr(
        "sys.argv",
        [
            "gate",
            "data.name=tiny",
            "data.reports=reports",
            "gate.limits=[{metric: gone.eer, at_most: 0}]",
        ],
    )
    with pytest.raises(SystemExit) as ended:
        gate.main()
    assert ended.value.code == REFUSED
    assert "gone.eer is missing" in capsys.readouterr().err


def test_a_champion_that_is_not_there_is_an_error_and_not_a_pass(evaluated: GateSettings) -> None:
    with pytest.raises(DataError, match="no evaluation at nowhere"):
        gate(replace(evaluated, champion="nowhere"), tracking.untracked())


def shipped(data: str) -> Limits:
    with initialize_config_dir(str(configs("gate")), version_base="1.3"):
        values = OmegaConf.to_container(compose("gate", [f"data={data}"]), resolve=True)
    assert isinstance(values, dict)
    return validated(GateSettings, {str(k): v for k, v in values.items()}).gate


SIZES = {
    "demo": {"fridges": 1, "members": 12, "probes": 5, "strangers": 60},
    "benchmark": {"fridges": 20, "members": 20, "probes": 5, "strangers": 400, "shots": 1},
}


@pytest.mark.parametrize("data", list(SIZES))
def test_shipped_limits_can_be_kept_on_data_of_their_size(data: str, crowd: Crowd) -> None:
    """A flawless challenger, equal to its champion, passes: no limit asks for the impossible."""
    flawless = crowd(spread=15.0, **SIZES[data])
    figures = report(flawless, Reporting(replicates=100), population="personas")
    of = Measured(figures, flawless)
    verdict = judge(of, replace(shipped(data), replicates=100), of)
    assert verdict.passed, verdict.reasons


@pytest.mark.parametrize("data", list(SIZES))
def test_shipped_limits_refuse_a_challenger_that_knows_nothing(data: str, crowd: Crowd) -> None:
    guessing = crowd(spread=0.1, threshold=0.0, fridges=2, members=12, strangers=60)
    figures = report(guessing, Reporting(replicates=100), population="personas")
    verdict = judge(Measured(figures, guessing), shipped(data), None)
    refused = {reason.split()[0] for reason in verdict.reasons}
    assert refused >= {
        limit.metric for limit in shipped(data).limits if "acquire" not in limit.metric
    }
