"""Who plays what in a dataset of personas."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox.config import validated
from visavox.errors import ConfigError
from visavox.personas.dataset import PersonasSettings
from visavox.personas.dataset_cast import Part, cast


def _captures(parts: list[Part]) -> list[str]:
    return [shot.capture for part in parts for shot in part.shots]


@given(
    st.builds(
        PersonasSettings,
        fridges=st.integers(0, 3),
        members=st.integers(1, 6),
        enrol=st.integers(0, 4),
        enrol_sessions=st.integers(1, 5),
        probe=st.integers(0, 4),
        probe_sessions=st.integers(1, 5),
        strangers=st.integers(0, 5),
        cohort=st.integers(0, 3),
        train=st.integers(0, 3),
        validation=st.integers(0, 3),
        relatives=st.floats(0, 1),
        look_alikes=st.floats(0, 1),
    )
)
def test_all_roles_are_filled_by_different_people(s: PersonasSettings) -> None:
    parts = list(cast(s))
    assert len(parts) == s.fridges * s.members + s.strangers + s.cohort + s.train + s.validation
    assert len({p.role.index for p in parts}) == len({p.person for p in parts}) == len(parts)
    captures = _captures(parts)
    assert len(set(captures)) == len(captures)
    counts = Counter(shot.split for part in parts for shot in part.shots)
    assert counts["enrol"] == s.fridges * s.members * s.enrol
    assert counts["probe"] == s.fridges * s.members * s.probe
    assert counts["stranger"] == s.strangers * s.stranger_captures


def test_probes_are_from_sessions_that_were_never_enrolled() -> None:
    for part in cast(PersonasSettings(members=4, enrol_sessions=3, probe_sessions=2)):
        sessions = {
            split: {s.session for s in part.shots if s.split == split}
            for split in ("enrol", "probe")
        }
        assert len(sessions["enrol"]) == 3
        assert len(sessions["probe"]) == 2
        assert not sessions["enrol"] & sessions["probe"]


def test_siblings_share_a_fridge_and_as_many_as_asked_have_one() -> None:
    parts = list(cast(PersonasSettings(fridges=3, members=10, relatives=0.4)))
    kin = [p for p in parts if p.kin == "sibling"]
    assert len(kin) == 12
    places = {p.role.index: p for p in parts}
    for part in kin:
        if part.role.relative_of is not None:
            other = places[part.role.relative_of]
            assert other.fridge == part.fridge
            assert other.role.relative_of is None


def test_strangers_who_resemble_members_are_spread_over_the_fridges() -> None:
    parts = list(cast(PersonasSettings(fridges=4, members=5, strangers=40, look_alikes=0.5)))
    places = {p.role.index: p for p in parts}
    alike = [p for p in parts if p.kin in {"look-alike", "sound-alike"}]
    assert Counter(p.kin for p in alike) == {"look-alike": 10, "sound-alike": 10}
    for part in alike:
        seen, heard = part.role.share, part.role.voice_share
        assert (seen > heard) == (part.kin == "look-alike")
        assert min(seen, heard) == 0.0
    originals = [places[p.role.relative_of] for p in alike if p.role.relative_of is not None]
    assert all(o.fridge and o.role.relative_of is None for o in originals)
    assert {o.fridge for o in originals} == {p.fridge for p in parts if p.fridge}


@given(st.integers(1, 4), st.integers(2, 8), st.integers(0, 6))
def test_growing_a_dataset_changes_nobody(fridges: int, members: int, strangers: int) -> None:
    def everybody(**changed: int) -> set[Part]:
        numbers = {"fridges": fridges, "members": members, "strangers": strangers, **changed}
        return set(cast(PersonasSettings(**numbers, relatives=0.0, look_alikes=0.0, cohort=2)))

    before = everybody()
    assert before < everybody(fridges=fridges + 1)
    assert before < everybody(members=members + 1)
    assert before < everybody(strangers=strangers + 1)


def test_attacks_aim_at_members_by_people_who_play_no_other_role() -> None:
    parts = list(cast(PersonasSettings(fridges=2, members=3, strangers=3, attacks=4)))
    attacks = [p for p in parts if p.attackers]
    others = {p.role.index for p in parts if not p.attackers}
    species = Counter(shot.species for part in attacks for shot in part.shots)
    assert len(species) == 6
    assert set(species.values()) == {4}
    attackers = [a.index for p in attacks for a in p.attackers]
    assert len(set(attackers)) == 24
    assert not others & set(attackers)
    assert {p.role.index for p in attacks} <= others


@pytest.mark.parametrize(
    "wrong",
    [
        {"members": -1},
        {"members": 10_001},
        {"enrol_sessions": 0},
        {"relatives": 1.1},
        {"hardness": -0.1},
        {"hardness": 9.0},
        {"seconds": 0.1},
        {"jpeg_quality": 0},
        {"width": 8},
        {"attacks": 1, "fridges": 0},
    ],
)
def test_settings_that_cannot_be_name_the_key(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        validated(PersonasSettings, wrong)
