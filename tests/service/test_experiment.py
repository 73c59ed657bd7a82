"""A challenger beside the champion: both answer every request, one decides, and it shows."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.challenging import challenge, challenged, trained
from tests.service.scene import ADMIN, NO_FACE, Hands, Kitchen, on_sqlite, probe
from visavox.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from visavox.service import (
    authentication,
    duel,
    events,
    experiment,
    labels,
    members,
    models,
    pins,
    rollout,
)
from visavox.service.answer import Sample
from visavox.service.conclusion import conclude
from visavox.service.experiment import Wish
from visavox.service.experiment_policy import ExperimentPolicy, Outcome, rule
from visavox.service.house import Actor
from visavox.service.snapshot import Snapshot
from visavox.service.standing import Challenge, Mode
from visavox.store import Store
from visavox.store.records import DecisionOutcome, Role, Trial
from visavox.table import EmbeddingTable, Scores

GRANTED, REFUSED = DecisionOutcome.GRANTED, DecisionOutcome.REFUSED
SHADOW, SPLIT = Mode.SHADOW, Mode.SPLIT
PIN = "481902"


@pytest.fixture
def tried(kitchen: Kitchen, tmp_path: Path) -> Kitchen:
    """Two members; a champion trained on them, and a challenger of another family in its shadow."""
    for who in (0, 1):
        kitchen.enrol(who, pin=PIN)
    challenged(kitchen.house, "kitchen", tmp_path)
    return kitchen


def split(kitchen: Kitchen, share: float = 1.0) -> None:
    experiment.change(kitchen.house, ADMIN, "kitchen", mode=SPLIT, share=share)


def trials(kitchen: Kitchen) -> list[Trial]:
    now = experiment.read(kitchen.house, ADMIN, "kitchen")
    with kitchen.house.store.read() as unit:
        given = "kitchen", now.champion, now.challenge.digest
        return [t for t, _ in unit.trials.of(*given, since=now.challenge.since)]


def with_challenger(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """From now on every snapshot has the same challenger, but for what is changed of it."""
    plain = type(kitchen.house.models).snapshot

    def altered(*given: Any) -> Snapshot:
        found = plain(*given)
        assert found.challenger is not None
        return replace(found, challenger=replace(found.challenger, **changed))

    monkeypatch.setattr(type(kitchen.house.models), "snapshot", altered)


def test_in_the_shadow_both_answer_and_the_champion_decides(tried: Kitchen, hands: Hands) -> None:
    found = experiment.read(tried.house, ADMIN, "kitchen")
    answers = []
    for who in (0, 1, 5):
        hands.pass_by(1)
        answers.append(tried.ask(probe(who)))
    assert [a.decision.outcome for a in answers] == [GRANTED, GRANTED, REFUSED]
    assert {a.decision.bundle for a in answers} == {found.champion}
    kept = trials(tried)
    assert [t.decision for t in kept] == [a.decision.id for a in answers]
    for trial, answer in zip(kept, answers, strict=True):
        champion, challenger = trial.answers
        assert (trial.mode, trial.arm) == ("shadow", "champion")
        assert champion.llr == answer.decision.candidates[0].fused
        assert champion.threshold == answer.decision.threshold
        assert champion.member == challenger.member == answer.decision.member
        # It is another model, and really scored.
        assert challenger.llr is not None
        assert challenger.llr != champion.llr
    assert kept[2].answers[1].outcome == "refused"


def test_what_the_challenger_is_said_to_have_answered_is_what_it_would_answer(
    tried: Kitchen,
) -> None:
    """The trial's scores are those that come out once the challenger is the champion."""
    tried.ask(probe(0))
    shadow = trials(tried)[0].answers[1]
    rollout.promote_challenger(tried.house, ADMIN, "kitchen")
    decision = tried.ask(probe(0)).decision
    assert (decision.candidates[0].fused, decision.threshold) == (shadow.llr, shadow.threshold)


def test_in_a_split_the_record_names_the_bundle_that_decided(tried: Kitchen) -> None:
    split(tried)
    found = experiment.read(tried.house, ADMIN, "kitchen")
    decision = tried.ask(probe(0)).decision
    assert (decision.outcome, decision.member) == (GRANTED, "p0")
    assert decision.bundle == found.challenge.digest
    trial = trials(tried)[0]
    assert (trial.mode, trial.arm) == ("split", "challenger")
    assert trial.answers[1].llr == decision.candidates[0].fused


def test_newcomers_are_scored_alike_under_both(tried: Kitchen) -> None:
    tried.enrol(2)
    tried.ask(probe(2))
    champion, challenger = trials(tried)[0].answers
    assert champion.member == challenger.member == "p2"
    assert champion.llr == challenger.llr


def test_a_capture_without_evidence_is_no_trial(tried: Kitchen) -> None:
    tried.ask(Sample(images=(NO_FACE,)))
    assert trials(tried) == []


def test_without_a_challenger_nothing_is_tried(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    kitchen.ask(probe(0))
    with pytest.raises(NotFound, match="No challenger"):
        experiment.read(kitchen.house, ADMIN, "kitchen")
    with pytest.raises(Conflict, match="No challenger"):
        experiment.change(kitchen.house, ADMIN, "kitchen", mode=SHADOW)
    with pytest.raises(Conflict, match="No challenger"):
        experiment.conclude(kitchen.house, ADMIN, "kitchen", Wish.PROMOTE)
    assert experiment.settle(kitchen.house, "kitchen") is None
    assert experiment.settle(kitchen.house, "cellar") is None


class Broken:
    """A discriminator that does not do what it should."""

    def __init__(self, inner: Any, value: float | None) -> None:
        self.inner, self.members, self.value = inner, inner.members, value

    def score(self, table: EmbeddingTable) -> Scores:
        if self.value is None:
            raise ZeroDivisionError("secret of the probe")
        found: Scores = self.inner.score(table)
        broken = np.full_like(found.fused, self.value)
        return Scores(found.members, broken, broken, broken)


@pytest.mark.parametrize("mode", [SHADOW, SPLIT])
@pytest.mark.parametrize("value", [None, np.nan, np.inf])
@on_sqlite
def test_a_challenger_that_fails_fails_nobody(
    tried: Kitchen,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    value: float | None,
    mode: Mode,
) -> None:
    if mode is SPLIT:
        split(tried)
    with tried.house.store.read() as unit:
        found = tried.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.challenger is not None
    broken = Broken(found.challenger.discriminator, value)
    with_challenger(tried, monkeypatch, discriminator=broken)
    decision = tried.ask(probe(0)).decision
    assert (decision.outcome, decision.member) == (GRANTED, "p0")
    trial = trials(tried)[0]
    assert trial.arm == "champion"
    assert decision.bundle == trial.champion
    assert trial.answers[1].outcome == "error"
    assert trial.answers[1].reason == ("ZeroDivisionError" if value is None else "BundleError")
    assert trial.answers[1].member is None
    assert "secret of the probe" not in caplog.text
    assert experiment.read(tried.house, ADMIN, "kitchen").comparison.errors == 1


@on_sqlite
def test_a_threshold_that_is_no_number_lets_nobody_in(
    tried: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(tried)
    with tried.house.store.read() as unit:
        found = tried.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.challenger is not None
    policy = found.challenger.policy
    nan = {"threshold": np.nan, "face_threshold": np.nan, "voice_threshold": np.nan}
    levels = {risk: replace(level, **nan) for risk, level in policy.levels.items()}
    with_challenger(tried, monkeypatch, policy=replace(policy, levels=levels))
    assert tried.ask(probe(5)).decision.outcome is REFUSED
    assert trials(tried)[0].answers[1].outcome == "error"


def test_the_same_person_meets_the_same_model_all_day_and_shares_are_kept() -> None:
    hands = Hands()
    half = Challenge("c" * 64, SPLIT, 0.3, hands.now)
    people = [f"p{i}" for i in range(2000)]
    today = [duel.decides(half, p, hands.now) for p in people]
    assert 0.27 < np.mean(today) < 0.33
    evening = hands.now + timedelta(hours=11)
    assert [duel.decides(half, p, evening) for p in people] == today
    tomorrow = [duel.decides(half, p, hands.now + timedelta(days=1)) for p in people]
    assert 0.05 < np.mean(np.array(today) & np.array(tomorrow)) < 0.13
    wider = replace(half, share=0.6)
    assert all(duel.decides(wider, p, hands.now) for p, of in zip(people, today, strict=True) if of)
    shadow = Challenge("c" * 64, SHADOW, 0.0, hands.now)
    assert not any(duel.decides(shadow, p, hands.now) for p in people)


def test_an_erased_member_leaves_trials_and_labels(tried: Kitchen) -> None:
    answers = [tried.ask(probe(who)) for who in (0, 1)]
    for who, answer in enumerate(answers):
        labels.put(tried.house, ADMIN, answer.decision.id, f"p{who}")
    members.remove(tried.house, ADMIN, "kitchen", "p0")
    left = trials(tried)
    assert [t.decision for t in left] == [answers[1].decision.id]
    with tried.house.store.read() as unit:
        assert unit.labels.get(answers[0].decision.id) is None
        assert unit.labels.get(answers[1].decision.id) is not None
    # The trial of the two models goes on without them.
    assert tried.ask(probe(0)).decision.outcome is REFUSED
    assert len(trials(tried)) == 2


@on_sqlite
def test_whoever_is_erased_while_they_are_looked_at_is_in_no_trial(
    tried: Kitchen, store: Store
) -> None:
    heard = tried.house.perception
    sample = probe(0)
    seen = heard.perceive(heard.take(images=sample.images, audio=sample.audio))
    with store.read() as unit:
        found = tried.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    verdict = duel.fought(
        found,
        lambda models: authentication.judge(tried.house, models, seen),
        kiosk=tried.kiosk.key_id,
        at=tried.house.clock(),
    )
    assert verdict.duel is not None
    assert set(verdict.duel.members) == {"p0"}
    members.remove(tried.house, ADMIN, "kitchen", "p0")
    answer = conclude(tried.house, tried.kiosk, verdict, arrived=tried.house.clock())
    assert answer.decision.outcome is REFUSED
    assert trials(tried) == []


def test_kiosks_ask_on_while_a_member_is_erased_and_the_challenger_promoted(
    tried: Kitchen,
) -> None:
    """No request fails, and no trial or label names whom nobody knows any more."""
    house, heard = tried.house, tried.house.perception
    samples = [probe(who) for who in (0, 1)]
    seen = [heard.perceive(heard.take(images=s.images, audio=s.audio)) for s in samples]
    begun = threading.Barrier(4)

    def visit(kiosk: Actor) -> list[DecisionOutcome]:
        begun.wait()
        outcomes = []
        for i in range(12):
            with house.store.read() as unit:
                found = house.models.snapshot(unit, unit.fridges.get("kitchen"))
            verdict = duel.fought(
                found,
                lambda models, i=i: authentication.judge(house, models, seen[i % 2]),  # type: ignore[misc]
                kiosk=kiosk.key_id,
                at=house.clock(),
            )
            answer = conclude(house, kiosk, verdict, arrived=house.clock())
            outcomes.append(answer.decision.outcome)
        return outcomes

    now = experiment.read(house, ADMIN, "kitchen")
    with ThreadPoolExecutor(3) as pool:
        kiosks = [tried.kiosk, tried.another_kiosk(), tried.another_kiosk()]
        visits = [pool.submit(visit, kiosk) for kiosk in kiosks]
        begun.wait()
        members.remove(house, ADMIN, "kitchen", "p0")
        experiment.conclude(house, ADMIN, "kitchen", Wish.PROMOTE)
        assert sum(len(v.result()) for v in visits) == 36
    assert models.read(house, ADMIN, "kitchen").bundle == now.challenge.digest
    with house.store.read() as unit:
        pair = now.champion, now.challenge.digest
        left = unit.trials.of("kitchen", *pair, since=now.challenge.since)
    assert {a.member for t, _ in left for a in t.answers} <= {"p1", None}


@on_sqlite
def test_an_id_given_again_meanwhile_is_in_no_trial_of_the_person_before(
    tried: Kitchen, hands: Hands
) -> None:
    heard = tried.house.perception
    sample = probe(0)
    seen = heard.perceive(heard.take(images=sample.images, audio=sample.audio))
    with tried.house.store.read() as unit:
        found = tried.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    verdict = duel.fought(
        found,
        lambda models: authentication.judge(tried.house, models, seen),
        kiosk=tried.kiosk.key_id,
        at=hands.now,
    )
    members.remove(tried.house, ADMIN, "kitchen", "p0")
    hands.pass_by(1)
    tried.enrol(5, id="p0")
    conclude(tried.house, tried.kiosk, verdict, arrived=hands.now)
    assert trials(tried) == []


@on_sqlite
def test_a_verdict_is_for_the_challenger_that_earned_it(
    tried: Kitchen, monkeypatch: pytest.MonkeyPatch, hands: Hands, tmp_path: Path
) -> None:
    """Another retraining deploys the next challenger just while the first one is judged."""
    easy = tried.set(experiment=ExperimentPolicy(trials=4, wrong_openings=0.5, turned_away=0.5))
    for i in range(5):
        easy.ask(probe(i % 2))
    before = experiment.read(easy.house, ADMIN, "kitchen")
    assert before.ruling.verdict is Outcome.PROMOTE
    hands.pass_by(1)
    another, plain = trained(easy.house, "kitchen", tmp_path / "next", "prototype"), rule

    def meanwhile(*given: Any) -> Any:
        challenge(easy.house, "kitchen", another)
        return plain(*given)

    monkeypatch.setattr(experiment, "rule", meanwhile)
    assert experiment.settle(easy.house, "kitchen") is None
    monkeypatch.undo()
    after = experiment.read(easy.house, ADMIN, "kitchen")
    assert after.champion == before.champion
    assert after.challenge.digest == another.name
    assert after.comparison.trials == 0


def test_the_way_of_the_trial_is_changed_by_an_admin_and_for_what_was_read(
    tried: Kitchen,
) -> None:
    tried.ask(probe(0))
    before = experiment.read(tried.house, ADMIN, "kitchen")
    after = experiment.change(
        tried.house, ADMIN, "kitchen", mode=SPLIT, share=0.25, expected_version=before.version
    )
    assert (after.challenge.mode, after.challenge.share) == (SPLIT, 0.25)
    assert after.version != before.version
    assert experiment.read(tried.house, ADMIN, "kitchen").challenge == after.challenge
    assert after.challenge.since == before.challenge.since
    assert after.comparison.trials == 1
    with pytest.raises(Stale):
        experiment.change(
            tried.house, ADMIN, "kitchen", mode=SHADOW, expected_version=before.version
        )
    with pytest.raises(Invalid):
        experiment.change(tried.house, ADMIN, "kitchen", mode=SPLIT)
    with pytest.raises(Invalid):
        experiment.change(tried.house, ADMIN, "kitchen", mode=SHADOW, share=0.5)
    for role in (Role.KIOSK, Role.AUDITOR):
        with pytest.raises(Forbidden):
            experiment.change(tried.house, replace(ADMIN, role=role), "kitchen", mode=SHADOW)


def test_an_admin_may_promote_or_reject_against_the_policy(tried: Kitchen) -> None:
    now = experiment.read(tried.house, ADMIN, "kitchen")
    assert now.ruling.verdict is Outcome.EXTEND
    done = experiment.conclude(tried.house, ADMIN, "kitchen", Wish.PROMOTE)
    assert done.verdict is Outcome.PROMOTE
    assert done.live.bundle == now.challenge.digest
    assert tried.ask(probe(0)).decision.bundle == now.challenge.digest
    told = events.page(tried.house, ADMIN, kind="experiment_concluded").items
    assert [e.detail["verdict"] for e in told] == ["promote"]
    with pytest.raises(Conflict):
        experiment.conclude(tried.house, ADMIN, "kitchen", Wish.REJECT)


def test_a_rejected_challenger_leaves_the_champion(tried: Kitchen) -> None:
    now = experiment.read(tried.house, ADMIN, "kitchen")
    with pytest.raises(Stale):
        experiment.conclude(
            tried.house, ADMIN, "kitchen", Wish.REJECT, expected_version=now.version + 1
        )
    done = experiment.conclude(
        tried.house, ADMIN, "kitchen", Wish.REJECT, expected_version=now.version
    )
    assert (done.live.bundle, done.live.challenger) == (now.champion, None)
    assert tried.ask(probe(0)).decision.bundle == now.champion


def test_the_policy_is_applied_by_itself(tried: Kitchen) -> None:
    easy = tried.set(experiment=ExperimentPolicy(trials=4, wrong_openings=0.5, turned_away=0.5))
    digest = experiment.read(easy.house, ADMIN, "kitchen").challenge.digest
    verdicts = []
    for i in range(6):
        easy.ask(probe(i % 2))
        verdicts.append(experiment.settle(easy.house, "kitchen"))
        if verdicts[-1] is not Outcome.EXTEND:
            break
    assert verdicts == [Outcome.EXTEND] * 4 + [Outcome.PROMOTE], verdicts
    assert models.read(easy.house, ADMIN, "kitchen").bundle == digest
    assert experiment.settle(easy.house, "kitchen") is None


@on_sqlite
def test_a_challenger_that_is_not_proven_in_time_is_withdrawn(tried: Kitchen, hands: Hands) -> None:
    champion = experiment.read(tried.house, ADMIN, "kitchen").champion
    hands.pass_by(13.9 * 86400)
    assert experiment.settle(tried.house, "kitchen") is Outcome.EXTEND
    hands.pass_by(0.2 * 86400)
    assert experiment.settle(tried.house, "kitchen") is Outcome.REJECT
    live = models.read(tried.house, ADMIN, "kitchen")
    assert (live.bundle, live.challenger) == (champion, None)


def test_disagreements_are_listed_with_their_labels(
    tried: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tried.house.store.read() as unit:
        found = tried.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.challenger is not None
    stern = {
        risk: replace(level, threshold=1e3, face_threshold=1e3, voice_threshold=1e3)
        for risk, level in found.challenger.policy.levels.items()
    }
    tried.ask(probe(1))
    with_challenger(tried, monkeypatch, policy=replace(found.challenger.policy, levels=stern))
    answer = tried.ask(probe(0))
    labels.put(tried.house, ADMIN, answer.decision.id, "p0")
    page = experiment.disagreements(tried.house, ADMIN, "kitchen")
    assert [(t.decision, said and said.member) for t, said in page.items] == [
        (answer.decision.id, "p0")
    ]
    now = experiment.read(tried.house, ADMIN, "kitchen")
    assert now.comparison.disagreements == (answer.decision.id,)
    assert (now.comparison.challenger.fnir.errors, now.comparison.champion.fnir.errors) == (1, 0)


# --- labels


def pin(kitchen: Kitchen, member: str, typed: str = PIN, **more: Any) -> DecisionOutcome:
    with kitchen.house.store.read() as unit:
        number = unit.members.get("kitchen", member).number
    given: dict[str, Any] = {"fridge": "kitchen", "number": number, "pin": typed} | more
    return pins.authenticate(kitchen.house, kitchen.kiosk, **given).decision.outcome


def label_of(kitchen: Kitchen, decision: str) -> tuple[str | None, str] | None:
    with kitchen.house.store.read() as unit:
        found = unit.labels.get(decision)
    return None if found is None else (found.member, found.source)


def test_a_pin_right_after_says_whose_probe_it_was(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(0, pin=PIN)
    first = kitchen.ask(probe(5))
    hands.pass_by(1)
    last = kitchen.ask(probe(5))
    hands.pass_by(30)
    assert pin(kitchen, "p0", "907214") is REFUSED
    hands.pass_by(25)
    assert pin(kitchen, "p0") is GRANTED
    assert label_of(kitchen, last.decision.id) == ("p0", "pin")
    assert label_of(kitchen, first.decision.id) is None


@on_sqlite
def test_a_pin_says_nothing_of_what_is_long_past_or_of_others(
    kitchen: Kitchen, hands: Hands
) -> None:
    kitchen.enrol(0, pin=PIN)
    late = kitchen.ask(probe(5))
    hands.pass_by(61)
    assert pin(kitchen, "p0") is GRANTED
    assert label_of(kitchen, late.decision.id) is None
    before_another = kitchen.ask(probe(5))
    hands.pass_by(1)
    granted = kitchen.ask(probe(0))
    hands.pass_by(1)
    assert pin(kitchen, "p0") is GRANTED
    assert label_of(kitchen, before_another.decision.id) is None
    assert label_of(kitchen, granted.decision.id) is None
    stranger = kitchen.ask(probe(5))
    hands.pass_by(1)
    kitchen.enrol(1, pin=PIN)  # who were nobody yet when they were refused
    assert pin(kitchen, "p1") is GRANTED
    assert label_of(kitchen, stranger.decision.id) is None
    elsewhere = authentication.authenticate(
        kitchen.house, kitchen.another_kiosk(), fridge="kitchen", sample=probe(5)
    )
    assert pin(kitchen, "p0") is GRANTED
    assert label_of(kitchen, elsewhere.decision.id) is None


def test_an_admin_says_who_it_was_and_has_the_last_word(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(0, pin=PIN)
    answer = kitchen.ask(probe(5))
    hands.pass_by(5)
    labels.put(kitchen.house, ADMIN, answer.decision.id, None)
    assert pin(kitchen, "p0") is GRANTED
    assert label_of(kitchen, answer.decision.id) == (None, "admin")
    labels.put(kitchen.house, ADMIN, answer.decision.id, "p0")
    assert label_of(kitchen, answer.decision.id) == ("p0", "admin")


@on_sqlite
def test_a_label_is_of_somebody_who_was_a_member_then_and_was_looked_at(
    kitchen: Kitchen, hands: Hands
) -> None:
    kitchen.enrol(0, pin=PIN)
    answer = kitchen.ask(probe(5))
    hands.pass_by(5)
    kitchen.enrol(1)
    for nobody in ("p1", "p7"):
        with pytest.raises(Invalid):
            labels.put(kitchen.house, ADMIN, answer.decision.id, nobody)
    given = pins.authenticate(
        kitchen.house, kitchen.kiosk, fridge="kitchen", number="000000", pin="000000"
    )
    with pytest.raises(Conflict):
        labels.put(kitchen.house, ADMIN, given.decision.id, "p0")
    with pytest.raises(NotFound):
        labels.put(kitchen.house, ADMIN, "dec_none", None)
    with pytest.raises(Forbidden):
        labels.put(kitchen.house, kitchen.kiosk, answer.decision.id, "p0")
    with pytest.raises(Forbidden):
        labels.put(kitchen.house, replace(ADMIN, fridges=("cellar",)), answer.decision.id, "p0")
