"""Devices with CuPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias, TypeVar

import numpy as np

from keyrng._core.arguments import is_tensor, tensor_memory
from keyrng._executors import cuda, gpu, gpu_rows
from keyrng._executors.cuda_launch import on
from keyrng._executors.pending import Pending

Array: TypeAlias = Any
_T = TypeVar("_T")


class GpuDevice:
    """A GPU; see `keyrng._executors.device.Device` for the methods."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"cuda:{number}"

    @property
    def xp(self) -> Any:
        return gpu.cupy()

    def current(self) -> AbstractContextManager[Any]:
        return on(self.number)

    def array(self, name: str, value: object) -> Array:
        array = gpu.as_array(value)
        if array.device.id != self.number:
            raise TypeError(
                f"{name} is on cuda:{array.device.id} but the key is on {self.name}; both must be on the same device"
            )
        return array

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        with self.current():
            return self.xp.empty(shape, dtype)

    def receive(self, array: Array) -> Array:
        if isinstance(array, Pending):
            return array
        with self.current():
            if not isinstance(array, self.xp.ndarray):
                return self.xp.asarray(array)
            # copy() of an array on another GPU allocates on this one.
            return array if array.device.id == self.number else array.copy()

    def contiguous(self, array: Array) -> Array:
        with self.current():
            return self.xp.ascontiguousarray(array)

    def copy(self, array: Array) -> Array:
        with self.current():
            return self.now(array) if isinstance(array, Pending) else array.copy()

    def adopt(self, name: str, array: Array, given: object) -> Array:
        if not array.ndim:
            return array
        if array.dtype.kind in "OSUMm":
            raise TypeError(
                f"{name} is an array of {array.dtype}, which GPUs do not support; draw indices of its elements"
            )
        if isinstance(given, np.ndarray):
            raise TypeError(f"{name} is on cpu but the key is on {self.name}; cupy.asarray({name}) copies it")
        return self.receive(array)

    def output(self, out: Any) -> Array:
        if gpu.is_on_gpu(out):
            array = self.array("out", out)
            if gpu.is_read_only(out):
                raise ValueError(f"out is read-only, a {type(out).__name__}; cupy.empty_like(out) can be written to")
            return array
        if is_tensor(out):
            out = tensor_memory("out", out)
        if isinstance(out, np.ndarray):
            raise TypeError(f"out is on cpu but the key is on {self.name}; use cupy.empty")
        raise TypeError(f"out must be a CuPy array on {self.name}, got {type(out).__name__}")

    def must_copy(self, value: Array, result: Array) -> bool:
        # Even if both are the same array, because CUDA may read ahead.
        if isinstance(value, Pending):
            return any(self.must_copy(array, result) for array in value.arrays())
        return isinstance(value, self.xp.ndarray) and bool(self.xp.may_share_memory(value, result))

    def unread(self, requirement: _T) -> _T | None:
        return requirement

    def take(self, array: Array, indices: Array, axis: int) -> Array:
        return array.take(indices, axis)

    def apply_rows(self, function: Callable[..., Any], *values: Array, **named: Any) -> Array:
        return gpu_rows.apply_rows(function, *values, **named)

    def row_max(self, x: Array) -> Array:
        return gpu_rows.row_max(x)

    def row_sum(self, x: Array) -> Array:
        return gpu_rows.row_sum(x)

    def sum_of_products(self, x: Array, y: Array) -> Array:
        return gpu_rows.sum_of_products(x, y)

    def pick(self, on_cpu: _T, on_gpu: _T) -> _T:
        return on_gpu

    def apply(self, function: Callable[..., Any], *values: Array) -> Array:
        return cuda.apply(function, *values)

    def later(self, function: Callable[..., Any], *values: Array) -> Array:
        return cuda.later(function, *values)

    def now(self, array: Array) -> Array:
        return cuda.now(array)
