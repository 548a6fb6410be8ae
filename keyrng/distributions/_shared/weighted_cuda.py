"""Draws by weight with replacement on a GPU; `keyrng.distributions._shared.weighted` describes the algorithm.

Sums are computed by kernels, in the order of the CPU. Positive floats are searched as words, which have the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, index_dtype
from keyrng._executors.device import device_at
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng.distributions._shared.last_axis import scaled
from keyrng.kernels.lane import Kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import positive

_BLOCK = 16
_INFINITY = 0x7FF << 52


def cdf_cuda(weights: Array) -> Array:
    """Return the cumulative sum as on a CPU; its last number is NaN or 0 if the weights are invalid."""
    device, shift = device_at(weights), 1
    with device.current():
        words = device.apply(_if_positive, weights, cumulative_sum_cuda(scaled(weights))).view(np.uint64)
        while shift < words.size:  # each pass takes the maximum over twice as many
            words = device.xp.concatenate([words[:shift], device.xp.maximum(words[shift:], words[:-shift])])
            shift *= 2
        result: Array = words.view(np.float64)
    return result


def weighted_indices_cuda(part: Kernel, key: Key, full: tuple[int, ...], reached: Array) -> Array:
    """Return indices of shape ``full``, or -1 if the whole is not above 0; ``part`` draws a part of it."""
    device = device_of(key)
    with device.current():
        parts = sample_kernel(part, key, full[key.ndim :], FLOAT64, positive(whole=reached[-1])).view(np.uint64)
        # If the whole is not positive, the parts are NaN.
        places = device.xp.where(parts < _INFINITY, device.xp.searchsorted(reached.view(np.uint64), parts), -1)
        result: Array = places.astype(index_dtype(reached.size))
    return result


def _if_positive(weight: Any, total: Any) -> Any:
    return where(weight > 0.0, total, weight + 0.0)  # adding 0 turns -0 into 0


def cumulative_sum_cuda(x: Array) -> Array:
    """Return the cumulative sum in the order of `keyrng.distributions._shared.weighted.cumulative_sum`."""
    device = device_at(x)
    xp, count = device.xp, -(-x.size // _BLOCK)
    columns = xp.concatenate([x, xp.zeros(count * _BLOCK - x.size, x.dtype)]).reshape(count, _BLOCK).T
    columns = device.contiguous(columns)[..., np.newaxis]
    before = xp.zeros(1, x.dtype)
    if count > 1:
        before = xp.concatenate([before, cumulative_sum_cuda(device.apply(_block_sum, *columns)[:-1, 0])])
    place = xp.arange(_BLOCK, dtype=np.uint32).astype(x.dtype)
    return device.apply(_running_sum, before[:, np.newaxis], place, *columns).reshape(-1)[: x.size]


def _block_sum(*numbers: Any) -> Any:
    total = numbers[0]
    for number in numbers[1:]:
        total = total + number
    return total


def _running_sum(before: Any, place: Any, *numbers: Any) -> Any:
    """Return the sum of a block's numbers up to an index, plus the sum before the block."""
    total = result = numbers[0]
    for i, number in enumerate(numbers[1:], 1):
        total = total + number
        result = where(place < float(i), result, total)
    return result + before
