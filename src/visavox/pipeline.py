"""The way of a request. The order of the rooms is written here and nowhere else.

    bytes → capture → quality → characterizer → discriminator and fusion → decision
            └──────────── Perception ───────┘

The service, the benchmarks, the replay and the evaluation all come through here, so what is
measured is what is served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from visavox import decision
from visavox.bundle import Bundle
from visavox.capture import Limits
from visavox.characterizer import Characterizer
from visavox.errors import BundleError
from visavox.perception import OnStage, Perception
from visavox.quality import QualityLimits
from visavox.table import EmbeddingTable, Scores
from visavox.types import Capture, Decision, Embeddings

__all__ = ["Judge", "OnStage", "Perception", "Pipeline", "again", "decide"]


class Judge(Protocol):
    """What decides at one fridge: a bundle at a risk setting, or a service's snapshot of it."""

    def score(self, table: EmbeddingTable) -> Scores:
        """LLRs of probes against the members."""

    def decide(self, embeddings: Embeddings, scores: Scores) -> Decision:
        """The answer to the one probe whose scores these are."""


@dataclass(frozen=True, slots=True)
class Again:
    """A decision that was made again, and the LLRs of all members."""

    decision: Decision
    scores: Scores


def decide(perception: Perception, judge: Judge, embeddings: Embeddings) -> Decision:
    """The second half of the way: embeddings → LLRs → decision."""
    nets = perception.characterizer
    probe = EmbeddingTable.of(
        ["probe"], [embeddings], face_dim=nets.face_dim, voice_dim=nets.voice_dim
    )
    with perception.timed("discriminator"):
        scores = judge.score(probe)
    with perception.timed("decision"):
        return judge.decide(embeddings, scores)


def again(judge: Judge, embeddings: Embeddings, *, face_dim: int, voice_dim: int) -> Again:
    """The same on a probe that was kept, with all scores, and without being timed."""
    probe = EmbeddingTable.of(["probe"], [embeddings], face_dim=face_dim, voice_dim=voice_dim)
    scores = judge.score(probe)
    return Again(judge.decide(embeddings, scores), scores)


class Pipeline:
    """The whole way for one fridge, at one risk setting. Safe to share between threads."""

    def __init__(
        self,
        characterizer: Characterizer,
        bundle: Bundle,
        *,
        risk: str = "normal",
        limits: Limits | None = None,
        quality_limits: QualityLimits | None = None,
        on_stage: OnStage | None = None,
        side_by_side: bool = True,
    ) -> None:
        if bundle.characterizer_digest != characterizer.digest:
            raise BundleError(
                f"The bundle of {bundle.fridge!r} is for another Characterizer than"
                f" {characterizer.name!r}.",
                next_step="Train the fridge again with this one, or serve with the other.",
            )
        bundle.policy.level(risk)  # a risk setting that does not exist is refused now
        self.bundle = bundle
        self.risk = risk
        self.perception = Perception(
            characterizer,
            limits=limits,
            quality_limits=quality_limits,
            on_stage=on_stage,
            side_by_side=side_by_side,
        )

    def run(
        self,
        *,
        images: Sequence[bytes] = (),
        audio: bytes | None = None,
        clip: bytes | None = None,
    ) -> Decision:
        """Bytes in, decision out; CaptureError where the bytes are unusable."""
        return self.decide(
            self.perceive(self.perception.take(images=images, audio=audio, clip=clip))
        )

    def perceive(self, capture: Capture) -> Embeddings:
        """The Characterizer's view of a capture."""
        return self.perception.perceive(capture)

    def decide(self, embeddings: Embeddings) -> Decision:
        """The answer to a probe; with the embeddings kept, an answer can be replayed."""
        return decide(self.perception, _Trained(self.bundle, self.risk), embeddings)

    def close(self) -> None:
        """End the threads."""
        self.perception.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Trained:
    """A bundle as it decides by itself."""

    bundle: Bundle
    risk: str

    def score(self, table: EmbeddingTable) -> Scores:
        return self.bundle.discriminator.score(table)

    def decide(self, embeddings: Embeddings, scores: Scores) -> Decision:
        return decision.decide(embeddings, scores, self.bundle.policy, risk=self.risk)
