"""Trials of people who are only numbers: LLRs drawn as calibrated ones are distributed."""

from collections.abc import Callable

import numpy as np
import pytest

from visavox.training.trials import NOBODY, Captures, Kind, Served, Trials

Crowd = Callable[..., Trials]


@pytest.fixture(scope="session")
def crowd() -> Crowd:
    """A function that makes trials: `crowd(fridges=…, members=…, spread=…, seed=…)`."""
    return _crowd


def _crowd(
    *,
    fridges: int = 2,
    members: int = 8,
    probes: int = 3,
    strangers: int = 20,
    shots: int = 2,
    attacks: int = 0,
    spread: float = 3.5,
    threshold: float = 6.0,
    absent: float = 0.0,
    seed: int = 0,
) -> Trials:
    """LLRs per modality ~ N(±spread²/2, spread), which are calibrated; fused is their sum.

    `absent` is the share of captures that lack each modality; `threshold` grants.
    """
    rng = np.random.default_rng(seed)
    own = [(f, m) for f in range(fridges) for m in range(members)]
    shot = [(f"f{f}m{m}", f, Kind.MEMBER, f * members + m) for f, m in own for _ in range(probes)]
    shot += [(f"s{s}", -1, Kind.STRANGER, NOBODY) for s in range(strangers) for _ in range(shots)]
    played = [own[a % len(own)] for a in range(attacks)]
    shot += [(f"f{f}m{m}", f, Kind.ATTACK, f * members + m) for f, m in played]
    people = tuple(person for person, *_ in shot)
    at = [
        (f, c, kind, truth)
        for f in range(fridges)
        for c, (_, home, kind, truth) in enumerate(shot)
        if home in (f, -1)
    ]
    fridge, capture, kind, truth = np.array(at, np.intp).reshape(-1, 4).T
    member = (fridge[:, None] * members + np.arange(members)).ravel()
    mated = member == np.repeat(truth, members)
    lost = {name: rng.random(len(shot)) < absent for name in ("face", "voice")}
    llr = {}
    for name in ("face", "voice"):
        values = rng.normal(np.where(mated, 1, -1) * spread**2 / 2, spread)
        llr[name] = np.where(np.repeat(lost[name][capture], members), np.nan, values)
    gone = np.isnan(llr["face"]) & np.isnan(llr["voice"])
    llr["fused"] = np.where(gone, np.nan, np.nansum([llr["face"], llr["voice"]], axis=0))
    table = np.where(np.isnan(llr["fused"]), -np.inf, llr["fused"]).reshape(-1, members)
    passed = table.max(axis=1) >= threshold
    nothing = np.isneginf(table).all(axis=1)
    return Trials(
        captures=Captures(
            names=tuple(f"c{i:05d}" for i in range(len(shot))),
            people=people,
            attack=tuple("print" if k == Kind.ATTACK else "" for _, _, k, _ in shot),
            face_rejected=tuple("no_face" if x else "" for x in lost["face"]),
            voice_rejected=tuple("too_quiet" if x else "" for x in lost["voice"]),
            slices={"tone": tuple("dark" if int(p[-1]) % 2 else "light" for p in people)},
        ),
        fridges=tuple(f"fridge-{f}" for f in range(fridges)),
        members=tuple((f"fridge-{f}", f"f{f}m{m}") for f, m in own),
        capture=capture,
        fridge=fridge,
        kind=kind,
        truth=truth,
        served=np.where(passed, Served.GRANTED, np.where(nothing, Served.RETRY, Served.REFUSED)),
        granted=np.where(passed, fridge * members + table.argmax(axis=1), NOBODY),
        start=np.arange(len(capture) + 1) * members,
        member=member,
        llr=llr,
    )
