"""The way of a request, with real nets and people who do not exist."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from visavox import bundle, capture, characterizer, quality
from visavox.bundle import Bundle
from visavox.characterizer import Characterizer
from visavox.errors import BundleError, CaptureError, ConfigError
from visavox.perception import Perception
from visavox.personas.person import face_of, person, voice_of
from visavox.pipeline import Pipeline
from visavox.table import Column, EmbeddingTable
from visavox.training.fit import DiscriminatorSettings, fit
from visavox.types import (
    SAMPLE_RATE,
    Capture,
    Embedding,
    Embeddings,
    Modality,
    Outcome,
    Reason,
    Rejected,
    VoiceEvidence,
)

POPULATION = 6


def picture(index: int, shot: int) -> bytes:
    file = io.BytesIO()
    pixels = face_of(person(POPULATION, index), 0, shot, 0.3).pixels
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def sound(index: int, shot: int) -> bytes:
    file = io.BytesIO()
    waveform = voice_of(person(POPULATION, index), 0, shot, 0.3).waveform
    soundfile.write(file, waveform, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="module")
def nets() -> Iterator[Characterizer]:
    loaded = characterizer.load("embedded")
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def ada() -> tuple[bytes, bytes]:
    return picture(0, 0), sound(0, 0)


@pytest.fixture(scope="module")
def seen(nets: Characterizer, ada: tuple[bytes, bytes]) -> Embeddings:
    with Perception(nets) as perception:
        return perception.perceive(perception.take(images=[ada[0]], audio=ada[1]))


@pytest.fixture(scope="module")
def served(
    nets: Characterizer, seen: Embeddings, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """A fridge of ada and two people who are points; the cohort are points, too."""
    members, names = points(nets, people=2, captures=2, seed=1, name="point")
    enrolment = joined(
        members,
        EmbeddingTable.of(["ada"], [seen], face_dim=nets.face_dim, voice_dim=nets.voice_dim),
    )
    fitted = fit(
        enrolment,
        [*names, "ada"],
        *points(nets, people=30, captures=3, seed=0, name="c"),
        DiscriminatorSettings(),
        seed=1,
    )
    folder = bundle.write(
        tmp_path_factory.mktemp("bundles"),
        fridge="north",
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=nets.digest,
        population="personas",
        lineage={},
        reference={},
    )
    return bundle.load(folder, characterizer_digest=nets.digest)


def points(
    nets: Characterizer, *, people: int, captures: int, seed: int, name: str
) -> tuple[EmbeddingTable, list[str]]:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(people), captures)
    columns = []
    for dim, width in ((nets.face_dim, 4), (nets.voice_dim, 3)):
        x = rng.standard_normal((people, dim))[owner] + rng.standard_normal((len(owner), dim)) / 2
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        columns.append(
            Column(
                x.astype(np.float32),
                np.ones(len(owner), np.bool_),
                rng.uniform(0.4, 0.6, (len(owner), width)).astype(np.float32),
                ("",) * len(owner),
            )
        )
    names = [f"{name}{p}" for p in owner]
    return EmbeddingTable(tuple(f"{n}-{i}" for i, n in enumerate(names)), *columns), names


def joined(a: EmbeddingTable, b: EmbeddingTable) -> EmbeddingTable:
    face, voice = (
        Column(
            np.concatenate([x.vectors, y.vectors]),
            np.concatenate([x.present, y.present]),
            np.concatenate([x.quality, y.quality]),
            x.reasons + y.reasons,
        )
        for x, y in ((a.face, b.face), (a.voice, b.voice))
    )
    return EmbeddingTable(a.captures + b.captures, face, voice)


def same(a: Embeddings, b: Embeddings) -> None:
    for one, other in ((a.face, b.face), (a.voice, b.voice)):
        assert isinstance(one, Embedding)
        assert isinstance(other, Embedding)
        assert_array_equal(one.vector, other.vector)
        assert one.quality == other.quality


def test_perception_is_quality_then_characterizer_whichever_threads_do_it(
    nets: Characterizer, ada: tuple[bytes, bytes], seen: Embeddings
) -> None:
    taken = capture.decode(images=[ada[0]], audio=ada[1])
    same(seen, nets.embed(quality.assess(taken, nets.detect)))
    with Perception(nets, side_by_side=False) as alone:
        same(seen, alone.perceive(taken))


def test_a_member_is_granted(nets: Characterizer, served: Bundle, ada: tuple[bytes, bytes]) -> None:
    with Pipeline(nets, served) as pipeline:
        granted = pipeline.run(images=[ada[0]], audio=ada[1])
    assert (granted.outcome, granted.member) == (Outcome.GRANTED, "ada")


def test_whoever_is_unlike_all_members_is_not_granted(
    nets: Characterizer, served: Bundle, seen: Embeddings
) -> None:
    rng = np.random.default_rng(5)

    def elsewhere(known: Embedding | Rejected) -> Embedding:
        assert isinstance(known, Embedding)
        away = rng.standard_normal(known.vector.size)
        return Embedding((away / np.linalg.norm(away)).astype(np.float32), known.quality)

    with Pipeline(nets, served) as pipeline:
        decision = pipeline.decide(Embeddings(elsewhere(seen.face), elsewhere(seen.voice)))
    assert decision.outcome is Outcome.REFUSED
    assert decision.member is None


def test_a_decision_can_be_replayed_from_its_embeddings(
    nets: Characterizer, served: Bundle, ada: tuple[bytes, bytes], seen: Embeddings
) -> None:
    with Pipeline(nets, served) as pipeline:
        assert pipeline.decide(seen) == pipeline.run(images=[ada[0]], audio=ada[1])


def test_every_room_is_timed_in_the_order_of_the_way(
    nets: Characterizer, served: Bundle, ada: tuple[bytes, bytes]
) -> None:
    told: list[tuple[str, float]] = []
    with Pipeline(
        nets,
        served,
        on_stage=lambda name, seconds: told.append((name, seconds)),
        side_by_side=False,
    ) as pipeline:
        pipeline.run(images=[ada[0]], audio=ada[1])
    assert [name for name, _ in told] == [
        "capture",
        "quality.face",
        "characterizer.face",
        "quality.voice",
        "characterizer.voice",
        "discriminator",
        "decision",
    ]
    assert all(seconds > 0 for _, seconds in told)


def test_a_room_that_raises_is_not_timed(nets: Characterizer) -> None:
    told: list[str] = []
    with (
        Perception(nets, on_stage=lambda name, _: told.append(name)) as perception,
        pytest.raises(CaptureError),
    ):
        perception.take(images=[b"no picture"])
    assert told == []


def test_a_missing_modality_stays_missing(
    nets: Characterizer, served: Bundle, ada: tuple[bytes, bytes]
) -> None:
    with Pipeline(nets, served) as pipeline:
        seen = pipeline.perceive(pipeline.perception.take(images=[ada[0]]))
        assert isinstance(seen.face, Embedding)
        assert isinstance(seen.voice, Rejected)
        assert seen.voice.reason is Reason.NOT_CAPTURED
        decision = pipeline.run(audio=ada[1])
    assert [r.modality for r in decision.rejected] == [Modality.FACE]
    assert all(c.face is None and c.voice is not None for c in decision.candidates)


def test_nothing_usable_asks_for_another_try(nets: Characterizer, served: Bundle) -> None:
    dark = Capture((np.zeros((480, 640, 3), np.uint8),), (0.0,), np.zeros(32_000, np.float32))
    with Pipeline(nets, served) as pipeline:
        decision = pipeline.decide(pipeline.perceive(dark))
    assert decision.outcome is Outcome.RETRY
    assert decision.next_step
    assert {r.modality for r in decision.rejected} == set(Modality)
    assert decision.threshold is None


def test_limits_are_those_that_were_given(
    nets: Characterizer, served: Bundle, ada: tuple[bytes, bytes]
) -> None:
    with (
        Pipeline(nets, served, limits=capture.Limits(part_bytes=10)) as pipeline,
        pytest.raises(CaptureError, match="at most 10"),
    ):
        pipeline.run(images=[ada[0]])
    picky = quality.QualityLimits(size=5000.0)
    with Pipeline(nets, served, quality_limits=picky) as pipeline:
        seen = pipeline.perceive(pipeline.perception.take(images=[ada[0]]))
    assert isinstance(seen.face, Rejected)
    assert seen.face.reason is Reason.FACE_TOO_SMALL


def test_another_characterizers_bundle_is_refused(nets: Characterizer, served: Bundle) -> None:
    foreign = Bundle(
        served.fridge,
        served.discriminator,
        served.policy,
        {**served.manifest, "characterizer": "0" * 64},
        served.reference,
        served.digest,
    )
    with pytest.raises(BundleError, match="another Characterizer"):
        Pipeline(nets, foreign)


def test_a_risk_setting_that_does_not_exist_is_refused_before_anyone_comes(
    nets: Characterizer, served: Bundle
) -> None:
    with pytest.raises(ConfigError, match="'reckless'"):
        Pipeline(nets, served, risk="reckless")


def test_a_higher_risk_setting_asks_for_no_less(
    nets: Characterizer, served: Bundle, seen: Embeddings
) -> None:
    asked = []
    for risk in ("low", "normal", "high"):
        with Pipeline(nets, served, risk=risk) as pipeline:
            threshold = pipeline.decide(seen).threshold
            assert threshold is not None
            asked.append(threshold)
    assert asked == sorted(asked)


class Deaf(Characterizer):
    """Fails on the second thread."""

    def embed_voice(self, evidence: VoiceEvidence) -> Embedding:  # noqa: ARG002
        raise RuntimeError("deaf")


def test_an_error_on_the_second_thread_is_the_callers(ada: tuple[bytes, bytes]) -> None:
    folder = Path(characterizer.__file__).parent / "embedded"
    with Perception(Deaf.read(folder)) as perception:
        taken = perception.take(images=[ada[0]], audio=ada[1])
        with pytest.raises(RuntimeError, match="deaf"):
            perception.perceive(taken)


def test_captures_from_several_threads_do_not_mix(
    nets: Characterizer, ada: tuple[bytes, bytes], seen: Embeddings
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Perception(nets) as perception, ThreadPoolExecutor(3) as pool:
        taken = perception.take(images=[ada[0]], audio=ada[1])
        quiet = Capture(taken.frames, taken.frame_times)
        found = list(pool.map(perception.perceive, [taken, quiet, taken, quiet]))
    for i, one in enumerate(found):
        assert isinstance(one.face, Embedding)
        assert isinstance(seen.face, Embedding)
        assert_allclose(one.face.vector, seen.face.vector)
        assert isinstance(one.voice, Embedding if i % 2 == 0 else Rejected)
