"""Pictures of faces, and where their landmarks truly are."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from visavox.personas.face import HEAD, Rendered, render
from visavox.personas.face_identity import FaceIdentity, Traits
from visavox.personas.face_scene import Look, Moment

QUIET = Look(noise=0.0, sharpness=0.0)


def _face(seed: int) -> FaceIdentity:
    return FaceIdentity.draw(np.random.default_rng(seed))


def _built(**genes: float) -> FaceIdentity:
    """The average face, but for these genes."""
    average = dict.fromkeys((f.name for f in fields(Traits)), 0.0)
    return FaceIdentity.of(tuple({**average, **genes}.values()), 1)


def _small(face: FaceIdentity, look: Look, moment: Moment) -> Rendered:
    return render(face, look, moment, size=(112, 112), head=40.0)


def test_a_full_picture_is_a_vga_frame_with_a_large_head() -> None:
    seen = render(_face(0), Look(), Moment())
    assert seen.pixels.shape == (480, 640, 3)
    assert seen.pixels.dtype == np.uint8
    eyes, mouth = seen.landmarks[:2].mean(0), seen.landmarks[3:].mean(0)
    assert 0.45 * HEAD < mouth[1] - eyes[1] < 0.75 * HEAD


@given(st.integers(0, 2**31), st.floats(0.0, 3.0))
@settings(max_examples=25, deadline=None)
def test_any_face_at_any_moment_is_rendered(seed: int, hardness: float) -> None:
    rng = np.random.default_rng(seed)
    face = FaceIdentity.draw(rng)
    look = Look.draw(rng, face.traits, hardness)
    seen = _small(face, look, Moment.draw(rng, hardness))
    assert seen.pixels.shape == (112, 112, 3)
    assert np.isfinite(seen.landmarks).all()
    left_eye, right_eye, nose, left_mouth, right_mouth = seen.landmarks
    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1]
    assert seen.pixels.std() > 3  # something is to be seen


def test_the_same_shot_gives_the_same_pixels() -> None:
    face, look, moment = _face(1), Look(backdrop=3), Moment(yaw=0.2, seed=9)
    first, again = (_small(face, look, moment) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    other = _small(face, look, replace(moment, seed=10))
    assert not np.array_equal(first.pixels, other.pixels)
    assert np.array_equal(first.landmarks, other.landmarks)


@pytest.mark.parametrize(
    ("moment", "axis", "sign"),
    [
        (Moment(yaw=0.3), 0, 1),
        (Moment(yaw=-0.3), 0, -1),
        (Moment(pitch=0.2), 1, 1),
        (Moment(pitch=-0.2), 1, -1),
    ],
)
def test_the_nose_leads_where_the_head_turns(moment: Moment, axis: int, sign: int) -> None:
    def nose_from_eyes(m: Moment) -> float:
        landmarks = _small(_face(2), QUIET, m).landmarks
        return float(landmarks[2, axis] - landmarks[:2, axis].mean())

    assert sign * (nose_from_eyes(moment) - nose_from_eyes(Moment())) > 1.0


def test_a_leaning_head_leans_clockwise() -> None:
    left, right = _small(_face(2), QUIET, Moment(roll=0.2)).landmarks[:2]
    assert np.arctan2(right[1] - left[1], right[0] - left[0]) == pytest.approx(0.2, abs=0.08)


def test_pupils_are_dark_where_the_landmarks_say() -> None:
    """The truest landmarks of all: the pixels under them."""
    moment = Moment(yaw=0.25, pitch=0.1, roll=0.1, smile=-0.2)
    for seed in range(8):
        face = _face(seed)
        seen = render(face, replace(QUIET, glasses=False), moment, size=(320, 320), head=100.0)
        grey = seen.pixels.mean(2)
        for x, y in seen.landmarks[:2]:
            near = grey[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
            around = grey[int(y) - 12 : int(y) + 13, int(x) - 16 : int(x) + 17]
            assert near.min() < 45
            assert near.mean() < around.max()


def test_an_open_mouth_is_dark_inside() -> None:
    face = _built(masculinity=-1.0, tone=-1.0)

    def brightness(opening: float) -> float:
        seen = render(face, QUIET, Moment(mouth_open=opening), size=(256, 256), head=90.0)
        x, y = seen.landmarks[3:].mean(0).astype(int)
        return float(seen.pixels[y + 2 : y + 8, x - 4 : x + 5].mean())

    assert brightness(1.0) < 0.6 * brightness(0.0)


def test_light_falls_from_the_side_that_the_lamp_is_on() -> None:
    def right_minus_left(side: float) -> float:
        look = replace(QUIET, light=(side, -0.3, 0.8), contrast=0.9)
        pixels = _small(_face(4), look, Moment()).pixels.astype(float)
        (lx, y), (rx, _) = _small(_face(4), look, Moment()).landmarks[3:]
        row = slice(int(y) - 14, int(y) - 8)
        return float(
            pixels[row, int(rx) : int(rx) + 6].mean() - pixels[row, int(lx) - 6 : int(lx)].mean()
        )

    assert right_minus_left(1.0) > 10 > -10 > right_minus_left(-1.0)


def test_blur_takes_detail_and_noise_adds_some() -> None:
    def detail(look: Look, blur: float) -> float:
        pixels = render(_face(5), look, Moment(blur=blur), size=(160, 160), head=60.0).pixels
        middle = pixels[40:120, 40:120].astype(float)
        return float(np.abs(np.diff(middle, axis=1)).mean())

    assert detail(QUIET, 4.0) < 0.8 * detail(QUIET, 0.0)
    assert detail(replace(QUIET, noise=12.0), 0.0) > detail(QUIET, 0.0) + 3


def test_something_held_before_the_face_hides_it() -> None:
    bare = _small(_face(6), QUIET, Moment())
    held = _small(_face(6), QUIET, Moment(cover=(0.0, 0.6, 0.2)))
    changed = np.abs(bare.pixels.astype(int) - held.pixels).max(2) > 8
    assert 0.01 < changed.mean() < 0.25


@pytest.mark.parametrize(
    "change",
    [
        {"glasses": True},
        {"beard": 0.2},
        {"hair_tied": True},
        {"make_up": 0.7},
        {"tan": 0.1},
        {"weight": 0.04},
        {"balance": (1.1, 1.0, 0.9)},
        {"exposure": 0.7},
        {"fringe": 0.1},
        {"tired": 1.0},
        {"brow_groomed": -0.2},
    ],
)
def test_every_change_of_look_is_seen(change: dict[str, object]) -> None:
    male = _built(masculinity=1.0, beard_style=2.0)
    female = _built(masculinity=-1.0, hair_style=0.5)
    seen = 0.0
    for face in (male, female):
        usual = _small(face, QUIET, Moment()).pixels.astype(float)
        other = _small(face, replace(QUIET, **change), Moment()).pixels  # type: ignore[arg-type]
        seen = max(seen, float(np.abs(usual - other).max()))
    assert seen > 12


def test_people_differ_more_than_one_person_does() -> None:
    """Aligned by their landmarks, two pictures of one face are closer than two faces."""

    def seen(person: int, shot: int) -> NDArray[np.float64]:
        look = replace(QUIET, backdrop=1, shirt=(0.5, 0.5, 0.5))
        moment = Moment(yaw=0.08 * (shot - 1), smile=0.2 * shot)
        picture = _small(_face(person), look, moment)
        x, y = np.round(picture.landmarks.mean(0)).astype(int)
        return picture.pixels[y - 24 : y + 24, x - 20 : x + 20].astype(float)

    crops = np.array([[seen(p, s) for s in range(3)] for p in range(6)])
    within = np.abs(crops[:, 0] - crops[:, 2]).mean()
    between = np.abs(crops[:5, 0] - crops[1:, 0]).mean()
    assert within < 0.6 * between


@pytest.mark.timeout(120)
def test_mtcnn_sees_the_faces_and_their_landmarks() -> None:
    mtcnn = pytest.importorskip("facenet_pytorch").MTCNN(min_face_size=80, device="cpu")
    rng = np.random.default_rng(7)
    for _ in range(3):
        face = FaceIdentity.draw(rng)
        seen = render(face, Look.draw(rng, face.traits), Moment.draw(rng))
        boxes, probability, found = mtcnn.detect(seen.pixels, landmarks=True)
        assert len(boxes) == 1
        assert probability[0] > 0.95
        off = np.linalg.norm(found[0].astype(float) - seen.landmarks, axis=1)
        eyes = np.linalg.norm(seen.landmarks[0] - seen.landmarks[1])
        assert off.max() < 0.25 * eyes
        assert off.mean() < 0.12 * eyes
