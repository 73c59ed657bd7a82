"""Traces, replays and receipts on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from api.schemas.decisions import Candidate
from api.schemas.fields import Body, Shown
from visavox import receipt
from visavox.service.replay import Replay as Replayed
from visavox.service.tracing import Trace as Traced
from visavox.store.receipts import Receipt as Kept
from visavox.store.receipts import ReceiptState

DIGEST = r"^[0-9a-f]{64}$"
RECEIPT = "rec_01j9zq3v8k0000000000000000"
_EXAMPLE = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
_Digest = Annotated[str, Field(examples=[_EXAMPLE])]


class Said(Shown):
    """What came of a probe."""

    outcome: Annotated[str, Field(examples=["granted"])]
    member: str | None
    reasons: tuple[str, ...]
    threshold: float | None
    candidates: tuple[Candidate, ...]


class ReplayWish(Body):
    """By which model; what judged it then if it is left out."""

    bundle: Annotated[
        str | None,
        Field(pattern=DIGEST, description="A bundle's digest.", examples=[_EXAMPLE]),
    ] = None


class Replay(Shown):
    """A decision that was made again from the probe that was kept."""

    decision: str
    fridge: str
    bundle: Annotated[str | None, Field(description="By which; null: by the base alone.")]
    base: str | None
    of_the_day: Annotated[bool, Field(description="Whether that is what judged it then.")]
    exact: Annotated[
        bool | None,
        Field(description="Every number is the same to the last bit; null for another model."),
    ]
    compared: Annotated[int, Field(description="Numbers that were held against each other.")]
    gone: Annotated[
        tuple[str, ...], Field(description="Candidates who were erased since: left out.")
    ]
    differences: tuple[str, ...]
    then: Said
    now: Said

    @classmethod
    def of(cls, found: Replayed) -> Self:
        return cls.model_validate(found)


class Model(Shown):
    """A model that took part, and where it comes from."""

    digest: _Digest
    role: Annotated[str, Field(description="bundle, base, champion or challenger.")]
    kept: Annotated[bool, Field(description="Whether it is still here, to replay with.")]
    note: str
    family: str | None
    members: int | None
    lineage: Annotated[
        Mapping[str, Any], Field(description="Commit, data version, configuration, seed and runs.")
    ]
    captures: Annotated[tuple[str, ...], Field(description="What it learned from.")]
    version: Annotated[str | None, Field(description="Of the registry's model fridge-<id>.")]


class Run(Shown):
    """The retraining that made the bundle."""

    id: str
    flow: str
    reason: str
    metaflow: Annotated[str | None, Field(examples=["RetrainFlow/1712"])]
    data_version: str | None
    started_at: datetime
    ended_at: datetime | None


class Logged(Shown):
    """Its record in the audit log."""

    seq: int
    digest: str
    linked: Annotated[
        bool, Field(description="It is unaltered, and its neighbours in the chain hold it.")
    ]


class Answer(Shown):
    """What one model of a comparison said."""

    outcome: str
    reason: str
    member: str | None
    llr: float | None
    threshold: float | None


class Trial(Shown):
    """The comparison that the decision was part of."""

    mode: str
    arm: Annotated[str, Field(description="Whose answer was given.")]
    champion: str
    challenger: str
    answers: Annotated[tuple[Answer, ...], Field(description="The champion's, the challenger's.")]


class Decided(Shown):
    """What was decided, in numbers."""

    id: str
    at: datetime
    fridge: str
    kiosk: str
    method: str
    outcome: str
    member: str | None
    reasons: tuple[str, ...]
    threshold: float | None
    candidates: tuple[Candidate, ...]
    provisional: bool
    judged: Annotated[
        Mapping[str, Any] | None, Field(description="Risk setting, and who was scored by what.")
    ]


class Trace(Shown):
    """From a decision back to all that made it."""

    decision: Decided
    replayable: Annotated[bool, Field(description="Whether its probe is still there.")]
    models: Annotated[tuple[Model, ...], Field(description="The one that decided first.")]
    characterizer: Mapping[str, Any]
    run: Run | None
    mlflow_run: str | None
    trial: Trial | None
    audit: Logged | None
    links: Annotated[Mapping[str, str], Field(description="Addresses that open.")]

    @classmethod
    def of(cls, found: Traced) -> Self:
        return cls.model_validate(found)


class Receipt(Shown):
    """What was removed of an erased member and, once the fridge has forgotten, the signed proof."""

    id: Annotated[str, Field(examples=[RECEIPT])]
    fridge: str
    member: str
    requested_at: datetime
    state: ReceiptState
    removed: Annotated[Mapping[str, Any], Field(description="What went where, with hashes.")]
    completed_at: datetime | None
    document: Annotated[
        Mapping[str, Any] | None,
        Field(description="What is signed, as canonical JSON; null while it is pending."),
    ]
    signature: Annotated[
        str | None,
        Field(description="Ed25519, base64url. `visavox receipt verify` checks it offline."),
    ]

    @classmethod
    def of(cls, found: Kept) -> Self:
        return cls(
            id=found.id,
            fridge=found.fridge,
            member=found.member,
            requested_at=found.requested_at,
            state=found.state,
            removed=found.removed,
            completed_at=found.completed_at,
            document=None if found.document is None else receipt.told(found.document),
            signature=found.signature,
        )
