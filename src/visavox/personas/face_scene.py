"""What changes about one face from day to day (`Look`) and from shot to shot (`Moment`)."""

from dataclasses import dataclass, replace

import numpy as np

from visavox.personas.face_identity import Traits

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """One session: the room, the camera, and how the person came that day."""

    light: Colour = (0.2, -0.5, 1.0)  # towards the lamp: right, down, to the camera
    contrast: float = 0.5  # 0 flat light, 1 a lone lamp
    exposure: float = 1.0
    balance: Colour = (1.0, 1.0, 1.0)
    sharpness: float = 0.4  # camera blur, in pixels of a 640 × 480 picture
    noise: float = 3.0  # of 255
    backdrop: int = 0  # seed of what is seen behind
    shirt: Colour = (0.3, 0.4, 0.5)
    collar: float = 0.4
    hair_length: float = 0.0  # added to the person's own
    hair_volume: float = 1.0
    hair_tied: bool = False
    fringe: float = 0.0
    glasses: bool = False
    beard: float = 1.0  # grown this much
    make_up: float = 0.0
    brow_groomed: float = 0.0
    tan: float = 0.0
    weight: float = 0.0
    tired: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, traits: Traits, hardness: float = 1.0) -> "Look":
        """A day in the life of a face. `hardness` 0 is every day the same."""
        h = hardness
        side = rng.normal(0.0, 0.45 * h)
        feminine = traits.masculinity < 0.5
        habit = 0.85 if traits.bespectacled else 0.03  # odds that glasses are worn
        usual = traits.bespectacled
        warm = rng.normal(0.0, 0.05 * h)
        green = rng.normal(0.0, 0.015 * h)
        worn = bool(rng.random() < habit) if rng.random() < min(h, 1.0) else usual
        shirt = rng.uniform(0.08, 0.9, 3) * rng.uniform(0.5, 1.0)
        return cls(
            light=(float(side), -0.45 + float(rng.normal(0.0, 0.25 * h)), 1.0),
            contrast=_within(0.45 + 0.15 * h * rng.standard_normal(), 0.1, 0.95),
            exposure=_within(float(np.exp(rng.normal(0.0, 0.13 * h))), 0.45, 1.6),
            balance=(float(np.exp(warm)), float(np.exp(green)), float(np.exp(-warm))),
            sharpness=_within(0.5 + 0.4 * h * abs(rng.standard_normal()), 0.3, 3.0),
            noise=_within(2.5 + 2.0 * h * abs(rng.standard_normal()), 1.0, 16.0),
            backdrop=int(rng.integers(2**31)),
            shirt=(float(shirt[0]), float(shirt[1]), float(shirt[2])),
            collar=float(rng.uniform(0.1, 0.8)),
            hair_length=float(rng.normal(0.0, 0.10 * h)),
            hair_volume=_within(float(np.exp(rng.normal(0.0, 0.20 * h))), 0.5, 1.8),
            hair_tied=bool(rng.random() < 0.30 * min(h, 1.5)),
            fringe=_within(0.05 * h * rng.standard_normal(), -0.1, 0.14),
            glasses=worn,
            beard=_within(1.0 + 0.35 * h * rng.standard_normal(), 0.15, 1.6),
            make_up=float(rng.random() * h * 0.7) if feminine and rng.random() < 0.6 else 0.0,
            brow_groomed=float(rng.normal(0.0, 0.10 * h)),
            tan=_within(0.035 * h * rng.standard_normal(), -0.12, 0.12),
            weight=_within(0.012 * h * rng.standard_normal(), -0.04, 0.04),
            tired=_within(0.4 * h * rng.standard_normal(), -0.5, 1.5),
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """One shot of a session. Angles are in radians, offsets in half heads."""

    yaw: float = 0.0  # positive: the face turns to the picture's right
    pitch: float = 0.0  # positive: it looks down
    roll: float = 0.0  # positive: it leans clockwise
    right: float = 0.0
    down: float = 0.0
    nearness: float = 1.0  # scales the head in the picture
    smile: float = 0.0
    mouth_open: float = 0.0
    brows_up: float = 0.0
    eyes_open: float = 1.0
    gaze: tuple[float, float] = (0.0, 0.0)
    blur: float = 0.0  # added to the camera's
    flicker: float = 1.0  # of the exposure
    cover: tuple[float, float, float] | None = None  # something held before the face: x, y, radius
    seed: int = 0  # of the sensor's noise

    @classmethod
    def draw(cls, rng: np.random.Generator, hardness: float = 1.0) -> "Moment":
        """A shot as a kiosk takes it. `hardness` 0 is a passport picture."""
        h = hardness
        n = rng.standard_normal(12)
        covered = rng.random() < 0.04 * h
        x, y, r = rng.uniform(-0.7, 0.7), rng.uniform(0.75, 1.05), rng.uniform(0.18, 0.32)
        shut = rng.random() < 0.05 * min(h, 2.0)
        talk = rng.random() < 0.5 * min(h, 2.0)
        return cls(
            yaw=_within(0.16 * h * n[0], -0.42, 0.42),
            pitch=_within(0.10 * h * n[1], -0.28, 0.28),
            roll=_within(0.07 * h * n[2], -0.25, 0.25),
            right=_within(0.18 * h * n[3], -0.6, 0.6),
            down=_within(0.06 * h * n[4], -0.2, 0.2),
            nearness=_within(1.0 + 0.08 * h * n[5], 0.86, 1.22),
            smile=_within(0.15 * min(h, 1.0) + 0.35 * h * n[6], -0.5, 1.1),
            mouth_open=_within(0.35 * h * abs(n[7]), 0.0, 1.0) if talk else 0.0,
            brows_up=_within(0.4 * h * n[8], -0.8, 1.0),
            eyes_open=0.25 if shut else _within(1.0 + 0.12 * h * n[9], 0.65, 1.25),
            gaze=(_within(0.25 * h * n[10], -0.6, 0.6), _within(0.15 * h * n[11], -0.4, 0.4)),
            blur=float(rng.exponential(0.35 * h)) if h > 0 else 0.0,
            flicker=_within(float(np.exp(rng.normal(0.0, 0.05 * h))), 0.7, 1.3),
            cover=(float(x), float(y), float(r)) if covered else None,
            seed=int(rng.integers(2**31)),
        )

    def with_mouth(self, opening: float) -> "Moment":
        """The same shot with the mouth this far open (0..1)."""
        return replace(self, mouth_open=_within(opening, 0.0, 1.0))


def _within(value: float, low: float, high: float) -> float:
    return float(min(max(value, low), high))
