"""Curves for DVC and pictures for people: true to the trials, and drawn whatever they hold."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visavox.training import metrics
from visavox.training.evaluate_report import Reporting, report
from visavox.training.plots import draw_det, draw_histogram, draw_slices
from visavox.training.plots_data import (
    at_rates,
    histogram,
    identification_curve,
    verification_curve,
    write_det,
    write_histogram,
)
from visavox.training.trials import Kind, Trials

Crowd = Callable[..., Trials]

QUICK = Reporting(replicates=50, min_people=3)


def told(made: Trials, **how: Any) -> dict[str, Any]:
    return report(made, QUICK, population="personas", dataset="tiny", **how)


def columns(path: Path) -> dict[str, list[str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [r[name] for r in rows] for name in rows[0]}


def test_det_table_holds_the_lowest_errors_at_each_rate(crowd: Crowd, tmp_path: Path) -> None:
    made = crowd(spread=2.5)
    found = columns(write_det(made, tmp_path / "det.csv"))
    mated, nonmated = made.pairs("face")
    steps = metrics.steps(made.llr["face"][mated], made.llr["face"][nonmated])
    rates = np.array(found["rate"], np.float64)
    np.testing.assert_allclose(
        np.array(found["face"], np.float64), steps.fnmr_at_fmr(rates), atol=1e-5
    )
    at = int(np.argmin(np.abs(rates - 0.1)))
    top = made.top("fused")[made.of(Kind.STRANGER)]
    expected = metrics.fnir_at_fpir(made.mated("fused"), top, rates[at])
    assert float(found["fused_fnir"][at]) == pytest.approx(expected, abs=1e-5)


def test_curves_fall_from_accept_all_to_refuse_all(crowd: Crowd) -> None:
    made = crowd(spread=2, absent=0.1)
    for curve in (verification_curve(made, "voice"), identification_curve(made, "voice")):
        assert (np.diff(curve.x) <= 0).all()
        assert (np.diff(curve.y) >= 0).all()
        assert curve.x[-1] == 0.0
        assert curve.y[-1] == 1.0


def test_histograms_hold_every_pair_once(crowd: Crowd, tmp_path: Path) -> None:
    made = crowd(spread=14)  # LLRs beyond the edges fall into the outermost bins
    found = histogram(made, "fused")
    assert found.mated.sum() == pytest.approx(1.0)
    assert found.nonmated.sum() == pytest.approx(1.0)
    assert found.mated[-1] > 0.9
    table = columns(write_histogram(made, tmp_path / "histogram.csv"))
    assert sum(map(float, table["voice_nonmated"])) == pytest.approx(1.0, abs=1e-3)


def test_what_has_no_trials_is_an_empty_column_and_an_empty_curve(
    crowd: Crowd, tmp_path: Path
) -> None:
    whole = crowd()
    members = whole.take(whole.of(Kind.MEMBER))
    found = columns(write_det(members, tmp_path / "det.csv"))
    assert set(found["fused_fnir"]) == {""}
    strangers = whole.take(whole.of(Kind.STRANGER))
    assert verification_curve(strangers, "fused").x.size == 0
    assert np.isnan(at_rates(verification_curve(strangers, "fused"), np.array([0.1]))).all()


@pytest.mark.parametrize(
    "how",
    [
        {"spread": 2.5, "absent": 0.1},
        {"spread": 15.0},  # no errors at all: nothing to draw on probit axes
        {"members": 1, "fridges": 1, "probes": 1, "strangers": 3},
    ],
)
def test_pictures_are_drawn_whatever_the_trials_hold(
    crowd: Crowd, tmp_path: Path, how: dict[str, Any]
) -> None:
    made = crowd(**how)
    figures = told(made)
    for path in (
        draw_det(made, figures, tmp_path / "plots" / "det.png"),
        draw_histogram(made, figures, tmp_path / "plots" / "histogram.png"),
        draw_slices(figures, tmp_path / "plots" / "slices.png"),
    ):
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert pixels.shape[1] >= 900
        assert 0.001 < (pixels < 128).mean() < 0.5


def test_pictures_of_strangers_only_and_of_no_slices_are_drawn(
    crowd: Crowd, tmp_path: Path
) -> None:
    whole = crowd()
    strangers = whole.take(whole.of(Kind.STRANGER))
    figures = told(strangers)
    assert draw_det(strangers, figures, tmp_path / "det.png").stat().st_size > 1000
    assert draw_histogram(strangers, figures, tmp_path / "h.png").stat().st_size > 1000
    figures["slices"] = {}
    assert draw_slices(figures, tmp_path / "s.png").stat().st_size > 1000


def test_the_same_trials_give_the_same_picture(crowd: Crowd, tmp_path: Path) -> None:
    figures = told(crowd())
    one, same = (draw_slices(figures, tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert one == same


def test_every_picture_says_that_its_people_do_not_exist(
    crowd: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    titles: list[str] = []
    plain = Figure.suptitle

    def noted(self: Figure, t: str, **how: Any) -> Any:
        titles.append(t)
        return plain(self, t, **how)

    monkeypatch.setattr(Figure, "suptitle", noted)
    made = crowd()
    figures = told(made)
    draw_det(made, figures, tmp_path / "d.png")
    draw_histogram(made, figures, tmp_path / "h.png")
    draw_slices(figures, tmp_path / "s.png")
    assert len(titles) == 3
    assert all("made from personas" in title for title in titles)
