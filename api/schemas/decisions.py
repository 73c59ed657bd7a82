"""Decisions on the wire. How much is shown depends on who asks."""

import math
from datetime import datetime
from typing import Annotated, Self

from fastapi import Response
from pydantic import Field

from api.schemas.fields import ID, Body, Locale, Shown
from visavox.service.answer import Answer
from visavox.service.house import Actor
from visavox.store.records import DecisionOutcome, Method, Role

Number = Annotated[
    str, Field(pattern=r"^[0-9]{1,12}$", description="The member's number.", examples=["17"])
]


class PinAttempt(Body):
    """What was typed at the PIN pad."""

    fridge: Annotated[str, Field(pattern=ID, max_length=64, examples=["kitchen"])]
    number: Number
    pin: Annotated[str, Field(pattern=r"^[0-9]{1,12}$", repr=False, examples=["481902"])]


class Person(Shown):
    """Whom it was granted to."""

    id: Annotated[str, Field(examples=["ada"])]
    name: Annotated[str, Field(examples=["Ada"])]
    locale: Locale


class Opening(Shown):
    id: Annotated[str, Field(examples=["top"])]
    name: Annotated[str, Field(examples=["Top shelf"])]


class Candidate(Shown):
    """Log-likelihood ratios, natural logarithm; null where a modality gave no evidence."""

    member: Annotated[str, Field(examples=["ada"])]
    fused: Annotated[float, Field(examples=[11.3])]
    face: Annotated[float | None, Field(examples=[7.9])]
    voice: Annotated[float | None, Field(examples=[3.8])]


class Scores(Shown):
    threshold: Annotated[float | None, Field(description="What was asked for.", examples=[6.2])]
    candidates: Annotated[tuple[Candidate, ...], Field(description="The best, best first.")]


_VERDICT = "`accepted`, or why it gave no evidence; null where it was not looked at."


class Modalities(Shown):
    face: Annotated[str | None, Field(description=_VERDICT, examples=["accepted"])]
    voice: Annotated[str | None, Field(description=_VERDICT, examples=["too_quiet"])]


class ModelsUsed(Shown):
    """Digests of what it was decided with; null for a PIN."""

    characterizer: Annotated[str | None, Field(examples=["9f86d081…"])]
    bundle: Annotated[str | None, Field(examples=["60303ae2…"])]
    base: Annotated[str | None, Field(examples=["fd61a03a…"])]


class Decision(Shown):
    """An answer, with all that whoever asks may know of it."""

    id: Annotated[str, Field(examples=["dec_01j9zq3v8k0000000000000000"])]
    at: datetime
    fridge: Annotated[str, Field(examples=["kitchen"])]
    kiosk: Annotated[str, Field(examples=["key_01j9zq3v8k0000000000000000"])]
    method: Method
    outcome: DecisionOutcome
    member: Person | None
    compartments: tuple[Opening, ...]
    reasons: Annotated[
        tuple[str, ...], Field(description="The most important first.", examples=[["match"]])
    ]
    next_step: Annotated[str, Field(description="In English.", examples=["Open the fridge."])]
    next_step_code: Annotated[
        str, Field(description="The same, for a kiosk that speaks more.", examples=["open"])
    ]
    scores: Annotated[
        Scores | None,
        Field(description="A kiosk sees those of whom it may open to, and nobody else's."),
    ]
    modalities: Modalities
    models: ModelsUsed
    provisional: Annotated[
        bool, Field(description="The member is new: a stricter threshold was asked for.")
    ]
    expires_at: Annotated[datetime | None, Field(description="It opens nothing after this.")]
    retry_after_s: Annotated[
        float | None,
        Field(description="When locked; null when only an admin can lift it.", examples=[None]),
    ]
    ticket: Annotated[
        str | None,
        Field(
            description="For the lock, once: signed, and worthless after `expires_at`.",
            examples=["eyJ2IjoxLCJpZCI6Ii4uLiJ9.c2lnbmF0dXJl"],
        ),
    ]

    @classmethod
    def of(cls, answer: Answer, who: Actor) -> Self:
        d = answer.decision
        granted = None if answer.member is None else Person.model_validate(answer.member)
        return cls(
            id=d.id,
            at=d.at,
            fridge=d.fridge,
            kiosk=d.kiosk,
            method=d.method,
            outcome=d.outcome,
            member=granted,
            compartments=tuple(Opening.model_validate(c) for c in answer.compartments),
            reasons=d.reasons,
            next_step=d.next_step,
            next_step_code=answer.next_step_code,
            scores=_scores(answer, who),
            modalities=Modalities(
                face=answer.verdicts.get("face"), voice=answer.verdicts.get("voice")
            ),
            models=ModelsUsed(characterizer=d.characterizer, bundle=d.bundle, base=d.base),
            provisional=d.provisional,
            expires_at=d.expires_at,
            retry_after_s=answer.retry_after,
            ticket=answer.ticket,
        )


def wait(answer: Answer, response: Response) -> None:
    """Say in the header, too, how long a kiosk is locked."""
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(answer.retry_after)))


def _scores(answer: Answer, who: Actor) -> Scores | None:
    """All of them for people; for a kiosk only the granted member's: a kiosk is not a person, and
    scores of those refused would tell an attacker at its screen who comes close."""
    d = answer.decision
    if d.method is not Method.BIOMETRIC:
        return None
    candidates = tuple(Candidate.model_validate(c) for c in d.candidates)
    if who.role is Role.KIOSK:
        if d.outcome is not DecisionOutcome.GRANTED:
            return None
        candidates = tuple(c for c in candidates if c.member == d.member)
    return Scores(threshold=d.threshold, candidates=candidates)
