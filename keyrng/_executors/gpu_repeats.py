"""Draws on a GPU that are like an earlier one: what is left is to allocate the result and to launch.

Such a draw has numbers as parameters, and the kernel, dtype, algorithm, shape and device of the earlier one, for which
all checks of its other arguments were made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from keyrng._core.dtypes import Dtype
from keyrng._executors import gpu
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Kernel

Array: TypeAlias = Any
Launch: TypeAlias = Callable[[Array, Array, tuple[Any, ...]], None]

_launches: dict[tuple[Any, ...], tuple[Launch, tuple[int, ...], Callable[[], int]]] = {}
_MOST = 1024


def remember(kernel: Kernel, compute: Dtype, algorithm: Algorithm, words: Array, out: Array, launch: Launch) -> None:
    """Remember a draw by what ``launch(words, out, numbers)`` does."""
    if len(_launches) >= _MOST:
        _launches.clear()
    cupy, sizes = gpu.cupy(), out.shape[words.ndim - 1 :]
    like = kernel, compute, out.dtype, algorithm, sizes, words.shape, words.device.id, cupy.ndarray
    _launches[like] = launch, out.shape, cupy.cuda.runtime.getDevice


def repeated(
    kernel: Any,
    compute: Dtype,
    dtype: Dtype,
    algorithm: Algorithm,
    words: Array,
    shape: Any,
    out: Any,
    numbers: tuple[Any, ...],
) -> Array | None:
    """Return the sample, or ``out`` with the sample, if there was such a draw; else None."""
    device, array = words.device.id, type(words)
    if out is None:
        sizes = (shape,) if type(shape) is int else () if shape is None else shape
        if type(sizes) is not tuple:
            return None
        for size in sizes:
            if type(size) is not int:  # 1.0 is equal to 1, but it is an error
                return None
    elif (shape is None or shape == ()) and type(out) is array and out.device.id == device and out.dtype == dtype:
        sizes = out.shape[words.ndim - 1 :]
        if not out.flags.c_contiguous:
            return None
    else:
        return None
    found = _launches.get((kernel, compute, dtype, algorithm, sizes, words.shape, device, array))
    if found is None:
        return None
    launch, full, current = found
    if current() != device or (out is not None and out.shape != full):
        return None
    result = array(full, dtype) if out is None else out
    launch(words, result, numbers)
    return result
