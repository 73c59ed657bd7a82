"""What a threshold would do: the evaluation's trials, read from their file and counted anew.

The layout of the file is that of visavox.training.trials; the demo reads it for itself, because it
runs where training is not installed.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from demo.problems import DemoProblem

Floats = NDArray[np.float64]
Index = NDArray[np.intp]

STREAMS = ("fused", "face", "voice")
_FORMAT = 1
_MEMBER, _STRANGER, _ATTACK = 0, 1, 2  # visavox.training.trials.Kind


@dataclass(frozen=True)
class Search:
    """One capture shown to the fridge, by one stream of scores."""

    person: str
    capture: str
    kind: int
    species: str
    own: float  # of the right member (or the one who is played); -inf where nothing was scored
    best: float  # of whoever scored best
    best_member: str


@dataclass(frozen=True)
class Stream:
    """All searches of one stream, as arrays for counting."""

    name: str
    searches: tuple[Search, ...]
    hits: Floats  # per member's search: the right member's score where it came first, else -inf
    tops: Floats  # per stranger's search: the best score

    def fnir(self, threshold: float) -> float:
        """Share of members' captures that would not be let in."""
        return float(np.mean(self.hits < threshold)) if self.hits.size else math.nan

    def fpir(self, threshold: float) -> float:
        """Share of strangers' captures that would be let in as somebody."""
        return float(np.mean(self.tops >= threshold)) if self.tops.size else math.nan

    def curve(self) -> tuple[Floats, Floats]:
        """(FPIR, FNIR) at every threshold at which one of them changes, rising thresholds."""
        if not self.hits.size or not self.tops.size:
            return np.empty(0), np.empty(0)
        scored = np.concatenate([self.hits, self.tops])
        steps = np.append(np.unique(scored[np.isfinite(scored)]), np.inf)
        below = np.searchsorted(np.sort(self.tops), steps, side="left")
        missed = np.searchsorted(np.sort(self.hits), steps, side="left")
        return 1 - below / self.tops.size, missed / self.hits.size


@dataclass(frozen=True)
class Trials:
    """An evaluation of one fridge, stream by stream."""

    members: tuple[str, ...]
    streams: dict[str, Stream]

    @property
    def span(self) -> tuple[float, float]:
        """Where the fused scores lie, rounded outwards: nobody reaches the upper end."""
        stream = self.streams["fused"]
        scored = np.concatenate([stream.hits, stream.tops])
        scored = scored[np.isfinite(scored)]
        if not scored.size:
            return -10.0, 10.0
        return math.floor(float(scored.min())), math.floor(float(scored.max())) + 1


@dataclass(frozen=True)
class Fate:
    """What becomes of one member at a threshold."""

    member: str
    granted: int
    tried: int

    @property
    def locked_out(self) -> bool:
        return self.tried > 0 and self.granted == 0


@dataclass(frozen=True)
class Outcome:
    """What a threshold would do to everybody."""

    threshold: float
    fnir: float
    fpir: float
    fates: tuple[Fate, ...]  # worst first
    let_in: tuple[Search, ...]  # strangers' captures that pass, highest score first
    attacks: dict[str, tuple[int, int]]  # species → passed, tried


def at(trials: Trials, stream: str, threshold: float) -> Outcome:
    """Who gets in and who does not; the margin between two members is not applied."""
    of = trials.streams[stream]
    tally = {m: [0, 0] for m in trials.members}
    attacks: dict[str, list[int]] = {}
    let_in = []
    for search in of.searches:
        passed = search.best >= threshold
        if search.kind == _MEMBER:
            tally[search.person][0] += search.own >= max(threshold, search.best)
            tally[search.person][1] += 1
        elif search.kind == _ATTACK:
            counts = attacks.setdefault(search.species, [0, 0])
            counts[0] += passed
            counts[1] += 1
        elif passed:
            let_in.append(search)
    fates = [Fate(m, granted, tried) for m, (granted, tried) in tally.items()]
    return Outcome(
        threshold=threshold,
        fnir=of.fnir(threshold),
        fpir=of.fpir(threshold),
        fates=tuple(sorted(fates, key=lambda f: (f.granted / max(f.tried, 1), f.member))),
        let_in=tuple(sorted(let_in, key=lambda s: -s.best)),
        attacks={species: (passed, tried) for species, (passed, tried) in attacks.items()},
    )


def read(path: Path) -> Trials:
    """The trials of an evaluation of one fridge."""
    if not path.is_file():
        raise DemoProblem(
            f"There are no trials at {path}.", next_step="Run `dvc repro gate@demo` to measure."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("trials", "{}"))
            arrays: dict[str, NDArray[Any]] = {
                name: file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118 (it is no dict)
            }
        return _trials(about, arrays)
    except (SafetensorError, KeyError, ValueError, IndexError) as error:
        raise DemoProblem(
            f"{path} holds no trials that this demo can read ({error}).",
            next_step="Measure again: `dvc repro gate@demo`.",
        ) from None


def _trials(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Trials:
    if about.get("format") != _FORMAT:
        raise ValueError(f"format {about.get('format')!r}, not {_FORMAT}")
    members = tuple(str(member) for _, member in about["members"])
    streams = {name: _stream(name, about["captures"], members, arrays) for name in STREAMS}
    return Trials(members, streams)


def _stream(
    name: str, captures: dict[str, Any], members: tuple[str, ...], arrays: dict[str, NDArray[Any]]
) -> Stream:
    llr, start = arrays[f"llr.{name}"], arrays["start"]
    searches = []
    for s, c in enumerate(arrays["capture"]):
        pairs = slice(int(start[s]), int(start[s + 1]))
        scores = np.where(np.isnan(llr[pairs]), -np.inf, llr[pairs])
        which = arrays["member"][pairs]
        mine = scores[which == arrays["truth"][s]]
        best = int(np.argmax(scores)) if scores.size else -1
        searches.append(
            Search(
                person=str(captures["people"][c]),
                capture=str(captures["names"][c]),
                kind=int(arrays["kind"][s]),
                species=str(captures["attack"][c]),
                own=float(mine[0]) if mine.size else -math.inf,
                best=float(scores[best]) if best >= 0 else -math.inf,
                best_member=members[int(which[best])] if best >= 0 else "",
            )
        )
    return Stream(
        name,
        tuple(searches),
        np.array(
            [s.own if s.own >= s.best else -math.inf for s in searches if s.kind == _MEMBER],
            np.float64,
        ),
        np.array([s.best for s in searches if s.kind == _STRANGER], np.float64),
    )
