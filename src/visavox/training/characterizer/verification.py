"""How well embeddings tell held-out people apart: probes against templates of some enrolments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.errors import NotEnoughData
from visavox.training.intervals import clopper_pearson, percentile
from visavox.training.metrics import eer

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trials:
    """Cosines of P probes against T templates, one template per person."""

    scores: Floats  # (P, T)
    owner: NDArray[np.int64]  # (P,) column of the probe's own template

    @property
    def mated(self) -> Floats:
        return self.scores[np.arange(len(self.owner)), self.owner]

    @property
    def foreign(self) -> Floats:
        others = np.ones(self.scores.shape, np.bool_)
        others[np.arange(len(self.owner)), self.owner] = False
        return self.scores[others]


@dataclass(frozen=True, slots=True)
class Verification:
    """An equal error rate, its 95 % interval over people, and what stands behind it."""

    eer: float
    low: float
    high: float
    people: int
    mated: int
    foreign: int


def trials(vectors: NDArray[np.float32], labels: NDArray[np.int64], *, enrol: int) -> Trials:
    """The first `enrol` captures of each person make a template, the rest are probes."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    templates, probes, owner = [], [], []
    for column, person in enumerate(np.unique(labels)):
        own = unit[labels == person].astype(np.float64)
        if len(own) <= enrol:
            raise NotEnoughData(
                f"A person of the validation set has {len(own)} captures; {enrol} to enrol and at "
                "least one to probe with were expected.",
                next_step="Set people.captures higher or verification.enrol lower.",
            )
        mean = own[:enrol].mean(0)
        templates.append(mean / np.linalg.norm(mean))
        probes.append(own[enrol:])
        owner += [column] * (len(own) - enrol)
    return Trials(np.concatenate(probes) @ np.stack(templates).T, np.asarray(owner, np.int64))


def verify(of: Trials, *, resamples: int = 200, seed: int = 0) -> Verification:
    """The equal error rate with an interval from resampling people, not trials.

    Trials of one person fail together, so that intervals over trials would be too narrow. A rate
    of nothing is no proof either: the interval is no narrower than that of as many people.
    """
    rng = np.random.default_rng(seed)
    people = of.scores.shape[1]
    rows = [np.flatnonzero(of.owner == person) for person in range(people)]
    rates = []
    for _ in range(resamples):
        drawn: NDArray[np.int64] = rng.integers(people, size=(people,))
        mated = np.concatenate([of.mated[rows[p]] for p in drawn])
        # A person drawn twice must not meet their own template as a stranger's.
        once = np.unique(drawn)
        if len(once) < 2:
            continue  # nobody to be mistaken for
        block = of.scores[np.concatenate([rows[p] for p in once])][:, once]
        own = np.repeat(np.arange(len(once)), [len(rows[p]) for p in once])
        rates.append(eer(mated, Trials(block, own).foreign))
    rate = eer(of.mated, of.foreign)
    spread = percentile(np.asarray(rates))
    exact = clopper_pearson(rate * people, people)
    few = rate * people < 1  # fewer than one person's worth of errors
    return Verification(
        eer=rate,
        low=min(spread.low, exact.low) if few else spread.low,
        high=max(spread.high, exact.high) if few else spread.high,
        people=people,
        mated=len(of.mated),
        foreign=len(of.foreign),
    )
