"""What was found in production, on the wire."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import Shown
from api.schemas.moments import Moment


class Shift(Shown):
    """One feature, against what the model was trained on."""

    verdict: Annotated[
        Literal["too_few", "steady", "slight", "drifted"], Field(examples=["steady"])
    ]
    people: Annotated[int, Field(examples=[14])]
    visits: Annotated[int, Field(examples=[28])]
    psi: Annotated[float | None, Field(examples=[0.41])] = None
    ks: Annotated[float | None, Field(examples=[0.21])] = None
    psi_chance: Annotated[
        float | None, Field(description="Chance stays below, 99 times of 100.", examples=[1.3])
    ] = None
    ks_chance: Annotated[float | None, Field(examples=[0.54])] = None
    p: Annotated[float | None, Field(description="Corrected.", examples=[0.21])] = None


class Shares(Shown):
    """Members' shares of the grants."""

    grants: Annotated[int, Field(examples=[28])]
    largest: Annotated[float, Field(examples=[0.18])]
    gini: Annotated[float, Field(examples=[0.2])]
    jumped: Annotated[
        bool, Field(description="Whose: the event `share_jump` says.", examples=[False])
    ]
    rise: Annotated[float, Field(examples=[0.0])]
    p: Annotated[float, Field(examples=[1.0])]


class Rate(Shown):
    """Wrong answers among those that were labelled."""

    errors: Annotated[int, Field(examples=[0])]
    trials: Annotated[int, Field(examples=[12])]


class Watched(Shown):
    """The latest look at a fridge."""

    fridge: Annotated[str, Field(examples=["kitchen"])]
    at: Moment
    bundle: Annotated[str | None, Field(examples=["60303ae22b998861bce3b28f33eec1be"])]
    decisions: Annotated[int, Field(examples=[30])]
    drift: Annotated[
        Mapping[str, Shift],
        Field(examples=[{"face.brightness": {"verdict": "too_few", "people": 2, "visits": 3}}]),
    ]
    shares: Shares
    refusals: Annotated[
        int, Field(description="The most within five minutes at one kiosk.", examples=[1])
    ]
    accuracy: Annotated[
        Mapping[str, Rate], Field(examples=[{"let_in": {"errors": 0, "trials": 3}}])
    ]
    causes: Annotated[
        tuple[str, ...], Field(description="That speak for a retraining.", examples=[["age"]])
    ]
    why: Annotated[str, Field(examples=["the model's data are 91 days old"])]
    retraining: Annotated[
        str | None, Field(description="That this look asked for.", examples=[None])
    ]
