"""Devices: where arrays are, and the array functions there.

Code for CPU and GPU uses the key's device for new arrays, array functions (`xp`) and functions of the kernel language
applied to arrays. It calls CuPy only to copy, sort and count, and to compute float64 exactly or with one rounding; of
narrower floats it asks for exact conversions only, because CuPy flushes the subnormals of float32.
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
    """Operations on the arrays of a device."""

    @property
    def name(self) -> str:
        """The name of the device, such as ``"cpu"`` or ``"cuda:1"``."""

    @property
    def xp(self) -> Any:
        """The module of array functions, NumPy or CuPy."""

    def current(self) -> AbstractContextManager[Any]:
        """Return a context manager in which ``xp`` allocates on this device."""

    def array(self, name: str, value: object) -> Array:
        """Convert an array in GPU memory; TypeError, naming the argument, if it is on another device."""

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Allocate an array."""

    def receive(self, array: Array) -> Array:
        """Copy an array to this device; return it unchanged if it is there."""

    def contiguous(self, array: Array) -> Array:
        """Return an array of this device in C order."""

    def copy(self, array: Array) -> Array:
        """Copy an array of this device, or a NumPy array without moving it."""

    def adopt(self, name: str, array: Array, given: object) -> Array:
        """Move an array built from ``given`` on the CPU to this device.

        Scalars stay on the CPU. TypeError, naming the argument, if ``given`` is a NumPy array, which is never moved
        implicitly.
        """

    def output(self, out: object) -> Array:
        """Return an output array or tensor as an array; TypeError if on another device, ValueError if read-only."""

    def must_copy(self, value: Array, result: Array) -> bool:
        """Whether writing ``result`` may change a parameter, because they may share memory."""

    def unread(self, requirement: _T) -> _T | None:
        """Return a requirement that only a kernel can check, because reading the array would synchronize; else None."""

    def apply(self, function: Callable[..., Any], *values: Array) -> Array:
        """Apply a function of the kernel language elementwise; on a GPU it is compiled, so it must not be a closure."""

    def later(self, function: Callable[..., Any], *values: Array) -> Array:
        """Apply a function as `apply` does; on a GPU, the kernel that reads the result computes it.

        The result is a parameter for `apply`, `later`, `now` and draws; no other function takes it.
        """

    def now(self, array: Array) -> Array:
        """Return a value of `later` as an array, and an array unchanged."""

    def take(self, array: Array, indices: Array, axis: int) -> Array:
        """Return elements along an axis; indices must be in range."""

    def apply_rows(
        self,
        function: Callable[..., Any],
        *values: Array,
        axes: int = 1,
        reduced: bool = False,
        dtype: Any = None,
    ) -> Array:
        """Apply a function of rows, described in `keyrng._codegen.cuda_rows`, by one launch; only GPUs have it.

        A row is the last axis, or with ``axes=2`` the last two axes; if it is ``reduced``, it has one result.
        """

    def row_max(self, x: Array) -> Array:
        """Return the maximum along the last axis; -infinity if it is empty."""

    def row_sum(self, x: Array) -> Array:
        """Return the sum along the last axis, in order: the order of NumPy's sum depends on the version."""

    def sum_of_products(self, x: Array, y: Array) -> Array:
        """Return the sums of ``x * y`` along the last axis, in order; the arrays broadcast together."""

    def pick(self, on_cpu: _T, on_gpu: _T) -> _T:
        """Return the implementation for this device."""


CPU: Device = CpuDevice()


@cache
def _gpu(number: int) -> Device:
    from keyrng._executors.gpu_device import GpuDevice  # imports code generation, which only GPUs need

    return GpuDevice(number)


@cache
def gpu_executor() -> Any:
    """Return the module that launches kernels on GPUs."""
    from keyrng._executors import cuda  # imports code generation, which only GPUs need

    return cuda


def as_cupy(value: object) -> Array:
    """Return an array in GPU memory as a CuPy array, without a copy."""
    array: Array = gpu.as_array(value)
    return array


def device_at(array: Array) -> Device:
    """Return the device of a NumPy or CuPy array."""
    return CPU if isinstance(array, (np.ndarray, np.generic)) else _gpu(array.device.id)


def device_of_values(*values: object) -> Device:
    """Return the GPU of the first value in GPU memory, or the CPU."""
    return next((device_at(as_cupy(value)) for value in values if is_on_gpu(value)), CPU)


def preparation_device(device: Device, *values: object) -> Device:
    """Return the device on which parameters are checked and prepared: the CPU, unless one is in GPU memory.

    `Device.adopt` then moves parameters prepared on the CPU to the key's device.
    """
    return device if any(map(is_on_gpu, values)) else CPU


def may_hold(predicate: Callable[..., Any], *arrays: Array) -> bool:
    """Whether a predicate is true for some element; True, without evaluation, if an array is in GPU memory."""
    for array in arrays:
        if not isinstance(array, (np.ndarray, np.generic)):
            return True
    return bool(np.any(predicate(*arrays)))


def as_number(value: Array) -> Any:
    """Convert a 0-d NumPy array to a Python number; return other arrays unchanged."""
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else value


def drop_broadcast_axes(array: Array) -> Array:
    """Collapse broadcast axes (stride 0) to length 1, so that a broadcast scalar is checked once."""
    part: Array = array[(*(slice(0, 1) if step == 0 else slice(None) for step in array.strides), ...)]
    return part


def device_named(device: object, beside: Device = CPU) -> Device:
    """Return a device by name, ``"cpu"``, ``"cuda"`` (the current one) or ``"cuda:1"``, or from CuPy's or PyTorch's.

    If ``beside`` is a GPU, an int is the number of a GPU. ValueError for an unknown device, TypeError for other types,
    RuntimeError if GPUs cannot be used.
    """
    if type(device).__module__ == "torch":
        device = str(device)  # a torch.device
    if isinstance(device, str) and device == "cpu":
        return CPU
    if type(device) is int and beside is not CPU:
        return _numbered(device)
    if isinstance(device, str):
        kind, _, number = device.partition(":")
        if kind == "cuda" and (number.isdecimal() or device == "cuda"):
            return _numbered(int(number) if number else gpu.cupy().cuda.runtime.getDevice())
        raise ValueError(f'unknown device: {short_repr(device)} (expected "cpu", "cuda", "cuda:0", "cuda:1", ...)')
    if hasattr(device, "id") and type(device).__module__.startswith("cupy"):
        return _numbered(device.id)
    given = "None" if device is None else type(device).__name__
    hint = f'; "cuda:{device}" names a GPU' if type(device) is int and 0 <= device < 2**31 else ""
    raise TypeError(f'device must be a name such as "cpu" or "cuda:0", got {given}{hint}')


def _numbered(number: int) -> Device:
    there = gpu.cupy().cuda.runtime.getDeviceCount()
    if not 0 <= number < there:
        raise ValueError(f"invalid GPU number: {short_repr(number)} (expected 0 to {there - 1})")
    return _gpu(number)
