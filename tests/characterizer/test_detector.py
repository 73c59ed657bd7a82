"""The detector finds what facenet-pytorch's MTCNN finds, where MTCNN finds it."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event
from typing import Any, TypeVar

import numpy as np
import pytest
from facenet_pytorch import MTCNN
from PIL import Image

from visavox.characterizer.detector import Detector, DetectorSettings
from visavox.types import DetectedFace, Pixels

T = TypeVar("T")
BOX_PIXELS = 2.0
LANDMARK_PIXELS = 3.0


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def assert_same_faces(frame: Pixels, faces: tuple[DetectedFace, ...], peer: MTCNN) -> int:
    boxes, probabilities, points = peer.detect(Image.fromarray(frame), landmarks=True)
    assert len(faces) == (0 if boxes is None else len(boxes))
    for i, face in enumerate(faces):
        np.testing.assert_allclose(face.box, boxes[i].astype(float), atol=BOX_PIXELS)
        np.testing.assert_allclose(face.landmarks, points[i].astype(float), atol=LANDMARK_PIXELS)
        assert face.probability == pytest.approx(probabilities[i], abs=1e-3)
    return len(faces)


@pytest.mark.parametrize("size", [40, 80, 130])
def test_faces_are_mtcnns(portraits: tuple[Pixels, ...], group: Pixels, size: int) -> None:
    peer = MTCNN(min_face_size=size)
    ours = Detector(DetectorSettings(min_face_size=size))
    found = [assert_same_faces(f, ours(f), peer) for f in (*portraits, group)]
    assert sum(found) >= 6, "the pictures must hold faces for this to mean anything"
    assert found[-1] >= 2 or size > 80


def test_faces_are_mtcnns_at_other_sizes_and_at_the_rim(
    portraits: tuple[Pixels, ...], detector: Detector
) -> None:
    peer = MTCNN(min_face_size=80)
    whole = portraits[0]
    for frame in (
        np.ascontiguousarray(whole[:, 210:]),  # the face leans out of the picture
        np.ascontiguousarray(whole[::-1]),  # upside down
        np.asarray(Image.fromarray(whole).resize((1100, 825))),
        np.asarray(Image.fromarray(whole).resize((333, 251))),
    ):
        assert_same_faces(frame, detector(frame), peer)


def test_noise_holds_what_mtcnn_sees_in_it() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    assert_same_faces(
        noise, Detector(DetectorSettings(min_face_size=20))(noise), MTCNN(min_face_size=20)
    )


def test_an_empty_wall_holds_no_face(detector: Detector) -> None:
    assert detector(np.full((480, 640, 3), 127, np.uint8)) == ()


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 900, 3), (79, 640, 3)])
def test_pictures_smaller_than_any_face_hold_none(
    detector: Detector, shape: tuple[int, int, int]
) -> None:
    assert detector(np.zeros(shape, np.uint8)) == ()


def test_the_largest_face_comes_first(group: Pixels, detector: Detector) -> None:
    faces = detector(group)
    areas = [np.prod(f.box[2:] - f.box[:2]) for f in faces]
    assert len(areas) >= 2
    assert areas == sorted(areas, reverse=True)


def test_higher_thresholds_find_fewer(portraits: tuple[Pixels, ...]) -> None:
    strict = Detector(DetectorSettings(thresholds=(0.6, 0.7, 1.0)))
    assert strict(portraits[0]) == ()


def test_threads_do_not_disturb_each_other(
    portraits: tuple[Pixels, ...], group: Pixels, detector: Detector
) -> None:
    frames = [*portraits, group] * 3
    alone = [detector(f) for f in frames]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(detector, frames))
    for a, b in zip(alone, together, strict=True):
        assert [f.probability for f in a] == [f.probability for f in b]
        assert all(np.array_equal(x.box, y.box) for x, y in zip(a, b, strict=True))


def test_a_frame_is_left_as_it_was(portraits: tuple[Pixels, ...], detector: Detector) -> None:
    frame = portraits[0].copy()
    detector(frame)
    assert np.array_equal(frame, portraits[0])


class _Diligent(Executor):
    """A helper that does all the work before the asker comes to it."""

    def submit(self, work: Callable[..., T], /, *args: Any, **named: Any) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(work(*args, **named))
        except ValueError as error:
            done.set_exception(error)
        return done


def _same(some: tuple[DetectedFace, ...], others: tuple[DetectedFace, ...]) -> None:
    assert len(some) == len(others) > 0
    for a, b in zip(some, others, strict=True):
        assert np.array_equal(a.box, b.box)
        assert np.array_equal(a.landmarks, b.landmarks)
        assert a.probability == b.probability


def test_a_helper_changes_no_number(
    portraits: tuple[Pixels, ...], group: Pixels, detector: Detector
) -> None:
    with ThreadPoolExecutor(1) as pool:
        for frame in (*portraits, group):
            alone = detector(frame)
            for helper in (pool, _Diligent()):
                _same(detector(frame, helper=helper), alone)


def test_a_helper_that_is_busy_or_gone_is_not_waited_for(
    portraits: tuple[Pixels, ...], detector: Detector
) -> None:
    alone = detector(portraits[0])
    with ThreadPoolExecutor(1) as pool:
        free = Event()
        pool.submit(free.wait)
        try:
            _same(detector(portraits[0], helper=pool), alone)
        finally:
            free.set()
    _same(detector(portraits[0], helper=pool), alone)


def test_what_goes_wrong_beside_is_heard_of(
    portraits: tuple[Pixels, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Detector()

    def fails(given: object) -> list[np.ndarray]:
        raise ValueError("no memory")

    monkeypatch.setattr(broken, "_onet", fails)
    with pytest.raises(ValueError, match="no memory"):
        broken(portraits[0], helper=_Diligent())
