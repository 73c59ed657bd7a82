"""What decides, on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.fields import LINE, Body, Risk, Shown
from api.schemas.moments import Moment

_DIGEST = Field(examples=["60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"])


class Challenge(Shown):
    """A bundle that is tried beside the one that is live."""

    digest: Annotated[str, _DIGEST]
    mode: Annotated[
        Literal["shadow", "split"],
        Field(description="In the shadow it decides nothing; in a split, its share."),
    ]
    share: Annotated[float, Field(description="Of the requests, that it decides.", examples=[0.2])]
    since: Moment


class Live(Shown):
    """What decides at a fridge now."""

    fridge: Annotated[str, Field(examples=["kitchen"])]
    risk: Risk
    bundle: Annotated[str | None, _DIGEST]
    """Null until the fridge has been trained: then the base decides."""
    base: Annotated[str | None, _DIGEST]
    characterizer: Annotated[str, _DIGEST]
    family: Annotated[str | None, Field(examples=["plda"])]
    members: Annotated[int, Field(description="Whom the bundle knows.", examples=[12])]
    provisional: Annotated[int, Field(description="Newcomers, on the base.", examples=[1])]
    unscored: Annotated[int, Field(description="Known to no model: PIN only.", examples=[0])]
    threshold: Annotated[float | None, Field(examples=[6.2])]
    provisional_threshold: Annotated[float | None, Field(examples=[8.5])]
    population: Annotated[
        str | None, Field(description="On whom it was fitted.", examples=["personas"])
    ]
    lineage: Annotated[Mapping[str, Any], Field(examples=[{"commit": "ad19402"}])]
    problem: Annotated[
        str | None, Field(description="Why a newer bundle is not live.", examples=[None])
    ]
    challenger: Challenge | None
    """What is tried beside it; null while nothing is."""
    previous: Annotated[str | None, _DIGEST]
    """What a roll-back would bring back."""


class RollBack(Body):
    """Which champion is to go, and why."""

    leave: Annotated[str | None, _DIGEST, Field(pattern=r"^[0-9a-f]{64}$")] = None
    """Only if this one is live: asked for twice, it is done once."""
    why: Annotated[
        str, Field(max_length=200, pattern=f"^$|{LINE}", examples=["It refuses members."])
    ] = ""


class Characterizer(Shown):
    """The nets that turn pictures and sound into embeddings."""

    name: Annotated[str, Field(examples=["embedded"])]
    digest: Annotated[str, _DIGEST]
    face_dim: Annotated[int, Field(examples=[128])]
    voice_dim: Annotated[int, Field(examples=[128])]
    population: Annotated[str, Field(examples=["personas"])]
    versions: Annotated[Mapping[str, str], Field(examples=[{"onnx": "1.23.2"}])]
    face_sha256: Annotated[str, _DIGEST]
    voice_sha256: Annotated[str, _DIGEST]
