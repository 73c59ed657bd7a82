"""The comparison of families: same people, same captures, figures and costs of each."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visavox.training import families, families_pictures
from visavox.training.evaluate_report import Reporting, report
from visavox.training.families import BEGIN, END, Cost
from visavox.training.trials import Trials

COST = Cost(prepare_s=1.0, fit_s=0.01, weights_kb=240.0, score_ms=0.06)


@pytest.fixture(scope="module")
def result(crowd: Any) -> dict[str, Any]:
    quick = Reporting(replicates=20)
    made = {}
    for family, spread in (("plda", 3.5), ("mlp", 2.5)):
        told = [
            report(crowd(spread=spread, seed=s), quick, population="personas") for s in (1, 2, 3)
        ]
        made[family] = families.summed(told, [COST, COST, COST])
    return {"families": made}


def test_figures_are_means_over_seeds_with_their_range(result: dict[str, Any]) -> None:
    for made in result["families"].values():
        for key in families.FIGURES:
            low, high = made[key]["range"]
            assert low <= made[key]["mean"] <= high
    better, worse = (result["families"][f]["fused.cllr"]["mean"] for f in ("plda", "mlp"))
    assert better < worse


def test_the_table_is_made_anew_and_the_rest_is_left_alone(result: dict[str, Any]) -> None:
    before = f"# Study\n\n{BEGIN}\nold\n{END}\n\nConclusion.\n"
    after = families.filled(before, result)
    assert after.startswith("# Study")
    assert after.endswith("Conclusion.\n")
    assert "old" not in after
    assert all(f"`{family}`" in after for family in result["families"])
    assert families.filled(after, result) == after


def test_numbers_hold_figures_and_costs(result: dict[str, Any]) -> None:
    numbers = families.numbers(result["families"]["plda"])
    assert numbers["fit_s"] == COST.fit_s
    assert np.isfinite(list(numbers.values())).all()


def test_pictures_are_drawn(result: dict[str, Any], crowd: Any, tmp_path: Path) -> None:
    trials: dict[str, Trials] = {"plda": crowd(seed=1), "mlp": crowd(seed=2)}
    det = families_pictures.draw_det(trials, tmp_path / "det.png")
    costs = families_pictures.draw_costs(result, tmp_path / "costs.png")
    for path in (det, costs):
        assert path.read_bytes().startswith(b"\x89PNG")
