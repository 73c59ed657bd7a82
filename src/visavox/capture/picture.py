"""One picture: bytes to RGB pixels, upright, without transparency."""

from io import BytesIO

import numpy as np
from PIL import Image

from visavox.capture.guard import decoding
from visavox.capture.limits import Limits
from visavox.capture.picture_header import PictureHeader, read_header
from visavox.capture.sniff import PICTURES, expect
from visavox.errors import CaptureError
from visavox.types import Pixels

# EXIF orientation → how the stored picture is turned to stand upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHITE = (255, 255, 255, 255)


def decode_picture(data: bytes, limits: Limits, part: str) -> Pixels:
    """(H, W, 3), longest side ≤ `limits.frame_side`; a CaptureError for all else."""
    form = expect(data, PICTURES, part)
    header = read_header(form, data, part)
    _check(header, limits, part)
    with decoding(part), Image.open(BytesIO(header.essential), formats=[form.upper()]) as image:
        if image.size != (header.width, header.height):
            raise ValueError("header and decoder disagree about the size")
        shrink = limits.frame_side / max(image.size)
        width, height = (max(1, round(side * min(1.0, shrink))) for side in image.size)
        if shrink < 1:
            # JPEG can be decoded at 1/2, 1/4, 1/8 of its size; other formats ignore this.
            image.draft(None, (width, height))
        plain = _plain(image)
        if plain.size != (width, height):
            plain = plain.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
        rgb = _flattened(plain)
        if header.orientation in _UPRIGHT:
            rgb = rgb.transpose(_UPRIGHT[header.orientation])
        return np.array(rgb)


def check_size(width: int, height: int, pixels: int, limits: Limits, part: str) -> None:
    """Refuse a picture or clip whose sides say that it is useless or a bomb."""
    came = f"{part} is {width}×{height} pixels"
    if min(width, height) < limits.min_side:
        raise CaptureError(
            f"{came}; at least {limits.min_side} on each side are needed.",
            next_step="Send a larger picture.",
        )
    if max(width, height) > limits.max_side or width * height > pixels:
        raise CaptureError(
            f"{came}; at most {limits.max_side} on a side and {pixels / 1e6:g} million in all "
            "are taken.",
            next_step="Send a smaller picture.",
        )


def _check(header: PictureHeader, limits: Limits, part: str) -> None:
    check_size(header.width, header.height, limits.pixels, limits, part)
    if header.metadata_bytes > limits.metadata_bytes:
        raise CaptureError(
            f"{part} carries {header.metadata_bytes} bytes of metadata; "
            f"at most {limits.metadata_bytes} are taken.",
            next_step="Remove its profiles, thumbnails and comments.",
        )


def _plain(image: Image.Image) -> Image.Image:
    """Any mode as RGB or, where anything is transparent, RGBA."""
    if image.mode.startswith("I"):  # 16-bit grey: convert() would clip, not scale
        deep = np.asarray(image)
        return Image.fromarray((deep >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _flattened(image: Image.Image) -> Image.Image:
    """On white, as a page would show it."""
    if image.mode == "RGB":
        return image
    solid = Image.new("RGBA", image.size, _WHITE)
    solid.alpha_composite(image)
    return solid.convert("RGB")
