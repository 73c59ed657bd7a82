"""The captures of one enrolment: every one of them good enough, or all that is wrong with each."""

from collections.abc import Sequence
from dataclasses import dataclass

from visavox.errors import CaptureError, Finding, Refused
from visavox.service.answer import Sample
from visavox.service.house import House
from visavox.table import EmbeddingTable
from visavox.types import Embeddings, Reason, Rejected


@dataclass(frozen=True, slots=True)
class Taken:
    """One sample, and what the Characterizer saw in it."""

    sample: Sample
    seen: Embeddings


def perceived(house: House, samples: Sequence[Sample]) -> list[Taken]:
    """Every capture, or Refused with all that is wrong with each of them."""
    taken: list[Taken] = []
    findings: list[Finding] = []
    poor_captures = 0
    for i, sample in enumerate(samples):
        field = f"captures[{i}]"
        try:
            capture = house.perception.take(
                images=sample.images, audio=sample.audio, clip=sample.clip
            )
        except CaptureError as error:
            findings.append(Finding(error.code, error.problem, error.next_step, field=field))
            poor_captures += 1
            continue
        seen = house.perception.perceive(capture)
        poor = [r for r in (seen.face, seen.voice) if isinstance(r, Rejected)]
        # What was never sent is no fault of a capture; a capture of nothing is.
        if len(poor) < 2:
            poor = [r for r in poor if r.reason is not Reason.NOT_CAPTURED]
        findings += [_poor(r, field) for r in poor]
        poor_captures += bool(poor)
        taken.append(Taken(sample, seen))
    if findings:
        raise Refused(
            f"{poor_captures} of {len(samples)} captures are not good enough. Nothing was kept.",
            next_step=findings[0].next_step,
            findings=findings,
        )
    return taken


def _poor(rejected: Rejected, field: str) -> Finding:
    part = f"{field}.{rejected.modality.value}"
    problem = f"The {rejected.modality.value} was rejected: {rejected.reason.value}."
    return Finding(rejected.reason.value, problem, rejected.next_step, field=part)


def table_of(house: House, taken: Sequence[Taken]) -> EmbeddingTable:
    names = [f"captures[{i}]" for i in range(len(taken))]
    return house.models.table(names, [t.seen for t in taken])
