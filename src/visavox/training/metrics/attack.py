"""Attacks on the capture, by species, in the terms of ISO/IEC 30107-3.

APCER: attacks that the liveness check takes for real, per species.
BPCER: real captures that it takes for attacks.
IAPAR: attacks that the whole system accepts, per species: what an attacker cares about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visavox.errors import NotEnoughData

NO_LIVENESS = "no liveness score yet"


@dataclass(frozen=True, slots=True)
class AttackRates:
    """One species; `apcer` is None, with the reason, where no liveness score exists."""

    species: str
    attempts: int
    iapar: float
    apcer: float | None
    apcer_missing: str  # "" when there is one


def attack_rates(
    species: Sequence[str],
    accepted: NDArray[np.bool_],
    live: NDArray[np.bool_] | None = None,
) -> tuple[AttackRates, ...]:
    """Rates of every species, by name; `live` says which attacks passed the liveness check."""
    if not len(species) == accepted.size == (accepted.size if live is None else live.size):
        raise NotEnoughData(
            f"{len(species)} species were given for {accepted.size} attacks.",
            next_step="Give one species, one outcome and one liveness verdict per attack.",
        )
    names = np.asarray(species, dtype=object)
    made = []
    for name in sorted(set(species)):
        of = names == name
        made.append(
            AttackRates(
                name,
                int(of.sum()),
                float(accepted[of].mean()),
                None if live is None else float(live[of].mean()),
                NO_LIVENESS if live is None else "",
            )
        )
    return tuple(made)


def bpcer(live: ArrayLike | None) -> float | None:
    """The share of real captures that the liveness check refused; None without one."""
    if live is None:
        return None
    verdicts = np.asarray(live, np.bool_)
    if verdicts.size == 0:
        raise NotEnoughData("There are no real captures.", next_step="Give at least one.")
    return float(1.0 - verdicts.mean())
