"""Learning on: what each way carries, and that it does what it is for. Tiny nets, squares for faces."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from visavox.errors import CharacterizerError
from visavox.training import tracking
from visavox.training.characterizer.nets.face import FaceNet, FaceNetSettings
from visavox.training.characterizer.samples import Samples
from visavox.training.characterizer.verification import Trials
from visavox.training.continual import matrix, study
from visavox.training.continual.cameras import seen_by
from visavox.training.continual.learn import Past, learn, past
from visavox.training.continual.people import Step
from visavox.training.continual.remedies import (
    embedded,
    fisher,
    joined,
    kept,
    springs,
    teacher,
    unit,
)
from visavox.training.continual.settings import (
    Camera,
    ContinualSettings,
    LearningSettings,
    StepsSettings,
)
from visavox.training.continual.shipped import EMBEDDED, face_net

SHAPE = FaceNetSettings(dim=16, stem=4, widths=(8, 8, 16), depths=(1, 1, 1), head=16)
HOW = LearningSettings(epochs=3, batch=10, rate=2e-3, fisher=8)


def squares(seed: int, people: int = 6, captures: int = 5) -> Samples:
    rng = np.random.default_rng(seed)
    looks = rng.integers(40, 215, (people, 1, 4, 4, 3))
    grain = rng.normal(0, 25, (people, captures, 4, 4, 3))
    pictures = np.clip(looks + grain, 0, 255).astype(np.uint8).reshape(-1, 4, 4, 3)
    labels = np.repeat(np.arange(people, dtype=np.int64), captures)
    names = tuple(f"s{seed}p{i}" for i in range(people))
    return Samples(pictures.repeat(28, 1).repeat(28, 2), labels, names)


@pytest.fixture(scope="module")
def net() -> FaceNet:
    torch.manual_seed(1)
    return FaceNet(SHAPE).eval()


def moved(one: FaceNet, other: FaceNet) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return float(sum((a - b).detach().square().sum() for a, b in pairs))


def test_the_shipped_net_goes_on_from_what_it_answers_now() -> None:
    put_back = face_net(EMBEDDED, FaceNetSettings())
    pictures = np.random.default_rng(0).integers(0, 255, (4, 112, 112, 3), np.uint8)
    samples = Samples(pictures, np.arange(4), ("a", "b", "c", "d"))
    served = onnxruntime.InferenceSession(EMBEDDED / "face.onnx")
    said = served.run(None, {"pixels": pictures})[0]
    assert np.allclose(embedded(put_back, samples).numpy(), said, atol=1e-4)
    with pytest.raises(CharacterizerError, match="not of this shape"):
        face_net(EMBEDDED, SHAPE)


def test_the_same_seed_learns_the_same_and_another_something_else(net: FaceNet) -> None:
    new = squares(2)
    first, again, other = (learn(net, new, Past(), "naive", HOW, seed=s) for s in (1, 1, 2))
    assert moved(first, again) == 0.0
    assert moved(first, other) > 0.0
    assert moved(first, net) > 0.0
    norms = [b for name, b in net.named_buffers() if "running" in name]
    after = [b for name, b in first.named_buffers() if "running" in name]
    assert all(torch.equal(a, b) for a, b in zip(norms, after, strict=True))


def test_a_memory_holds_a_few_captures_of_everybody(net: FaceNet) -> None:
    first, second = squares(1), squares(2)
    carried = past(net, first, Past(), "rehearsal", replace(HOW, keep=2), seed=1)
    carried = past(net, second, carried, "rehearsal", replace(HOW, keep=2), seed=1)
    assert [len(m) for m in carried.memory] == [12, 12]
    everybody = joined(list(carried.memory))
    assert len(everybody.identities) == 12
    assert everybody.labels.tolist() == np.repeat(np.arange(12), 2).tolist()
    assert len(kept(first, 1)) == 6
    learned = learn(net, squares(3), carried, "rehearsal", HOW, seed=1)
    assert moved(learned, learn(net, squares(3), Past(), "naive", HOW, seed=1)) > 0


def test_a_pupil_that_agrees_with_its_teacher_pays_nothing(net: FaceNet) -> None:
    first, second = squares(1), squares(2)
    carried = past(net, first, Past(), "lwf", HOW, seed=1)
    assert carried.former.shape == (6, 16)
    assert past(net, second, carried, "lwf", HOW, seed=1).former.shape == (12, 16)
    elder = teacher(net, carried.former, scale=30.0, temperature=2.0)
    pictures = torch.from_numpy(np.array(second.data)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        same = elder.disagreement(pictures, unit(net, pictures))
        other = elder.disagreement(pictures, unit(FaceNet(SHAPE).eval(), pictures))
    assert abs(float(same)) < 1e-4
    assert float(other) > 1e-2
    slow = replace(HOW, epochs=8, rate=2e-4)
    strict = learn(net, second, carried, "lwf", replace(slow, distil=30.0), seed=1)
    free = learn(net, second, carried, "lwf", replace(slow, distil=0.0), seed=1)
    with torch.no_grad():
        costs = [float(elder.disagreement(pictures, unit(n, pictures))) for n in (strict, free)]
    assert costs[0] < costs[1] / 1.5


def test_springs_hold_what_former_people_depend_on(net: FaceNet) -> None:
    first, second = squares(1), squares(2)
    measured = fisher(net, first, count=8, scale=30.0, generator=torch.Generator().manual_seed(1))
    assert all((f >= 0).all() for f in measured.values())
    assert sum(float(f.sum()) for f in measured.values()) > 0
    held = springs(net, measured, None)
    assert float(held.energy(net).detach()) == 0.0
    assert float(held.energy(FaceNet(SHAPE)).detach()) > 0.0
    twice = springs(net, measured, held)
    assert all(torch.allclose(twice.stiffness[k], 2 * f) for k, f in measured.items())
    carried = past(net, first, Past(), "ewc", HOW, seed=1)
    stiff = learn(net, second, carried, "ewc", replace(HOW, elastic=1e9), seed=1)
    loose = learn(net, second, carried, "ewc", replace(HOW, elastic=0.0), seed=1)
    assert carried.springs is not None
    energies = [float(carried.springs.energy(n).detach()) for n in (stiff, loose)]
    assert energies[0] < energies[1] / 2


def test_cameras_see_the_same_moments_each_in_its_own_way() -> None:
    pictures = np.array(squares(1).data[:3], np.uint8)
    cameras: tuple[Camera, ...] = ("webcam", "night", "coarse", "masked")
    taken = {c: seen_by(c, pictures, np.random.default_rng(1)) for c in cameras}
    assert all(t.shape == pictures.shape and t.dtype == np.uint8 for t in taken.values())
    assert np.array_equal(taken["webcam"], pictures)
    assert taken["night"].mean() < pictures.mean() / 2
    assert (taken["night"][..., 0] == taken["night"][..., 1]).all()
    assert len(np.unique(taken["coarse"])) <= 8
    assert np.array_equal(taken["masked"][:, :50], pictures[:, :50])
    assert not np.array_equal(taken["masked"][:, 70:], pictures[:, 70:])


def told(errors: list[list[float]]) -> matrix.Floats:
    """Errors that are the same in every replicate."""
    return np.repeat(np.array(errors)[None, :, :, None], 4, axis=3)


def test_figures_of_a_matrix_are_what_they_are_called() -> None:
    of = told([[0.0, 0.2, 0.3], [0.1, 0.05, 0.3], [0.2, 0.15, 0.1]])
    assert matrix.backward_transfer(of).value == pytest.approx(-0.15)
    assert matrix.learned(of).value == pytest.approx((0.15 + 0.2) / 2)
    assert matrix.at_the_end(of).value == pytest.approx(0.15)
    assert matrix.cells(of)[2][1].value == pytest.approx(0.15)


def test_errors_come_with_those_of_other_draws_of_the_same_people() -> None:
    rng = np.random.default_rng(1)
    owner = np.repeat(np.arange(8), 3)
    scores = rng.normal(0, 1, (24, 8))
    scores[np.arange(24), owner] += 2.0
    drawn = matrix.draws(8, 20, 1)
    found = matrix.errors(Trials(scores, owner), drawn)
    assert found.shape == (21,)
    assert 0 < found[0] < 0.5
    assert found[1:].std() > 0
    assert np.array_equal(found, matrix.errors(Trials(scores, owner), matrix.draws(8, 20, 1)))
    assert matrix.separation(Trials(scores, owner)) == pytest.approx(2.0, abs=0.5)


def test_the_study_is_told_in_a_report_a_table_and_a_picture(
    net: FaceNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras: tuple[Camera, ...] = ("webcam", "night")
    people = tuple(
        Step(c, squares(10 * i), squares(10 * i, captures=4), squares(10 * i + 1, captures=4))
        for i, c in enumerate(cameras)
    )
    made_of: Callable[..., Any] = lambda *_: people  # noqa: E731
    monkeypatch.setattr(study, "steps", made_of)
    monkeypatch.setattr(study, "face_net", lambda *_: net)
    (tmp_path / "study").mkdir()
    readme = tmp_path / "study" / "README.md"
    readme.write_text(f"# Study\n\n{study.BEGIN}\nold\n{study.END}\n\nEnd.\n", "utf-8")
    settings = ContinualSettings(
        seeds=(1, 2),
        net=SHAPE,
        steps=StepsSettings(cameras=cameras),
        learning=HOW,
        replicates=10,
        reports=str(tmp_path),
        study=str(tmp_path / "study"),
    )
    result = study.continual(settings, tracking.untracked())
    assert set(result["methods"]) == {"naive", "rehearsal", "lwf", "ewc"}
    firsts = [of["eer"]["old"][0] for of in result["methods"].values()]
    assert all(first == firsts[0] for first in firsts)  # before any step all ways are one
    for of in result["methods"].values():
        assert len(of["backward_transfer"]["seeds"]) == 2
        assert len(of["eer"]["old"]) == 2
        assert of["backward_transfer"]["low"] <= of["backward_transfer"]["value"]
    text = readme.read_text("utf-8")
    assert "old\n" not in text
    assert "| after | webcam | night |" in text
    assert text.endswith("End.\n")
    assert (tmp_path / "study" / "forgetting.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "continual.json").is_file()
