"""Sums and maxima along the last axis of arrays in GPU memory, in the same order as on the CPU.

CuPy's reductions use another order, and CuPy flushes subnormals. Therefore sums are kernels, and floats are compared as
words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from keyrng.kernels.ops import bitcast, where

if TYPE_CHECKING:
    from keyrng._executors.device import Device

Array: TypeAlias = Any
_COLUMNS = 16  # per launch; with fewer, launching would take longer than adding
_TERMS = 8  # products per launch


def row_max(device: Device, x: Array) -> Array:
    """Return the maximum of each row; NaN if it contains NaN, -infinity if it is empty."""
    with device.current():
        if not x.size:
            return device.xp.full(x.shape[:-1], -math.inf, x.dtype)
        words = device.apply(ordered_word, x).max(axis=-1)
        return device.apply(_float_of, words).view(x.dtype)


def ordered_word(x: Any) -> Any:
    """Convert floats to words that compare in the same order."""
    word = bitcast(x + 0.0, np.dtype(f"u{x.dtype.itemsize}"))  # makes -0 equal to 0
    sign = 1 << (8 * word.dtype.itemsize - 1)
    return where(word < sign, word | sign, ~word)


def _float_of(word: Any) -> Any:
    sign = 1 << (8 * word.dtype.itemsize - 1)
    return where(word < sign, ~word, word ^ sign)


def row_sum(device: Device, x: Array) -> Array:
    """Return the sum of each row, added from first to last."""
    with device.current():
        total = device.xp.zeros(x.shape[:-1], x.dtype)
        for columns in _groups(device, x):
            total = device.apply(_sum, total, *columns)
    return total


def _groups(device: Device, x: Array) -> Iterator[Array]:
    """Yield groups of columns, padded with zeros, because each number of columns is a separate kernel."""
    columns = device.contiguous(device.xp.moveaxis(x, -1, 0))
    rest = device.xp.zeros((-len(columns) % _COLUMNS, *x.shape[:-1]), x.dtype)
    for first in range(0, len(columns), _COLUMNS):
        part = columns[first : first + _COLUMNS]
        yield part if len(part) == _COLUMNS else device.xp.concatenate([part, rest])


def _sum(total: Any, *numbers: Any) -> Any:
    for number in numbers:
        total = total + number
    return total


def sum_of_products(device: Device, x: Array, y: Array) -> Array:
    """Return the sums of ``x * y`` along the last axis, added from first to last."""
    with device.current():
        xp, count = device.xp, y.shape[-1]
        rest = -count % _TERMS
        firsts = (xp.moveaxis(array, -1, 0) for array in (x, y))
        terms = [xp.concatenate([f, xp.zeros((rest, *f.shape[1:]), f.dtype)]) for f in firsts]
        total = xp.zeros(np.broadcast_shapes(x.shape[:-1], y.shape[:-1]), y.dtype)
        for first in range(0, count, _TERMS):
            total = device.apply(_add_products, total, *(a[first + i] for i in range(_TERMS) for a in terms))
    return total


def _add_products(total: Any, *factors: Any) -> Any:
    for x, y in zip(factors[::2], factors[1::2], strict=True):
        total = total + x * y
    return total
