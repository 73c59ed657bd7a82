"""How a challenger compares with its champion, on requests that both answered. Pure.

Each request was a member's or a stranger's; a label says which, where somebody knows. What an
answer does wrong:

    a wrong opening    it would let in somebody who is not who they are taken for
    a turning away     it would not let in a member as themselves

`difference` of either is the challenger's error less the champion's: -1, 0 or 1. Where both would
let in the same, or neither anybody, it is 0, label or not. Where they disagree and nobody said who
it was, it lies between two bounds; whatever is claimed of the challenger is claimed at the bound
that speaks against the claim. So labels may come late, for some requests only, and rather for
those that went wrong: the claims hold all the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from visavox.rates import Mean, Rate
from visavox.service.sequential import Tally
from visavox.store.records import Label, Trial, TrialAnswer

Compared = tuple[Trial, Label | None]


@dataclass(frozen=True, slots=True)
class Side:
    """One model's answers."""

    outcomes: Mapping[str, int]
    fpir: Rate
    """Strangers who would be let in, of the requests labelled as a stranger's."""
    fnir: Rate
    """Members who would not be let in as themselves, of those labelled as a member's."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The tallies of one kind of error, at both ends of what is possible."""

    at_most: Tally
    """Disagreements that nobody labelled count against the challenger as far as they can."""
    at_least: Tally
    """They count for it as far as they can."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that can be said of two models from the requests that both answered."""

    trials: int
    labelled: int
    errors: int
    """Requests in which the challenger failed."""
    agreement: Mapping[str, Mapping[str, int]]
    """Requests by the champion's outcome, then by the challenger's."""
    disagreements: tuple[str, ...]
    """Decisions in which the two would not let in the same, oldest first."""
    champion: Side
    challenger: Side
    wrong_openings: Difference
    turned_away: Difference
    lead: Mean
    """The challenger's LLR above its threshold less the champion's, over all that both scored."""
    lead_of_members: Mean
    """Over those labelled as a member's: above zero is better."""
    lead_of_strangers: Mean
    """Over those labelled as a stranger's: below zero is better."""


def compare(rows: Sequence[Compared]) -> Comparison:
    """The comparison of the two models whose trials these are, all of one pair."""
    table: dict[str, Counter[str]] = {}
    for trial, _ in rows:
        champion, challenger = trial.answers
        table.setdefault(champion.outcome, Counter())[challenger.outcome] += 1
    return Comparison(
        trials=len(rows),
        labelled=sum(label is not None for _, label in rows),
        errors=sum(trial.answers[1].outcome == "error" for trial, _ in rows),
        agreement={one: dict(others) for one, others in table.items()},
        disagreements=tuple(trial.decision for trial, _ in rows if disagree(trial)),
        champion=_side(rows, 0),
        challenger=_side(rows, 1),
        wrong_openings=_difference(rows, _wrong_opening, _unknown_opening),
        turned_away=_difference(rows, _turned_away, _unknown_turning),
        lead=Mean.of(_leads(rows)),
        lead_of_members=Mean.of(_leads([r for r in rows if r[1] and r[1].member is not None])),
        lead_of_strangers=Mean.of(_leads([r for r in rows if r[1] and r[1].member is None])),
    )


def disagree(trial: Trial) -> bool:
    """Whether the two would not let in the same person."""
    champion, challenger = trial.answers
    return champion.member != challenger.member


def _side(rows: Sequence[Compared], which: int) -> Side:
    known = [(trial.answers[which], label) for trial, label in rows if label is not None]
    strangers = [answer for answer, label in known if label.member is None]
    members = [(answer, label) for answer, label in known if label.member is not None]
    return Side(
        outcomes=dict(Counter(trial.answers[which].outcome for trial, _ in rows)),
        fpir=Rate.of(sum(a.member is not None for a in strangers), len(strangers)),
        fnir=Rate.of(sum(_turned_away(a, label) for a, label in members), len(members)),
    )


def _wrong_opening(answer: TrialAnswer, label: Label) -> bool:
    return answer.member is not None and answer.member != label.member


def _turned_away(answer: TrialAnswer, label: Label) -> bool:
    return label.member is not None and answer.member != label.member


def _unknown_opening(champion: str | None, challenger: str | None) -> tuple[int, int]:
    """The least and the most that a disagreement can differ in wrong openings."""
    return -(champion is not None), int(challenger is not None)


def _unknown_turning(champion: str | None, challenger: str | None) -> tuple[int, int]:
    """The same of turnings away: whom one lets in alone may be a member whom the other does not."""
    return -(challenger is not None), int(champion is not None)


def _difference(
    rows: Sequence[Compared],
    erred: Callable[[TrialAnswer, Label], bool],
    unknown: Callable[[str | None, str | None], tuple[int, int]],
) -> Difference:
    least, most = Counter[int](), Counter[int]()
    for trial, label in rows:
        champion, challenger = trial.answers
        low = high = 0
        if disagree(trial):
            if label is None:
                low, high = unknown(champion.member, challenger.member)
            else:
                low = high = erred(challenger, label) - erred(champion, label)
        least[low] += 1
        most[high] += 1
    return Difference(at_most=_tally(most), at_least=_tally(least))


def _tally(counts: Counter[int]) -> Tally:
    return Tally(better=counts[-1], equal=counts[0], worse=counts[1])


def _leads(rows: Sequence[Compared]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    above = [
        (b.llr - b.threshold) - (a.llr - a.threshold)
        for a, b in (trial.answers for trial, _ in rows)
        if a.llr is not None
        and a.threshold is not None
        and b.llr is not None
        and b.threshold is not None
    ]
    return np.array(above, np.float64)
