"""Whatever the reason, the person at the kiosk is told what to do."""

import pytest

from visavox.quality import NEXT_STEPS, rejected
from visavox.types import Modality, Reason, Rejected


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_short_sentence(reason: Reason) -> None:
    sentence = NEXT_STEPS[reason]
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    assert 2 <= len(sentence.split()) <= 14


def test_sentences_differ_so_that_they_can_be_told_apart() -> None:
    assert len(set(NEXT_STEPS.values())) == len(Reason)


def test_a_rejection_carries_its_sentence_and_what_was_measured() -> None:
    assert rejected(Modality.FACE, Reason.FACE_TOO_SMALL, size=12.0) == Rejected(
        Modality.FACE, Reason.FACE_TOO_SMALL, "Come closer.", {"size": 12.0}
    )
