"""The checks behind every export, on graphs small enough to be made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from visavox.errors import ExportError
from visavox.training.onnx_flat import flatten_convolutions
from visavox.training.onnx_graph import agree


class _Double(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


def graph(nodes: list[onnx.NodeProto], weights: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(w, name) for name, w in weights.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    out: NDArray[np.float32] = session.run(None, {"x": x})[0]
    return out


def write(path: Path, factor: float, axis: int | None = None) -> Path:
    nodes = [helper.make_node("Mul", ["x", "f"], ["z" if axis is not None else "y"])]
    weights = {"f": np.array(factor, np.float32)}
    if axis is not None:
        nodes.append(helper.make_node("Concat", ["z", "z"], ["y"], axis=axis))
    path.write_bytes(graph(nodes, weights).SerializeToString())
    return path


def test_agreement_tells_the_largest_difference(tmp_path: Path) -> None:
    path = write(tmp_path / "n.onnx", 2.00001)
    worst = agree(_Double(), path, [torch.ones(2, 3), torch.full((1, 3), -4.0)])
    assert worst == pytest.approx(4e-5, rel=0.05)
    assert path.is_file()


@pytest.mark.parametrize(("factor", "axis"), [(2.001, None), (float("nan"), None), (2.0, 0)])
def test_disagreement_removes_the_file(tmp_path: Path, factor: float, axis: int | None) -> None:
    path = write(tmp_path / "n.onnx", factor, axis)
    with pytest.raises(ExportError):
        agree(_Double(), path, [torch.ones(2, 3)])
    assert not path.exists()


def test_what_onnx_runtime_cannot_load_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(ExportError, match="cannot run"):
        agree(_Double(), path, [torch.ones(1)])
    assert not path.exists()


def convolution(name: str, source: str, target: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node("Conv", [source, f"{name}.w", f"{name}.b"], [target], **attributes)


def test_flattened_convolutions_give_the_same_numbers() -> None:
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape).astype(np.float32)

    nodes = [
        convolution("a", "x", "a", kernel_shape=[3], dilations=[2], pads=[1, 3]),
        helper.make_node("Relu", ["a"], ["ar"]),
        helper.make_node("BatchNormalization", ["ar", "s", "t", "m", "v"], ["an"]),
        # Read twice: the axis has to be gone by then.
        convolution("b", "an", "b", kernel_shape=[1], strides=[2]),
        convolution("c", "an", "c", kernel_shape=[1], strides=[2]),
        helper.make_node("Relu", ["c"], ["cr"]),
        helper.make_node("Add", ["c", "cr"], ["cc"]),  # a convolution read by more than its Relu
        helper.make_node("Add", ["b", "cc"], ["y"]),
    ]
    weights: dict[str, NDArray[np.float32]] = {
        "a.w": drawn(5, 4, 3), "a.b": drawn(5), "b.w": drawn(6, 5, 1), "b.b": drawn(6),
        "c.w": drawn(6, 5, 1), "c.b": drawn(6),
        "s": drawn(5), "t": drawn(5), "m": drawn(5), "v": np.abs(drawn(5)) + np.float32(0.1),
    }  # fmt: skip
    model = graph(nodes, weights)
    x = drawn(2, 4, 31)
    wanted = run(model, x)
    flatten_convolutions(model.graph)
    assert {len(w.dims) for w in model.graph.initializer if w.name.endswith(".w")} == {4}
    np.testing.assert_allclose(run(model, x), wanted, atol=1e-5)


def test_convolutions_over_pictures_are_left_alone() -> None:
    weight = np.ones((1, 1, 3, 3), np.float32)
    model = graph(
        [convolution("a", "x", "y", kernel_shape=[3, 3])],
        {"a.w": weight, "a.b": np.zeros(1, np.float32)},
    )
    before = model.SerializeToString(deterministic=True)
    flatten_convolutions(model.graph)
    assert model.SerializeToString(deterministic=True) == before
