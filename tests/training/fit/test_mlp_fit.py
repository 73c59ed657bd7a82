"""The net in torch and the net in the bundle are one."""

import numpy as np
import torch

from visavox.training.fit_plda import PldaModel
from visavox.training.fit_settings import MlpSettings, PldaSettings
from visavox.training.mlp_fit import MemberNet, MlpModel, _trained

SETTINGS = MlpSettings(steps=30, hidden=16)


def model() -> MlpModel:
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(20), 4)
    vectors = rng.normal(size=(20, 8))[owner] * 2 + rng.normal(size=(80, 8))
    return MlpModel.train(
        PldaModel.train(vectors, owner, PldaSettings(), shrinkage=0.3, most=5), vectors, SETTINGS
    )


def test_raw_scores_are_posterior_odds_without_the_prior() -> None:
    trained = model()
    rng = np.random.default_rng(1)
    x, owner = rng.normal(size=(6, 8)), np.array([0, 0, 1, 1, 2, 2])
    scorer = trained.enrol(x, owner, 3, seed=5)
    space = trained.space.projection
    net = _trained(space(x), owner, 3, trained.nobody, SETTINGS, seed=5)
    probes = rng.normal(size=(10, 8))
    with torch.no_grad():
        posterior = torch.softmax(net(torch.from_numpy(space(probes).astype(np.float32))), dim=1)
    odds = (posterior[:, :3] / posterior[:, 3:]).numpy()
    prior_odds = (1 / 6) / (1 / 2)
    np.testing.assert_allclose(
        scorer.raw(probes.astype(np.float32)), np.log(odds / prior_odds), atol=1e-3
    )


def test_classes_weigh_the_same_however_many_captures_they_have() -> None:
    net = MemberNet(4, 3, MlpSettings(jitter=0.0, dropout=0.0), seed=0)
    few = torch.randn(4, 4)
    label = torch.tensor([0, 1, 2, 2])
    again = (torch.cat([few, few[2:]]), torch.cat([label, label[2:]]))
    torch.testing.assert_close(net.training_step((few, label), 0), net.training_step(again, 0))


def test_training_leaves_the_random_state_of_others_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    model().enrol(np.zeros((1, 8)), np.array([0]), 1, seed=0)
    assert torch.equal(before, torch.get_rng_state())
