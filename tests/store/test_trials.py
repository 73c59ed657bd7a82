"""A/B trials and labels: kept with their decision, found by their comparison, gone with a member."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tests.store.people import NOW, enrol, furnish, later
from visavox.store import Store
from visavox.store.erasing import erase
from visavox.store.records import Label, Trial, TrialAnswer

GRANTED_ZOE = TrialAnswer("granted", "match", "zoe", 9.5, 4.5)
GRANTED_BEN = TrialAnswer("granted", "match", "ben", 6.5, 4.5)
REFUSED = TrialAnswer("refused", "below_threshold", None, 1.25, 4.5)


def trial(
    number: int, champion: TrialAnswer, challenger: TrialAnswer, *, at: datetime = NOW
) -> Trial:
    return Trial(
        f"dec_{number:03}", "kitchen", at, "shadow", "champion", "a" * 64, "b" * 64,
        (champion, challenger),
    )  # fmt: skip


def label(number: int, member: str | None, source: str = "admin") -> Label:
    return Label(f"dec_{number:03}", "kitchen", member, source, "key_admin", later(9))


def keep(store: Store, trials: Sequence[Trial], labels: Sequence[Label] = ()) -> None:
    with store.begin() as unit:
        for made in trials:
            unit.trials.add(made)
        for said in labels:
            unit.labels.put(said)


def test_trials_come_back_with_their_labels_oldest_first(store: Store) -> None:
    trials = [trial(i, GRANTED_ZOE, REFUSED, at=later(i)) for i in range(3)]
    keep(store, trials[::-1], [label(0, "zoe"), label(2, None)])
    with store.read() as unit:
        found = unit.trials.of("kitchen", "a" * 64, "b" * 64, since=NOW)
    assert found == [(trials[0], label(0, "zoe")), (trials[1], None), (trials[2], label(2, None))]


def test_a_comparison_is_of_two_models_at_one_fridge_since_it_began(store: Store) -> None:
    mine = trial(3, REFUSED, REFUSED, at=later(5))
    others = [
        replace(mine, decision="dec_a", fridge="hall"),
        replace(mine, decision="dec_b", champion="c" * 64),
        replace(mine, decision="dec_c", challenger="c" * 64),
        replace(mine, decision="dec_d", at=later(4)),
    ]
    keep(store, [mine, *others])
    with store.read() as unit:
        found = unit.trials.of("kitchen", "a" * 64, "b" * 64, since=later(5))
    assert found == [(mine, None)]


def test_disagreements_are_those_that_would_not_let_in_the_same(store: Store) -> None:
    retry = TrialAnswer("retry", "ambiguous", None, 5.0, 4.5)
    broken = TrialAnswer("error", "not_finite")
    pairs = [
        (GRANTED_ZOE, GRANTED_ZOE),
        (REFUSED, retry),
        (GRANTED_ZOE, REFUSED),
        (REFUSED, GRANTED_BEN),
        (GRANTED_ZOE, GRANTED_BEN),
        (GRANTED_ZOE, broken),
        (REFUSED, broken),
    ]
    keep(store, [trial(i, *pair) for i, pair in enumerate(pairs)], [label(4, "zoe")])
    with store.read() as unit:
        given = ("kitchen", "a" * 64, "b" * 64)
        first = unit.trials.disagreements(*given, since=NOW, limit=3)
        rest = unit.trials.disagreements(*given, since=NOW, limit=3, cursor=first.next_cursor)
    assert [t.decision for t, _ in first.items] == ["dec_005", "dec_004", "dec_003"]
    assert [t.decision for t, _ in rest.items] == ["dec_002"]
    assert rest.next_cursor is None
    assert dict(first.items)[trial(4, GRANTED_ZOE, GRANTED_BEN)] == label(4, "zoe")


def test_a_label_takes_the_place_of_another_and_a_suggestion_does_not(store: Store) -> None:
    with store.begin() as unit:
        unit.labels.suggest(label(1, "zoe", "pin"))
        assert unit.labels.get("dec_001") == label(1, "zoe", "pin")
        unit.labels.put(label(1, None))
        assert unit.labels.get("dec_001") == label(1, None)
        unit.labels.suggest(label(1, "ben", "pin"))
        assert unit.labels.get("dec_001") == label(1, None)
        assert unit.labels.get("dec_002") is None


def test_an_erased_member_is_in_no_trial_and_no_label(store: Store) -> None:
    furnish(store)
    enrol(store)
    keep(
        store,
        [
            trial(0, GRANTED_ZOE, REFUSED),
            trial(1, REFUSED, GRANTED_ZOE),
            trial(2, GRANTED_BEN, GRANTED_BEN),
            trial(3, REFUSED, REFUSED),
            replace(trial(4, GRANTED_ZOE, GRANTED_ZOE), fridge="hall"),
        ],
        [label(0, "zoe"), label(2, "ben"), label(3, "zoe")],
    )
    with store.begin() as unit:
        erase(unit, "kitchen", "zoe", actor="key_admin", at=NOW)
    with store.read() as unit:
        left = unit.trials.of("kitchen", "a" * 64, "b" * 64, since=NOW)
        assert [(t.decision, said and said.member) for t, said in left] == [
            ("dec_002", "ben"),
            ("dec_003", None),
        ]
        assert unit.labels.get("dec_000") is None
        # Somebody of the same id at another fridge is somebody else.
        assert len(unit.trials.of("hall", "a" * 64, "b" * 64, since=NOW)) == 1
