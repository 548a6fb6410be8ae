"""Elements by weight on a GPU, with replacement; `keyrng.distributions.weights` says how.

Sums are kernels, in the order of the CPU's. Floats above 0 are searched as the words of their bits, which have the same
order. Must not import weights.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from keyrng.backends.memory import memory_at
from keyrng.dtypes import index_dtype
from keyrng.kernels.bits import positive_unit
from keyrng.kernels.lane import Kernel
from keyrng.kernels.ops import where
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, positive
from keyrng.sampling import draw

_BLOCK = 16


def reached_there(weights: Array) -> Array:
    """What `keyrng.distributions.weights.reached` gives; its last number is NaN or infinite for what are no weights."""
    here, shift = memory_at(weights), 1
    with here.current():
        words = here.apply(_if_positive, weights, cumulative(weights)).view(f"u{weights.dtype.itemsize}")
        while shift < words.size:  # the largest of twice as many
            words = here.xp.concatenate([words[:shift], here.xp.maximum(words[shift:], words[:-shift])])
            shift *= 2
        result: Array = words.view(weights.dtype)
    return result


def places_there(key: Key, full: tuple[int, ...], reached: Array) -> Array:
    """For each key places of shape ``full``, or -1 if the whole is no finite number above 0."""
    here, size, dtype = memory_of(key), reached.size, reached.dtype
    with here.current():
        word = np.dtype(f"u{dtype.itemsize}")
        parts = draw(_part(dtype), key, full[key.ndim :], dtype, positive(whole=reached[-1])).view(word)
        # Where the whole is no such number, the parts are NaN.
        infinity = np.array(np.inf, dtype).view(word)[()]
        places = here.xp.where(parts < infinity, here.xp.searchsorted(reached.view(word), parts), -1)
        result: Array = places.astype(index_dtype(size))
    return result


def _if_positive(weight: Any, total: Any) -> Any:
    return where(weight > 0.0, total, weight + 0.0)  # of -0 that makes 0


@lru_cache
def _part(dtype: np.dtype[Any]) -> Kernel:
    """The kernel of a part of the whole above 0: what underflows to 0 would find an element of weight 0."""
    least = float(np.finfo(dtype).smallest_subnormal)

    def part(lane: Any, whole: Any) -> Any:
        x = whole * positive_unit(lane)
        return where(x > 0.0, x, least)

    return Kernel(part, "part_of_whole", ())


def cumulative(x: Array) -> Array:
    """The sums of the first 1, 2, ... numbers, in the order of `keyrng.distributions.weights.cumulative`."""
    here = memory_at(x)
    xp, count = here.xp, -(-x.size // _BLOCK)
    columns = xp.concatenate([x, xp.zeros(count * _BLOCK - x.size, x.dtype)]).reshape(count, _BLOCK).T
    columns = here.contiguous(columns)[..., np.newaxis]
    before = xp.zeros(1, x.dtype)
    if count > 1:
        before = xp.concatenate([before, cumulative(here.apply(_block_sum, *columns)[:-1, 0])])
    place = xp.arange(_BLOCK, dtype=np.uint32).astype(x.dtype)
    return here.apply(_running_sum, before[:, np.newaxis], place, *columns).reshape(-1)[: x.size]


def _block_sum(*numbers: Any) -> Any:
    total = numbers[0]
    for number in numbers[1:]:
        total = total + number
    return total


def _running_sum(before: Any, place: Any, *numbers: Any) -> Any:
    """The sum of a block's numbers up to a place, and what was before the block."""
    total = result = numbers[0]
    for i, number in enumerate(numbers[1:], 1):
        total = total + number
        result = where(place < float(i), result, total)
    return result + before
