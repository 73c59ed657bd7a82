"""Evidence in, unit vectors out; rejected evidence stays rejected; nothing foreign is served."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from visavox.characterizer import Characterizer, DetectorSettings, cache_folder, load
from visavox.characterizer.crop import Crop
from visavox.characterizer.folder import CARD, Card, write_card
from visavox.errors import CharacterizerError, WeightsMissing
from visavox.types import (
    FACE_QUALITY,
    SAMPLE_RATE,
    VOICE_QUALITY,
    Embedding,
    Evidence,
    FaceEvidence,
    FaceSample,
    Modality,
    Pixels,
    Reason,
    Rejected,
    VoiceEvidence,
)

NO_FACE = Rejected(Modality.FACE, Reason.NO_FACE, "Look at the camera.")
NO_VOICE = Rejected(Modality.VOICE, Reason.TOO_QUIET, "Say it again, louder.")


def seen(nets: Characterizer, frame: Pixels, **quality: float) -> FaceSample:
    measures = {"size": 200.0, "sharpness": 0.4, "brightness": 0.5, "frontal": 0.9, **quality}
    return FaceSample(frame, nets.detect(frame)[0], measures)


def heard(seed: int, seconds: float = 2.0) -> VoiceEvidence:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(int(seconds * SAMPLE_RATE)) * 0.1
    return VoiceEvidence(noise.astype(np.float32), dict.fromkeys(VOICE_QUALITY, 1.0))


@pytest.fixture(scope="module")
def faces(tiny: Characterizer, portraits: tuple[Pixels, ...]) -> tuple[FaceSample, ...]:
    return tuple(seen(tiny, frame) for frame in portraits[:3])


def test_embeddings_are_unit_vectors_of_the_dimensions_announced(
    tiny: Characterizer, faces: tuple[FaceSample, ...]
) -> None:
    got = tiny.embed(Evidence(FaceEvidence(faces[:1]), heard(1)))
    assert isinstance(got.face, Embedding)
    assert isinstance(got.voice, Embedding)
    assert got.face.vector.shape == (tiny.face_dim,) == (16,)
    assert got.voice.vector.shape == (tiny.voice_dim,) == (12,)
    for vector in (got.face.vector, got.voice.vector):
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert set(got.face.quality) == set(FACE_QUALITY)
    assert set(got.voice.quality) == set(VOICE_QUALITY)


def test_side_by_side_is_the_same_as_one_by_one(
    tiny: Characterizer, faces: tuple[FaceSample, ...]
) -> None:
    face, voice = FaceEvidence(faces), heard(2)
    both = tiny.embed(Evidence(face, voice))
    assert isinstance(both.face, Embedding)
    assert isinstance(both.voice, Embedding)
    np.testing.assert_array_equal(both.face.vector, tiny.embed_face(face).vector)
    np.testing.assert_array_equal(both.voice.vector, tiny.embed_voice(voice).vector)


def test_rejected_evidence_stays_rejected(
    tiny: Characterizer, faces: tuple[FaceSample, ...]
) -> None:
    nothing = tiny.embed(Evidence(NO_FACE, NO_VOICE))
    assert (nothing.face, nothing.voice) == (NO_FACE, NO_VOICE)
    voice = tiny.embed(Evidence(NO_FACE, heard(1)))
    assert voice.face is NO_FACE
    assert isinstance(voice.voice, Embedding)
    face = tiny.embed(Evidence(FaceEvidence(faces[:1]), NO_VOICE))
    assert isinstance(face.face, Embedding)
    assert face.voice is NO_VOICE


def test_one_sample_twice_is_that_sample(
    tiny: Characterizer, faces: tuple[FaceSample, ...]
) -> None:
    once = tiny.embed_face(FaceEvidence(faces[:1])).vector
    twice = tiny.embed_face(FaceEvidence((faces[0], faces[0]))).vector
    np.testing.assert_allclose(once, twice, atol=1e-5)


def test_better_samples_weigh_more(tiny: Characterizer, portraits: tuple[Pixels, ...]) -> None:
    def together(sharpness: float) -> Embedding:
        pair = (seen(tiny, portraits[0]), seen(tiny, portraits[1], sharpness=sharpness))
        return tiny.embed_face(FaceEvidence(pair))

    first = tiny.embed_face(FaceEvidence((seen(tiny, portraits[0]),))).vector
    blurred, sharp = together(0.2), together(0.4)
    assert blurred.vector @ first > sharp.vector @ first
    assert np.linalg.norm(blurred.vector) == pytest.approx(1, abs=1e-5)
    # The quality told is that of what went in, by the same weights: 2 : 1 here.
    assert blurred.quality["sharpness"] == pytest.approx((2 * 0.4 + 0.2) / 3)
    assert sharp.quality["sharpness"] == pytest.approx(0.4)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_measure_that_says_nothing_takes_no_sample_out(
    tiny: Characterizer, portraits: tuple[Pixels, ...], value: float
) -> None:
    pair = tuple(seen(tiny, frame, sharpness=value) for frame in portraits[:2])
    vector = tiny.embed_face(FaceEvidence(pair)).vector
    plain = tiny.embed_face(FaceEvidence(tuple(seen(tiny, f) for f in portraits[:2]))).vector
    np.testing.assert_allclose(vector, plain, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.1, 0.36, 0.5, 1.7])
def test_speech_of_any_length_gives_a_vector(tiny: Characterizer, seconds: float) -> None:
    vector = tiny.embed_voice(heard(3, seconds)).vector
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_many_threads_get_what_one_gets(tiny: Characterizer, faces: tuple[FaceSample, ...]) -> None:
    given = [Evidence(FaceEvidence(faces[i % 3 :]), heard(i, 1.0)) for i in range(12)]
    alone = [tiny.embed(e) for e in given]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(tiny.embed, given))
    for a, b in zip(alone, together, strict=True):
        assert isinstance(a.face, Embedding)
        assert isinstance(b.face, Embedding)
        assert isinstance(a.voice, Embedding)
        assert isinstance(b.voice, Embedding)
        np.testing.assert_array_equal(a.face.vector, b.face.vector)
        np.testing.assert_array_equal(a.voice.vector, b.voice.vector)


def test_the_card_says_what_it_is(tiny: Characterizer, nets_folder: Path) -> None:
    assert tiny.name == "tiny"
    assert tiny.population == "none: random weights"
    assert tiny.crop is Crop.ALIGNED_112
    again = load(str(nets_folder))
    assert again.digest == tiny.digest
    again.close()


def test_the_detector_is_set_where_the_characterizer_is_loaded(
    nets_folder: Path, portraits: tuple[Pixels, ...]
) -> None:
    blind = load(nets_folder, detector=DetectorSettings(min_face_size=470))
    assert blind.detect(portraits[0]) == ()


def test_an_unknown_name_is_told_the_choices(tmp_path: Path) -> None:
    with pytest.raises(CharacterizerError, match="`embedded`, `pretrained`, or a folder"):
        load(tmp_path / "nowhere")


def test_pretrained_nets_that_were_never_built_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    with pytest.raises(WeightsMissing, match=r"python -m visavox\.training\.pretrained"):
        load("pretrained")


def test_pretrained_nets_are_found_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nets_folder: Path
) -> None:
    monkeypatch.delenv("VISAVOX_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = tmp_path / "visavox" / "characterizers" / "pretrained"
    built.parent.mkdir(parents=True)
    built.symlink_to(nets_folder)
    assert load("pretrained").name == "tiny"


def test_nets_that_do_not_keep_their_cards_promise_are_refused(
    tmp_path: Path, nets_folder: Path, tiny: Characterizer
) -> None:
    for file in nets_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    card = tiny.card
    voice = type(card.voice)(file=card.voice.file, sha256=card.voice.sha256, dim=13)
    write_card(
        tmp_path,
        Card(
            format=card.format,
            name=card.name,
            population=card.population,
            face=card.face,
            voice=voice,
        ),
    )
    with pytest.raises(CharacterizerError, match="one unit vector of length 13"):
        load(tmp_path)


def test_a_face_net_for_another_crop_is_refused(tmp_path: Path, nets_folder: Path) -> None:
    text = (nets_folder / CARD).read_text().replace("aligned-112", "box-160")
    for name in ("face.onnx", "voice.onnx"):
        (tmp_path / name).write_bytes((nets_folder / name).read_bytes())
    (tmp_path / CARD).write_text(text)
    with pytest.raises(CharacterizerError, match=r"cannot be run on uint8 \(1, 160, 160, 3\)"):
        load(tmp_path)


def test_serving_needs_no_torch(nets_folder: Path) -> None:
    code = (
        "import sys; from visavox.characterizer import load; "
        f"load({str(nets_folder)!r}); "
        "assert not {'torch', 'onnx', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
