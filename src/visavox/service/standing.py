"""Which of a place's bundles decides, which one challenges it, and which one decided before.

{"digest": champion,
 "challenger": {"digest": …, "mode": "shadow" | "split", "share": 0.2, "since": …} | null,
 "previous": digest | null}
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from visavox.errors import BundleError, Conflict


class Mode(StrEnum):
    """What a challenger does with the requests that it scores."""

    SHADOW = "shadow"
    """It scores all of them, and decides none."""
    SPLIT = "split"
    """It scores all of them, and decides its share."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A bundle that is tried beside the one that is live."""

    digest: str
    mode: Mode
    share: float
    """Of the requests that it decides; 0.0 in the shadow."""
    since: datetime

    def __post_init__(self) -> None:
        fits = 0.0 < self.share <= 1.0 if self.mode is Mode.SPLIT else self.share == 0.0
        if not fits:
            raise BundleError(
                f"A challenger in the mode {self.mode.value} cannot decide a share of"
                f" {self.share:g}.",
                next_step="Give a share above 0 and up to 1 for split, and 0 for shadow.",
            )
        if self.since.tzinfo is None:
            raise BundleError(
                "It is not known since when the challenger stands: the moment has no time zone.",
                next_step="Deploy the challenger again.",
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "mode": self.mode.value,
            "share": self.share,
            "since": self.since.isoformat(),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Challenge":
        """The inverse of `to_json`; KeyError, ValueError or TypeError where it is none."""
        return cls(
            str(said["digest"]),
            Mode(said["mode"]),
            float(said["share"]),
            datetime.fromisoformat(said["since"]),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """The bundles of one place. A change is another standing: it is put there whole."""

    champion: str
    challenger: Challenge | None = None
    previous: str | None = None

    @property
    def digests(self) -> tuple[str, ...]:
        """All that are needed, the champion first."""
        beside = None if self.challenger is None else self.challenger.digest
        return tuple(dict.fromkeys(d for d in (self.champion, beside, self.previous) if d))

    def crowned(self, digest: str) -> "Standing":
        """That one is champion; whatever challenged the former one challenges nobody any more."""
        if digest == self.champion:
            return replace(self, challenger=None)
        return Standing(digest, None, self.champion)

    def challenged(self, challenge: Challenge) -> "Standing":
        """That one is tried beside the champion, instead of another."""
        if challenge.digest == self.champion:
            raise Conflict(
                f"The bundle {challenge.digest[:12]}… is the champion: it cannot challenge itself.",
                next_step="Train another, or leave it as it is.",
            )
        return replace(self, challenger=challenge)

    def withdrawn(self) -> "Standing":
        """Nothing is tried any more."""
        return replace(self, challenger=None)

    def promoted(self) -> "Standing":
        """The challenger is champion."""
        return self.crowned(self._challenge.digest)

    def rolled_back(self) -> "Standing":
        """The champion before is champion again, and the two have changed places."""
        if self.previous is None:
            raise Conflict(
                "There is no former champion to go back to.",
                next_step="Install a bundle, or train the fridge again.",
            )
        return Standing(self.previous, None, self.champion)

    @property
    def _challenge(self) -> Challenge:
        if self.challenger is None:
            raise Conflict(
                "There is no challenger.", next_step="Deploy one: train the fridge again."
            )
        return self.challenger

    def to_json(self) -> dict[str, Any]:
        return {
            "digest": self.champion,
            "challenger": None if self.challenger is None else self.challenger.to_json(),
            "previous": self.previous,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Standing":
        """The inverse of `to_json`; a champion alone is one too, as former versions wrote it."""
        beside, before = said.get("challenger"), said.get("previous")
        return cls(
            str(said["digest"]),
            None if beside is None else Challenge.from_json(beside),
            None if before is None else str(before),
        )
