"""Days and moments vary as much as hardness says."""

from dataclasses import replace

import numpy as np
import pytest

from visavox.personas.face_identity import FaceIdentity
from visavox.personas.face_scene import Look, Moment

TRAITS = FaceIdentity.draw(np.random.default_rng(0)).traits


def _moments(hardness: float, count: int = 300) -> list[Moment]:
    rng = np.random.default_rng(1)
    return [Moment.draw(rng, hardness) for _ in range(count)]


def _looks(hardness: float, count: int = 300) -> list[Look]:
    rng = np.random.default_rng(2)
    return [Look.draw(rng, TRAITS, hardness) for _ in range(count)]


def test_without_hardness_every_shot_is_a_passport_picture() -> None:
    for moment in _moments(0.0, 20):
        assert replace(moment, seed=0) == Moment()


def test_without_hardness_only_clothes_and_room_change() -> None:
    first, *others = [
        replace(look, backdrop=0, shirt=(0.0, 0.0, 0.0), collar=0.0) for look in _looks(0.0, 20)
    ]
    assert all(look == first for look in others)


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll", "smile", "brows_up", "blur"])
def test_moments_spread_with_hardness(name: str) -> None:
    spreads = [np.std([getattr(m, name) for m in _moments(h)]) for h in (0.3, 0.7, 1.2)]
    assert spreads == sorted(spreads)
    assert spreads[0] < 0.7 * spreads[2]


@pytest.mark.parametrize("name", ["exposure", "contrast", "noise", "tan", "hair_volume", "weight"])
def test_days_spread_with_hardness(name: str) -> None:
    spreads = [np.std([getattr(look, name) for look in _looks(h)]) for h in (0.3, 0.7, 1.2)]
    assert spreads == sorted(spreads)
    assert spreads[0] < 0.7 * spreads[2]


def test_no_pose_exceeds_what_a_kiosk_sees() -> None:
    for moment in _moments(4.0):
        assert abs(moment.yaw) <= 0.42
        assert abs(moment.pitch) <= 0.28
        assert 0.0 <= moment.mouth_open <= 1.0


def test_glasses_are_worn_by_those_who_have_them() -> None:
    def worn(glasses: float) -> float:
        rng = np.random.default_rng(3)
        traits = replace(TRAITS, glasses=glasses)
        return float(np.mean([Look.draw(rng, traits).glasses for _ in range(300)]))

    assert worn(0.95) > 0.75
    assert worn(0.10) < 0.08


def test_a_mouth_opens_as_far_as_mouths_do() -> None:
    assert Moment().with_mouth(0.4) == Moment(mouth_open=0.4)
    assert Moment().with_mouth(7.0) == Moment(mouth_open=1.0)
