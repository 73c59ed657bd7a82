"""Members who were enrolled after a fridge was trained, or before it ever was."""

from collections.abc import Mapping

from visavox.discriminator.base import BaseScorer
from visavox.discriminator.model import Discriminator, Expert
from visavox.errors import BundleError
from visavox.table import Column, EmbeddingTable
from visavox.types import Modality


def enrol(base: Discriminator, captures: Mapping[str, EmbeddingTable]) -> Discriminator:
    """A discriminator of the members named, each by their own captures; nobody else's move."""
    tables = list(captures.values())
    return Discriminator(
        family="plda",
        members=tuple(captures),
        face=_expert(base.face, [t.column(Modality.FACE) for t in tables]),
        voice=_expert(base.voice, [t.column(Modality.VOICE) for t in tables]),
        fusion=base.fusion,
    )


def _expert(base: Expert, columns: list[Column]) -> Expert:
    if not isinstance(base.scorer, BaseScorer):
        raise BundleError(
            "Newcomers can be enrolled on a base bundle only.",
            next_step="Fit one: `dvc repro base@cohort`, and install it.",
        )
    return Expert(*base.scorer.enrol(columns))
