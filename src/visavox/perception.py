"""The first half of the way of a request, which needs no fridge: bytes → … → embeddings.

The training's features come through here too, so what is learnt from is what is served.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

from visavox import capture as captures
from visavox import quality
from visavox.capture import Limits
from visavox.characterizer import Characterizer
from visavox.quality import QualityLimits
from visavox.types import Capture, Embedding, Embeddings, Rejected

OnStage = Callable[[str, float], None]
"""Told the name of each room and the seconds spent in it; from two threads at once."""


class Perception:
    """bytes → capture → quality → characterizer.

    Face and voice go side by side on two threads; `side_by_side=False` keeps to the caller's,
    for processes that already fill every core.
    """

    def __init__(
        self,
        characterizer: Characterizer,
        *,
        limits: Limits | None = None,
        quality_limits: QualityLimits | None = None,
        on_stage: OnStage | None = None,
        side_by_side: bool = True,
    ) -> None:
        self.characterizer = characterizer
        self.limits = limits or Limits()
        self.quality_limits = quality_limits or QualityLimits()
        self._on_stage = on_stage
        self._pool = ThreadPoolExecutor(thread_name_prefix="voice") if side_by_side else None
        self._detect = characterizer.detect_side_by_side if side_by_side else characterizer.detect

    def take(
        self,
        *,
        images: Sequence[bytes] = (),
        audio: bytes | None = None,
        clip: bytes | None = None,
    ) -> Capture:
        """Decode what came; CaptureError where it is unusable."""
        with self.timed("capture"):
            return captures.decode(images=images, audio=audio, clip=clip, limits=self.limits)

    def perceive(self, capture: Capture) -> Embeddings:
        """What the Characterizer sees of a capture, modality by modality."""
        if self._pool is None or not capture.frames or capture.waveform is None:
            return Embeddings(self._face(capture), self._voice(capture))
        voice = self._pool.submit(self._voice, capture)
        try:
            face = self._face(capture)
        finally:
            heard = voice.exception()  # waits: no thread is left behind on an error
        if heard is not None:
            raise heard
        return Embeddings(face, voice.result())

    def _face(self, capture: Capture) -> Embedding | Rejected:
        seen = Capture(capture.frames, capture.frame_times)
        with self.timed("quality.face"):
            face = quality.assess(seen, self._detect, self.quality_limits).face
        if isinstance(face, Rejected):
            return face
        with self.timed("characterizer.face"):
            return self.characterizer.embed_face(face)

    def _voice(self, capture: Capture) -> Embedding | Rejected:
        heard = Capture(waveform=capture.waveform)
        with self.timed("quality.voice"):
            voice = quality.assess(heard, self._detect, self.quality_limits).voice
        if isinstance(voice, Rejected):
            return voice
        with self.timed("characterizer.voice"):
            return self.characterizer.embed_voice(voice)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Tell the observer how long the room `name` took, unless it raised."""
        if self._on_stage is None:
            yield
            return
        began = time.perf_counter()
        yield
        self._on_stage(name, time.perf_counter() - began)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
