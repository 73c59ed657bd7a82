"""The straightforward service: what a competent engineer writes on a first day.

FastAPI around facenet-pytorch (MTCNN, InceptionResnetV1) and SpeechBrain's ECAPA-TDNN in eager
torch, in one process; a probe is compared with the members' mean templates by plain cosine.
`python -m tests.bench service` measures the real service beside it.

The architectures are those of the published weights (VGGFace2, `spkrec-ecapa-voxceleb`) filled at
random: random weights cost the same time, and nothing has to be fetched.
"""

import argparse
import io
import os
import threading
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import soundfile
import torch
import torchaudio
import uvicorn
from facenet_pytorch import MTCNN
from fastapi import FastAPI, File, Form, HTTPException, UploadFile
from PIL import Image, UnidentifiedImageError
from torch import Tensor

# SpeechBrain only after this: it is imported there without its traps.
from visavox.training.pretrained import face_architecture, voice_architecture
from visavox.types import SAMPLE_RATE

# isort: split
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import InputNormalization

THRESHOLD = 0.6


class Nets:
    """Both nets with their front ends, as their own documentation uses them."""

    def __init__(self, *, min_face_size: int) -> None:
        torch.manual_seed(0)
        self.detector = MTCNN(image_size=160, margin=0, min_face_size=min_face_size, device="cpu")
        self.face_net = face_architecture()
        self.fbank = Fbank(n_mels=80)
        self.normalise = InputNormalization(norm_type="sentence", std_norm=False)
        self.voice_net = voice_architecture()

    @torch.inference_mode()
    def face(self, image: bytes) -> Tensor:
        """(512,), unit length."""
        try:
            with Image.open(io.BytesIO(image)) as picture:
                crop = self.detector(picture.convert("RGB"))
        except UnidentifiedImageError:
            raise HTTPException(422, "The image cannot be read.") from None
        if crop is None:
            raise HTTPException(422, "There is no face in the image.")
        return torch.nn.functional.normalize(self.face_net(crop[None]), dim=1)[0]

    @torch.inference_mode()
    def voice(self, audio: bytes) -> Tensor:
        """(192,), unit length."""
        try:
            samples, rate = soundfile.read(io.BytesIO(audio), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            raise HTTPException(422, "The sound cannot be read.") from None
        wave = torch.from_numpy(np.ascontiguousarray(samples.mean(axis=1)))[None]  # (1, T)
        if rate != SAMPLE_RATE:
            wave = torchaudio.functional.resample(wave, rate, SAMPLE_RATE)
        lengths = torch.ones(1)
        features = self.normalise(self.fbank(wave), lengths)  # (1, F, 80)
        return torch.nn.functional.normalize(self.voice_net(features, lengths)[:, 0], dim=1)[0]


@dataclass
class Gallery:
    """Members' templates, all in memory."""

    faces: dict[str, list[Tensor]] = field(default_factory=dict)
    voices: dict[str, list[Tensor]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, member: str, face: Tensor, voice: Tensor) -> None:
        with self.lock:
            self.faces.setdefault(member, []).append(face)
            self.voices.setdefault(member, []).append(voice)

    def nearest(self, face: Tensor, voice: Tensor) -> tuple[str | None, float]:
        """The member with the highest mean cosine of face and voice."""
        with self.lock:
            if not self.faces:
                return None, 0.0
            names = list(self.faces)
            faces = torch.stack([torch.stack(self.faces[n]).mean(0) for n in names])
            voices = torch.stack([torch.stack(self.voices[n]).mean(0) for n in names])
        cosine = torch.nn.functional.cosine_similarity
        scores = (cosine(faces, face[None]) + cosine(voices, voice[None])) / 2
        best = int(scores.argmax())
        return names[best], float(scores[best])


def create(*, min_face_size: int = 20, at_once: int = 1) -> FastAPI:
    """The service; `at_once` requests are computed at a time, the others wait for their turn."""
    nets, gallery = Nets(min_face_size=min_face_size), Gallery()
    turns = threading.BoundedSemaphore(at_once)
    app = FastAPI(title="The straightforward service")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/members/{member}")
    def enrol(
        member: str,
        image: Annotated[list[UploadFile], File()],
        audio: Annotated[list[UploadFile], File()],
    ) -> dict[str, Any]:
        for picture, sound in zip(image, audio, strict=True):
            with turns:
                face, voice = nets.face(picture.file.read()), nets.voice(sound.file.read())
            gallery.add(member, face, voice)
        return {"member": member, "captures": len(image)}

    @app.post("/authentications")
    def authenticate(
        image: Annotated[UploadFile, File()],
        audio: Annotated[UploadFile, File()],
        fridge: Annotated[str, Form()] = "",
    ) -> dict[str, Any]:
        picture, sound = image.file.read(), audio.file.read()
        with turns:
            face, voice = nets.face(picture), nets.voice(sound)
        member, score = gallery.nearest(face, voice)
        granted = score >= THRESHOLD
        return {
            "outcome": "granted" if granted else "refused",
            "member": member if granted else None,
            "score": score,
        }

    return app


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch's own")
    asked.add_argument("--at-once", type=int, default=1, help="requests computed side by side")
    asked.add_argument("--min-face-size", type=int, default=20, help="facenet-pytorch's default")
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    app = create(min_face_size=given.min_face_size, at_once=given.at_once)
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
