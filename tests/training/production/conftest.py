"""A kitchen's members and the cohort that they are trained against, prepared once."""

from dataclasses import dataclass

import pytest

from tests.training.production import ground
from visavox.characterizer import Characterizer
from visavox.training.production.backgrounds import Cohort, Ground
from visavox.training.production.fridge_proof import Enrolled
from visavox.training.production.settings import Recipe


@dataclass(frozen=True)
class Bench:
    """All that a fridge is retrained with."""

    enrolled: Enrolled
    rest: Cohort
    recipe: Recipe
    grounds: dict[str, Ground]


@pytest.fixture(scope="session")
def bench(embedded: Characterizer) -> Bench:
    enrolled, rest = ground.parted(embedded)
    recipe = ground.recipe()
    return Bench(enrolled, rest, recipe, ground.grounds(rest, recipe, recipe.families))
