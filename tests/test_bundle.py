"""A bundle serves alone, is named by its content, and believes nothing it has not hashed."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from visavox import bundle
from visavox.decision import Policy
from visavox.discriminator import Discriminator
from visavox.errors import BundleError
from visavox.table import Column, EmbeddingTable
from visavox.training.fit import DiscriminatorSettings, Fitted, fit

NETS = "c" * 64
LINEAGE = {"commit": "abc", "seed": 1}
REFERENCE = {"scores": {"genuine": [1.0, 2.0]}}


def crowd(people: int, captures: int, seed: int, name: str) -> tuple[EmbeddingTable, list[str]]:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(people), captures)
    columns = []
    for quality in (4, 3):
        x = rng.standard_normal((people, 8))[owner] + 0.3 * rng.standard_normal((len(owner), 8))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        columns.append(
            Column(
                x.astype(np.float32),
                np.ones(len(owner), np.bool_),
                rng.uniform(size=(len(owner), quality)).astype(np.float32),
                ("",) * len(owner),
            )
        )
    names = [f"{name}{p}" for p in owner]
    return EmbeddingTable(tuple(f"{n}-{i}" for i, n in enumerate(names)), *columns), names


@pytest.fixture(scope="module")
def probes() -> EmbeddingTable:
    return crowd(3, 2, seed=2, name="p")[0]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit(
        *crowd(3, 3, seed=1, name="m"),
        *crowd(32, 3, seed=0, name="c"),
        DiscriminatorSettings(),
        seed=1,
    )


@pytest.fixture(scope="module")
def write(fitted: Fitted) -> Callable[..., Path]:
    def written(root: Path, **changed: Any) -> Path:
        values: dict[str, Any] = {
            "fridge": "north",
            "discriminator": fitted.discriminator,
            "policy": fitted.policy,
            "characterizer_digest": NETS,
            "population": "personas",
            "lineage": LINEAGE,
            "reference": REFERENCE,
        }
        return bundle.write(root, **(values | changed))

    return written


@pytest.fixture(scope="module")
def pristine(write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def made(pristine: Path, tmp_path: Path) -> Path:
    """A bundle that the test may spoil."""
    return Path(shutil.copytree(pristine, tmp_path / pristine.name))


def manifest_of(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / bundle.MANIFEST).read_text())
    return values


def forge(folder: Path, **changed: Any) -> Path:
    """The bundle with another manifest, named after it as its author would."""
    raw = json.dumps(manifest_of(folder) | changed).encode()
    (folder / bundle.MANIFEST).write_bytes(raw)
    return folder.rename(folder.with_name(hashlib.sha256(raw).hexdigest()))


def test_what_was_written_is_what_is_loaded(
    fitted: Fitted, probes: EmbeddingTable, pristine: Path
) -> None:
    loaded = bundle.load(pristine, characterizer_digest=NETS)
    assert (loaded.fridge, loaded.characterizer_digest) == ("north", NETS)
    assert loaded.policy == fitted.policy
    assert loaded.lineage == LINEAGE
    assert loaded.reference == REFERENCE
    assert loaded.manifest["population"] == "personas"
    before, after = fitted.discriminator.score(probes), loaded.discriminator.score(probes)
    assert before.members == after.members
    for stream in ("face", "voice", "fused"):
        assert_array_equal(getattr(before, stream), getattr(after, stream))


def test_the_folder_is_named_after_the_manifest_and_that_names_all_else(pristine: Path) -> None:
    def sha256(name: str) -> str:
        return hashlib.sha256((pristine / name).read_bytes()).hexdigest()

    assert pristine.name == sha256("manifest.json")
    files = manifest_of(pristine)["files"]
    assert files == {name: sha256(name) for name in ("reference.json", "weights.safetensors")}
    assert {p.name for p in pristine.iterdir()} == {"manifest.json", *files}


def test_the_same_content_gets_the_same_name_and_other_content_another(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    first = write(tmp_path)
    assert write(tmp_path) == first
    others = [
        write(tmp_path, fridge="south"),
        write(tmp_path, lineage={"commit": "abd", "seed": 1}),
        write(tmp_path, reference={}),
        write(tmp_path, characterizer_digest="d" * 64),
    ]
    assert len({first, *others}) == 5
    assert set(tmp_path.iterdir()) == {first, *others}, "nothing half-written is left"


def test_writers_at_the_same_time_leave_one_whole_bundle(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        (made,) = set(pool.map(lambda _: write(tmp_path), range(8)))
    assert list(tmp_path.iterdir()) == [made]
    bundle.load(made, characterizer_digest=NETS)


def test_a_write_that_fails_leaves_nothing(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path / "fridge", lineage={"cllr": float("nan")})
    assert not (tmp_path / "fridge").exists()


def test_a_disk_that_fails_midway_leaves_nothing(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "fridge")
    assert list((tmp_path / "fridge").iterdir()) == []


def test_a_damaged_bundle_of_that_name_is_not_taken_for_the_new_one(
    write: Callable[..., Path], made: Path
) -> None:
    (made / "reference.json").write_text("{}")
    with pytest.raises(BundleError, match=r"reference\.json is not the file"):
        write(made.parent)


def test_a_folder_that_holds_one_bundle_stands_for_it(pristine: Path) -> None:
    assert bundle.find(pristine.parent) == pristine
    assert bundle.load(pristine.parent, characterizer_digest=NETS).digest == pristine.name


@pytest.mark.parametrize("held", [0, 2])
def test_a_folder_that_holds_none_or_several_is_refused(made: Path, held: int) -> None:
    folder = made.parent / "several"
    for i in range(held):
        shutil.copytree(made, folder / str(i))
    folder.mkdir(exist_ok=True)
    with pytest.raises(BundleError, match=f"holds {held} bundles; one was expected"):
        bundle.load(folder, characterizer_digest=NETS)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        bundle.load(tmp_path / "nowhere", characterizer_digest=NETS)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["manifest.json", "weights.safetensors", "reference.json"]),
    place=st.floats(0, 1, exclude_max=True),
    change=st.integers(1, 255),
)
def test_any_changed_byte_is_noticed(
    pristine: Path, tmp_path: Path, name: str, place: float, change: int
) -> None:
    copy = Path(shutil.copytree(pristine, tmp_path / pristine.name, dirs_exist_ok=True))
    raw = bytearray((copy / name).read_bytes())
    raw[int(place * len(raw))] ^= change
    (copy / name).write_bytes(raw)
    with pytest.raises(BundleError):
        bundle.load(copy, characterizer_digest=NETS)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["manifest.json", "weights.safetensors", "reference.json"]),
    kept=st.floats(0, 1, exclude_max=True),
)
def test_any_truncation_is_noticed(pristine: Path, tmp_path: Path, name: str, kept: float) -> None:
    copy = Path(shutil.copytree(pristine, tmp_path / pristine.name, dirs_exist_ok=True))
    raw = (copy / name).read_bytes()
    (copy / name).write_bytes(raw[: int(kept * len(raw))])
    with pytest.raises(BundleError, match="damaged"):
        bundle.load(copy, characterizer_digest=NETS)


@pytest.mark.parametrize("name", ["weights.safetensors", "reference.json"])
def test_a_missing_file_is_named(made: Path, name: str) -> None:
    (made / name).unlink()
    with pytest.raises(BundleError, match=f"lacks {name}"):
        bundle.load(made, characterizer_digest=NETS)


def test_an_extra_file_is_named(made: Path) -> None:
    (made / "payload.so").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"also holds payload\.so"):
        bundle.load(made, characterizer_digest=NETS)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "reference.json"])
def test_a_link_out_of_the_folder_is_refused(made: Path, name: str) -> None:
    outside = made.parent / "outside"
    (made / name).rename(outside)
    (made / name).symlink_to(outside)
    with pytest.raises(BundleError, match="no plain file"):
        bundle.load(made, characterizer_digest=NETS)


def test_a_folder_in_the_place_of_a_file_is_refused(made: Path) -> None:
    (made / "reference.json").unlink()
    (made / "reference.json").mkdir()
    with pytest.raises(BundleError, match="no plain file"):
        bundle.load(made, characterizer_digest=NETS)


def test_a_manifest_that_names_files_elsewhere_is_refused(made: Path) -> None:
    files = manifest_of(made)["files"] | {"../outside": "0" * 64}
    with pytest.raises(BundleError, match=r"describes \.\./outside"):
        bundle.load(forge(made, files=files), characterizer_digest=NETS)


def test_a_renamed_folder_is_refused(made: Path) -> None:
    with pytest.raises(BundleError, match="named after"):
        bundle.load(made.rename(made.with_name("champion")), characterizer_digest=NETS)


def test_a_future_format_asks_for_an_update(made: Path) -> None:
    with pytest.raises(BundleError, match="has format 2; this visavox reads up to 1") as caught:
        bundle.load(forge(made, format=2), characterizer_digest=NETS)
    assert "Update visavox" in caught.value.next_step


@pytest.mark.parametrize("number", [0, -1, "1", None, True, 1.0])
def test_a_format_that_is_no_number_is_refused(made: Path, number: object) -> None:
    with pytest.raises(BundleError, match="as its format"):
        bundle.load(forge(made, format=number), characterizer_digest=NETS)


def test_another_characterizer_is_refused_unless_nothing_is_scored(pristine: Path) -> None:
    with pytest.raises(BundleError, match=f"for the Characterizer {NETS[:12]}"):
        bundle.load(pristine, characterizer_digest="d" * 64)
    assert bundle.load(pristine, characterizer_digest=None).fridge == "north"


@pytest.mark.parametrize("key", ["fridge", "characterizer", "discriminator", "policy", "lineage"])
@pytest.mark.parametrize("value", [None, 7, "", []])
def test_a_manifest_that_lacks_something_says_what(made: Path, key: str, value: object) -> None:
    with pytest.raises(BundleError, match=f"has no {key}"):
        bundle.load(forge(made, **{key: value}), characterizer_digest=NETS)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "null", '{"format": NaN}', '{"format": 1', "[" * 100_000, "\ud800", "é" * 3],
)
def test_what_is_no_json_object_is_refused(made: Path, text: str) -> None:
    (made / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BundleError, match="no JSON"):
        bundle.load(made, characterizer_digest=NETS)


def test_weights_that_are_none_are_refused_though_their_hash_fits(made: Path) -> None:
    (made / "weights.safetensors").write_bytes(b"no arrays")
    digest = hashlib.sha256(b"no arrays").hexdigest()
    files = manifest_of(made)["files"] | {"weights.safetensors": digest}
    with pytest.raises(BundleError, match="holds no arrays"):
        bundle.load(forge(made, files=files), characterizer_digest=NETS)


def test_a_policy_with_an_unknown_key_is_refused(made: Path) -> None:
    policy = manifest_of(made)["policy"] | {"backdoor": 1}
    with pytest.raises(BundleError, match="backdoor: unknown key"):
        bundle.load(forge(made, policy=policy), characterizer_digest=NETS)


def test_members_that_the_weights_do_not_fit_are_refused(made: Path) -> None:
    meta = manifest_of(made)["discriminator"]
    meta["members"] = [*meta["members"], "intruder"]
    with pytest.raises(BundleError, match="names 4 members and holds weights for 3"):
        bundle.load(forge(made, discriminator=meta), characterizer_digest=NETS)


def test_an_oversized_file_is_refused_before_it_is_read(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_LARGEST", 10)
    with pytest.raises(BundleError, match="larger than 10 bytes"):
        bundle.load(made, characterizer_digest=NETS)


def test_types_of_what_is_loaded(pristine: Path) -> None:
    loaded = bundle.load(pristine, characterizer_digest=None)
    assert isinstance(loaded.discriminator, Discriminator)
    assert isinstance(loaded.policy, Policy)
