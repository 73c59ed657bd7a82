"""Who is in a dataset of personas, and what is shot of whom: settings in, parts out.

Each role has a block of a population's places to itself, and each fridge a block of its
role's. Adding members, fridges or strangers therefore changes nobody who was there before.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from visavox.config import settings
from visavox.errors import ConfigError
from visavox.personas.attacks import Species
from visavox.personas.person import LOOK_ALIKE, SIBLING

_BLOCK = 10_000_000  # places per role
_PER_FRIDGE = 10_000  # places per fridge
_MEMBER, _STRANGER, _COHORT, _TRAIN, _VALIDATION, _ATTACKER = (_BLOCK * k for k in range(6))
_ATTACK_SESSION = 1_000  # far from any session that is enrolled or probed


@settings
class PersonasSettings:
    """What a dataset of people who do not exist is made of."""

    population: int = 5
    """Seed of everybody in it; two populations share no one (`person.POPULATIONS` names some)."""
    fridges: int = 1
    members: int = 8
    """Members of each fridge, at most 10,000."""
    enrol: int = 5
    enrol_sessions: int = 2
    """Enrolment captures per member, and over how many sessions they are spread."""
    probe: int = 5
    probe_sessions: int = 3
    """Probe captures per member, in sessions of their own."""
    strangers: int = 0
    stranger_captures: int = 2
    """People whom no fridge knows; each capture is a session of its own."""
    cohort: int = 0
    cohort_captures: int = 4
    cohort_sessions: int = 2
    """Background people that fridges are trained against."""
    train: int = 0
    validation: int = 0
    train_captures: int = 10
    train_sessions: int = 5
    """People that a Characterizer learns from, with 0 ≤ train, validation."""
    attacks: int = 0
    """Attacks of each species, spread over the members."""
    clips: int = 0
    """Members, from the first on, who give one more probe as a clip, sound and picture in one."""
    relatives: float = 0.2
    """Share of each fridge's members who have a sibling in the same fridge."""
    look_alikes: float = 0.2
    """Share of the strangers who resemble a member more than a sibling would: every other one
    looks alike, the others sound alike. Who does both is a twin, whom only a PIN tells apart."""
    hardness: float = 1.0
    """How much one person varies: 0 not at all, 1 as at a kiosk, 2 badly."""
    face_hardness: float | None = None
    """The same for the face alone, where pictures are to be harder or easier than sound."""
    width: int = 640
    height: int = 480
    jpeg_quality: int = 90
    seconds: float = 3.0
    """Length of each recording."""

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 0:
                raise _cannot(name, "0 or more", getattr(self, name))
        for name in ("enrol_sessions", "probe_sessions", "cohort_sessions", "train_sessions"):
            if getattr(self, name) < 1:
                raise _cannot(name, "1 or more", getattr(self, name))
        for name in ("relatives", "look_alikes"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise _cannot(name, "between 0 and 1", getattr(self, name))
        if self.members > _PER_FRIDGE or self.fridges > _BLOCK // _PER_FRIDGE:
            raise _cannot("members, fridges", "at most 10,000 and 1,000", self.members)
        for name, value in (("hardness", self.hardness), ("face_hardness", self.of_faces)):
            if not 0.0 <= value <= 4.0:
                raise _cannot(name, "between 0 and 4", value)
        if not 0.5 <= self.seconds <= 30.0:
            raise _cannot("seconds", "between 0.5 and 30", self.seconds)
        if not 1 <= self.jpeg_quality <= 100:
            raise _cannot("jpeg_quality", "between 1 and 100", self.jpeg_quality)
        if min(self.width, self.height) < 160 or max(self.width, self.height) > 1024:
            raise _cannot("width, height", "between 160 and 1024", (self.width, self.height))
        if (self.attacks or self.clips) and not self.fridges * self.members:
            raise _cannot("attacks, clips", "0 where there are no members", self.attacks)

    @property
    def of_faces(self) -> float:
        """How much one face varies."""
        return self.hardness if self.face_hardness is None else self.face_hardness


_COUNTS = (
    *("population", "fridges", "members", "enrol", "probe", "strangers", "stranger_captures"),
    *("cohort", "cohort_captures", "train", "validation", "train_captures", "attacks", "clips"),
)


@dataclass(frozen=True, slots=True)
class Role:
    """One place of a population, as someone's relative or nobody's."""

    index: int
    relative_of: int | None = None
    share: float = 0.0
    voice_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Shot:
    """One capture to be made."""

    capture: str
    session: int
    index: int
    split: str
    clip: bool = False
    species: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One person's captures, or the attacks on one member."""

    person: str
    fridge: str
    role: Role
    shots: tuple[Shot, ...]
    attackers: tuple[Role, ...] = ()  # one per shot, where these are attacks
    kin: str = "none"  # the slice: sibling, look-alike, sound-alike or none


def cast(s: PersonasSettings) -> Iterator[Part]:
    """All parts of the dataset, in the order of its manifest."""
    members = [_member(s, f, m) for f in range(s.fridges) for m in range(s.members)]
    yield from members
    originals = [p.role.index for p in members if p.role.relative_of is None]
    resembling = round(s.look_alikes * s.strangers) if originals else 0
    for i in range(s.strangers):
        # Spread over all members, so that no fridge is spared.
        like = originals[(i * 7919) % len(originals)] if i < resembling else None
        shots = _shots(f"s{i:04d}", "stranger", s.stranger_captures, s.stranger_captures)
        seen, heard = ((LOOK_ALIKE, 0.0), (0.0, LOOK_ALIKE))[i % 2]
        role = Role(_STRANGER + i) if like is None else Role(_STRANGER + i, like, seen, heard)
        kin = "none" if like is None else ("look-alike", "sound-alike")[i % 2]
        yield Part(f"s{i:04d}", "", role, shots, kin=kin)
    plain = (
        ("c", "cohort", _COHORT, s.cohort, s.cohort_captures, s.cohort_sessions),
        ("t", "train", _TRAIN, s.train, s.train_captures, s.train_sessions),
        ("v", "validation", _VALIDATION, s.validation, s.train_captures, s.train_sessions),
    )
    for letter, split, block, people, captures, sessions in plain:
        for i in range(people):
            shots = _shots(f"{letter}{i:04d}", split, captures, sessions)
            yield Part(f"{letter}{i:04d}", "", Role(block + i), shots)
    yield from _attacks(s, members)


def _member(s: PersonasSettings, fridge: int, member: int) -> Part:
    index = _MEMBER + fridge * _PER_FRIDGE + member
    name = f"f{fridge:02d}m{member:02d}"
    paired = member < 2 * round(s.relatives * s.members / 2)
    role = Role(index, index - 1, SIBLING, SIBLING) if paired and member % 2 else Role(index)
    shots = _shots(name, "enrol", s.enrol, s.enrol_sessions)
    shots += _shots(name, "probe", s.probe, s.probe_sessions, first=s.enrol_sessions)
    if fridge * s.members + member < s.clips:
        session = s.enrol_sessions + s.probe_sessions
        shots += (Shot(f"{name}-{session}-clip", session, 0, "probe", clip=True),)
    return Part(name, f"fridge-{fridge:02d}", role, shots, kin="sibling" if paired else "none")


def _shots(
    name: str, split: str, captures: int, sessions: int, *, first: int = 0
) -> tuple[Shot, ...]:
    """Captures spread evenly over sessions, in turn."""
    made = []
    for k in range(captures):
        session, index = first + k % sessions, k // sessions
        made.append(Shot(f"{name}-{session}-{index}", session, index, split))
    return tuple(made)


def _attacks(s: PersonasSettings, members: list[Part]) -> Iterator[Part]:
    count = 0
    planned: dict[int, list[tuple[Shot, Role]]] = {}
    for species in Species:
        for _ in range(s.attacks):
            target = count % len(members)
            name = f"{members[target].person}-{species.value}-{count:04d}"
            session = _ATTACK_SESSION + count
            shot = Shot(name, session, 0, "attack", species=species.value)
            planned.setdefault(target, []).append((shot, Role(_ATTACKER + count)))
            count += 1
    for target, plans in planned.items():
        of = members[target]
        shots, attackers = zip(*plans, strict=True)
        yield Part(of.person, of.fridge, of.role, shots, attackers, of.kin)


def _cannot(name: str, expected: str, came: object) -> ConfigError:
    return ConfigError(
        f"{name} must be {expected}, not {came}.", next_step="Correct the settings of the personas."
    )
