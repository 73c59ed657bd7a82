"""Nets that see exactly what the shipped ones see, and are others by name: another Characterizer
for tests, without embedding everybody again."""

import json
import shutil
from pathlib import Path

import onnx

import visavox.characterizer
from visavox.characterizer.folder import CARD, sha256

EMBEDDED = Path(str(visavox.characterizer.__file__)).parent / "embedded"


def other_nets(folder: Path) -> Path:
    """A copy of the shipped Characterizer whose face net has another description."""
    shutil.copytree(EMBEDDED, folder)
    path = folder / "face.onnx"
    net = onnx.load(str(path))
    net.doc_string = "the same, under another name"
    path.write_bytes(net.SerializeToString())
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["face"]["sha256"] = sha256(path.read_bytes())
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    return folder
