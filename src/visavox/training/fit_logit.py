"""Logistic regression for calibration: few parameters, a prior, and Newton's method."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_STEPS = 50


def logit_weights(
    features: Floats,
    target: Bools,
    *,
    prior: float,
    centre: Floats,
    spread: Floats,
    people: int,
    share: Floats | None = None,
) -> Floats:
    """θ such that features·θ is the LLR of target against not, by prior-weighted cross-entropy.

    The cost is Cllr's, with the two kinds of trial weighed as if `prior` of them were genuine.
    θ is drawn to `centre` with standard deviation `spread`, as one more witness beside the
    `people` independent ones behind the trials; so it stays finite where all trials are told
    apart, and the more people, the less it matters. Where the trials are a sample, `share` says
    how many each of them stands for.
    """
    offset = math.log(prior / (1 - prior))
    count = np.ones(len(target)) if share is None else share
    own, other = float(count[target].sum()), float(count[~target].sum())
    weight = count * np.where(target, prior / max(own, 1.0), (1 - prior) / max(other, 1.0))
    sign = np.where(target, 1.0, -1.0)
    precision = 1 / (spread**2 * people)

    def cost(theta: Floats) -> float:
        loss = np.logaddexp(0.0, -sign * (features @ theta + offset))
        return float(weight @ loss + 0.5 * precision @ (theta - centre) ** 2)

    def slope_and_curve(theta: Floats) -> tuple[Floats, Floats]:
        probability = sigmoid(features @ theta + offset)
        gradient = features.T @ (weight * (probability - target)) + precision * (theta - centre)
        curve = (features * (weight * probability * (1 - probability))[:, None]).T @ features
        return gradient, curve + np.diag(precision)

    return newton(cost, slope_and_curve, centre)


def newton(
    cost: Callable[[Floats], float],
    slope_and_curve: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats,
) -> Floats:
    """The minimum of a convex cost; each step is halved until it truly descends."""
    theta, now = start.astype(np.float64), cost(start)
    for _ in range(_STEPS):
        gradient, curve = slope_and_curve(theta)
        step = np.linalg.solve(curve, gradient)
        promised = float(gradient @ step)
        if promised < 1e-12 * max(now, 1e-6):
            break
        scale = 1.0
        while (then := cost(theta - scale * step)) > now - 1e-4 * scale * promised:
            scale /= 2
            if scale < 1e-8:
                return theta
        theta, now = theta - scale * step, then
    return theta


def sigmoid(x: Floats) -> Floats:
    positive = np.exp(-np.abs(x))
    result: Floats = np.where(x >= 0, 1.0, positive) / (1 + positive)
    return result
