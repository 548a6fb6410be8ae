"""Elements by weight on a GPU, with replacement; `keyrng.distributions._shared.weighted` says how.

Sums are kernels, in the order of the CPU's. Floats above 0 are searched as the words of their bits, which have the same
order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, index_dtype
from keyrng._executors.device import device_at
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, positive
from keyrng.distributions._shared.last_axis import scaled
from keyrng.kernels.lane import Kernel
from keyrng.kernels.ops import where

_BLOCK = 16
_INFINITY = 0x7FF << 52


def cdf_cuda(weights: Array) -> Array:
    """The cumulative sum as on a CPU; its last number is NaN or 0 where the weights are not valid."""
    here, shift = device_at(weights), 1
    with here.current():
        words = here.apply(_if_positive, weights, cumulative_sum_cuda(scaled(weights))).view(np.uint64)
        while shift < words.size:  # the largest of twice as many
            words = here.xp.concatenate([words[:shift], here.xp.maximum(words[shift:], words[:-shift])])
            shift *= 2
        result: Array = words.view(np.float64)
    return result


def weighted_indices_cuda(part: Kernel, key: Key, full: tuple[int, ...], reached: Array) -> Array:
    """For each key places of shape ``full``, or -1 if the whole is not above 0; ``part`` is a part of it."""
    here = device_of(key)
    with here.current():
        parts = sample_kernel(part, key, full[key.ndim :], FLOAT64, positive(whole=reached[-1])).view(np.uint64)
        # Where the whole is no such number, the parts are NaN.
        places = here.xp.where(parts < _INFINITY, here.xp.searchsorted(reached.view(np.uint64), parts), -1)
        result: Array = places.astype(index_dtype(reached.size))
    return result


def _if_positive(weight: Any, total: Any) -> Any:
    return where(weight > 0.0, total, weight + 0.0)  # of -0 that makes 0


def cumulative_sum_cuda(x: Array) -> Array:
    """The sums of the first 1, 2, ... numbers, in the order of `keyrng.distributions._shared.weighted.cumulative`."""
    here = device_at(x)
    xp, count = here.xp, -(-x.size // _BLOCK)
    columns = xp.concatenate([x, xp.zeros(count * _BLOCK - x.size, x.dtype)]).reshape(count, _BLOCK).T
    columns = here.contiguous(columns)[..., np.newaxis]
    before = xp.zeros(1, x.dtype)
    if count > 1:
        before = xp.concatenate([before, cumulative_sum_cuda(here.apply(_block_sum, *columns)[:-1, 0])])
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
