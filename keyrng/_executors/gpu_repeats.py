"""Draws on a GPU that are like an earlier one: what is left is to allocate the result and to launch.

Such a draw has no parameters, and the kernel, dtype, algorithm, shape and device of the earlier one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from keyrng._core.dtypes import Dtype, compute_dtype
from keyrng._executors import gpu
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Kernel

Array: TypeAlias = Any
Launch: TypeAlias = Callable[[Array], Array]

_launches: dict[tuple[Any, ...], Launch] = {}
_MOST = 1024


def remember(
    kernel: Kernel, compute: Dtype, algorithm: Algorithm, words: Array, out: Array, launch: Callable[..., None]
) -> None:
    """Remember a draw by what ``launch(words, out)`` does."""
    cupy, device, dtype, shape = gpu.cupy(), words.device.id, out.dtype, out.shape
    current, empty = cupy.cuda.runtime.getDevice, cupy.ndarray

    def again(words: Array) -> Array:
        if current() != device:
            return None
        result = empty(shape, dtype)
        launch(words, result)
        return result

    if len(_launches) >= _MOST:
        _launches.clear()
    sizes = shape[words.ndim - 1 :]
    _launches[kernel, compute, dtype, algorithm, sizes, words.shape, device, empty] = again


def repeated(kernel: Any, compute: Any, dtype: Any, algorithm: Algorithm, words: Array, shape: Any) -> Array | None:
    """Return the sample if there was such a draw, else None."""
    sizes = (shape,) if type(shape) is int else shape
    if type(sizes) is not tuple:
        return None
    for size in sizes:
        if type(size) is not int:  # 1.0 is equal to 1, but it is an error
            return None
    compute = compute_dtype(dtype) if compute is None else compute
    again = _launches.get((kernel, compute, dtype, algorithm, sizes, words.shape, words.device.id, type(words)))
    return None if again is None else again(words)
