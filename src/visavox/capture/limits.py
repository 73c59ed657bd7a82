"""What a capture may cost, enforced on headers before anything is decoded."""

from pydantic import PositiveFloat, PositiveInt

from visavox.config import settings


@settings
class Limits:
    """The defaults let any phone, webcam or kiosk pass and hold one decode under 300 MB."""

    part_bytes: PositiveInt = 16 * 1024 * 1024
    """Bytes of one picture, one sound or one clip."""
    metadata_bytes: PositiveInt = 4 * 1024 * 1024
    """Bytes of EXIF, colour profiles and comments in one picture; they are skipped unread."""

    images: PositiveInt = 8
    """Pictures in one capture."""
    min_side: PositiveInt = 64
    """Shortest side of a picture or clip; nothing smaller can hold a face worth comparing."""
    max_side: PositiveInt = 10_000
    """Longest side of a picture or clip."""
    pixels: PositiveInt = 25_000_000
    """Width × height of a picture: a 24-megapixel camera passes."""
    frame_side: PositiveInt = 1_280
    """Longest side of a frame handed on; larger pictures are reduced to it."""

    clip_pixels: PositiveInt = 3_840 * 2_160
    """Width × height of a clip."""
    clip_frames: PositiveInt = 16
    """Frames handed on from a clip, evenly spread over it."""
    clip_fps: PositiveInt = 125
    """Pictures per second of a clip; with `max_seconds` it bounds how many are decoded."""

    clip_work: PositiveInt = 1_000_000_000
    """Pixels of a clip decoded in all: 12 s of 1920×1080 at 40 per second."""

    min_seconds: PositiveFloat = 0.5
    """Shortest sound."""
    max_seconds: PositiveFloat = 30.0
    """Longest sound or clip."""
    channels: PositiveInt = 8
    """Channels of a sound."""
    min_rate: PositiveInt = 8_000
    """Lowest sample rate of a sound in hertz: the telephone's."""
    max_rate: PositiveInt = 192_000
    """Highest sample rate of a sound in hertz: the studio's."""
