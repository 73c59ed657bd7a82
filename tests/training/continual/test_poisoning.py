"""An impostor who is fed in slowly gets in where a fridge teaches itself, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from tests import cohort
from visavox import bundle
from visavox.bundle import Bundle
from visavox.characterizer import Characterizer
from visavox.service import adaptation
from visavox.service.adaptation import Known
from visavox.table import Column, EmbeddingTable
from visavox.training.continual.poisoning import (
    Attack,
    Came,
    PoisoningSettings,
    Way,
    simulate,
    summed,
)
from visavox.training.production.fridge_proof import joined

SETTINGS = PoisoningSettings(near=3.0)
MEMBERS, STEPS, STAY = 6, 40, 20


@pytest.fixture(scope="module")
def base(base_bundle: Path, embedded: Characterizer) -> Bundle:
    return bundle.load(base_bundle, characterizer_digest=embedded.digest)


@pytest.fixture(scope="module")
def cast(embedded: Characterizer) -> tuple[dict[str, EmbeddingTable], list[Attack]]:
    """Real embeddings of personas; the impostor's are led from the member's to their own."""
    table, people, _ = cohort.read(embedded)
    names = list(dict.fromkeys(people))[:30]
    rows = {
        name: [
            i for i, p in enumerate(people)
            if p == name and table.face.present[i] and table.voice.present[i]
        ]
        for name in names
    }  # fmt: skip
    whole = [name for name in names if len(rows[name]) == 3]
    members, impostors = whole[:MEMBERS], whole[MEMBERS : 2 * MEMBERS]
    enrolment = {m: table.take(np.array(rows[m][:2], np.intp)) for m in members}
    attacks = []
    for member, impostor in zip(members, impostors, strict=True):
        own = table.take(np.array(rows[member][2:], np.intp))
        first, second, last = (table.take(np.array([r], np.intp)) for r in rows[impostor])
        fed = between(own, first)
        for stay in (first, second) * STAY:  # once taken for the member, they come as themself
            fed = joined(fed, stay)
        attacks.append(Attack(member, fed, last, own))
    return enrolment, attacks


def between(start: EmbeddingTable, end: EmbeddingTable) -> EmbeddingTable:
    """A way on the sphere from one capture to another, in steps."""
    shares = np.linspace(0.0, 1.0, STEPS)

    def column(a: Column, b: Column) -> Column:
        led = (1 - shares)[:, None] * a.vectors[0] + shares[:, None] * b.vectors[0]
        led /= np.linalg.norm(led, axis=1, keepdims=True)
        quality = np.repeat(a.quality[:1], STEPS, axis=0)
        return Column(led.astype(np.float32), np.ones(STEPS, np.bool_), quality, ("",) * STEPS)

    return EmbeddingTable(
        tuple(f"f{i}" for i in range(STEPS)),
        column(start.face, end.face),
        column(start.voice, end.voice),
    )


def attacked(
    base: Bundle, cast: tuple[dict[str, EmbeddingTable], list[Attack]], way: Way
) -> list[Came]:
    enrolment, attacks = cast
    return [simulate(base, enrolment, attack, way, SETTINGS) for attack in attacks]


def test_a_fridge_that_teaches_itself_falls(
    base: Bundle, cast: tuple[dict[str, EmbeddingTable], list[Attack]]
) -> None:
    came = attacked(base, cast, "self")
    assert sum(one.before for one in came) == 0
    assert sum(one.after > 0 for one in came) >= MEMBERS // 2
    assert all(one.taken == one.offered for one in came)


def test_without_a_confirmation_nothing_changes(
    base: Bundle, cast: tuple[dict[str, EmbeddingTable], list[Attack]]
) -> None:
    came = attacked(base, cast, "unconfirmed")
    assert sum(one.offered for one in came) > 0
    assert sum(one.taken for one in came) == 0
    assert [one.after for one in came] == [one.before for one in came]


def test_the_guards_hold_against_an_admin_who_confirms_everything(
    base: Bundle, cast: tuple[dict[str, EmbeddingTable], list[Attack]]
) -> None:
    came = attacked(base, cast, "careless")
    assert sum(one.taken for one in came) > 0  # the attack is let begin
    assert sum(one.after for one in came) == 0
    assert sum(one.own for one in came) == sum(one.owns for one in came)
    assert all(one.taken <= 1 for one in came)  # of two enrolled: one of three is a third


def test_each_guard_says_what_it_is(
    base: Bundle, cast: tuple[dict[str, EmbeddingTable], list[Attack]]
) -> None:
    enrolment, attacks = cast
    attack = attacks[0]

    def codes(probe: EmbeddingTable, known: Known) -> set[str]:
        found = adaptation.objections(
            base, "low", enrolment, attack.member, probe, known, share=0.4
        )
        return {f.code for f in found}

    assert codes(attack.own, Known(2, 0)) == set()
    assert codes(attack.own, Known(2, 1)) == {"too_many_confirmed"}
    assert codes(attack.finals.take(np.array([0], np.intp)), Known(2, 0)) >= {"unlike_enrolment"}
    of_another = attacks[1].own
    assert codes(of_another, Known(2, 0)) >= {"unlike_enrolment", "like_another"}


def test_a_summary_counts_attacks_and_says_how_sure_it_is() -> None:
    told = summed([Came(3, 3, 0, 2, 4, 4, 4), Came(3, 1, 0, 0, 4, 4, 4)])
    assert (told["attacks"], told["let_in"], told["impostor_probes_granted"]) == (2, 1, 2)
    low, high = told["let_in_ci"]
    assert 0 < low < 0.5 < high < 1
