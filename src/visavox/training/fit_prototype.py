"""Templates, and the statistics of the cohort that they are read against."""

from dataclasses import dataclass

import numpy as np

from visavox.discriminator.prototype import PrototypeScorer, top_statistics, unit
from visavox.training.fit_cohort import Owners
from visavox.training.fit_logit import Floats
from visavox.training.fit_plda import person_means
from visavox.training.fit_settings import PrototypeSettings

_BATCH = 1024


@dataclass(frozen=True, slots=True, eq=False)
class PrototypeModel:
    """The cohort as seen from both sides."""

    centre: Floats  # (D,)
    captures: Floats  # (N, D) unit length: what templates are held against
    people: Floats  # (C, D) unit length, one template per person: what probes are held against
    top_captures: int
    top_people: int

    @classmethod
    def train(cls, vectors: Floats, owner: Owners, settings: PrototypeSettings) -> "PrototypeModel":
        centre = vectors.mean(axis=0)
        captures = unit(vectors - centre)
        seen = np.unique(owner)
        templates = unit(person_means(captures, owner, int(owner.max()) + 1)[seen])
        # The people are in random order already, so the first are a fair sample.
        people = templates[: settings.cohort]
        return cls(
            centre,
            captures,
            people,
            top_captures=min(settings.top, len(captures)),
            top_people=min(settings.top, len(people)),
        )

    def enrol(self, vectors: Floats, owner: Owners, members: int, *, seed: int) -> PrototypeScorer:
        """A member's template and statistics rest on their own captures alone."""
        del seed
        templates = unit(person_means(unit(vectors - self.centre), owner, members))
        mean, spread = np.zeros(members), np.ones(members)
        for start in range(0, members, _BATCH):  # 5,000 members would need 70 MB at once
            batch = slice(start, start + _BATCH)
            mean[batch], spread[batch] = top_statistics(
                templates[batch] @ self.captures.T, self.top_captures
            )
        return PrototypeScorer(
            self.centre, templates.T, mean, spread, self.people.T, self.top_people
        )
