"""A decision made again, from the probe that was kept: by what judged it then, or by another model.

By what judged it then, the numbers must be the same to the last bit. Whoever was erased since is
the only exception: nothing of them is left to score, so they are left out, on both sides, and named.
"""

from collections import Counter
from dataclasses import dataclass

from visavox import pipeline
from visavox.errors import BundleError, Conflict, Sealed, VisavoxError
from visavox.service.authentication import one_person
from visavox.service.house import Actor, House
from visavox.service.rebuilding import Rebuilt, as_it_was, with_another
from visavox.store import Unit
from visavox.store.records import DecisionOutcome, DecisionRecord, Method, Role, TrialAnswer
from visavox.table import Scores
from visavox.types import Candidate, Decision, Embeddings

_MOST = 5000
"""Of one summary."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a probe."""

    outcome: str
    member: str | None
    reasons: tuple[str, ...]
    threshold: float | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision, and what came of making it again."""

    decision: str
    fridge: str
    bundle: str | None
    """By which it was made again; None: by the base alone."""
    base: str | None
    of_the_day: bool
    """Whether that is what judged it then."""
    exact: bool | None
    """Whether every number is the same to the last bit; None where other models were asked."""
    compared: int
    """Numbers that were held against each other."""
    gone: tuple[str, ...]
    """Candidates who were erased since, and are left out."""
    differences: tuple[str, ...]
    then: Said
    now: Said


@dataclass(frozen=True, slots=True)
class Summary:
    """Of many decisions: how many came out the same."""

    exact: int
    total: int
    inexact: tuple[str, ...]
    """Decisions of which a number differs."""
    skipped: dict[str, int]
    """Those that cannot be made again, by why."""


def replay(house: House, who: Actor, decision: str, *, bundle: str | None = None) -> Replay:
    """Make a decision again; with `bundle`, by that model, as it would serve today.

    Sealed where its probe is gone; Conflict where what judged it is not kept any more, or where
    nothing was scored.
    """
    who.need(Role.ADMIN, Role.AUDITOR)
    with house.store.read() as unit:
        record = unit.decisions.get(decision)
        who.reach(record.fridge)
        try:
            return _replayed(house, unit, record, bundle)
        except BundleError as error:
            raise Conflict(error.problem, next_step=error.next_step) from error


def last(house: House, who: Actor, count: int, *, fridge: str | None = None) -> Summary:
    """The latest decisions, each by what judged it then."""
    who.need(Role.ADMIN, Role.AUDITOR)
    if fridge is not None:
        who.reach(fridge)
    fridges = who.fridges if fridge is None else (fridge,)
    exact, inexact, skipped = 0, list[str](), Counter[str]()
    cursor, left = None, min(count, _MOST)
    while left > 0:
        with house.store.read() as unit:
            page = unit.decisions.page(
                fridges=fridges, method=Method.BIOMETRIC, cursor=cursor, limit=min(left, 100)
            )
            for record in page.items:
                try:
                    found = _replayed(house, unit, record, None)
                except VisavoxError as error:
                    skipped[_why(error)] += 1
                    continue
                if found.exact:
                    exact += 1
                else:
                    inexact.append(record.id)
        left, cursor = left - len(page.items), page.next_cursor
        if cursor is None:
            break
    return Summary(exact, exact + len(inexact), tuple(inexact), dict(skipped))


def _replayed(house: House, unit: Unit, record: DecisionRecord, bundle: str | None) -> Replay:
    if record.method is not Method.BIOMETRIC or record.characterizer is None:
        raise Conflict(
            f"The decision {record.id!r} was made without scores: by PIN, or at a locked kiosk.",
            next_step="Replay one that was made by face and voice.",
        )
    probe = unit.decisions.probe(record.id)
    trial = unit.trials.get(record.id)
    answer: TrialAnswer | None = None
    if trial is not None and bundle not in {None, record.bundle}:
        sides = zip((trial.champion, trial.challenger), trial.answers, strict=True)
        answer = next((a for digest, a in sides if digest == bundle and a.judged), None)
    if bundle in {None, record.bundle}:
        judge = as_it_was(house, unit, record, record.bundle, record.judged)
    elif answer is not None:
        judge = as_it_was(house, unit, record, bundle, answer.judged)
    else:
        judge = with_another(house, unit, record, str(bundle))
    decided, scores = _made(judge, probe)
    then = _of_record(record) if answer is None else _of_answer(answer)
    of_the_day = judge.of_the_day
    gone = tuple(c.member for c in then.candidates if c.member in judge.gone)
    compared, differences = _compared(then, decided, scores, gone, judged=answer is None)
    if not of_the_day:
        differences = ()
    return Replay(
        decision=record.id,
        fridge=record.fridge,
        bundle=None if judge.snapshot.bundle is None else judge.snapshot.bundle.digest,
        base=None if judge.snapshot.base is None else judge.snapshot.base.digest,
        of_the_day=of_the_day,
        exact=not differences if of_the_day else None,
        compared=compared if of_the_day else 0,
        gone=gone,
        differences=differences,
        then=then,
        now=_of(decided),
    )


def _made(judge: Rebuilt, probe: Embeddings) -> tuple[Decision, Scores]:
    found = pipeline.again(
        judge.snapshot, probe, face_dim=judge.face_dim, voice_dim=judge.voice_dim
    )
    return one_person(found.decision), found.scores


def _compared(
    then: Said, now: Decision, scores: Scores, gone: tuple[str, ...], *, judged: bool
) -> tuple[int, tuple[str, ...]]:
    """How many numbers were compared, and which are not the same."""
    told = {c.member: c for c in _all(scores)}
    count, wrong = 0, list[str]()
    for c in then.candidates:
        if c.member in gone:
            continue
        found = told.get(c.member)
        for name in ("fused", "face", "voice") if judged else ("fused",):
            was, is_ = getattr(c, name), None if found is None else getattr(found, name)
            count += 1
            if was != is_:
                wrong.append(f"{name} of {c.member}: {was!r} then, {is_!r} now")
    if gone:  # who came first, and what was asked of them, may hang on whoever is gone
        return count, tuple(wrong)
    count += 1
    if then.threshold != now.threshold:
        wrong.append(f"threshold: {then.threshold!r} then, {now.threshold!r} now")
    shown = [c.member for c in now.candidates][: len(then.candidates)]
    if [c.member for c in then.candidates] != shown:
        wrong.append("the candidates come in another order")
    # A rule of the service's may stand between a verdict and its answer, as no compartment does.
    if then.reasons[:1] == now.reasons[:1] and then.outcome != now.outcome.value:
        wrong.append(f"outcome: {then.outcome} then, {now.outcome.value} now")
    return count, tuple(wrong)


def _all(scores: Scores) -> list[Candidate]:
    """Everybody's, as candidates."""
    rows = zip(scores.members, scores.fused[0], scores.face[0], scores.voice[0], strict=True)
    return [Candidate(m, float(f), _given(face), _given(voice)) for m, f, face, voice in rows]


def _given(llr: float) -> float | None:
    return None if llr != llr else float(llr)


def _of_record(record: DecisionRecord) -> Said:
    return Said(
        record.outcome.value, record.member, record.reasons, record.threshold, record.candidates
    )


def _of_answer(answer: TrialAnswer) -> Said:
    """Of the other model of a trial, whose best alone was written down."""
    best = () if answer.llr is None or answer.member is None else (
        Candidate(answer.member, answer.llr, None, None),
    )  # fmt: skip
    return Said(answer.outcome, answer.member, (answer.reason,), answer.threshold, best)


def _of(decided: Decision) -> Said:
    outcome = DecisionOutcome(decided.outcome.value).value
    return Said(outcome, decided.member, decided.reasons, decided.threshold, decided.candidates)


def _why(error: VisavoxError) -> str:
    if isinstance(error, Sealed):
        return "its probe is gone"
    if isinstance(error, BundleError):
        return "what judged it is not kept any more"
    return "nothing was scored"
