"""From a torch net to an ONNX file that is known to give the same numbers."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from visavox.characterizer.session import REFUSALS
from visavox.errors import ExportError
from visavox.training.onnx_flat import flatten_convolutions

TOLERANCE = 1e-4
"""Largest absolute difference between torch and ONNX Runtime that is let through."""


_WORTH_HALVING = 256  # weights


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of the input whose length is free, from `least` up."""

    name: str
    least: int = 1


def to_onnx(
    net: nn.Module,
    example: Tensor,
    path: Path,
    *,
    input_name: str,
    outputs: Sequence[str],
    axes: Mapping[int, Axis],
) -> None:
    """Write `net` with one input and all weights inside to `path`, whole or not at all.

    Free axes must be longer than their least length in `example`. Weights that half precision
    holds exactly are stored in it, and cast when the file is loaded: the numbers stay the same.
    """
    free = {i: torch.export.Dim(axis.name, min=axis.least) for i, axis in axes.items()}
    with _quietly(), torch.inference_mode():
        program = torch.onnx.export(
            net.eval(),
            (example,),
            dynamo=True,
            external_data=False,
            dynamic_shapes=(free,),
            input_names=[input_name],
            output_names=list(outputs),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _forget_origin(model)
    flatten_convolutions(model.graph)
    _store_halves(model.graph)
    unfinished = path.with_suffix(".half")
    unfinished.write_bytes(model.SerializeToString(deterministic=True))
    unfinished.replace(path)


def _forget_origin(model: onnx.ModelProto) -> None:
    """Take out the exporter's notes: they name folders of this machine."""
    graph = model.graph
    model.doc_string = graph.doc_string = ""
    for part in (model, graph, *graph.node, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    for end in (*graph.input, *graph.output):
        del end.metadata_props[:]
        end.doc_string = ""


def _store_halves(graph: onnx.GraphProto) -> None:
    casts = []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT:
            continue
        full = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            half = full.astype(np.float16)
        if full.size >= _WORTH_HALVING and np.array_equal(half.astype(np.float32), full):
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
            casts.append(
                onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


class _OtherShape(Exception):
    """An output that is not even of the shape that torch gives."""


_UNUSABLE: tuple[type[Exception], ...] = (*REFUSALS, _OtherShape)


def agree(
    net: nn.Module, path: Path, inputs: Sequence[Tensor], *, tolerance: float = TOLERANCE
) -> float:
    """The largest difference between `net` and the file, or ExportError and no file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        worst = max(_difference(net, session, each) for each in inputs)
    except _UNUSABLE as error:
        path.unlink(missing_ok=True)
        raise ExportError(
            f"ONNX Runtime cannot run what was exported to {path.name}: {error}",
            next_step="Use operators that it knows, and leave free axes free, in the net.",
        ) from error
    if not worst <= tolerance:  # NaN included
        path.unlink(missing_ok=True)
        raise ExportError(
            f"ONNX Runtime and torch must agree within {tolerance:g} on {path.name}; "
            f"they differ by {worst:g}.",
            next_step="Find the layer that differs: train-only layers and frozen shapes are usual.",
        )
    return worst


def _difference(net: nn.Module, session: onnxruntime.InferenceSession, given: Tensor) -> float:
    with torch.inference_mode():
        wanted = net(given)
    wanted = (wanted,) if isinstance(wanted, Tensor) else wanted
    got = session.run(None, {session.get_inputs()[0].name: given.numpy()})
    worst = 0.0
    for w, g in zip(wanted, got, strict=True):
        if tuple(w.shape) != g.shape:
            raise _OtherShape(f"shape {g.shape} where torch gives {tuple(w.shape)}")
        worst = max(worst, float(np.abs(w.numpy() - g).max(initial=0.0)))
        if np.isnan(g).any():
            return float("nan")
    return worst


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's commentary; its errors come through as exceptions."""
    logger, trace = logging.getLogger("torch.onnx"), logging.getLogger("torch.__trace")
    level, listeners = logger.level, trace.handlers[:]
    logger.setLevel(logging.ERROR)
    # As long as anybody listens (pytest does), torch writes down a stack for every shape it
    # guesses, which takes many times as long as the export.
    trace.handlers.clear()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        trace.handlers[:] = listeners
