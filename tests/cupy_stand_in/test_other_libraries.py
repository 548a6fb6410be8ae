"""GPU arrays and streams of other libraries, with the double and with CuPy; only PyTorch is required."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, assert_same
from gpus import Gpu, host

import keyrng

KEY = keyrng.key(3)


class Foreign:
    """Another library's array: it has ``__cuda_array_interface__``, of version 2, as PyTorch's tensors have it."""

    def __init__(self, content: Any, read_only: bool = False) -> None:
        self.content, self.read_only, self.shape = content, read_only, content.shape

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        described = {k: v for k, v in self.content.__cuda_array_interface__.items() if k != "stream"}
        return {**described, "version": 2, "data": (described["data"][0], self.read_only)}


class Private(Foreign):
    """An array whose memory is not shared, such as a tensor that requires a gradient."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.\nUse detach().")


Immutable = type("ArrayImpl", (Foreign,), {"__module__": "jaxlib._jax"})


def test_an_array_of_another_library(there: Gpu) -> None:
    a: Any
    out: Any
    a, out = (Foreign(there.cupy.asarray(np.array(x, np.float32))) for x in ([1.0, 2.0], [0.0, 0.0]))

    drawn: Any = keyrng.gamma(KEY.to("cuda"), a, out=out)
    assert drawn is out
    assert_same(host(out.content), keyrng.gamma(KEY, np.array([1.0, 2.0], np.float32)))


@pytest.mark.parametrize(
    "call",
    [
        lambda key, x: keyrng.gamma(key, x),
        lambda key, x: keyrng.normal(key, out=x),
        lambda key, x: keyrng.dropout(key, x, 0.5),
        lambda key, x: keyrng.fold_in(key, x),
        lambda key, x: keyrng.choice(key, x),
        lambda key, x: keyrng.randint(key, (2,), x, 9),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_memory_that_is_not_shared(there: Gpu, call: Callable[..., Any], device: str) -> None:
    array = Private(there.cupy.zeros(2, np.float32))
    with pytest.raises(TypeError, match="the memory of a Private on a GPU is not shared: RuntimeError: Can't get"):
        call(KEY.to(device), array)


def test_an_array_that_must_not_be_written_to(there: Gpu) -> None:
    array = there.cupy.zeros(2, np.float32)
    outs: list[Any] = [Foreign(array, read_only=True), Immutable(array)]
    for out in outs:
        with pytest.raises(ValueError, match=f"out is read-only, a {type(out).__name__}; cupy.empty_like"):
            keyrng.normal(KEY.to("cuda"), out=out)
        assert_same(host(keyrng.gamma(KEY.to("cuda"), Foreign(array + 2.0, True))), keyrng.gamma(KEY, [2.0, 2.0]))
    assert not host(array).any()


@pytest.mark.parametrize("dtype", ["float16", *(["bfloat16"] if HAVE_BFLOAT16 else [])])
def test_dropout_of_every_nan(there: Gpu, dtype: str) -> None:
    exponent = {"float16": 0x7C00, "bfloat16": 0x7F80}[dtype]
    words = np.arange(2**16, dtype=np.uint16)
    nan = words[(words & 0x7FFF) > exponent]
    kind = keyrng.normal(KEY, (1,), dtype).dtype
    dropped = keyrng.dropout(KEY.to("cuda"), there.cupy.asarray(nan).view(kind), 0.5)

    assert_same(host(dropped).view(np.uint16), keyrng.dropout(KEY, nan.view(kind), 0.5).view(np.uint16))


def test_dropout_runs_on_the_stream_of_torch(there: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    interop = pytest.importorskip("keyrng.interop._torch_dropout")
    mine = there.cupy.cuda.Stream(non_blocking=True)
    theirs = SimpleNamespace(__cuda_stream__=lambda: (0, mine.ptr))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: theirs)
    found = []
    monkeypatch.setattr(interop, "from_torch", lambda x: x)
    monkeypatch.setattr(interop, "to_torch", lambda x: x)
    monkeypatch.setattr(interop, "drop", lambda *_, **__: found.append(there.cupy.cuda.get_current_stream().ptr))
    tensor = SimpleNamespace(device=torch.device("cuda:0"))
    interop._Dropout.forward(SimpleNamespace(), tensor, KEY, 0.5, ())

    assert found == [mine.ptr]
    assert there.cupy.cuda.get_current_stream().ptr == 0


def test_a_layer_of_dropout_moves_its_key_once(there: Gpu) -> None:
    torch = pytest.importorskip("torch")
    layer = pytest.importorskip("keyrng.interop.torch").Dropout(KEY)
    device = torch.device("cuda:0")
    layer._key_at(layer.key, device)
    with there.without_waiting(uploads=False):
        moved = keyrng.fold_in(layer._key_at(layer.key, device), 1)
    layer.key = keyrng.key(4)
    other = layer._key_at(layer.key, device)

    assert moved.device == other.device == "cuda:0"
    assert bool(moved.to("cpu") == keyrng.fold_in(KEY, 1))
    assert bool(other.to("cpu") == keyrng.key(4))
