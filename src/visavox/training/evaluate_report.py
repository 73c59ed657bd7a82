"""The report of an evaluation: every figure of it, as the JSON that DVC tracks as metrics."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from visavox.config import settings
from visavox.training import metrics
from visavox.training.evaluate_figures import (
    Bootstrap,
    Figure,
    acquisition,
    fnir_name,
    identification,
    served,
    verification,
)
from visavox.training.metrics.attack import NO_LIVENESS
from visavox.training.slices import by_attribute, carried, slices
from visavox.training.trials import FUSED, STREAMS, Kind, Trials

NAME = "evaluate.json"
PERSONAS = "personas"
STAND_IN = "made from personas: people who do not exist, a stand-in for real ones"

PROTOCOL = (
    "Open set. Every unseen capture of a member is searched at the member's own fridge, every "
    "capture of an unseen stranger at every fridge. A mated search is missed unless the right "
    "member stands first and is granted; a search of nothing (failure to acquire) is a miss for "
    "a member and no acceptance for a stranger. "
    "FNIR at an FPIR uses one threshold for all fridges, set on these strangers; `served` are the "
    "answers of each fridge's own policy, set before on other people. "
    "EER, Cllr and minCllr are over all scored pairs of probe and member; EER lies on the convex "
    "hull of the ROC, costs are in bits. "
    "Intervals: bootstrap by person and by fridge at once; where fewer than ten people err, no "
    "narrower than the exact interval of as many independent trials as there are people."
)


@settings
class Reporting:
    """How figures are made of trials."""

    target_fpir: float = 0.003
    """The FPIR at which FNIR is given."""
    replicates: int = 1000
    """Bootstrap replicates behind each interval."""
    level: float = 0.95
    """Confidence of the intervals."""
    min_people: int = 30
    """A rate of a slice or a species on fewer people is withheld: none erring proves < 10 %."""
    seed: int = 0


def report(
    trials: Trials, how: Reporting, *, population: str, dataset: str = "", risk: str = ""
) -> dict[str, Any]:
    """All figures of `trials`; what cannot be said is null, with the reason beside it."""
    boot = Bootstrap.of(trials, replicates=how.replicates, seed=how.seed, level=how.level)
    made: dict[str, Any] = {
        "population": population,
        "people_are": STAND_IN if population == PERSONAS else f"people of {population}",
        "dataset": dataset,
        "protocol": PROTOCOL,
        "level": how.level,
        "counts": _counts(trials),
    }
    strangers = trials.of(Kind.STRANGER)
    for stream in STREAMS:
        figures = identification(boot, stream, how.target_fpir) | verification(boot, stream)
        made[stream] = flat(figures)
        if strangers.size:
            top = trials.top(stream)[strangers]
            at = metrics.threshold_at_fpir(top, how.target_fpir)
            name = fnir_name(how.target_fpir).replace("fnir", "threshold", 1)
            made[stream][name] = _number(at)
    made["served"] = {"risk": risk, **flat(served(boot))}
    made["failure_to_acquire"] = flat(acquisition(boot)) | {"reasons": _reasons(trials)}
    made["attacks"] = _attacks(boot, how.min_people)
    made["slices"] = {
        attribute: {s.value: flat({"fnir": s.fnir, "fpir": s.fpir}) for s in group}
        for attribute, group in by_attribute(slices(boot, min_people=how.min_people)).items()
    }
    return made


def flat(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Figures as plain numbers, each with `_ci`, `_trials` and `_people` (and `_why`) beside it."""
    out: dict[str, Any] = {}
    for name, figure in figures.items():
        out[name] = _number(figure.value)
        why = figure.why
        if figure.value is not None and out[name] is None:
            why = f"not finite: {figure.value}"
        if figure.interval is not None:
            ends = (figure.interval.low, figure.interval.high)
            out[f"{name}_ci"] = [_number(e) for e in ends]
        out[f"{name}_trials"] = figure.trials
        out[f"{name}_people"] = figure.people
        if why:
            out[f"{name}_why"] = why
    return out


def _number(value: float | None) -> float | None:
    # JSON knows no inf or NaN. Seven digits are more than any of these figures carries.
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.7g}")


def _counts(trials: Trials) -> dict[str, int]:
    mated, nonmated = trials.pairs(FUSED)
    members, strangers = trials.of(Kind.MEMBER), trials.of(Kind.STRANGER)
    return {
        "fridges": len(trials.fridges),
        "members": len(trials.members),
        "members_probed": np.unique(trials.person[members]).size,
        "strangers": np.unique(trials.person[strangers]).size,
        "captures": len(trials.captures),
        "mated_searches": members.size,
        "nonmated_searches": strangers.size,
        "attacks": trials.of(Kind.ATTACK).size,
        "mated_pairs": mated.size,
        "nonmated_pairs": nonmated.size,
    }


def _reasons(trials: Trials) -> dict[str, dict[str, int]]:
    of = trials.captures
    real = [i for i, attack in enumerate(of.attack) if not attack]
    return {
        name: dict(sorted(Counter(r for i in real if (r := rejected[i])).items()))
        for name, rejected in (("face", of.face_rejected), ("voice", of.voice_rejected))
    }


def _attacks(boot: Bootstrap, min_people: int) -> dict[str, Any]:
    trials = boot.trials
    attacks = trials.of(Kind.ATTACK)
    species = np.asarray(trials.captures.attack, dtype=object)[trials.capture]
    rates = metrics.attack_rates(list(species[attacks]), trials.accepted[attacks])
    out: dict[str, Any] = {"bpcer": None, "bpcer_why": NO_LIVENESS, "species": {}}
    for of in rates:
        at = attacks[species[attacks] == of.species]
        out["species"][of.species] = {
            **flat({"iapar": carried(boot.rate(trials.accepted, at), min_people)}),
            "apcer": of.apcer,
            "apcer_why": of.apcer_missing,
        }
    return out
