"""The native executor: kernels compiled from C at build time, in the extension module ``_compiled``.

Algorithms and kernels of users are not compiled; they run in the NumPy executor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng._core.arguments import broadcast
from keyrng._core.dtypes import FLOAT32, FLOAT64, compute_dtype
from keyrng._executors.base import Array, DrawSpec, Dtype, ElementRange
from keyrng._executors.numpy import NUMPY, keep_freed_memory
from keyrng._executors.threads import threads_here
from keyrng.algorithms.base import Algorithm, Domain
from keyrng.kernels.lane import Kernel

_reason = ""
try:
    _wanted = os.environ.get("KEYRNG_BACKEND")
    if _wanted not in (None, "", "numpy"):
        raise ValueError(f"KEYRNG_BACKEND must be numpy or unset, got {_wanted!r}; type: unset KEYRNG_BACKEND")
    if _wanted == "numpy":
        raise ImportError("KEYRNG_BACKEND=numpy is set")
    from keyrng._executors import _compiled
except ImportError as error:
    native: Any = None
    _reason = str(error)
else:
    native = _compiled
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=native.forget_helpers)

algorithms: dict[str, int] = {}
_programs: dict[str, tuple[int, str]] = {}
_stores: dict[str, int] = {}
_isas: list[str] = []
if native is not None:
    _names, _program_rows, _store_names, _isas = native.describe()
    algorithms = {name: i for i, name in enumerate(_names)}
    _programs = {name: (i, result) for i, (name, result) in enumerate(_program_rows)}
    _stores = {name: i for i, name in enumerate(_store_names)}

_MANY = 1 << 14  # elements of a result that glibc could request from the operating system each time

# False for tests and benchmarks of the NumPy path, by keyrng.testing.use_backend("numpy").
enabled = native is not None

# A small draw: the C function; the numbers of program, conversion and algorithm in one int; the dtype to compute in;
# and whether arrays of the result's dtype support the buffer protocol, which those of ml_dtypes' bfloat16 do not.
Entry: TypeAlias = tuple[Callable[..., Any], int, Dtype, bool]

# Entries by kernel, dtype to compute in (None for the default), dtype and algorithm. Without the cache, the lookup
# would take longer than the draw.
dispatch_cache: dict[tuple[Any, Dtype | None, Dtype, Algorithm], Entry] = {}


def enable(on: bool) -> None:
    """Turn the compiled path on or off, if it exists; values do not change."""
    global enabled
    enabled = on and native is not None
    dispatch_cache.clear()
    pause_entries(not on, _BACKEND)


_BACKEND, KEY_REUSE = 1, 2  # reasons
paused = 0  # the reasons, as bits


def pause_entries(on: bool, reason: int) -> None:
    """Set or clear a reason for samplers to run in Python, rather than as planned (csrc/plan.h)."""
    global paused
    paused = paused | reason if on else paused & ~reason
    if native is not None:
        native.pause_entries(on, reason)


def missing_reason() -> str:
    """Return why the compiled path is missing; empty if it exists."""
    return _reason


def instruction_sets() -> list[str]:
    """Return the instruction sets of this build that the processor supports, best first."""
    return list(_isas)


def instruction_set(name: str | None = None) -> str:
    """Return the instruction set in use, or set it; values do not change."""
    if name is not None:
        native.isa(name)
    return str(native.isa(None))


def algorithm_number(algorithm: Algorithm) -> int | None:
    """Return the number of a compiled algorithm; None if it is not compiled or the compiled path is off."""
    return algorithms.get(algorithm.name) if enabled else None


# A relation between parameters, the number of its program or -1, and an interval for each (csrc/rules.h).
Rules: TypeAlias = tuple[int, tuple[tuple[int, float, float], ...]]


def run(spec: DrawSpec, elements: ElementRange, out: Array) -> bool:
    """Write elements of each key, as `Executor.fill` does; return False, having written nothing, if C cannot."""
    (kernel,), algorithm, dtype, compute = spec.kernels, spec.algorithm, spec.dtype, spec.compute
    found = program(kernel, compute, dtype, algorithm) if type(kernel) is Kernel else None
    if found is None:
        return False
    if (kernel, compute, dtype, algorithm) not in dispatch_cache:
        _remember(found, kernel, compute, dtype, algorithm)
    flat = out.view(np.uint16) if dtype.itemsize == 2 else out  # bfloat16 has no buffer protocol
    parameters = spec.values
    for v in parameters:
        if v.size != 1 or not v.flags.c_contiguous:
            parameters = tuple(_parameter(v, spec.shape, out.size) for v in parameters)
            break
    keys = spec.words.size // algorithm.key_words
    total = keys * elements.count
    size = (spec.words, keys, elements.start, elements.count, elements.total)
    native.run(*found, *size, flat, flat.itemsize, prepare(total), spec.shape, parameters)
    return True


class NativeExecutor:
    """Runs kernels that were compiled at build time; passes other kernels to the NumPy executor."""

    def fill(self, spec: DrawSpec, elements: ElementRange, out: Array) -> None:
        """Write elements of each key, in threads; see `Executor.fill`."""
        if not run(spec, elements, out):
            NUMPY.fill(spec, elements, out)

    def children(self, algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
        """Return consecutive children of each key; see `Executor.children`."""
        out = np.empty((len(words), count, algorithm.key_words), algorithm.dtype)
        native.children(algorithms[algorithm.name], words, len(words), start, count, prepare(out.size), out)
        return out

    def derive(self, algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
        """Return children at indices; see `Executor.derive`."""
        number = algorithms[algorithm.name]
        if type(index) is int:
            low, high = index & algorithm.word_mask, index >> algorithm.word_bits
            if words.ndim == 1:
                out = np.empty(algorithm.key_words, algorithm.dtype)
                native.derive_one(number, words, low, high, domain, out)
                return out
            if index >= 2**64:  # the hash of a name, with wide counters
                return np.array([self.derive(algorithm, parent, index, domain, 1) for parent in words], algorithm.dtype)
            index = np.array([index], np.uint64)
        out = np.empty((count, algorithm.key_words), algorithm.dtype)
        parents = words if words.size == algorithm.key_words else np.broadcast_to(words, out.shape)
        indices = np.ascontiguousarray(np.broadcast_to(index, count), np.uint64)
        native.derive(number, np.ascontiguousarray(parents), indices, domain, prepare(out.size), out)
        return out


def prepare(elements: int) -> int:
    """Return how many threads a call of C may use for so many elements, whose memory is kept once it is freed."""
    if elements > _MANY:
        keep_freed_memory()
    return threads_here(elements)


if native is not None:
    native.set_prepare(prepare)


NATIVE = NativeExecutor()


def arrays_hold(rules: Rules, values: Sequence[Array]) -> bool:
    """Whether parameters, in the dtype of the computation, keep rules elementwise.

    False if they do not broadcast together, or to no element.
    """
    shape = broadcast(*(v.shape for v in values)) if len(values) > 1 else values[0].shape
    total, itemsize = prod(shape or ()), values[0].itemsize
    if not total or shape is None:
        return False
    arrays = tuple(_parameter(v, shape, total) for v in values)
    return bool(native.arrays_hold(rules, itemsize, shape, arrays, threads_here(total)))


def count_below(kernel: Kernel, algorithm: Algorithm, words: Array, count: int, thresholds: Array, out: Array) -> bool:
    """Write how many thresholds, in ascending order, are below each value of a kernel; False if it is not compiled.

    The kernel computes in float64, from the last threshold; ``out`` is int32.
    """
    found = program(kernel, FLOAT64, FLOAT64, algorithm)
    if found is None:
        return False
    words, keys = np.ascontiguousarray(words), words.size // algorithm.key_words
    native.count_below(found[0], found[2], words, keys, count, prepare(out.size), thresholds, out)
    return True


_RACE = 1 << 14  # times at once


def first_arrivals(kernel: Kernel, key: Any, weights: Array, ratio: float, places: Array) -> None:
    """Write the place of the smallest time for each draw of each key, whose number of draws is that of ``places``.

    The kernel computes the times, float32 that are not negative, from the weights. The place is inverted (``~place``)
    if another time is not ``ratio`` times the smallest, or that is 0; ``places`` is int32.
    """
    found = program(kernel, FLOAT32, FLOAT32, key._algorithm)
    assert found is not None
    tiled = np.tile(weights, max(1, min(_RACE // weights.size, places.shape[-1])))
    words, threads = np.ascontiguousarray(key._words), prepare(places.size * weights.size)
    native.first_arrivals(found[0], found[2], words, weights.size, ratio, tiled, threads, places)


_SHORT_ROW = 32  # as in csrc/code.h


def takes_rows(rows: Array) -> bool:
    """Whether `affine` and `shares` take these rows, along the last axis."""
    return enabled and rows.size > 0 and rows.shape[-1] <= _SHORT_ROW and rows.flags.c_contiguous


def affine(matrix: Array, mean: Array, rows: Array) -> None:
    """Replace rows by ``matrix @ row + mean``; sums are in order and begin with 0."""
    columns, mean = np.ascontiguousarray(matrix.T), np.ascontiguousarray(mean)
    native.affine(columns, mean, mean.itemsize, threads_here(rows.size), rows)


def shares(rows: Array) -> None:
    """Divide rows by their sums, which are in order and begin with 0."""
    native.shares(rows.shape[-1], rows.itemsize, threads_here(rows.size), rows)


def program(kernel: Kernel, compute: Dtype, dtype: Dtype, algorithm: Algorithm) -> tuple[int, int, int] | None:
    """Return the numbers of a kernel's program, conversion (-1 for none) and algorithm; None if not compiled."""
    return _program(kernel, compute, dtype, algorithm, enabled)


@lru_cache(maxsize=512)
def _program(
    kernel: Kernel, compute: Dtype, dtype: Dtype, algorithm: Algorithm, enabled: bool
) -> tuple[int, int, int] | None:
    found, number = _programs.get(f"{kernel.name}.{compute.name}"), algorithms.get(algorithm.name) if enabled else None
    if found is None or number is None:
        return None
    program, result = found
    stored = dtype.name
    if np.dtype(result).kind in "iu" and dtype.kind in "iu" and dtype.itemsize <= np.dtype(result).itemsize:
        result, stored = f"uint{8 * np.dtype(result).itemsize}", f"uint{8 * dtype.itemsize}"
    if result == stored:
        return program, -1, number
    store = _stores.get(f"{result}.{stored}")
    return None if store is None else (program, store, number)


def _parameter(value: Array, shape: tuple[int, ...], total: int) -> Any:
    """Return a parameter for ``run``: a single value, all values in order, or an array with its strides."""
    value = np.ascontiguousarray(value)
    if value.size in (1, total):
        return value
    return value, np.broadcast_to(value, shape).strides


def _remember(
    program: tuple[int, int, int], kernel: Kernel, compute: Dtype, dtype: Dtype, algorithm: Algorithm
) -> None:
    """Register the entry of small samples of this kind."""
    number, store, algorithm_ = program
    numbers = number << 16 | (store + 1) << 8 | algorithm_
    found = (native.run_small, numbers, compute, dtype.kind != "V")
    dispatch_cache[kernel, compute, dtype, algorithm] = found
    if compute == compute_dtype(dtype):
        dispatch_cache[kernel, None, dtype, algorithm] = found
