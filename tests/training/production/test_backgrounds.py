"""What the cohort teaches: who is set aside stays so, and what is kept on disk is the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.production import ground
from visavox.characterizer import Characterizer
from visavox.errors import DataError, NotEnoughData
from visavox.training.production import background_file, backgrounds, settings
from visavox.training.production.backgrounds import Cohort, parted

PEOPLE = [f"p{i}" for i in range(200)]


@pytest.fixture(scope="module")
def rest(embedded: Characterizer) -> Cohort:
    return ground.parted(embedded)[1]


def test_everybody_either_teaches_or_proves() -> None:
    teaching, proving = parted([p for p in PEOPLE for _ in range(3)], aside=0.125, seed=1)
    assert len(proving) == 25
    assert sorted(teaching + proving) == sorted(PEOPLE)
    assert (teaching, proving) == parted(PEOPLE, aside=0.125, seed=1)
    assert proving != parted(PEOPLE, aside=0.125, seed=2)[1]


def test_who_proves_seldom_changes_when_the_cohort_grows() -> None:
    before = set(parted(PEOPLE, aside=0.2, seed=1)[1])
    after = set(parted([*PEOPLE, *(f"q{i}" for i in range(10))], aside=0.2, seed=1)[1])
    assert len(before - after) <= 10


def test_a_cohort_without_strangers_to_spare_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="leaves 1 strangers"):
        parted(PEOPLE[:10], aside=0.1, seed=1)


@pytest.mark.parametrize("family", ["plda", "prototype"])
def test_no_stranger_of_the_proof_has_taught(rest: Cohort, family: str) -> None:
    made = backgrounds.ground(rest, ground.recipe(), family)
    taught = {*made.background.roles.model.names, *made.background.roles.strangers.names}
    proving = {p.removeprefix("cohort:") for p in made.strangers.people}
    assert len(proving) == 36
    assert taught | proving == set(rest.people)
    assert not taught & proving


@pytest.mark.parametrize("family", ["plda", "prototype"])
def test_kept_is_the_same_as_fresh_to_the_last_bit(
    rest: Cohort, family: str, tmp_path: Path
) -> None:
    how = ground.recipe()
    fresh = backgrounds.ground(rest, how, family)
    first = backgrounds.ground(rest, how, family, cache=tmp_path)
    kept = backgrounds.ground(rest, how, family, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    packed = [background_file.packed(g.background) for g in (fresh, first, kept)]
    assert packed[0] == packed[1] == packed[2]


def test_what_is_kept_is_read_instead_of_made(
    rest: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = ground.recipe()
    backgrounds.ground(rest, how, "plda", cache=tmp_path)
    monkeypatch.setattr(backgrounds, "prepare", None)
    backgrounds.ground(rest, how, "plda", cache=tmp_path)


def test_what_is_damaged_is_made_anew(rest: Cohort, tmp_path: Path) -> None:
    how = ground.recipe()
    backgrounds.ground(rest, how, "plda", cache=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + b"\0" * 9)
    backgrounds.ground(rest, how, "plda", cache=tmp_path)
    assert path.read_bytes() == whole


OTHERWISE: dict[str, Callable[[Cohort], tuple[Cohort, settings.Recipe]]] = {
    "people": lambda c: (
        Cohort.of(
            c.name, c.table, [f"x{p}" for p in c.people], c.sessions,
            characterizer=c.characterizer, population=c.population,
        ),
        ground.recipe(),
    ),
    "seed": lambda c: (c, ground.recipe(seed=2)),
    "aside": lambda c: (c, ground.recipe(aside=0.4)),
    "settings": lambda c: (c, ground.recipe(discriminator={"folds": 3})),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERWISE)
def test_another_cohort_or_recipe_is_kept_apart(rest: Cohort, what: str) -> None:
    how = ground.recipe()
    other, otherwise = OTHERWISE[what](rest)
    mine = backgrounds.key(rest, how, how.of_family("plda"))
    assert mine != backgrounds.key(other, otherwise, otherwise.of_family("plda"))


def test_a_cohort_is_read_from_the_recipes_dataset(
    rest: Cohort, embedded: Characterizer, tmp_path: Path
) -> None:
    ground.on_disk(tmp_path, embedded, rest)
    read = Cohort.read(ground.recipe(data=tmp_path))
    assert read.sha256 == rest.sha256
    assert read.population == "personas"


def test_features_of_another_state_of_the_cohort_are_refused(
    rest: Cohort, embedded: Characterizer, tmp_path: Path
) -> None:
    ground.on_disk(tmp_path, embedded, rest)
    path = tmp_path / "cohort" / "manifest.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="not of the captures"):
        Cohort.read(ground.recipe(data=tmp_path))
