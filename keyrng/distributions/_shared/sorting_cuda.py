"""Orders on a GPU, by CuPy's argsort, which is stable and does not wait.

The first of equal numbers comes first, as in `keyrng.distributions.permutation`, so the orders are the same.
"""

from __future__ import annotations

from math import prod

import numpy as np

from keyrng._core.dtypes import index_dtype
from keyrng._executors.base import ElementRange
from keyrng._executors.device import device_at
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import fill_range
from keyrng._sampling.parameters import Array
from keyrng.distributions.bits import bits_kernel

_WORD = np.dtype(np.uint32)


def permuted(key: Key, rounds: list[Key], shape: tuple[int, ...], axis: int) -> Array:
    """For each key the places of an array's elements after each round has sorted the lines along an axis."""
    here, total = device_of(key), prod(shape)
    with here.current():
        places = here.xp.arange(total, dtype=index_dtype(total)).reshape(shape)
        places = here.xp.broadcast_to(here.xp.moveaxis(places, axis, -1), (key.size, *_last(shape, axis)))
        flat = places.reshape(-1)
        for stream in rounds:
            words = here.empty((key.size, total), _WORD)
            fill_range(bits_kernel, stream, words, ElementRange(0, total, total))
            lines = here.xp.moveaxis(words.reshape(key.size, *shape), axis + 1, -1)
            flat = flat.take(stable_order(lines.reshape(-1, shape[axis])))
        result: Array = here.xp.moveaxis(flat.reshape(places.shape), -1, axis + 1).reshape(key.shape + shape)
    return result


def _last(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return *shape[:axis], *shape[axis + 1 :], shape[axis]


def stable_order(lines: Array) -> Array:
    """The places that the numbers of each line, unsigned ones, have in ascending order, counted over all lines."""
    xp = device_at(lines).xp
    count, size = lines.shape
    if count > 1 and lines.dtype != _WORD:
        places: Array = lines.argsort(axis=-1) + xp.arange(0, lines.size, size)[:, np.newaxis]
        return places.reshape(-1)
    if count > 1:  # one sort of all, by radix; of rows CuPy's is by comparison
        lines = (xp.arange(count, dtype=np.uint64) << np.uint64(32))[:, np.newaxis] | lines
    order: Array = lines.reshape(-1).argsort()
    return order
