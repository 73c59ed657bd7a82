"""The first room: bytes to `Capture`."""

from collections.abc import Sequence

from visavox.capture.container import decode_container
from visavox.capture.limits import Limits
from visavox.capture.picture import decode_picture
from visavox.capture.sniff import CLIPS, expect
from visavox.capture.sound import decode_sound
from visavox.errors import CaptureError
from visavox.types import Capture

_DEFAULT = Limits()
_SOUND, _CLIP = "The sound", "The clip"


def decode(
    *,
    images: Sequence[bytes] = (),
    audio: bytes | None = None,
    clip: bytes | None = None,
    limits: Limits = _DEFAULT,
) -> Capture:
    """Pictures (JPEG, PNG, WebP) and a sound (WAV, FLAC, Ogg, or the sound of a WebM or MP4),
    or one clip (MP4, WebM) that holds both.

    Still pictures keep their order and have time 0; frames of a clip are timed from the first
    sample of its sound. Raises CaptureError, and nothing else, for bytes that are no such thing
    or exceed the limits.
    """
    if clip is not None and (images or audio is not None):
        raise CaptureError(
            "A clip came together with pictures or sound.", next_step="Send one or the other."
        )
    if len(images) > limits.images:
        raise CaptureError(
            f"{len(images)} pictures came; at most {limits.images} are taken.",
            next_step="Send fewer.",
        )
    parts = [(f"Picture {n}" if len(images) > 1 else "The picture", image)
             for n, image in enumerate(images, 1)]  # fmt: skip
    for part, data in (*parts, (_SOUND, audio), (_CLIP, clip)):
        if data is not None and len(data) > limits.part_bytes:
            raise CaptureError(
                f"{part} has {len(data)} bytes; at most {limits.part_bytes} are taken.",
                next_step="Send a smaller or shorter one.",
            )
    if clip is not None:
        streams = decode_container(clip, expect(clip, CLIPS, _CLIP), limits, _CLIP, pictures=True)
        if not streams.frames:
            raise CaptureError("The clip holds no pictures.", next_step="Turn the camera on.")
        return Capture(streams.frames, streams.frame_times, streams.waveform)
    if not images and audio is None:
        raise CaptureError("Nothing came.", next_step="Send a picture, a sound, or a clip of both.")
    frames = tuple(decode_picture(data, limits, part) for part, data in parts)
    waveform = decode_sound(audio, limits, _SOUND) if audio is not None else None
    return Capture(frames, (0.0,) * len(frames), waveform)
