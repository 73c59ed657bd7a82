"""What the digits are made of: phones, their targets and their usual length.

Formants are those of a 17.5 cm vocal tract; a speaker's own length and habits are applied
on top of them. A diphthong is two phones; a plosive is a closure, a burst and its breath.
"""

from dataclasses import dataclass

VOWELS = ("ih", "r", "ow", "ah", "uw", "iy", "ao", "ay", "eh", "ey")
"""The vowels (and the r) in which speakers have habits of their own."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One sound: where the tract wants to be, and what excites it."""

    formants: tuple[float, float, float]  # Hz
    milliseconds: float
    voicing: float = 0.0  # strength of the glottal pulses
    breath: float = 0.0  # noise at the glottis
    friction: float = 0.0  # noise at a constriction
    friction_at: float = 4000.0  # Hz, where that noise is strongest
    friction_width: float = 1500.0  # Hz
    friction_floor: float = 0.1  # of the strongest, at all other frequencies
    nasality: float = 0.0
    opening: float = 0.0  # of the mouth, 0 closed to 1 wide
    vowel: str = ""  # one of VOWELS, or none
    holds: bool = False  # keeps its length when the speaker stretches or hurries

    @property
    def carries_tone(self) -> bool:
        return self.voicing >= 0.6


PHONES: dict[str, Phone] = {
    "ih": Phone((400, 1900, 2550), 70, voicing=0.9, opening=0.42, vowel="ih"),
    "r": Phone((330, 1120, 1620), 70, voicing=0.7, opening=0.3, vowel="r"),
    "ow1": Phone((500, 1000, 2380), 110, voicing=1.0, opening=0.62, vowel="ow"),
    "ow2": Phone((380, 830, 2300), 90, voicing=0.75, opening=0.22, vowel="ow"),
    "w": Phone((300, 650, 2200), 65, voicing=0.6, opening=0.1),
    "ah": Phone((650, 1200, 2400), 120, voicing=1.0, opening=0.75, vowel="ah"),
    "ax": Phone((500, 1400, 2450), 60, voicing=0.7, opening=0.4),
    "n": Phone((260, 1450, 2550), 80, voicing=0.5, nasality=1.0, opening=0.16),
    "uw1": Phone((340, 1250, 2250), 90, voicing=0.85, opening=0.26, vowel="uw"),
    "uw2": Phone((310, 930, 2250), 90, voicing=0.7, opening=0.15, vowel="uw"),
    "iy": Phone((280, 2250, 2980), 180, voicing=0.85, opening=0.35, vowel="iy"),
    "ao": Phone((570, 850, 2420), 140, voicing=1.0, opening=0.72, vowel="ao"),
    "ay1": Phone((730, 1220, 2500), 120, voicing=1.0, opening=0.95, vowel="ay"),
    "ay2": Phone((410, 1950, 2600), 85, voicing=0.8, opening=0.45, vowel="ay"),
    "eh": Phone((560, 1780, 2500), 95, voicing=1.0, opening=0.68, vowel="eh"),
    "ey1": Phone((490, 1950, 2560), 105, voicing=0.95, opening=0.58, vowel="ey"),
    "ey2": Phone((330, 2200, 2720), 80, voicing=0.75, opening=0.35, vowel="ey"),
    "v": Phone(
        (260, 1120, 2250), 60, voicing=0.35, friction=0.05,
        friction_at=4500, friction_width=3500, friction_floor=0.4, opening=0.08,
    ),
    "z": Phone(
        (260, 1650, 2580), 85, voicing=0.3, friction=0.16,
        friction_at=6000, friction_width=1300, friction_floor=0.04, opening=0.14,
    ),
    "s": Phone(
        (320, 1650, 2600), 110, friction=0.3,
        friction_at=5900, friction_width=1250, friction_floor=0.04, opening=0.14,
    ),
    "f": Phone(
        (300, 1100, 2250), 95, friction=0.07,
        friction_at=5200, friction_width=4000, friction_floor=0.4, opening=0.06,
    ),
    "th": Phone(
        (310, 1400, 2650), 90, friction=0.08,
        friction_at=6200, friction_width=2800, friction_floor=0.3, opening=0.14,
    ),
    "t_closed": Phone((300, 1700, 2650), 55, opening=0.1, holds=True),
    "t_burst": Phone(
        (320, 1700, 2650), 15, breath=0.08, friction=0.4,
        friction_at=4400, friction_width=1500, friction_floor=0.15, opening=0.16, holds=True,
    ),
    "t_breath": Phone((340, 1600, 2550), 45, breath=0.16, opening=0.2, holds=True),
    "t_final": Phone(
        (320, 1700, 2650), 22, breath=0.08, friction=0.16,
        friction_at=4300, friction_width=1600, friction_floor=0.15, opening=0.14, holds=True,
    ),
    "k_closed": Phone((300, 1900, 2450), 55, opening=0.2, holds=True),
    "k_burst": Phone(
        (320, 1900, 2450), 24, breath=0.08, friction=0.3,
        friction_at=2300, friction_width=600, friction_floor=0.12, opening=0.2, holds=True,
    ),
}  # fmt: skip

DIGITS: dict[str, tuple[str, ...]] = {
    "0": ("z", "ih", "r", "ow1", "ow2"),
    "1": ("w", "ah", "n"),
    "2": ("t_closed", "t_burst", "t_breath", "uw1", "uw2"),
    "3": ("th", "r", "iy"),
    "4": ("f", "ao", "r"),
    "5": ("f", "ay1", "ay2", "v"),
    "6": ("s", "ih", "k_closed", "k_burst", "s"),
    "7": ("s", "eh", "v", "ax", "n"),
    "8": ("ey1", "ey2", "t_closed", "t_final"),
    "9": ("n", "ay1", "ay2", "n"),
}

SILENCE = Phone((500, 1500, 2500), 0.0, opening=0.02)
