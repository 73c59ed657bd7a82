import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from demo import charts, lab
from demo.lab import Stream, Trials
from tests.demo.test_lab import stored


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def words(svg: str) -> str:
    return " ".join(parsed(svg).itertext())


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    stored(tmp_path / "trials.safetensors")
    return lab.read(tmp_path / "trials.safetensors")


def test_scores_show_each_candidate_and_what_was_asked_for() -> None:
    svg = charts.scores(
        [
            {"member": "a", "fused": 14.2, "face": 6.1, "voice": 8.1},
            {"member": "b", "fused": -900.0, "face": None, "voice": -3.0},
        ],
        3.7,
        lambda member: {"a": "Ada <3"}.get(member, member),
    )
    text = words(svg)
    for expected in ("Ada <3", "+14.2", "-900.0", "none", "asked for +3.7"):
        assert expected in text
    # Whatever the scores, nothing is drawn outside the picture.
    width = float(parsed(svg).attrib["viewBox"].split()[2])
    for bar in parsed(svg).iter("rect"):
        assert float(bar.attrib["x"]) >= 0
        assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width


def test_nothing_scored_is_said_in_words() -> None:
    assert "Nothing was scored" in charts.scores([], None)
    assert "asked for" not in charts.scores([{"member": "a", "fused": 1.0}], None)


def test_the_histogram_counts_every_scored_capture_once(trials: Trials) -> None:
    stream = trials.streams["fused"]
    svg = charts.histogram(stream, 2.0)
    counted = sum(int(n) for n in re.findall(r"<title>(\d+) captures", svg))
    assert counted == stream.hits.size + stream.tops.size


def test_moving_the_threshold_changes_who_is_missed(trials: Trials) -> None:
    stream = trials.streams["fused"]
    low, high = charts.histogram(stream, -30.0), charts.histogram(stream, 30.0)
    assert low.count("vx-missed") < high.count("vx-missed")
    assert low.count("vx-let-in") > high.count("vx-let-in") == 0


def test_the_det_curve_shows_every_stream_and_where_we_are(trials: Trials) -> None:
    svg = charts.det(trials, "face", 1.0)
    drawn = parsed(svg)
    assert len(list(drawn.iter("polyline"))) == 3
    assert len(list(drawn.iter("circle"))) == 1
    assert "face alone" in words(svg)


def test_what_so_few_strangers_cannot_prove_is_marked(trials: Trials) -> None:
    # Twenty strangers, no error: a rate below 15 % is not proven.
    assert "20 captures of strangers cannot prove a rate below 15.0%" in charts.det(
        trials, "fused", 0.0
    )


def test_an_evaluation_of_nothing_draws_an_empty_picture() -> None:
    nothing = Stream("fused", (), np.empty(0), np.empty(0))
    empty = Trials((), dict.fromkeys(lab.STREAMS, nothing))
    assert list(parsed(charts.det(empty, "fused", 0.0)).iter("polyline")) == []
    assert empty.span == (-10.0, 10.0)
    parsed(charts.histogram(nothing, 0.0))
