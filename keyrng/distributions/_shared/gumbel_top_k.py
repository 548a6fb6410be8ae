"""The Gumbel top-k algorithm, for categorical and for choice by weight without replacement."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype, index_dtype
from keyrng._executors.base import ElementRange
from keyrng._executors.device import CPU, device_at, may_hold
from keyrng._executors.threads import PIECE
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import fill_range, run_ranges
from keyrng._sampling.parameters import Array
from keyrng.distributions._shared.gumbel_race import Race
from keyrng.distributions._shared.gumbel_top_k_cuda import (
    FAR,
    CudaTopK,
    centered_row,
    centered_row_to_float32,
    less_if_far,
    to_float32,
)
from keyrng.kernels.lane import Kernel

_SHORT = 256  # up to this number of classes sorting many rows at once is faster than a partition of each


def gumbel_top_k(kernel: Kernel, key: Key, table: Array, rows: Array, count: int, race: Kernel | None = None) -> Array:
    """Return the classes with the ``count`` largest sums of logit and Gumbel variate, in descending order, stably.

    Each key has an array of Gumbel variates of shape (before, classes, after). ``rows``, of shape (keys, before,
    after), has the row of ``table`` with the logits; on a GPU, only its shape counts if it is a NumPy array, and the
    table has one row or a row for each draw. The result has one more axis, of length ``count``. ``race`` is the kernel
    of `Race`, which has the same results.
    """
    device = device_of(key)
    if device is CPU and count == 1 and race is not None and Race.suits(race, key, table, rows):
        return Race(kernel, race, key.reshape(-1), table, rows.shape[1]).winners()
    chosen: Any = device.pick(CpuTopK, CudaTopK)
    top_k: CpuTopK | CudaTopK = chosen(kernel, key.reshape(-1), table, rows)
    keys, before, after = rows.shape
    size = table.shape[1]
    step = _steps(before, size, after, top_k.slab, whole=count > 1)
    parts = list(product(_slices(keys, step[0]), _slices(before, step[1]), _slices(after, step[3])))
    if len(parts) == 1 and step[2] >= size:
        with device.current():
            return top_k.largest(parts[0], count).astype(index_dtype(size), copy=False)
    places = device.empty((*rows.shape, count), index_dtype(size))

    def piece(first: int, stop: int) -> None:
        for part in parts[first:stop]:
            if step[2] >= size:
                places[part] = top_k.largest(part, count)
            else:
                places[part] = top_k.largest_of_many(part, _slices(size, step[2]))

    top_k.run(len(parts), prod(step), piece)
    return places


def centered(logits: Array, dtype: Dtype) -> Array:
    """Return rows of logits in the dtype of the Gumbel variates, minus the largest of a row if that is beyond `FAR`.

    The sum of logit and Gumbel variate is rounded to the spacing of floats at the logit: 1 at -1e7 in float32.
    """
    device = device_at(logits)
    if device is not CPU:
        return device.apply_rows(centered_row if logits.dtype == dtype else centered_row_to_float32, logits)
    if logits.size and may_hold(_is_far, logits):
        logits = device.apply(less_if_far, logits, device.row_max(logits)[..., np.newaxis])
    return logits if logits.dtype == dtype else device.apply(to_float32, logits)


def _is_far(logit: Any) -> Any:
    return abs(logit) > FAR


def _steps(before: int, size: int, after: int, slab: int, whole: bool) -> tuple[int, int, int, int]:
    """Return how many keys, indices before, classes and indices after make a slab, which is contiguous in each key."""
    if before * size * after <= slab:
        return slab // (before * size * after), before, size, after
    if size * after <= slab or whole:
        return 1, max(1, slab // (size * after)), size, after
    if after <= slab:
        return 1, 1, slab // after, after
    return 1, 1, 1, slab


def _slices(length: int, step: int) -> list[slice]:
    return [slice(first, min(first + step, length)) for first in range(0, length, step)]


_Part = tuple[slice, slice, slice]  # of keys, before and after


@dataclass(frozen=True)
class CpuTopK:
    """Sums of logits and Gumbel variates, computed slab by slab; see `gumbel_top_k`."""

    kernel: Kernel
    key: Key
    table: Array
    rows: Array

    slab = 1 << 16  # Gumbel variates at a time, which stay in a level-2 cache

    def run(self, parts: int, step: int, piece: Callable[[int, int], None]) -> None:
        """Run all parts in threads, or one after another if a slab of ``step`` variates has threads itself."""
        run_ranges(self.key._algorithm, parts, piece, 1 if step <= PIECE else parts)

    def scores(self, part: _Part, classes: slice) -> Array:
        """Return the scores of a slab, of shape (keys, before, after, classes)."""
        keys, before, after = part
        size, width = self.table.shape[1], self.rows.shape[2]
        shape = tuple(s.stop - s.start for s in (keys, before, classes, after))
        start = (before.start * size + classes.start) * width + after.start
        slab = ElementRange(start, prod(shape[1:]), self.rows.shape[1] * size * width)
        gumbels = np.empty((shape[0], slab.count), self.table.dtype)
        fill_range(self.kernel, self.key[keys], gumbels, slab)
        scores = gumbels.reshape(shape).swapaxes(2, 3)
        scores += self.table[0, classes] if len(self.table) == 1 else self.table[self.rows[part], classes]
        return scores

    def largest(self, part: _Part, count: int) -> Array:
        """Return the classes of the largest scores, from all classes at once."""
        scores = self.scores(part, slice(0, self.table.shape[1]))
        if count == 1:
            largest: Array = scores.argmax(axis=-1)[..., np.newaxis]
            return largest
        flat = -scores.reshape(-1, scores.shape[-1])
        if flat.shape[1] <= _SHORT:
            places = np.argsort(flat, axis=-1, kind="stable")[:, :count]
        else:
            places = np.stack([_smallest(row, count) for row in flat])
        return places.reshape(*scores.shape[:-1], count)

    def largest_of_many(self, part: _Part, slabs: list[slice]) -> Array:
        """Return the class of the largest score, some classes at a time."""
        best, places = np.array(-math.inf, self.table.dtype), np.array(0)
        for classes in slabs:
            scores = self.scores(part, classes)
            found = scores.argmax(axis=-1)
            value = np.take_along_axis(scores, found[..., np.newaxis], -1)[..., 0]
            places = np.where(value > best, found + classes.start, places)  # the first of equal scores is kept
            best = np.maximum(value, best)
        return places[..., np.newaxis]


def _smallest(values: Array, count: int) -> Array:
    """Return the indices of the smallest numbers in ascending order, stably."""
    bound = np.partition(values, count - 1)[count - 1]
    near = np.flatnonzero(values <= bound)
    places: Array = near[np.argsort(values[near], kind="stable")[:count]]
    return places
