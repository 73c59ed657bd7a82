"""Every comparison of an evaluation, with its label and whom it depends on.

A search is one capture shown to one fridge; it holds one comparison (a pair) per member. All
figures, their intervals and the paired test against a champion are made from these arrays alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from visavox.errors import DataError
from visavox.training.dataset import DATA
from visavox.training.metrics.identification import Mated
from visavox.training.metrics.scores import Floats

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

FUSED = "fused"
STREAMS = (FUSED, "face", "voice")
"""What is scored: both modalities together, and each alone."""

NAME = "trials.safetensors"
FORMAT = 1
NOBODY = -1


class Kind(IntEnum):
    """Who stands before the fridge."""

    MEMBER = 0
    STRANGER = 1
    ATTACK = 2


class Served(IntEnum):
    """What the service answered."""

    REFUSED = 0
    RETRY = 1
    GRANTED = 2


@dataclass(frozen=True)
class Captures:
    """The captures that were searched with."""

    names: tuple[str, ...]
    people: tuple[str, ...]  # who is seen, or whom the attack plays
    attack: tuple[str, ...]  # species, "" where there is none
    face_rejected: tuple[str, ...]  # why the face gave no evidence, "" where it did
    voice_rejected: tuple[str, ...]
    slices: Mapping[str, tuple[str, ...]]  # attribute → value per capture, "" where unknown

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: Index) -> "Captures":
        def of(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(values[i] for i in rows)

        return Captures(
            names=of(self.names),
            people=of(self.people),
            attack=of(self.attack),
            face_rejected=of(self.face_rejected),
            voice_rejected=of(self.voice_rejected),
            slices={name: of(values) for name, values in self.slices.items()},
        )


@dataclass(frozen=True)
class Trials:
    """S searches in order, holding P pairs; LLRs are NaN where there was nothing to compare."""

    captures: Captures
    fridges: tuple[str, ...]
    members: tuple[tuple[str, str], ...]  # (fridge, member)
    capture: Index  # (S,) index into captures
    fridge: Index  # (S,) index into fridges
    kind: Index  # (S,) Kind
    truth: Index  # (S,) index into members of who is seen or played; NOBODY for strangers
    served: Index  # (S,) Served
    granted: Index  # (S,) index into members, or NOBODY
    start: Index  # (S + 1,) a search's pairs are start[s]:start[s + 1]
    member: Index  # (P,) index into members
    llr: Mapping[str, Floats]  # stream → (P,) natural log

    def __post_init__(self) -> None:
        searches, pairs = len(self.capture), len(self.member)
        for name in ("fridge", "kind", "truth", "served", "granted"):
            if getattr(self, name).shape != (searches,):
                raise _unfit(f"{name} is not one number per search")
        if self.start.shape != (searches + 1,) or self.start[0] != 0 or self.start[-1] != pairs:
            raise _unfit("the searches' starts do not span the pairs")
        if set(self.llr) != set(STREAMS) or any(v.shape != (pairs,) for v in self.llr.values()):
            raise _unfit(f"there is not one LLR per pair for each of {', '.join(STREAMS)}")

    def take(self, searches: Index) -> "Trials":
        """Some searches, in that order; captures and fridges nobody uses any more are left out.

        What is kept is numbered by name, so that equal searches of two evaluations are equal.
        """
        kept, capture = _by_name(self.captures.names, self.capture[searches])
        cool, fridge = _by_name(self.fridges, self.fridge[searches])
        width = np.diff(self.start)[searches]
        start = np.concatenate([[0], np.cumsum(width)])
        pairs = np.repeat(self.start[searches] - start[:-1], width) + np.arange(start[-1])
        return Trials(
            captures=self.captures.take(kept),
            fridges=tuple(self.fridges[i] for i in cool),
            members=self.members,
            capture=capture,
            fridge=fridge,
            kind=self.kind[searches],
            truth=self.truth[searches],
            served=self.served[searches],
            granted=self.granted[searches],
            start=start,
            member=self.member[pairs],
            llr={stream: llr[pairs] for stream, llr in self.llr.items()},
        )

    @property
    def searches(self) -> int:
        return len(self.capture)

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Distinct people, in order of name."""
        return tuple(sorted(set(self.captures.people)))

    @cached_property
    def person(self) -> Index:
        """(S,) index into people."""
        number = {name: i for i, name in enumerate(self.people)}
        per_capture = np.array([number[p] for p in self.captures.people], np.intp)
        return np.asarray(per_capture[self.capture], np.intp)

    @cached_property
    def search(self) -> Index:
        """(P,) the search of each pair."""
        return np.repeat(np.arange(self.searches), np.diff(self.start))

    @cached_property
    def own(self) -> Mask:
        """(P,) pairs with the member who is seen (or played)."""
        return np.asarray(self.member == self.truth[self.search])

    def of(self, kind: Kind) -> Index:
        """The searches of one kind."""
        return np.flatnonzero(self.kind == kind)

    def pairs(self, stream: str) -> tuple[Index, Index]:
        """Mated and nonmated pairs that could be scored; attacks are neither."""
        real = self.kind[self.search] != Kind.ATTACK
        usable = real & ~np.isnan(self.llr[stream])
        return np.flatnonzero(usable & self.own), np.flatnonzero(usable & ~self.own)

    def mated(self, stream: str) -> Mated:
        """The searches by members: score of the right member, and the best of the others."""
        at = self.of(Kind.MEMBER)
        llr = self.llr[stream]
        own = _best(np.where(self.own, llr, np.nan), self.start)
        other = _best(np.where(self.own, np.nan, llr), self.start)
        return Mated(own[at], np.where(np.isnan(other[at]), -np.inf, other[at]))

    def top(self, stream: str) -> Floats:
        """(S,) the best score of each search; NaN where nothing could be scored."""
        return _best(self.llr[stream], self.start)

    @cached_property
    def missed(self) -> Mask:
        """(S,) searches that were not granted to the person who is seen."""
        return np.asarray((self.served != Served.GRANTED) | (self.granted != self.truth))

    @cached_property
    def accepted(self) -> Mask:
        """(S,) searches that were granted to anybody."""
        return np.asarray(self.served == Served.GRANTED)


def path_of(dataset: str) -> Path:
    """Where the trials of a dataset's evaluation lie."""
    return DATA / "evaluate" / dataset / NAME


def write(trials: Trials, path: Path) -> Path:
    """Store `trials` as one safetensors file, all at once or not at all."""
    tensors: dict[str, NDArray[Any]] = {
        "capture": trials.capture.astype(np.int32),
        "fridge": trials.fridge.astype(np.int32),
        "kind": trials.kind.astype(np.int8),
        "truth": trials.truth.astype(np.int32),
        "served": trials.served.astype(np.int8),
        "granted": trials.granted.astype(np.int32),
        "start": trials.start.astype(np.int64),
        "member": trials.member.astype(np.int32),
    }
    tensors |= {f"llr.{s}": np.ascontiguousarray(trials.llr[s], np.float64) for s in STREAMS}
    of = trials.captures
    about = {
        "format": FORMAT,
        "fridges": trials.fridges,
        "members": trials.members,
        "captures": {
            "names": of.names,
            "people": of.people,
            "attack": of.attack,
            "face_rejected": of.face_rejected,
            "voice_rejected": of.voice_rejected,
            "slices": dict(of.slices),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    save_file(tensors, half, metadata={"trials": json.dumps(about, sort_keys=True)})
    half.replace(path)
    return path


def read(path: Path) -> Trials:
    """The trials stored at `path`; DataError where there are none, or others than these."""
    if not path.is_file():
        raise DataError(
            f"There are no trials at {path}.",
            next_step="Run `python -m visavox.training.evaluate` first.",
        )
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("trials", "{}"))
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if about.get("format") != FORMAT:
            raise _unfit(f"their format is {about.get('format')!r}, not {FORMAT}")
        of = about["captures"]
        slices = {name: tuple(values) for name, values in of.pop("slices").items()}
        return Trials(
            captures=Captures(**{k: tuple(v) for k, v in of.items()}, slices=slices),
            fridges=tuple(about["fridges"]),
            members=tuple((fridge, member) for fridge, member in about["members"]),
            llr={s: stored.pop(f"llr.{s}") for s in STREAMS},
            **{name: array.astype(np.intp) for name, array in stored.items()},
        )
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _unfit(f"{path} cannot be read ({error})") from None


def _by_name(names: tuple[str, ...], used: Index) -> tuple[Index, Index]:
    """Which of `names` are used, in alphabetical order, and `used` renumbered to match."""
    kept = np.array(sorted(set(used.tolist()), key=lambda i: names[i]), np.intp)
    number = np.full(len(names), NOBODY, np.intp)
    number[kept] = np.arange(len(kept))
    return kept, np.asarray(number[used], np.intp)


def _best(llr: Floats, start: Index) -> Floats:
    """The highest of each search's pairs, NaN passed over; NaN where there is none."""
    best = np.full(len(start) - 1, np.nan)
    some = np.diff(start) > 0  # reduceat would give an empty search its neighbour's score
    if some.any():
        best[some] = np.fmax.reduceat(llr, start[:-1][some])
    return best


def _unfit(what: str) -> DataError:
    return DataError(
        f"These are no trials: {what}.",
        next_step="Make them again: `python -m visavox.training.evaluate`.",
    )
