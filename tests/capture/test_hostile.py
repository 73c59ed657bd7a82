"""Whatever the bytes: a Capture within its limits or a CaptureError, in bounded memory."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visavox.capture import Limits, decode
from visavox.errors import CaptureError
from visavox.types import SAMPLE_RATE, Capture

NAMES = [
    "jpeg", "progressive", "png", "palette", "webp", "lossless",
    "wav", "float", "flac", "opus", "vorbis",
    "mp4", "fragmented", "webm", "live",
]  # fmt: skip
LIMITS = Limits(max_seconds=5.0, clip_frames=6)


def survives(arguments: dict[str, Any]) -> Capture | None:
    try:
        capture = decode(**arguments, limits=LIMITS)
    except CaptureError:
        return None
    assert len(capture.frames) == len(capture.frame_times) <= LIMITS.clip_frames
    for frame in capture.frames:
        assert frame.dtype == np.uint8
        assert frame.shape[2] == 3
        assert LIMITS.min_side <= min(frame.shape[:2])
        assert max(frame.shape[:2]) <= LIMITS.frame_side
    if capture.waveform is not None:
        assert capture.waveform.dtype == np.float32
        assert len(capture.waveform) <= LIMITS.max_seconds * SAMPLE_RATE
        assert np.abs(capture.waveform).max() <= 1.0  # and so no NaN
    return capture


def test_every_format_is_tried(samples: Mapping[str, Any]) -> None:
    assert list(samples) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_anywhere_is_refused(samples: Mapping[str, Any], name: str) -> None:
    sample = samples[name]
    assert survives(sample.arguments)
    size = len(sample.data)
    # Every byte of the headers and of the end; in between, a few hundred places.
    cuts = {*range(min(size, 200)), *range(0, size, max(1, size // 300)), *range(size - 40, size)}
    for cut in cuts:
        assert survives(sample._replace(data=sample.data[:cut]).arguments) is None, cut


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Each edit: where (0..1), how many bytes go, what comes instead."""
    changed = bytearray(data)
    for where, gone, come in edits:
        at = int(where**2 * len(changed))  # headers stand in front: more edits there
        changed[at : at + gone] = come
    return bytes(changed)


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 4),
        st.one_of(
            st.binary(max_size=4),
            st.sampled_from([b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00"]),
        ),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("name", NAMES)
@given(edits=EDITS)
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_decoded_within_limits_or_refused(
    samples: Mapping[str, Any], name: str, edits: list[tuple[float, int, bytes]]
) -> None:
    sample = samples[name]
    survives(sample._replace(data=edited(sample.data, edits)).arguments)


@given(kind=st.sampled_from(["images", "audio", "clip"]), data=st.binary(max_size=300))
@settings(deadline=None)
def test_noise_is_refused(kind: str, data: bytes) -> None:
    assert survives({kind: [data] if kind == "images" else data}) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_the_wrong_place_is_refused(samples: Mapping[str, Any], name: str) -> None:
    sample = samples[name]
    for kind in {"images", "audio", "clip"} - {sample.kind}:
        if (sample.kind, kind) == ("clip", "audio"):
            continue  # its sound is a sound
        assert survives(sample._replace(kind=kind).arguments) is None


MEASURED = """
import resource, sys
from visavox.capture import decode
from visavox.errors import CaptureError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

for name in sys.argv[1:]:
    data = open(name, "rb").read()
    before = peak()
    try:
        decode(images=[data]) if name.endswith("png") else decode(audio=data)
        outcome = "decoded"
    except CaptureError:
        outcome = "refused"
    print(outcome, peak() - before)
"""


def test_bombs_cost_no_memory(
    write_png: Callable[..., bytes],
    write_wav_header: Callable[..., bytes],
    write_sound: Callable[..., bytes],
    tmp_path: Any,
) -> None:
    """In a process of their own, because only a peak can be measured."""
    ten_hours = 36_000 * 16_000 * 2
    hour = write_sound(np.zeros((16_000 * 600, 4), np.float32), form="FLAC")
    bombs = {
        "declared.png": write_png(30_000, 30_000),
        "declared.wav": write_wav_header(declared=ten_hours, held=4_000),
        "streamed.wav": write_wav_header(declared=0xFFFFFFFF, held=4_000_000),
        "compressed.flac": hour,
        "large.png": write_png(4_000, 4_000, rows=4_000),
    }
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    answer = subprocess.run(
        [sys.executable, "-c", MEASURED, *(str(tmp_path / name) for name in bombs)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert not answer.stderr
    results = [line.split() for line in answer.stdout.splitlines()]
    assert [outcome for outcome, _ in results] == ["refused"] * 4 + ["decoded"]
    grown = [int(megabytes) for _, megabytes in results]
    assert max(grown[:4]) <= 40
    assert grown[4] <= 150
