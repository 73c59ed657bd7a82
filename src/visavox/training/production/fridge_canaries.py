"""A few captures, and the scores that a bundle must give them wherever it is deployed.

The scores are those of the bundle as it is served: read from its own files, one capture at a time.
So they are the same to the last bit, or something else is being served.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_from
from safetensors.numpy import save as tensors_to

from visavox.bundle import Bundle
from visavox.errors import DataError
from visavox.parts import Array
from visavox.table import Column, EmbeddingTable, Scores
from visavox.types import Matrix

FORMAT = 1
_STREAMS = ("face", "voice", "fused")

Scoring = Callable[[EmbeddingTable], Scores]
"""What is served: scores of the probes in a table."""


@dataclass(frozen=True, slots=True, eq=False)
class Canaries:
    """`people` names the member whom each capture is of, "" for a stranger's."""

    digest: str
    table: EmbeddingTable
    people: tuple[str, ...]
    scores: Scores

    @classmethod
    def of(cls, bundle: Bundle, table: EmbeddingTable, people: Sequence[str]) -> "Canaries":
        """What that bundle says to these captures."""
        return cls(
            bundle.digest, table, tuple(people), _one_by_one(bundle.discriminator.score, table)
        )

    def wrong(self, serving: Scoring) -> tuple[str, ...]:
        """The captures whose scores differ in any bit, over the members that both know.

        All of them where no member is known to both: then it is another fridge's model.
        """
        found = _one_by_one(serving, self.table)
        common = [m for m in self.scores.members if m in found.members]
        if not common:
            return self.table.captures
        ours = [self.scores.members.index(m) for m in common]
        theirs = [found.members.index(m) for m in common]
        differs = np.zeros(len(self.table), np.bool_)
        for stream in _STREAMS:
            mine: Matrix = getattr(self.scores, stream)[:, ours]
            other: Matrix = getattr(found, stream)[:, theirs]
            differs |= ~np.array(
                [np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, other, strict=True)],
                np.bool_,
            )
        return tuple(c for c, d in zip(self.table.captures, differs, strict=True) if d)

    def pack(self) -> bytes:
        """As one piece of bytes, to be sealed: embeddings are biometrics."""
        tensors: dict[str, Array] = {
            f"{name}.{part}": np.ascontiguousarray(getattr(column, part))
            for name, column in (("face", self.table.face), ("voice", self.table.voice))
            for part in ("vectors", "present", "quality")
        }
        tensors |= {f"scores.{s}": np.ascontiguousarray(getattr(self.scores, s)) for s in _STREAMS}
        about = {
            "format": FORMAT,
            "digest": self.digest,
            "captures": self.table.captures,
            "people": self.people,
            "members": self.scores.members,
            "face": self.table.face.reasons,
            "voice": self.table.voice.reasons,
        }
        return json.dumps(about).encode() + b"\n" + tensors_to(tensors)

    @classmethod
    def unpack(cls, packed: bytes) -> "Canaries":
        """The inverse of `pack`; DataError where it is none."""
        try:
            start = packed.index(b"\n") + 1
            about = json.loads(packed[:start])
            known = about["format"] == FORMAT
            t = tensors_from(packed[start:])
            face, voice = (
                Column(t[f"{n}.vectors"], t[f"{n}.present"], t[f"{n}.quality"], tuple(about[n]))
                for n in ("face", "voice")
            )
            scores = Scores(tuple(about["members"]), *(t[f"scores.{s}"] for s in _STREAMS))
            table = EmbeddingTable(tuple(about["captures"]), face, voice)
            made = cls(about["digest"], table, tuple(about["people"]), scores)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise _none(str(error)) from None
        if not known:
            raise _none(f"their format is {about['format']!r}, not {FORMAT}")
        return made


def sealed_as(digest: str) -> str:
    """What the canaries of a bundle are sealed as, beside the bundle itself."""
    return f"{digest}|canaries"


def _one_by_one(serving: Scoring, table: EmbeddingTable) -> Scores:
    # A product of many rows may round otherwise than that of one; a kiosk brings one.
    rows = [serving(table.take(np.array([i], np.intp))) for i in range(len(table))]
    return Scores(
        rows[0].members, *(np.concatenate([getattr(r, s) for r in rows]) for s in _STREAMS)
    )


def _none(why: str) -> DataError:
    return DataError(f"These are no canaries: {why}.", next_step="Train the fridge again.")
