"""Multipart captures: which pictures, sounds and clips belong together. Written here and nowhere else.

A probe is one capture: a clip, or up to five pictures and a sound. An enrolment is several: each
clip is one, and the n-th picture goes with the n-th sound. Labels and file names are not believed
and not kept; what the bytes are is found out by the decoders.
"""

from collections.abc import Sequence
from typing import Annotated, Final, NoReturn, TypedDict

from fastapi import Depends, File, HTTPException, Request, UploadFile, status
from starlette.datastructures import UploadFile as Part

from visavox.errors import Finding, Invalid
from visavox.service.answer import Sample

PROBE_IMAGES: Final = 5
CAPTURE_FIELDS: Final = frozenset({"clip", "image", "audio"})


class FormLimits(TypedDict, total=False):
    max_files: int
    max_fields: int
    max_part_size: int  # bytes of a field that is no file


FORM_LIMITS: Final[FormLimits] = {"max_files": 64, "max_fields": 128, "max_part_size": 16 * 1024}
"""Of a route that takes captures: refused while the body is read, whatever its parts hold."""

_Clips = Annotated[
    list[UploadFile], File(default_factory=list, description="MP4 or WebM with picture and sound.")
]
_Images = Annotated[
    list[UploadFile], File(default_factory=list, description="JPEG, PNG or WebP, one face each.")
]
_Sounds = Annotated[
    list[UploadFile], File(default_factory=list, description="WAV, FLAC, Ogg, WebM or MP4.")
]


class MultipartOf:
    """A dependency: the body is multipart, and all its fields are among these or captures."""

    def __init__(self, *fields: str) -> None:
        self._known = CAPTURE_FIELDS | set(fields)

    async def __call__(self, request: Request) -> None:
        sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if sent != "multipart/form-data":
            raise HTTPException(
                status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
                "Captures come as multipart/form-data.",
            )
        form = await request.form()  # read before; this is what was kept
        unknown = sorted(set(form) - self._known)
        if unknown:
            raise Invalid(
                "The form has fields that are not known here.",
                next_step=f"Leave them out; known are {', '.join(sorted(self._known))}.",
                findings=[
                    Finding("unknown_field", "This field is not known.", "Leave it out.", name[:80])
                    for name in unknown[:10]
                ],
            )
        for name in sorted(CAPTURE_FIELDS):
            if any(not isinstance(part, Part) for part in form.getlist(name)):
                _invalid(name, "This came as text, not as a file.", "Give the part a file name.")


def probe(clip: _Clips, image: _Images, audio: _Sounds) -> Sample:
    """The one capture of an authentication."""
    for name, parts, most in (
        ("clip", clip, 1),
        ("audio", audio, 1),
        ("image", image, PROBE_IMAGES),
    ):
        if len(parts) > most:
            _invalid(name, f"{len(parts)} came; at most {most} can be taken.", "Send fewer.")
    if clip and (image or audio):
        _invalid("clip", "A clip came together with pictures or sound.", "Send one or the other.")
    if not (clip or image or audio):
        _invalid("image", "No capture came.", "Send a clip, or image and audio.")
    return Sample(
        clip=_bytes(clip)[0] if clip else None,
        images=_bytes(image),
        audio=_bytes(audio)[0] if audio else None,
    )


def takes(clip: _Clips, image: _Images, audio: _Sounds) -> tuple[Sample, ...]:
    """The captures of an enrolment: clips first, then pictures with sounds, in their order.

    Pictures alone or sounds alone are captures of one modality; a picture without its sound
    among others that have theirs is a mistake.
    """
    if not (clip or image or audio):
        _invalid("image", "No capture came.", "Send clips, or as many image as audio parts.")
    if image and audio and len(image) != len(audio):
        _invalid(
            "audio",
            f"{len(image)} image and {len(audio)} audio parts came; they pair by their order.",
            "Send as many of one as of the other.",
        )
    images, sounds = _bytes(image), _bytes(audio)
    pairs = [
        Sample(
            images=(images[i],) if images else (),
            audio=sounds[i] if sounds else None,
        )
        for i in range(max(len(images), len(sounds)))
    ]
    return (*(Sample(clip=data) for data in _bytes(clip)), *pairs)


Probe = Annotated[Sample, Depends(probe)]
Takes = Annotated[tuple[Sample, ...], Depends(takes)]


def _bytes(parts: Sequence[UploadFile]) -> tuple[bytes, ...]:
    return tuple(part.file.read() for part in parts)


def _invalid(field: str, problem: str, next_step: str) -> NoReturn:
    raise Invalid(
        "The captures cannot be taken as they came.",
        next_step=next_step,
        findings=[Finding("captures", problem, next_step, field)],
    )
