"""People who are points: embeddings drawn from a known distribution, quality included."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from visavox.table import Column, EmbeddingTable

FACE_DIM, VOICE_DIM = 32, 24


@dataclass(frozen=True)
class Crowd:
    """Captures of people, with the person each is of."""

    table: EmbeddingTable
    people: tuple[str, ...]
    sessions: tuple[str, ...]

    def take(self, rows: Sequence[int] | NDArray[np.intp] | NDArray[np.bool_]) -> "Crowd":
        picked = (
            np.arange(len(self.people))[np.asarray(rows)] if len(rows) else np.empty(0, np.intp)
        )
        return Crowd(
            self.table.take(picked),
            tuple(self.people[i] for i in picked),
            tuple(self.sessions[i] for i in picked),
        )

    def where(self, keep: Callable[[int], bool]) -> "Crowd":
        return self.take([i for i in range(len(self.people)) if keep(i)])


def crowd(
    people: int,
    captures: int,
    *,
    seed: int,
    name: str = "p",
    noise: tuple[float, float] = (0.6, 0.6),
    missing: float = 0.0,
    alike: float = 0.0,
    sessions: int = 0,
    mood: float = 0.0,
    dims: tuple[int, int] = (FACE_DIM, VOICE_DIM),
) -> Crowd:
    """`people` × `captures`. Every second person is the double of the one before, at distance
    `1 - alike`; a low first quality means more noise; `missing` rows lack a modality. Captures
    take turns in `sessions` (0: each has its own), which share `mood` standard deviations."""
    rng = np.random.default_rng(seed)
    turn = np.tile(np.arange(captures) % (sessions or captures), people)
    session = np.repeat(np.arange(people), captures) * captures + turn
    columns = []
    for dim, level, width in ((dims[0], noise[0], 4), (dims[1], noise[1], 3)):
        # Axes differ in what they tell, as in real embeddings; the mean is not zero.
        axes = np.random.default_rng(dim).standard_normal((dim, dim)) / np.sqrt(dim)
        identity = rng.standard_normal((people, dim)) * np.linspace(1.5, 0.3, dim)
        if alike:
            doubles = identity[0 : people - people % 2 : 2]
            own = identity[1::2]
            identity[1::2] = alike * doubles + np.sqrt(1 - alike**2) * own
        owner = np.repeat(np.arange(people), captures)
        quality = rng.uniform(0, 1, (len(owner), width)).astype(np.float32)
        loud = level * (1.5 - quality[:, :1])
        moods = rng.standard_normal((len(owner), dim))[session] if mood else 0.0
        x = (
            identity[owner]
            + mood * moods
            + loud * rng.standard_normal((len(owner), dim)) * np.linspace(0.8, 1.4, dim)
        )
        x = (x + 0.5) @ axes
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        present = rng.uniform(size=len(owner)) >= missing
        x[~present] = np.nan
        quality[~present] = np.nan
        columns.append(
            Column(
                x.astype(np.float32),
                present,
                quality,
                tuple("" if p else "not_captured" for p in present),
            )
        )
    names = tuple(f"{name}{i}" for i in range(people) for _ in range(captures))
    captures_named = tuple(f"{n}-{i}" for i, n in enumerate(names))
    table = EmbeddingTable(captures_named, columns[0], columns[1])
    return Crowd(table, names, tuple(str(t) for t in turn))


@pytest.fixture(scope="session")
def make_crowd() -> Callable[..., Crowd]:
    return crowd
