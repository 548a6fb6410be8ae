"""Memories: that of the CPU, and those of GPUs; where an array lies, and how it comes from one to the other.

Code for both asks the memory of a key for what it needs: new arrays, array functions (`xp`), or a function of the
kernel language applied to arrays. Of CuPy's functions it calls those that copy, sort, count, or compute float64 exactly
or with one rounding; of narrower floats only exact conversions, because CuPy flushes subnormals of float32.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._executors import gpu
from keyrng._executors.cpu_device import CpuDevice
from keyrng._executors.gpu import is_on_gpu as is_on_gpu

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # or CuPy's, which has no static types
_T = TypeVar("_T")


class Device(Protocol):
    """What code that works in any memory asks for."""

    @property
    def name(self) -> str:
        """The name of the device, ``"cpu"`` or ``"cuda:1"``."""

    @property
    def xp(self) -> Any:
        """The module of array functions: NumPy, or CuPy."""

    def current(self) -> AbstractContextManager[Any]:
        """For a ``with``: what ``xp`` makes inside lies in this memory."""

    def owns(self, value: object) -> bool:
        """Whether a value is an array that lies here."""

    def array(self, name: str, value: object) -> Array:
        """A value that lies in the memory of a GPU, as an array; TypeError, with its name, unless it lies here."""

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """A new array."""

    def receive(self, array: Array) -> Array:
        """An array as one that lies here; itself if it does."""

    def contiguous(self, array: Array) -> Array:
        """An array that lies here in C order."""

    def copy(self, array: Array) -> Array:
        """A copy of an array that lies here, or of one of NumPy's as it is."""

    def adopt(self, name: str, array: Array, given: object) -> Array:
        """An array built from ``given``, which lies in the memory of the CPU, as one that lies here.

        Numbers stay where they are, and an array of NumPy is never moved implicitly: TypeError, with its name.
        """

    def output(self, out: object) -> Array:
        """An array or tensor to write to, as an array; TypeError unless it lies here, ValueError if it is read-only."""

    def must_copy(self, value: Array, result: Array) -> bool:
        """Whether a parameter would change while ``result`` is written, because both may have memory in common."""

    def unread(self, requirement: _T) -> _T | None:
        """A requirement that only a kernel can check, because reading arrays that lie here would wait; else None."""

    def apply(self, function: Callable[..., Any], *values: Array) -> Array:
        """A function of the kernel language of arrays, element by element; on a GPU it is compiled, so no closure."""

    def take(self, array: Array, indices: Array, axis: int) -> Array:
        """Elements along an axis; indices must be in range."""

    def row_max(self, x: Array) -> Array:
        """The largest number along the last axis, -infinity of none."""

    def row_sum(self, x: Array) -> Array:
        """The sum along the last axis in the axis's order: NumPy's own order differs from version to version."""

    def sum_of_products(self, x: Array, y: Array) -> Array:
        """The sums of ``x * y`` along the last axis, in order, of arrays that broadcast together."""

    def pick(self, on_cpu: _T, on_gpu: _T) -> _T:
        """The one of two implementations that is for this memory."""


CPU: Device = CpuDevice()


@cache
def _gpu(number: int) -> Device:
    from keyrng._executors.gpu_device import GpuDevice  # here: only who has a GPU waits for the printers' import

    return GpuDevice(number)


def gpu_executor() -> Any:
    """The module that launches kernels on GPUs."""
    from keyrng._executors import cuda  # here: only who has a GPU waits for the printers' import

    return cuda


def as_cupy(value: object) -> Array:
    """An array in the memory of a GPU as CuPy's, without a copy."""
    array: Array = gpu.as_array(value)
    return array


def device_at(array: Array) -> Device:
    """The memory that an array of NumPy or CuPy lies in."""
    return CPU if isinstance(array, (np.ndarray, np.generic)) else _gpu(array.device.id)


def device_of_values(*values: object) -> Device:
    """The GPU of the first value in GPU memory, or the CPU."""
    return next((device_at(as_cupy(value)) for value in values if is_on_gpu(value)), CPU)


def preparation_device(device: Device, *values: object) -> Device:
    """Where parameters are checked and prepared: on the CPU, unless one of them is in GPU memory.

    `Device.adopt` then moves those prepared on the CPU to the key's device.
    """
    return device if any(map(is_on_gpu, values)) else CPU


def may_hold(predicate: Callable[..., Any], *arrays: Array) -> bool:
    """Whether a predicate holds for some elements; True, without a look, if an array is in GPU memory."""
    for array in arrays:
        if not isinstance(array, (np.ndarray, np.generic)):
            return True
    return bool(np.any(predicate(*arrays)))


def as_number(value: Array) -> Any:
    """An array of NumPy without axes as a Python number; any other array as it is."""
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else value


def drop_broadcast_axes(array: Array) -> Array:
    """An array with length 1 along the axes on which it repeats itself: to look at one of 2**60 numbers all alike."""
    part: Array = array[(*(slice(0, 1) if step == 0 else slice(None) for step in array.strides), ...)]
    return part


def device_named(device: object, beside: Device = CPU) -> Device:
    """The memory of a device: ``"cpu"``, ``"cuda"`` (the current one), ``"cuda:1"``, or a device of CuPy or PyTorch.

    A number is that of a GPU where ``beside`` is one. ValueError for no such device, TypeError for what names none,
    RuntimeError if there is no GPU to use.
    """
    if type(device).__module__ == "torch":
        device = str(device)  # of a torch.device: "cpu", "cuda:1"
    if isinstance(device, str) and device == "cpu":
        return CPU
    if type(device) is int and beside is not CPU:
        return _numbered(device)
    if isinstance(device, str):
        kind, _, number = device.partition(":")
        if kind == "cuda" and (number.isdecimal() or device == "cuda"):
            return _numbered(int(number) if number else gpu.cupy().cuda.runtime.getDevice())
        raise ValueError(f'unknown device {short_repr(device)}; known are "cpu", "cuda", "cuda:0", "cuda:1", ...')
    if hasattr(device, "id") and type(device).__module__.startswith("cupy"):
        return _numbered(device.id)
    given = "None" if device is None else type(device).__name__
    hint = f'; "cuda:{device}" names a GPU' if type(device) is int and 0 <= device < 2**31 else ""
    raise TypeError(f'a device is a name like "cpu" or "cuda:0", got {given}{hint}')


def _numbered(number: int) -> Device:
    there = gpu.cupy().cuda.runtime.getDeviceCount()
    if not 0 <= number < there:
        raise ValueError(f"no GPU {short_repr(number)}: there are {there}, counted from 0")
    return _gpu(number)
