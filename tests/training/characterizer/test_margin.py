"""Margin softmax against the formula, written out one by one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from visavox.training.characterizer.margin import MarginSoftmax, margin_at, with_margin


@given(
    angle=st.floats(0.01, math.pi - 0.01),
    margin=st.floats(0, 0.8),
    others=st.lists(st.floats(-1, 1), min_size=1, max_size=4),
)
def test_only_the_own_angle_grows_by_the_margin(
    angle: float, margin: float, others: list[float]
) -> None:
    cosines = torch.tensor([[math.cos(angle), *others]], dtype=torch.float64)
    moved = with_margin(cosines, torch.tensor([0]), margin)
    if angle + margin < math.pi - 1e-6:
        assert moved[0, 0].item() == pytest.approx(math.cos(angle + margin), abs=1e-6)
    assert torch.equal(moved[:, 1:], cosines[:, 1:])


@given(margin=st.floats(0.05, 0.8))
def test_being_more_wrong_never_costs_less(margin: float) -> None:
    angles = torch.linspace(0.001, math.pi - 0.001, 400, dtype=torch.float64)
    moved = with_margin(angles.cos()[:, None], torch.zeros(400, dtype=torch.long), margin)
    # The straight line that takes over may start a little higher, but never rises.
    assert (moved[1:] - moved[:-1]).max() < 1e-3 + max(0.0, _step_up(margin))


def _step_up(margin: float) -> float:
    """How much the line starts above where the cosine ended."""
    edge = math.pi - margin
    return (math.cos(edge) - math.sin(margin) * margin) - math.cos(math.pi)


def test_the_loss_is_that_of_the_written_out_formula() -> None:
    torch.manual_seed(3)
    loss_of = MarginSoftmax(8, 5, scale=17.0)
    x, labels, margin = torch.randn(6, 8), torch.tensor([0, 4, 2, 2, 1, 3]), 0.25
    loss, _ = loss_of(x, labels, margin)
    total = 0.0
    for vector, label in zip(x.numpy(), labels.tolist(), strict=True):
        unit = vector / np.linalg.norm(vector)
        logits = []
        for person, centre in enumerate(loss_of.centres.detach().numpy()):
            angle = math.acos(float(unit @ centre / np.linalg.norm(centre)))
            logits.append(17.0 * math.cos(angle + (margin if person == label else 0.0)))
        total += math.log(sum(map(math.exp, logits))) - logits[label]
    assert loss.item() == pytest.approx(total / 6, rel=1e-4)


def test_an_identity_scores_by_the_nearest_of_its_centres() -> None:
    torch.manual_seed(0)
    loss_of = MarginSoftmax(8, 3, sub_centres=4)
    x = torch.randn(5, 8)
    units = functional.normalize(loss_of.centres).view(3, 4, 8)
    every = torch.einsum("nd,ckd->nck", functional.normalize(x), units)
    assert torch.allclose(loss_of.cosines(x), every.max(2).values, atol=1e-6)


def test_gradients_are_finite_where_an_embedding_lies_on_its_centre() -> None:
    loss_of = MarginSoftmax(4, 2)
    x = loss_of.centres.detach().clone().requires_grad_()
    loss, _ = loss_of(x, torch.tensor([0, 1]), 0.3)
    loss.backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


def test_the_margin_rises_from_nothing_to_its_largest() -> None:
    margins = [margin_at(e, largest=0.4, warm_from=2, warm_to=6) for e in range(9)]
    assert margins == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert margin_at(0, largest=0.4, warm_from=0, warm_to=0) == 0.4
