"""The recipe: read without Hydra, and the same as with it."""

from dataclasses import asdict
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from visavox.config import validated
from visavox.errors import ConfigError
from visavox.training.production import settings
from visavox.training.production.settings import Groups, Recipe, families, grouped
from visavox.training.stage import configs


def test_hydra_composes_the_same_recipe() -> None:
    with initialize_config_dir(str(configs("retrain")), version_base="1.3"):
        plain = OmegaConf.to_container(compose("retrain"), resolve=True)
    assert isinstance(plain, dict)
    composed = validated(Recipe, {str(k): v for k, v in plain.items()})
    assert asdict(composed) == asdict(settings.read())


def test_values_are_changed_in_depth() -> None:
    changed = settings.read(changed={"families": ["prototype"], "discriminator": {"folds": 3}})
    assert changed.families == ("prototype",)
    assert changed.discriminator.folds == 3
    assert changed.discriminator.plda == settings.read().discriminator.plda
    assert changed.gate == settings.read().gate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("families: [forest]\n", "families"),
        ("aside: 1.5\n", "aside"),
        ("colour: red\n", "colour"),
        ("gate: {limits: []}\n", "limits"),
        ("defaults: [base]\n", "base"),
        ("defaults: [gate: absent]\n", "absent.yaml"),
        ("[1, 2]\n", "no mapping"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_a_wrong_recipe_is_refused_by_name(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "retrain.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        settings.read(path)


def test_each_family_has_a_digest_of_all_that_decides_its_fit() -> None:
    recipe = settings.read()
    assert recipe.digest("plda") == settings.read(changed={"data": "/elsewhere"}).digest("plda")
    others = [
        recipe.digest("prototype"),
        settings.read(changed={"seed": 2}).digest("plda"),
        settings.read(changed={"discriminator": {"plda": {"dimensions": 8}}}).digest("plda"),
        settings.read(changed={"aside": 0.2}).digest("plda"),
    ]
    assert len({recipe.digest("plda"), *others}) == 5


@pytest.mark.parametrize("count", [0, 1, 4, 5, 100])
def test_every_fridge_is_in_one_group(count: int) -> None:
    names = [f"f{i:03}" for i in range(count)]
    groups = grouped([*names, *names[:1]], Groups(alone=4, tasks=3))
    assert sorted(name for group in groups for name in group) == names
    assert len(groups) == (count if count <= 4 else 3)
    sizes = [len(group) for group in groups]
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_the_champions_family_is_fitted_once_and_last() -> None:
    recipe = settings.read()
    assert families(recipe, ["plda", "mlp"]) == ("plda", "prototype", "mlp")
