"""Pictures of every kind come out upright, solid RGB; everything else is refused in words."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from visavox.capture import Limits, decode
from visavox.errors import CaptureError
from visavox.types import Pixels

USUAL = Limits()

Write = Callable[..., bytes]
Patches = Callable[..., Image.Image]


def picture(data: bytes, limits: Limits = USUAL) -> Pixels:
    (frame,) = decode(images=[data], limits=limits).frames
    return frame


def refusal(data: bytes, limits: Limits = USUAL) -> CaptureError:
    with pytest.raises(CaptureError) as caught:
        decode(images=[data], limits=limits)
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize(
    ("form", "options", "error"),
    [
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 12),
        ("WEBP", {"quality": 95}, 12),
    ],
)
def test_a_picture_comes_back_as_it_was(
    patches: Patches, write_picture: Write, form: str, options: dict[str, int], error: float
) -> None:
    original = patches()
    frame = picture(write_picture(original, form, **options))
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert np.abs(frame.astype(int) - np.asarray(original)).max() <= 3 * error
    assert np.abs(frame.astype(int) - np.asarray(original)).mean() <= error / 4


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_grey_and_palette_pictures_become_rgb(
    patches: Patches, write_picture: Write, mode: str
) -> None:
    original = patches(mode)
    assert np.array_equal(
        picture(write_picture(original, "PNG")), np.asarray(original.convert("RGB"))
    )


def test_a_cmyk_picture_becomes_rgb(patches: Patches, write_picture: Write) -> None:
    frame = picture(write_picture(patches("CMYK"), "JPEG", quality=95))
    assert np.abs(frame.astype(int) - np.asarray(patches())).mean() < 6


def test_sixteen_bit_grey_is_scaled_and_not_clipped(write_picture: Write) -> None:
    ramp = np.linspace(0, 65_535, 64 * 64).astype(np.uint16).reshape(64, 64)
    frame = picture(write_picture(Image.fromarray(ramp), "PNG"))
    assert np.array_equal(frame[..., 0], (ramp >> 8).astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_shows_white(write_picture: Write, mode: str) -> None:
    clear = Image.new("RGBA", (64, 64), (200, 10, 10, 0)).convert(mode)
    assert (picture(write_picture(clear, "PNG")) == 255).all()


def test_a_transparent_colour_of_a_palette_shows_white(write_picture: Write) -> None:
    flat = Image.new("P", (64, 64), 3)
    flat.putpalette([10, 20, 30] * 8)
    assert (picture(write_picture(flat, "PNG", transparency=3)) == 255).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_held_any_way_gives_an_upright_picture(
    patches: Patches, write_picture: Write, form: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = write_picture(patches(), form, exif=exif.tobytes())
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    assert np.array_equal(picture(data), np.asarray(upright))


@pytest.mark.parametrize("exif", [b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00MM", b""])
def test_broken_metadata_turns_nobody_away(
    patches: Patches, write_picture: Write, exif: bytes
) -> None:
    assert picture(write_picture(patches(), "JPEG", exif=exif)).shape == (80, 96, 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_is_reduced_in_proportion(
    patches: Patches, write_picture: Write, form: str
) -> None:
    large = patches(size=(1_000, 750))
    frame = picture(write_picture(large, form, quality=95), Limits(frame_side=400))
    assert frame.shape == (300, 400, 3)
    wanted = np.asarray(large.resize((400, 300), Image.Resampling.BICUBIC))
    assert np.abs(frame.astype(int) - wanted).mean() < 3


def test_a_picture_is_refused_by_its_limits(patches: Patches, write_picture: Write) -> None:
    data = write_picture(patches(), "PNG")
    for limits, word in [
        (Limits(min_side=81), "at least 81"),
        (Limits(max_side=95), "at most 95"),
        (Limits(pixels=7_679), "million"),
        (Limits(part_bytes=100), "bytes"),
    ]:
        assert word in str(refusal(data, limits))
    assert picture(data, Limits(min_side=80, max_side=96, pixels=7_680)).shape == (80, 96, 3)


def test_too_many_pictures_are_refused(patches: Patches, write_picture: Write) -> None:
    data = write_picture(patches(), "JPEG")
    assert len(decode(images=[data] * 3, limits=Limits(images=3)).frames) == 3
    with pytest.raises(CaptureError, match="4 pictures"):
        decode(images=[data] * 4, limits=Limits(images=3))


def test_the_picture_that_is_wrong_is_named(patches: Patches, write_picture: Write) -> None:
    with pytest.raises(CaptureError, match="Picture 2 is empty"):
        decode(images=[write_picture(patches(), "JPEG"), b""])


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 80), (80, 0), (1, 2**31 - 1)])
def test_a_picture_without_an_area_is_refused(write_png: Write, width: int, height: int) -> None:
    assert "pixels" in refusal(write_png(width, height)).problem


def test_a_bomb_is_refused_by_its_header(write_png: Write) -> None:
    assert "at most" in refusal(write_png(60_000, 60_000)).problem
    assert "at most" in refusal(write_png(9_999, 9_999)).problem


def test_metadata_is_skipped_unread_until_it_is_too_much(
    write_png: Write, png_chunk: Callable[[bytes, bytes], bytes]
) -> None:
    text = png_chunk(b"zTXt", b"Comment\x00\x00" + b"\x78\x9c not deflate" * 1_000)
    profile = png_chunk(b"iCCP", b"\x00" * 3_000)
    data = write_png(64, 64, rows=64, extra=text + profile)
    assert picture(data).shape == (64, 64, 3)
    assert "metadata" in refusal(data, Limits(metadata_bytes=10_000)).problem


def test_a_gigantic_colour_profile_is_refused(patches: Patches, write_picture: Write) -> None:
    data = write_picture(patches(), "JPEG", icc_profile=b"\x00" * 300_000)
    assert picture(data).shape == (80, 96, 3)
    assert "metadata" in refusal(data, Limits(metadata_bytes=200_000)).problem


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_is_refused(write_picture: Write, form: str) -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    data = write_picture(red, form, save_all=True, append_images=[blue])
    assert "animation" in refusal(data).problem


def test_only_the_main_picture_of_several_in_one_jpeg_is_taken(write_picture: Write) -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    data = write_picture(red, "MPO", save_all=True, append_images=[blue])
    assert picture(data)[32, 32].argmax() == 0


def test_a_jpeg_of_endless_passes_is_refused(patches: Patches, write_picture: Write) -> None:
    data = write_picture(patches(), "JPEG", progressive=True)
    scan = data.rfind(b"\xff\xda")
    assert "scans" in refusal(data[:scan] + data[scan:-2] * 30 + data[-2:]).problem


def test_headers_that_contradict_each_other_are_refused(
    patches: Patches, write_picture: Write
) -> None:
    data = bytearray(write_picture(patches(), "WEBP", exif=b"Exif\x00\x00II*\x00"))
    assert data[12:16] == b"VP8X"
    data[24:27] = (500).to_bytes(3, "little")
    assert "size" in refusal(bytes(data)).problem


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"),
        (b"GIF89a" + b"\x00" * 20, "GIF"),
        (b"PK\x03\x04" + b"\x00" * 20, "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 20, "HEIF"),
        (b"\x00\x00\x00\x18ftypisom" + b"\x00" * 20, "an MP4 file"),
        (b"\x00\x00\x00\x18ftypqt  " + b"\x00" * 20, "QuickTime"),
        (b"RIFF\x00\x00\x00\x00WAVE", "a WAV file"),
        (b"RIFF\x00\x00\x00\x00AVI ", "AVI"),
        (b"<svg/>", "markup"),
        (b"#EXTM3U\nhttp://example.org/x.ts", "playlist"),
        (b"\x1a\x45\xdf\xa3\x42\x82\x88matroska", "Matroska"),
        (b"hello there", "not known"),
    ],
)
def test_what_came_instead_is_named(data: bytes, name: str) -> None:
    error = refusal(data)
    assert name in error.problem
    assert error.next_step == "Send JPEG, PNG or WebP."
