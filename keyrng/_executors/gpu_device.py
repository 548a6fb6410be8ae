"""The memory of a GPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from keyrng._executors import cuda, gpu

Array: TypeAlias = Any


class GpuDevice:
    """The memory of a GPU; `keyrng._executors.device.Memory` says what its methods are."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"cuda:{number}"

    @property
    def xp(self) -> Any:
        return gpu.cupy()

    def current(self) -> AbstractContextManager[Any]:
        return cuda.on(self.number)

    def owns(self, value: object) -> bool:
        return isinstance(value, self.xp.ndarray) and value.device.id == self.number

    def array(self, name: str, value: object) -> Array:
        array = gpu.as_array(value)
        if array.device.id != self.number:
            raise TypeError(f"{name} is on cuda:{array.device.id}, the key on {self.name}; both must be on one device")
        return array

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        with self.current():
            return self.xp.empty(shape, dtype)

    def receive(self, array: Array) -> Array:
        with self.current():
            if self.owns(array):
                return array
            # Of an array on another GPU copy() makes one here.
            return array.copy() if isinstance(array, self.xp.ndarray) else self.xp.asarray(array)

    def contiguous(self, array: Array) -> Array:
        with self.current():
            return self.xp.ascontiguousarray(array)

    def copy(self, array: Array) -> Array:
        with self.current():
            return array.copy()

    def overlap(self, one: Array, other: Array) -> bool:
        return isinstance(one, self.xp.ndarray) and bool(self.xp.may_share_memory(one, other))

    def apply(self, function: Callable[..., Any], *values: Array) -> Array:
        return cuda.apply(function, *values)
