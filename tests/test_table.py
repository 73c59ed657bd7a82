"""Tables keep who is absent apart from who is there."""

import numpy as np

from visavox.table import EmbeddingTable
from visavox.types import (
    FACE_QUALITY,
    VOICE_QUALITY,
    Embedding,
    Embeddings,
    Modality,
    Reason,
    Rejected,
)


def embedding(modality: Modality, value: float) -> Embedding:
    names = FACE_QUALITY if modality is Modality.FACE else VOICE_QUALITY
    vector = np.zeros(3, np.float32)
    vector[0] = value
    return Embedding(vector, {n: float(i) for i, n in enumerate(names)})


MUTE = Embeddings(
    embedding(Modality.FACE, 1.0), Rejected(Modality.VOICE, Reason.TOO_QUIET, "Louder.")
)
WHOLE = Embeddings(embedding(Modality.FACE, 2.0), embedding(Modality.VOICE, 3.0))
TABLE = EmbeddingTable.of(["a", "b"], [MUTE, WHOLE], face_dim=3, voice_dim=3)


def test_what_is_absent_is_nan_with_its_reason_and_never_zero() -> None:
    assert TABLE.voice.present.tolist() == [False, True]
    assert np.isnan(TABLE.voice.vectors[0]).all()
    assert TABLE.voice.reasons == ("too_quiet", "")
    assert TABLE.column(Modality.VOICE) is TABLE.voice
    assert TABLE.column(Modality.FACE) is TABLE.face


def test_quality_stands_in_the_order_of_its_names() -> None:
    assert TABLE.face.quality[0].tolist() == list(range(len(FACE_QUALITY)))


def test_rows_are_taken_whole_by_number_or_by_mask() -> None:
    for rows in (np.array([1]), np.array([False, True])):
        taken = TABLE.take(rows)
        assert taken.captures == ("b",)
        assert taken.voice.vectors[0, 0] == 3.0
        assert taken.voice.reasons == ("",)
    assert len(TABLE.take(np.array([], np.intp))) == 0


def test_a_table_of_nobody_has_the_dimensions_it_was_told() -> None:
    none = EmbeddingTable.of([], [], face_dim=5, voice_dim=7)
    assert none.face.vectors.shape == (0, 5)
    assert none.voice.vectors.shape == (0, 7)
