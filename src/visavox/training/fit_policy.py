"""Thresholds and margin: what strangers reach against the real members, and how sure we are."""

import math

import numpy as np
from numpy.typing import NDArray

from visavox.decision import Level, Policy
from visavox.training.fit_logit import Floats, sigmoid
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.training.fit_simulation import Simulated

_TAIL = 30
"""Strangers' captures that a tail is fitted to, at the least."""


def threshold(maxima: Floats, *, fpir: float, members: int) -> float:
    """The LLR that a share `fpir` of strangers' captures reaches against any of the members.

    `maxima` are the highest LLRs of each stranger's capture. Where 3/fpir captures or more are
    at hand (rule of three) that share is nearly counted; where fewer, the tail is extrapolated as an exponential, whose scale
    is the mean excess over the level that the highest `_TAIL` captures pass, plus one standard
    error. LLRs of finite evidence fall off faster than that, so the guess errs on the safe side.

    If the LLRs are right, no more than e^-t of strangers reach t against one member (Markov), so
    log(members / fpir) is enough. The guess is not followed beyond that, unless a stranger
    has actually been seen there.
    """
    bound = math.log(max(members, 1) / fpir)
    seen = np.sort(maxima[~np.isnan(maxima)])[::-1]
    if len(seen) == 0:
        return bound
    tail = min(max(_TAIL, math.ceil(3 * fpir * len(seen))), max(len(seen) // 2, 1))
    level = float(seen[tail]) if len(seen) > tail else float(seen[-1])
    excess = float(np.mean(seen[:tail] - level)) * (1 + 1 / math.sqrt(tail))
    guess = level + excess * max(0.0, math.log(tail / len(seen) / fpir))
    return min(guess, max(bound, float(seen[0])))


def nearest(simulated: Simulated, llr: Floats) -> NDArray[np.intp]:
    """The trials of each probe against its own member, and against the most similar other."""
    others = ~simulated.target & ~np.isnan(llr)
    best = np.full(int(simulated.probe.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(best, simulated.probe[others], llr[others])
    closest = others & (llr == best[simulated.probe])
    return np.flatnonzero(simulated.target | closest)


def lead(simulated: Simulated, fused: Floats) -> float:
    """κ such that a lead of δ over one other member is right with odds e^(κδ).

    Calibrated LLRs would have κ = 1. It is fitted on every genuine trial against the most
    similar other person in its fridge, with that 1 as one more witness. Where people are far
    apart it would rise beyond 1, but that says nothing of two who are not: there it ends.
    """
    known = ~np.isnan(fused)
    own, other = (known & simulated.target), (known & ~simulated.target)
    probes = int(simulated.probe.max(initial=-1)) + 1
    best_own, best_other = np.full(probes, np.nan), np.full(probes, -np.inf)
    best_own[simulated.probe[own]] = fused[own]
    np.maximum.at(best_other, simulated.probe[other], fused[other])
    delta = (best_own - best_other)[~np.isnan(best_own) & np.isfinite(best_other)]
    kappa = 1.0
    for _ in range(50):  # Newton, on log κ so that it stays positive
        wrong = sigmoid(-kappa * delta)
        gradient = -float((delta * kappa) @ wrong) + math.log(kappa)
        curve = float((delta * kappa) ** 2 @ (wrong * (1 - wrong))) + 1.0
        step = max(-1.0, min(1.0, gradient / curve))
        kappa *= math.exp(-step)
        if abs(step) < 1e-9:
            break
    return min(kappa, 1.0)


def fit_policy(
    maxima: dict[str, Floats],
    *,
    members: int,
    strangers: int,
    kappa: float,
    settings: DiscriminatorSettings,
) -> Policy:
    """`maxima`: the highest LLR of each stranger's capture, by "both", "face" and "voice"."""
    levels = {}
    for risk, fpir in settings.risks.items():
        joint = threshold(maxima["both"], fpir=fpir, members=members)
        # The one who withholds a modality chooses which, so neither alone may ask for less.
        face, voice = (
            max(joint, threshold(maxima[m], fpir=fpir * settings.one_modality, members=members))
            for m in ("face", "voice")
        )
        levels[risk] = Level(
            fpir=fpir,
            threshold=joint,
            face_threshold=face,
            voice_threshold=voice,
            margin=math.log((1 - fpir) / fpir) / kappa,
        )
    return Policy(members=members, strangers=strangers, captures=len(maxima["both"]), levels=levels)


def highest(llr: Floats) -> Floats:
    """(N, M) → (N,) the highest of each row; NaN where a row has none."""
    filled = np.where(np.isnan(llr), -np.inf, llr)
    best = filled.max(axis=1, initial=-np.inf)
    result: Floats = np.where(np.isneginf(best), np.nan, best)
    return result
