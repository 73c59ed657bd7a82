"""A/B comparisons of two models on the wire, and labels."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.fields import ID, Body, Shown, Version
from api.schemas.models import Challenge, Live
from visavox.service import comparison as comparisons
from visavox.service.experiment import Concluded, Wish
from visavox.service.experiment import Experiment as Found
from visavox.service.experiment_policy import Outcome
from visavox.service.standing import Mode
from visavox.store.records import Label as LabelRecord

_DIGEST = Field(examples=["60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"])
_DECISION = Field(examples=["dec_01j9zq3v8k0000000000000000"])


class Way(Body):
    """How a challenger is to be tried."""

    mode: Mode
    share: Annotated[
        float,
        Field(ge=0, le=1, description="Of the requests; only in a split.", examples=[0.0]),
    ] = 0.0


class Ending(Body):
    """What is to become of a challenger; `auto`: what the policy says, also to go on."""

    verdict: Wish


class Truth(Body):
    """Who really stood at the kiosk: a member's id, or null for a stranger."""

    member: Annotated[str | None, Field(pattern=ID, max_length=64, examples=["ada"])]


class Label(Shown):
    """Who really stood at the kiosk, from somebody who knows."""

    decision: Annotated[str, _DECISION]
    fridge: Annotated[str, Field(examples=["kitchen"])]
    member: Annotated[str | None, Field(description="Null: a stranger.", examples=["ada"])]
    source: Annotated[
        str, Field(description="`admin`, or `pin`: typed right after.", examples=["pin"])
    ]
    by: Annotated[str, Field(examples=["key_01j9zq3v8k0000000000000000"])]
    at: datetime


class Rate(Shown):
    """Errors in labelled requests, with the exact interval at 95 % (Clopper-Pearson)."""

    errors: Annotated[int, Field(examples=[1])]
    trials: Annotated[int, Field(examples=[60])]
    rate: Annotated[float | None, Field(description="Null without any.", examples=[0.0167])]
    low: Annotated[float, Field(examples=[0.0004])]
    high: Annotated[float, Field(examples=[0.0894])]


class Mean(Shown):
    """A mean of paired differences; its interval is the normal approximation at 95 %."""

    count: Annotated[int, Field(examples=[60])]
    mean: Annotated[float | None, Field(examples=[0.4])]
    low: Annotated[float | None, Field(examples=[0.1])]
    high: Annotated[float | None, Field(examples=[0.7])]


class Side(Shown):
    """One model's answers."""

    outcomes: Annotated[Mapping[str, int], Field(examples=[{"granted": 52, "refused": 8}])]
    fpir: Annotated[Rate, Field(description="Strangers who would be let in.")]
    fnir: Annotated[Rate, Field(description="Members who would not be, as themselves.")]


class Tally(Shown):
    """Requests in which the challenger erred less than the champion, alike, and more."""

    better: Annotated[int, Field(examples=[1])]
    equal: Annotated[int, Field(examples=[58])]
    worse: Annotated[int, Field(examples=[1])]


class Difference(Shown):
    """Both ends of what is possible, as disagreements that nobody labelled may have been either."""

    at_most: Annotated[Tally, Field(description="They count against the challenger.")]
    at_least: Annotated[Tally, Field(description="They count for it.")]


class Comparison(Shown):
    """What is known from the requests that both answered."""

    trials: Annotated[int, Field(examples=[60])]
    labelled: Annotated[int, Field(examples=[12])]
    errors: Annotated[int, Field(description="The challenger failed.", examples=[0])]
    disagreements: Annotated[int, Field(description="Let in another, or nobody.", examples=[2])]
    agreement: Annotated[
        Mapping[str, Mapping[str, int]],
        Field(
            description="Requests by the champion's outcome, then by the challenger's.",
            examples=[{"granted": {"granted": 51, "refused": 1}, "refused": {"refused": 8}}],
        ),
    ]
    champion: Side
    challenger: Side
    wrong_openings: Difference
    turned_away: Difference
    lead: Annotated[
        Mean, Field(description="LLR above the threshold, the challenger's less the champion's.")
    ]
    lead_of_members: Mean
    lead_of_strangers: Mean

    @classmethod
    def of(cls, found: comparisons.Comparison) -> Self:
        return cls(
            trials=found.trials,
            labelled=found.labelled,
            errors=found.errors,
            disagreements=len(found.disagreements),
            agreement=found.agreement,
            champion=Side.model_validate(found.champion),
            challenger=Side.model_validate(found.challenger),
            wrong_openings=Difference.model_validate(found.wrong_openings),
            turned_away=Difference.model_validate(found.turned_away),
            lead=Mean.model_validate(found.lead),
            lead_of_members=Mean.model_validate(found.lead_of_members),
            lead_of_strangers=Mean.model_validate(found.lead_of_strangers),
        )


class Evidence(Shown):
    """1 at the start, and valid at every moment: a claim is proven at `asked`."""

    value: Annotated[float, Field(examples=[3.1])]
    asked: Annotated[float, Field(examples=[20.0])]


class Ruling(Shown):
    """What the policy says now."""

    verdict: Annotated[Outcome, Field(examples=["extend"])]
    reasons: Annotated[
        tuple[str, ...], Field(examples=[["12 requests were compared; at least 50 are asked."]])
    ]
    safe: Annotated[Evidence, Field(description="It opens wrongly no more often, by the margin.")]
    welcoming: Annotated[
        Evidence, Field(description="It turns members away no more often, by the margin.")
    ]
    unsafe: Annotated[Evidence, Field(description="It opens wrongly more often.")]
    unwelcoming: Annotated[Evidence, Field(description="It turns members away more often.")]


class Policy(Shown):
    """What a challenger must show."""

    alpha: Annotated[
        float, Field(description="Highest chance to promote a worse one.", examples=[0.05])
    ]
    beta: Annotated[
        float, Field(description="Highest chance to call one harmful that is not.", examples=[0.05])
    ]
    wrong_openings: Annotated[
        float, Field(description="So many more per request are too many.", examples=[0.02])
    ]
    turned_away: Annotated[
        float, Field(description="So many more per request are too many.", examples=[0.05])
    ]
    trials: Annotated[int, Field(description="Before any promotion.", examples=[50])]
    days: Annotated[float, Field(description="Until it is rejected unproven.", examples=[14.0])]
    errors: Annotated[int, Field(description="That reject it at once.", examples=[3])]


class Experiment(Shown):
    """How a challenger stands against the champion."""

    fridge: Annotated[str, Field(examples=["kitchen"])]
    version: Version
    at: datetime
    champion: Annotated[str, _DIGEST]
    challenger: Challenge
    ruling: Ruling
    comparison: Comparison
    policy: Policy

    @classmethod
    def of(cls, found: Found) -> Self:
        return cls(
            fridge=found.fridge,
            version=found.version,
            at=found.at,
            champion=found.champion,
            challenger=Challenge.model_validate(found.challenge),
            ruling=Ruling.model_validate(found.ruling),
            comparison=Comparison.of(found.comparison),
            policy=Policy.model_validate(found.policy),
        )


class Conclusion(Shown):
    """What became of a challenger, and what decides now."""

    fridge: Annotated[str, Field(examples=["kitchen"])]
    challenger: Annotated[str, _DIGEST]
    verdict: Annotated[Outcome, Field(description="`extend`: nothing was changed.")]
    reasons: Annotated[tuple[str, ...], Field(examples=[["An admin decided so."]])]
    model: Live

    @classmethod
    def of(cls, done: Concluded) -> Self:
        return cls(
            fridge=done.fridge,
            challenger=done.challenger,
            verdict=done.verdict,
            reasons=done.reasons,
            model=Live.model_validate(done.live),
        )


class Said(Shown):
    """One model's answer to a request."""

    outcome: Annotated[
        str, Field(description="`granted`, `refused`, `retry` or `error`.", examples=["granted"])
    ]
    reason: Annotated[str, Field(examples=["match"])]
    member: Annotated[str | None, Field(description="Whom it lets in.", examples=["ada"])]
    llr: Annotated[float | None, Field(examples=[11.3])]
    threshold: Annotated[float | None, Field(examples=[6.2])]


class Disagreement(Shown):
    """A request in which the two would not let in the same."""

    decision: Annotated[str, _DECISION]
    at: datetime
    arm: Annotated[
        str, Field(description="Whose answer was given: `champion` or `challenger`.",
                   examples=["champion"]),
    ]  # fmt: skip
    champion: Said
    challenger: Said
    label: Label | None

    @classmethod
    def of(cls, row: comparisons.Compared) -> Self:
        trial, label = row
        champion, challenger = trial.answers
        return cls(
            decision=trial.decision,
            at=trial.at,
            arm=trial.arm,
            champion=Said.model_validate(champion),
            challenger=Said.model_validate(challenger),
            label=None if label is None else labelled(label),
        )


def labelled(label: LabelRecord) -> Label:
    return Label.model_validate(label)
