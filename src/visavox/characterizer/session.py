"""One net in ONNX Runtime, tuned for many small runs side by side."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as native

from visavox.errors import CharacterizerError

Array = NDArray[np.float32]

REFUSALS: tuple[type[Exception], ...] = (
    native.EPFail,
    native.Fail,
    native.InvalidArgument,
    native.InvalidGraph,
    native.InvalidProtobuf,
    native.NoModel,
    native.NoSuchFile,
    native.NotImplemented,
    native.RuntimeException,
)
"""What ONNX Runtime raises for a file or an input that it cannot use; they share no base."""


class Net:
    """A loaded net. May be run from several threads at once."""

    def __init__(self, source: Path | bytes, *, name: str, threads: int = 1) -> None:
        try:
            self._session = onnxruntime.InferenceSession(
                source if isinstance(source, bytes) else str(source),
                _options(threads),
                providers=["CPUExecutionProvider"],
            )
        except REFUSALS as error:
            raise CharacterizerError(
                f"ONNX Runtime cannot load {name}: {error}",
                next_step="Export the net again, or restore it from where it came.",
            ) from None
        # The wrapper keeps the file's bytes for changing providers, which never happens here: they
        # are as large as the net itself.
        self._session._model_bytes = b""
        self.name = name
        self._input: str = self._session.get_inputs()[0].name

    def __call__(self, given: NDArray[np.generic]) -> list[Array]:
        try:
            outputs: list[Array] = self._session.run(None, {self._input: given})
        except REFUSALS as error:
            raise CharacterizerError(
                f"{self.name} cannot be run on {given.dtype} {given.shape}: {error}",
                next_step="Use a net that was exported for this input.",
            ) from None
        return outputs


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # A waiting thread that spins takes the core from the net beside it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Plans are kept for every input shape ever seen, and waveforms come in every length.
    options.enable_mem_pattern = False
    return options
