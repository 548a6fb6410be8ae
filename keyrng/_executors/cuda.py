"""The CUDA executor, based on CuPy: launches kernels on the current stream of the device that holds the words.

Nothing here synchronizes or copies to the host. Sources are compiled once per process, and CuPy caches the binaries on
disk. Words, results and parameters are CuPy arrays of one device; NumPy arrays with one value are passed by value.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng._codegen import cuda as text
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors import gpu
from keyrng._executors.base import DrawSpec, ElementRange
from keyrng._executors.gpu_repeats import remember
from keyrng._executors.pending import Pending, expression_of
from keyrng.algorithms import threefry2x32
from keyrng.algorithms.base import Algorithm, Domain
from keyrng.kernels.lane import Function, Kernel

Array: TypeAlias = Any  # CuPy's has no static types
Dtype: TypeAlias = np.dtype[Any]
Sizes: TypeAlias = tuple[tuple[int, int], tuple[int, int]]  # grid in blocks, block in threads

_THREADS = 256  # per block
_BLOCKS = 8  # per multiprocessor: the most threads it can hold
_ROWS = 65535  # limit of a grid's y dimension

# Options cannot change results (see keyrng._codegen.cuda_prelude); this one states the intention.
_OPTIONS = ("--std=c++17", "--fmad=false")

_u64 = np.uint64
_NULL: Any = np.uint64(0)
_HERE: AbstractContextManager[Any] = nullcontext()


def on(device: int) -> AbstractContextManager[Any]:
    """Context manager: make a device current and restore the previous one."""
    cuda = gpu.cupy().cuda
    there: AbstractContextManager[Any] = _HERE if cuda.runtime.getDevice() == device else cuda.Device(device)
    return there


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
        function, group = _fill(
            kernel, compute, out.dtype, guards, dtypes, expressions, spec.algorithm, device, gpu.cupy()
        )
        numbers = (_u64(rows), _u64(elements.start), _u64(elements.count), _u64(elements.total))
        parameters = [argument for value in given for argument in _parameter(value, shape)]
        groups = -(-(elements.start % group + elements.count) // group)
        grid, block = _sizes(groups, rows, device)
        function(grid, block, (spec.words, *numbers, out, *parameters))
    if not given and type(kernel) is Kernel and spec.words is not _NULL and elements.count == elements.total:

        def launch(words: Array, out: Array) -> None:
            function(grid, block, (words, *numbers, out))

        remember(kernel, compute, spec.algorithm, spec.words, out, launch)


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
) -> tuple[Any, int]:
    """Compile a kernel, or a user's function; return it with the number of elements per thread."""
    name = getattr(function, "__name__", "kernel")
    kernel = function if isinstance(function, Kernel) else Kernel(function, name, ())
    request = text.Request(kernel, compute, dtype, guards, given, expressions)
    name = text.function_name(request, algorithm)
    (compiled,) = compiled_functions(text.source(request, algorithm), name)
    return compiled, text.group(request, algorithm)


def compiled_functions(source: str, *names: str) -> list[Any]:
    """Compile a source for the current device and return its functions."""
    module = gpu.cupy().RawModule(code=source, options=_OPTIONS)
    functions = map(module.get_function, names)
    # A kernel of CuPy's looks its function up for the current device at each call, which takes longer than a launch.
    return [getattr(function, "kernel", function) for function in functions]


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


def _sizes(width: int, rows: int, device: int) -> Sizes:
    """Return a grid for ``rows`` rows of ``width`` threads; a block is as wide as a row needs, or holds several rows.

    The grid has at most as many blocks as the device can hold at once; threads loop over the rest.
    """
    wide = min(_THREADS, 1 << (width - 1).bit_length())
    high, most = _THREADS // wide, most_blocks(device)
    across = min(-(-width // wide), most)
    return (across, min(-(-rows // high), max(1, most // across), _ROWS)), (wide, high)


def most_blocks(device: int) -> int:
    """Return the number of blocks in the largest grid."""
    return _BLOCKS * _multiprocessors(device)


@lru_cache
def _multiprocessors(device: int) -> int:
    return int(gpu.cupy().cuda.Device(device).attributes["MultiProcessorCount"])


# Children of keys


def children(algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
    """Return consecutive children of each key; see `Executor.children`. A single key gives (count, key_words)."""
    if words.ndim == 1:
        return _split(algorithm, count, (count, algorithm.key_words), words.device.id, gpu.cupy())(words, start)
    device = words.device.id
    with on(device):
        out = gpu.cupy().empty((len(words), count, algorithm.key_words), algorithm.dtype)
        if out.size:
            function, _ = _derivations(algorithm, device, gpu.cupy())
            numbers = (_u64(len(words)), _u64(start), _u64(count))
            function(*_sizes(len(words) * count, 1, device), (_contiguous(words), *numbers, out))
    return out


def derive(algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
    """Return children at indices; see `Executor.derive`."""
    if words.ndim == 1:
        if domain is Domain.SPLIT:  # with fewer arguments
            return _split(algorithm, 1, words.shape, words.device.id, gpu.cupy())(words, index)
        return _fold(algorithm, domain, words.device.id, gpu.cupy())(words, index)
    device, word = words.device.id, algorithm.dtype.type
    with on(device):
        out = gpu.cupy().empty((count, algorithm.key_words), algorithm.dtype)
        if not out.size:
            return out
        if isinstance(index, int):
            number, halves = (_NULL, _NULL), (word(index & algorithm.word_mask), word(index >> algorithm.word_bits))
        else:
            number, halves = (_contiguous(index), _u64(len(index))), (word(0), word(0))
        _, function = _derivations(algorithm, device, gpu.cupy())
        keys = _contiguous(words), _u64(len(words))
        function(*_sizes(count, 1, device), (*keys, *number, *halves, word(domain), _u64(count), out))
    return out


# For a single key all but the launch is done once, because Python would take several times as long as the launch.


@lru_cache(maxsize=1024)
def _split(algorithm: Algorithm, count: int, shape: tuple[int, ...], device: int, cupy: Any) -> Callable[..., Array]:
    """Return a function from the words of a key and the first index to the words of consecutive children."""
    current, empty, dtype = cupy.cuda.runtime.getDevice, cupy.ndarray, algorithm.dtype
    with on(device):
        function, _ = _derivations(algorithm, device, cupy)
    (grid, block), one, total = _sizes(count, 1, device), _u64(1), _u64(count)

    def split(words: Array, start: int) -> Array:
        if current() != device:
            with on(device):
                return split(words, start)
        out = empty(shape, dtype)
        function(grid, block, (words, one, _u64(start), total, out))
        return out

    return split


@lru_cache(maxsize=256)
def _fold(algorithm: Algorithm, domain: Domain, device: int, cupy: Any) -> Callable[..., Array]:
    """Return a function from the words of a key and an index to the words of a child."""
    current, empty, dtype, shape = cupy.cuda.runtime.getDevice, cupy.ndarray, algorithm.dtype, (algorithm.key_words,)
    word, mask, bits, one = dtype.type, algorithm.word_mask, algorithm.word_bits, _u64(1)
    with on(device):
        _, function = _derivations(algorithm, device, cupy)
    (grid, block), kind = _sizes(1, 1, device), word(domain)

    def fold(words: Array, index: int) -> Array:
        if current() != device:
            with on(device):
                return fold(words, index)
        out = empty(shape, dtype)
        halves = word(index & mask), word(index >> bits)
        function(grid, block, (words, one, _NULL, _NULL, *halves, kind, one, out))
        return out

    return fold


@lru_cache(maxsize=256)
def _derivations(algorithm: Algorithm, device: int, cupy: Any) -> list[Any]:
    return compiled_functions(text.key_source(algorithm), text.split_name(algorithm), text.fold_name(algorithm))


def _contiguous(array: Array) -> Array:
    return array if array.flags.c_contiguous else gpu.cupy().ascontiguousarray(array)
