"""The Gumbel top-k algorithm on a GPU; `keyrng.distributions._shared.gumbel_top_k` has it for the CPU.

Scores are unsigned words in the order of the floats that they represent, because CuPy compares and sorts words without
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from keyrng._core.dtypes import index_dtype
from keyrng._executors.base import ElementRange
from keyrng._executors.device import device_at
from keyrng._keys.derive import Key
from keyrng._sampling.draw import fill_range
from keyrng._sampling.parameters import Array
from keyrng.distributions._shared.sorting import stable_order
from keyrng.kernels.formats import ordered_word
from keyrng.kernels.lane import Kernel
from keyrng.kernels.ops import cast, where
from keyrng.kernels.requirements import Requirement

logit = Requirement("a number below infinity, not NaN", lambda x: x < math.inf)

_Part = tuple[slice, slice, slice]  # of keys, before and after


@lru_cache(maxsize=16)
def _scores(gumbel: Kernel) -> Kernel:
    """Return the kernel of a score as a word."""

    def score(lane: Any, logit: Any) -> Any:
        return ordered_word(gumbel(lane) + logit)

    return Kernel(score, f"{gumbel.name}_score", ())


@lru_cache
def _never(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the word of minus infinity, and the word of an invalid score: all bits set, as a guard stores."""
    least = ordered_word(np.full(1, -math.inf, f"f{dtype.itemsize}"))[0]
    return least, dtype.type(2 ** (8 * dtype.itemsize) - 1)


def _drawn(row: Any, score: Any) -> Any:
    """Return the class of the largest score, a function of rows."""
    (least, wrong), (best, place) = _never(score.dtype), row.largest(score)
    return where((best > least) & (best < wrong), cast(place, np.int64), -1)


FAR = 128.0  # a largest logit beyond this is subtracted; up to it float32 rounds the sum to 2**-16 or finer


def less_if_far(logit: Any, largest: Any) -> Any:
    """Return a logit minus the largest of its distribution if that is finite and beyond `FAR`."""
    far = abs(largest)
    return logit - where((far > FAR) & (far < math.inf), largest, 0.0)


_LARGEST = float(np.finfo(np.float32).max)


def to_float32(x: Any) -> Any:
    """Convert logits, and clip finite ones, so that a class keeps a positive probability, however small."""
    return cast(where((x < -_LARGEST) & (x > -math.inf), -_LARGEST, x), np.float32)


def centered_row(row: Any, logit: Any) -> Any:
    """Return logits as `keyrng.distributions._shared.gumbel_top_k.centered`, a function of rows."""
    return less_if_far(logit, row.max(logit))


def centered_row_to_float32(row: Any, logit: Any) -> Any:
    """Return the same in float32."""
    return to_float32(centered_row(row, logit))


@dataclass(frozen=True)
class CudaTopK:
    """Sums of logits and Gumbel variates, computed slab by slab; -1 if no class can be drawn or a logit is invalid."""

    kernel: Kernel
    key: Key
    table: Array
    rows: Any

    slab = 1 << 24  # Gumbel variates at a time: enough for all threads of a GPU in little memory

    def run(self, parts: int, step: int, piece: Callable[[int, int], None]) -> None:
        """Run all parts, one after another."""
        with device_at(self.table).current():
            piece(0, parts)

    def scores(self, part: _Part, classes: slice) -> Array:
        """Return the scores of a slab, of shape (keys, before, after, classes)."""
        keys, before, after = part
        xp, size, width = device_at(self.table).xp, self.table.shape[1], self.rows.shape[2]
        shape = tuple(s.stop - s.start for s in (keys, before, classes, after))
        start = (before.start * size + classes.start) * width + after.start
        slab = ElementRange(start, prod(shape[1:]), self.rows.shape[1] * size * width)
        logits = xp.moveaxis(self._logits(part)[..., classes], -1, -2)
        scores = xp.empty(shape, f"u{self.table.dtype.itemsize}")
        kernel = _scores(self.kernel)
        fill_range(kernel, self.key[keys], scores, slab, (logits,), (logit.predicate,), self.table.dtype)
        result: Array = xp.moveaxis(scores, 2, 3)
        return result

    def _logits(self, part: _Part) -> Array:
        """Return the logits for each draw of a part, of shape (keys, before, after, classes), or for all of them."""
        if len(self.table) == 1:
            return self.table
        if isinstance(self.rows, np.ndarray):  # each row of the table is drawn once
            return self.table.reshape(*self.rows.shape, -1)[part]
        chosen: Array = self.table[self.rows[part]]
        return chosen

    def largest(self, part: _Part, count: int) -> Array:
        """Return the classes of the largest scores, from all classes at once."""
        classes = slice(0, self.table.shape[1])
        device, scores = device_at(self.table), self.scores(part, classes)
        if count == 1:
            drawn: Array = device.apply_rows(_drawn, scores, reduced=True, dtype=index_dtype(classes.stop))
            return drawn[..., np.newaxis]
        xp = device.xp
        size = scores.shape[-1]
        lines = scores.reshape(-1, size)
        least, wrong = _never(scores.dtype)
        order = stable_order(~lines).reshape(-1, size)[:, :count]
        ordered = lines.reshape(-1).take(order)
        possible = (ordered > least) & (ordered[:, :1] < wrong)
        first = xp.arange(0, lines.size, size)[:, np.newaxis]
        places: Array = xp.where(possible, order - first, -1)
        return places.reshape(*scores.shape[:-1], count)

    def largest_of_many(self, part: _Part, slabs: list[slice]) -> Array:
        """Return the class of the largest score, some classes at a time."""
        xp = device_at(self.table).xp
        best, wrong = _never(np.dtype(f"u{self.table.dtype.itemsize}"))
        places = -1
        for classes in slabs:
            scores = self.scores(part, classes)
            value = scores.max(axis=-1)
            # The first of equal scores is kept.
            places = xp.where(value > best, scores.argmax(axis=-1) + classes.start, places)
            best = xp.maximum(value, best)
        result: Array = xp.where(best < wrong, places, -1)[..., np.newaxis]
        return result
