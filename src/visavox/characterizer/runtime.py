"""The Characterizer while it serves: pictures and sound in, unit vectors out."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np

from visavox.characterizer.crop import Crop, cut
from visavox.characterizer.detector import Detector, DetectorSettings
from visavox.characterizer.folder import Card, read_card, read_net
from visavox.characterizer.session import Net
from visavox.errors import CharacterizerError
from visavox.types import (
    SAMPLE_RATE,
    DetectedFace,
    Embedding,
    Embeddings,
    Evidence,
    FaceEvidence,
    FaceSample,
    Pixels,
    Rejected,
    Vector,
    Vectors,
    VoiceEvidence,
)

SHORTEST_S = 0.5
"""Seconds of sound that a voice net needs; shorter speech is said again until it is as long."""


class Characterizer:
    """Detects and embeds. Thread-safe; one per process is enough."""

    def __init__(
        self, card: Card, face: Net, voice: Net, detector: Detector, *, workers: int
    ) -> None:
        self.card = card
        self.digest = card.digest
        self._face = face
        self._voice = voice
        self._detector = detector
        # Threads are started when first needed, and never wait for one another.
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="characterizer")

    @classmethod
    def read(
        cls, folder: Path, *, threads: int = 1, detector: DetectorSettings | None = None
    ) -> Self:
        """The Characterizer in `folder`, verified, loaded and tried once on nothing much."""
        card = read_card(folder)
        made = cls(
            card,
            Net(read_net(folder, card.face), name=str(folder / card.face.file), threads=threads),
            Net(read_net(folder, card.voice), name=str(folder / card.voice.file), threads=threads),
            Detector(detector, threads=threads),
            workers=os.cpu_count() or 1,
        )
        made._try_out()
        return made

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def population(self) -> str:
        """Whom the nets were trained on."""
        return self.card.population

    @property
    def face_dim(self) -> int:
        return self.card.face.dim

    @property
    def voice_dim(self) -> int:
        return self.card.voice.dim

    @property
    def crop(self) -> Crop:
        return self.card.face.crop

    def detect(self, frame: Pixels) -> tuple[DetectedFace, ...]:
        """All faces in `frame`, the largest first."""
        return self._detector(frame)

    def detect_side_by_side(self, frame: Pixels) -> tuple[DetectedFace, ...]:
        """The same faces, sooner where another core has nothing to do."""
        return self._detector(frame, helper=self._pool)

    def embed(self, evidence: Evidence) -> Embeddings:
        """Both modalities side by side; what quality rejected stays rejected."""
        face, voice = evidence.face, evidence.voice
        if isinstance(voice, Rejected):
            return Embeddings(face if isinstance(face, Rejected) else self.embed_face(face), voice)
        if isinstance(face, Rejected):
            return Embeddings(face, self.embed_voice(voice))
        heard = self._pool.submit(self.embed_voice, voice)
        seen = self.embed_face(face)
        return Embeddings(seen, heard.result())

    def embed_face(self, evidence: FaceEvidence) -> Embedding:
        """One vector for all samples, the better ones weighing more."""
        samples = evidence.samples
        crops = np.stack([cut(s.frame, s.face, self.crop) for s in samples])
        (vectors,) = self._face(crops)  # (N, D)
        weights = _weights(samples)
        return Embedding(
            _unit(weights @ vectors),
            {
                name: float(weights @ [s.quality[name] for s in samples])
                for name in samples[0].quality
            },
        )

    def embed_voice(self, evidence: VoiceEvidence) -> Embedding:
        waveform = np.asarray(evidence.waveform, np.float32)
        shortest = int(SHORTEST_S * SAMPLE_RATE)
        if 0 < len(waveform) < shortest:
            waveform = np.resize(waveform, shortest)
        (vectors,) = self._voice(waveform[None])
        return Embedding(_unit(vectors[0]), dict(evidence.quality))

    def close(self) -> None:
        """Let the threads go. Embedding one modality at a time still works."""
        self._pool.shutdown()

    def _try_out(self) -> None:
        """Run each net once, so that a foreign one is found now and the first person waits less."""
        side = self.crop.side
        grey = np.full((1, side, side, 3), 128, np.uint8)
        hum = np.sin(np.arange(SAMPLE_RATE) * 0.05, dtype=np.float32)[None] * np.float32(0.1)
        self._detector(np.zeros((self._detector.settings.min_face_size, 160, 3), np.uint8))
        for net, given, dim in (
            (self._face, grey, self.face_dim),
            (self._voice, hum, self.voice_dim),
        ):
            vectors: Vectors = net(given)[0]
            if vectors.shape != (1, dim) or not np.allclose(np.linalg.norm(vectors), 1, atol=1e-3):
                raise CharacterizerError(
                    f"{net.name} must give one unit vector of length {dim}; it gave shape "
                    f"{vectors.shape}, norm {np.linalg.norm(vectors):.3g}.",
                    next_step="Export the net with visavox.training.export.",
                )


def _weights(samples: Sequence[FaceSample]) -> Vector:
    """Shares that sum to one: size, sharpness and frontal, each against the best of the samples."""
    quality = [
        [max(_measure(s.quality, name), 0.0) for name in ("size", "sharpness", "frontal")]
        for s in samples
    ]
    measures = np.array(quality, np.float32)  # (N, 3)
    best = measures.max(axis=0)
    # No sample is worth nothing: quality has let it through.
    worth = np.where(best > 0, measures / np.where(best > 0, best, 1), 1).clip(0.1).prod(axis=1)
    weights: Vector = (worth / worth.sum()).astype(np.float32)
    return weights


def _measure(quality: Mapping[str, float], name: str) -> float:
    value = quality.get(name, 0.0)
    return value if np.isfinite(value) else 0.0


def _unit(vector: Vector) -> Vector:
    made: Vector = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return made
