"""What decides at one fridge at one moment. Never changed: replaced whole, and used whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from visavox import decision
from visavox.bundle import Bundle
from visavox.decision import Newcomers, Policy
from visavox.discriminator import Discriminator, newcomers
from visavox.errors import Unavailable
from visavox.service.composition import Composition
from visavox.service.standing import Challenge
from visavox.table import EmbeddingTable, Scores
from visavox.types import Decision, Embeddings


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The members of a fridge as of one revision, each scored by the best model that knows them.

    Those whom the trained bundle knows are scored by it; those who came since, by the base.
    Whoever has left is scored by neither, whatever the bundle remembers.
    """

    fridge: str
    revision: int
    risk: str
    bundle: Bundle | None
    base: Bundle | None
    kept: NDArray[np.intp]  # columns of the bundle whose members are still here
    newcomers: Discriminator | None
    members: Mapping[str, datetime]  # all who are enrolled, scored or not, and since when
    challenger: Bundle | None = None  # what is tried beside the bundle
    challenger_kept: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    challenger_newcomers: Discriminator | None = None
    trial: Challenge | None = None  # how it is tried; None while nothing is
    captures: Mapping[str, int] = field(default_factory=dict)  # of newcomers: how many they gave

    @property
    def challenged(self) -> "Snapshot | None":
        """What would decide if the challenger were the champion; None while there is none."""
        if self.challenger is None:
            return None
        return replace(
            self,
            bundle=self.challenger,
            kept=self.challenger_kept,
            newcomers=self.challenger_newcomers,
            challenger=None,
            challenger_kept=np.empty(0, np.intp),
            challenger_newcomers=None,
            trial=None,
        )

    @property
    def trained(self) -> tuple[str, ...]:
        if self.bundle is None:
            return ()
        return tuple(self.bundle.discriminator.members[i] for i in self.kept)

    @property
    def provisional(self) -> frozenset[str]:
        return frozenset(() if self.newcomers is None else self.newcomers.members)

    @property
    def composition(self) -> Composition:
        """What this is made of, for a decision to be replayed by."""
        columns = 0 if self.bundle is None else len(self.bundle.discriminator.members)
        newer = () if self.newcomers is None else self.newcomers.members
        return Composition(
            risk=self.risk,
            columns=columns,
            kept=None if len(self.kept) == columns else tuple(int(i) for i in self.kept),
            newcomers={member: self.captures.get(member, 0) for member in newer},
        )

    @property
    def policy(self) -> Policy:
        """The fridge's own, or the base's while it was never trained."""
        if self.bundle is not None:
            return self.bundle.policy
        if self.base is not None:
            return self.base.policy
        raise Unavailable(
            "No model is installed that could tell anybody apart.",
            next_step="Fit a base, `dvc repro base@cohort`, and install it:"
            " `python -m api model base <bundle>`.",
        )

    def score(self, table: EmbeddingTable) -> Scores:
        """LLRs of the probes against everybody who can be scored."""
        parts: list[Scores] = []
        if self.bundle is not None and len(self.kept):
            scores = self.bundle.discriminator.score(table)
            if len(self.kept) < len(scores.members):
                scores = Scores(
                    self.trained,
                    scores.face[:, self.kept],
                    scores.voice[:, self.kept],
                    scores.fused[:, self.kept],
                )
            parts.append(scores)
        if self.newcomers is not None:
            parts.append(self.newcomers.score(table))
        if not parts:
            none = np.empty((len(table), 0))
            return Scores((), none, none, none)
        if len(parts) == 1:
            return parts[0]
        return Scores(
            parts[0].members + parts[1].members,
            np.hstack([p.face for p in parts]),
            np.hstack([p.voice for p in parts]),
            np.hstack([p.fused for p in parts]),
        )

    def decide(self, embeddings: Embeddings, scores: Scores) -> Decision:
        """The answer to one probe; more is asked of those whom no training has seen."""
        newer = None
        if self.base is not None and self.newcomers is not None:
            newer = Newcomers(self.provisional, self.base.policy)
        return decision.decide(embeddings, scores, self.policy, risk=self.risk, newcomers=newer)


def enrolled(base: Bundle | None, tables: Mapping[str, EmbeddingTable]) -> Discriminator | None:
    """Newcomers on the base; None where there are none, or nothing to enrol them on."""
    if base is None or not tables:
        return None
    return newcomers.enrol(base.discriminator, tables)
