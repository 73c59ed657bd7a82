"""From what the store keeps to what is watched. Probes are opened in memory, and only there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from visavox.errors import NotFound, Sealed
from visavox.monitoring import features
from visavox.monitoring.features import MARGIN, SCORE, Centres
from visavox.monitoring.visits import Seen
from visavox.store import Unit
from visavox.store.figures import is_failure
from visavox.store.records import DecisionOutcome, DecisionRecord, Method
from visavox.types import Modality, Reason

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Period:
    """From `since`, included, to `until`, not; of more than `most` decisions, the latest."""

    since: datetime
    until: datetime
    most: int = 2000


@dataclass(frozen=True, slots=True)
class Eyes:
    """The Characterizer that the bundle is for, and where its embeddings lie on average."""

    characterizer: str | None = None
    centres: Centres = field(default_factory=dict)

    def of(self, characterizer: str | None) -> Centres:
        """Of what another Characterizer saw, nothing: norms of different nets mean nothing."""
        return self.centres if characterizer == self.characterizer else {}


def seen(
    unit: Unit,
    fridge: str,
    period: Period,
    *,
    eyes: Eyes | None = None,
    bundle: str | None = None,
) -> list[Seen]:
    """A fridge's decisions, the newest first.

    With `eyes`, probes are opened for their quality and norms. Scores are those that the bundle
    of that digest gave, where its challenger decided, too. A probe whose member was erased is gone.
    """
    told: Mapping[str, float] = {}
    if bundle is not None:
        since, until = period.since, period.until
        told = unit.figures.champion_llrs(fridge, bundle, since=since, until=until)
    return [_seen(unit, record, eyes, bundle, told) for record in _records(unit, fridge, period)]


def enrolled(
    unit: Unit, fridge: str, members: Mapping[str, object], eyes: Eyes
) -> dict[str, dict[str, float]]:
    """Per feature, what each of these members gave in their first capture, if they are enrolled.

    One capture, for it is compared with single visits, which vary more than any mean.
    """
    found: dict[str, dict[str, float]] = {}
    for member in members:
        first: dict[str, float] = {}
        for capture in unit.captures.of(fridge, member):
            around = eyes.of(capture.characterizer)
            given = features.of_quality(capture.embeddings)
            first = {**given, **features.of_probe(capture.embeddings, around), **first}
        for name, value in first.items():
            found.setdefault(name, {})[member] = value
    return found


def _records(unit: Unit, fridge: str, period: Period) -> Iterator[DecisionRecord]:
    cursor, left = None, period.most
    while left > 0:
        page = unit.decisions.page(
            fridges=(fridge,),
            since=period.since,
            until=period.until,
            cursor=cursor,
            limit=min(_PAGE, left),
        )
        yield from page.items
        left -= len(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def _seen(
    unit: Unit,
    record: DecisionRecord,
    eyes: Eyes | None,
    bundle: str | None,
    told: Mapping[str, float],
) -> Seen:
    biometric = record.method is Method.BIOMETRIC and record.characterizer is not None
    granted = record.member if record.outcome is DecisionOutcome.GRANTED else None
    best = next(iter(record.candidates), None)
    likely = record.member or (best.member if best is not None and best.fused > 0 else None)
    measured: dict[str, float] = {}
    if biometric and eyes is not None:
        measured |= features.of_rejected(record.rejected)
        try:
            probe = unit.decisions.probe(record.id)
            measured |= features.of_quality(probe) | features.of_probe(
                probe, eyes.of(record.characterizer)
            )
        except (Sealed, NotFound):
            pass
    if biometric and bundle is not None:
        measured |= _scores(record, bundle, told.get(record.id))
    return Seen(
        at=record.at,
        kiosk=record.kiosk,
        outcome=record.outcome.value,
        biometric=biometric,
        granted=granted,
        likely=likely,
        failed=is_failure(record.outcome, record.reasons),
        reasons=_reasons(record) if biometric else {},
        features=measured,
    )


def _scores(record: DecisionRecord, bundle: str, told: float | None) -> dict[str, float]:
    """As `features.of_scores`, of one decision; of a challenger's, what the champion has told."""
    if told is not None:
        return {SCORE: told} if told > 0 else {}
    if record.bundle != bundle or record.provisional or not record.candidates:
        return {}
    best = record.candidates[0].fused
    if best <= 0:
        return {}
    if len(record.candidates) == 1:
        return {SCORE: best}
    return {SCORE: best, MARGIN: best - record.candidates[1].fused}


def _reasons(record: DecisionRecord) -> dict[str, str]:
    missing = {cell.modality: cell.reason for cell in record.rejected}
    found = {}
    for modality in Modality:
        reason = missing.get(modality)
        if reason is not Reason.NOT_CAPTURED:
            found[modality.value] = "accepted" if reason is None else reason.value
    return found
