"""The CPU, whose arrays are NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, TypeVar

import numpy as np

from keyrng._core.arguments import as_base_array, is_tensor, short_repr, tensor_memory
from keyrng._executors import gpu
from keyrng._executors.sorting import take

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_T = TypeVar("_T")
_CURRENT: AbstractContextManager[Any] = nullcontext()


class CpuDevice:
    """The CPU; see `keyrng._executors.device.Device` for the methods."""

    name = "cpu"
    xp = np

    def current(self) -> AbstractContextManager[Any]:
        return _CURRENT

    def array(self, name: str, value: object) -> Array:
        device = f"cuda:{gpu.as_array(value).device.id}"
        raise TypeError(
            f"{name} is on {device} but the key is on cpu; key.to({device!r}) moves the key, cupy.asnumpy({name}) "
            f"copies {name} to the host"
        )

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        try:
            return np.empty(shape, dtype)
        except ValueError as error:  # too large for any array; otherwise MemoryError
            raise ValueError(
                f"cannot create an array of shape {short_repr(shape)} and dtype {np.dtype(dtype)}: {error}"
            ) from None

    def receive(self, array: Any) -> Array:
        received: Array = array if isinstance(array, np.ndarray) else array.get()
        return received

    def contiguous(self, array: Array) -> Array:
        return np.ascontiguousarray(array)

    def copy(self, array: Array) -> Array:
        return array.copy()

    def adopt(self, name: str, array: Array, given: object) -> Array:
        return array

    def output(self, out: Any) -> Array:
        if is_tensor(out):
            out = tensor_memory("out", out)
        if not isinstance(out, np.ndarray):
            if gpu.is_on_gpu(out):
                self.array("out", out)
            raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
        if not out.flags.writeable:
            raise ValueError("out must be writable, got a read-only array")
        return as_base_array("out", out)

    def must_copy(self, value: Array, result: Array) -> bool:
        # If a parameter is the result itself, each element is read just before it is overwritten.
        return np.may_share_memory(value, result) and _place(value) != _place(result)

    def unread(self, requirement: _T) -> _T | None:
        return None

    def apply(self, function: Callable[..., Any], *values: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(*values))

    later = apply

    def now(self, array: Array) -> Array:
        return array

    def take(self, array: Array, indices: Array, axis: int) -> Array:
        if axis == 0 and array.flags.c_contiguous and indices.flags.c_contiguous:
            return take(array, indices)
        taken = np.empty(array.shape[:axis] + indices.shape + array.shape[axis + 1 :], array.dtype)
        np.take(array, indices, axis, out=taken, mode="clip")  # the default mode copies the result
        return taken

    def apply_rows(self, function: Callable[..., Any], *values: Array, **named: Any) -> Array:
        raise NotImplementedError

    def row_max(self, x: Array) -> Array:
        largest: Array = x.max(axis=-1, initial=-np.inf)
        return largest

    def row_sum(self, x: Array) -> Array:
        total = np.zeros(x.shape[:-1], x.dtype)
        for i in range(x.shape[-1] if total.size else 0):
            total += x[..., i]
        return total

    def sum_of_products(self, x: Array, y: Array) -> Array:
        total = np.zeros(np.broadcast_shapes(x.shape[:-1], y.shape[:-1]), y.dtype)
        for i in range(y.shape[-1]):
            total += x[..., i] * y[..., i]
        return total

    def pick(self, on_cpu: _T, on_gpu: _T) -> _T:
        return on_cpu


def _place(array: Array) -> tuple[Any, ...]:
    return array.ctypes.data, array.dtype, array.shape, array.strides
