"""Elements by weight, with replacement: a search in the cumulative sum, for choice.

Must not import choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from keyrng.backends.memory import HOST, Memory, memory_at
from keyrng.backends.threads import run_pieces
from keyrng.distributions.device_weights import places_there, reached_there
from keyrng.distributions.rows import required
from keyrng.distributions.uniform import uniform
from keyrng.dtypes import float_of, index_dtype
from keyrng.kernels.elementary import log
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, ArrayLike, Requirement, placed

_CHUNK = 1 << 15  # elements at a time: NumPy's arrays stay in a level-2 cache

_weight = Requirement("finite and not negative", lambda x: (x >= 0) & (x < math.inf))


def weights(here: Memory, p: ArrayLike, size: int) -> Array:
    """The weights of so many elements, as floats; ValueError or TypeError if they are not."""
    values = required(here, _weight(p=p), float_of(p))
    if values.shape != (size,):
        raise ValueError(f"p has a weight for each of {size} elements, shape ({size},), got shape {values.shape}")
    return values


def logarithms(weights: Array) -> Array:
    """The logarithms of weights: -infinity of 0."""
    if not isinstance(weights, np.ndarray):
        return memory_at(weights).apply(log, weights)
    logs = np.empty_like(weights)

    def piece(first: int, stop: int) -> None:
        with np.errstate(all="ignore"):
            logs[first:stop] = log(weights[first:stop])

    run_pieces(weights.size, piece, _CHUNK)
    return logs


def by_weight(key: Key, full: tuple[int, ...], weights: Array, p: ArrayLike) -> Array:
    """For each key places of elements, as likely as their weights: shape ``full``, the axes of the keys first.

    A place is where the cumulative sum reaches a uniform part of the whole, 0 excluded. The weights are those of ``p``.
    """
    here, reached = memory_of(key), _reached(weights)
    if here is not HOST:
        return places_there(key, full, placed(here, "p", reached, p))
    whole = reached[-1]
    uniforms = uniform(key, full[key.ndim :], weights.dtype).reshape(-1)
    find = _search(reached, uniforms.size)
    places = np.empty(full, index_dtype(weights.size))
    flat, least = places.reshape(-1), np.finfo(weights.dtype).smallest_subnormal

    def piece(first: int, stop: int) -> None:
        part = whole * (1 - uniforms[first:stop])
        flat[first:stop] = find(np.maximum(part, least))  # what underflows to 0 would find an element of weight 0

    run_pieces(flat.size, piece, _CHUNK)
    return places


def _reached(weights: Array) -> Array:
    """The cumulative sum; ValueError unless the whole is finite and above 0."""
    if not isinstance(weights, np.ndarray):
        return reached_there(weights)
    with np.errstate(over="ignore"):
        sums = cumulative(weights)
    # A sum of blocks may fall a little from one block to the next, or rise at a weight of 0; this does neither.
    reached: Array = np.maximum.accumulate(np.where(weights > 0, sums, weights.dtype.type(0)))
    if not 0 < reached[-1] < math.inf:
        raise ValueError(f"p must have a finite sum above 0, got {reached[-1]}")
    return reached


def cumulative(x: Array) -> Array:
    """The sums of the first 1, 2, ... numbers, in jax's order.

    Up to 16 one after the other; of more, blocks of 16 likewise, and each adds the sum of the blocks before it, these
    being summed in the same way.
    """
    if x.size <= 16:
        return np.cumsum(x, dtype=x.dtype)
    blocks = np.zeros((-(-x.size // 16), 16), x.dtype)
    blocks.reshape(-1)[: x.size] = x
    blocks = np.cumsum(blocks, axis=1, dtype=x.dtype)
    blocks[1:] += cumulative(blocks[:-1, -1])[:, np.newaxis]
    result: Array = blocks.reshape(-1)[: x.size]
    return result


def _search(reached: Array, count: int) -> Callable[[Array], Array]:
    """``lambda parts: np.searchsorted(reached, parts)`` for so many parts, which are above 0 and at most the last.

    A binary search is a row of mispredicted branches. Where there are many parts, a table of equal intervals says which
    is the first element that may reach a part of an interval; it mostly does, and only the others are searched.
    """
    with np.errstate(over="ignore"):
        scale = 4 * reached.size / reached[-1]
    if count < 4 * reached.size or not scale < math.inf:
        return lambda parts: np.searchsorted(reached, parts)

    def interval(x: Array) -> Array:
        numbers: Array = (x * scale).astype(np.intp)
        return numbers

    ends = interval(reached)
    first = np.searchsorted(ends, np.arange(ends[-1] + 1))

    def find(parts: Array) -> Array:
        places: Array = first.take(interval(parts), mode="clip")
        missed = np.flatnonzero(reached.take(places, mode="clip") < parts)
        places[missed] = np.searchsorted(reached, parts[missed])
        return places

    return find
