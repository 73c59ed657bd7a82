"""What each family learns from the cohort, before any member is known."""

from collections.abc import Mapping

from visavox.training.fit_cohort import People
from visavox.training.fit_logistic import LogisticModel
from visavox.training.fit_logit import Floats
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_prototype import PrototypeModel
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.training.fit_simulation import Model
from visavox.types import Modality

Models = Mapping[Modality, Model]


def train_models(
    people: People,
    settings: DiscriminatorSettings,
    shrinkage: Mapping[Modality, float],
    *,
    seed: int,
) -> Models:
    """One model per modality, from `people` alone."""
    models: dict[Modality, Model] = {}
    for m in Modality:
        vectors, owner = people.of(m)
        if settings.family == "prototype":
            models[m] = PrototypeModel.train(vectors, owner, settings.prototype)
            continue
        space = PldaModel.train(
            vectors, owner, settings.plda, shrinkage=shrinkage[m], most=people.most
        )
        models[m] = _in_space(space, vectors, settings, seed)
    return models


def _in_space(
    space: PldaModel, vectors: Floats, settings: DiscriminatorSettings, seed: int
) -> Model:
    if settings.family == "plda":
        return space
    if settings.family == "logistic":
        return LogisticModel.train(space, vectors, settings.logistic, seed=seed)
    # Torch takes seconds to import; only this family has a use for it.
    from visavox.training.mlp_fit import MlpModel

    return MlpModel.train(space, vectors, settings.mlp)
