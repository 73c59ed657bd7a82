"""Can an impostor be fed into a fridge slowly? Three ways to adapt, the same attack on each.

    python -m visavox.training.continual.poisoning

A stranger shows up as a look- and sound-alike of a member, a little more themself each time. Whatever
is granted, or nearly, is offered as a new capture of the member. `self` takes it silently;
`unconfirmed` waits for somebody to vouch, and nobody does; `careless` has an admin who vouches for
everything, and the guards of `visavox.service.adaptation`. Writes `<reports>/poisoning.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from visavox import bundle, characterizer, decision
from visavox.bundle import Bundle
from visavox.config import settings
from visavox.discriminator import newcomers
from visavox.perception import Perception
from visavox.personas.person import Person, face_of, person, voice_of
from visavox.service import adaptation
from visavox.service.adaptation import Known
from visavox.table import EmbeddingTable
from visavox.training import provenance
from visavox.training.evaluate_searches import embeddings_at
from visavox.training.intervals import clopper_pearson
from visavox.training.production.fridge_proof import joined
from visavox.training.progress import bar
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.types import Capture, Outcome

Way = Literal["self", "unconfirmed", "careless"]
WAYS: tuple[Way, ...] = ("self", "unconfirmed", "careless")
Count = Annotated[int, Field(ge=1)]


@settings
class PoisoningSettings:
    base: str = "data/bundles/cohort/base"
    """The base bundle, or the folder that it lies in."""
    nets: str = "embedded"
    population: int = 9400
    members: Annotated[int, Field(ge=2)] = 10
    """Of the fridge; each is attacked once."""
    enrol: Count = 4
    steps: Count = 15
    """Visits of the impostor, each a little less like the member."""
    stay: Annotated[int, Field(ge=0)] = 15
    """Further visits, as themself."""
    each: Count = 2
    """Probes at each visit."""
    finals: Count = 4
    """Probes of the impostor as themself, at the end."""
    alike: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """How much the impostor has in common with the member at first."""
    near: Annotated[float, Field(ge=0)] = 3.0
    """How far below the threshold a probe is still offered."""
    share: Annotated[float, Field(ge=0, le=0.5)] = 0.4
    """Of a member's captures, how many may be confirmed ones."""
    risk: str = "low"
    reports: str = "reports"


@dataclass(frozen=True, slots=True, eq=False)
class Attack:
    """What comes to the kiosk in the member's name, in order."""

    member: str
    fed: EmbeddingTable
    finals: EmbeddingTable
    """The impostor as themself, on other days."""
    own: EmbeddingTable
    """The member, who must still get in."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one attack."""

    offered: int
    taken: int
    before: int
    """Of the impostor's own probes, granted in the member's name before the attack."""
    after: int
    finals: int
    own: int
    """Of the member's probes, granted after it."""
    owns: int


@stage(PoisoningSettings)
def poisoning(settings: PoisoningSettings, run: Run) -> dict[str, Any]:
    """Attack every member in every way, and write who got in."""
    with Perception(characterizer.load(settings.nets)) as perception:
        base = bundle.load(
            bundle.find(Path(settings.base)),
            characterizer_digest=perception.characterizer.digest,
        )
        enrolment, attacks = _cast(settings, perception)
    made = {way: summed([simulate(base, enrolment, a, way, settings) for a in attacks])
            for way in WAYS}  # fmt: skip
    result = {
        "population": "personas",
        "settings": asdict(settings),
        "base": base.digest,
        "characterizer": perception.characterizer.digest,
        "ways": made,
        "made_by": provenance.measured(),
    }
    run.metrics({f"{way}.impostors_let_in": float(of["let_in"]) for way, of in made.items()})
    written = Path(settings.reports) / "poisoning.json"
    written.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    run.artifact(written)
    return result


def simulate(
    base: Bundle,
    enrolment: Mapping[str, EmbeddingTable],
    attack: Attack,
    way: Way,
    settings: PoisoningSettings,
) -> Came:
    """Feed the impostor's probes one by one, adapting in one of the ways."""
    known = dict(enrolment)
    taken = offered = 0
    before = _granted(base, known, attack.finals, attack.member, settings.risk)
    for row in range(len(attack.fed)):
        probe = attack.fed.take(np.array([row], np.intp))
        if not _offered(base, known, probe, attack.member, settings):
            continue
        offered += 1
        if way == "unconfirmed":
            continue
        if way == "careless" and adaptation.objections(
            base,
            settings.risk,
            enrolment,
            attack.member,
            probe,
            Known(len(enrolment[attack.member]), taken),
            share=settings.share,
        ):
            continue
        known[attack.member] = joined(known[attack.member], probe)
        taken += 1
    return Came(
        offered=offered,
        taken=taken,
        before=before,
        after=_granted(base, known, attack.finals, attack.member, settings.risk),
        finals=len(attack.finals),
        own=_granted(base, known, attack.own, attack.member, settings.risk),
        owns=len(attack.own),
    )


def summed(came: list[Came]) -> dict[str, Any]:
    """How many impostors got in at all, with the exact interval of as many attacks."""
    let_in = sum(one.after > 0 for one in came)
    spread = clopper_pearson(let_in, len(came))
    return {
        "attacks": len(came),
        "let_in": let_in,
        "let_in_ci": [spread.low, spread.high],
        "let_in_before": sum(one.before > 0 for one in came),
        "impostor_probes": sum(one.finals for one in came),
        "impostor_probes_granted": sum(one.after for one in came),
        "offered": sum(one.offered for one in came),
        "taken": sum(one.taken for one in came),
        "member_probes": sum(one.owns for one in came),
        "member_probes_granted": sum(one.own for one in came),
    }


def _granted(
    base: Bundle,
    known: Mapping[str, EmbeddingTable],
    probes: EmbeddingTable,
    member: str,
    risk: str,
) -> int:
    scored = newcomers.enrol(base.discriminator, known)
    granted = 0
    for row in range(len(probes)):
        one = probes.take(np.array([row], np.intp))
        said = decision.decide(embeddings_at(one, 0), scored.score(one), base.policy, risk=risk)
        granted += said.outcome is Outcome.GRANTED and said.member == member
    return granted


def _offered(
    base: Bundle,
    known: Mapping[str, EmbeddingTable],
    probe: EmbeddingTable,
    member: str,
    settings: PoisoningSettings,
) -> bool:
    """Whether the kiosk takes it for the member, or nearly."""
    scores = newcomers.enrol(base.discriminator, known).score(probe)
    said = decision.decide(embeddings_at(probe, 0), scores, base.policy, risk=settings.risk)
    if not said.candidates or said.candidates[0].member != member or said.threshold is None:
        return False
    return said.candidates[0].fused >= said.threshold - settings.near


def _cast(
    settings: PoisoningSettings, perception: Perception
) -> tuple[dict[str, EmbeddingTable], list[Attack]]:
    enrolment, attacks = {}, []
    with bar("Attacks", settings.members) as advance:
        for i in range(settings.members):
            member, name = person(settings.population, i), f"m{i}"
            enrolment[name] = _seen(perception, member, [(0, k) for k in range(settings.enrol)])
            other, fed = settings.members + i, []
            for k in range(settings.steps + settings.stay):
                left = settings.alike * max(0.0, 1 - k / max(1, settings.steps - 1))
                disguised = person(
                    settings.population, other, relative_of=i, share=left, voice_share=left
                )
                fed += _shots(perception, disguised, [(10 + k, s) for s in range(settings.each)])
            finals = [(100 + k, 0) for k in range(settings.finals)]
            attacks.append(
                Attack(
                    name,
                    _table(perception, fed),
                    _seen(perception, person(settings.population, other), finals),
                    _seen(perception, member, finals),
                )
            )
            advance()
    return enrolment, attacks


def _shots(perception: Perception, who: Person, shots: list[tuple[int, int]]) -> list[Any]:
    return [
        perception.perceive(
            Capture(
                (face_of(who, visit, shot).pixels,), (0.0,), voice_of(who, visit, shot).waveform
            )
        )
        for visit, shot in shots
    ]


def _seen(perception: Perception, who: Person, shots: list[tuple[int, int]]) -> EmbeddingTable:
    return _table(perception, _shots(perception, who, shots))


def _table(perception: Perception, seen: list[Any]) -> EmbeddingTable:
    nets = perception.characterizer
    names = [f"c{i}" for i in range(len(seen))]
    return EmbeddingTable.of(names, seen, face_dim=nets.face_dim, voice_dim=nets.voice_dim)


if __name__ == "__main__":
    poisoning.main()
