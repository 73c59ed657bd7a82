"""The command line: what a person types, what they read back, and what they read when it is wrong."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from visavox import bundle, characterizer, cli
from visavox.errors import BundleError, CaptureError, ConfigError
from visavox.manifest import read
from visavox.perception import Perception
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.pipeline import Pipeline
from visavox.table import EmbeddingTable
from visavox.training.fit import DiscriminatorSettings, fit
from visavox.types import SAMPLE_RATE, Embeddings

runner = CliRunner()
CROWD = [person(POPULATIONS["test"], i) for i in range(24)]


def bytes_of(who: int, session: int) -> tuple[bytes, bytes]:
    picture, sound = io.BytesIO(), io.BytesIO()
    Image.fromarray(face_of(CROWD[who], session, 0).pixels).save(picture, "JPEG", quality=90)
    wave = voice_of(CROWD[who], session, 0).waveform
    soundfile.write(sound, wave, SAMPLE_RATE, format="FLAC")
    return picture.getvalue(), sound.getvalue()


@pytest.fixture(scope="module")
def fridge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members; twenty-two others are the cohort. Small, and trained for real."""
    nets = characterizer.load()
    seen: list[Embeddings] = []
    people: list[str] = []
    with Perception(nets, side_by_side=False) as eyes:
        for who in CROWD:
            for session in range(2):
                picture, sound = bytes_of(who.index, session)
                seen.append(eyes.perceive(eyes.take(images=[picture], audio=sound)))
                people.append(who.name)
    table = EmbeddingTable.of(
        [f"c{i}" for i in range(len(seen))], seen, face_dim=nets.face_dim, voice_dim=nets.voice_dim
    )
    members, rest = np.arange(4), np.arange(4, len(seen))
    fitted = fit(
        table.take(members),
        [people[i] for i in members],
        table.take(rest),
        [people[i] for i in rest],
        DiscriminatorSettings(least_people=8),
        seed=1,
    )
    return bundle.write(
        tmp_path_factory.mktemp("bundles"),
        fridge="f00",
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=nets.digest,
        population=nets.population,
        lineage={"commit": "abc"},
        reference={},
    )


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("probe")
    picture, sound = bytes_of(0, 5)
    (folder / "face.jpg").write_bytes(picture)
    (folder / "voice.flac").write_bytes(sound)
    return folder / "face.jpg", folder / "voice.flac"


def test_decide_says_what_the_pipeline_decides(fridge: Path, probe: tuple[Path, Path]) -> None:
    image, audio = probe
    asked = ["decide", "--bundle", str(fridge), "--image", str(image), "--audio", str(audio)]
    told = runner.invoke(cli.app, [*asked, "--json"], catch_exceptions=False)
    nets = characterizer.load()
    with Pipeline(nets, bundle.load(fridge, characterizer_digest=nets.digest)) as pipeline:
        decision = pipeline.run(images=[image.read_bytes()], audio=audio.read_bytes())
    said = json.loads(told.output)
    assert said["outcome"] == decision.outcome.value
    assert said["candidates"][0]["fused"] == pytest.approx(decision.candidates[0].fused)
    plain = runner.invoke(cli.app, asked, catch_exceptions=False).output
    assert decision.outcome.value in plain
    assert decision.next_step in plain


def test_bundle_show_verifies_and_describes(fridge: Path) -> None:
    shown = runner.invoke(cli.app, ["bundle", "show", str(fridge)], catch_exceptions=False).output
    assert "f00" in shown
    assert "abc" in shown
    told = runner.invoke(cli.app, ["bundle", "show", "--json", str(fridge)]).output
    assert json.loads(told)["fridge"] == "f00"


def test_personas_make_writes_a_dataset_and_sheet_shows_it(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    made = runner.invoke(
        cli.app,
        ["personas", "make", str(folder), "--people", "2", "--captures", "2", "--workers", "1"],
        catch_exceptions=False,
    )
    assert "4 captures of 2 people" in made.output
    assert {r.split for r in read(folder)} == {"enrol", "probe"}
    picture = tmp_path / "sheet.png"
    runner.invoke(cli.app, ["personas", "sheet", str(folder), str(picture)], catch_exceptions=False)
    with Image.open(picture) as image:
        assert image.format == "PNG"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["bundle", "show", "nowhere"], BundleError),
        (["personas", "make", "x", "--people", "-1"], ConfigError),
        (["decide", "--bundle", "nowhere", "--image", "nowhere.jpg"], BundleError),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        runner.invoke(cli.app, arguments, catch_exceptions=False)


def test_a_file_that_is_no_picture_is_refused(
    fridge: Path, probe: tuple[Path, Path], tmp_path: Path
) -> None:
    fake = tmp_path / "face.jpg"
    fake.write_text("not a picture")
    with pytest.raises(CaptureError):
        runner.invoke(
            cli.app,
            ["decide", "--bundle", str(fridge), "--image", str(fake)],
            catch_exceptions=False,
        )


def test_the_program_answers_mistakes_with_one_line_and_exit_code_two() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from visavox.cli import main; main()", "bundle", "show", "nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("visavox: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (["train", "data=demo"], "visavox.training.train"),
        (["train", "characterizer=face"], "visavox.training.characterizer"),
        (["evaluate", "data=demo"], "visavox.training.evaluate"),
        (["features", "data=demo"], "visavox.training.features"),
        (["gate", "data=demo"], "visavox.training.gate"),
    ],
)
def test_steps_are_handed_their_overrides(
    arguments: list[str], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("runpy.run_module", lambda n, **_: called.append((n, sys.argv[1:])))
    monkeypatch.setattr(sys, "argv", ["visavox"])
    runner.invoke(cli.app, arguments, catch_exceptions=False)
    assert called == [(module, arguments[1:])]
