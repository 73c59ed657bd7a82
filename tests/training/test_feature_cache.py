"""What was embedded once is never embedded again, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

from visavox.training.feature_cache import FeatureCache
from visavox.types import Embedding, Embeddings, Modality, Reason, Rejected


def seen(seed: int, *, voice: bool = True) -> Embeddings:
    rng = np.random.default_rng(seed)
    face = Embedding(rng.standard_normal(5).astype(np.float32), {"size": 100.0, "frontal": 0.1})
    if voice:
        return Embeddings(face, Embedding(rng.standard_normal(3).astype(np.float32), {"snr_db": 9}))
    measured = {"speech_s": 0.1}
    return Embeddings(face, Rejected(Modality.VOICE, Reason.TOO_QUIET, "Speak up.", measured))


def same(a: Embeddings, b: Embeddings) -> None:
    for one, other in ((a.face, b.face), (a.voice, b.voice)):
        if isinstance(one, Rejected):
            assert one == other
        else:
            assert isinstance(other, Embedding)
            assert_array_equal(one.vector, other.vector)
            assert one.vector.dtype == other.vector.dtype
            assert one.quality == other.quality


def test_what_is_kept_comes_back_to_the_bit(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "deep" / "cache.sqlite")
    kept = {"a": seen(1), "b": seen(2, voice=False)}
    cache.put(kept)
    found = FeatureCache(cache.path).get(["a", "b", "c"])
    assert set(found) == {"a", "b"}
    for key, value in kept.items():
        same(value, found[key])


def test_rejections_of_both_are_kept_as_rejections(tmp_path: Path) -> None:
    nothing = Embeddings(
        Rejected(Modality.FACE, Reason.NO_FACE, "Come closer."),
        Rejected(Modality.VOICE, Reason.NOT_CAPTURED, "Speak."),
    )
    cache = FeatureCache(tmp_path / "cache.sqlite")
    cache.put({"k": nothing})
    assert cache.get(["k"]) == {"k": nothing}


def test_any_number_of_keys_can_be_asked_for(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache.sqlite")
    cache.put({"k7": seen(7)})
    assert set(cache.get(f"k{i}" for i in range(50_000))) == {"k7"}
    assert cache.get([]) == {}


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache.sqlite")
    cache.put({"k": seen(1)})
    cache.put({"k": seen(2)})
    same(cache.get(["k"])["k"], seen(1))


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"

    def work(number: int) -> None:
        for i in range(5):
            FeatureCache(path).put({f"{number}-{i}": seen(number)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(FeatureCache(path).get(f"{n}-{i}" for n in range(4) for i in range(5))) == 20
