"""May this candidate serve its fridge? Families × limits × champion → verdict with reasons.

The family is chosen first, by one rule that is said before: the preferred one (the champion's,
else the recipe's first) unless another has a lower Cllr, and that beyond chance. What is chosen is
judged once; nothing else is tried until something passes.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from visavox.errors import DataError
from visavox.service.shelf import replace
from visavox.training import gate_champion, gate_limits
from visavox.training.gate_champion import Difference, Drawn, Name, difference, judge_margin, paired
from visavox.training.gate_limits import COSTS, Judged, count, judge_limit, lookup, number, upper
from visavox.training.intervals import clopper_pearson
from visavox.training.production import fridge_fit
from visavox.training.production.fridge_fit import Kept
from visavox.training.production.fridge_proof import Champion, Proved
from visavox.training.production.settings import Gate, Limit, Margin, Proof, Recipe
from visavox.training.trials import Kind

VERDICT = "verdict.json"
CHOICE: Name = "fused.cllr"
"""What families are compared by: it counts every score, not only the few errors."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` why it is refused (none when it passes), the `claims` that are proved, and what
    the captures neither prove nor disprove."""

    fridge: str
    passed: bool
    family: str
    digest: str
    chosen_by: str
    reasons: tuple[str, ...]
    claims: tuple[str, ...]
    unproved: tuple[str, ...]
    champion: str | None
    """The digest of what it was compared with."""
    unproved_members: tuple[str, ...]
    same_session_members: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Verdict":
        """The inverse of `to_json`, also after it has been through JSON."""
        try:
            listed: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in said.items()
            }
            return cls(**listed)
        except TypeError as error:
            raise DataError(
                f"This is no verdict: {error}.", next_step="Judge the fridge again."
            ) from None


@dataclass(frozen=True, slots=True)
class _Said:
    """One sentence: for (True), against (False), or neither (None)."""

    passed: bool | None
    sentence: str

    @classmethod
    def of(cls, judged: Judged) -> "_Said":
        return cls(judged.passed, judged.sentence)


def judge(candidates: Sequence[Kept], recipe: Recipe, champion: Champion | None = None) -> Verdict:
    """Choose among the recipe's families, then gate. Every candidate is of the same fridge."""
    able = [c for c in candidates if c.family in recipe.families]
    sound = [c for c in able if not c.about["unsound"]]
    if not able:
        raise DataError(
            "There is no candidate of any of the recipe's families.",
            next_step="Train the fridge first; see the run for why that failed.",
        )
    chosen, rule = choose(sound or able, _preferred(recipe, champion), recipe.proof)
    said = [*_sound(chosen), *_limits(chosen.proved.figures, recipe.gate)]
    if champion is not None:
        said += _against(chosen, candidates, champion, recipe)
    said += _members(chosen)
    return Verdict(
        fridge=str(chosen.about["fridge"]),
        passed=not any(s.passed is False for s in said),
        family=chosen.family,
        digest=chosen.digest,
        chosen_by=rule,
        reasons=tuple(s.sentence for s in said if s.passed is False),
        claims=tuple(s.sentence for s in said if s.passed),
        unproved=tuple(s.sentence for s in said if s.passed is None),
        champion=None if champion is None else champion.digest,
        unproved_members=tuple(chosen.about["unproved_members"]),
        same_session_members=tuple(chosen.about["same_session_members"]),
    )


def judge_folder(folder: Path, recipe: Recipe, champion: Champion | None = None) -> Verdict:
    """Judge what `fridge_fit.keep` left in a fridge's folder, and write the verdict there."""
    verdict = judge(candidates(folder), recipe, champion)
    keep(verdict, folder)
    return verdict


def keep(verdict: Verdict, folder: Path) -> None:
    """Write a verdict into its fridge's folder."""
    text = json.dumps(verdict.to_json(), indent=1, allow_nan=False) + "\n"
    replace(folder / VERDICT, text.encode())


def candidates(folder: Path) -> list[Kept]:
    """All that were kept whole in a fridge's folder, by family."""
    found = sorted(folder.glob(f"*/{fridge_fit.FIGURES}"))
    return [fridge_fit.read(path.parent) for path in found]


def read(folder: Path) -> Verdict:
    """The verdict in a fridge's folder."""
    try:
        return Verdict.from_json(json.loads((folder / VERDICT).read_bytes()))
    except (OSError, ValueError) as error:
        raise DataError(
            f"There is no verdict on {folder.name!r}: {type(error).__name__}.",
            next_step="Judge the fridge first.",
        ) from None


def choose(of: Sequence[Kept], preferred: Sequence[str], how: Proof) -> tuple[Kept, str]:
    """The preferred family, unless another is better beyond chance; and why it was chosen."""
    rank = {family: i for i, family in enumerate(preferred)}
    ordered = sorted(of, key=lambda c: rank.get(c.family, len(rank)))
    first, others = ordered[0], ordered[1:]
    if not others:
        return first, f"{first.family}: the only family that could be fitted."
    better = []
    for other in others:
        drawn = _drawn(other.proved, first.proved, how)
        found = None if drawn is None else difference(drawn, CHOICE)
        if found is not None and found.interval.high < 0:
            better.append((found.challenger, found, other))
    if not better:
        why = f"no other family has a lower Cllr beyond chance ({how.level:.0%})"
        return first, f"{first.family}: preferred, and {why}."
    _, found, best = min(better, key=lambda b: b[0])
    return best, (
        f"{best.family}: its Cllr is {found.challenger:.3g} bits, that of {first.family} (preferred)"
        f" {found.champion:.3g}, at {how.level:.0%} confidence lower by"
        f" {-found.interval.high:.3g} or more."
    )


def _preferred(recipe: Recipe, champion: Champion | None) -> list[str]:
    mine: list[str] = list(recipe.families)
    if champion is not None and champion.family in mine:
        return list(dict.fromkeys([champion.family, *mine]))
    return mine


def _sound(chosen: Kept) -> Iterator[_Said]:
    wrong = chosen.about["unsound"]
    for sentence in wrong:
        yield _Said(False, sentence)
    if not wrong:
        known = len(chosen.about["members"])
        yield _Said(True, f"It knows all {known} members, and its numbers are finite.")


def _limits(figures: Mapping[str, Any], gate: Gate) -> Iterator[_Said]:
    for limit in gate.limits:
        if limit.refuse == "unproved":
            proof = gate_limits.Limit(metric=limit.metric, at_most=limit.at_most, compare="upper")
            yield _Said.of(judge_limit(figures, proof, level=gate.level))
        else:
            yield _unless_disproved(figures, limit, gate.level)


def _unless_disproved(figures: Mapping[str, Any], limit: Limit, level: float) -> _Said:
    name = limit.metric
    value, why = number(figures, name)
    people = count(figures, f"{name}_people") or 0
    if value is None:
        # Where there was something to measure, a figure that is not finite is a broken model's.
        return _Said(False if people else None, f"{name} is not known: {why}.")
    ends = lookup(figures, f"{name}_ci")
    low = ends[0] if isinstance(ends, list | tuple) else None
    high = upper(figures, name)
    is_rate = name.rpartition(".")[2] not in COSTS
    shown = f"{name} is {_said(value, is_rate)} on {people:,} people"
    allowed = _said(limit.at_most, is_rate)
    # Of one person resampling draws the same again and again: bits are then without an interval.
    alone = people < 2 and not is_rate
    if not alone and (low is None or low > limit.at_most):
        least = "nothing finite" if low is None else f"{_said(low, is_rate)} or more"
        return _Said(False, f"{shown}, at {level:.0%} confidence {least}; {allowed} is the limit.")
    if alone or high is None or high > limit.at_most:
        most = "anything" if alone or high is None else _said(high, is_rate)
        return _Said(
            None,
            f"{shown}, which at {level:.0%} confidence allows for {most}: neither proves nor"
            f" disproves {allowed}.",
        )
    return _Said(True, f"{shown}: at most {allowed}, proved at {level:.0%} confidence.")


def _against(
    chosen: Kept, of: Sequence[Kept], champion: Champion, recipe: Recipe
) -> Iterator[_Said]:
    fitted = [c for c in of if c.family == champion.family]
    if not fitted:
        yield _Said(
            False, f"The champion's family, {champion.family}, was not fitted to compare with."
        )
        return
    theirs = fitted[0].champion
    drawn = None if theirs is None else _drawn(chosen.proved, theirs, recipe.proof)
    if drawn is None:
        yield _Said(
            None,
            "It cannot be compared with the champion: of nobody whom both know could a capture"
            " be held out.",
        )
        return
    for margin in recipe.gate.margins:
        yield _margin(drawn, margin, recipe.gate.level)


def _margin(drawn: Drawn, margin: Margin, level: float) -> _Said:
    found = difference(drawn, margin.metric)
    plain = gate_champion.Margin(metric=margin.metric, at_most=margin.at_most)
    if margin.refuse == "unproved":
        return _Said.of(judge_margin(found, plain, level=level))
    if found is None:
        return _Said(None, f"{margin.metric} cannot be compared: too few trials in common.")
    kept = judge_margin(found, plain, level=level)
    if kept.passed:
        return _Said.of(kept)
    is_rate = margin.metric.rpartition(".")[2] not in COSTS
    shown = (
        f"{margin.metric} is {_said(found.challenger, is_rate)}, the champion's"
        f" {_said(found.champion, is_rate)}, on {found.people:,} people"
    )
    allowed = _said(margin.at_most, is_rate)
    low = _at_least(found, is_rate, level)
    if low > margin.at_most:
        return _Said(
            False,
            f"{shown}: worse by {_said(low, is_rate)} or more at {level:.0%}"
            f" confidence; the margin is {allowed}.",
        )
    return _Said(
        None,
        f"{shown}: so few people neither prove nor disprove that it is within {allowed} of it.",
    )


def _at_least(found: Difference, is_rate: bool, level: float) -> float:
    """By how much it is worse at the least: where few are served worse, resampling them cannot
    show that others would be, and as many independent people bound it exactly."""
    if not is_rate:
        return found.interval.low if found.people > 1 else -math.inf
    worse = max(found.challenger - found.champion, 0.0)
    exact = clopper_pearson(worse * found.people, found.people, level)
    return min(found.interval.low, exact.low)


def _members(chosen: Kept) -> Iterator[_Said]:
    known = len(chosen.about["members"])
    if lone := len(chosen.about["unproved_members"]):
        yield _Said(
            None,
            f"{lone} of {known} members gave a single capture, so that nothing could be held out"
            " of them: whether they are recognised is not proved.",
        )
    if same := len(chosen.about["same_session_members"]):
        yield _Said(
            None,
            f"{same} of {known} members gave captures of one session alone: that they are"
            " recognised on another day is not proved.",
        )


def _drawn(challenger: Proved, champion: Proved, how: Proof) -> Drawn | None:
    pair = paired(challenger.trials, champion.trials)
    if pair is None or not pair.challenger.of(Kind.MEMBER).size:
        return None
    return pair.draw(replicates=how.replicates, seed=how.seed, level=how.level)


def _said(value: float, rate: bool) -> str:
    return f"{100 * value:.3g} %" if rate else f"{value:.3g} bits"
