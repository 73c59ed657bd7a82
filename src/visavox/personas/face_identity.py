"""What makes one synthetic face differ from another, as genes that relatives can share.

Every trait is a standard normal gene with a mean and a spread, shifted by two genes that
act on the whole face, masculinity and age. Because all genes are normal, a blend of two
faces is as ordinary a face as either of them.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

_REACH = 2.2  # genes are cut here, so that no trait leaves the range of people


def _gene(mean: float, spread: float, *, male: float = 0.0, age: float = 0.0) -> Any:
    """A trait around `mean`; `male` and `age` shift it at the ends of those scales."""
    return field(metadata={"mean": mean, "spread": spread, "male": male, "age": age})


def _share() -> Any:
    """A trait spread evenly over 0..1."""
    return field(metadata={})


@dataclass(frozen=True, slots=True)
class Traits:
    """A face in numbers. Lengths are in half heads: the crown is at y = -1, the chin near +1."""

    masculinity: float = _share()
    age: float = _share()
    # Skull
    width: float = _gene(0.705, 0.028, male=0.012)
    crown: float = _gene(0.97, 0.022)
    chin: float = _gene(0.945, 0.032, male=0.015)
    jaw: float = _gene(0.30, 0.060, male=-0.06)
    jaw_power: float = _gene(2.3, 0.30, male=0.2)
    cheekbone: float = _gene(0.030, 0.020)
    fullness: float = _gene(0.0, 0.030, age=0.01)
    relief: float = _gene(0.84, 0.040)
    forehead: float = _gene(0.05, 0.020, male=-0.01)
    chin_point: float = _gene(0.085, 0.025, male=0.01)
    chin_width: float = _gene(0.17, 0.030, male=0.02)
    ear_size: float = _gene(0.17, 0.020, age=0.015)
    ear_stick_out: float = _gene(0.055, 0.025)
    # Eyes
    eye_apart: float = _gene(0.300, 0.015)
    eye_level: float = _gene(-0.085, 0.022)
    eye_width: float = _gene(0.120, 0.0095)
    eye_height: float = _gene(0.052, 0.0080, male=-0.003, age=-0.004)
    eye_tilt: float = _gene(0.06, 0.075)
    eye_depth: float = _gene(0.09, 0.022, male=0.01)
    lid_fold: float = _gene(0.022, 0.010)
    lash: float = _gene(0.60, 0.14, male=-0.12)
    iris_size: float = _gene(0.052, 0.0035)
    iris_tone: float = _share()
    iris_hue: float = _share()
    bags: float = _gene(0.10, 0.08, age=0.12)
    # Brows
    brow_height: float = _gene(0.145, 0.018, male=-0.012)
    brow_thick: float = _gene(0.024, 0.0060, male=0.005)
    brow_width: float = _gene(0.155, 0.015)
    brow_arch: float = _gene(0.030, 0.016, male=-0.010)
    brow_tilt: float = _gene(0.02, 0.10)
    brow_dense: float = _gene(0.70, 0.14, male=0.08)
    # Nose
    nose_length: float = _gene(0.300, 0.027, age=0.010)
    nose_width: float = _gene(0.112, 0.015, male=0.006)
    nose_bridge: float = _gene(0.060, 0.011)
    nose_height: float = _gene(0.17, 0.030, male=0.010)
    nose_hump: float = _gene(0.02, 0.022)
    nose_tip: float = _gene(0.080, 0.012)
    nostril: float = _gene(0.50, 0.16)
    # Mouth
    mouth_level: float = _gene(0.470, 0.022)
    mouth_width: float = _gene(0.215, 0.020, male=0.006)
    lip_upper: float = _gene(0.033, 0.0085, male=-0.004, age=-0.004)
    lip_lower: float = _gene(0.047, 0.0095, male=-0.004, age=-0.004)
    cupid: float = _gene(0.30, 0.16)
    mouth_bend: float = _gene(0.010, 0.018, age=-0.006)
    lip_red: float = _gene(0.50, 0.18, male=-0.10)
    # Colour and surface
    tone: float = _share()
    skin_red: float = _gene(0.0, 0.030)
    skin_yellow: float = _gene(0.0, 0.030)
    blush: float = _gene(0.12, 0.06, male=-0.01)
    freckles: float = _share()
    moles: float = _share()
    folds: float = _gene(0.06, 0.05, age=0.25)
    # Hair
    hair_style: float = _share()
    hair_dark: float = _share()
    hair_warm: float = _share()
    hair_grey: float = _share()
    hairline: float = _gene(-0.60, 0.045, male=-0.015)
    hairline_bend: float = _gene(0.30, 0.12)
    temples: float = _gene(0.02, 0.05, male=0.04, age=0.03)
    widow_peak: float = _gene(0.0, 0.03)
    hair_top: float = _gene(0.13, 0.035)
    hair_side: float = _gene(0.10, 0.030)
    hair_part: float = _gene(0.0, 0.24)
    hair_curl: float = _share()
    beard_style: float = _share()
    # What is worn
    glasses: float = _share()
    glasses_size: float = _gene(0.165, 0.014)
    glasses_round: float = _share()
    glasses_dark: float = _share()
    # Nobody is symmetric
    skew_eye: float = _gene(0.0, 0.009)
    skew_brow: float = _gene(0.0, 0.010)
    skew_nose: float = _gene(0.0, 0.012)
    skew_mouth: float = _gene(0.0, 0.012)

    @property
    def bearded(self) -> bool:
        return self.masculinity > 0.5 and self.beard_style > 0.5

    @property
    def bespectacled(self) -> bool:
        return self.glasses > 0.72


_NAMES = tuple(f.name for f in fields(Traits))
_EXTREMES = ("masculinity",)  # two humps: most faces are clearly one or the other


@dataclass(frozen=True, slots=True)
class FaceIdentity:
    """One person's face: genes, and the seed of the marks that no relative shares."""

    genes: tuple[float, ...]
    marks: int
    traits: Traits

    @classmethod
    def of(cls, genes: tuple[float, ...], marks: int) -> Self:
        return cls(genes, marks, _traits(genes))

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A stranger."""
        return cls.of(tuple(map(float, rng.standard_normal(len(_NAMES)))), _marks(rng))

    @classmethod
    def blend(cls, of: Self, own: Self, share: float) -> Self:
        """`own`, had they `share` of their genes' variance in common with `of`.

        0 leaves a stranger, 1 makes a twin (who still has moles of their own).
        """
        theirs, mine = math.sqrt(share), math.sqrt(1.0 - share)
        mixed = zip(of.genes, own.genes, strict=True)
        return cls.of(tuple(theirs * a + mine * b for a, b in mixed), own.marks)

    @property
    def slices(self) -> dict[str, str]:
        """The groups that rates are reported for."""
        tone = self.traits.tone
        return {
            "tone": "light" if tone < 0.4 else "medium" if tone < 0.72 else "dark",
            "age": "old" if self.traits.age > 0.6 else "young",
            "glasses": "yes" if self.traits.bespectacled else "no",
            "beard": "yes" if self.traits.bearded else "no",
        }


def _marks(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _traits(genes: tuple[float, ...]) -> Traits:
    by_name = dict(zip(_NAMES, genes, strict=True))
    male = math.tanh(2.5 * by_name["masculinity"])
    age = 2.0 * _evenly(by_name["age"]) - 1.0
    values = {}
    for f in fields(Traits):
        gene, m = by_name[f.name], f.metadata
        if not m:
            values[f.name] = (1 + male) / 2 if f.name in _EXTREMES else _evenly(gene)
        else:
            cut = min(max(gene, -_REACH), _REACH)
            values[f.name] = m["mean"] + m["spread"] * cut + m["male"] * male + m["age"] * age
    return Traits(**values)


def _evenly(gene: float) -> float:
    return 0.5 * (1.0 + math.erf(gene / math.sqrt(2.0)))
