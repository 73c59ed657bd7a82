"""Retrainings on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from api.schemas.fields import Shown
from visavox.service.retrainings import Retraining as Found
from visavox.store.records import RunState

RUN = "run_01j9zq3v8k0000000000000000"
RunId = Annotated[str, Field(examples=[RUN])]
FridgeName = Annotated[str, Field(examples=["kitchen"])]


class Request(Shown):
    """A change that asks for a retraining."""

    id: Annotated[str, Field(examples=["ret_01j9zq3v8k0000000000000000"])]
    fridge: FridgeName
    reason: Annotated[str, Field(examples=["member_enrolled"])]
    created_at: datetime
    claimed_at: datetime | None
    """When a run took it on last, or failed with it."""
    done_at: datetime | None
    attempts: Annotated[int, Field(description="How often a run took it on.", examples=[1])]
    run: Annotated[str | None, Field(description="The latest that took it on.", examples=[RUN])]
    error: Annotated[str | None, Field(description="Why that one failed.", examples=[None])]


class Run(Shown):
    """One run of the flow, over some fridges."""

    id: RunId
    flow: Annotated[str, Field(examples=["retrain"])]
    fridges: Annotated[
        tuple[str, ...], Field(description="Those that the key is for.", examples=[["kitchen"]])
    ]
    reason: Annotated[str, Field(examples=["member_enrolled"])]
    state: RunState
    step: Annotated[str, Field(description="The latest that was begun.", examples=["train"])]
    metaflow: Annotated[str | None, Field(examples=["RetrainFlow/1795907721990716"])]
    data_version: Annotated[str | None, Field(examples=[f"snapshot/{RUN}"])]
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    error: Annotated[str | None, Field(examples=[None])]


class Retraining(Run):
    """A run, and the requests that it took on."""

    requests: tuple[Request, ...]

    @classmethod
    def of(cls, found: Found) -> Self:
        run = Run.model_validate(found.run)
        requests = tuple(Request.model_validate(r) for r in found.requests)
        return cls(**run.model_dump(), requests=requests)


class Line(Shown):
    """How far a run is with one fridge, or as a whole."""

    seq: Annotated[int, Field(examples=[17])]
    run: RunId
    fridge: Annotated[str | None, Field(examples=["kitchen"])]
    at: datetime
    step: Annotated[
        str,
        Field(
            description="waiting, snapshot, features, train, judge, register, deploy, verify, end.",
            examples=["judge"],
        ),
    ]
    state: Annotated[
        str,
        Field(
            description="begun, done, failed or skipped; at the end, the run's.", examples=["done"]
        ),
    ]
    detail: Annotated[Mapping[str, Any], Field(examples=[{"passed": True, "family": "plda"}])]
