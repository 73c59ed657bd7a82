"""Discriminators of random numbers: what scoring does must not hang on how they were fitted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from visavox.discriminator import Discriminator, Expert
from visavox.discriminator.calibration import Calibration
from visavox.discriminator.logistic import LogisticScorer
from visavox.discriminator.mlp import MlpScorer
from visavox.discriminator.plda import PldaScorer, Projection
from visavox.discriminator.prototype import PrototypeScorer, unit
from visavox.discriminator.scorer import Scorer
from visavox.fusion import Fusion, Hearing, QualityScale
from visavox.table import Column, EmbeddingTable

DIMS = {"face": 12, "voice": 10}


def random_projection(rng: np.random.Generator, dim: int, out: int = 6) -> Projection:
    return Projection(
        rng.normal(size=dim) * 0.1,
        rng.normal(size=(dim, out)),
        rng.normal(size=out) * 0.1,
        rng.normal(size=(out, out)),
    )


def random_scorer(family: str, members: int, dim: int, seed: int) -> Scorer:
    rng = np.random.default_rng(seed)
    if family == "prototype":
        return PrototypeScorer(
            rng.normal(size=dim) * 0.1,
            unit(rng.normal(size=(members, dim))).T,
            rng.normal(size=members),
            rng.uniform(0.1, 1, members),
            unit(rng.normal(size=(15, dim))).T,
            4,
        )
    projection = random_projection(rng, dim)
    if family == "plda":
        counts = rng.integers(1, 6, members).astype(np.float64)
        between = np.sort(rng.uniform(0.5, 4, 6))[::-1]
        return PldaScorer.enrol(projection, between, rng.normal(size=(members, 6)), counts)
    if family == "logistic":
        return LogisticScorer(projection, rng.normal(size=(6, members)), rng.normal(size=members))
    return MlpScorer(
        projection,
        rng.normal(size=(6, 8)),
        rng.normal(size=8),
        rng.normal(size=(8, members)),
        rng.normal(size=members),
    )


def random_discriminator(family: str = "plda", members: int = 5, seed: int = 0) -> Discriminator:
    rng = np.random.default_rng([seed, 1])
    experts = [
        Expert(
            random_scorer(family, members, dim, seed + i),
            Calibration(rng.uniform(0.3, 1.2, members), rng.normal(size=members)),
            np.ones(members, dtype=np.bool_),
        )
        for i, dim in enumerate(DIMS.values())
    ]
    scales = [
        QualityScale(np.zeros(q), np.ones(q), np.full(q, 0.5), np.full(q, 0.3)) for q in (4, 3)
    ]
    fusion = Fusion(
        scales[0],
        scales[1],
        Hearing(0.9, rng.normal(size=4) * 0.05),
        Hearing(1.1, rng.normal(size=3) * 0.05),
        0.2,
        Hearing(1.0, rng.normal(size=4) * 0.05),
        -0.1,
        Hearing(0.95, rng.normal(size=3) * 0.05),
        0.3,
    )
    names = tuple(f"m{i}" for i in range(members))
    return Discriminator(family, names, experts[0], experts[1], fusion)


def random_table(
    rows: int, seed: int = 0, *, no_face: tuple[int, ...] = (), no_voice: tuple[int, ...] = ()
) -> EmbeddingTable:
    rng = np.random.default_rng([seed, 2])
    columns = []
    for dim, width, absent in ((12, 4, no_face), (10, 3, no_voice)):
        vectors = unit(rng.normal(size=(rows, dim))).astype(np.float32)
        quality = rng.uniform(size=(rows, width)).astype(np.float32)
        present = ~np.isin(np.arange(rows), absent)
        vectors[~present] = np.nan
        quality[~present] = np.nan
        reasons = tuple("" if p else "not_captured" for p in present)
        columns.append(Column(vectors, present, quality, reasons))
    return EmbeddingTable(tuple(f"c{i}" for i in range(rows)), columns[0], columns[1])


@pytest.fixture(scope="session")
def make_scorer() -> Callable[..., Scorer]:
    return random_scorer


@pytest.fixture(scope="session")
def make_discriminator() -> Callable[..., Discriminator]:
    return random_discriminator


@pytest.fixture(scope="session")
def make_table() -> Callable[..., Any]:
    return random_table
