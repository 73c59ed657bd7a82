"""What can be set about the service's own rules; thresholds live in bundles, not here."""

from dataclasses import field
from typing import Annotated

from pydantic import Field

from visavox.config import settings
from visavox.service.experiment_policy import ExperimentPolicy

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


@settings
class ServiceSettings:
    ticket_life: Seconds = 8.0
    """A granted decision, and its ticket, open nothing after this."""
    stale_after: Seconds = 10.0
    """Seconds from a request's arrival after which its answer is `retry`: the person has left."""
    challenge_life: Seconds = 60.0
    challenge_digits: Annotated[int, Field(ge=4, le=12)] = 5
    failures: Count = 5
    """Consecutive failures, of a kiosk, of a fridge or at a PIN, that lock it."""
    first_lock: Seconds = 30.0
    """Seconds of the first lock; each further failure doubles it."""
    longest_lock: Seconds = 3600.0
    locks: Count = 10
    """Locks in a row after which only an admin can unlock."""
    captures: Annotated[int, Field(ge=1, le=50)] = 10
    """Captures in one enrolment, at the most."""
    captures_of_a_member: Annotated[int, Field(ge=1, le=500)] = 50
    """Of all enrolments together."""
    confirm_within: Seconds = 60.0
    """Seconds after a probe within which a PIN at the same kiosk vouches for whose it was."""
    confirmed_share: Annotated[float, Field(ge=0, le=0.5)] = 0.4
    """Of a member's captures, how many may be confirmed probes; the enrolment outweighs them."""
    experiment: ExperimentPolicy = field(default_factory=ExperimentPolicy)
    """What a challenger must show before it is promoted."""
