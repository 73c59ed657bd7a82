"""From files to embeddings, on all cores, through the very rooms that serve."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from visavox import characterizer
from visavox.errors import CaptureError, DataError
from visavox.manifest import CaptureFile, Row, sha256
from visavox.perception import Perception
from visavox.types import Embeddings

_WORTH_PROCESSES = 32  # captures below which starting processes takes longer than embedding

_perception: Perception | None = None  # of a worker process, whose only task it is


def embed(
    root: Path, rows: Sequence[Row], *, nets: str, workers: int
) -> Iterator[tuple[Row, Embeddings]]:
    """What the Characterizer `nets` sees of each row, in order, as soon as it is known."""
    if workers <= 1 or len(rows) < _WORTH_PROCESSES:
        with Perception(characterizer.load(nets)) as perception:
            yield from ((row, embed_row(perception, root, row)) for row in rows)
        return
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),  # ONNX Runtime does not survive a fork
        initializer=_start,
        initargs=(nets,),
    ) as pool:
        done = pool.map(_embed_in_worker, [root] * len(rows), rows, chunksize=4)
        try:
            yield from zip(rows, done, strict=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def embed_row(perception: Perception, root: Path, row: Row) -> Embeddings:
    """What is seen of one capture; DataError where its files are wrong or cannot be decoded."""
    images = (_bytes(root, row, row.image),) if row.image else ()
    audio = _bytes(root, row, row.audio) if row.audio else None
    clip = _bytes(root, row, row.clip) if row.clip else None
    try:
        return perception.perceive(perception.take(images=images, audio=audio, clip=clip))
    except CaptureError as error:
        raise DataError(
            f"The capture {row.capture!r} in {root} is unusable: {error.problem}",
            next_step="Replace its files, or remove its row from the manifest.",
        ) from error


def _bytes(root: Path, row: Row, file: CaptureFile) -> bytes:
    try:
        data = (root / file.path).read_bytes()
    except OSError as error:
        raise DataError(
            f"The file {file.path!r} of capture {row.capture!r} cannot be read: {error.strerror}.",
            next_step="Fetch it (`dvc checkout`, `dvc pull`), or remove the row.",
        ) from None
    if sha256(data) != file.sha256:
        raise DataError(
            f"The file {file.path!r} of capture {row.capture!r} is not the one in the manifest.",
            next_step="Restore it (`dvc checkout`), or write its SHA-256 into the manifest.",
        )
    return data


def _start(nets: str) -> None:
    global _perception
    _perception = Perception(characterizer.load(nets, threads=1), side_by_side=False)


def _embed_in_worker(root: Path, row: Row) -> Embeddings:
    assert _perception is not None, "the pool's initializer has run"
    return embed_row(_perception, root, row)
