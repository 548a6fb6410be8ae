"""The CUDA executor, based on CuPy: launches kernels on the current stream of the device that holds the words.

Nothing here synchronizes or copies to the host. Sources are compiled once per process, and CuPy caches the binaries on
disk. Words, results and parameters are CuPy arrays of one device; NumPy arrays with one value are passed by value.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng._codegen import cuda as text
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors import gpu
from keyrng._executors.base import DrawSpec, ElementRange
from keyrng._executors.cuda_keys import children as children
from keyrng._executors.cuda_keys import derive as derive
from keyrng._executors.cuda_launch import Compiled, compiled, grid_of, on
from keyrng._executors.gpu_repeats import remember
from keyrng._executors.pending import Pending, expression_of
from keyrng.algorithms import threefry2x32
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Function, Kernel

Array: TypeAlias = Any  # CuPy's has no static types
Dtype: TypeAlias = np.dtype[Any]

_TURNS = 4  # blocks of kernels with loops take different times, so there are several for the place of one

_u64 = np.uint64
_NULL: Any = np.uint64(0)


# Samples


@in_default_fpenv
def fill(spec: DrawSpec, elements: ElementRange, out: Array) -> None:
    """Write elements of each key; see `Executor.fill`."""
    if isinstance(elements.start, np.ndarray):
        _fill_rows(spec, elements, out)
        return
    (kernel,), compute, shape = spec.kernels, spec.compute, spec.shape
    device, rows = out.device.id, out.size // elements.count
    with on(device):
        guards, given = spec.guards if any(spec.guards) else (), spec.values
        expressions: tuple[Any, ...] = ()
        if any(value.dtype != compute or isinstance(value, Pending) for value in given):
            found: list[Array] = []
            expressions = tuple(expression_of(value, found) for value in spec.values)
            given = tuple(found)
        dtypes = tuple(value.dtype for value in given) if expressions else ()
        (launch, blocks), group = _fill(
            kernel, compute, out.dtype, guards, dtypes, expressions, spec.algorithm, device, gpu.cupy()
        )
        numbers = (_u64(rows), _u64(elements.start), _u64(elements.count), _u64(elements.total))
        parameters = [argument for value in given for argument in _parameter(value, shape)]
        plain = not guards and not expressions and all(isinstance(value, np.ndarray) for value in given)
        groups = -(-(elements.start % group + elements.count) // group)
        grid, block = grid_of(groups, rows, blocks)
        launch(grid, block, (spec.words, *numbers, out, *parameters))
    if plain and type(kernel) is Kernel and spec.words is not _NULL and elements.count == elements.total:

        def again(words: Array, out: Array, values: tuple[Any, ...]) -> None:
            scalars = [argument for value in values for argument in (_NULL, value, _NULL, _NULL)]
            launch(grid, block, (words, *numbers, out, *scalars))

        remember(kernel, compute, spec.algorithm, spec.words, out, again)


def _fill_rows(spec: DrawSpec, elements: ElementRange, out: Array) -> None:
    """Write a range with one start per key, row by row, because the CUDA function has a single start."""
    words = spec.words.reshape(-1, spec.algorithm.key_words)
    rows = out.reshape(len(words), elements.count)
    with on(out.device.id):
        whole = gpu.cupy().broadcast_to
        values = [v if v.size == 1 else whole(v, spec.shape).reshape(rows.shape) for v in map(now, spec.values)]
        for i, start in enumerate(elements.start.tolist()):
            own = tuple(v if v.size == 1 else v[i] for v in values)
            row = spec._replace(words=words[i], shape=rows[i].shape, values=own)
            fill(row, ElementRange(start, elements.count, elements.total), rows[i])


@in_default_fpenv
def apply(function: Function, *values: Array) -> Array:
    """Apply a function of the kernel language elementwise to arrays that broadcast together."""
    return now(later(function, *values))


def later(function: Function, *values: Array) -> Array:
    """Apply a function as `apply` does, in the kernel that reads the result."""
    values = tuple(np.asarray(value) if isinstance(value, np.generic) else value for value in values)
    if all(isinstance(value, np.ndarray) for value in values):
        with np.errstate(all="ignore"):
            return np.asarray(function(*values))
    return Pending(function, values)


@in_default_fpenv
def now(value: Array) -> Array:
    """Return a value as an array, computed by one launch if it is pending."""
    if type(value) is not Pending:
        return value
    with on(value.device.id):
        out = gpu.cupy().empty(value.shape, value.dtype)
    if out.size:
        values: Any = (value,)
        spec = DrawSpec((_same(value.name),), threefry2x32, _NULL, value.shape, value.dtype, value.dtype, values)
        fill(spec, ElementRange(0, out.size, out.size), out)
    return out


@lru_cache(maxsize=512)
def _same(name: str) -> Kernel:
    """Return the kernel without random words whose result is its parameter."""

    def same(lane: Any, value: Any) -> Any:
        return value

    return Kernel(same, name, ())


# Caches are keyed by the CuPy module, because tests replace it.


@lru_cache(maxsize=4096)
def _fill(
    function: Function,
    compute: Dtype,
    dtype: Dtype,
    guards: tuple[Any, ...],
    given: tuple[Dtype, ...],
    expressions: tuple[Any, ...],
    algorithm: Algorithm,
    device: int,
    cupy: Any,
) -> tuple[Compiled, int]:
    """Compile a kernel, or a user's function; return it with the number of elements per thread."""
    name = getattr(function, "__name__", "kernel")
    kernel = function if isinstance(function, Kernel) else Kernel(function, name, ())
    request = text.Request(kernel, compute, dtype, guards, given, expressions)
    name = text.function_name(request, algorithm)
    (found,) = compiled(text.source(request, algorithm), name)
    if text.has_loops(request):
        found = found._replace(blocks=_TURNS * found.blocks)
    return found, text.group(request, algorithm)


def _parameter(value: Array, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the four arguments of a parameter: array, scalar, repeat and length."""
    scalar = text.passed_as(value.dtype).type
    if isinstance(value, np.ndarray):
        return _NULL, scalar(value.item()), _NULL, _NULL
    cupy = gpu.cupy()
    layout = _layout(value.shape, shape)
    if layout is None:
        value, layout = cupy.broadcast_to(value, shape), (1, prod(shape))
    return cupy.ascontiguousarray(value), scalar(0), _u64(layout[0]), _u64(layout[1])


def _layout(given: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return for how many elements each value of an array is repeated, and after how many values the array restarts.

    None if the array varies along axes of the result on both sides of one along which it is constant.
    """
    padded = (1,) * (len(shape) - len(given)) + given
    axes = [axis for axis, length in enumerate(padded) if length != 1]
    if not axes:
        return 1, 1
    first, stop = axes[0], axes[-1] + 1
    if padded[first:stop] != shape[first:stop]:
        return None
    return prod(shape[stop:]), prod(shape[first:stop])
