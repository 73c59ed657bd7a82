"""Clips give a few frames evenly spread, on one clock with their sound, and no more than that."""

import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from visavox.capture import Limits, decode
from visavox.errors import CaptureError
from visavox.types import Capture

USUAL = Limits()

Write = Callable[..., bytes]


def refusal(data: bytes, limits: Limits = USUAL) -> CaptureError:
    with pytest.raises(CaptureError) as caught:
        decode(clip=data, limits=limits)
    assert caught.value.next_step
    return caught.value


def brightness(capture: Capture) -> list[float]:
    return [float(frame.mean()) for frame in capture.frames]


@pytest.mark.parametrize(
    ("container", "video", "audio"),
    [
        ("mp4", "libx264", "aac"),
        ("mp4", "libsvtav1", "aac"),
        ("webm", "libvpx", "libopus"),
        ("webm", "libvpx-vp9", "libopus"),
    ],
)
def test_every_frame_and_the_sound_come_back(
    write_clip: Write, container: str, video: str, audio: str
) -> None:
    capture = decode(clip=write_clip(container, video, audio))
    assert [frame.shape for frame in capture.frames] == [(80, 96, 3)] * 6
    assert brightness(capture) == pytest.approx([20, 60, 100, 140, 180, 220], abs=6)
    assert capture.frame_times == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], abs=0.03)
    assert capture.waveform is not None
    assert len(capture.waveform) == pytest.approx(9_600, abs=400)
    assert capture.waveform[2_000:-2_000].std() == pytest.approx(0.212, abs=0.015)


@pytest.mark.parametrize("name", ["fragmented", "live"])
def test_recordings_of_a_browser_declare_no_duration(samples: Mapping[str, Any], name: str) -> None:
    assert len(decode(clip=samples[name].data).frames) == 6


def test_frames_are_spread_from_the_first_to_the_last(write_clip: Write) -> None:
    capture = decode(clip=write_clip(frames=30), limits=Limits(clip_frames=4))
    assert capture.frame_times == pytest.approx([0.0, 1.0, 2.0, 2.9], abs=0.11)
    assert len(decode(clip=write_clip(frames=30), limits=Limits(clip_frames=1)).frames) == 1


def test_a_stereo_clip_is_as_loud_as_a_mono_one(write_clip: Write) -> None:
    for container, video, audio in (("mp4", "libx264", "aac"), ("webm", "libvpx", "libopus")):
        waveform = decode(clip=write_clip(container, video, audio, layout="stereo")).waveform
        assert waveform is not None
        assert waveform[2_000:-2_000].std() == pytest.approx(0.212, abs=0.015)


def test_a_silent_clip_has_no_waveform(write_clip: Write) -> None:
    capture = decode(clip=write_clip("webm", "libvpx", None))
    assert capture.waveform is None
    assert capture.frame_times[0] == 0.0


def test_a_clip_without_pictures_is_refused(write_clip: Write) -> None:
    assert "no pictures" in refusal(write_clip("webm", None, "libopus")).problem


def test_a_large_clip_is_reduced(write_clip: Write) -> None:
    capture = decode(clip=write_clip(size=(320, 160)), limits=Limits(frame_side=80))
    assert capture.frames[0].shape == (40, 80, 3)


def test_a_portrait_clip_stands_upright(write_clip: Write) -> None:
    """Phones store it lying, with a matrix that turns it a quarter clockwise."""
    data = write_clip("mp4", "libx264", None)
    matrix = data.find(b"tkhd") + 44
    assert data[matrix : matrix + 4] == struct.pack(">I", 0x10000)
    turn = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0x500000, 0, 0x40000000)
    capture = decode(clip=data[:matrix] + turn + data[matrix + 36 :])
    assert capture.frames[0].shape == (96, 80, 3)
    assert capture.frames[0].flags.c_contiguous


def test_a_clip_is_refused_by_its_limits(write_clip: Write) -> None:
    data = write_clip(frames=12)
    for limits, word in [
        (Limits(clip_pixels=7_000), "pixels"),
        (Limits(min_side=81), "at least 81"),
        (Limits(clip_work=20_000), "in all"),
        (Limits(max_seconds=0.5), "at most 0.5"),
        (Limits(clip_fps=1, max_seconds=2.0), "12 pictures"),
        (Limits(part_bytes=1_000), "bytes"),
        (Limits(channels=1, min_rate=50_000), "per second"),
    ]:
        assert word in str(refusal(data, limits))


def test_a_frame_larger_than_its_container_says_is_refused(write_clip: Write) -> None:
    data = write_clip("webm", "libvpx", None, size=(640, 480))
    for key, true, false in ((b"\xb0\x82", 640, 96), (b"\xba\x82", 480, 80)):
        assert data.count(key + struct.pack(">H", true)) == 1
        data = data.replace(key + struct.pack(">H", true), key + struct.pack(">H", false))
    assert decode(clip=data).frames
    refusal(data, Limits(clip_pixels=96 * 80))


def patched(data: bytes, box: bytes, at: int, *values: int) -> bytes:
    """`data` with big-endian words written `at` bytes after the first `box`'s name."""
    start = data.find(box) + 4 + at
    assert start > 4
    new = struct.pack(f">{len(values)}I", *values)
    return data[:start] + new + data[start + len(new) :]


def test_sample_tables_that_promise_billions_are_refused(samples: Mapping[str, Any]) -> None:
    plain, fragmented = samples["mp4"].data, samples["fragmented"].data
    for data in (
        patched(plain, b"stsz", 4, 1, 2**27),
        patched(plain, b"stts", 8, 2**31 - 1),
        patched(fragmented, b"trun", 4, 2**31 - 1),
    ):
        assert "declares more" in refusal(data).problem


def test_a_track_numbered_by_the_billion_is_refused(samples: Mapping[str, Any]) -> None:
    """libav would count up to it."""
    data = patched(samples["fragmented"].data, b"tkhd", 12, 2**32 - 1)
    assert "numbers its tracks" in refusal(data).problem


def test_a_compressed_index_is_refused(samples: Mapping[str, Any]) -> None:
    data = samples["mp4"].data.replace(b"trak", b"cmov", 1)
    assert "compressed" in refusal(data).problem


@pytest.mark.parametrize("box", [b"mvhd", b"tkhd", b"mdhd"])
def test_a_lying_duration_changes_nothing(samples: Mapping[str, Any], box: bytes) -> None:
    at = {b"mvhd": 16, b"tkhd": 20, b"mdhd": 16}[box]
    data = patched(samples["mp4"].data, box, at, 2**31)
    assert brightness(decode(clip=data)) == brightness(decode(clip=samples["mp4"].data))


def test_samples_that_overlap_cannot_multiply_a_file(samples: Mapping[str, Any]) -> None:
    """All samples of the first track are declared as long as the file."""
    data = patched(samples["mp4"].data, b"stsz", 4, len(samples["mp4"].data) - 60)
    refusal(data)


def test_a_codec_off_the_list_is_refused(write_clip: Write) -> None:
    assert "mpeg4" in refusal(write_clip("mp4", "mpeg4", "aac")).problem


def test_boxes_without_end_are_refused() -> None:
    head = b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"
    assert "too many" in refusal(head + b"\x00\x00\x00\x08free" * 100_001).problem


def test_elements_without_end_are_refused() -> None:
    head = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"
    assert "too many" in refusal(head + b"\xec\x80" * 200_001).problem
    assert "damaged" in refusal(head + b"\x00" * 20).problem


def test_a_clip_comes_alone(samples: Mapping[str, Any]) -> None:
    clip, picture, sound = (samples[name].data for name in ("mp4", "jpeg", "wav"))
    for others in ({"images": [picture]}, {"audio": sound}):
        with pytest.raises(CaptureError, match="together"):
            decode(clip=clip, **others)


def test_pictures_and_a_sound_come_together(samples: Mapping[str, Any]) -> None:
    capture = decode(images=[samples["jpeg"].data, samples["webp"].data], audio=samples["wav"].data)
    assert len(capture.frames) == len(capture.frame_times) == 2
    assert capture.waveform is not None
