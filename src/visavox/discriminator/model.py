"""One fridge's discriminator: an expert per modality, and their fusion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from visavox.discriminator.base import BaseScorer
from visavox.discriminator.calibration import Calibration
from visavox.discriminator.logistic import LogisticScorer
from visavox.discriminator.mlp import MlpScorer
from visavox.discriminator.plda import PldaScorer
from visavox.discriminator.prototype import PrototypeScorer
from visavox.discriminator.scorer import Scorer
from visavox.errors import BundleError, DataError
from visavox.fusion import Fusion
from visavox.parts import Array, pick
from visavox.table import Column, EmbeddingTable, Mask, Scores
from visavox.types import Matrix, Modality

FAMILIES: dict[str, type[Scorer]] = {
    s.FAMILY: s for s in (PrototypeScorer, PldaScorer, LogisticScorer, MlpScorer)
}

_STORED: dict[str, type[Scorer]] = {**FAMILIES, BaseScorer.FAMILY: BaseScorer}
"""What a bundle may hold: a family, or the base that newcomers are enrolled on."""


@dataclass(frozen=True, slots=True, eq=False)
class Expert:
    """One modality: raw scores, and what they are worth as LLRs."""

    scorer: Scorer
    calibration: Calibration
    enrolled: Mask  # (M,) members who gave this modality at enrolment

    def llr(self, column: Column, captures: tuple[str, ...], modality: Modality) -> Matrix:
        """(N, M); NaN where the probe or the member has no such modality."""
        present = column.present
        full = bool(present.all())
        vectors = column.vectors if full else column.vectors[present]
        if vectors.shape[1] != self.scorer.dimension:
            raise DataError(
                f"The {modality} embeddings have {vectors.shape[1]} dimensions,"
                f" this discriminator was fitted on {self.scorer.dimension}.",
                next_step="Score with the Characterizer that the discriminator was fitted for.",
            )
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            name = captures[int(np.flatnonzero(present)[int(np.argmin(finite))])]
            raise DataError(
                f"The {modality} embedding of capture {name!r} is not finite.",
                next_step="Embed the capture again; if it repeats, the Characterizer is at fault.",
            )
        llr = self.calibration(self.scorer.raw(vectors))
        llr[:, ~self.enrolled] = np.nan
        if full:
            return llr
        spread = np.full((len(present), len(self.enrolled)), np.nan)
        spread[present] = llr
        return spread


@dataclass(frozen=True, slots=True, eq=False)
class Discriminator:
    """Says how much more likely a probe is if it is each member than if it is a stranger."""

    family: str
    members: tuple[str, ...]
    face: Expert
    voice: Expert
    fusion: Fusion

    def __post_init__(self) -> None:
        if len(set(self.members)) != len(self.members):
            twice = next(m for m in self.members if self.members.count(m) > 1)
            raise DataError(
                f"The member {twice!r} stands twice.", next_step="Give each member one name."
            )

    def score(self, table: EmbeddingTable) -> Scores:
        """Calibrated LLRs of every probe against every member.

        NaN stands where a modality is missing, in the probe or in the member's enrolment;
        `fused` then rests on the other one.
        """
        face = self.face.llr(table.face, table.captures, Modality.FACE)
        voice = self.voice.llr(table.voice, table.captures, Modality.VOICE)
        fused = self.fusion(face, voice, table.face.quality, table.voice.quality)
        return Scores(self.members, face, voice, fused)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What JSON holds of it, and what safetensors holds of it."""
        tensors: dict[str, Array] = {}
        for modality, expert in (("face", self.face), ("voice", self.voice)):
            own = expert.scorer.tensors() | {
                "calibration.slope": expert.calibration.slope,
                "calibration.offset": expert.calibration.offset,
                "enrolled": expert.enrolled.astype(np.float64),
            }
            # safetensors writes memory as it lies: only C order keeps its meaning.
            tensors |= {f"{modality}.{k}": np.array(v, order="C") for k, v in own.items()}
        tensors |= {f"fusion.{k}": v for k, v in self.fusion.tensors().items()}
        return {"family": self.family, "members": list(self.members)}, tensors

    @classmethod
    def from_parts(cls, meta: Mapping[str, Any], tensors: Mapping[str, Array]) -> Self:
        """The inverse of `to_parts`; BundleError where the parts do not fit."""
        family, members = meta.get("family"), meta.get("members")
        if family not in _STORED:
            raise _unfit(f"is of the family {family!r}, not one of {', '.join(_STORED)}")
        if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
            raise _unfit("names no members")
        if len(set(members)) != len(members):
            raise _unfit("names a member twice")
        experts = [
            _expert(_STORED[family], _under(tensors, name), len(members))
            for name in ("face", "voice")
        ]
        fusion = Fusion.of_tensors(_under(tensors, "fusion"))
        return cls(family, tuple(members), experts[0], experts[1], fusion)


def _under(tensors: Mapping[str, Array], name: str) -> dict[str, Array]:
    head = name + "."
    return {k.removeprefix(head): v for k, v in tensors.items() if k.startswith(head)}


def _expert(family: type[Scorer], tensors: Mapping[str, Array], members: int) -> Expert:
    scorer = family.of_tensors(tensors)
    t = pick(tensors, {"calibration.slope": "m", "calibration.offset": "m", "enrolled": "m"})
    if not scorer.width == len(t["enrolled"]) == members:
        raise _unfit(f"names {members} members and holds weights for {scorer.width}")
    if (t["calibration.slope"] <= 0).any():
        raise _unfit("holds a calibration that falls")
    calibration = Calibration(t["calibration.slope"], t["calibration.offset"])
    return Expert(scorer, calibration, t["enrolled"] > 0)


def _unfit(what: str) -> BundleError:
    return BundleError(
        f"The stored discriminator {what}.", next_step="Restore the bundle, or train it again."
    )
