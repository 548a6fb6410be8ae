"""Draws by weight with replacement: a search in the cumulative sum, for choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, index_dtype
from keyrng._executors import native
from keyrng._executors.base import ElementRange
from keyrng._executors.device import Device, device_at
from keyrng._keys.create import key as new_key
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import fill_range, run_ranges
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.plan import Row
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.last_axis import not_scaled, scaled, validated
from keyrng.distributions._shared.weighted_cuda import cdf_cuda, weighted_indices_cuda
from keyrng.kernels.elementary import log
from keyrng.kernels.lane import Kernel, kernel
from keyrng.kernels.ops import cast
from keyrng.kernels.requirements import Interval, Requirement

_CHUNK = 1 << 15  # elements at a time, whose arrays stay in a level-2 cache
_FEW = 64  # sums, up to which comparisons with all of them take less time than a search

_weight = Requirement("finite and not negative", Interval(0, math.inf, "[)"))


def weights(device: Device, p: ArrayLike, size: int) -> Array:
    """Return the weights of ``size`` elements in float64. Raise ValueError or TypeError for anything else."""
    values = device.now(validated(device, _weight(p=p), FLOAT64))
    if values.shape != (size,):
        raise ValueError(f"p must have shape ({size},), one weight per element, got shape {values.shape}")
    return values


def weight_row(p: Any) -> Row:
    """Return how C takes weights."""
    return Row(_weight(p=p), not_scaled)


def logarithms(weights: Array) -> Array:
    """Return the logarithms of weights, -infinity for 0."""
    return device_at(weights).pick(_cpu_logarithms, _cuda_logarithms)(weights)


def _cuda_logarithms(weights: Array) -> Array:
    return device_at(weights).apply(log, weights)


def _cpu_logarithms(weights: Array) -> Array:
    logs = np.empty_like(weights)
    # The kernel draws no words, so any key will do. It is a kernel because these run compiled.
    fill_range(_logarithm, new_key(0), logs, ElementRange(0, logs.size, logs.size), (weights,))
    return logs


@kernel("float64")
def _logarithm(lane: Any, weight: Any) -> Any:
    return log(weight)


@kernel("float64")
def _part(lane: Any, whole: Any) -> Any:
    return whole * (1.0 - _fraction(lane.bits()))


@kernel("float64")
def _part_of_xor(lane: Any, whole: Any) -> Any:
    # As jax's float32 uniform, the high half is the exclusive or of both halves; the low half continues it.
    word = lane.bits()
    return whole * (1.0 - _fraction(word ^ (word << 32)))


def _fraction(word: Any) -> Any:
    """Return a word of 64 bits as a float in [0, 1), a multiple of 2**-53; 0 can occur."""
    return cast(word >> 11, np.float64) * 2.0**-53


def part_kernel(algorithm: Algorithm) -> Kernel:
    """Return the kernel of a uniform part, in (0, 1], of the whole."""
    return _part_of_xor if algorithm.jax_layout else _part


def weighted_indices(key: Key, full: tuple[int, ...], weights: Array, p: ArrayLike) -> Array:
    """Return indices with probabilities proportional to weights, of shape ``full``, the axes of the keys first.

    An index is where the cumulative sum reaches a uniform part, in (0, 1], of the whole. ``weights`` are those of
    ``p``, checked.
    """
    device, find = device_of(key), device_at(weights).pick(_cdf, cdf_cuda)
    part = part_kernel(key._algorithm)
    return device.pick(_cpu_indices, weighted_indices_cuda)(part, key, full, device.adopt("p", find(weights), p))


def _cpu_indices(part: Kernel, key: Key, full: tuple[int, ...], reached: Array) -> Array:
    count = prod(full[key.ndim :])
    places = np.empty((key.size, count), index_dtype(reached.size))
    few = reached.size <= _FEW and places.dtype == np.int32
    if few and native.count_below(part, key._algorithm, key._words, count, reached, places):
        return places.reshape(full)
    find = _search(reached, key.size * count)
    whole = (reached[-1:],)
    # Each run is all draws of several keys, or some draws of one key.
    together, length = max(1, _CHUNK // count), min(count, _CHUNK)
    runs = -(-count // length)

    def piece(first: int, stop: int) -> None:
        memory = np.empty(together * length)
        for i in range(first, stop):
            row, start = i // runs * together, i % runs * length
            to = places[row : row + together, start : start + length]
            parts = memory[: to.size]
            some = key if together >= key.size else key.reshape(-1)[row : row + together]
            fill_range(part, some, parts.reshape(to.shape), ElementRange(start, to.shape[1], count), whole)
            find(parts, to.reshape(-1))

    run_ranges(key._algorithm, -(-key.size // together) * runs, piece, 1)
    return places.reshape(full)


def _cdf(weights: Array) -> Array:
    """Return the cumulative sum of weights, up to a factor. Raise ValueError unless a weight is above 0."""
    reached = cumulative_sum(scaled(weights))
    # By rounding, a sum of blocks can decrease at the start of a block, or increase at a weight of 0. Prevent both.
    reached[weights == 0] = 0
    np.maximum.accumulate(reached, out=reached)
    if not reached[-1] > 0:
        raise ValueError(f"p must have a positive weight, got {len(weights)} zeros")
    return reached


def cumulative_sum(x: Array) -> Array:
    """Return the cumulative sum of numbers, in jax's order.

    Up to 16 numbers are added in order. More are added in blocks of 16, and each block adds the sum of the blocks
    before it, which is a cumulative sum of the same kind.
    """
    if x.size <= 16:
        return np.cumsum(x, dtype=x.dtype)
    blocks = np.zeros((-(-x.size // 16), 16), x.dtype)
    blocks.reshape(-1)[: x.size] = x
    blocks = np.cumsum(blocks, axis=1, dtype=x.dtype)
    blocks[1:] += cumulative_sum(blocks[:-1, -1])[:, np.newaxis]
    result: Array = blocks.reshape(-1)[: x.size]
    return result


def _search(reached: Array, count: int) -> Callable[[Array, Array], None]:
    """Return a function that searches ``count`` parts, above 0 and at most the last sum, as `numpy.searchsorted` does.

    Its second argument is the array that it writes to. A binary search mispredicts many branches. For many parts, a
    table of equal intervals has the first index that can reach a part of the interval; in most cases it is the result,
    and only the other parts are searched.
    """
    size = reached.size

    def search(parts: Array, places: Array) -> None:
        places[...] = np.searchsorted(reached, parts)

    if count < max(size / 4, 512):
        return search
    scale = (4 if count >= 4 * size else 1) * size / reached[-1]

    def interval(x: Array) -> Array:
        numbers: Array = (x * scale).astype(np.intp)
        return numbers

    counts = np.bincount(interval(reached))
    first = (np.cumsum(counts) - counts).astype(index_dtype(size))  # more integers of 32 bits fit a cache

    def search_intervals(parts: Array, places: Array) -> None:
        first.take(interval(parts), mode="clip", out=places)
        missed = np.flatnonzero(reached.take(places, mode="clip") < parts)
        places[missed] = np.searchsorted(reached, parts[missed])

    return search_intervals
