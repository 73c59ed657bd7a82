"""Recordings cut off anywhere, as Gradio leaves them, against the service's own decoder."""

from pathlib import Path

import numpy as np
import pytest

from demo.recording import mended, whole
from visavox.characterizer import Characterizer
from visavox.errors import CaptureError
from visavox.perception import Perception
from visavox.personas import clip
from visavox.types import SAMPLE_RATE


@pytest.fixture(scope="module", params=["webm", "mp4"])
def recording(request: pytest.FixtureRequest) -> bytes:
    rng = np.random.default_rng(0)
    frames = tuple(rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(24))
    sound = rng.normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    return clip.encode(frames, sound, container=request.param)


def test_what_is_complete_stays_as_it_is(recording: bytes, tmp_path: Path) -> None:
    assert whole(recording) == recording
    path = tmp_path / "sample.bin"
    path.write_bytes(recording)
    assert mended(path) == path


def test_a_cut_webm_is_taken_by_the_service_again(embedded: Characterizer, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = tuple(rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(24))
    data = live(clip.encode(frames, None, container="webm"))
    with Perception(embedded) as perception:
        entire = len(perception.take(images=(), audio=None, clip=data).frames)
        for lost in (1, 2, 7, 200):
            cut = tmp_path / f"{lost}.webm"
            cut.write_bytes(data[:-lost])
            with pytest.raises(CaptureError, match="cut short"):
                perception.take(images=(), audio=None, clip=cut.read_bytes())
            kept = perception.take(images=(), audio=None, clip=mended(cut).read_bytes())
            assert 0 < len(kept.frames) <= entire


def live(data: bytes) -> bytes:
    """A WebM as a browser writes it while recording: nothing open-ended says how long it is."""
    segment = data.index(b"\x18\x53\x80\x67")
    cluster = data.index(b"\x1f\x43\xb6\x75")
    cues = data.find(b"\x1c\x53\xbb\x6b", cluster)
    made = bytearray(data if cues < 0 else data[:cues])
    for at in (segment, cluster):
        size = 9 - made[at + 4].bit_length()
        made[at + 4] = 0xFF >> (size - 1)
        made[at + 5 : at + 4 + size] = b"\xff" * (size - 1)
    return bytes(made)


@pytest.mark.parametrize("data", [b"", b"\x1aE\xdf\xa3", b"\0\0\0\x10ftyp", b"RIFF....WAVE"])
def test_what_cannot_be_mended_is_left_to_the_service(data: bytes) -> None:
    assert whole(data) == data


def test_a_fragment_that_lost_its_pictures_is_left_off() -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + name + content

    head = box(b"ftyp", b"isom") + box(b"moov", b"")
    first = box(b"moof", b"1") + box(b"mdat", b"pictures")
    second = box(b"moof", b"2") + box(b"mdat", b"more pictures")
    assert whole(head + first + second) == head + first + second
    assert whole((head + first + second)[:-3]) == head + first
