"""Two models on the same requests: who disagrees, who errs, and what may be claimed."""

from datetime import timedelta

import numpy as np
import pytest

from tests.store.people import NOW
from visavox.config import validated
from visavox.errors import ConfigError
from visavox.rates import Mean
from visavox.service.comparison import Compared, compare
from visavox.service.experiment_policy import ExperimentPolicy, Outcome, Ruling, rule
from visavox.service.sequential import Tally
from visavox.store.records import Label, Trial, TrialAnswer

ADA, BEN = "ada", "ben"
NOBODY = "nobody"
UNKNOWN = "unknown"
POLICY = ExperimentPolicy()


def answer(said: str | None, llr: float | None = None) -> TrialAnswer:
    if said == "error":
        return TrialAnswer("error", "not_finite")
    if said is None:
        return TrialAnswer("refused", "below_threshold", None, 1.0 if llr is None else llr, 5.0)
    return TrialAnswer("granted", "match", said, 9.0 if llr is None else llr, 5.0)


def row(
    champion: str | None, challenger: str | None, truth: str = UNKNOWN, number: int = 0
) -> Compared:
    name = f"dec_{number:06}"
    answers = answer(champion), answer(challenger)
    trial = Trial(name, "kitchen", NOW, "shadow", "champion", "a", "b", answers)
    if truth == UNKNOWN:
        return trial, None
    member = None if truth == NOBODY else truth
    return trial, Label(name, "kitchen", member, "admin", "key_admin", NOW)


def ruled(rows: list[Compared], *, days: float = 1.0, policy: ExperimentPolicy = POLICY) -> Ruling:
    return rule(policy, compare(rows), timedelta(days=days))


def test_agreement_is_counted_by_outcome_and_disagreement_by_whom_it_would_let_in() -> None:
    rows = [
        row(ADA, ADA, number=0),
        row(ADA, None, number=1),
        row(ADA, BEN, number=2),
        row(None, None, number=3),
        row(None, "error", number=4),
        row(ADA, "error", number=5),
    ]
    found = compare(rows)
    assert found.trials == 6
    assert found.agreement == {
        "granted": {"granted": 2, "refused": 1, "error": 1},
        "refused": {"refused": 1, "error": 1},
    }
    assert found.disagreements == ("dec_000001", "dec_000002", "dec_000005")
    assert found.errors == 2
    assert found.challenger.outcomes == {"granted": 2, "refused": 2, "error": 2}


def test_error_rates_are_of_labelled_requests_alone() -> None:
    rows = [
        row(ADA, ADA, ADA),
        row(None, ADA, ADA),
        row(BEN, ADA, ADA),  # taken for somebody else: turned away, too
        row(None, BEN, NOBODY),
        row(None, None, NOBODY),
        row(ADA, None),
    ]
    found = compare(rows)
    assert found.labelled == 5
    champion, challenger = found.champion, found.challenger
    assert (champion.fnir.errors, champion.fnir.trials) == (2, 3)
    assert (challenger.fnir.errors, challenger.fnir.trials) == (0, 3)
    assert (champion.fpir.errors, champion.fpir.trials) == (0, 2)
    assert (challenger.fpir.errors, challenger.fpir.trials) == (1, 2)
    assert challenger.fpir.low < 0.5 < challenger.fpir.high


@pytest.mark.parametrize(
    ("champion", "challenger", "truth", "opening", "turning"),
    [
        (ADA, ADA, NOBODY, 0, 0),  # both wrong alike
        (None, ADA, ADA, 0, -1),
        (None, ADA, NOBODY, 1, 0),
        (None, ADA, BEN, 1, 0),
        (ADA, None, ADA, 0, 1),
        (ADA, None, NOBODY, -1, 0),
        (ADA, BEN, ADA, 1, 1),
        (ADA, BEN, BEN, -1, -1),
        (ADA, BEN, NOBODY, 0, 0),
        (ADA, "error", ADA, 0, 1),
    ],
)
def test_a_difference_is_the_challengers_error_less_the_champions(
    champion: str | None, challenger: str | None, truth: str, opening: int, turning: int
) -> None:
    found = compare([row(champion, challenger, truth)])
    tallies = {-1: Tally(1, 0, 0), 0: Tally(0, 1, 0), 1: Tally(0, 0, 1)}
    for difference, wanted in ((found.wrong_openings, opening), (found.turned_away, turning)):
        assert difference.at_most == difference.at_least == tallies[wanted]


@pytest.mark.parametrize(
    ("champion", "challenger"), [(ADA, ADA), (ADA, None), (None, ADA), (ADA, BEN), (None, None)]
)
def test_without_a_label_the_bounds_hold_whoever_it_was(
    champion: str | None, challenger: str | None
) -> None:
    def values(tally: Tally) -> int:
        return tally.worse - tally.better

    unknown = compare([row(champion, challenger)])
    for name in ("wrong_openings", "turned_away"):
        possible = [
            values(getattr(compare([row(champion, challenger, truth)]), name).at_most)
            for truth in (ADA, BEN, "eve", NOBODY)
        ]
        bounds = getattr(unknown, name)
        assert values(bounds.at_least) == min(possible)
        assert values(bounds.at_most) == max(possible)


def test_leads_over_the_threshold_are_compared_pair_by_pair() -> None:
    def scored(champion: float, challenger: float, truth: str) -> Compared:
        label = row(ADA, ADA, truth)[1]
        answers = answer(ADA, champion), answer(ADA, challenger)
        return Trial("d", "k", NOW, "shadow", "champion", "a", "b", answers), label

    rows = [scored(9, 11, ADA), scored(8, 9, ADA), scored(2, 1, NOBODY), row(None, "error")]
    found = compare(rows)
    assert found.lead.count == 3
    assert found.lead.mean == pytest.approx(2 / 3)
    assert found.lead_of_members.count == 2
    assert found.lead_of_members.mean == pytest.approx(1.5)
    assert found.lead_of_strangers == Mean(1, -1.0, None, None)


def test_an_untried_challenger_is_tried_for_longer() -> None:
    ruling = ruled([])
    assert ruling.verdict is Outcome.EXTEND
    assert ruling.reasons[0] == "0 requests were compared; at least 50 are asked."
    assert ruling.safe.value == pytest.approx(1.0)
    asked = [e.asked for e in (ruling.safe, ruling.welcoming, ruling.unsafe, ruling.unwelcoming)]
    # Both proofs are needed to promote; either harm is enough to reject, so each has half of beta.
    assert asked == [20.0, 20.0, 40.0, 40.0]


def test_one_that_always_agrees_is_promoted_as_soon_as_that_proves_anything() -> None:
    assert ruled([row(ADA, ADA)] * 170).verdict is Outcome.EXTEND
    ruling = ruled([row(ADA, ADA)] * 171)
    assert ruling.verdict is Outcome.PROMOTE
    assert "In 171 requests it is proven" in ruling.reasons[0]


def test_evidence_alone_does_not_promote_before_the_fewest_requests() -> None:
    asked = ExperimentPolicy(trials=500)
    assert ruled([row(ADA, ADA)] * 400, policy=asked).verdict is Outcome.EXTEND
    assert ruled([row(ADA, ADA)] * 500, policy=asked).verdict is Outcome.PROMOTE


def test_openings_that_nobody_vouched_for_count_against_it() -> None:
    """Letting in whom the champion refuses is good news only where somebody says who it was."""
    more = [row(None, ADA)] * 20
    same = [row(ADA, ADA)] * 400
    assert ruled(same + more).verdict is Outcome.EXTEND
    vouched = [row(None, ADA, ADA)] * 20
    assert ruled(same + vouched).verdict is Outcome.PROMOTE


def test_one_that_lets_strangers_in_is_rejected() -> None:
    ruling = ruled([row(ADA, ADA)] * 100 + [row(None, ADA, NOBODY)] * 10)
    assert ruling.verdict is Outcome.REJECT
    assert "opens wrongly more often" in ruling.reasons[0]


def test_one_that_turns_members_away_is_rejected() -> None:
    ruling = ruled([row(ADA, ADA)] * 100 + [row(ADA, None, ADA)] * 10)
    assert ruling.verdict is Outcome.REJECT
    assert "turns members away more often" in ruling.reasons[0]


def test_one_that_fails_is_rejected_at_once() -> None:
    assert ruled([row(ADA, "error")] * 2).verdict is Outcome.EXTEND
    ruling = ruled([row(ADA, "error")] * 3)
    assert ruling.verdict is Outcome.REJECT
    assert ruling.reasons == ("It failed in 3 of 3 requests.",)


def test_one_that_is_not_proven_in_time_leaves_the_champion_where_it_is() -> None:
    ruling = ruled([row(ADA, ADA)] * 60, days=14)
    assert ruling.verdict is Outcome.REJECT
    assert ruling.reasons[0] == "It is not proven after 14 days: the champion stays."
    assert ruled([row(ADA, ADA)] * 60, days=13.9).verdict is Outcome.EXTEND


@pytest.mark.parametrize("labelled", [0.0, 0.3])
def test_whoever_looks_again_and_again_promotes_hardly_any_bad_challenger(labelled: float) -> None:
    """It opens to strangers in 2 % of requests in which the champion does not, known or not."""
    rng, promoted, repeats = np.random.default_rng(3), 0, 100
    for _ in range(repeats):
        bad = rng.random(220) < POLICY.wrong_openings
        known = rng.random(220) < labelled
        rows: list[Compared] = []
        for is_bad, is_known in zip(bad, known, strict=True):
            truth = (NOBODY if is_bad else ADA) if is_known else UNKNOWN
            rows.append(row(None if is_bad else ADA, ADA, truth))
        looks = (ruled(rows[:n]).verdict for n in (171, 190, 220))
        promoted += Outcome.PROMOTE in looks
    assert promoted / repeats <= POLICY.alpha + 3 * np.sqrt(0.05 * 0.95 / repeats)


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"beta": 0.9}, {"days": 0}, {"patience": 1}])
def test_a_policy_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        validated(ExperimentPolicy, wrong)
