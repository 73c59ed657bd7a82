"""A contact sheet: people × captures with labels, to see at a glance who is in a dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw

from visavox.errors import DataError, NotEnoughData
from visavox.manifest import Manifest, Row

T = TypeVar("T")

_WIDTH, _GAP, _LINE = 200, 6, 14
_INK, _FAINT, _PAPER = (40, 40, 40), (120, 120, 120), (250, 250, 248)
_COLOURS = {"attack": (170, 30, 30), "stranger": (150, 90, 0), "enrol": (0, 90, 140)}


def sheet(
    manifest: Manifest, path: Path, *, people: int = 12, captures: int = 6, split: str | None = None
) -> Path:
    """Write a PNG with one row of pictures per person; of one split only, where it is named.

    People are taken from all over the dataset, so that every role is seen.
    """
    rows = [r for r in manifest.of(split=split) if r.image is not None]
    if not rows:
        raise NotEnoughData(
            f"There is no picture to show in {manifest.root}.",
            next_step="Choose another split, or write the dataset with pictures.",
        )
    by_person: dict[str, list[Row]] = {}
    for row in rows:
        by_person.setdefault(row.person, []).append(row)
    shown = {name: _spread(by_person[name], captures) for name in _spread(list(by_person), people)}
    height = _WIDTH * 3 // 4
    step_x, step_y = _WIDTH + _GAP, height + 3 * _LINE + _GAP
    columns = max(map(len, shown.values()))
    image = Image.new("RGB", (columns * step_x + _GAP, len(shown) * step_y + _GAP), _PAPER)
    draw = ImageDraw.Draw(image)
    for r, (name, of_person) in enumerate(shown.items()):
        top = _GAP + r * step_y
        slices = "  ".join(f"{k}={v}" for k, v in sorted(of_person[0].slices.items()))
        draw.text((_GAP, top), f"{name}   {of_person[0].fridge}   {slices}", fill=_INK)
        for c, row in enumerate(of_person):
            left, below = _GAP + c * step_x, top + _LINE + height
            image.paste(_picture(manifest.root, row, (_WIDTH, height)), (left, top + _LINE))
            draw.text((left, below), row.capture.removeprefix(f"{name}-")[:32], fill=_FAINT)
            draw.text((left, below + _LINE), row.split, fill=_COLOURS.get(row.split, _INK))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "PNG")
    return path


def _spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of the items, evenly from first to last, in order."""
    if len(items) <= count:
        return list(items)
    return [items[round(k * (len(items) - 1) / max(count - 1, 1))] for k in range(count)]


def _picture(root: Path, row: Row, size: tuple[int, int]) -> Image.Image:
    assert row.image is not None
    path = root / row.image.path
    try:
        with Image.open(path) as opened:
            return opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    except OSError as error:
        raise DataError(
            f"{path} cannot be shown: {error}.",
            next_step="Restore it from DVC, or write the dataset anew.",
        ) from None
