"""One decision in-process, in turns with the eager peer that does the same job.

A 640×480 JPEG and 3 s of 16-bit sound go in as bytes; which member, or nobody, comes out.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import soundfile
from PIL import Image
from rich.progress import track

from tests.bench.peer import EagerPeer
from tests.bench.people import crowd
from tests.bench.report import record
from visavox import bundle, characterizer
from visavox.characterizer import Characterizer
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.pipeline import Pipeline
from visavox.training.fit import DiscriminatorSettings, fit
from visavox.training.pretrained import random_pretrained
from visavox.types import SAMPLE_RATE

ROUNDS = 60
PROBES = 12
MEMBERS = 20
PAUSE_S = 0.02
"""Between turns: threads that one way leaves spinning must not be paid for by the next."""


def probes() -> list[tuple[bytes, bytes]]:
    """Pictures and sound of different people, as a kiosk would send them."""
    made = []
    for i in range(PROBES):
        who = person(POPULATIONS["test"], i)
        picture, sound = io.BytesIO(), io.BytesIO()
        Image.fromarray(face_of(who, 0, 0).pixels).save(picture, "JPEG", quality=90)
        wave = voice_of(who, 0, 0, seconds=3.0).waveform
        soundfile.write(sound, wave, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        made.append((picture.getvalue(), sound.getvalue()))
    return made


def fridge(nets: Characterizer, folder: Path) -> Pipeline:
    """A fridge of 20 members on these nets; the members' values do not change what it costs."""
    dims = {"face_dim": nets.face_dim, "voice_dim": nets.voice_dim}
    members, names = crowd(MEMBERS, 5, **dims, seed=1)
    cohort, strangers = crowd(300, 6, **dims, seed=2)
    fitted = fit(members, names, cohort, strangers, DiscriminatorSettings(), seed=1)
    made = bundle.write(
        folder,
        fridge="bench",
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=nets.digest,
        population=nets.population,
        lineage={},
        reference={},
    )
    return Pipeline(nets, bundle.load(made, characterizer_digest=nets.digest))


def run() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_pretrained(folder / "nets", seed=1)
        embedded = fridge(characterizer.load("embedded"), folder / "embedded")
        pretrained = fridge(
            characterizer.load(str(folder / "nets"), threads=2), folder / "pretrained"
        )
        peer, wary = EagerPeer(members=MEMBERS), EagerPeer(members=MEMBERS, min_face_size=80)
        narrow = EagerPeer(members=MEMBERS, voice_channels=512)
        ways: dict[str, Callable[[bytes, bytes], object]] = {
            "embedded": lambda image, audio: embedded.run(images=[image], audio=audio),
            "pretrained": lambda image, audio: pretrained.run(images=[image], audio=audio),
            "eager": peer.decide,
            "eager_min_face_80": wary.decide,
            "eager_ecapa_512": narrow.decide,
        }
        given = probes()
        for way in ways.values():  # warm
            for image, audio in given[:3]:
                way(image, audio)
        spent: dict[str, list[float]] = {name: [] for name in ways}
        worked: dict[str, list[float]] = {name: [] for name in ways}
        for i in track(range(ROUNDS), description="Decisions in turns"):
            image, audio = given[i % PROBES]
            for way_name, way in ways.items():
                time.sleep(PAUSE_S)
                began, idle = time.perf_counter(), time.process_time()
                way(image, audio)
                spent[way_name].append(1000 * (time.perf_counter() - began))
                worked[way_name].append(1000 * (time.process_time() - idle))
        embedded.close()
        pretrained.close()
    ms = {way: statistics.median(values) for way, values in spent.items()}
    record(
        "decision",
        {
            "decision_ms_median": ms["embedded"],
            "decision_ms_p95": statistics.quantiles(spent["embedded"], n=20)[-1],
            "pretrained_decision_ms_median": ms["pretrained"],
            "eager_decision_ms_median": ms["eager"],
            # Of all cores together, threads that spin while they wait included.
            "decision_cpu_ms_median": {
                way: statistics.median(values) for way, values in worked.items()
            },
            "ratio_vs_eager": {
                "embedded": ms["eager"] / ms["embedded"],
                "pretrained": ms["eager"] / ms["pretrained"],
                # The same again where the peer, too, looks for faces of 80 pixels and more only.
                "embedded_min_face_80": ms["eager_min_face_80"] / ms["embedded"],
                "pretrained_min_face_80": ms["eager_min_face_80"] / ms["pretrained"],
                # And against a peer whose ECAPA-TDNN is half as wide as the one that is published.
                "embedded_ecapa_512": ms["eager_ecapa_512"] / ms["embedded"],
                "pretrained_ecapa_512": ms["eager_ecapa_512"] / ms["pretrained"],
            },
        },
        trials={"rounds": ROUNDS, "probes": PROBES, "members": MEMBERS},
    )
